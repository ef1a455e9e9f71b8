#include "lib/base/members.h"

#include <stdlib.h>
#include <string.h>

void members_done(struct members *m)
{
    text_done(&m->values);
    m->count = 0;
}

enum { VALUES_ROOM = 1000 }; /* most objects fit */

/* ---- values --------------------------------------------------------------------------------- */

static void begin(struct members *m, const char *name)
{
    if (m->count == MEMBERS_MAX)
        abort();
    if (m->count == 0)
        text_reserve(&m->values, VALUES_ROOM);
    m->at[m->count] =
        (struct members_item){.name = name, .name_len = strlen(name), .from = m->values.len};
}

static void end(struct members *m)
{
    m->at[m->count].len = m->values.len - m->at[m->count].from;
    m->count++;
}

void members_printed(struct members *m, const char *name, struct span json)
{
    begin(m, name);
    text_add_span(&m->values, json);
    end(m);
}

void members_text(struct members *m, const char *name, const char *value)
{
    begin(m, name);
    json_print_text(span_of_text(value), &m->values);
    end(m);
}

void members_int(struct members *m, const char *name, int64_t value)
{
    begin(m, name);
    text_add_number(&m->values, value);
    end(m);
}

void members_bool(struct members *m, const char *name, bool value)
{
    members_printed(m, name, span_of_text(value ? "true" : "false"));
}

void members_uuid(struct members *m, const char *name, const struct uuid *value)
{
    members_text(m, name, uuid_text(value).at);
}

void members_moment(struct members *m, const char *name, struct moment value)
{
    if (moment_is_none(value))
        members_printed(m, name, SPAN("null", 4));
    else
        members_text(m, name, moment_text(value).at);
}

void members_hex(struct members *m, const char *name, struct span value)
{
    begin(m, name);
    text_add(&m->values, "\"");
    text_add_hex(&m->values, value);
    text_add(&m->values, "\"");
    end(m);
}

void members_base64(struct members *m, const char *name, struct span value)
{
    begin(m, name);
    text_add(&m->values, "\"");
    text_add_base64(&m->values, value);
    text_add(&m->values, "\"");
    end(m);
}

void members_json(struct members *m, const char *name, const json_t *value)
{
    begin(m, name);
    json_print_to(value, &m->values);
    end(m);
}

void members_object(struct members *m, const char *name, const struct members *value)
{
    begin(m, name);
    members_print(value, &m->values);
    end(m);
}

static void add_field(struct members *m, const struct field *field, const void *object)
{
    const void *at = field_in(field, object);
    switch (field->kind) {
    case FIELD_INT:
        return members_int(m, field->name, *(const int64_t *)at);
    case FIELD_BOOL:
        return members_bool(m, field->name, *(const bool *)at);
    case FIELD_NAME:
        return members_text(m, field->name, name_of(field->names, *(const int *)at));
    case FIELD_TEXT:
        return members_text(m, field->name, at);
    case FIELD_STRING:
        return members_text(m, field->name, *(char *const *)at);
    case FIELD_UUID:
        return members_uuid(m, field->name, at);
    case FIELD_MOMENT:
        return members_moment(m, field->name, *(const struct moment *)at);
    case FIELD_BYTES:
        return members_base64(m, field->name, bytes_span(at));
    case FIELD_HEX:
        return members_hex(m, field->name, SPAN(at, field->size));
    case FIELD_JSON:
        return members_json(m, field->name, *(json_t *const *)at);
    case FIELD_PRINTED:
        return members_printed(m, field->name, span_of_text(*(char *const *)at));
    }
    abort();
}

static bool is_shown(const struct field *field, const void *object)
{
    return (field->flags & FIELD_HIDDEN) == 0 && !field_is_absent(field, object);
}

/* About what it takes, so that what is long is not moved each time the text grows. */
static size_t room_for(const struct field *field, const void *object)
{
    enum { SHORT_ROOM = 64 };
    const void *at = field_in(field, object);
    switch (field->kind) {
    case FIELD_STRING:
    case FIELD_PRINTED:
        return SHORT_ROOM + strlen(*(char *const *)at);
    case FIELD_BYTES:
        return SHORT_ROOM + bytes_span(at).len / 3 * 4;
    case FIELD_INT:
    case FIELD_BOOL:
    case FIELD_NAME:
    case FIELD_TEXT:
    case FIELD_UUID:
    case FIELD_MOMENT:
    case FIELD_HEX:
    case FIELD_JSON:
        break;
    }
    return SHORT_ROOM;
}

void members_record(struct members *m, const struct record *record, const void *object)
{
    size_t room = 0;
    for (size_t i = 0; i < record->count; i++)
        if (is_shown(&record->fields[i], object))
            room += room_for(&record->fields[i], object);
    text_reserve(&m->values, room);
    for (size_t i = 0; i < record->count; i++)
        if (is_shown(&record->fields[i], object))
            add_field(m, &record->fields[i], object);
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* They mostly come sorted. */
static void sort(const struct members *m, const struct members_item *out[static MEMBERS_MAX])
{
    for (size_t i = 0; i < m->count; i++) {
        size_t at = i;
        for (; at > 0 && strcmp(out[at - 1]->name, m->at[i].name) > 0; at--)
            out[at] = out[at - 1];
        out[at] = &m->at[i];
    }
}

static char *put(char *at, const void *what, size_t len)
{
    memcpy(at, what, len);
    return at + len;
}

void members_print(const struct members *m, struct text *out)
{
    enum { BRACES = 2, AROUND = 4 }; /* quotes, colon, comma */
    const struct members_item *sorted[MEMBERS_MAX];
    sort(m, sorted);
    size_t room = BRACES + m->values.len;
    for (size_t i = 0; i < m->count; i++)
        room += AROUND + m->at[i].name_len;
    text_reserve(out, room);
    char *at = put(out->at + out->len, "{", 1);
    for (size_t i = 0; i < m->count; i++) {
        at = i > 0 ? put(at, ",\"", 2) : put(at, "\"", 1);
        at = put(at, sorted[i]->name, sorted[i]->name_len);
        at = put(at, "\":", 2);
        at = put(at, m->values.at + sorted[i]->from, sorted[i]->len);
    }
    at = put(at, "}", 2); /* the end of the text with it */
    out->len = (size_t)(at - out->at) - 1;
}
