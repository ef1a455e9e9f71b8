/* Charters as they were signed. The controller's reading of one counts for nothing: it keeps and
 * hands on the bytes, and the keeper judges them. */
#ifndef MUSTER_DB_CHARTER_STORE_H
#define MUSTER_DB_CHARTER_STORE_H

#include "db/db_row.h"
#include "lib/crypto/cert.h"
#include "lib/model/instance.h"

struct charter_row {
    struct uuid id;
    char project[PROJECT_SIZE];
    int64_t serial;
    enum realm realm;
    struct moment issued;
    struct moment expires;
    char *jws;
    bool active;
    struct moment created;
};
extern const struct record charter_row_record;
void charter_row_done(struct charter_row *row);

/* It becomes the active one. ERR_CONFLICT "exists": that serial is there; "serial-not-higher". */
enum outcome charter_store_add(struct db *db, const struct charter_row *row, const char *actor,
                               struct error *err);
/* ERR_NOT_FOUND when there is none yet. */
enum outcome charter_store_active(struct db *db, const char *project, struct charter_row *out,
                                  struct error *err);
/* One that was in force then, or is now. */
enum outcome charter_store_find(struct db *db, const char *project, int64_t serial,
                                struct charter_row *out, struct error *err);

#endif
