/* Tokens of the API, and the answers given to requests that may come twice. */
#ifndef MUSTER_DB_CALLER_STORE_H
#define MUSTER_DB_CALLER_STORE_H

#include "db/db_row.h"
#include "lib/model/caller.h"

/* Audited. ERR_INVALID "no-such-reference": no such project. */
enum outcome caller_store_add(struct db *db, const struct caller *caller, const char *actor,
                              struct error *err);
/* Ends every token of this label at once; ERR_NOT_FOUND when there is none. */
enum outcome caller_store_revoke(struct db *db, const char *project, const char *label,
                                 const char *actor, int64_t *out_count, struct error *err);
/* Neither revoked nor expired; ERR_NOT_FOUND. */
enum outcome caller_store_find(struct db *db, const uint8_t hash[static SHA256_SIZE],
                               struct caller *out, struct error *err);

/* ---- requests that may come twice ---------------------------------------------------------- */

/* An Idempotency-Key of one actor. Kept for a day. */
struct repeat {
    const char *project, *actor, *key;
    uint8_t request[SHA256_SIZE]; /* of method, target and body */
};

/* In the transaction of the request, or before it. `out_answer` (a new reference) is what was
 * answered before, NULL when this is the first time. ERR_CONFLICT "in-progress": the first one is
 * still under way; ERR_INVALID "key-reused": the same key with another request. */
enum outcome caller_store_repeat_begin(struct db *db, const struct repeat *repeat,
                                       int64_t *out_status, json_t **out_answer, struct error *err);
enum outcome caller_store_repeat_end(struct db *db, const struct repeat *repeat, int64_t status,
                                     const json_t *answer, struct error *err);
/* It came to nothing: the next one is a first one again. */
enum outcome caller_store_repeat_forget(struct db *db, const struct repeat *repeat,
                                        struct error *err);

#endif
