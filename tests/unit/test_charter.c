/* The charter: strict on the way in, and what follows from it (trust.md section 5; R5). */
#include "lib/model/charter.h"

#include <string.h>

#include "tests/support/small_charter.h"
#include "tests/support/test.h"

static void a_whole_charter_is_read(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *json = small_charter();
    OWNED(charter_drop) struct charter *c = small_charter_parsed(json);
    assert_int_equal(c->serial, 7);
    assert_int_equal(c->realm, REALM_SIMULATION);
    assert_true(c->custody_outside);
    const struct charter_policy *web = charter_find_policy(c, "web");
    assert_non_null(web);
    assert_int_equal(web->policy->snp.measurement.count, 2);
    assert_false(policy_takes_any_measurement(&web->policy->snp));
    assert_null(charter_find_policy(c, "other"));
    assert_int_equal(charter_find_grant(c, "host")->max_verdict_age_seconds, 600);
}

static void every_bad_value_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *value; /* NULL: remove */
    } changes[] = {
        {"charter", "2"},
        {"realm", "\"test\""},
        {"serial", "0"},
        {"serial", "-1"},
        {"serial", NULL},
        {"issued", NULL},
        {"expires", "\"2026-12-24T00:00:01Z\""},
        {"expires", "\"2026-11-23T00:00:00Z\""},
        {"surprise", "1"},
        {"policies", NULL},
        {"policies/web/snp", NULL},
        {"policies/web/snp/measurement", "\"any\""},
        {"policies/web/snp/surprise", "1"},
        {"policies/web/references", "[\"nobody\"]"},
        {"policies/web/references", NULL},
        {"policies/web/valid_seconds", "0"},
        {"policies/web/valid_seconds", "86401"},
        {"policies/UPPER", "{}"},
        {"references/direct/measurement", "[\"00\"]"},
        {"references/direct/measurement", "\"any\""}, /* and measured_boot: a contradiction */
        {"references/direct/measured_boot", "1"},
        {"references/direct/anchor", "\"hope\""},
        {"references/direct/provider_execution", NULL},
        {"references/direct/surprise", "true"},
        {"grants/web-key/policies", "[\"nobody\"]"},
        {"grants/web-key/policies", "\"any\""},
        {"grants/web-key/regions", NULL}, /* absent is not any */
        {"grants/web-key/accounts", NULL},
        {"grants/web-key/fleets", NULL},
        {"grants/web-key/least_level", "\"L0\""},
        {"grants/web-key/least_level", "\"L2\""}, /* and unproven software: a contradiction */
        {"grants/web-key/scope", "\"world\""},
        {"grants/web-key/kind", "\"disk-key\""},
        {"grants/web-key/origin", "\"import\""},
        {"grants/web-key/max_verdict_age_seconds", "0"},
        {"grants/web-key/surprise", "true"},
        {"deny", NULL},
        {"deny/chips", NULL},
        {"deny/chips", "\"any\""},
        {"deny/products", "[\"Rome\"]"},
        {"deny/products", "\"Milan\""},
        {"deny/regions", "[\"\"]"},
        {"deny/signers", "[\"00\"]"},
        {"references/stock/expires", "\"tomorrow\""},
        {"references/direct/expires", "\"1970-01-01T00:00:00Z\""}, /* else it would be none */
        {"references/direct/expires", "\"1970-01-01T01:00:00+01:00\""},
        {"deny/anchors", "[\"zz\"]"},
        {"keepers", "[\"00\"]"},
        {"custody", NULL},
        {"relying_parties", "[]"},
        {"relying_parties/vault", "{}"},
        {"relying_parties/UPPER", PARTY("\"https://vault\"", "[\"web\"]", "L1", "300")},
        {"relying_parties/vault", PARTY("\"\"", "[\"web\"]", "L1", "300")},
        {"relying_parties/vault", PARTY("\"a b\"", "[\"web\"]", "L1", "300")},
        {"relying_parties/vault", PARTY("\"muster-keeper\"", "[\"web\"]", "L1", "300")},
        {"relying_parties/vault", PARTY("\"muster-opinion\"", "[\"web\"]", "L1", "300")},
        {"relying_parties/vault", PARTY("\"https://bao\"", "[\"web\"]", "L1", "300")}, /* bao's */
        {"relying_parties/vault", PARTY("\"https://vault\"", "[\"nobody\"]", "L1", "300")},
        {"relying_parties/vault", PARTY("\"https://vault\"", "[\"web\"]", "L0", "300")},
        {"relying_parties/vault", PARTY("\"https://vault\"", "[\"web\"]", "L1", "301")},
        {"relying_parties/vault", PARTY("\"https://vault\"", "[\"web\"]", "L1", "0")},
        {"relying_parties/bao/allow_unproven_software", "true"}, /* and L2: a contradiction */
        {"relying_parties/bao/policies", NULL},                  /* absent is not any */
        {"relying_parties/bao/audience", NULL},
        {"relying_parties/bao/max_verdict_age_seconds", NULL},
        {"relying_parties/bao/valid_seconds", NULL},
        {"relying_parties/bao/surprise", "1"},
        {"tcb_floors", "{\"Zen\":{}}"},
        {"tcb_floors", "[]"},
        {"tcb_floors", "{\"Milan\":[{}, {\"snp\":1}]}"},
    };
    for (size_t i = 0; i < countof(changes); i++) {
        struct error err = {0};
        struct charter *charter = NULL;
        const char *last;
        OWNED(json_drop) json_t *json = small_charter();
        json_t *at = small_charter_parent(json, changes[i].path, &last);
        if (changes[i].value != NULL)
            json_object_set_new(at, last, json_loads(changes[i].value, JSON_DECODE_ANY, NULL));
        else
            json_object_del(at, last);
        OWNED(mem_drop) char *text = json_print(json);
        if (charter_parse(span_of_text(text), &charter, &err) != ERR_INVALID)
            fail_msg("taken: %s = %s", changes[i].path, changes[i].value);
        assert_null(charter);
    }
}

