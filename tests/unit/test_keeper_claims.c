/* What a verdict token tells a relying party in the words of EAR: its status is no better than the
 * worst claim of its vector, and simulated evidence affirms nothing. */
#include "keeper/claims.h"

#include <string.h>

#include "tests/support/test.h"

static struct trust_vector all(enum trust_tier tier)
{
    struct trust_vector vector;
    for (size_t i = 0; i < TRUST_CLAIM_COUNT; i++)
        vector.at[i] = tier;
    return vector;
}

static const struct {
    const char *verdict;
    bool simulated;
    enum trust_tier tier;
    const char *status;
} cases[] = {
    {"trusted", false, TIER_AFFIRMING, "affirming"},
    {"trusted", false, TIER_WARNING, "warning"},
    {"trusted", false, TIER_NONE, "none"},
    {"trusted", false, TIER_CONTRAINDICATED, "contraindicated"},
    {"trusted", true, TIER_AFFIRMING, "none"},
    {"trusted", true, TIER_WARNING, "none"},
    {"rejected", false, TIER_AFFIRMING, "contraindicated"},
    {"rejected", true, TIER_NONE, "contraindicated"},
};

static void the_status_is_that_of_the_worst_claim(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(key_drop) struct key *signer = NULL;
    assert_ok(key_generate(KEY_P256, &signer, &err));
    for (size_t i = 0; i < countof(cases); i++) {
        OWNED(verdict_token_done) struct verdict_token token = {0};
        OWNED(mem_drop) char *printed = NULL;
        OWNED(json_drop) json_t *json = NULL;
        const char *typ = cases[i].simulated ? SIMULATED_VERDICT_TYP : VERDICT_TYP;
        token.issued = clock_now();
        token.expires = moment_add_seconds(token.issued, 60);
        token.vector = all(TIER_NONE);
        token.vector.at[TRUST_HARDWARE] = cases[i].tier;
        token.claims.kind = EVIDENCE_SNP;
        token.claims.simulated = cases[i].simulated;
        token.claims.missing = json_array();
        token.claims.residuals = json_array();
        assert_ok(text_copy(token.claims.verdict, sizeof token.claims.verdict, cases[i].verdict, "",
                            &err));
        assert_ok(verdict_token_print(signer, &token, &printed, &err));
        assert_ok(token_verify(span_of_text(printed), typ, signer, &json, &err));
        const json_t *muster = json_object_get(json_object_get(json, "submods"), "muster");
        const json_t *vector = json_object_get(muster, "ear.trustworthiness-vector");
        assert_string_equal(json_string_value(json_object_get(muster, "ear.status")),
                            cases[i].status);
        assert_int_equal(json_object_size(vector), TRUST_CLAIM_COUNT);
        assert_int_equal(json_integer_value(json_object_get(vector, "hardware")), cases[i].tier);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_status_is_that_of_the_worst_claim)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
