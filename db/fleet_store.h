/* Fleets, and what the planner needs to see of one. */
#ifndef MUSTER_DB_FLEET_STORE_H
#define MUSTER_DB_FLEET_STORE_H

#include "db/db_row.h"
#include "lib/model/delivery.h"
#include "lib/model/fleet.h"
#include "lib/model/plan.h"

RECORD_LIST(fleet);

/* Gives `fleet` its id. ERR_CONFLICT "exists", ERR_INVALID "no-such-reference" (account, image). */
enum outcome fleet_store_add(struct db *db, const char *project, struct fleet *fleet,
                             const char *actor, struct error *err);
enum outcome fleet_store_find(struct db *db, const char *project, const char *name,
                              struct fleet *out, struct error *err);
/* The same, and nobody changes it before the caller's transaction ends. */
enum outcome fleet_store_lock(struct db *db, const char *project, const char *name,
                              struct fleet *out, struct error *err);
/* By name, after `after` (NULL: from the first). */
enum outcome fleet_store_list(struct db *db, const char *project, const char *after, int64_t limit,
                              struct fleet_list *out, struct error *err);
/* The whole spec; `if_epoch` 0 takes any. ERR_CONFLICT "changed-meanwhile", ERR_NOT_FOUND. The
 * name cannot change. Instances keep what they were launched as. */
enum outcome fleet_store_update(struct db *db, const char *project, const struct fleet *fleet,
                                int64_t if_epoch, const char *actor, struct fleet *out,
                                struct error *err);
/* Wanted no more: desired becomes 0 and the row goes when its last instance is over. */
enum outcome fleet_store_remove(struct db *db, const char *project, const char *name,
                                int64_t if_epoch, const char *actor, struct error *err);

/* ---- for the planner's worker ---- */

/* Lease one due fleet; ERR_NOT_FOUND when none is due. Those that are done for are dropped here. */
enum outcome fleet_store_claim(struct db *db, const char *holder, int64_t lease_seconds,
                               struct fleet *out, struct error *err);
/* In the transaction that carries out a plan, before anything else: locks the row and makes sure
 * that the lease is still ours and the spec the one that was planned for. ERR_CONFLICT "lost". */
enum outcome fleet_store_hold(struct db *db, const struct fleet *claimed, const char *holder,
                              struct error *err);
/* Give the lease back and look again after so long. */
enum outcome fleet_store_defer(struct db *db, const struct fleet *claimed, const char *holder,
                               int64_t due_in_seconds, struct error *err);
/* Plan it now: something happened. */
enum outcome fleet_store_touch(struct db *db, const char *project, const char *name,
                               struct error *err);

/* What plan() takes: every instance that is not over, and how launching went lately. The caller
 * frees out->at. */
enum outcome fleet_store_observe(struct db *db, const struct fleet *fleet,
                                 struct plan_observed *out, struct error *err);

/* ---- for the status ---- */

/* Of instances that are not terminated. */
struct fleet_counts {
    int64_t phases[PHASE_COUNT];
    int64_t trusts[TRUST_COUNT];
    int64_t levels[4]; /* of the trusted */
    int64_t deliveries[DELIVERY_STATE_COUNT];
    int64_t simulated;
    json_t *reasons; /* {"phase": {reason: n}, "trust": {reason: n}} of those not well */
};
void fleet_counts_done(struct fleet_counts *counts);
enum outcome fleet_store_counts(struct db *db, const char *project, const char *name,
                                struct fleet_counts *out, struct error *err);

/* ---- freshness ---- */

/* How much of a fleet stands on a verdict, at the time of the question. */
struct fleet_freshness {
    int64_t of;                   /* running or draining: those that should */
    int64_t verified;             /* of these, within the objective's time; 0 when it has none */
    int64_t never;                /* no verdict yet */
    int64_t overdue;              /* trusted, and should have proven themselves anew by now */
    struct moment oldest_verdict; /* of the trusted: when its nonce was issued */
    struct moment missed_since;   /* none: the objective is met, or there is none */
};
/* One query whatever the number of instances. */
enum outcome fleet_store_freshness(struct db *db, const struct fleet *fleet,
                                   struct fleet_freshness *out, struct error *err);
/* Its objective's time; 0 when it has none. */
enum outcome fleet_store_within(struct db *db, const char *project, const char *name,
                                int64_t *out_seconds, struct error *err);
/* Write down which fleets miss their objective now, and which meet it again; of every project. */
enum outcome fleet_store_look_at_objectives(struct db *db, const char *actor, int64_t *out_changed,
                                            struct error *err);

#endif
