#include "db/holder_store.h"

/* clang-format off */
static const struct field fields[] = {
    FIELD(asked_holder, instance, FIELD_UUID),
    FIELD(asked_holder, why,      FIELD_TEXT),
};
/* clang-format on */
static const struct record asked_holder_record = RECORD(asked_holder, fields);
RECORD_LIST_BODY(asked_holder, &asked_holder_record)

static enum outcome change(struct db *db, enum sql statement, struct params params,
                           int64_t *out_count, struct error *err)
{
    int64_t unused;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_change(db, statement, params, out_count != NULL ? out_count : &unused, err));
    return transaction_commit(&tx, err);
}

enum outcome holder_store_put(struct db *db, const struct uuid *instances, const uint8_t *link_keys,
                              size_t count, const char *controller, struct error *err)
{
    return change(db, SQL_HOLDER_PUT,
                  PARAMS(p_uuids(instances, count), p_hexes(link_keys, count, SHA256_SIZE),
                         p_text(controller)),
                  NULL, err);
}

enum outcome holder_store_leave(struct db *db, const struct uuid *instances, size_t count,
                                const char *controller, struct error *err)
{
    return change(db, SQL_HOLDER_LEAVE, PARAMS(p_uuids(instances, count), p_text(controller)), NULL,
                  err);
}

enum outcome holder_store_leave_all(struct db *db, const char *controller, struct error *err)
{
    return change(db, SQL_HOLDER_LEAVE_ALL, PARAMS(p_text(controller)), NULL, err);
}

enum outcome holder_store_ask(struct db *db, const struct uuid *instance, const char *controller,
                              const char *why, bool *out_is_there, struct error *err)
{
    int64_t count = 0;
    TRY(change(db, SQL_HOLDER_ASK, PARAMS(p_uuid(instance), p_text(controller), p_text(why)),
               &count, err));
    *out_is_there = count > 0;
    return OK;
}

enum outcome holder_store_asked(struct db *db, const char *controller,
                                struct asked_holder_list *out, struct error *err)
{
    void *list = NULL;
    size_t count = 0;
    TRY(db_all(db, SQL_HOLDER_ASKED, PARAMS(p_text(controller), p_int(HOLDERS_MAX)),
               &asked_holder_record, &list, &count, err));
    *out = (struct asked_holder_list){list, count};
    return OK;
}

enum outcome holder_store_told(struct db *db, const struct uuid *instances, size_t count,
                               const char *controller, struct error *err)
{
    return change(db, SQL_HOLDER_TOLD, PARAMS(p_uuids(instances, count), p_text(controller)), NULL,
                  err);
}
