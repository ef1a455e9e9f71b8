#include "lib/base/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *parsed(const char *printed)
{
    json_t *value = NULL;
    error_ignore(json_parse(span_of_text(printed), SIZE_MAX, &value, NULL));
    return value;
}

static void put(json_t *out, const struct field *field, const void *object)
{
    const void *at = field_in(field, object);
    switch (field->kind) {
    case FIELD_INT:
        return json_put_int(out, field->name, *(const int64_t *)at);
    case FIELD_BOOL:
        return json_put_bool(out, field->name, *(const bool *)at);
    case FIELD_NAME:
        return json_put_text(out, field->name, name_of(field->names, *(const int *)at));
    case FIELD_TEXT:
        return json_put_text(out, field->name, at);
    case FIELD_STRING:
        return json_put_text(out, field->name, *(char *const *)at);
    case FIELD_UUID:
        return json_put_uuid(out, field->name, at);
    case FIELD_MOMENT:
        return json_put_moment(out, field->name, *(const struct moment *)at);
    case FIELD_BYTES:
        return json_put_base64(out, field->name, bytes_span(at));
    case FIELD_HEX:
        return json_put_hex(out, field->name, SPAN(at, field->size));
    case FIELD_JSON:
        return json_put_new(out, field->name, json_incref(*(json_t *const *)at));
    case FIELD_PRINTED:
        return json_put_new(out, field->name, parsed(*(char *const *)at));
    }
    abort();
}

json_t *record_to_json(const struct record *record, const void *object)
{
    json_t *out = json_object();
    for (size_t i = 0; i < record->count; i++) {
        const struct field *field = &record->fields[i];
        if ((field->flags & FIELD_HIDDEN) == 0 && !field_is_absent(field, object))
            put(out, field, object);
    }
    return out;
}

static enum outcome take_text(const struct field *field, const json_t *in, const char *path,
                              void *at, struct error *err)
{
    const char *text;
    TRY(json_get_text(in, path, field->name, field->kind == FIELD_TEXT ? field->size - 1 : 65536,
                      &text, err));
    if (!text_is_clean(span_of_text(text))) {
        char where[ERROR_WHERE_SIZE];
        snprintf(where, sizeof where, "%s/%s", path, field->name);
        return fail_at(err, ERR_INVALID, "unclean-text", where, "%s: control characters", where);
    }
    if (field->kind == FIELD_TEXT) {
        memset(at, 0, field->size);
        memcpy(at, text, strlen(text));
    } else {
        free(*(char **)at);
        *(char **)at = mem_text(text);
    }
    return OK;
}

static enum outcome take_name(const struct field *field, const json_t *in, const char *path,
                              void *at, struct error *err)
{
    const char *word;
    TRY(json_get_text(in, path, field->name, 64, &word, err));
    if (name_parse(field->names, word, at, err) != OK) {
        char where[ERROR_WHERE_SIZE];
        snprintf(where, sizeof where, "%s/%s", path, field->name);
        return fail_at(err, ERR_INVALID, "unknown-word", where, "%s: '%.40s' is not a %s", where,
                       word, field->names->what);
    }
    return OK;
}

static enum outcome take(const struct field *field, const json_t *in, const char *path,
                         void *object, struct error *err)
{
    void *at = field_of(field, object);
    bool any = field->least == 0 && field->most == 0;
    json_t *value = json_object_get(in, field->name);
    switch (field->kind) {
    case FIELD_INT:
        return json_get_int(in, path, field->name, any ? INT64_MIN : field->least,
                            any ? INT64_MAX : field->most, at, err);
    case FIELD_BOOL:
        return json_get_bool(in, path, field->name, at, err);
    case FIELD_NAME:
        return take_name(field, in, path, at, err);
    case FIELD_TEXT:
    case FIELD_STRING:
        return take_text(field, in, path, at, err);
    case FIELD_UUID:
        return json_get_uuid(in, path, field->name, at, err);
    case FIELD_MOMENT:
        return json_get_moment(in, path, field->name, at, err);
    case FIELD_BYTES:
        return json_get_base64(in, path, field->name, 1 << 20, at, err);
    case FIELD_HEX:
        return json_get_hex(in, path, field->name, at, field->size, err);
    case FIELD_JSON:
        json_decref(*(json_t **)at);
        *(json_t **)at = json_deep_copy(value);
        return OK;
    case FIELD_PRINTED:
        free(*(char **)at);
        *(char **)at = json_print(value);
        return OK;
    }
    abort();
}

static enum outcome refuse_strangers(const struct record *record, const json_t *in,
                                     const char *path, struct error *err)
{
    const char *member;
    json_t *value;
    json_object_foreach (json_looked_at(in), member, value) {
        const struct field *field = record_find(record, member);
        bool known = field != NULL && (field->flags & FIELD_HIDDEN) == 0;
        if (known && (field->flags & FIELD_READ_ONLY) == 0)
            continue;
        char where[ERROR_WHERE_SIZE];
        snprintf(where, sizeof where, "%s/%s", path, member);
        return fail_at(err, ERR_INVALID, known ? "read-only-member" : "unknown-member", where,
                       "%s: %s", where, known ? "read-only member" : "unknown member");
    }
    return OK;
}

enum outcome record_from_json(const struct record *record, const json_t *value, const char *path,
                              void *object, struct error *err)
{
    if (!json_is_object(value))
        return fail_at(err, ERR_INVALID, "wrong-type", path, "%s: not an object",
                       path[0] != '\0' ? path : "/");
    enum outcome outcome = refuse_strangers(record, value, path, err);
    for (size_t i = 0; outcome == OK && i < record->count; i++) {
        const struct field *field = &record->fields[i];
        bool skip =
            (field->flags & (FIELD_READ_ONLY | FIELD_HIDDEN)) != 0 ||
            ((field->flags & FIELD_OPTIONAL) != 0 && json_object_get(value, field->name) == NULL);
        if (!skip)
            outcome = take(field, value, path, object, err);
    }
    if (outcome != OK)
        record_done(record, object);
    return outcome;
}
