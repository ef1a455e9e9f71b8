#include "tests/support/vtpm_judged.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/cases.h"
#include "tests/support/test.h"

struct policy *vtpm_whole_policy(const char *more)
{
    struct error err = {0};
    struct policy *policy = NEW(struct policy);
    OWNED(json_drop)
    json_t *ca = json_pack("[s]", made_vtpm_authority(0));
    OWNED(mem_drop) char *pem = json_print(ca);
    OWNED(text_done) struct text json = {0};
    text_addf(&json,
              "{\"snp\":{\"measurement\":\"" VTPM_MEASURED "\"},\"vtpm\":{\"ak_ca\":%s,"
              "\"svsm_measurements\":[\"" VTPM_MEASURED
              "\"],\"boot_components\":{\"loader\":[\"%s\","
              "\"%s\"]}%s}}",
              pem, made_vtpm_loader(), made_vtpm_loader_384(), more);
    assert_ok(policy_parse(text_span(&json), POLICY_WHOLE, policy, &err));
    return policy;
}

struct policy *vtpm_expecting(const char *json)
{
    struct error err = {0};
    struct policy *policy = NEW(struct policy);
    assert_ok(policy_parse(span_of_text(json), POLICY_EXPECT, policy, &err));
    return policy;
}

void vtpm_judge_wish(const struct made_vtpm_wish *wish, const struct policy *policy,
                     struct verdict *out)
{
    OWNED(made_vtpm_done) struct made_vtpm t;
    made_vtpm_make(simulator.psp, simulator.roots, wish, NULL, &t);
    t.input.policy = policy;
    vtpm_judge(&t.input, out);
    assert_int_equal(out->trusted, out->reason == REASON_OK);
}

void vtpm_try(const struct made_vtpm_wish *wish, const struct policy *policy, const char *reason,
              const char *check, const char *test)
{
    OWNED(verdict_done) struct verdict v = {0};
    vtpm_judge_wish(wish, policy, &v);
    const char *have = name_of(&reason_names, (int)v.reason);
    const struct check *found = check != NULL ? verdict_check(&v, check) : NULL;
    const bool by_check = check == NULL || (found != NULL && found->result == CHECK_FAIL);
    OWNED(text_done) struct text expected = {0};
    text_addf(&expected, "%s by %s", reason, check != NULL ? check : "any check");
    case_tried(test, strcmp(have, reason) == 0 && by_check, text_str(&expected), have);
}
