/* Parsers that must say why they refuse: what is wrong in one thing is often wrong in a second one
 * further on, so the text counts and not the code alone. */
#ifndef MUSTER_TESTS_SAYS_H
#define MUSTER_TESTS_SAYS_H

#include "lib/base/bytes.h"

typedef enum outcome parse_fn(struct span in, struct error *err);

struct says_row {
    const char *bytes;
    size_t len;
    const char *says;
};
#define ROW(text, says)                                                                            \
    {                                                                                              \
        (text), sizeof(text) - 1, (says)                                                           \
    }

void assert_says(parse_fn *parse, struct span in, const char *says);
void each_row_says_it(parse_fn *parse, const struct says_row *rows, size_t count);

/* One byte of what is good, changed. */
struct says_patch {
    size_t at;
    uint8_t value;
    const char *says;
};

void each_patch_says_it(parse_fn *parse, const struct bytes *good, const struct says_patch *rows,
                        size_t count);

#endif