static void simulator_roots_exist_in_the_simulation_realm_only(void **state)
{
    (void)state;
    struct error err = {0};
    struct charter *charter = NULL;
    OWNED(json_drop) json_t *json = small_charter();
    OWNED(text_done) struct text hash = {0};
    text_add_hex(&hash, SPAN("0123456789abcdef0123456789abcdef", 32));
    json_array_append_new(json_object_get(json, "simulator_roots"), json_string(text_str(&hash)));
    OWNED(charter_drop) struct charter *simulation = small_charter_parsed(json);
    assert_true(charter_values_have(&simulation->simulator_roots,
                                    SPAN("0123456789abcdef0123456789abcdef", 32)));
    json_put_text(json, "realm", "production");
    OWNED(mem_drop) char *text = json_print(json);
    assert_fails(charter_parse(span_of_text(text), &charter, &err), ERR_INVALID, "bad-charter");
    assert_string_equal(err.where, "/simulator_roots");
}

static void a_charter_counts_in_its_realm_and_time_only(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(json_drop) json_t *json = small_charter();
    OWNED(charter_drop) struct charter *c = small_charter_parsed(json);
    struct moment now = moment_add_seconds(c->issued, 60);
    assert_ok(charter_check(c, REALM_SIMULATION, now, &err));
    assert_fails(charter_check(c, REALM_PRODUCTION, now, &err), ERR_DENIED, "charter-realm");
    assert_fails(charter_check(c, REALM_SIMULATION, c->expires, &err), ERR_DENIED,
                 "charter-expired");
    assert_fails(charter_check(c, REALM_SIMULATION, moment_add_seconds(c->issued, -3600), &err),
                 ERR_DENIED, "charter-not-yet-valid");
}

static void an_image_is_worth_the_least_that_its_references_say(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *json = small_charter();
    OWNED(charter_drop) struct charter *c = small_charter_parsed(json);
    const struct charter_policy *web = charter_find_policy(c, "web");
    uint8_t measurement[CHARTER_MEASUREMENT_SIZE];
    struct image_facts facts;
    const struct moment day = c->issued;
    memset(measurement, 0x11, sizeof measurement);
    assert_true(charter_image_facts(c, web, EVIDENCE_SNP, SPAN_OF(measurement), day, &facts));
    assert_true(facts.measured_boot && facts.provider_execution_off);
    assert_int_equal(facts.anchor, ANCHOR_HOST_DATA);
    memset(measurement, 0x22, sizeof measurement);
    assert_true(charter_image_facts(c, web, EVIDENCE_SNP, SPAN_OF(measurement), day, &facts));
    assert_false(facts.measured_boot || facts.provider_execution_off);
    measurement[0] = 0;
    assert_false(charter_image_facts(c, web, EVIDENCE_SNP, SPAN_OF(measurement), day, &facts));
    assert_false(facts.measured_boot);
}

