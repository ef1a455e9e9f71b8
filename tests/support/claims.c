#include "tests/support/claims.h"

#include <stdio.h>

bool claims_hold(const json_t *have, const json_t *want)
{
    if (!json_is_object(want))
        return json_equal(have, want) == 1;
    const char *name;
    json_t *value;
    json_object_foreach (json_looked_at(want), name, value)
        if (!claims_hold(json_object_get(have, name), value)) {
            fprintf(stderr, "# claim %s differs\n", name);
            return false;
        }
    return true;
}
