/* Who goes first where a fleet has too many: whoever is the least loss, and of equals one of the
 * place that holds most for its weight, so that every place keeps its share on the way down as on
 * the way up. */
#ifndef MUSTER_MODEL_EXCESS_H
#define MUSTER_MODEL_EXCESS_H

#include "lib/model/placement.h"
#include "lib/model/plan.h"

/* For qsort, of `const struct plan_instance *`. Least loss first: nothing launched yet, on its way,
 * stale, trusted; of equals the youngest. */
int excess_by_worth(const void *a, const void *b);

/* Puts at the beginning of `list`, which is in that order, the `most` that go, in turn. Whoever is
 * where the fleet names no place any more goes before its equals. O(count + most * spots). */
void excess_spread(const struct plan_instance **list, size_t count, size_t most,
                   const struct placement *where);

#endif
