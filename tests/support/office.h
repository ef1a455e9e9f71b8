/* A controller's desk with the real muster-keeper at the other end of the real link: a deployment
 * whose keeper is a process of its own. */
#ifndef MUSTER_TESTS_OFFICE_H
#define MUSTER_TESTS_OFFICE_H

#include <sys/types.h>

#include "lib/net/link.h"
#include "tests/support/deployment.h"

enum { OFFICE_WAIT_MS = 20000 };

struct office {
    struct deployment *d;
    struct link_identity *identity;
    struct queue *events;
    struct link *link;
    struct link_peer *peer;
    pid_t keeper; /* 0: stopped */
};

/* For cmocka's set-up and tear-down; *state is a struct office. The keeper was started, and has yet
 * to say hello. */
int office_open(void **state);
int office_close(void **state);
void office_start_keeper(struct office *o);
int office_stop_keeper(struct office *o); /* its status, as waitpid() gives it */

/* The keeper dials, shows a keeper's certificate and says hello. */
void office_await_keeper(struct office *o, struct hello *out);
struct link_event *office_next_event(struct office *o);

/* A request body, and what comes back. */
enum frame_type office_ask_with_id(struct office *o, uint64_t id, struct span request,
                                   struct bytes *out);
enum frame_type office_ask(void *office, struct span request, struct bytes *out);

#endif
