/* What somebody wants distrusted, and how far it has come. Whether it is, a charter says. */
#ifndef MUSTER_DB_DISTRUST_STORE_H
#define MUSTER_DB_DISTRUST_STORE_H

#include "db/db_row.h"
#include "lib/crypto/digest.h"
#include "lib/model/distrust.h"
#include "lib/model/instance.h"

struct distrust {
    struct uuid id;
    char project[PROJECT_SIZE];
    enum distrust_kind what;
    char value[DISTRUST_VALUE_SIZE];
    int64_t serial;            /* of the charter that was to be signed, */
    uint8_t plan[SHA256_SIZE]; /* and its plan's digest */
    json_t *exposed;           /* which versions of secrets were seen, then */
    char actor[HOLDER_SIZE];
    struct moment created, in_force_at, lifted_at;
    int64_t instances, asked, trusted, there; /* counted now; of whom the plan flipped */
};
extern const struct record distrust_record;
RECORD_LIST(distrust);

/* With whom it flips. Once more is the later proposal of the same one, whose id `distrust` then
 * has. ERR_CONFLICT "distrusted-already": it is in force. */
enum outcome distrust_store_add(struct db *db, struct distrust *distrust,
                                const struct uuid *instances, size_t count, struct error *err);
/* The newest first; `id` (may be NULL) is one of them. */
enum outcome distrust_store_list(struct db *db, const char *project, const struct uuid *id,
                                 int64_t limit, struct distrust_list *out, struct error *err);

/* A charter was accepted: what of it is in force now, and what no more. In its transaction. */
enum outcome distrust_store_settle(struct db *db, const char *project, const json_t *charter,
                                   const char *actor, struct error *err);

/* Whom to ask for new evidence, in the order of ids; `after` may be NULL. */
RECORD_LIST(due_instance);
struct due_instance {
    struct uuid instance;
};
enum outcome distrust_store_due(struct db *db, const struct uuid *after, int64_t limit,
                                struct due_instance_list *out, struct error *err);
enum outcome distrust_store_asked(struct db *db, const struct uuid *instances, size_t count,
                                  struct error *err);

/* The blast radius: JSON arrays (db/queries/distrust.sql); `claims` as distrust_claims() gives
 * them. */
struct blast {
    json_t *versions;    /* [{"secret", "version", "instances"}] */
    json_t *by_instance; /* [{"instance", "versions": [...]}] */
    json_t *deliveries;  /* [{"secret", "version", "state", "count"}] */
    int64_t not_reached; /* by a region that they do not prove */
};
void blast_done(struct blast *blast);
enum outcome distrust_store_blast(struct db *db, const char *project, const struct uuid *instances,
                                  size_t count, const json_t *claims, struct blast *out,
                                  struct error *err);
enum outcome distrust_store_not_reached(struct db *db, const char *project, const char *region,
                                        const struct uuid *instances, size_t count, int64_t *out,
                                        struct error *err);

#endif
