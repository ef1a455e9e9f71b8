/* A verdict in the words of AR4SI: nothing is claimed that the verdict does not prove
 * (R18). */
#include "lib/model/verdict_vector.h"

#include <string.h>

#include "tests/support/test.h"

/* Everything is proven by hardware. */
static struct verdict best(void)
{
    struct verdict v = {
        .trusted = true,
        .hardware = SOURCE_HARDWARE,
        .software = SOURCE_HARDWARE,
        .identity = SOURCE_HARDWARE,
    };
    verdict_add(&v, "policy-debug", CHECK_PASS, REASON_OK, "off");
    return v;
}

static void assert_tier(const struct verdict *v, enum trust_claim claim, enum trust_tier tier)
{
    const struct trust_vector vector = verdict_vector(v);
    if (vector.at[claim] != tier)
        fail_msg("%s is %d, not %d", name_of(&trust_claim_names, (int)claim), (int)vector.at[claim],
                 (int)tier);
}

static void what_is_proven_is_affirmed_and_nothing_else(void **state)
{
    (void)state;
    const struct verdict v = best();
    static const enum trust_tier expected[] = {
        TIER_AFFIRMING, TIER_AFFIRMING, TIER_AFFIRMING, TIER_NONE,
        TIER_AFFIRMING, TIER_AFFIRMING, TIER_AFFIRMING, TIER_NONE,
    };
    for (size_t i = 0; i < TRUST_CLAIM_COUNT; i++)
        assert_tier(&v, (enum trust_claim)i, expected[i]);
    const struct trust_vector vector = verdict_vector(&v);
    assert_int_equal(trust_vector_worst(&vector), TIER_AFFIRMING);
}

static void each_lack_and_residual_is_seen_where_it_belongs(void **state)
{
    (void)state;
    static const struct {
        int missing, residual; /* -1: none */
        enum trust_claim claim;
        enum trust_tier tier;
    } cases[] = {
        {-1, RESIDUAL_MILAN_ROOT_SEED, TRUST_HARDWARE, TIER_WARNING},
        {-1, RESIDUAL_NO_TCB_FLOOR, TRUST_HARDWARE, TIER_WARNING},
        {-1, RESIDUAL_NO_REVOCATION, TRUST_HARDWARE, TIER_WARNING},
        {-1, RESIDUAL_MIGRATION_AGENT, TRUST_CONFIGURATION, TIER_WARNING},
        {-1, RESIDUAL_MIGRATION_AGENT, TRUST_RUNTIME_OPAQUE, TIER_WARNING},
        {-1, RESIDUAL_PARAVISOR, TRUST_RUNTIME_OPAQUE, TIER_WARNING},
        {MISSING_DEBUG_OFF, -1, TRUST_CONFIGURATION, TIER_WARNING},
        {MISSING_DEBUG_OFF, -1, TRUST_RUNTIME_OPAQUE, TIER_CONTRAINDICATED},
        {MISSING_PINNED_MEASUREMENT, -1, TRUST_EXECUTABLES, TIER_WARNING},
        {MISSING_PROVIDER_EXECUTION, -1, TRUST_EXECUTABLES, TIER_WARNING},
        {MISSING_PROVIDER_EXECUTION, -1, TRUST_STORAGE_OPAQUE, TIER_WARNING},
        {MISSING_DISK_ENCRYPTION, -1, TRUST_STORAGE_OPAQUE, TIER_NONE},
        {MISSING_FRESHNESS, -1, TRUST_INSTANCE_IDENTITY, TIER_WARNING},
        {MISSING_FRESHNESS, -1, TRUST_HARDWARE, TIER_WARNING},
        {MISSING_FRESHNESS, -1, TRUST_EXECUTABLES, TIER_WARNING},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct verdict v = best();
        if (cases[i].missing >= 0)
            v.missing = 1u << cases[i].missing;
        if (cases[i].residual >= 0)
            v.residuals = 1u << cases[i].residual;
        assert_tier(&v, cases[i].claim, cases[i].tier);
        const struct trust_vector vector = verdict_vector(&v);
        assert_true(trust_vector_worst(&vector) >= cases[i].tier);
    }
}

static void the_providers_word_warns_and_no_word_claims_nothing(void **state)
{
    (void)state;
    struct verdict v = best();
    v.hardware = v.software = v.identity = SOURCE_PROVIDER;
    assert_tier(&v, TRUST_HARDWARE, TIER_WARNING);
    assert_tier(&v, TRUST_EXECUTABLES, TIER_WARNING);
    assert_tier(&v, TRUST_INSTANCE_IDENTITY, TIER_WARNING);
    assert_tier(&v, TRUST_RUNTIME_OPAQUE, TIER_WARNING);
    v.software = v.identity = SOURCE_NONE;
    assert_tier(&v, TRUST_EXECUTABLES, TIER_NONE);
    assert_tier(&v, TRUST_STORAGE_OPAQUE, TIER_NONE);
    assert_tier(&v, TRUST_INSTANCE_IDENTITY, TIER_NONE);
}

