/* What the Query protocol is made of: forms coming in, XML going out. */
#ifndef MUSTER_EMULATOR_FORM_H
#define MUSTER_EMULATOR_FORM_H

#include "lib/base/text.h"

enum { FORM_PAIRS_MAX = 1024 };

struct form_pair {
    char *name;
    char *value;
};

struct form_in {
    struct form_pair *pairs;
    size_t count;
};

/* application/x-www-form-urlencoded. A key twice is refused, and so is what neither XML nor JSON
 * could say again. */
enum outcome form_read(struct span body, struct form_in *out, struct error *err);
void form_in_done(struct form_in *form);

const char *form_get(const struct form_in *form, const char *name); /* NULL when absent */
/* form_getf(form, "Filter.%zu.Name", n) */
PRINTF(2, 3) const char *form_getf(const struct form_in *form, const char *format, ...);

/* Pairs sorted by name, but for one of them: what makes two requests the same. */
void form_canonical(const struct form_in *form, const char *but_for, struct text *out);

/* Is it one of the words, which are split at blanks? */
bool words_hold(const char *words, const char *word);

/* `<name>escaped value</name>`, or `<name/>` for NULL and empty. */
void xml_add(struct text *out, const char *name, const char *value);
void xml_add_int(struct text *out, const char *name, int64_t value);

#endif
