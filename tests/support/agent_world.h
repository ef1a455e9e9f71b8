/* The program muster-agent and all that it deals with: a real link with the test as its controller
 * and keeper, a security processor that answers on a socket, and the files that its host gives it.
 */
#ifndef MUSTER_TESTS_AGENT_WORLD_H
#define MUSTER_TESTS_AGENT_WORLD_H

#include <sys/types.h>

#include "lib/attest/evidence.h"
#include "lib/model/message.h"
#include "tests/support/link_party.h"

struct agent_world {
    char *folder;
    struct root root;
    struct credential signer;
    struct link_identity *identity;
    struct queue *events;
    struct link *link;
    struct link_peer *peer;
    struct uuid instance;
    pid_t agent;
    int psp; /* listening socket */
    pthread_t psp_thread;
    struct key *sealing;
    uint8_t nonce[NONCE_SIZE];
};

/* For cmocka; *state is a struct agent_world. The files are there, the agent is not started. */
int agent_set_up(void **state);
int agent_tear_down(void **state);
#define WITH_AGENT(test) cmocka_unit_test_setup_teardown(test, agent_set_up, agent_tear_down)

void agent_put(const struct agent_world *w, const char *name, const char *content);
void agent_put_root(const struct agent_world *w, const char *name, const struct cert *root);
void agent_put_userdata(const struct agent_world *w, const struct cert *root);
void agent_put_config(const struct agent_world *w, const char *more); /* lines beside the usual */
void agent_put_hardware(const struct agent_world *w,
                        const char *more); /* and beside the simulator */

void agent_start(struct agent_world *w);
int agent_stop(struct agent_world *w, int signal); /* its exit code, or 128 + signal */

/* The next event of this kind; heartbeats and losses of earlier peers are passed over. */
struct link_event *agent_event(struct agent_world *w, enum link_event_kind kind);
uint64_t agent_take_request(struct agent_world *w, enum verb verb, const struct record *record,
                            void *out);
void agent_take_hello(struct agent_world *w);
void agent_challenge(struct agent_world *w, const struct cert *root);
uint64_t agent_take_evidence(struct agent_world *w, struct evidence *out);
/* What the keeper would recompute, under the root it knows, and whether a bare report holds it. */
void agent_binding(const struct agent_world *w, const struct evidence *evidence,
                   const struct cert *root, uint8_t out[static BINDING_SIZE]);
bool agent_binds(const struct agent_world *w, const struct evidence *evidence,
                 const struct cert *root);
void agent_trust(struct agent_world *w); /* from hello to verdict */

#endif
