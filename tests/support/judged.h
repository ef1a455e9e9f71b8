/* A simulated deployment beside the API: machines with evidence of its security processor, as a
 * keeper would have judged it, and its charter to sign. The clock stands still. */
#ifndef MUSTER_TESTS_JUDGED_H
#define MUSTER_TESTS_JUDGED_H

#include "tests/support/ask.h"
#include "tests/support/deployment.h"

extern struct deployment *world;

struct judged {
    int measurement;      /* every byte of it */
    const char *rejected; /* why; NULL: trusted */
    bool bad_signature;
    bool carried; /* the report is part of a vTPM's evidence */
    int chip;     /* every byte of its id; 0: not named */
};
extern const struct judged judged_stock; /* trusted, under the reference "stock" */

/* For cmocka; three trusted machines of fleet "stock-fleet" under policy "stock" are there. */
int judged_open(void **state);
int judged_close(void **state);

struct instance judged_machine(const struct judged *as);
void judged_prove(const struct instance *instance, const struct judged *as); /* once more */
void judged_policy(const char *name); /* of all machines from now on */

/* The world's charter, signed, to the API. */
struct told judged_apply(const char *if_plan);

#endif
