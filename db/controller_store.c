#include "db/controller_store.h"

enum outcome controller_store_seen(struct db *db, const char *name, int64_t *out_count,
                                   struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_CONTROLLER_SEEN, PARAMS(p_text(name)), NULL, err));
    TRY(db_run(db, SQL_CONTROLLER_FORGET, NO_PARAMS, NULL, err));
    TRY(db_run(db, SQL_CONTROLLER_COUNT, NO_PARAMS, &rows, err));
    TRY(transaction_commit(&tx, err));
    *out_count = rows_int(rows, 0, 0);
    return OK;
}
