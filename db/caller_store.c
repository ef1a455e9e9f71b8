#include "db/caller_store.h"

#include <stdio.h>
#include <string.h>

#include "db/audit_store.h"

enum outcome caller_store_add(struct db *db, const struct caller *caller, const char *actor,
                              struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(json_drop) json_t *detail = record_to_json(&caller_record, caller);
    char object[AUDIT_OBJECT_SIZE];
    snprintf(object, sizeof object, "token:%s", uuid_text(&caller->id).at);
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_TOKEN_ADD,
               PARAMS(p_uuid(&caller->id), p_text(caller->project),
                      p_hex(caller->hash, sizeof caller->hash),
                      p_name(&caller_role_names, (int)caller->role), p_text(caller->label),
                      p_moment(caller->expires)),
               NULL, err));
    TRY(audit_store_add(db, caller->project, actor, "token.added", object, detail, NULL, err));
    return transaction_commit(&tx, err);
}

enum outcome caller_store_revoke(struct db *db, const char *project, const char *label,
                                 const char *actor, int64_t *out_count, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_change(db, SQL_TOKEN_REVOKE, PARAMS(p_text(project), p_text(label), p_text(actor)),
                  out_count, err));
    if (*out_count == 0)
        return fail(err, ERR_NOT_FOUND, "no token of that label");
    return transaction_commit(&tx, err);
}

enum outcome caller_store_find(struct db *db, const uint8_t hash[static SHA256_SIZE],
                               struct caller *out, struct error *err)
{
    return db_one(db, SQL_TOKEN_FIND, PARAMS(p_hex(hash, SHA256_SIZE)), &caller_record, out,
                  "such token", err);
}

/* ---- requests that may come twice ---------------------------------------------------------- */

static enum outcome read_earlier(struct db *db, const struct repeat *repeat, int64_t *out_status,
                                 json_t **out_answer, struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_IDEMPOTENCY_FIND,
               PARAMS(p_text(repeat->project), p_text(repeat->actor), p_text(repeat->key)), &rows,
               err));
    bool same =
        rows_count(rows) == 1 && span_equal(rows_bytes(rows, 0, 0), SPAN_OF(repeat->request));
    if (rows_count(rows) == 1 && !same)
        return fail_code(err, ERR_INVALID, "key-reused",
                         "this idempotency key came with another request before");
    if (!same || rows_is_null(rows, 0, 1))
        return fail_code(err, ERR_CONFLICT, "in-progress",
                         "the first request with this idempotency key is still under way");
    *out_status = rows_int(rows, 0, 1);
    *out_answer = rows_json(rows, 0, 2);
    return OK;
}

enum outcome caller_store_repeat_begin(struct db *db, const struct repeat *repeat,
                                       int64_t *out_status, json_t **out_answer, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    int64_t begun = 0;
    TRY(transaction_begin(db, &tx, err));
    TRY(db_change(db, SQL_IDEMPOTENCY_BEGIN,
                  PARAMS(p_text(repeat->project), p_text(repeat->actor), p_text(repeat->key),
                         p_bytes(SPAN_OF(repeat->request))),
                  &begun, err));
    *out_answer = NULL;
    if (begun == 0)
        TRY(read_earlier(db, repeat, out_status, out_answer, err));
    return transaction_commit(&tx, err);
}

enum outcome caller_store_repeat_end(struct db *db, const struct repeat *repeat, int64_t status,
                                     const json_t *answer, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_IDEMPOTENCY_END,
               PARAMS(p_text(repeat->project), p_text(repeat->actor), p_text(repeat->key),
                      p_int(status), p_json(answer)),
               NULL, err));
    TRY(db_run(db, SQL_IDEMPOTENCY_SWEEP, NO_PARAMS, NULL, err));
    return transaction_commit(&tx, err);
}

enum outcome caller_store_repeat_forget(struct db *db, const struct repeat *repeat,
                                        struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_IDEMPOTENCY_FORGET,
               PARAMS(p_text(repeat->project), p_text(repeat->actor), p_text(repeat->key)), NULL,
               err));
    return transaction_commit(&tx, err);
}
