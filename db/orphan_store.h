/* What is paid for and no row answers for, as the watch saw it last. */
#ifndef MUSTER_DB_ORPHAN_STORE_H
#define MUSTER_DB_ORPHAN_STORE_H

#include "db/account_store.h"
#include "db/db_row.h"
#include "lib/model/instance.h"

enum orphan_kind {
    ORPHAN_MACHINE,
    ORPHAN_DISK,
    ORPHAN_ADDRESS,
    ORPHAN_INTERFACE,
    ORPHAN_VANISHED, /* a row whose machine is not there any more */
    ORPHAN_KIND_COUNT
};
extern const struct names orphan_kind_names;

enum removal { REMOVAL_NONE, REMOVAL_ASKED, REMOVAL_BEGUN, REMOVAL_COUNT };
extern const struct names removal_names;

struct orphan_row {
    struct uuid id;
    char project[PROJECT_SIZE];
    char account[NAME_SIZE];
    enum orphan_kind kind;
    char ref[CLOUD_REF_SIZE];
    char machine_id[MACHINE_ID_SIZE]; /* its number, where its name may come to mean another */
    bool copied;                      /* bears tags of a machine of ours, and is none */
    char owner[NAME_SIZE];            /* as its tags say, like the next two */
    struct uuid instance;
    char client_token[CLIENT_TOKEN_SIZE + 2];
    char fleet[NAME_SIZE];
    char cloud[NAME_SIZE]; /* of its account, as the next; only in lists */
    char region[NAME_SIZE];
    char zone[NAME_SIZE];
    char state[32]; /* as its cloud says */
    struct moment first_seen;
    struct moment last_seen;
    enum removal removal;
    char removal_by[HOLDER_SIZE];
    char reason[WHY_SIZE]; /* why the last try to remove it failed */
};
extern const struct record orphan_record;
RECORD_LIST(orphan_row);

/* Seen in a look at its account; fills in what is known of it, and of nothing else that had its
 * name before. */
enum outcome orphan_store_seen(struct db *db, struct orphan_row *orphan, const char *actor,
                               struct error *err);
/* When a look begins, by the clock that its rows are written by. */
enum outcome orphan_store_clock(struct db *db, struct moment *out, struct error *err);
/* After a whole look at the account that began then: at its machines, or at all else. What was to
 * be removed and is gone is told of in the audit. */
enum outcome orphan_store_sweep(struct db *db, const struct account_place *place,
                                struct moment began, bool machines, const char *actor,
                                struct error *err);
enum outcome orphan_store_list(struct db *db, const char *project, int64_t limit,
                               struct orphan_row_list *out, struct error *err);
/* What is paid for, over all projects, and how long the oldest of it is. */
enum outcome orphan_store_count(struct db *db, int64_t *out_count, int64_t *out_oldest_seconds,
                                struct error *err);
/* The next look removes it, and a vanished machine's is off the list at once; audited. ERR_CONFLICT
 * "other-machine": `ref` is not what it is. */
enum outcome orphan_store_ask(struct db *db, const char *project, const struct uuid *id,
                              const char *ref, const char *actor, struct orphan_row *out,
                              struct error *err);
/* The same, because a policy says so; what somebody asked for already stays his. */
enum outcome orphan_store_due(struct db *db, struct orphan_row *orphan, const char *actor,
                              struct error *err);
/* Its cloud was told; a `reason` says that it would not. Audited. */
enum outcome orphan_store_begun(struct db *db, const struct orphan_row *orphan, const char *reason,
                                const char *actor, struct error *err);

/* An account is asked what machines left behind by whoever moves its turn on. `out_began` is then
 * the time of the rows. */
enum outcome orphan_store_claim_look(struct db *db, const struct account_place *place,
                                     int64_t every_seconds, bool *out, struct moment *out_began,
                                     struct error *err);
enum outcome orphan_store_looked(struct db *db, const struct account_place *place,
                                 struct error *err);
enum outcome orphan_store_look_failed(struct db *db, const struct account_place *place,
                                      const char *code, int64_t again_seconds, struct error *err);

#endif
