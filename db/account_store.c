#include "db/account_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

enum outcome account_store_look(struct db *db, const char *project, const char *name, bool lock,
                                struct account *out, int64_t *out_epoch, struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, lock ? SQL_ACCOUNT_LOCK : SQL_ACCOUNT_FIND,
               PARAMS(p_text(project), p_text(name)), &rows, err));
    if (rows_count(rows) == 0)
        return fail(err, ERR_NOT_FOUND, "no account");
    *out = (struct account){0};
    *out_epoch = rows_int(rows, 0, 1);
    return read_one(rows, 0, out, err);
}

enum outcome account_store_find(struct db *db, const char *project, const char *name,
                                struct account *out, struct error *err)
{
    int64_t epoch;
    return account_store_look(db, project, name, false, out, &epoch, err);
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

static enum outcome check_epoch(const char *name, int64_t if_epoch, int64_t epoch,
                                struct error *err)
{
    if (if_epoch != 0 && if_epoch != epoch)
        return fail_code(err, ERR_CONFLICT, "changed-meanwhile", "account %s is at epoch %lld",
                         name, (long long)epoch);
    return OK;
}

/* Where its machines are looked for: elsewhere they would be taken for vanished, and never ended.
 */
static const char *moved(const struct account *was, const struct account *now)
{
    const struct {
        const char *was, *now, *where;
    } members[] = {
        {was->region, now->region, "/region"},
        {was->endpoint, now->endpoint, "/endpoint"},
        {was->owner, now->owner, "/owner"},
        {was->subscription, now->subscription, "/subscription"},
        {was->resource_group, now->resource_group, "/resource_group"},
        {was->project, now->project, "/project"},
        {was->cloud_account, was->cloud_account[0] != '\0' ? now->cloud_account : "",
         "/cloud_account"},
    };
    for (size_t i = 0; i < countof(members); i++)
        if (strcmp(members[i].was, members[i].now) != 0)
            return members[i].where;
    return NULL;
}

static enum outcome check_place(struct db *db, const char *project, const struct account *was,
                                const struct account *account, struct error *err)
{
    const char *where = moved(was, account);
    OWNED(rows_drop) struct rows *rows = NULL;
    if (was->driver != account->driver)
        return fail_at(err, ERR_CONFLICT, "driver-is-fixed", "/driver",
                       "account %s is of driver %s", was->name,
                       name_of(&account_driver_names, was->driver));
    if (where == NULL)
        return OK;
    TRY(db_run(db, SQL_ACCOUNT_HAS_INSTANCES, PARAMS(p_text(project), p_text(was->name)), &rows,
               err));
    if (rows_bool(rows, 0, 0))
        return fail_at(err, ERR_CONFLICT, "in-use", where, "account %s has instances there",
                       was->name);
    return OK;
}

enum outcome account_store_update(struct db *db, const char *project, const struct account *account,
                                  int64_t if_epoch, const char *actor, int64_t *out_epoch,
                                  struct error *err)
{
    int64_t epoch;
    OWNED(account_done) struct account was = {0};
    OWNED(rows_drop) struct rows *rows = NULL;
    OWNED(json_drop) json_t *spec = record_to_json(&account_record, account);
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(account_store_look(db, project, account->name, true, &was, &epoch, err));
    TRY(check_epoch(was.name, if_epoch, epoch, err));
    TRY(check_place(db, project, &was, account, err));
    TRY(db_run(db, SQL_ACCOUNT_UPDATE, PARAMS(p_text(project), p_text(account->name), p_json(spec)),
               &rows, err));
    /* Whoever changes it may have been given more: what had no room is asked anew. */
    TRY(db_run(db, SQL_PLACE_OPEN_ACCOUNT, PARAMS(p_text(project), p_text(account->name)), NULL,
               err));
    TRY(tell(db, project, account->name, "account.changed", spec, actor, err));
    TRY(transaction_commit(&tx, err));
    *out_epoch = rows_int(rows, 0, 0);
    return OK;
}

static enum outcome tell_whose(struct db *db, const char *project, const char *name,
                               const char *verb, const char *was, const char *now,
                               const char *actor, struct error *err)
{
    OWNED(json_drop) json_t *detail = json_object();
    json_put_text(detail, "cloud_account", now);
    if (was[0] != '\0')
        json_put_text(detail, "was", was);
    return tell(db, project, name, verb, detail, actor, err);
}

enum outcome account_store_learn(struct db *db, const char *project, const char *name,
                                 const char *cloud_account, const char *actor, struct error *err)
{
    int64_t changed = 0;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_change(db, SQL_ACCOUNT_LEARN,
                  PARAMS(p_text(project), p_text(name), p_text(cloud_account)), &changed, err));
    if (changed > 0)
        TRY(tell_whose(db, project, name, "account.identified", "", cloud_account, actor, err));
    return transaction_commit(&tx, err);
}

enum outcome account_store_confirm(struct db *db, const char *project, const char *name,
                                   const char *cloud_account, const char *actor, int64_t *out_epoch,
                                   struct error *err)
{
    int64_t epoch;
    OWNED(account_done) struct account was = {0};
    OWNED(rows_drop) struct rows *rows = NULL;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(account_store_look(db, project, name, true, &was, &epoch, err));
    TRY(db_run(db, SQL_ACCOUNT_CONFIRM,
               PARAMS(p_text(project), p_text(name), p_text(cloud_account)), &rows, err));
    TRY(tell_whose(db, project, name, "account.confirmed", was.cloud_account, cloud_account, actor,
                   err));
    TRY(transaction_commit(&tx, err));
    *out_epoch = rows_int(rows, 0, 0);
    return OK;
}

/* Without the account nobody would list what is paid for there, nor could it be removed. */
static enum outcome check_orphans(struct db *db, const char *project, const char *name,
                                  struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_ACCOUNT_HAS_ORPHANS, PARAMS(p_text(project), p_text(name)), &rows, err));
    return rows_bool(rows, 0, 0)
               ? fail_code(err, ERR_CONFLICT, "in-use", "account %s has orphans", name)
               : OK;
}

enum outcome account_store_remove(struct db *db, const char *project, const char *name,
                                  int64_t if_epoch, const char *actor, struct error *err)
{
    int64_t changed = 0, epoch;
    OWNED(account_done) struct account was = {0};
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(account_store_look(db, project, name, true, &was, &epoch, err));
    TRY(check_epoch(name, if_epoch, epoch, err));
    TRY(check_orphans(db, project, name, err));
    TRY(db_change(db, SQL_ACCOUNT_REMOVE, PARAMS(p_text(project), p_text(name)), &changed, err));
    if (changed == 0)
        return fail_code(err, ERR_CONFLICT, "in-use", "account %s has instances", name);
    TRY(tell(db, project, name, "account.removed", NULL, actor, err));
    return transaction_commit(&tx, err);
}
