/* Rows <-> records: a column goes to the field of its name. */
#ifndef MUSTER_DB_DB_ROW_H
#define MUSTER_DB_DB_ROW_H

#include "db/db.h"
#include "lib/base/record.h"

struct rows;
void rows_free(struct rows *rows);
DROP(rows_drop, struct rows, rows_free)

size_t rows_count(const struct rows *rows);

/* Fill a record from row `row`; `out` must be zero or hold nothing owned. Columns that the record
 * does not know are ERR_INTERNAL "strange-column"; fields without a column stay zero. */
enum outcome rows_read(const struct rows *rows, size_t row, const struct record *record, void *out,
                       struct error *err);

/* All rows as an array of records; the caller releases each and frees it: record_list_done(). */
enum outcome rows_read_all(const struct rows *rows, const struct record *record, void **out,
                           size_t *out_count, struct error *err);
void record_list_done(const struct record *record, void *list, size_t count);

/* `RECORD_LIST(instance);` declares struct instance_list and instance_list_done() for OWNED;
 * `RECORD_LIST_BODY(instance, &instance_record)` in one .c file defines what db_list() fills. */
#define RECORD_LIST(type)                                                                          \
    struct type##_list {                                                                           \
        struct type *at;                                                                           \
        size_t count;                                                                              \
    };                                                                                             \
    void type##_list_done(struct type##_list *list)

#define RECORD_LIST_BODY(type, type_record)                                                        \
    void type##_list_done(struct type##_list *list)                                                \
    {                                                                                              \
        record_list_done((type_record), list->at, list->count);                                    \
        *list = (struct type##_list){0};                                                           \
    }                                                                                              \
    [[maybe_unused]] static enum outcome type##_list_of(                                           \
        struct db *db, enum sql statement, struct params params, struct type##_list *out,          \
        struct error *err)                                                                         \
    {                                                                                              \
        void *list = NULL;                                                                         \
        size_t count = 0;                                                                          \
        TRY(db_all(db, statement, params, (type_record), &list, &count, err));                     \
        *out = (struct type##_list){list, count};                                                  \
        return OK;                                                                                 \
    }

/* Single values, by column; NULL gives zero. */
int64_t rows_int(const struct rows *rows, size_t row, int column);
bool rows_bool(const struct rows *rows, size_t row, int column);
struct uuid rows_uuid(const struct rows *rows, size_t row, int column);
struct moment rows_moment(const struct rows *rows, size_t row, int column);
struct span rows_bytes(const struct rows *rows, size_t row, int column); /* text too; borrowed */
char *rows_text(const struct rows *rows, size_t row, int column);        /* the caller frees it */
json_t *rows_json(const struct rows *rows, size_t row, int column);      /* NULL when NULL */
bool rows_is_null(const struct rows *rows, size_t row, int column);

/* The one row of a statement into a record; ERR_NOT_FOUND "not-found": "no `what`". */
enum outcome db_one(struct db *db, enum sql statement, struct params params,
                    const struct record *record, void *out, const char *what, struct error *err);
/* All rows of a statement. */
enum outcome db_all(struct db *db, enum sql statement, struct params params,
                    const struct record *record, void **out, size_t *out_count, struct error *err);

/* A record's field as a parameter: p_field(&instance_record, instance, "phase"). */
struct param p_field(const struct record *record, const void *object, const char *name);

/* db.c gives results through this. */
struct rows *rows_wrap(void *result);

#endif
