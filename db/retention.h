/* What grows for ever, and for how long it is kept. Rows of instances stay, and so do the audit
 * trail and the exposure ledger; the details of an instance that is long over go: its history, its
 * heartbeat, and verdicts with their evidence on which nothing rests. Of one that lives on its old
 * verdicts go. All that a bundle needs goes with its verdict and never before. */
#ifndef MUSTER_DB_RETENTION_H
#define MUSTER_DB_RETENTION_H

#include "db/db.h"

enum { RETENTION_BATCH = 100 };

/* One batch of instances that were terminated more than `days` days ago, in one transaction; gives
 * how many. Call until it gives less than RETENTION_BATCH. `days` is at least 1. */
enum outcome retention_forget(struct db *db, int64_t days, const char *actor, int64_t *out_count,
                              struct error *err);

/* One batch of verdicts that were given more than `days` days ago and on which nothing rests: they
 * are no instance's last word, and no secret was handed out on them. Told of in the trail. */
enum outcome retention_forget_verdicts(struct db *db, int64_t days, const char *actor,
                                       int64_t *out_count, struct error *err);

#endif
