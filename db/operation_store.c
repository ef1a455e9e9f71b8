#include "db/operation_store.h"

/* clang-format off */
static const struct field fields[] = {
    FIELD(instance_operation, intent,       FIELD_NAME, .names = &intent_names),
    FIELD(instance_operation, name,         FIELD_TEXT),
    FIELD(instance_operation, poll_seconds, FIELD_INT),
    FIELD(instance_operation, begun,        FIELD_MOMENT),
};
/* clang-format on */
static const struct record operation_record = RECORD(instance_operation, fields);

enum outcome operation_store_put(struct db *db, const struct uuid *instance, enum intent intent,
                                 const char *name, int64_t poll_seconds, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_OPERATION_PUT,
               PARAMS(p_uuid(instance), p_name(&intent_names, (int)intent), p_text(name),
                      p_int(poll_seconds)),
               NULL, err));
    return transaction_commit(&tx, err);
}

enum outcome operation_store_find(struct db *db, const struct uuid *instance,
                                  struct instance_operation *out, struct error *err)
{
    *out = (struct instance_operation){0};
    return db_one(db, SQL_OPERATION_FIND, PARAMS(p_uuid(instance)), &operation_record, out,
                  "operation", err);
}

enum outcome operation_store_end(struct db *db, const struct instance *claimed, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_OPERATION_END, PARAMS(p_uuid(&claimed->id)), NULL, err));
    TRY(db_run(db,
               claimed->phase == PHASE_TERMINATING ? SQL_INSTANCE_SETTLE : SQL_INSTANCE_END_INTENT,
               PARAMS(p_uuid(&claimed->id), p_text(claimed->lease_holder)), NULL, err));
    return transaction_commit(&tx, err);
}
