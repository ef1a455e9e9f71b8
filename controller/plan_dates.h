/* What flips later, by itself, date by date: of a plan. */
#ifndef MUSTER_CONTROLLER_PLAN_DATES_H
#define MUSTER_CONTROLLER_PLAN_DATES_H

#include "lib/base/json.h"

enum { PLAN_DATES_MOST = 64, PLAN_COHORTS_MOST = 1000 };

/* Machines alike in what their flips say, counted: {"count", ...}; by a key of their words. */
struct cohorts {
    json_t *by_key;
    int64_t left_out; /* machines of cohorts beyond PLAN_COHORTS_MOST */
};
void cohorts_done(struct cohorts *cohorts);
void cohorts_count(struct cohorts *cohorts, const json_t *flip);
json_t *cohorts_to_json(const struct cohorts *cohorts);

/* The next PLAN_DATES_MOST dates, in order. */
struct plan_dates {
    size_t count;
    int64_t left_out; /* flips at later ones */
    struct plan_date {
        struct moment at;
        int64_t flips;
        struct cohorts cohorts;
    } at[PLAN_DATES_MOST];
};
void plan_dates_done(struct plan_dates *dates);
void plan_dates_count(struct plan_dates *dates, struct moment at, const json_t *flip);
json_t *plan_dates_to_json(const struct plan_dates *dates); /* [{"at", "count", "cohorts"}] */

#endif
