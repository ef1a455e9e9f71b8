#include "db/hold_store.h"

#include <stdio.h>

#include "db/audit_store.h"

static const char *const kind_words[] = {"wrong-cloud-account", "many-vanished", "account-unseen"};
_Static_assert(countof(kind_words) == HOLD_KIND_COUNT);
/* Not seeing an account stops nothing that anybody would ask for later. */
static const bool is_audited[HOLD_KIND_COUNT] = {
    [HOLD_WRONG_ACCOUNT] = true,
    [HOLD_MANY_VANISHED] = true,
};
const struct names hold_kind_names = NAMES("hold", kind_words);

/* clang-format off */
static const struct field fields[] = {
    FIELD(account_hold, kind,         FIELD_NAME, .names = &hold_kind_names),
    FIELD(account_hold, since,        FIELD_MOMENT),
    FIELD(account_hold, text,         FIELD_TEXT),
    FIELD(account_hold, looks,        FIELD_INT),
    FIELD(account_hold, believed_by,  FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(account_hold, held_seconds, FIELD_INT),
};
/* clang-format on */
const struct record account_hold_record = RECORD(account_hold, fields);
RECORD_LIST_BODY(account_hold, &account_hold_record)

static enum outcome tell(struct db *db, const struct account_place *place, const char *verb,
                         enum hold_kind kind, const char *text, const char *actor,
                         struct error *err)
{
    char object[AUDIT_OBJECT_SIZE];
    OWNED(json_drop) json_t *detail = json_object();
    if (!is_audited[kind])
        return OK;
    snprintf(object, sizeof object, "account:%s", place->name);
    json_put_text(detail, "hold", name_of(&hold_kind_names, (int)kind));
    if (text != NULL)
        json_put_text(detail, "text", text);
    return audit_store_add(db, place->project, actor, verb, object, detail, NULL, err);
}

enum outcome hold_store_add(struct db *db, const struct account_place *place, enum hold_kind kind,
                            const char *text, const char *actor, struct account_hold *out,
                            struct error *err)
{
    OWNED(account_hold_list_done) struct account_hold_list list = {0};
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(account_hold_list_of(db, SQL_HOLD_ADD,
                             PARAMS(p_text(place->project), p_text(place->name),
                                    p_name(&hold_kind_names, kind), p_text(text)),
                             &list, err));
    if (list.at[0].looks == 1)
        TRY(tell(db, place, "account.held", kind, text, actor, err));
    TRY(transaction_commit(&tx, err));
    *out = list.at[0];
    return OK;
}

enum outcome hold_store_end(struct db *db, const struct account_place *place, enum hold_kind kind,
                            const char *actor, struct error *err)
{
    int64_t changed = 0;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_change(
        db, SQL_HOLD_END,
        PARAMS(p_text(place->project), p_text(place->name), p_name(&hold_kind_names, kind)),
        &changed, err));
    if (changed > 0)
        TRY(tell(db, place, "account.released", kind, NULL, actor, err));
    return transaction_commit(&tx, err);
}

enum outcome hold_store_believe(struct db *db, const struct account_place *place, const char *actor,
                                struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_HOLD_BELIEVE,
               PARAMS(p_text(place->project), p_text(place->name), p_text(actor)), &rows, err));
    if (rows_count(rows) == 0)
        return fail_code(err, ERR_CONFLICT, "not-held", "nothing of account %s waits for that",
                         place->name);
    OWNED(mem_drop) char *text = rows_text(rows, 0, 0);
    TRY(tell(db, place, "account.vanishing-believed", HOLD_MANY_VANISHED, text, actor, err));
    return transaction_commit(&tx, err);
}

enum outcome hold_store_list(struct db *db, const struct account_place *place,
                             struct account_hold_list *out, struct error *err)
{
    return account_hold_list_of(db, SQL_HOLD_LIST,
                                PARAMS(p_text(place->project), p_text(place->name)), out, err);
}
