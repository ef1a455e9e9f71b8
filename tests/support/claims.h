/* Claims of a verdict against those of a manifest. */
#ifndef MUSTER_TESTS_CLAIMS_H
#define MUSTER_TESTS_CLAIMS_H

#include "lib/base/json.h"

/* Every member of `want` is there and equal, at any depth; `have` may hold more. Says on standard
 * error which one differs. */
bool claims_hold(const json_t *have, const json_t *want);

#endif
