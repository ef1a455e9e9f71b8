#include "db/db_row.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

/* Results come in binary: integers big-endian, time in microseconds since 2000, jsonb with a
 * version byte in front. */
enum { JSON_IN_ROW_MAX = 16 << 20 };
static const int64_t year_2000_us = INT64_C(946684800) * SECONDS_US;

/* Type numbers of pg_type that never change. */
enum { TYPE_JSONB = 3802 };

static PGresult *inside(const struct rows *rows)
{
    return (PGresult *)(uintptr_t)rows;
}

struct rows *rows_wrap(void *result)
{
    return result;
}

void rows_free(struct rows *rows)
{
    PQclear(inside(rows));
}

size_t rows_count(const struct rows *rows)
{
    return (size_t)PQntuples(inside(rows));
}

bool rows_is_null(const struct rows *rows, size_t row, int column)
{
    return PQgetisnull(inside(rows), (int)row, column) != 0;
}

struct span rows_bytes(const struct rows *rows, size_t row, int column)
{
    if (rows_is_null(rows, row, column))
        return (struct span){0};
    return SPAN(PQgetvalue(inside(rows), (int)row, column),
                (size_t)PQgetlength(inside(rows), (int)row, column));
}

int64_t rows_int(const struct rows *rows, size_t row, int column)
{
    struct span s = rows_bytes(rows, row, column);
    struct reader in = reader_of(s);
    if (s.len == 8)
        return (int64_t)read_u64be(&in);
    if (s.len == 4)
        return (int32_t)read_u32be(&in);
    return s.len == 2 ? (int16_t)read_u16be(&in) : 0;
}

bool rows_bool(const struct rows *rows, size_t row, int column)
{
    struct span s = rows_bytes(rows, row, column);
    return s.len == 1 && s.at[0] != 0;
}

struct uuid rows_uuid(const struct rows *rows, size_t row, int column)
{
    struct uuid id = {0};
    struct span s = rows_bytes(rows, row, column);
    if (s.len == sizeof id.at)
        memcpy(id.at, s.at, sizeof id.at);
    return id;
}

struct moment rows_moment(const struct rows *rows, size_t row, int column)
{
    if (rows_is_null(rows, row, column))
        return (struct moment){0};
    /* 'infinity' is the last number there is. */
    int64_t us;
    if (__builtin_add_overflow(rows_int(rows, row, column), year_2000_us, &us))
        us = INT64_MAX;
    return (struct moment){us};
}

char *rows_text(const struct rows *rows, size_t row, int column)
{
    struct span s = rows_bytes(rows, row, column);
    char *text = mem_new(1, s.len + 1);
    if (s.len > 0)
        memcpy(text, s.at, s.len);
    return text;
}

json_t *rows_json(const struct rows *rows, size_t row, int column)
{
    struct span s = rows_bytes(rows, row, column);
    if (s.at == NULL)
        return NULL;
    if (PQftype(inside(rows), column) == TYPE_JSONB)
        s = span_part(s, 1, s.len);
    json_t *value = NULL;
    error_ignore(json_parse(s, JSON_IN_ROW_MAX, &value, NULL));
    return value;
}

static enum outcome read_name(const struct field *field, struct span word, int *out,
                              struct error *err)
{
    char text[64] = "";
    if (word.len < sizeof text)
        memcpy(text, word.at, word.len);
    TRY(name_parse(field->names, text, out, err));
    return OK;
}

static enum outcome read_width(const struct field *field, struct span s, void *out,
                               struct error *err)
{
    if (s.len != field->size)
        return fail_code(err, ERR_INTERNAL, "strange-column", "column %s has %zu bytes, not %zu",
                         field->name, s.len, field->size);
    memcpy(out, s.at, s.len);
    return OK;
}

static enum outcome read_text(const struct field *field, struct span s, char *out,
                              struct error *err)
{
    if (s.len >= field->size)
        return fail_code(err, ERR_INTERNAL, "strange-column", "column %s is too long: %zu bytes",
                         field->name, s.len);
    memcpy(out, s.at, s.len);
    return OK;
}

