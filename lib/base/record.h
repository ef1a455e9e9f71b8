/* A struct described once: rows (db/db_row.c) and JSON (record_json.c) both follow the table. */
#ifndef MUSTER_BASE_RECORD_H
#define MUSTER_BASE_RECORD_H

#include <stddef.h>

#include "lib/base/json.h"
#include "lib/base/names.h"

enum field_kind {
    FIELD_INT,     /* int64_t */
    FIELD_BOOL,    /* bool */
    FIELD_NAME,    /* an int-sized enum, with .names */
    FIELD_TEXT,    /* char[N], NUL-terminated */
    FIELD_STRING,  /* char *, owned by the record, NULL when absent */
    FIELD_UUID,    /* struct uuid; all zero is absent */
    FIELD_MOMENT,  /* struct moment; zero is absent */
    FIELD_BYTES,   /* struct bytes, owned; base64 in JSON, bytea in SQL */
    FIELD_HEX,     /* uint8_t[N]; hex in JSON, bytea in SQL; all zero is absent */
    FIELD_JSON,    /* json_t *, owned; jsonb in SQL */
    FIELD_PRINTED, /* char *, owned: JSON as json_print() writes it; in no row */
};

enum field_flag {
    FIELD_OPTIONAL = 1,  /* may be absent in JSON; absent or NULL is the zero value */
    FIELD_READ_ONLY = 2, /* printed, never taken from JSON */
    FIELD_HIDDEN = 4,    /* in rows only, never in JSON */
    FIELD_APART = 8,     /* FIELD_BYTES, hidden: in messages behind the JSON (model/message.h) */
};

struct field {
    const char *name; /* the same word in C, SQL and JSON */
    enum field_kind kind;
    size_t offset;
    size_t size;
    const struct names *names;
    int64_t least; /* FIELD_INT: bounds when taken from JSON; both zero means any */
    int64_t most;
    unsigned flags;
};

struct record {
    const char *name;
    size_t size; /* of the struct */
    size_t count;
    const struct field *fields;
};

/* FIELD(instance, vcpus, FIELD_INT, .least = 1, .most = 448) */
#define FIELD(type, member, field_kind, ...)                                                       \
    {                                                                                              \
        .name = #member, .kind = (field_kind), .offset = offsetof(struct type, member),            \
        .size = sizeof(((struct type *)0)->member) __VA_OPT__(, ) __VA_ARGS__                      \
    }
/* Every record can be printed as members (lib/base/members.h), which have room for so many. */
enum { RECORD_FIELDS_MAX = 56 };
#define RECORD_COUNT(table)                                                                        \
    (countof(table) + 0 * sizeof(struct {                                                          \
                          _Static_assert(countof(table) <= RECORD_FIELDS_MAX);                     \
                          char none;                                                               \
                      }))
#define RECORD(type, table)                                                                        \
    {                                                                                              \
        .name = #type, .size = sizeof(struct type), .count = RECORD_COUNT(table),                  \
        .fields = (table)                                                                          \
    }

void *field_of(const struct field *field, void *object);
const void *field_in(const struct field *field, const void *object);
bool field_is_absent(const struct field *field, const void *object);
const struct field *record_find(const struct record *record, const char *name);

/* Release what the record owns and zero it. */
void record_done(const struct record *record, void *object);

/* JSON both ways. Reading is strict: unknown and read-only members are refused with their path,
 * strings must be clean UTF-8, sizes and bounds are checked. `object` must be zero or hold
 * defaults; on failure it is left as record_done() leaves it. `path` is the JSON pointer of
 * `value`. What is printed shares its FIELD_JSON with `object`: nobody changes what is in them. */
json_t *record_to_json(const struct record *record, const void *object);
enum outcome record_from_json(const struct record *record, const json_t *value, const char *path,
                              void *object, struct error *err);

#endif
