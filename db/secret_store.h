/* Secrets and their versions: ciphertext, check values and public parts. */
#ifndef MUSTER_DB_SECRET_STORE_H
#define MUSTER_DB_SECRET_STORE_H

#include "db/db_row.h"
#include "lib/model/secret.h"

RECORD_LIST(secret);
RECORD_LIST(secret_version);

/* A secret and its first version in one transaction, with audit. `version` NULL: scope instance,
 * whose versions come with the instances. ERR_CONFLICT "exists". */
enum outcome secret_store_add(struct db *db, const struct secret *secret,
                              const struct secret_version *version, const char *actor,
                              struct error *err);
enum outcome secret_store_add_version(struct db *db, const struct secret *secret,
                                      const struct secret_version *version, const char *actor,
                                      struct error *err);

enum outcome secret_store_find(struct db *db, const char *project, const char *name,
                               struct secret *out, struct error *err);
/* By name, after `after` (NULL: from the start). */
enum outcome secret_store_list(struct db *db, const char *project, const char *after, int64_t limit,
                               struct secret_list *out, struct error *err);
enum outcome secret_store_versions(struct db *db, const struct uuid *secret, int64_t limit,
                                   struct secret_version_list *out, struct error *err);

/* A secret of scope instance that this instance should have and has not. */
struct secret_want {
    struct secret secret;
    struct uuid instance;
    uint8_t anchor[SHA256_SIZE];
};
enum { SECRET_WANTS_MAX = 64 };
/* `instance` NULL: anybody's. */
enum outcome secret_store_wanting(struct db *db, const struct uuid *instance,
                                  struct secret_want *out, size_t room, size_t *out_count,
                                  struct error *err);

#endif
