/* Instances: made many at once, claimed under a lease, advanced by compare-and-set, trusted by
 * verdicts only. Every change of phase or trust puts one row into instance_history and one into
 * audit, in the transaction of the change. `actor` is who did it: "worker:host/3", "token:ops".
 *
 * A worker:  claim -> (commit an intent with advance) -> act on the cloud, outside any transaction
 *            -> advance | defer. ERR_CONFLICT "lost" means that somebody else has the row now:
 *            drop it (what was launched is found again by client token: instance_store_adopt). */
#ifndef MUSTER_DB_INSTANCE_STORE_H
#define MUSTER_DB_INSTANCE_STORE_H

#include "db/db_row.h"
#include "lib/model/fleet.h"
#include "lib/model/instance.h"

RECORD_LIST(instance);

/* ---- making and reading ---- */

/* What new instances have in common, and what is each one's own. */
struct instance_order {
    const char *project, *fleet, *account, *image, *size, *policy;
    const char *region, *zone;                   /* may be NULL */
    const struct uuid *ids;                      /* uuid_new() each */
    const uint8_t (*ticket_hashes)[SHA256_SIZE]; /* NULL: no launch tickets */
    size_t count;
};
enum outcome instance_store_add_many(struct db *db, const struct instance_order *order,
                                     const char *actor, struct error *err);

enum outcome instance_store_find(struct db *db, const struct uuid *id, struct instance *out,
                                 struct error *err);
/* The same, and nobody changes it before the caller's transaction ends. */
enum outcome instance_store_lock(struct db *db, const struct uuid *id, struct instance *out,
                                 struct error *err);
/* The live instance whose accepting verdict named this link key (SHA-256 of its SPKI). */
enum outcome instance_store_find_by_link_key(struct db *db, const uint8_t key[static SHA256_SIZE],
                                             struct instance *out, struct error *err);

enum { CURSOR_SIZE = 64 };

/* NULL or "" means any. Newest last; the next page begins after `cursor`. */
struct instance_filter {
    const char *project; /* required */
    const char *fleet, *account, *region, *driver;
    const char *phase, *trust; /* words */
    const char *reason;        /* of phase or trust */
    bool with_terminated;
    int64_t limit;      /* 1..1000 */
    const char *cursor; /* opaque; ERR_INVALID "bad-cursor" */
};
/* `out_cursor` is "" when there is no further page. */
enum outcome instance_store_list(struct db *db, const struct instance_filter *filter,
                                 struct instance_list *out, char out_cursor[static CURSOR_SIZE],
                                 struct error *err);

/* Of all projects. */
enum outcome instance_store_count_running(struct db *db, int64_t *out, struct error *err);

struct instance_change {
    int64_t id;
    struct moment at;
    char machine[16]; /* "phase" | "trust" */
    char from_state[24];
    char to_state[24];
    char reason[WHY_SIZE];
    int64_t epoch;
    int64_t audit;
};
RECORD_LIST(instance_change);
extern const struct record instance_change_record;
enum outcome instance_store_history(struct db *db, const struct uuid *id,
                                    struct instance_change_list *out, struct error *err);

/* ---- the queue ---- */

/* Take up to `limit` due rows for `lease_seconds`. `holder` must be one thread's alone, new at each
 * start ("host/pid/thread/random"). Time is the database's. */
enum outcome instance_store_claim(struct db *db, const char *holder, int64_t lease_seconds,
                                  int64_t limit, struct instance_list *out, struct error *err);

/* What comes with a step; NULL leaves a column as it is. */
struct instance_step {
    enum phase_event event;
    const char *reason; /* NULL: the step's own because */
    enum intent intent; /* the act that is committed with this step, INTENT_NONE when it is done */
    const char *cloud_ref, *machine_id, *image_ref, *region, *zone, *address;
    int64_t due_in_seconds; /* when to look again */
    bool keep_lease;        /* go on with it at once: the lease is prolonged to `lease_seconds` */
    int64_t lease_seconds;
    bool no_fault; /* it failed for want of room: nothing against what was to be launched */
    bool shown;    /* its cloud showed the machine: settled */
};
/* Compare-and-set on phase, epoch and lease holder of `claimed`. Into LAUNCHING it also counts the
 * attempt and sets client_token, so that both are committed before any call. ERR_CONFLICT "lost",
 * "wrong-phase". `out` (may be NULL) is the row as it is now. */
enum outcome instance_store_advance(struct db *db, const struct instance *claimed,
                                    const struct instance_step *step, const char *actor,
                                    struct instance *out, struct error *err);
