#include "db/probe_store.h"

#include <stdio.h>
#include <stdlib.h>

#include "db/audit_store.h"

static const char *const prober_words[] = {"keeper", "controller"};
_Static_assert(countof(prober_words) == PROBER_COUNT);
const struct names prober_names = NAMES("prober", prober_words);

/* clang-format off */
static const struct field fields[] = {
    FIELD(probe_row, keeper,           FIELD_TEXT),
    FIELD(probe_row, boot_id,          FIELD_HEX),
    FIELD(probe_row, prober,           FIELD_NAME, .names = &prober_names),
    FIELD(probe_row, every_seconds,    FIELD_INT),
    FIELD(probe_row, samples,          FIELD_INT),
    FIELD(probe_row, held,             FIELD_INT),
    FIELD(probe_row, wrong,            FIELD_INT),
    FIELD(probe_row, accepted,         FIELD_INT),
    FIELD(probe_row, fault_kind,       FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(probe_row, fault_alteration, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(probe_row, fault_code,       FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(probe_row, fault_at,         FIELD_MOMENT, .flags = FIELD_OPTIONAL),
    FIELD(probe_row, halted,           FIELD_BOOL),
    FIELD(probe_row, halt,             FIELD_INT),
    FIELD(probe_row, ran_at,           FIELD_MOMENT),
};
/* clang-format on */
const struct record probe_row_record = RECORD(probe_row, fields);
RECORD_LIST_BODY(probe_row, &probe_row_record)

/* Whoever has to find out what went out since needs the hour in the chain. */
static enum outcome audit_if(struct db *db, const struct rows *rows, const struct probe_row *row,
                             const char *verb, const char *actor, struct error *err)
{
    char object[AUDIT_OBJECT_SIZE];
    if (rows_count(rows) == 0 || !rows_bool(rows, 0, 0))
        return OK;
    OWNED(mem_drop) char *boot = hex_of(SPAN_OF(row->boot_id));
    OWNED(json_drop) json_t *detail = record_to_json(&probe_row_record, row);
    snprintf(object, sizeof object, "keeper:%s", boot);
    return audit_store_add(db, PROJECT_DEFAULT, actor, verb, object, detail, NULL, err);
}

enum outcome probe_store_note(struct db *db, const struct probe_row *row, const char *actor,
                              struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_PROBE_NOTE,
               PARAMS(p_bytes(SPAN_OF(row->boot_id)), p_int(row->every_seconds),
                      p_int(row->samples), p_int(row->held), p_int(row->wrong),
                      p_int(row->accepted), p_text(row->fault_kind), p_text(row->fault_alteration),
                      p_text(row->fault_code), p_moment(row->fault_at), p_bool(row->halted),
                      p_int(row->halt)),
               &rows, err));
    TRY(audit_if(db, rows, row, "keeper.halted", actor, err));
    return transaction_commit(&tx, err);
}

enum outcome probe_store_add(struct db *db, const struct probe_row *row, const char *actor,
                             struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_PROBE_ADD,
               PARAMS(p_bytes(SPAN_OF(row->boot_id)), p_int(row->every_seconds),
                      p_int(row->samples), p_int(row->held), p_int(row->wrong),
                      p_int(row->accepted), p_text(row->fault_kind), p_text(row->fault_alteration),
                      p_text(row->fault_code), p_moment(row->fault_at)),
               &rows, err));
    TRY(audit_if(db, rows, row, "keeper.distrusted", actor, err));
    return transaction_commit(&tx, err);
}

enum outcome probe_store_is_distrusted(struct db *db, const uint8_t boot_id[static 8], bool *out,
                                       struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_PROBE_DISTRUSTED, PARAMS(p_bytes(SPAN(boot_id, 8))), &rows, err));
    *out = rows_bool(rows, 0, 0);
    return OK;
}

enum outcome probe_store_list(struct db *db, struct probe_row_list *out, struct error *err)
{
    return probe_row_list_of(db, SQL_PROBE_LIST, NO_PARAMS, out, err);
}

enum outcome probe_store_sample(struct db *db, struct bytes *out, char out_kind[static 32],
                                struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_PROBE_SAMPLE, NO_PARAMS, &rows, err));
    if (rows_count(rows) == 0)
        return OK;
    OWNED(mem_drop) char *kind = rows_text(rows, 0, 0);
    TRY(text_copy(out_kind, 32, kind, "kind", err));
    *out = bytes_copy(rows_bytes(rows, 0, 1));
    return OK;
}
