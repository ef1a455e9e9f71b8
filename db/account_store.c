#include "db/account_store.h"

#include <stdio.h>
#include <stdlib.h>

#include "db/audit_store.h"
#include "lib/crypto/random.h"

void account_list_done(struct account_list *list)
{
    record_list_done(&account_record, list->at, list->count);
    *list = (struct account_list){0};
}

/* clang-format off */
static const struct field place_fields[] = {
    FIELD(account_place, project, FIELD_TEXT),
    FIELD(account_place, name,    FIELD_TEXT),
};
/* clang-format on */
static const struct record place_record = RECORD(account_place, place_fields);
RECORD_LIST_BODY(account_place, &place_record)

static enum outcome tell(struct db *db, const char *project, const char *name, const char *verb,
                         const json_t *detail, const char *actor, struct error *err)
{
    char object[AUDIT_OBJECT_SIZE];
    snprintf(object, sizeof object, "account:%s", name);
    return audit_store_add(db, project, actor, verb, object, detail, NULL, err);
}

enum outcome account_store_add(struct db *db, const char *project, const struct account *account,
                               const char *actor, struct error *err)
{
    struct uuid id = uuid_new();
    OWNED(json_drop) json_t *spec = record_to_json(&account_record, account);
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_ACCOUNT_ADD,
               PARAMS(p_uuid(&id), p_text(project), p_text(account->name),
                      p_name(&account_driver_names, account->driver), p_json(spec)),
               NULL, err));
    TRY(tell(db, project, account->name, "account.created", spec, actor, err));
    return transaction_commit(&tx, err);
}

static enum outcome read_one(const struct rows *rows, size_t row, struct account *out,
                             struct error *err)
{
    OWNED(json_drop) json_t *spec = rows_json(rows, row, 0);
    return account_from_json(spec, "", out, err);
}

enum outcome account_store_find(struct db *db, const char *project, const char *name,
                                struct account *out, struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_ACCOUNT_FIND, PARAMS(p_text(project), p_text(name)), &rows, err));
    if (rows_count(rows) == 0)
        return fail(err, ERR_NOT_FOUND, "no account");
    *out = (struct account){0};
    return read_one(rows, 0, out, err);
}

enum outcome account_store_list(struct db *db, const char *project, const char *after,
                                int64_t limit, struct account_list *out, struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_ACCOUNT_LIST, PARAMS(p_text(project), p_text(after), p_int(limit)), &rows,
               err));
    OWNED(account_list_done) struct account_list list = {0};
    list.at = mem_new(rows_count(rows) + 1, sizeof *list.at);
    for (; list.count < rows_count(rows); list.count++)
        TRY(read_one(rows, list.count, &list.at[list.count], err));
    *out = list;
    list = (struct account_list){0};
    return OK;
}

enum outcome account_store_places(struct db *db, const struct account_place *after, int64_t limit,
                                  struct account_place_list *out, struct error *err)
{
    return account_place_list_of(db, SQL_ACCOUNT_PLACES,
                                 PARAMS(p_text(after != NULL ? after->project : NULL),
                                        p_text(after != NULL ? after->name : NULL), p_int(limit)),
                                 out, err);
}

enum outcome account_store_update(struct db *db, const char *project, const struct account *account,
                                  const char *actor, struct error *err)
{
    int64_t changed = 0;
    OWNED(account_done) struct account was = {0};
    OWNED(json_drop) json_t *spec = record_to_json(&account_record, account);
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(account_store_find(db, project, account->name, &was, err));
    if (was.driver != account->driver)
        return fail_code(err, ERR_CONFLICT, "driver-is-fixed", "account %s is of driver %s",
                         was.name, name_of(&account_driver_names, was.driver));
    TRY(db_change(db, SQL_ACCOUNT_UPDATE,
                  PARAMS(p_text(project), p_text(account->name), p_json(spec)), &changed, err));
    TRY(tell(db, project, account->name, "account.changed", spec, actor, err));
    return transaction_commit(&tx, err);
}

enum outcome account_store_remove(struct db *db, const char *project, const char *name,
                                  const char *actor, struct error *err)
{
    int64_t changed = 0;
    OWNED(account_done) struct account was = {0};
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(account_store_find(db, project, name, &was, err));
    TRY(db_change(db, SQL_ACCOUNT_REMOVE, PARAMS(p_text(project), p_text(name)), &changed, err));
    if (changed == 0)
        return fail_code(err, ERR_CONFLICT, "in-use", "account %s has instances", name);
    TRY(tell(db, project, name, "account.removed", NULL, actor, err));
    return transaction_commit(&tx, err);
}
