/* Edition current: what holds today on three clouds, and how a rule's dates, effect and waivers
 * come in. */
#include "drivers/catalogue.h"

#include <stdio.h>
#include <string.h>

#include "lib/attest/launch_reference.h"
#include "tests/support/rules.h"
#include "tests/support/test.h"

static int open_current(void **state)
{
    *state = rules_edition(CATALOGUE_CURRENT);
    return 0;
}

static int close_current(void **state)
{
    catalogue_free(*state);
    return 0;
}

static void size_on(void **state, const char *cloud, const char *size, const char *rules)
{
    char wish[256];
    snprintf(wish, sizeof wish, "{\"cloud\":\"%s\",\"size\":\"%s\",\"features\":[\"snp\"]}", cloud,
             size);
    if (strcmp(rules_broken(*state, wish), rules) != 0)
        fail_msg("'%s' breaks '%s'", size, rules_broken(*state, wish));
}

static void azure_has_snp_on_its_a_sizes_alone(void **state)
{
    static const char *const yes[] = {
        "Standard_DC2as_v5",   "Standard_DC96as_v5",       "Standard_DC4ads_v5",
        "Standard_EC20as_v5",  "Standard_EC96ads_v5",      "Standard_EC96ias_v5",
        "Standard_DC2as_v6",   "Standard_DC8ads_v6",       "Standard_EC4as_v6",
        "Standard_EC96ads_v6", "Standard_NCC40ads_H100_v5"};
    static const char *const no[] = {"DC2es_v5",          "Standard_DC2es_v5", "Standard_EC2es_v6",
                                     "Standard_DC2as_v4", "Standard_DC1as_v5", "Standard_DC20as_v5",
                                     "DC2as_v5",          "standard_dc2as_v5", "Standard_DC2as_v5 ",
                                     "Standard_D2as_v5",  "Standard_DC2s_v3",  "Standard_EC20as_v6",
                                     "m6a.large"};
    for (size_t i = 0; i < countof(yes); i++)
        size_on(state, "azure", yes[i], "");
    for (size_t i = 0; i < countof(no); i++)
        size_on(state, "azure", no[i], "azure-snp-sizes");
}

/* What launch digests are worked out for is what may be launched. */
static void references_are_made_for_the_sizes_of_the_catalogue(void **state)
{
    const struct catalogue_rule *rule = catalogue_find(*state, "snp-sizes");
    assert_int_equal(json_object_size(rule->sizes), EC2_SIZE_COUNT);
    for (size_t i = 0; i < EC2_SIZE_COUNT; i++) {
        assert_non_null(json_object_get(rule->sizes, ec2_sizes[i].name));
        assert_int_equal(catalogue_size(*state, DRIVER_AWS, ec2_sizes[i].name).vcpus,
                         ec2_sizes[i].vcpus);
    }
}

static void google_has_snp_on_n2d_alone(void **state)
{
    static const char *const yes[] = {"n2d-standard-2", "n2d-standard-224", "n2d-highmem-96",
                                      "n2d-highcpu-8"};
    static const char *const no[] = {"c3d-standard-4", "c3-standard-4",   "n2-standard-2",
                                     "n2d-standard-3", "n2d-highmem-224", "n2d-custom-2-4096",
                                     "N2D-standard-2", "c2d-standard-2",  "Standard_DC2as_v5"};
    for (size_t i = 0; i < countof(yes); i++)
        size_on(state, "gcp", yes[i], "");
    for (size_t i = 0; i < countof(no); i++)
        size_on(state, "gcp", no[i], "gcp-snp-sizes");
}