/* Nothing changed: give the lease back and look again later. `why` non-NULL counts a failure and is
 * kept as reason. ERR_CONFLICT "lost". */
enum outcome instance_store_defer(struct db *db, const struct instance *claimed,
                                  int64_t due_in_seconds, const char *why, struct error *err);
/* Its cloud said for certain what became of an order: from now on "not found" means gone. */
enum outcome instance_store_settle(struct db *db, const struct instance *claimed,
                                   struct error *err);
/* Another order is about to go out: what became of it is not known. */
enum outcome instance_store_unsettle(struct db *db, const struct instance *claimed,
                                     struct error *err);
/* The same of many at once, which their cloud listed: the rows that still have the launch of then.
 */
enum outcome instance_store_settle_shown(struct db *db, const struct uuid *ids,
                                         const struct moment *launched, size_t count,
                                         struct error *err);
/* Prolong a lease during a long act. ERR_CONFLICT "lost". */
enum outcome instance_store_hold(struct db *db, const struct instance *claimed,
                                 int64_t lease_seconds, struct error *err);

/* ---- without a lease ---- */

/* A row in phase requested becomes as its fleet is now, and goes where the placement says. */
struct instance_place {
    const char *account, *size, *region, *zone; /* the last two may be "" */
};
enum outcome instance_store_refit(struct db *db, const struct uuid *id, const struct fleet *fleet,
                                  const struct instance_place *place, const char *actor,
                                  struct error *err);

/* What a person, the planner or the agents' desk knows: locks the row and takes the step, whoever
 * has the lease; that worker then finds it "lost". An event that leads where the row already is
 * is fine and changes nothing. */
enum outcome instance_store_note(struct db *db, const struct uuid *id,
                                 const struct instance_step *step, const char *actor,
                                 struct instance *out, struct error *err);
/* Say what is wanted of it, and wake a worker. Wanted gone is for good: ERR_CONFLICT "on-its-way".
 */
enum outcome instance_store_want(struct db *db, const struct uuid *id, enum wanted wanted,
                                 const char *reason, const char *actor, struct error *err);
/* A machine was found that belongs to the row (by client token or tag): keep its reference, in
 * whatever phase. ERR_CONFLICT "other-machine" when it has another one. `machine_id` may be "". */
enum outcome instance_store_adopt(struct db *db, const struct uuid *id, const char *cloud_ref,
                                  const char *machine_id, const char *actor, struct error *err);
/* What its cloud shows under its name is this machine, which may not be the one that was ordered.
 * The first number that is heard of a machine stays with the row. */
enum outcome instance_store_doubt(struct db *db, const struct instance *row, const char *machine_id,
                                  enum doubt doubt, const char *actor, struct error *err);

/* ---- trust ---- */

/* TRUST_PASSED and TRUST_REFUSED need the verdict's fields; verdict_store_record() does all of it
 * for a verdict in one call. */
struct trust_change {
    enum trust_event event;
    const char *reason; /* a reason code */
    struct uuid verdict_id;
    struct moment valid_until;
    struct moment renew_at; /* none: as it is */
    int64_t level;
    bool simulated;
    const uint8_t *link_key, *sealing_key, *anchor, *report_id; /* NULL: as they are */
};
enum outcome instance_store_set_trust(struct db *db, const struct uuid *id,
                                      const struct trust_change *change, const char *actor,
                                      struct instance *out, struct error *err);
/* Trusted whose verdict ran out become stale; gives how many. Call until it gives 0. */
enum outcome instance_store_expire(struct db *db, int64_t limit, const char *actor,
                                   int64_t *out_count, struct error *err);
/* Trusted or stale whose verdict runs out within `seconds`: whom to ask for evidence. */
enum outcome instance_store_expiring(struct db *db, int64_t seconds, int64_t limit,
                                     struct instance_list *out, struct error *err);

/* ---- heartbeats ---- */

struct beat {
    struct uuid instance;
    struct moment last_seen;
    int64_t seq;
    int64_t load;
};
enum { BEATS_MAX = 500 };

/* One statement for at most BEATS_MAX; sorts `beats` by instance first. Beats of unknown instances
 * and older ones than the row has are dropped. Not flushed to disk at once. */
enum outcome instance_store_beats(struct db *db, struct beat *beats, size_t count,
                                  struct error *err);
enum outcome instance_store_last_beat(struct db *db, const struct uuid *id, struct beat *out,
                                      struct error *err);
/* Running instances that were not heard of for `seconds`. */
enum outcome instance_store_silent(struct db *db, int64_t seconds, int64_t limit,
                                   struct instance_list *out, struct error *err);

#endif
