#include "lib/base/names.h"

#include <string.h>

const char *name_of(const struct names *names, int value)
{
    return value >= 0 && (size_t)value < names->count ? names->words[value] : "?";
}

enum outcome name_parse(const struct names *names, const char *word, int *out, struct error *err)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->words[i], word) == 0) {
            *out = (int)i;
            return OK;
        }
    }
    return fail_code(err, ERR_INVALID, "unknown-word", "'%.40s' is not a %s", word, names->what);
}
