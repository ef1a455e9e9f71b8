#include "lib/base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How deep it nests and how many items it holds, seen in the text before Jansson starts: that one
 * recurses up to 2048 levels, and spends up to 100 bytes of memory on a byte like those of "{},".
 */
struct shape {
    int deepest;
    size_t items; /* commas and what opens: each is an item at most */
};

static struct shape shape_of(struct span in)
{
    struct shape shape = {0};
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.at[i];
        if (quoted) {
            if (c == '\\')
                i++;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
            i += text_plain_len(span_part(in, i + 1, in.len));
        } else if (c == '{' || c == '[') {
            shape.items++;
            if (++depth > shape.deepest)
                shape.deepest = depth;
        } else if (c == '}' || c == ']') {
            depth--;
        } else if (c == ',') {
            shape.items++;
        }
    }
    return shape;
}

static enum outcome check_shape(struct span in, size_t limit, struct error *err)
{
    enum { MIB = 1024 * 1024 };
    const struct shape shape = shape_of(in);
    const size_t most = limit <= MIB ? JSON_ITEMS_MAX : limit / MIB * JSON_ITEMS_MAX;
    if (shape.deepest > JSON_DEPTH_MAX)
        return fail_code(err, ERR_INVALID, "too-deep", "JSON nested deeper than %d",
                         JSON_DEPTH_MAX);
    if (shape.items > most)
        return fail_code(err, ERR_INVALID, "too-large", "%zu items of JSON, at most %zu",
                         shape.items, most);
    return OK;
}

/* ---- long strings ---------------------------------------------------------------------------
 *
 * Evidence is JSON around a few long strings of base64, inside another such string, and Jansson
 * takes 60 instructions for each byte of a string: more than all else that a keeper does but the
 * signature. So a long string of plain characters is put aside, a mark stands in its place while
 * Jansson reads the rest, and then it is put back. A mark begins with a control character, which
 * JSON can only hold as an escape: where that is written anywhere, nothing is put aside. */

enum { LONG_STRING = 256, ASIDE_MAX = 64 };

static const char mark_escape[] = "\\u0001";

struct aside {
    size_t count;
    struct span at[ASIDE_MAX];
};

static bool holds_mark(struct span in)
{
    return memchr(in.at, '\\', in.len) != NULL &&
           memmem(in.at, in.len, mark_escape, sizeof mark_escape - 1) != NULL;
}

/* Up to the closing quote; `*plain`: nothing in it needs reading. */
static size_t string_end(struct span in, size_t from, bool *plain)
{
    *plain = true;
    size_t i = from + text_plain_len(span_part(in, from, in.len));
    for (; i < in.len && in.at[i] != '"'; i++) {
        *plain = *plain && in.at[i] >= 0x20 && in.at[i] < 0x7f && in.at[i] != '\\';
        if (in.at[i] == '\\')
            i++;
    }
    return i < in.len ? i : in.len;
}

static bool is_name(struct span in, size_t behind)
{
    while (behind < in.len && strchr(" \t\r\n", in.at[behind]) != NULL && in.at[behind] != '\0')
        behind++;
    return behind < in.len && in.at[behind] == ':';
}

/* `in` with marks for long strings; nothing to be put aside leaves `out` empty. */
static void put_aside(struct span in, struct aside *aside, struct text *out)
{
    size_t kept = 0;
    if (in.len < LONG_STRING || holds_mark(in))
        return;
    for (size_t i = 0; i < in.len && aside->count < ASIDE_MAX; i++) {
        bool plain;
        if (in.at[i] != '"')
            continue;
        const size_t from = i + 1;
        i = string_end(in, from, &plain);
        if (!plain || i == in.len || i - from < LONG_STRING || is_name(in, i + 1))
            continue;
        text_add_span(out, span_part(in, kept, from - kept));
        text_addf(out, "%s%zu", mark_escape, aside->count);
        aside->at[aside->count++] = span_part(in, from, i - from);
        kept = i;
    }
    if (aside->count > 0)
        text_add_span(out, span_part(in, kept, in.len - kept));
}

static void put_back(json_t *value, const struct aside *aside)
{
    const char *name;
    size_t i;
    json_t *item;
    json_object_foreach (value, name, item)
        put_back(item, aside);
    json_array_foreach (value, i, item)
        put_back(item, aside);
    const char *text = json_string_value(value);
    if (text == NULL || text[0] != '\1')
        return;
    const struct span back = aside->at[strtoul(text + 1, NULL, 10)];
    if (json_string_setn_nocheck(value, (const char *)back.at, back.len) != 0)
        abort();
}

