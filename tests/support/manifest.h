/* Cases of a manifest of the genuine samples, and whether an answer is the one that a case wants.
 */
#ifndef MUSTER_TESTS_MANIFEST_H
#define MUSTER_TESTS_MANIFEST_H

#include "lib/attest/judge.h"
#include "lib/base/json.h"

/* "nitro/manifest.json"; fails the test when it has no such case. The caller lets go of it. */
json_t *manifest_case(const char *manifest, const char *name);

const char *member_text(const json_t *object, const char *name); /* NULL when it has none */

enum manifest_reason { REASON_EXACT, REASON_ACCEPTABLE /* one of acceptable_reasons is as good */ };

/* Says on standard error what was wanted when it is not that. `claims` may be NULL: not looked at.
 */
bool case_has_answer(const json_t *test_case, enum manifest_reason how, bool trusted,
                     const char *reason, const json_t *claims);
bool case_has_verdict(const json_t *test_case, enum manifest_reason how, struct verdict *v);

/* How many cases there are; fails the test, when all were tried, unless each is right. */
size_t manifest_assert_right(const char *manifest, bool (*is_right)(const json_t *test_case));

#endif
