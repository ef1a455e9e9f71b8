#include "lib/base/record.h"

#include <stdlib.h>
#include <string.h>

void *field_of(const struct field *field, void *object)
{
    return (char *)object + field->offset;
}

const void *field_in(const struct field *field, const void *object)
{
    return (const char *)object + field->offset;
}

bool field_is_absent(const struct field *field, const void *object)
{
    const void *at = field_in(field, object);
    switch (field->kind) {
    case FIELD_INT:
    case FIELD_BOOL:
    case FIELD_NAME:
        return false;
    case FIELD_TEXT:
        return *(const char *)at == '\0';
    case FIELD_STRING:
    case FIELD_PRINTED:
        return *(char *const *)at == NULL;
    case FIELD_UUID:
        return uuid_is_zero(at);
    case FIELD_MOMENT:
        return moment_is_none(*(const struct moment *)at);
    case FIELD_BYTES:
        return ((const struct bytes *)at)->at == NULL;
    case FIELD_HEX:
        return span_is_zero(SPAN(at, field->size));
    case FIELD_JSON:
        return *(json_t *const *)at == NULL;
    }
    abort();
}

const struct field *record_find(const struct record *record, const char *name)
{
    for (size_t i = 0; i < record->count; i++)
        if (strcmp(record->fields[i].name, name) == 0)
            return &record->fields[i];
    return NULL;
}

void record_done(const struct record *record, void *object)
{
    for (size_t i = 0; i < record->count; i++) {
        void *at = field_of(&record->fields[i], object);
        if (record->fields[i].kind == FIELD_STRING || record->fields[i].kind == FIELD_PRINTED)
            free(*(char **)at);
        else if (record->fields[i].kind == FIELD_BYTES)
            bytes_done(at);
        else if (record->fields[i].kind == FIELD_JSON)
            json_decref(*(json_t **)at);
    }
    memset(object, 0, record->size);
}
