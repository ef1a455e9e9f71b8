/* What clouds go on with after their answers: at most one for an instance. The row's intent says
 * that there is one, so that nobody looks in vain. */
#ifndef MUSTER_DB_OPERATION_STORE_H
#define MUSTER_DB_OPERATION_STORE_H

#include "db/db_row.h"
#include "lib/model/instance.h"

struct instance_operation {
    enum intent intent;
    char name[1536]; /* as its cloud knows it */
    int64_t poll_seconds;
    struct moment begun;
};

/* Joins the caller's transaction. */
enum outcome operation_store_put(struct db *db, const struct uuid *instance, enum intent intent,
                                 const char *name, int64_t poll_seconds, struct error *err);
enum outcome operation_store_find(struct db *db, const struct uuid *instance,
                                  struct instance_operation *out, struct error *err);
/* It is over, however it ended: the claimed row's intent is done, and what its cloud says of the
 * machine is certain. A row that is being ended keeps its intent. */
enum outcome operation_store_end(struct db *db, const struct instance *claimed, struct error *err);

#endif
