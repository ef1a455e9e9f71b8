#include "db/replay_store.h"

/* clang-format off */
static const struct field fields[] = {
    FIELD(replay_row, id,              FIELD_UUID),
    FIELD(replay_row, fleet,           FIELD_TEXT),
    FIELD(replay_row, account,         FIELD_TEXT),
    FIELD(replay_row, image,           FIELD_TEXT),
    FIELD(replay_row, region,          FIELD_TEXT),
    FIELD(replay_row, machine,         FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(replay_row, verdict_id,      FIELD_UUID),
    FIELD(replay_row, policy,          FIELD_TEXT),
    FIELD(replay_row, verdict,         FIELD_TEXT),
    FIELD(replay_row, reason,          FIELD_TEXT),
    FIELD(replay_row, level,           FIELD_INT),
    FIELD(replay_row, documents,       FIELD_NAME, .names = &document_state_names),
    FIELD(replay_row, link_key,        FIELD_HEX),
    FIELD(replay_row, signature_known, FIELD_BOOL),
    FIELD(replay_row, bad_time,        FIELD_BOOL),
    FIELD(replay_row, bad_nonce,       FIELD_BOOL),
    FIELD(replay_row, evidence,        FIELD_BYTES),
};
/* clang-format on */
static const struct record replay_row_record = RECORD(replay_row, fields);
RECORD_LIST_BODY(replay_row, &replay_row_record)

enum outcome replay_store_page(struct db *db, const char *project, const struct uuid *after,
                               int64_t limit, struct replay_row_list *out, struct error *err)
{
    return replay_row_list_of(
        db, SQL_REPLAY_PAGE,
        PARAMS(p_text(project), after != NULL ? p_uuid(after) : p_null(), p_int(limit)), out, err);
}

static enum outcome array_of(struct db *db, enum sql statement, struct params params, json_t **out,
                             struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, statement, params, &rows, err));
    *out = rows_json(rows, 0, 0);
    return OK;
}

enum outcome tcb_store_inventory(struct db *db, const char *project, json_t **out,
                                 struct error *err)
{
    return array_of(db, SQL_TCB_INVENTORY, PARAMS(p_text(project)), out, err);
}

enum outcome tcb_store_by(struct db *db, const char *project, const char *by, json_t **out,
                          struct error *err)
{
    return array_of(db, SQL_TCB_BY, PARAMS(p_text(project), p_text(by)), out, err);
}
