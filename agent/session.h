/* One guest's talk with its controller (doc/protocol.md): hello, appraisals, heartbeats, secrets.
 * It sees frames and a clock; what carries the frames stands behind `struct session_wire`. */
#ifndef MUSTER_AGENT_SESSION_H
#define MUSTER_AGENT_SESSION_H

#include "agent/appraisal.h"
#include "agent/passports.h"
#include "agent/secrets.h"

struct session_wire {
    void *context;
    /* A failure means that the connection is gone; session_closed() will be called. */
    enum outcome (*send)(void *context, uint8_t type, uint64_t id, struct span body,
                         struct error *err);
    void (*hang_up)(void *context, const char *why);
    /* What session_want_passport() came to; `result` is a loan. */
    void (*passport)(void *context, uint64_t ticket, const struct passport_result *result);
};

/* Borrowed for the session's life. */
struct session_plan {
    const struct appraisal_guest *guest;
    const char *ticket; /* "" when there is none */
    struct secrets *secrets;
    int64_t answer_seconds; /* how long a controller may take */
};

struct session;

struct session *session_new(const struct session_plan *plan, const struct session_wire *wire);
void session_free(struct session *s);
DROP(session_drop, struct session, session_free)

void session_opened(struct session *s);
void session_frame(struct session *s, uint8_t type, uint64_t id, struct span body);
void session_closed(struct session *s, const struct error *why);

/* A program on this machine wants a passport. Answered once, perhaps before this returns. */
void session_want_passport(struct session *s, uint64_t ticket, const struct local_request *request);

/* Do what is due. Returns for how many milliseconds nothing more will be. */
int64_t session_tick(struct session *s);

bool session_is_trusted(const struct session *s); /* as the last verdict said */

#endif
