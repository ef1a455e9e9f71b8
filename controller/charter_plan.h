/* What a candidate charter would do to the machines that stand now: their last evidence judged
 * again, without touching one; and what flips later by itself, for floors have dates, references
 * and certificates an end. Advice; only a keeper's verdict counts. */
#ifndef MUSTER_CONTROLLER_CHARTER_PLAN_H
#define MUSTER_CONTROLLER_CHARTER_PLAN_H

#include "db/db.h"
#include "lib/crypto/digest.h"
#include "lib/model/charter.h"

enum { PLAN_FLIPS_MOST = 1000, PLAN_HORIZON_DAYS = 90 };

/* A candidate, and what is asked about it. */
struct plan_wish {
    const char *project;
    const json_t *content; /* the charter's JSON */
    const char *policy;    /* show only what stands under it; NULL: all */
    struct moment at;      /* as if it were then; none: now */
};

struct charter_plan {
    uint8_t digest[SHA256_SIZE];
    json_t *shown;
    struct uuid *rejected; /* every machine that is trusted and would not be, shown or not */
    size_t rejected_count;
};
void charter_plan_done(struct charter_plan *plan);

/* `shown`: {"serial", "digest", "at", "instances", "unchanged", "not_judged", "flips": {"count",
 * "items": [...]}, "cohorts": [...], "later": [{"at", "count", "cohorts"}], "later_left_out"}; at
 * most PLAN_FLIPS_MOST items. Each date is compared with the one before.
 *
 * The digest is of the candidate, of every machine with what becomes of it, and of what flips
 * later: it holds while a plan made now would say the same. The wish's policy does not change it;
 * its time does. */
enum outcome charter_plan_make(struct db *db, const struct plan_wish *wish,
                               struct charter_plan *out, struct error *err);

#endif
