#include "db/notice_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const struct field fields[] = {
    FIELD(notice_row, id,              FIELD_UUID),
    FIELD(notice_row, instance,        FIELD_UUID),
    FIELD(notice_row, fleet,           FIELD_TEXT),
    FIELD(notice_row, account,         FIELD_TEXT),
    FIELD(notice_row, cloud,           FIELD_TEXT),
    FIELD(notice_row, region,          FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(notice_row, zone,            FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(notice_row, ref,             FIELD_TEXT),
    FIELD(notice_row, event,           FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(notice_row, kind,            FIELD_TEXT),
    FIELD(notice_row, status,          FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(notice_row, begins,          FIELD_MOMENT),
    FIELD(notice_row, not_before,      FIELD_MOMENT, .flags = FIELD_OPTIONAL),
    FIELD(notice_row, not_after,       FIELD_MOMENT, .flags = FIELD_OPTIONAL),
    FIELD(notice_row, deadline,        FIELD_MOMENT, .flags = FIELD_OPTIONAL),
    FIELD(notice_row, is_ours_to_time, FIELD_BOOL),
    FIELD(notice_row, text,            FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(notice_row, first_seen,      FIELD_MOMENT),
    FIELD(notice_row, given,           FIELD_MOMENT),
    FIELD(notice_row, changed,         FIELD_MOMENT),
    FIELD(notice_row, changes,         FIELD_INT),
    FIELD(notice_row, ended,           FIELD_MOMENT, .flags = FIELD_OPTIONAL),
};
static const struct field change_fields[] = {
    FIELD(notice_change, id,         FIELD_INT, .flags = FIELD_HIDDEN),
    FIELD(notice_change, at,         FIELD_MOMENT),
    FIELD(notice_change, change,     FIELD_TEXT),
    FIELD(notice_change, status,     FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(notice_change, not_before, FIELD_MOMENT, .flags = FIELD_OPTIONAL),
    FIELD(notice_change, not_after,  FIELD_MOMENT, .flags = FIELD_OPTIONAL),
    FIELD(notice_change, deadline,   FIELD_MOMENT, .flags = FIELD_OPTIONAL),
    FIELD(notice_change, audit,      FIELD_INT),
};
/* clang-format on */
const struct record notice_row_record = RECORD(notice_row, fields);
RECORD_LIST_BODY(notice_row, &notice_row_record)
const struct record notice_change_record = RECORD(notice_change, change_fields);
RECORD_LIST_BODY(notice_change, &notice_change_record)

/* ---- looks ---- */

enum outcome notice_store_look(struct db *db, const struct notice_look *look, const char *actor,
                               struct notice_changes *out, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(rows_drop) struct rows *rows = NULL;
    const struct param project = p_text(look->place->project), account = p_text(look->place->name);
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_NOTICE_LOOK,
               PARAMS(project, account, p_text(actor), p_text(look->said), p_bool(look->whole),
                      p_int(NOTICES_OF_MACHINE), p_int(NOTICE_CHANGES)),
               &rows, err));
    const struct notice_changes made = {rows_int(rows, 0, 0), rows_int(rows, 0, 1),
                                        rows_int(rows, 0, 2)};
    if (made.ended > 0)
        TRY(db_run(db, SQL_NOTICE_PRUNE, PARAMS(project, account, p_int(NOTICES_OF_MACHINE)), NULL,
                   err));
    TRY(transaction_commit(&tx, err));
    *out = made;
    return OK;
}

/* ---- reading ---- */

/* The cursor is when the last of the page begins, and its id. */
struct cursor {
    struct moment begins;
    struct uuid id;
};

static void cursor_print(const struct notice_row *last, char out[static NOTICE_CURSOR_SIZE])
{
    OWNED(bytes_done) struct bytes raw = {0};
    bytes_add_u64be(&raw, (uint64_t)last->begins.us);
    bytes_add(&raw, uuid_span(&last->id));
    OWNED(mem_drop) char *text = base64url_of(bytes_span(&raw));
    snprintf(out, NOTICE_CURSOR_SIZE, "n%s", text);
}

static enum outcome cursor_parse(const char *cursor, struct cursor *out, struct error *err)
{
    if (cursor == NULL || cursor[0] == '\0')
        return OK;
    OWNED(bytes_done) struct bytes raw = {0};
    if (cursor[0] != 'n' || base64url_decode(span_of_text(cursor + 1), &raw, NULL) != OK ||
        raw.len != sizeof(uint64_t) + sizeof out->id.at)
        return fail_at(err, ERR_INVALID, "bad-cursor", "?cursor", "not a cursor of this list");
    struct reader in = reader_of(bytes_span(&raw));
    out->begins.us = (int64_t)read_u64be(&in);
    read_into(&in, out->id.at, sizeof out->id.at);
    if (out->begins.us <= 0 || moment_seconds(out->begins) > NOTICE_LATEST)
        return fail_at(err, ERR_INVALID, "bad-cursor", "?cursor", "not a cursor of this list");
    return reader_end(&in, err);
}

enum outcome notice_store_list(struct db *db, const struct notice_filter *filter,
                               struct notice_row_list *out,
                               char out_cursor[static NOTICE_CURSOR_SIZE], struct error *err)
{
    struct cursor after = {0};
    TRY(cursor_parse(filter->cursor, &after, err));
    const int64_t limit = filter->limit < 1 ? 100 : filter->limit > 1000 ? 1000 : filter->limit;
    TRY(notice_row_list_of(db, SQL_NOTICE_LIST,
                           PARAMS(p_text(filter->project), p_text(filter->fleet),
                                  p_text(filter->account), p_uuid(&filter->instance),
                                  p_bool(filter->with_ended), p_moment(after.begins),
                                  p_uuid(&after.id), p_int(limit)),
                           out, err));
    out_cursor[0] = '\0';
    if ((int64_t)out->count == limit)
        cursor_print(&out->at[out->count - 1], out_cursor);
    return OK;
}

enum outcome notice_store_find(struct db *db, const char *project, const struct uuid *id,
                               struct notice_row *out, struct error *err)
{
    return db_one(db, SQL_NOTICE_FIND, PARAMS(p_uuid(id), p_text(project)), &notice_row_record, out,
                  "notice", err);
}

enum outcome notice_store_history(struct db *db, const struct uuid *id, int64_t limit,
                                  struct notice_change_list *out, struct error *err)
{
    return notice_change_list_of(db, SQL_NOTICE_HISTORY, PARAMS(p_uuid(id), p_int(limit)), out,
                                 err);
}

enum outcome notice_store_of_fleet(struct db *db, const char *project, const char *fleet,
                                   struct notice_sum *out, struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_NOTICE_OF_FLEET, PARAMS(p_text(project), p_text(fleet)), &rows, err));
    *out = (struct notice_sum){rows_int(rows, 0, 0), rows_int(rows, 0, 1), rows_moment(rows, 0, 2)};
    return OK;
}

enum outcome notice_store_count(struct db *db, int64_t *out_count, int64_t *out_near,
                                struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_NOTICE_COUNT, NO_PARAMS, &rows, err));
    *out_count = rows_int(rows, 0, 0);
    *out_near = rows_int(rows, 0, 1);
    return OK;
}
