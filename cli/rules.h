/* An edition of the catalogue from the program or from a file, and what it says of a wish: what
 * `muster fleet check` and `muster catalogue check` have in common. */
#ifndef MUSTER_CLI_RULES_H
#define MUSTER_CLI_RULES_H

#include "cli/arguments.h"
#include "lib/model/catalogue_wish.h"

struct rules_words {
    const char *edition; /* a name that comes with muster, or a file; NULL: current */
    const char *signers; /* a signed file must be signed by enough of these */
    const char *at;
    const char *output;
};

/* Its rows of a command's table of arguments. */
/* clang-format off */
#define RULES_ARGUMENTS(words)                                                                     \
    {"--edition", .text = &(words)->edition}, {"--signers", .text = &(words)->signers},            \
    {"--at", .text = &(words)->at}, {"-o", .text = &(words)->output}
/* clang-format on */

struct rules {
    struct catalogue *catalogue;
    struct moment at;
    bool json;
    json_t *places; /* what was found, place by place */
    size_t broken;
};
void rules_done(struct rules *rules);
enum outcome rules_open(const struct rules_words *words, struct rules *out, struct error *err);

/* Checks one wish; `place` is what it is called in what is printed. */
void rules_check(struct rules *rules, const char *place, struct catalogue_wish *wish);

/* Prints what was found. `out_exit_code`: 3 when a rule is broken, else 0. */
enum outcome rules_print(const struct rules *rules, int *out_exit_code, struct error *err);

#endif
