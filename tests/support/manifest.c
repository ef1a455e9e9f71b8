#include "tests/support/manifest.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/claims.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

const char *member_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

json_t *manifest_case(const char *manifest, const char *name)
{
    OWNED(json_drop) json_t *whole = vectors_json(manifest);
    size_t i;
    json_t *test_case;
    json_array_foreach (json_object_get(whole, "cases"), i, test_case)
        if (strcmp(member_text(test_case, "name"), name) == 0)
            return json_incref(test_case);
    fail_msg("no sample %s", name);
    return NULL;
}

static bool is_acceptable(const json_t *expect, const char *reason)
{
    size_t i;
    json_t *word;
    json_array_foreach (json_object_get(expect, "acceptable_reasons"), i, word)
        if (strcmp(json_string_value(word), reason) == 0)
            return true;
    return false;
}

bool case_has_answer(const json_t *test_case, enum manifest_reason how, bool trusted,
                     const char *reason, const json_t *claims)
{
    const json_t *expect = json_object_get(test_case, "expect");
    const json_t *fields = json_object_get(expect, "fields");
    const char *want = member_text(expect, "reason");
    const bool right = trusted == (want == NULL) &&
                       (strcmp(reason, want != NULL ? want : "ok") == 0 ||
                        (how == REASON_ACCEPTABLE && is_acceptable(expect, reason))) &&
                       (fields == NULL || claims == NULL || claims_hold(claims, fields));
    if (!right)
        fprintf(stderr, "# %s: expected %s, got %s\n", member_text(test_case, "name"),
                want != NULL ? want : "ok", reason);
    return right;
}

bool case_has_verdict(const json_t *test_case, enum manifest_reason how, struct verdict *v)
{
    OWNED(json_drop) json_t *nothing = json_object();
    return case_has_answer(test_case, how, v->trusted, name_of(&reason_names, (int)v->reason),
                           verdict_claims(v) != NULL ? v->claims : nothing);
}

size_t manifest_assert_right(const char *manifest, bool (*is_right)(const json_t *test_case))
{
    OWNED(json_drop) json_t *whole = vectors_json(manifest);
    size_t wrong = 0;
    size_t i;
    json_t *test_case;
    json_array_foreach (json_object_get(whole, "cases"), i, test_case)
        wrong += !is_right(test_case);
    assert_int_equal(wrong, 0);
    return i;
}
