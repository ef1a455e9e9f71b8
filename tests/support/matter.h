/* Simulated evidence to judge: good as it is made, and a case changes one thing of it. The
 * processor is the simulator's, so the group is set up by simulator_set_up(). */
#ifndef MUSTER_TESTS_MATTER_H
#define MUSTER_TESTS_MATTER_H

#include "tests/support/simulator.h"

/* Of a measurement of ones: 96 digits, in two halves. */
#define ONES "111111111111111111111111111111111111111111111111"

struct matter {
    struct psp_wish wish;
    struct judge_input in;
    const char *policy; /* in JSON; NULL: none */
    bool expect;        /* else a whole policy */
    struct span crl;    /* may be empty */
};

struct matter matter_of(enum psp_flavour flavour); /* under a policy that pins its measurement */
struct matter matter_best(void);                   /* our own host, as good as it gets */

struct verdict matter_judge(struct matter *m);
struct verdict matter_judge_report(struct matter *m, const struct simulated *s);
/* A case. */
#define assert_judged(m, reason) try_judged((m), (reason), __func__)
void try_judged(struct matter *m, enum reason reason, const char *test);

#endif
