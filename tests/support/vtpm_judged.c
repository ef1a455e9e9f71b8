#include "tests/support/vtpm_judged.h"

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

void vtpm_assert(const struct made_vtpm_wish *wish, const struct policy *policy, const char *reason,
                 const char *check)
{
    OWNED(verdict_done) struct verdict v = {0};
    vtpm_judge_wish(wish, policy, &v);
    assert_string_equal(name_of(&reason_names, (int)v.reason), reason);
    if (check == NULL)
        return;
    assert_non_null(verdict_check(&v, check));
    assert_int_equal(verdict_check(&v, check)->result, CHECK_FAIL);
}
