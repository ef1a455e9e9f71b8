/* JSON at the edges: bounded parsing, strict getters that say where, one stable way to print. */
#ifndef MUSTER_BASE_JSON_H
#define MUSTER_BASE_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/base/uuid.h"

DROP(json_drop, json_t, json_decref)

/* Jansson's iteration takes a json_t * even where it only looks. */
static inline json_t *json_looked_at(const json_t *value)
{
    return (json_t *)(uintptr_t)value;
}

/* Items are members, elements and what holds them: so many in up to 1 MiB, and as many again for
 * each further one. The densest JSON of so many costs less than 8 MB. */
enum { JSON_DEPTH_MAX = 32, JSON_ITEMS_MAX = 25000 };

/* Refuses: more than `limit` bytes, more than JSON_ITEMS_MAX items, duplicate members, depth over
 * JSON_DEPTH_MAX, NUL in strings, bytes that are not UTF-8, anything after the value. */
enum outcome json_parse(struct span in, size_t limit, json_t **out, struct error *err);

/* Sorted members, no spaces: the same value always gives the same bytes. The caller frees it. */
char *json_print(const json_t *value);
void json_print_to(const json_t *value, struct text *out);
void json_print_text(struct span value, struct text *out); /* clean UTF-8, as a string */
char *json_print_pretty(const json_t *value);

/* Getters. `path` is the JSON pointer of `object`; an error carries path + "/" + name as `where`.
 * The plain ones need the member; the _or ones give a default when it is absent (null is not
 * absent: it is refused). Borrowed results live as long as `object`. */
enum outcome json_get_text(const json_t *object, const char *path, const char *name, size_t most,
                           const char **out, struct error *err);
enum outcome json_get_text_or(const json_t *object, const char *path, const char *name, size_t most,
                              const char *fallback, const char **out, struct error *err);
enum outcome json_get_int(const json_t *object, const char *path, const char *name, int64_t least,
                          int64_t most, int64_t *out, struct error *err);
enum outcome json_get_int_or(const json_t *object, const char *path, const char *name,
                             int64_t least, int64_t most, int64_t fallback, int64_t *out,
                             struct error *err);
enum outcome json_get_bool(const json_t *object, const char *path, const char *name, bool *out,
                           struct error *err);
enum outcome json_get_bool_or(const json_t *object, const char *path, const char *name,
                              bool fallback, bool *out, struct error *err);
enum outcome json_get_object(const json_t *object, const char *path, const char *name, json_t **out,
                             struct error *err);
enum outcome json_get_array(const json_t *object, const char *path, const char *name, size_t most,
                            json_t **out, struct error *err);
enum outcome json_get_uuid(const json_t *object, const char *path, const char *name,
                           struct uuid *out, struct error *err);
enum outcome json_get_moment(const json_t *object, const char *path, const char *name,
                             struct moment *out, struct error *err);
enum outcome json_get_hex(const json_t *object, const char *path, const char *name, void *out,
                          size_t len, struct error *err);
enum outcome json_get_base64(const json_t *object, const char *path, const char *name, size_t most,
                             struct bytes *out, struct error *err);

/* Refuse members that are not in the NULL-terminated list; ERR_INVALID "unknown-member". */
enum outcome json_only(const json_t *object, const char *path, const char *const *names,
                       struct error *err);

/* Setters that cannot fail but for memory, which ends the process. They take nothing over. */
void json_put_text(json_t *object, const char *name, const char *value);
void json_put_span(json_t *object, const char *name, struct span value); /* must be clean UTF-8 */
void json_put_int(json_t *object, const char *name, int64_t value);
void json_put_bool(json_t *object, const char *name, bool value);
void json_put_uuid(json_t *object, const char *name, const struct uuid *value);
void json_put_moment(json_t *object, const char *name, struct moment value); /* null when none */
void json_put_hex(json_t *object, const char *name, struct span value);
void json_put_base64(json_t *object, const char *name, struct span value);
void json_put_new(json_t *object, const char *name, json_t *value); /* takes `value` over */
void json_add_new(json_t *array, json_t *value);                    /* takes `value` over */

#endif