/* What a describe call would know better is no reason to refuse. */
static void a_place_that_is_only_known_from_hearsay_warns(void **state)
{
    static const struct {
        const char *wish, *warnings;
    } rows[] = {
        {"{\"cloud\":\"azure\",\"region\":\"westeurope\",\"features\":[\"snp\"]}", ""},
        {"{\"cloud\":\"azure\",\"region\":\"polandcentral\",\"features\":[\"snp\"]}",
         "azure-snp-regions"},
        {"{\"cloud\":\"gcp\",\"region\":\"europe-west4\",\"zone\":\"europe-west4-a\","
         "\"features\":[\"snp\"]}",
         ""},
        {"{\"cloud\":\"gcp\",\"region\":\"us-east1\",\"zone\":\"us-east1-b\","
         "\"features\":[\"snp\"]}",
         "gcp-snp-regions,gcp-snp-zones"},
        {"{\"cloud\":\"gcp\",\"region\":\"us-central1\",\"zone\":\"us-central1-f\","
         "\"features\":[\"snp\"]}",
         "gcp-snp-zones"},
        {"{\"cloud\":\"aws\",\"region\":\"eu-south-2\",\"enclaves\":{}}", "ne-regions"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        assert_string_equal(rules_broken(*state, rows[i].wish), "");
        assert_string_equal(rules_found(*state, NULL, rows[i].wish, FINDING_WARNING),
                            rows[i].warnings);
    }
}

static void combinations_are_refused_on_each_cloud(void **state)
{
#define ON(cloud, features) "{\"cloud\":\"" cloud "\",\"features\":[" features "]}"
    static const struct {
        const char *wish, *rules;
    } rows[] = {
        {ON("aws", "\"snp\",\"enclaves\""), "snp-no-enclaves"},
        {ON("aws", "\"snp\",\"hibernation\""), "snp-no-hibernation"},
        {ON("azure", "\"snp\",\"hibernation\""), "azure-snp-no-hibernation"},
        {ON("azure", "\"snp\",\"ephemeral-disk\""), "azure-snp-no-ephemeral-disk"},
        {ON("azure", "\"snp\",\"confidential-disk\",\"host-encryption\""), "azure-host-encryption"},
        {ON("azure", "\"snp\",\"host-encryption\""), ""},
        {ON("azure", "\"snp\",\"confidential-disk\",\"no-secure-boot\""),
         "azure-confidential-disk"},
        {ON("azure", "\"enclaves\""), "azure-no-enclaves"},
        {ON("gcp", "\"enclaves\""), "gcp-no-enclaves"},
        {ON("gcp", "\"snp\",\"live-migration\""), "gcp-snp-no-live-migration"},
        {ON("gcp", "\"snp\",\"suspend\""), "gcp-snp-no-suspend"},
        {ON("gcp", "\"live-migration\""), ""},
    };
    for (size_t i = 0; i < countof(rows); i++)
        assert_string_equal(rules_broken(*state, rows[i].wish), rows[i].rules);
}

/* E2: the older rule has an end, and each of its days is judged by what held then. */
static void a_rule_counts_from_its_date_to_its_end(void **state)
{
#define DEDICATED(at)                                                                              \
    "{\"cloud\":\"aws\",\"features\":[\"snp\",\"dedicated-host\"],\"at\":\"" at "\"}"
    assert_string_equal(rules_broken(*state, DEDICATED("2022-12-31T23:59:59Z")), "");
    assert_string_equal(rules_broken(*state, DEDICATED("2023-01-01T00:00:00Z")),
                        "snp-no-dedicated-host");
    assert_string_equal(rules_broken(*state, DEDICATED("2026-11-22T23:59:59Z")),
                        "snp-no-dedicated-host");
    assert_string_equal(rules_broken(*state, DEDICATED("2026-11-23T00:00:00Z")), "");
    OWNED(catalogue_drop) struct catalogue *seed = rules_edition(CATALOGUE_SEED);
    assert_string_equal(rules_broken(seed, DEDICATED("2026-11-23T00:00:00Z")),
                        "snp-no-dedicated-host");
}

/* R38: whole cores, and something is left to the parent. */
static void enclaves_fit_their_parent(void **state)
{
    static const struct {
        const char *size, *enclaves, *rules;
    } rows[] = {
        {"m5.xlarge", "\"vcpus\":2", ""},
        {"m5.xlarge", "\"vcpus\":3", "ne-x86-whole-cores,ne-x86-parent-keeps"},
        {"m5.xlarge", "\"vcpus\":4", "ne-x86-parent-keeps"},
        {"m5.2xlarge", "\"vcpus\":2,\"count\":3", ""},
        {"m5.2xlarge", "\"vcpus\":2,\"count\":4", "ne-x86-parent-keeps"},
        {"m5.xlarge", "\"vcpus\":1", "ne-x86-whole-cores"},
        {"m6g.large", "\"vcpus\":1", ""},
        {"m6g.large", "\"vcpus\":2", "ne-graviton-parent-keeps"},
        {"m6g.xlarge", "\"vcpus\":3", ""},
        {"m5.xlarge", "\"memory_mib\":64", ""},
        {"m5.xlarge", "\"memory_mib\":63", "ne-enclave-memory"},
        {"m5.24xlarge", "\"vcpus\":2,\"count\":5", "ne-enclaves-per-parent"},
        {"hpc7a.12xlarge", "\"vcpus\":22", ""},
        {"hpc7a.12xlarge", "\"vcpus\":24", "ne-x86-parent-keeps"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        char wish[256];
        snprintf(wish, sizeof wish, "{\"cloud\":\"aws\",\"size\":\"%s\",\"enclaves\":{%s}}",
                 rows[i].size, rows[i].enclaves);
        if (strcmp(rules_broken(*state, wish), rows[i].rules) != 0)
            fail_msg("%s breaks '%s'", wish, rules_broken(*state, wish));
    }
}

static void a_waiver_lets_one_rule_pass_and_is_told(void **state)
{
    static const char *const waived[] = {"snp-regions", "no-such"};
    const struct catalogue_waivers waivers = {waived, countof(waived)};
    static const char wish[] = "{\"cloud\":\"aws\",\"region\":\"us-east-1\",\"size\":\"m5.large\","
                               "\"features\":[\"snp\"]}";
    assert_string_equal(rules_found(*state, NULL, wish, FINDING_BROKEN), "snp-sizes,snp-regions");
    assert_string_equal(rules_found(*state, &waivers, wish, FINDING_BROKEN), "snp-sizes");
    assert_string_equal(rules_found(*state, &waivers, wish, FINDING_WAIVED), "snp-regions");
}

static void a_refusal_names_rules_and_source(void **state)
{
    struct error err = {0};
    struct catalogue_wish wish = {.cloud = DRIVER_AWS, .features = FEATURE_BIT(FEATURE_SNP)};
    OWNED(finding_list_done) struct finding_list list = {0};
    snprintf(wish.size, sizeof wish.size, "m5.large");
    snprintf(wish.region, sizeof wish.region, "us-east-1");
    catalogue_check(*state, NULL, &wish, &list);
    assert_fails(findings_refuse(&list, &err), ERR_INVALID, "against-the-catalogue");
    assert_non_null(strstr(err.text, "snp-sizes, snp-regions"));
    OWNED(json_drop) json_t *shown = findings_to_json(&list);
    const json_t *first = json_array_get(shown, 0);
    assert_string_equal(json_string_value(json_object_get(first, "rule")), "snp-sizes");
    assert_string_equal(json_string_value(json_object_get(first, "result")), "broken");
    assert_string_equal(json_string_value(json_object_get(first, "sure")), "knowledge");
    assert_non_null(strstr(json_string_value(json_object_get(first, "source")), "EC2 API model"));
    assert_non_null(strstr(json_string_value(json_object_get(first, "says")), "m6a.large"));
}

static void a_wish_is_read_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *wish, *code;
    } rows[] = {
        {"[]", "invalid"},
        {"{}", "missing-member"},
        {"{\"cloud\":\"vax\"}", "unknown-word"},
        {"{\"cloud\":\"aws\",\"colour\":1}", "unknown-member"},
        {"{\"cloud\":\"aws\",\"size\":7}", "wrong-type"},
        {"{\"cloud\":\"aws\",\"features\":[\"teleport\"]}", "unknown-word"},
        {"{\"cloud\":\"aws\",\"features\":\"snp\"}", "wrong-type"},
        {"{\"cloud\":\"aws\",\"os\":{\"name\":\"x\",\"kernel\":1}}", "unknown-member"},
        {"{\"cloud\":\"aws\",\"enclaves\":{\"count\":1001}}", "out-of-range"},
        {"{\"cloud\":\"aws\",\"enclaves\":{\"disks\":1}}", "unknown-member"},
        {"{\"cloud\":\"aws\",\"from\":{}}", "missing-member"},
        {"{\"cloud\":\"aws\",\"os\":{\"name\":\"a\\u0007\"}}", "unclean-text"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct error err = {0};
        struct catalogue_wish wish;
        OWNED(json_drop) json_t *json = json_loads(rows[i].wish, JSON_DECODE_ANY, NULL);
        assert_non_null(json);
        assert_int_equal(catalogue_wish_from_json(json, &wish, &err), ERR_INVALID);
        if (strcmp(err.code, rows[i].code) != 0)
            fail_msg("%s: %s", rows[i].wish, err.code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(azure_has_snp_on_its_a_sizes_alone),
        cmocka_unit_test(references_are_made_for_the_sizes_of_the_catalogue),
        cmocka_unit_test(google_has_snp_on_n2d_alone),
        cmocka_unit_test(a_place_that_is_only_known_from_hearsay_warns),
        cmocka_unit_test(combinations_are_refused_on_each_cloud),
        cmocka_unit_test(a_rule_counts_from_its_date_to_its_end),
        cmocka_unit_test(enclaves_fit_their_parent),
        cmocka_unit_test(a_waiver_lets_one_rule_pass_and_is_told),
        cmocka_unit_test(a_refusal_names_rules_and_source),
        cmocka_unit_test(a_wish_is_read_strictly),
    };
    return cmocka_run_group_tests_name("catalogue_current", tests, open_current, close_current);
}
