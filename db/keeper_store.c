#include "db/keeper_store.h"

#include <stdio.h>
#include <stdlib.h>

#include "db/audit_store.h"

/* clang-format off */
static const struct field fields[] = {
    FIELD(keeper_row, boot_id,          FIELD_HEX),
    FIELD(keeper_row, name,             FIELD_TEXT),
    FIELD(keeper_row, realm,            FIELD_NAME, .names = &realm_names),
    FIELD(keeper_row, certificate,      FIELD_HEX),
    FIELD(keeper_row, charter_serial,   FIELD_INT),
    FIELD(keeper_row, version,          FIELD_TEXT),
    FIELD(keeper_row, first_seen,       FIELD_MOMENT),
    FIELD(keeper_row, last_seen,        FIELD_MOMENT),
    FIELD(keeper_row, interval_seconds, FIELD_INT),
    FIELD(keeper_row, silent,           FIELD_BOOL),
    FIELD(keeper_row, appraisals,       FIELD_INT),
    FIELD(keeper_row, releases,         FIELD_INT),
    FIELD(keeper_row, refusals,         FIELD_INT),
};
/* clang-format on */
const struct record keeper_row_record = RECORD(keeper_row, fields);
RECORD_LIST_BODY(keeper_row, &keeper_row_record)

enum outcome keeper_store_seen(struct db *db, const struct keeper_row *row, const char *actor,
                               struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_KEEPER_SEEN,
               PARAMS(p_bytes(SPAN_OF(row->boot_id)), p_text(row->name),
                      p_name(&realm_names, (int)row->realm), p_bytes(SPAN_OF(row->certificate)),
                      p_int(row->charter_serial), p_text(row->version),
                      p_int(row->interval_seconds), p_int(row->appraisals), p_int(row->releases),
                      p_int(row->refusals)),
               &rows, err));
    if (rows_bool(rows, 0, 0)) {
        char object[AUDIT_OBJECT_SIZE];
        OWNED(mem_drop) char *boot = hex_of(SPAN_OF(row->boot_id));
        snprintf(object, sizeof object, "keeper:%s", boot);
        OWNED(json_drop) json_t *detail = record_to_json(&keeper_row_record, row);
        TRY(audit_store_add(db, PROJECT_DEFAULT, actor, "keeper.arrived", object, detail, NULL,
                            err));
    }
    return transaction_commit(&tx, err);
}

enum outcome keeper_store_list(struct db *db, struct keeper_row_list *out, struct error *err)
{
    return keeper_row_list_of(db, SQL_KEEPER_LIST, NO_PARAMS, out, err);
}

enum outcome keeper_store_forget(struct db *db, const char *name, const char *actor,
                                 struct error *err)
{
    char object[AUDIT_OBJECT_SIZE];
    OWNED(rows_drop) struct rows *rows = NULL;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_KEEPER_FORGET, PARAMS(p_text(name)), &rows, err));
    if (rows_int(rows, 0, 0) == 0)
        return fail_code(err, ERR_NOT_FOUND, "not-found", "no keeper of that name was seen");
    snprintf(object, sizeof object, "keeper:%.64s", name);
    TRY(audit_store_add(db, PROJECT_DEFAULT, actor, "keeper.forgotten", object, NULL, NULL, err));
    return transaction_commit(&tx, err);
}

enum outcome keeper_store_retire(struct db *db, const uint8_t *keys, size_t count,
                                 const char *actor, struct error *err)
{
    int64_t gone = 0;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_change(db, SQL_KEEPER_RETIRE, PARAMS(p_hexes(keys, count, SHA256_SIZE)), &gone, err));
    if (gone > 0) {
        OWNED(json_drop) json_t *detail = json_object();
        json_put_int(detail, "starts", gone);
        TRY(audit_store_add(db, PROJECT_DEFAULT, actor, "keeper.retired", "keepers", detail, NULL,
                            err));
    }
    return transaction_commit(&tx, err);
}