static void a_retired_reference_neither_passes_nor_leaves_the_policy_the_same(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *json = small_charter();
    OWNED(charter_drop) struct charter *before = small_charter_parsed(json);
    const char *last;
    json_put_bool(small_charter_parent(json, "references/direct/x", &last), "retired", true);
    OWNED(charter_drop) struct charter *after = small_charter_parsed(json);
    const struct charter_policy *web = charter_find_policy(after, "web");
    uint8_t measurement[CHARTER_MEASUREMENT_SIZE];
    struct image_facts facts;
    const struct moment day = after->issued;
    memset(measurement, 0x11, sizeof measurement);
    assert_false(charter_image_facts(after, web, EVIDENCE_SNP, SPAN_OF(measurement), day, &facts));
    assert_false(value_set_has(&web->policy->snp.measurement, SPAN_OF(measurement)));
    assert_memory_not_equal(web->digest, charter_find_policy(before, "web")->digest, SHA256_SIZE);
}

static void a_floor_of_the_charter_raises_that_of_every_policy(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *json = small_charter();
    const char *last;
    json_object_set_new(json, "tcb_floors", json_pack("{s:{s:i}}", "Milan", "snp", 24));
    json_object_set_new(small_charter_parent(json, "policies/web/snp/x", &last), "min_tcb",
                        json_pack("{s:{s:i,s:i}}", "Milan", "snp", 20, "ucode", 219));
    OWNED(charter_drop) struct charter *c = small_charter_parsed(json);
    const struct snp_policy *p = &charter_find_policy(c, "web")->policy->snp;
    assert_int_equal(p->min_tcb[PRODUCT_MILAN].first.part[TCB_SNP], 24);
    assert_int_equal(p->min_tcb[PRODUCT_MILAN].first.part[TCB_UCODE], 219);
}

/* Where policy and charter both list products, one that either leaves out is refused. */
static void floors_let_in_no_product_that_policy_or_charter_leaves_out(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *json = small_charter();
    const char *last;
    json_object_set_new(json, "tcb_floors",
                        json_pack("{s:{s:i},s:{s:i}}", "Milan", "snp", 24, "Genoa", "snp", 20));
    json_object_set_new(small_charter_parent(json, "policies/web/snp/x", &last), "min_tcb",
                        json_pack("{s:{s:i},s:{s:i}}", "Milan", "snp", 20, "Turin", "snp", 1));
    OWNED(charter_drop) struct charter *c = small_charter_parsed(json);
    const struct snp_policy *p = &charter_find_policy(c, "web")->policy->snp;
    assert_true(p->has_min_tcb && p->has_floor[PRODUCT_MILAN]);
    assert_false(p->has_floor[PRODUCT_GENOA]);
    assert_false(p->has_floor[PRODUCT_TURIN]);
}

/* Custody makes the level, a simulator's roots its trust: a verdict under others is another one. */
static void whatever_a_verdict_follows_from_changes_its_policy(void **state)
{
    (void)state;
    static const struct {
        const char *path, *value;
    } changes[] = {
        {"custody/keeper", "\"cloud\""},
        {"custody/kek", "\"kms\""},
        {"simulator_roots",
         "[\"00000000000000000000000000000000000000000000000000000000000000aa\"]"},
        {"tcb_floors", "{\"Milan\":{}}"},
        {"policies/web/valid_seconds", "60"},
    };
    OWNED(json_drop) json_t *json = small_charter();
    OWNED(charter_drop) struct charter *before = small_charter_parsed(json);
    for (size_t i = 0; i < countof(changes); i++) {
        OWNED(json_drop) json_t *other = small_charter();
        const char *last;
        json_t *at = small_charter_parent(other, changes[i].path, &last);
        json_object_set_new(at, last, json_loads(changes[i].value, JSON_DECODE_ANY, NULL));
        OWNED(charter_drop) struct charter *after = small_charter_parsed(other);
        assert_memory_not_equal(charter_find_policy(after, "web")->digest,
                                charter_find_policy(before, "web")->digest, SHA256_SIZE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_charter_is_read),
        cmocka_unit_test(every_bad_value_is_refused_with_its_place),
        cmocka_unit_test(simulator_roots_exist_in_the_simulation_realm_only),
        cmocka_unit_test(a_charter_counts_in_its_realm_and_time_only),
        cmocka_unit_test(an_image_is_worth_the_least_that_its_references_say),
        cmocka_unit_test(a_retired_reference_neither_passes_nor_leaves_the_policy_the_same),
        cmocka_unit_test(a_floor_of_the_charter_raises_that_of_every_policy),
        cmocka_unit_test(floors_let_in_no_product_that_policy_or_charter_leaves_out),
        cmocka_unit_test(whatever_a_verdict_follows_from_changes_its_policy),
    };
    return cmocka_run_group_tests_name("charter", tests, NULL, NULL);
}
