/* A simulated security processor for tests. Its RSA keys take seconds to make, so they are made
 * once in the build folder and shared by all tests of a run. */
#ifndef MUSTER_TESTS_SIMULATOR_H
#define MUSTER_TESTS_SIMULATOR_H

#include "emulator/psp.h"
#include "lib/attest/judge.h"

enum { SIMULATOR_TODAY = 1795478400 }; /* 2026-11-24T00:00:00Z, what its certificates start from */

struct psp *simulator_open(void); /* fails the test when it cannot; the caller closes it */
struct snp_roots *simulator_roots(const struct psp *psp);

/* One for all tests of a program; for cmocka's set-up and tear-down of a group. */
extern struct simulator {
    struct psp *psp;
    struct snp_roots *roots;
} simulator;
int simulator_set_up(void **state);
int simulator_tear_down(void **state);

/* Report and certificates of a wish. */
struct simulated {
    struct bytes report;
    struct bytes table;
};
struct simulated simulator_evidence(struct psp *psp, const struct psp_wish *wish);
void simulated_done(struct simulated *s);

/* Judge it under `roots` (NULL: AMD's) and a policy in JSON (NULL: authenticity only). */
struct verdict simulator_judge(const struct simulated *s, const struct snp_roots *roots,
                               const char *policy_json, bool whole);

#endif
