#include "drivers/catalogue.h"

#include <string.h>

/* Made of the files by tools/text2c. */
extern const char catalogue_current_json[];
extern const char catalogue_seed_2025_json[];

const char *const catalogue_built_in_names[] = {CATALOGUE_CURRENT, CATALOGUE_SEED};
static const char *const texts[] = {catalogue_current_json, catalogue_seed_2025_json};
_Static_assert(countof(texts) == CATALOGUE_BUILT_IN_COUNT);

bool catalogue_is_built_in(const char *name)
{
    for (size_t i = 0; i < countof(texts); i++)
        if (strcmp(catalogue_built_in_names[i], name) == 0)
            return true;
    return false;
}

enum outcome catalogue_built_in(const char *name, struct catalogue **out, struct error *err)
{
    for (size_t i = 0; i < countof(texts); i++)
        if (strcmp(catalogue_built_in_names[i], name) == 0)
            return catalogue_parse(span_of_text(texts[i]), out, err);
    return fail_code(err, ERR_NOT_FOUND, "no-such-edition", "no edition '%.60s' comes with muster",
                     name);
}
