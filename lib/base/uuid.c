#include "lib/base/uuid.h"

#include <string.h>

#include "lib/base/text.h"

void uuid_print(const struct uuid *id, char out[static UUID_TEXT_SIZE])
{
    char hex[33];
    hex_encode(SPAN_OF(id->at), hex);
    for (size_t i = 0, o = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            out[o++] = '-';
        out[o++] = hex[i];
    }
    out[36] = '\0';
}

enum outcome uuid_parse(const char *text, struct uuid *out, struct error *err)
{
    char hex[33] = {0};
    bool fine = strlen(text) == 36;
    for (size_t i = 0, o = 0; fine && i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash != (text[i] == '-'))
            fine = false;
        else if (!dash)
            hex[o++] = text[i];
    }
    struct uuid made = {0};
    if (!fine || hex_decode_exact(hex, made.at, sizeof made.at, NULL) != OK)
        return fail(err, ERR_INVALID, "not a UUID: '%.40s'", text);
    *out = made;
    return OK;
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->at, b->at, sizeof a->at) == 0;
}

bool uuid_is_zero(const struct uuid *id)
{
    return span_is_zero(SPAN_OF(id->at));
}

struct span uuid_span(const struct uuid *id)
{
    return SPAN_OF(id->at);
}

struct uuid_text uuid_text(const struct uuid *id)
{
    struct uuid_text text = {0};
    uuid_print(id, text.at);
    return text;
}
