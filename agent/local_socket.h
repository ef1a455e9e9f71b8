/* The agent's socket for programs on its own machine: one request and one answer a connection. One
 * thread serves a few at a time, each within a time limit, so that none keeps the others or the
 * agent waiting. */
#ifndef MUSTER_AGENT_LOCAL_SOCKET_H
#define MUSTER_AGENT_LOCAL_SOCKET_H

#include "agent/local_request.h"

enum { LOCAL_SEATS = 8, LOCAL_SLOW_MS = 2000 };

struct local_socket;

struct local_plan {
    const char *path;         /* mode 0600; a socket that is left there is replaced */
    int64_t slow_ms;          /* how long a peer may take to ask, and to read */
    int64_t answer_ms;        /* how long an answer may take */
    void (*wake)(void *self); /* there is a request; called on the socket's thread */
    void *self;
};

/* ERR_CONFLICT "already-there": something else is at the path. */
enum outcome local_socket_open(const struct local_plan *plan, struct local_socket **out,
                               struct error *err);
void local_socket_close(struct local_socket *l);

/* The next request that came, with a ticket for its answer; false: none. Any one thread. */
bool local_socket_next(struct local_socket *l, uint64_t *out_ticket, struct local_request *out);
/* Once for each; nothing happens where nobody waits for it any more. `line` ends with its end. */
void local_socket_answer(struct local_socket *l, uint64_t ticket, struct span line);

#endif
