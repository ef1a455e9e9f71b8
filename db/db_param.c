#include <string.h>

#include "db/db_row.h"

struct param p_null(void)
{
    return (struct param){.kind = PARAM_NULL};
}

struct param p_text(const char *text)
{
    if (text == NULL || text[0] == '\0')
        return p_null();
    return (struct param){.kind = PARAM_TEXT, .at = text};
}

struct param p_int(int64_t number)
{
    return (struct param){.kind = PARAM_INT, .number = number};
}

struct param p_bool(bool value)
{
    return (struct param){.kind = PARAM_BOOL, .number = value};
}

struct param p_name(const struct names *names, int value)
{
    return p_text(name_of(names, value));
}

struct param p_uuid(const struct uuid *id)
{
    if (uuid_is_zero(id))
        return p_null();
    return (struct param){.kind = PARAM_UUID, .at = id};
}

struct param p_moment(struct moment moment)
{
    if (moment_is_none(moment))
        return p_null();
    return (struct param){.kind = PARAM_MOMENT, .number = moment.us};
}

struct param p_bytes(struct span bytes)
{
    if (bytes.at == NULL)
        return p_null();
    return (struct param){.kind = PARAM_BYTES, .at = bytes.at, .count = bytes.len};
}

struct param p_hex(const uint8_t *at, size_t width)
{
    return span_is_zero(SPAN(at, width)) ? p_null() : p_bytes(SPAN(at, width));
}

struct param p_json(const json_t *value)
{
    if (value == NULL)
        return p_null();
    return (struct param){.kind = PARAM_JSON, .at = value};
}

struct param p_uuids(const struct uuid *at, size_t count)
{
    return (struct param){.kind = PARAM_UUIDS, .at = at, .count = count};
}

struct param p_ints(const int64_t *at, size_t count)
{
    return (struct param){.kind = PARAM_INTS, .at = at, .count = count};
}

struct param p_moments(const struct moment *at, size_t count)
{
    return (struct param){.kind = PARAM_MOMENTS, .at = at, .count = count};
}

struct param p_hexes(const uint8_t *at, size_t count, size_t width)
{
    return (struct param){.kind = PARAM_HEXES, .at = at, .count = count, .width = width};
}

struct param p_names(const struct names *names, const int *at, size_t count)
{
    return (struct param){.kind = PARAM_NAMES, .at = at, .count = count, .names = names};
}
