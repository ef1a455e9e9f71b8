/* A deployment for tests of the link: a root, a controller that listens on an own thread and
 * echoes, and identities of every kind. Waiting is always for an event, with a deadline. */
#ifndef MUSTER_TESTS_LINK_PARTY_H
#define MUSTER_TESTS_LINK_PARTY_H

#include <pthread.h>
#include <stdatomic.h>

#include "lib/net/link.h"

enum { EVENT_WAIT_MS = 20000, PARTY_QUEUE_ROOM = 20000 };

enum { TYPE_HELLO = 1, TYPE_ECHO = 2, TYPE_PUSH = 3, TYPE_DEAF = 4 };

struct root {
    struct key *key;
    struct cert *cert;
};

struct root root_make(void);
void root_done(struct root *root);

/* Of a role under `root`, with a new key, valid from `from` for `days`. */
struct credential {
    struct key *key;
    struct cert *cert;
};
struct credential credential_make(const struct root *root, enum cert_role role, struct moment from,
                                  int days);
struct credential credential_guest(void);
void credential_done(struct credential *credential);

struct link_identity *identity_of(const struct credential *credential, const struct root *trusted);
struct link_identity *identity_make(const struct root *root, enum cert_role role);

/* A controller whose owner thread admits on TYPE_HELLO and answers TYPE_ECHO with the same. */
struct desk {
    struct root root;
    struct link_identity *identity;
    struct queue *events;
    struct link *link;
    char url[64];
    pthread_t thread;
    _Atomic int opened, closed, echoed;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool asleep; /* takes no events while set */
    char last_why[ERROR_CODE_SIZE];
    enum cert_role last_role;
    uint8_t last_fingerprint[SHA256_SIZE];
    int whys_count;
    char whys[64][ERROR_CODE_SIZE]; /* of the first losses */
};

struct link_settings desk_settings(void); /* usual, with loopback and port 0 */
struct desk *desk_open(const struct link_settings *settings, size_t queue_room);
void desk_close(struct desk *desk);
bool desk_saw(struct desk *desk, const char *why); /* waits for a loss with that code */
struct link_counts desk_counts(struct desk *desk);
void desk_sleep(struct desk *desk); /* it takes no events until desk_rouse() */
void desk_rouse(struct desk *desk);

/* Waits until that is seen; fails the test when it is not in time. */
typedef bool desk_seen_fn(struct desk *desk, int64_t wanted);
void desk_await(struct desk *desk, desk_seen_fn *seen, int64_t wanted);
bool desk_has_opened(struct desk *desk, int64_t least);
bool desk_has_closed(struct desk *desk, int64_t least);
bool desk_has_heard(struct desk *desk, int64_t least);     /* frames */
bool desk_has_handshakes(struct desk *desk, int64_t most); /* not done with TLS */
void desk_wait_peers(struct desk *desk, int64_t peers);

/* An agent or keeper without a thread: the test takes the events itself. */
struct caller {
    struct link_identity *identity;
    struct queue *events;
    struct link *link;
    struct link_peer *peer; /* after caller_opened() */
};

struct link_settings caller_settings(const struct desk *desk); /* quick redial */
struct caller caller_open(const struct link_settings *settings, struct link_identity *identity);
struct caller caller_to(struct desk *desk); /* a guest, opened and admitted */
void caller_close(struct caller *caller);
void caller_opened(struct caller *caller); /* waits for LINK_OPENED */
void caller_hello(struct caller *caller);  /* and is admitted */
/* The next event must be LINK_CLOSED with this code. */
void caller_closed(struct caller *caller, const char *why);
struct link_event *caller_event(struct caller *caller);                 /* never NULL */
void caller_echo(struct caller *caller, uint64_t id, struct span body); /* and checks the answer */

int open_descriptors(void);

#endif