static json_t *load(struct span in, json_error_t *problem)
{
    struct aside aside = {0};
    OWNED(text_done) struct text rest = {0};
    put_aside(in, &aside, &rest);
    if (aside.count > 0) {
        json_t *value = json_loadb(text_str(&rest), rest.len, JSON_REJECT_DUPLICATES, problem);
        if (value != NULL) {
            put_back(value, &aside);
            return value;
        }
    } /* what is wrong with it is said of the true text */
    return json_loadb((const char *)in.at, in.len, JSON_REJECT_DUPLICATES, problem);
}

/* ---- parsing ------------------------------------------------------------------------------ */

enum outcome json_parse(struct span in, size_t limit, json_t **out, struct error *err)
{
    if (in.len > limit)
        return fail_code(err, ERR_INVALID, "too-large", "%zu bytes of JSON, at most %zu", in.len,
                         limit);
    if (in.len == 0) /* Jansson would speak of wrong arguments */
        return fail_code(err, ERR_INVALID, "malformed", "nothing where JSON belongs");
    TRY(check_shape(in, limit, err));
    json_error_t problem;
    json_t *value = load(in, &problem);
    if (value == NULL)
        return fail_code(err, ERR_INVALID, "malformed", "not JSON at byte %d: %s", problem.position,
                         problem.text);
    *out = value;
    return OK;
}

char *json_print_pretty(const json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    if (text == NULL)
        abort(); /* only out of memory: a json_t cannot hold what does not print */
    return text;
}

static enum outcome refuse(struct error *err, const char *code, const char *path, const char *name,
                           const char *what)
{
    char where[ERROR_WHERE_SIZE];
    snprintf(where, sizeof where, "%s/%s", path, name);
    return fail_at(err, ERR_INVALID, code, where, "%s: %s", where, what);
}

static enum outcome get(const json_t *object, const char *path, const char *name, json_t **out,
                        struct error *err)
{
    if (!json_is_object(object))
        return fail_at(err, ERR_INVALID, "wrong-type", path, "%s: not an object",
                       path[0] != '\0' ? path : "/");
    *out = json_object_get(object, name);
    if (*out == NULL)
        return refuse(err, "missing-member", path, name, "missing");
    return OK;
}

static bool is_absent(const json_t *object, const char *name)
{
    return json_is_object(object) && json_object_get(object, name) == NULL;
}

enum outcome json_get_text(const json_t *object, const char *path, const char *name, size_t most,
                           const char **out, struct error *err)
{
    json_t *value;
    TRY(get(object, path, name, &value, err));
    if (!json_is_string(value))
        return refuse(err, "wrong-type", path, name, "not a string");
    if (json_string_length(value) > most)
        return refuse(err, "too-long", path, name, "string too long");
    *out = json_string_value(value);
    return OK;
}

enum outcome json_get_text_or(const json_t *object, const char *path, const char *name, size_t most,
                              const char *fallback, const char **out, struct error *err)
{
    if (is_absent(object, name)) {
        *out = fallback;
        return OK;
    }
    return json_get_text(object, path, name, most, out, err);
}

enum outcome json_get_int(const json_t *object, const char *path, const char *name, int64_t least,
                          int64_t most, int64_t *out, struct error *err)
{
    json_t *value;
    TRY(get(object, path, name, &value, err));
    if (!json_is_integer(value))
        return refuse(err, "wrong-type", path, name, "not an integer");
    int64_t v = json_integer_value(value);
    if (v < least || v > most) {
        char text[96];
        snprintf(text, sizeof text, "%lld is not between %lld and %lld", (long long)v,
                 (long long)least, (long long)most);
        return refuse(err, "out-of-range", path, name, text);
    }
    *out = v;
    return OK;
}

enum outcome json_get_int_or(const json_t *object, const char *path, const char *name,
                             int64_t least, int64_t most, int64_t fallback, int64_t *out,
                             struct error *err)
{
    if (is_absent(object, name)) {
        *out = fallback;
        return OK;
    }
    return json_get_int(object, path, name, least, most, out, err);
}

enum outcome json_get_bool(const json_t *object, const char *path, const char *name, bool *out,
                           struct error *err)
{
    json_t *value;
    TRY(get(object, path, name, &value, err));
    if (!json_is_boolean(value))
        return refuse(err, "wrong-type", path, name, "not true or false");
    *out = json_is_true(value);
    return OK;
}

enum outcome json_get_bool_or(const json_t *object, const char *path, const char *name,
                              bool fallback, bool *out, struct error *err)
{
    if (is_absent(object, name)) {
        *out = fallback;
        return OK;
    }
    return json_get_bool(object, path, name, out, err);
}

enum outcome json_get_object(const json_t *object, const char *path, const char *name, json_t **out,
                             struct error *err)
{
    json_t *value;
    TRY(get(object, path, name, &value, err));
    if (!json_is_object(value))
        return refuse(err, "wrong-type", path, name, "not an object");
    *out = value;
    return OK;
}