static void a_configuration_that_no_policy_looked_at_is_not_claimed(void **state)
{
    (void)state;
    struct verdict v = best();
    v.check_count = 0;
    assert_tier(&v, TRUST_CONFIGURATION, TIER_NONE);
    verdict_add(&v, "policy-debug", CHECK_SKIP, REASON_OK, "not asked for");
    assert_tier(&v, TRUST_CONFIGURATION, TIER_NONE);
}

/* Over every set of lacks, residuals and sources. */
static void simulated_evidence_and_roots_by_hand_never_affirm(void **state)
{
    (void)state;
    for (unsigned missing = 0; missing < 1u << MISSING_COUNT; missing++) {
        for (int source = 0; source < SOURCE_COUNT; source++) {
            struct verdict v = best();
            v.missing = missing;
            v.hardware = v.software = v.identity = (enum source)source;
            v.simulated = missing % 2 == 0;
            v.custom_roots = !v.simulated;
            const struct trust_vector vector = verdict_vector(&v);
            for (size_t i = 0; i < TRUST_CLAIM_COUNT; i++)
                assert_true(vector.at[i] == TIER_NONE || vector.at[i] == TIER_CONTRAINDICATED);
        }
    }
}

static void every_reason_speaks_against_something_and_nothing_for_it(void **state)
{
    (void)state;
    for (int reason = 0; reason < REASON_COUNT; reason++) {
        struct verdict v = best();
        v.trusted = false;
        v.reason = (enum reason)reason;
        const struct trust_vector vector = verdict_vector(&v);
        assert_int_equal(trust_vector_worst(&vector), TIER_CONTRAINDICATED);
        for (size_t i = 0; i < TRUST_CLAIM_COUNT; i++)
            assert_true(vector.at[i] == TIER_NONE || vector.at[i] == TIER_CONTRAINDICATED);
    }
}

static void all_that_failed_is_named_not_only_the_first(void **state)
{
    (void)state;
    struct verdict v = best();
    v.trusted = false;
    verdict_add(&v, "policy-measurement", CHECK_FAIL, REASON_POLICY_MEASUREMENT, "another");
    verdict_add(&v, "policy-tcb", CHECK_FAIL, REASON_POLICY_TCB, "low");
    assert_tier(&v, TRUST_EXECUTABLES, TIER_CONTRAINDICATED);
    assert_tier(&v, TRUST_HARDWARE, TIER_CONTRAINDICATED);
    assert_tier(&v, TRUST_INSTANCE_IDENTITY, TIER_NONE);
}

static void the_vector_stands_in_the_verdict_as_numbers(void **state)
{
    (void)state;
    const struct verdict v = best();
    OWNED(json_drop) json_t *json = verdict_to_json(&v);
    const json_t *vector = json_object_get(json, "trust_vector");
    assert_int_equal(json_object_size(vector), TRUST_CLAIM_COUNT);
    assert_int_equal(json_integer_value(json_object_get(vector, "hardware")), 2);
    assert_int_equal(json_integer_value(json_object_get(vector, "file-system")), 0);
}

static void tiers_have_their_words(void **state)
{
    (void)state;
    assert_string_equal(trust_tier_word(TIER_NONE), "none");
    assert_string_equal(trust_tier_word(TIER_AFFIRMING), "affirming");
    assert_string_equal(trust_tier_word(TIER_WARNING), "warning");
    assert_string_equal(trust_tier_word(TIER_CONTRAINDICATED), "contraindicated");
    const struct trust_vector denied = trust_vector_against(TRUST_EXECUTABLES);
    assert_int_equal(denied.at[TRUST_EXECUTABLES], TIER_CONTRAINDICATED);
    assert_int_equal(denied.at[TRUST_HARDWARE], TIER_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_proven_is_affirmed_and_nothing_else),
        cmocka_unit_test(each_lack_and_residual_is_seen_where_it_belongs),
        cmocka_unit_test(the_providers_word_warns_and_no_word_claims_nothing),
        cmocka_unit_test(a_configuration_that_no_policy_looked_at_is_not_claimed),
        cmocka_unit_test(simulated_evidence_and_roots_by_hand_never_affirm),
        cmocka_unit_test(every_reason_speaks_against_something_and_nothing_for_it),
        cmocka_unit_test(all_that_failed_is_named_not_only_the_first),
        cmocka_unit_test(the_vector_stands_in_the_verdict_as_numbers),
        cmocka_unit_test(tiers_have_their_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
