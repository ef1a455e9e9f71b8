/* What every instance that is not over stands on: its last verdict and the evidence it was drawn
 * from, page by page. */
#ifndef MUSTER_DB_REPLAY_STORE_H
#define MUSTER_DB_REPLAY_STORE_H

#include "db/db_row.h"
#include "db/instance_store.h"
#include "lib/model/cloud.h"

struct replay_row {
    struct uuid id;
    char fleet[NAME_SIZE];
    char account[NAME_SIZE];
    char image[NAME_SIZE];
    char region[NAME_SIZE];
    char machine[CLOUD_REF_SIZE]; /* as documents of its cloud name it */
    struct uuid verdict_id;       /* zero: none yet, and nothing else below */
    char policy[NAME_SIZE];       /* by which it will be judged next */
    char verdict[16];
    char reason[WHY_SIZE];
    int64_t level;
    enum document_state documents; /* of its cloud, as that verdict found them */
    uint8_t link_key[SHA256_SIZE];
    bool signature_known; /* the keeper found the evidence's signature good */
    bool bad_time;        /* and these two of its cloud's documents bad */
    bool bad_nonce;
    struct bytes evidence;
};
RECORD_LIST(replay_row);

/* In the order of ids; `after` (may be NULL) is the last of the page before. */
enum outcome replay_store_page(struct db *db, const char *project, const struct uuid *after,
                               int64_t limit, struct replay_row_list *out, struct error *err);

/* A JSON array: which products run which TCB, firmware and launch digest, where, and how many
 * trusted instances; the most first, at most 1,000 rows. */
enum outcome tcb_store_inventory(struct db *db, const char *project, json_t **out,
                                 struct error *err);
/* The same by "product", "region" or "measurement": [{"value", "instances", "oldest", "newest",
 * "reported": [{"tcb", "instances"}], "committed", "current", "launch"}]. */
enum outcome tcb_store_by(struct db *db, const char *project, const char *by, json_t **out,
                          struct error *err);

#endif
