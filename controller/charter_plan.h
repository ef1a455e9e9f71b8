/* What a candidate charter would do to the machines that stand now: their last evidence judged
 * again, without touching one. Advice; only a keeper's verdict counts. */
#ifndef MUSTER_CONTROLLER_CHARTER_PLAN_H
#define MUSTER_CONTROLLER_CHARTER_PLAN_H

#include "db/db.h"
#include "lib/crypto/digest.h"
#include "lib/model/charter.h"

enum { PLAN_FLIPS_MOST = 1000 };

/* {"serial", "digest", "instances", "unchanged", "not_judged", "flips": {"count", "items": [...]},
 * "cohorts": [...]}; at most PLAN_FLIPS_MOST items. `content` is the charter's JSON. */
enum outcome charter_plan(struct db *db, const char *project, const struct charter *candidate,
                          const json_t *content, json_t **out, struct error *err);

/* The digest alone: of the candidate and of every instance with the verdict it stands on. It holds
 * as long as neither changes. */
enum outcome charter_plan_digest(struct db *db, const char *project, const json_t *content,
                                 uint8_t out[static SHA256_SIZE], struct error *err);

#endif
