/* An enum and its words: one array, used the same in C, SQL, JSON, the CLI and the docs. */
#ifndef MUSTER_BASE_NAMES_H
#define MUSTER_BASE_NAMES_H

#include <stddef.h>

#include "lib/base/error.h"

struct names {
    const char *what; /* "phase": for messages */
    size_t count;
    const char *const *words;
};

/* const struct names phase_names = NAMES("phase", phase_words);
 * _Static_assert(countof(phase_words) == PHASE_COUNT); */
#define NAMES(thing, array)                                                                        \
    {                                                                                              \
        .what = (thing), .count = countof(array), .words = (array)                                 \
    }

const char *name_of(const struct names *names, int value); /* "?" when out of range */
enum outcome name_parse(const struct names *names, const char *word, int *out, struct error *err);

#endif
