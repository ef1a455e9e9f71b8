/* The agent's session and the keeper's desk, the real ones, with the test carrying what they say.
 */
#ifndef MUSTER_TESTS_CARRIED_GUEST_H
#define MUSTER_TESTS_CARRIED_GUEST_H

#include "agent/session.h"
#include "tests/support/deployment.h"

/* The guest's last frame, and what became of it. */
struct carried {
    struct deployment *d;
    struct guest g;
    struct tee *tee;
    struct appraisal_guest about;
    struct secrets *secrets;
    struct session *session;
    uint8_t type;
    uint64_t id;
    struct bytes body;
    char *folder;
};

/* Takes guest and hardware over. */
void carried_open(struct carried *w, struct deployment *d, struct guest g, struct tee *tee);
void carried_done(struct carried *w);

void carried_welcome(struct carried *w);
void carried_challenge(struct carried *w);
void carried_evidence(struct carried *w, uint8_t nonce[static NONCE_SIZE], struct bytes *out);
/* Both ways, as an honest controller would; gives the verdict's reason. */
struct verdict_notice carried_appraise(struct carried *w);
void carried_release(struct carried *w, const struct release_wish *wish,
                     const struct release_reply *sealed);
void carried_advance(struct carried *w, int64_t seconds);

#endif
