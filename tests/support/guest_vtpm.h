/* A guest with a vTPM in a deployment: evidence of the made-up machine, answering a challenge. */
#ifndef MUSTER_TESTS_GUEST_VTPM_H
#define MUSTER_TESTS_GUEST_VTPM_H

#include "tests/support/deployment.h"
#include "tests/support/made_vtpm.h"

/* Policy "vtpm", which takes every word, and grant "vm", for secrets of one machine whose software
 * is proven. */
void vtpm_write_charter(struct deployment *d);

struct guest vtpm_guest(void);

/* What the guest must answer, by its own knowledge: binding and nonce. */
void vtpm_answer(const struct guest *g, const struct challenge *c,
                 uint8_t binding[static BINDING_SIZE]);
/* With this answer, and with the right one. */
void vtpm_print(struct deployment *d, const struct guest *g, const struct challenge *c,
                const struct made_vtpm_wish *wish, const uint8_t binding[static BINDING_SIZE],
                struct bytes *out);
void vtpm_evidence(struct deployment *d, const struct guest *g, const struct challenge *c,
                   const struct made_vtpm_wish *wish, struct bytes *out);
void vtpm_attest(struct deployment *d, struct guest *g, const struct made_vtpm_wish *wish);

#endif
