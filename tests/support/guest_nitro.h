/* An enclave as a guest of a deployment: documents of the made-up security module, answering a
 * challenge. */
#ifndef MUSTER_TESTS_GUEST_NITRO_H
#define MUSTER_TESTS_GUEST_NITRO_H

#include "tests/support/deployment.h"
#include "tests/support/nsm.h"

#define FIVES "555555555555555555555555555555555555555555555555"

/* The module's root into the keeper's folder, and its hash into the charter; the keeper reads the
 * one when it starts. */
void nitro_write_root(struct deployment *d);
void nitro_name_root(struct deployment *d);
/* Policy "enclave" and grant "enclave-key", for secrets of one enclave whose image is proven. */
void nitro_write_charter(struct deployment *d);
/* All three, with a restart of the keeper. */
void nitro_set_up(struct deployment *d);

struct guest nitro_guest(void);

/* What the enclave asks its module for, by its own knowledge. */
struct nitro_answer {
    uint8_t nonce[NONCE_SIZE];
    uint8_t data[BINDING_SIZE];
    struct bytes key;
};
void nitro_answer_done(struct nitro_answer *answer);
void nitro_answer_of(const struct guest *g, const struct challenge *c, struct nitro_answer *out);

/* With that answer, and with the right one. */
void nitro_print(const struct guest *g, const struct nsm_wish *wish,
                 const struct nitro_answer *answer, struct bytes *out);
void nitro_evidence(const struct guest *g, const struct challenge *c, const struct nsm_wish *wish,
                    struct bytes *out);
void nitro_attest(struct deployment *d, struct guest *g, const struct nsm_wish *wish);

#endif
