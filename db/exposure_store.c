#include "db/exposure_store.h"

static enum outcome ledger(struct db *db, enum sql statement, const struct uuid *id, json_t **out,
                           struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, statement, PARAMS(p_uuid(id)), &rows, err));
    *out = rows_json(rows, 0, 0);
    return OK;
}

enum outcome exposure_store_of_secret(struct db *db, const struct uuid *secret, json_t **out,
                                      struct error *err)
{
    return ledger(db, SQL_EXPOSURE_OF_SECRET, secret, out, err);
}

enum outcome exposure_store_of_instance(struct db *db, const struct uuid *instance, json_t **out,
                                        struct error *err)
{
    return ledger(db, SQL_EXPOSURE_OF_INSTANCE, instance, out, err);
}
