/* What grows for ever, and for how long it is kept. Rows of instances stay, and so do the audit
 * trail and the exposure ledger; the details of an instance that is long over go: its history, its
 * heartbeat, its notices, and verdicts with their evidence on which nothing rests. Of one that
 * lives on its old verdicts go. All that a bundle needs goes with its verdict and never before. */
#ifndef MUSTER_DB_RETENTION_H
#define MUSTER_DB_RETENTION_H

#include "db/db.h"

enum { RETENTION_BATCH = 100, RETENTION_STEP = 500 };

/* One batch of instances that were terminated more than `days` days ago, in one transaction; gives
 * how many. Call until it gives less than RETENTION_BATCH. `days` is at least 1. */
enum outcome retention_forget(struct db *db, int64_t days, const char *actor, int64_t *out_count,
                              struct error *err);

/* How far a walk over old verdicts has come, in the order in which they were given; zero: it has
 * not begun. Most of what is old may have to stay, and is looked at once in a walk. */
struct retention_walk {
    struct moment created;
    struct uuid id;
    size_t looked; /* in this step; fewer than RETENTION_STEP: there is no more for now */
    int64_t gone;  /* of these */
};

/* One step: of the next verdicts that were given more than `days` days ago to what lives on, those
 * go on which nothing rests: they are no instance's last word, and no secret was handed out on
 * them. Told of in the trail. `days` is at least 1. */
enum outcome retention_forget_verdicts(struct db *db, int64_t days, const char *actor,
                                       struct retention_walk *walk, struct error *err);

#endif
