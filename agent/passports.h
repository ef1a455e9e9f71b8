/* Passports that programs on this machine want: asked of the controller, opened here, handed on and
 * forgotten (trust.md section 6). A few at a time; each has a time limit. */
#ifndef MUSTER_AGENT_PASSPORTS_H
#define MUSTER_AGENT_PASSPORTS_H

#include "agent/appraisal.h"
#include "agent/envelope.h"
#include "agent/local_request.h"

enum { PASSPORTS_MAX = 4 };

#define PROOF_TYP "muster-proof+jwt"

/* What was wanted is there, or why not; exactly once for each. `proof` is "" where none was asked
 * for. */
struct passport_result {
    enum outcome outcome;
    struct error why;
    struct locked token;
    char *proof;
};
void passport_result_done(struct passport_result *result);

struct passport_pending {
    bool open;
    uint64_t ticket; /* who wants it */
    uint64_t id;     /* of our request */
    struct local_request request;
    uint8_t nonce[NONCE_SIZE];
    int64_t until_ms;
};

struct passports {
    const struct appraisal_guest *guest; /* a loan */
    struct passport_pending at[PASSPORTS_MAX];
};

/* The body of the request to the controller, and what it is known by from now on. ERR_THROTTLED
 * "busy". */
enum outcome passports_ask(struct passports *p, uint64_t ticket,
                           const struct local_request *request, int64_t wait_ms,
                           struct passport_pending **out, struct bytes *out_body,
                           struct error *err);
struct passport_pending *passports_find(struct passports *p, uint64_t id);
/* One that has waited for too long; NULL: none. */
struct passport_pending *passports_late(struct passports *p, int64_t now_ms);
int64_t passports_due_ms(const struct passports *p, int64_t otherwise_ms);

/* The controller's answer. ERR_DENIED "passport-mismatch": the answer to something else; the codes
 * of seal_open(). With a challenge, the proof too. */
enum outcome passports_open(const struct passports *p, const struct passport_pending *pending,
                            struct key *const keys[static SEALING_KEYS_MAX], struct span reply,
                            struct passport_result *out, struct error *err);

#endif