enum outcome json_get_array(const json_t *object, const char *path, const char *name, size_t most,
                            json_t **out, struct error *err)
{
    json_t *value;
    TRY(get(object, path, name, &value, err));
    if (!json_is_array(value))
        return refuse(err, "wrong-type", path, name, "not an array");
    if (json_array_size(value) > most)
        return refuse(err, "too-long", path, name, "too many items");
    *out = value;
    return OK;
}

enum outcome json_get_uuid(const json_t *object, const char *path, const char *name,
                           struct uuid *out, struct error *err)
{
    const char *text;
    TRY(json_get_text(object, path, name, UUID_TEXT_SIZE, &text, err));
    if (uuid_parse(text, out, NULL) != OK)
        return refuse(err, "wrong-type", path, name, "not a UUID");
    return OK;
}

enum outcome json_get_moment(const json_t *object, const char *path, const char *name,
                             struct moment *out, struct error *err)
{
    const char *text;
    TRY(json_get_text(object, path, name, 64, &text, err));
    if (moment_parse(text, out, NULL) != OK)
        return refuse(err, "wrong-type", path, name, "not an RFC 3339 time");
    if (moment_is_none(*out)) /* an end would be none, and so never come */
        return refuse(err, "wrong-type", path, name,
                      "the first moment of 1970 stands for no time at all");
    return OK;
}

enum outcome json_get_hex(const json_t *object, const char *path, const char *name, void *out,
                          size_t len, struct error *err)
{
    const char *text;
    TRY(json_get_text(object, path, name, 2 * len, &text, err));
    if (hex_decode_exact(text, out, len, NULL) != OK)
        return refuse(err, "wrong-type", path, name, "not hex of the right length");
    return OK;
}

enum outcome json_get_base64(const json_t *object, const char *path, const char *name, size_t most,
                             struct bytes *out, struct error *err)
{
    const char *text;
    TRY(json_get_text(object, path, name, (most + 2) / 3 * 4, &text, err));
    OWNED(bytes_wipe) struct bytes made = {0};
    if (base64_decode(span_of_text(text), &made, NULL) != OK)
        return refuse(err, "wrong-type", path, name, "not base64");
    if (made.len > most)
        return refuse(err, "too-long", path, name, "too many bytes");
    bytes_wipe(out);
    *out = made;
    made = (struct bytes){0};
    return OK;
}

enum outcome json_only(const json_t *object, const char *path, const char *const *names,
                       struct error *err)
{
    if (!json_is_object(object))
        return fail_at(err, ERR_INVALID, "wrong-type", path, "%s: not an object",
                       path[0] != '\0' ? path : "/");
    const char *member;
    json_t *value;
    json_object_foreach (json_looked_at(object), member, value) {
        bool known = false;
        for (size_t i = 0; names[i] != NULL && !known; i++)
            known = strcmp(names[i], member) == 0;
        if (!known)
            return refuse(err, "unknown-member", path, member, "unknown member");
    }
    return OK;
}

void json_put_new(json_t *object, const char *name, json_t *value)
{
    if (value == NULL || json_object_set_new_nocheck(object, name, value) != 0)
        abort(); /* out of memory, or text that is not UTF-8, which no caller may pass */
}

void json_add_new(json_t *array, json_t *value)
{
    if (value == NULL || json_array_append_new(array, value) != 0)
        abort();
}

void json_put_text(json_t *object, const char *name, const char *value)
{
    json_put_new(object, name, json_string(value));
}

void json_put_span(json_t *object, const char *name, struct span value)
{
    json_put_new(object, name, json_stringn((const char *)value.at, value.len));
}

void json_put_int(json_t *object, const char *name, int64_t value)
{
    json_put_new(object, name, json_integer(value));
}

void json_put_bool(json_t *object, const char *name, bool value)
{
    json_put_new(object, name, json_boolean(value));
}

void json_put_uuid(json_t *object, const char *name, const struct uuid *value)
{
    json_put_text(object, name, uuid_text(value).at);
}

void json_put_moment(json_t *object, const char *name, struct moment value)
{
    if (moment_is_none(value))
        json_put_new(object, name, json_null());
    else
        json_put_text(object, name, moment_text(value).at);
}

void json_put_hex(json_t *object, const char *name, struct span value)
{
    OWNED(mem_drop) char *text = hex_of(value);
    json_put_new(object, name, json_stringn_nocheck(text, 2 * value.len)); /* it is UTF-8 */
}

void json_put_base64(json_t *object, const char *name, struct span value)
{
    OWNED(mem_drop) char *text = base64_of(value);
    json_put_new(object, name, json_string_nocheck(text));
}
