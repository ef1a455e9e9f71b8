/* Made-up machines with a vTPM, judged: the policies and assertions that their tests share. */
#ifndef MUSTER_TESTS_VTPM_JUDGED_H
#define MUSTER_TESTS_VTPM_JUDGED_H

#include "tests/support/made_vtpm.h"

#define VTPM_MEASURED                                                                              \
    "11111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111" \
    "1111"

/* A whole one, for this machine under any word. `more`: further members of "vtpm", with a comma. */
struct policy *vtpm_whole_policy(const char *more);
struct policy *vtpm_expecting(const char *json);

/* Under the simulator's roots, which simulator_set_up() opened. */
void vtpm_judge_wish(const struct made_vtpm_wish *wish, const struct policy *policy,
                     struct verdict *out);
/* A case: the reason, and the check that says it; `check` NULL: whichever. */
#define vtpm_assert(wish, policy, reason, check)                                                   \
    vtpm_try((wish), (policy), (reason), (check), __func__)
void vtpm_try(const struct made_vtpm_wish *wish, const struct policy *policy, const char *reason,
              const char *check, const char *test);

/* Each row sets one member. */
#define VTPM_CASE(vouch, member, wrong, reason, check)                                             \
    do {                                                                                           \
        OWNED(mem_drop) struct policy *policy_ = vtpm_whole_policy("");                            \
        struct made_vtpm_wish wish_ = made_vtpm_wish(vouch);                                       \
        wish_.member = (wrong);                                                                    \
        vtpm_assert(&wish_, policy_, (reason), (check));                                           \
    } while (0)

#endif
