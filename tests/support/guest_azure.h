/* A guest of Azure in a deployment: evidence of the made-up paravisor, answering a challenge. */
#ifndef MUSTER_TESTS_GUEST_AZURE_H
#define MUSTER_TESTS_GUEST_AZURE_H

#include "tests/support/deployment.h"
#include "tests/support/paravisor.h"

enum { MEASURED_PARAVISOR = 0x44 };

void azure_policy(struct deployment *d, const char *name, json_t *measurement);
/* Policy "azure" and grant "vm", for secrets of one machine whose software is proven. */
void azure_write_charter(struct deployment *d);

struct guest azure_guest(void);
struct paravisor_wish azure_wish(int which);

/* What the guest must answer with, by its own knowledge. */
void azure_answer(const struct guest *g, const struct challenge *c,
                  uint8_t out[static SHA256_SIZE]);
/* With the answer that `wish` holds, and with the right one. */
void azure_print(struct deployment *d, const struct guest *g, const struct paravisor_wish *wish,
                 struct bytes *out);
void azure_evidence(struct deployment *d, const struct guest *g, const struct challenge *c,
                    const struct paravisor_wish *wish, struct bytes *out);
void azure_attest(struct deployment *d, struct guest *g, const struct paravisor_wish *wish);

#endif