static enum outcome read_column(const struct rows *rows, size_t row, int column,
                                const struct field *field, void *at, struct error *err)
{
    struct span s = rows_bytes(rows, row, column);
    switch (field->kind) {
    case FIELD_INT:
        *(int64_t *)at = rows_int(rows, row, column);
        return OK;
    case FIELD_BOOL:
        *(bool *)at = rows_bool(rows, row, column);
        return OK;
    case FIELD_NAME:
        return read_name(field, s, at, err);
    case FIELD_TEXT:
        return read_text(field, s, at, err);
    case FIELD_STRING:
        *(char **)at = rows_text(rows, row, column);
        return OK;
    case FIELD_UUID:
        *(struct uuid *)at = rows_uuid(rows, row, column);
        return OK;
    case FIELD_MOMENT:
        *(struct moment *)at = rows_moment(rows, row, column);
        return OK;
    case FIELD_BYTES:
        *(struct bytes *)at = bytes_copy(s);
        return OK;
    case FIELD_HEX:
        return read_width(field, s, at, err);
    case FIELD_JSON:
        *(json_t **)at = rows_json(rows, row, column);
        return OK;
    case FIELD_PRINTED:
        break;
    }
    abort();
}

enum outcome rows_read(const struct rows *rows, size_t row, const struct record *record, void *out,
                       struct error *err)
{
    for (int column = 0; column < PQnfields(inside(rows)); column++) {
        const char *name = PQfname(inside(rows), column);
        const struct field *field = record_find(record, name);
        enum outcome outcome = OK;
        if (field == NULL)
            outcome = fail_code(err, ERR_INTERNAL, "strange-column", "%s has no field for '%s'",
                                record->name, name);
        else if (!rows_is_null(rows, row, column))
            outcome = read_column(rows, row, column, field, field_of(field, out), err);
        if (outcome != OK) {
            record_done(record, out);
            return outcome;
        }
    }
    return OK;
}

void record_list_done(const struct record *record, void *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        record_done(record, (char *)list + i * record->size);
    free(list);
}

enum outcome rows_read_all(const struct rows *rows, const struct record *record, void **out,
                           size_t *out_count, struct error *err)
{
    size_t count = rows_count(rows);
    char *list = mem_new(count + 1, record->size);
    for (size_t i = 0; i < count; i++) {
        enum outcome outcome = rows_read(rows, i, record, list + i * record->size, err);
        if (outcome != OK) {
            record_list_done(record, list, i);
            return outcome;
        }
    }
    *out = list;
    *out_count = count;
    return OK;
}

enum outcome db_one(struct db *db, enum sql statement, struct params params,
                    const struct record *record, void *out, const char *what, struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, statement, params, &rows, err));
    if (rows_count(rows) == 0)
        return fail(err, ERR_NOT_FOUND, "no %s", what);
    memset(out, 0, record->size);
    return rows_read(rows, 0, record, out, err);
}

enum outcome db_all(struct db *db, enum sql statement, struct params params,
                    const struct record *record, void **out, size_t *out_count, struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, statement, params, &rows, err));
    return rows_read_all(rows, record, out, out_count, err);
}

struct param p_field(const struct record *record, const void *object, const char *name)
{
    const struct field *field = record_find(record, name);
    if (field == NULL)
        abort();
    const void *at = field_in(field, object);
    switch (field->kind) {
    case FIELD_INT:
        return p_int(*(const int64_t *)at);
    case FIELD_BOOL:
        return p_bool(*(const bool *)at);
    case FIELD_NAME:
        return p_name(field->names, *(const int *)at);
    case FIELD_TEXT:
        return p_text(at);
    case FIELD_STRING:
        return p_text(*(char *const *)at);
    case FIELD_UUID:
        return p_uuid(at);
    case FIELD_MOMENT:
        return p_moment(*(const struct moment *)at);
    case FIELD_BYTES:
        return p_bytes(bytes_span(at));
    case FIELD_HEX:
        return p_hex(at, field->size);
    case FIELD_JSON:
        return p_json(*(json_t *const *)at);
    case FIELD_PRINTED:
        break;
    }
    abort();
}
