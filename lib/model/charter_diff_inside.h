/* What the comparisons of charters share; nobody else includes it. */
#ifndef MUSTER_MODEL_CHARTER_DIFF_INSIDE_H
#define MUSTER_MODEL_CHARTER_DIFF_INSIDE_H

#include "lib/model/charter_diff.h"

struct diff_run {
    const json_t *was; /* the whole documents */
    const json_t *is;
    json_t *changes;
};

struct diff_rule;

/* Two values at one place, NULL where there is none, that are not equal. */
struct diff_pair {
    const struct diff_rule *rule;
    const char *path;
    const json_t *was;
    const json_t *is;
};

struct diff_rule {
    const char *pattern; /* '*' stands for one step */
    void (*compare)(struct diff_run *run, const struct diff_pair *pair);
    const char *silent; /* what absence means, as JSON; NULL: nothing is asked for */
    const char *widens;
    const char *narrows;
};

json_t *diff_add(struct diff_run *run, const char *where, enum diff_effect effect, const char *why);
void diff_report(struct diff_run *run, const struct diff_pair *pair, enum diff_effect effect);

/* Floors of a policy, and those of the whole charter. */
void diff_floors(struct diff_run *run, const struct diff_pair *pair);
void diff_shared_floors(struct diff_run *run, const struct diff_pair *pair);

#endif
