/* What changes from one charter to the next, and which way: does it narrow or widen what a guest
 * may get? Pure. What no rule knows counts as widening, and so does whatever may do both: nobody
 * should sign a widening that was called something else. */
#ifndef MUSTER_MODEL_CHARTER_DIFF_H
#define MUSTER_MODEL_CHARTER_DIFF_H

#include "lib/base/json.h"
#include "lib/base/names.h"

enum diff_effect {
    DIFF_NARROWS,
    DIFF_WIDENS,
    DIFF_RENEWS,  /* serial and dates, which every edit changes */
    DIFF_NEITHER, /* said otherwise, means the same */
    DIFF_EFFECT_COUNT
};
extern const struct names diff_effect_names; /* "narrows", "widens", "renews", "neither" */

/* Two documents that charter_parse takes. [{"where","effect","why","was","is"}], and of lists
 * "added" and "removed" instead of the whole; empty when they say the same. */
json_t *charter_diff(const json_t *was, const json_t *is);

size_t charter_diff_count(const json_t *changes, enum diff_effect effect);

#endif
