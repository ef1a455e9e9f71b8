/* Cloud accounts. */
#ifndef MUSTER_DB_ACCOUNT_STORE_H
#define MUSTER_DB_ACCOUNT_STORE_H

#include "db/db_row.h"
#include "lib/model/account.h"

RECORD_LIST(account);

struct account_place {
    char project[64];
    char name[64];
};
RECORD_LIST(account_place);

enum outcome account_store_add(struct db *db, const char *project, const struct account *account,
                               const char *actor, struct error *err);
enum outcome account_store_find(struct db *db, const char *project, const char *name,
                                struct account *out, struct error *err);
enum outcome account_store_list(struct db *db, const char *project, const char *after,
                                int64_t limit, struct account_list *out, struct error *err);
/* The accounts of every project, after `after` (NULL: from the first). */
enum outcome account_store_places(struct db *db, const struct account_place *after, int64_t limit,
                                  struct account_place_list *out, struct error *err);
/* With its epoch, which grows with every change; `lock`: nobody changes it before the caller's
 * transaction ends. */
enum outcome account_store_look(struct db *db, const char *project, const char *name, bool lock,
                                struct account *out, int64_t *out_epoch, struct error *err);
/* `if_epoch` 0 takes any; ERR_CONFLICT "changed-meanwhile". The driver cannot change
 * ("driver-is-fixed"); nor what says where machines are while there are some ("in-use"), for they
 * would be looked for elsewhere and never ended. */
enum outcome account_store_update(struct db *db, const char *project, const struct account *account,
                                  int64_t if_epoch, const char *actor, int64_t *out_epoch,
                                  struct error *err);
/* What its cloud calls it, where nobody said and nobody learned before. */
enum outcome account_store_learn(struct db *db, const char *project, const char *name,
                                 const char *cloud_account, const char *actor, struct error *err);
/* The same said by a person, also while machines live in it: update would be refused then. */
enum outcome account_store_confirm(struct db *db, const char *project, const char *name,
                                   const char *cloud_account, const char *actor, int64_t *out_epoch,
                                   struct error *err);
/* ERR_CONFLICT "in-use" while a fleet or a living instance refers to it, or it has orphans. */
enum outcome account_store_remove(struct db *db, const char *project, const char *name,
                                  int64_t if_epoch, const char *actor, struct error *err);

#endif
