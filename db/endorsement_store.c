#include "db/endorsement_store.h"

static const char *const source_words[] = {"service", "import", "evidence"};
_Static_assert(countof(source_words) == ENDORSEMENT_SOURCE_COUNT);
const struct names endorsement_source_names = NAMES("source", source_words);

/* clang-format off */
static const struct field fields[] = {
    FIELD(endorsement, name,        FIELD_TEXT),
    FIELD(endorsement, what,        FIELD_TEXT),
    FIELD(endorsement, line,        FIELD_TEXT),
    FIELD(endorsement, source,      FIELD_NAME, .names = &endorsement_source_names),
    FIELD(endorsement, content,     FIELD_BYTES, .flags = FIELD_HIDDEN),
    FIELD(endorsement, size,        FIELD_INT),
    FIELD(endorsement, this_update, FIELD_MOMENT),
    FIELD(endorsement, next_update, FIELD_MOMENT),
    FIELD(endorsement, created,     FIELD_MOMENT),
    FIELD(endorsement, checked,     FIELD_MOMENT),
};
/* clang-format on */
const struct record endorsement_record = RECORD(endorsement, fields);
RECORD_LIST_BODY(endorsement, &endorsement_record)

void endorsement_done(struct endorsement *e)
{
    record_done(&endorsement_record, e);
}

enum outcome endorsement_store_find(struct db *db, const char *name, struct endorsement *out,
                                    struct error *err)
{
    return db_one(db, SQL_ENDORSEMENT_FIND, PARAMS(p_text(name)), &endorsement_record, out,
                  "endorsement of that name", err);
}

enum outcome endorsement_store_has(struct db *db, const char *name, bool *out, struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_ENDORSEMENT_HAVE, PARAMS(p_text(name)), &rows, err));
    *out = rows_int(rows, 0, 0) > 0;
    return OK;
}

enum outcome endorsement_store_list(struct db *db, const char *after, int64_t limit,
                                    struct endorsement_list *out, struct error *err)
{
    return endorsement_list_of(db, SQL_ENDORSEMENT_LIST, PARAMS(p_text(after), p_int(limit)), out,
                               err);
}

enum outcome endorsement_store_dated(struct db *db, struct endorsement_list *out, struct error *err)
{
    return endorsement_list_of(db, SQL_ENDORSEMENT_DATED, NO_PARAMS, out, err);
}

enum outcome endorsement_store_keep(struct db *db, const struct endorsement *e, struct moment now,
                                    struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_ENDORSEMENT_KEEP,
               PARAMS(p_text(e->name), p_text(e->what), p_text(e->line),
                      p_name(&endorsement_source_names, (int)e->source),
                      p_bytes(bytes_span(&e->content)), p_moment(e->this_update),
                      p_moment(e->next_update), p_moment(now)),
               NULL, err));
    TRY(db_run(db, SQL_ENDORSEMENT_NO_MISS, PARAMS(p_text(e->name), p_moment(now)), NULL, err));
    return transaction_commit(&tx, err);
}

enum outcome endorsement_store_miss(struct db *db, const char *name, const char *code,
                                    struct moment now, int64_t first_seconds, int64_t most_seconds,
                                    struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_ENDORSEMENT_MISS,
               PARAMS(p_text(name), p_text(code), p_moment(now), p_int(first_seconds),
                      p_int(most_seconds)),
               NULL, err));
    return transaction_commit(&tx, err);
}

enum outcome endorsement_store_missed(struct db *db, const char *name, struct moment now,
                                      char out_code[static ERROR_CODE_SIZE], struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_ENDORSEMENT_MISSED, PARAMS(p_text(name), p_moment(now)), &rows, err));
    if (rows_count(rows) == 0)
        return fail(err, ERR_NOT_FOUND, "%s was not missed", name);
    OWNED(mem_drop) char *code = rows_text(rows, 0, 0);
    return text_copy(out_code, ERROR_CODE_SIZE, code, "code", err);
}

enum outcome endorsement_store_turn(struct db *db, struct moment now, int64_t *out_wait_ms,
                                    struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_ENDORSEMENT_TURN,
               PARAMS(p_moment(now), p_int(ENDORSEMENT_TURN_MS), p_int(ENDORSEMENT_TURNS)), &rows,
               err));
    *out_wait_ms = rows_int(rows, 0, 0);
    return transaction_commit(&tx, err);
}

enum outcome endorsement_store_rest(struct db *db, struct moment until, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_ENDORSEMENT_REST,
               PARAMS(p_moment(until), p_int(ENDORSEMENT_TURN_MS), p_int(ENDORSEMENT_TURNS)), NULL,
               err));
    return transaction_commit(&tx, err);
}
