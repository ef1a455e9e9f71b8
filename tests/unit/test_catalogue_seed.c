/* Edition seed-2025 is the founding whitepaper's Appendix A: each type and each region that it
 * names is accepted or refused, and so is what nearly is one of them. R1, R33, R144 to R168. */
#include "drivers/catalogue.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/rules.h"
#include "tests/support/test.h"

static int open_seed(void **state)
{
    *state = rules_edition(CATALOGUE_SEED);
    return 0;
}

static int close_seed(void **state)
{
    catalogue_free(*state);
    return 0;
}

/* ---- AMD SEV-SNP ---------------------------------------------------------------------------- */

static void snp_on(void **state, const char *size, const char *region, const char *rules)
{
    char wish[512];
    snprintf(wish, sizeof wish,
             "{\"cloud\":\"aws\",\"size\":\"%s\",\"region\":\"%s\",\"features\":[\"snp\"]}", size,
             region);
    if (strcmp(rules_broken(*state, wish), rules) != 0)
        fail_msg("'%s' in '%s' breaks '%s'", size, region, rules_broken(*state, wish));
}

/* R158 */
static void snp_runs_on_exactly_sixteen_types(void **state)
{
    static const char *const yes[] = {"m6a.large",   "m6a.xlarge",  "m6a.2xlarge",  "m6a.4xlarge",
                                      "m6a.8xlarge", "c6a.large",   "c6a.xlarge",   "c6a.2xlarge",
                                      "c6a.4xlarge", "c6a.8xlarge", "c6a.12xlarge", "c6a.16xlarge",
                                      "r6a.large",   "r6a.xlarge",  "r6a.2xlarge",  "r6a.4xlarge"};
    static const char *const no[] = {
        "m6a.12xlarge", "m6a.16xlarge",  "m6a.24xlarge", "m6a.32xlarge", "m6a.48xlarge",
        "m6a.metal",    "c6a.24xlarge",  "c6a.32xlarge", "c6a.48xlarge", "c6a.metal",
        "r6a.8xlarge",  "r6a.12xlarge",  "r6a.16xlarge", "r6a.metal",    "M6A.large",
        "m6a.Large",    "m6a.large ",    " m6a.large",   "m6a.large.",   "m6a",
        "m6a.",         "m6i.large",     "m6g.large",    "m7a.large",    "m6ad.large",
        "c6i.large",    "c5a.large",     "r6i.large",    "r7a.large",    "t3.micro",
        "m5.large",     "m6a.medium",    "m6a.3xlarge",  "m6a.02xlarge", "Standard_DC2as_v5",
        "DC2es_v5",     "n2d-standard-2"};
    for (size_t i = 0; i < countof(yes); i++)
        snp_on(state, yes[i], "us-east-2", "");
    for (size_t i = 0; i < countof(no); i++)
        snp_on(state, no[i], "us-east-2", "snp-sizes");
    const struct catalogue_rule *rule = catalogue_find(*state, "snp-sizes");
    assert_int_equal(json_object_size(rule->sizes), countof(yes));
}

/* R159 */
static void snp_runs_in_two_regions(void **state)
{
    static const char *const no[] = {"us-east-1",    "us-west-2",    "eu-west-2",     "eu-west-3",
                                     "eu-central-1", "us-east-2a",   "US-EAST-2",     "us-east-2 ",
                                     "eu-west-11",   "eu-west",      "us-gov-east-1", "cn-north-1",
                                     "westeurope",   "europe-west4", "eu_west_1",     "us-east-22"};
    snp_on(state, "m6a.large", "us-east-2", "");
    snp_on(state, "m6a.large", "eu-west-1", "");
    for (size_t i = 0; i < countof(no); i++)
        snp_on(state, "m6a.large", no[i], "snp-regions");
    snp_on(state, "m6a.12xlarge", "us-east-1", "snp-sizes,snp-regions");
}

/* R160 */
static void snp_boots_by_uefi(void **state)
{
    static const struct {
        const char *mode, *rules;
    } rows[] = {
        {"uefi", ""},
        {"uefi-preferred", ""},
        {"legacy-bios", "snp-boot-mode"},
        {"UEFI", "snp-boot-mode"},
        {"bios", "snp-boot-mode"},
        {"uefi-", "snp-boot-mode"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        char wish[256];
        snprintf(wish, sizeof wish,
                 "{\"cloud\":\"aws\",\"boot_mode\":\"%s\",\"features\":[\"snp\"]}", rows[i].mode);
        assert_string_equal(rules_broken(*state, wish), rows[i].rules);
    }
}

static void on_os(void **state, const char *features, const char *name, const char *version,
                  const char *rules)
{
    char wish[256];
    snprintf(wish, sizeof wish,
             "{\"cloud\":\"aws\",\"os\":{\"name\":\"%s\",\"version\":\"%s\"},\"features\":[%s]}",
             name, version, features);
    if (strcmp(rules_broken(*state, wish), rules) != 0)
        fail_msg("%s %s breaks '%s'", name, version, rules_broken(*state, wish));
}

/* R161 */
static void snp_needs_a_system_that_knows_it(void **state)
{
    static const struct {
        const char *name, *version;
        bool taken;
    } rows[] = {
        {"amzn", "2023", true},     {"amzn", "2023.5.20240805", true},
        {"amzn", "2", false},       {"amzn", "2018.03", false},
        {"al2023", "", true},       {"al2", "", false},
        {"rhel", "9.3", true},      {"rhel", "9.4", true},
        {"rhel", "10.0", true},     {"rhel", "9.10", true},
        {"rhel", "9.2", false},     {"rhel", "8.10", false},
        {"rhel", "9", false},       {"sles", "15.4", true},
        {"sles", "15-SP4", true},   {"sles", "15-SP5", true},
        {"sles", "15-SP3", false},  {"sles", "15", false},
        {"sles", "12-SP5", false},  {"sles", "16", true},
        {"ubuntu", "23.04", true},  {"ubuntu", "24.04", true},
        {"ubuntu", "22.10", false}, {"ubuntu", "22.04", false},
        {"ubuntu", "23.03", false}, {"debian", "12", false},
        {"windows", "2022", false}, {"Ubuntu", "24.04", false},
    };
    for (size_t i = 0; i < countof(rows); i++)
        on_os(state, "\"snp\"", rows[i].name, rows[i].version,
              rows[i].taken ? "" : "snp-operating-system");
}

/* R162, R163, R164 */
static void snp_is_for_life_and_types_change_among_its_own(void **state)
{
    static const struct {
        const char *from, *to, *rules;
        bool was, is;
    } rows[] = {
        {"m6a.large", "m6a.xlarge", "", true, true},
        {"m6a.large", "r6a.4xlarge", "", true, true},
        {"m6a.large", "m5.large", "snp-sizes,snp-type-change", true, true},
        {"m6a.large", "m6a.12xlarge", "snp-sizes,snp-type-change", true, true},
        {"m6a.large", "m6a.large", "snp-lifelong", true, false},
        {"m6a.large", "m5.large", "snp-lifelong,snp-type-change", true, false},
        {"m6a.large", "m6a.large", "snp-launch-only", false, true},
        {"m5.large", "m5.xlarge", "", false, false},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        char wish[256];
        snprintf(wish, sizeof wish,
                 "{\"cloud\":\"aws\",\"size\":\"%s\",\"features\":[%s],"
                 "\"from\":{\"size\":\"%s\",\"features\":[%s]}}",
                 rows[i].to, rows[i].is ? "\"snp\"" : "", rows[i].from,
                 rows[i].was ? "\"snp\"" : "");
        if (strcmp(rules_broken(*state, wish), rows[i].rules) != 0)
            fail_msg("%s to %s breaks '%s'", rows[i].from, rows[i].to, rules_broken(*state, wish));
    }
}

/* R1, R165, R166 */
static void snp_goes_with_nothing_of_these(void **state)
{
#define WITH(features) "{\"cloud\":\"aws\",\"features\":[\"snp\"," features "]}"
    assert_string_equal(rules_broken(*state, WITH("\"hibernation\"")), "snp-no-hibernation");
    assert_string_equal(rules_broken(*state, WITH("\"enclaves\"")), "snp-no-enclaves");
    assert_string_equal(rules_broken(*state, WITH("\"dedicated-host\"")), "snp-no-dedicated-host");
    assert_string_equal(
        rules_broken(*state, "{\"cloud\":\"aws\",\"features\":[\"snp\"],\"enclaves\":{}}"),
        "snp-no-enclaves");
    assert_string_equal(rules_broken(*state, "{\"cloud\":\"aws\",\"features\":[\"hibernation\"]}"),
                        "");
    assert_string_equal(
        rules_broken(*state, "{\"cloud\":\"aws\",\"features\":[\"dedicated-host\"]}"), "");
    assert_string_equal(rules_broken(*state, WITH("\"suspend\"")), "");
}

/* ---- Nitro Enclaves ------------------------------------------------------------------------- */

static void parent_of(void **state, const char *size, const char *rules)
{
    char wish[256];
    snprintf(wish, sizeof wish, "{\"cloud\":\"aws\",\"size\":\"%s\",\"enclaves\":{\"count\":1}}",
             size);
    if (strcmp(rules_broken(*state, wish), rules) != 0)
        fail_msg("%s breaks '%s'", size, rules_broken(*state, wish));
}

/* R33, R144 */
static void a_parent_is_virtual_and_of_the_nitro_system(void **state)
{
    static const char *const yes[] = {"m5.xlarge",   "c5n.2xlarge", "r6i.xlarge",  "m6a.xlarge",
                                      "c7a.4xlarge", "m6g.large",   "c6gn.xlarge", "r8g.large",
                                      "i4i.xlarge",  "z1d.xlarge",  "p5.48xlarge", "g5.xlarge"};
    static const char *const no[] = {"m5.metal",  "m6a.metal",      "c5.metal",
                                     "m6g.metal", "c7i.metal-24xl", "r5.metal"};
    static const char *const others[] = {"m4.xlarge",  "t2.large",   "c4.2xlarge", "i3.xlarge",
                                         "p3.2xlarge", "x1e.xlarge", "M5.xlarge",  "m5",
                                         "m5xlarge",   "m55.xlarge"};
    for (size_t i = 0; i < countof(yes); i++)
        parent_of(state, yes[i], "");
    for (size_t i = 0; i < countof(no); i++)
        parent_of(state, no[i], "ne-parent-nitro");
    for (size_t i = 0; i < countof(others); i++)
        parent_of(state, others[i], "ne-parent-nitro");
}

/* R145, R147 */
static void a_parent_has_enough_vcpus(void **state)
{
    parent_of(state, "m5.large", "ne-x86-vcpus");
    parent_of(state, "m6a.large", "ne-x86-vcpus");
    parent_of(state, "c6i.large", "ne-x86-vcpus");
    parent_of(state, "m5.xlarge", "");
    parent_of(state, "m6a.xlarge", "");
    parent_of(state, "m6g.medium", "ne-graviton-vcpus");
    parent_of(state, "c8g.medium", "ne-graviton-vcpus");
    parent_of(state, "m6g.large", "");
    parent_of(state, "c8g.large", "");
}

/* R146: each of the fifteen. */
static void intel_and_amd_types_are_excluded_by_name(void **state)
{
    static const char *const no[] = {
        "c7i.24xlarge",    "c7i.48xlarge",     "g4ad.4xlarge",   "m7i.24xlarge",    "m7i.48xlarge",
        "m7i-flex.xlarge", "r7i.24xlarge",     "r7i.48xlarge",   "r7iz.xlarge",     "t3.xlarge",
        "t3a.2xlarge",     "trn1.2xlarge",     "trn1n.32xlarge", "u-6tb1.56xlarge", "vt1.3xlarge",
        "u-3tb1.56xlarge", "u-24tb1.112xlarge"};
    static const char *const yes[] = {
        "c7i.16xlarge", "c7i.12xlarge",  "m7i.16xlarge",       "r7i.16xlarge", "c7i-flex.xlarge",
        "g4dn.xlarge",  "trn2.48xlarge", "u7i-12tb.224xlarge", "c7a.24xlarge", "m7a.48xlarge"};
    for (size_t i = 0; i < countof(no); i++)
        parent_of(state, no[i], "ne-x86-excluded");
    for (size_t i = 0; i < countof(yes); i++)
        parent_of(state, yes[i], "");
    parent_of(state, "t3.micro", "ne-x86-vcpus,ne-x86-excluded");
}

/* R148: each of the twelve. */
static void graviton_types_are_excluded_by_name(void **state)
{
    static const char *const no[] = {"a1.large",      "c7gd.large",  "c7gn.large",   "g5g.xlarge",
                                     "hpc7g.4xlarge", "im4gn.large", "is4gen.large", "m7g.large",
                                     "m7gd.large",    "r7g.large",   "r7gd.large",   "t4g.large"};
    static const char *const yes[] = {"c7g.large", "c6gn.large", "m6gd.large", "r6gd.large",
                                      "i4g.large", "m8g.large",  "c8gn.large", "x2gd.large"};
    for (size_t i = 0; i < countof(no); i++)
        parent_of(state, no[i], "ne-graviton-excluded");
    for (size_t i = 0; i < countof(yes); i++)
        parent_of(state, yes[i], "");
}

/* R149, R150 */
static void a_parent_runs_linux_or_windows_and_an_enclave_linux(void **state)
{
    on_os(state, "\"enclaves\"", "ubuntu", "18.04", "");
    on_os(state, "\"enclaves\"", "debian", "12", "");
    on_os(state, "\"enclaves\"", "windows", "2016", "");
    on_os(state, "\"enclaves\"", "windows", "2022", "");
    on_os(state, "\"enclaves\"", "windows", "2012-R2", "ne-parent-os");
    on_os(state, "\"enclaves\"", "freebsd", "14", "ne-parent-os");
    on_os(state, "\"enclaves\"", "macos", "14", "ne-parent-os");
    assert_string_equal(rules_broken(*state, "{\"cloud\":\"aws\",\"enclaves\":{\"os\":\"linux\"}}"),
                        "");
    assert_string_equal(
        rules_broken(*state, "{\"cloud\":\"aws\",\"enclaves\":{\"os\":\"windows\"}}"),
        "ne-enclave-os");
}

/* R151: each of the 25. */
static void enclaves_run_in_twenty_five_regions(void **state)
{
    static const char *const yes[] = {
        "us-east-2",      "us-east-1",      "us-west-1",      "us-west-2",      "af-south-1",
        "ap-east-1",      "ap-south-2",     "ap-southeast-3", "ap-south-1",     "ap-northeast-3",
        "ap-northeast-2", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "ca-central-1",
        "eu-central-1",   "eu-west-1",      "eu-west-2",      "eu-south-1",     "eu-west-3",
        "eu-north-1",     "me-south-1",     "sa-east-1",      "us-gov-east-1",  "us-gov-west-1"};
    static const char *const no[] = {"eu-south-2", "eu-central-2", "il-central-1", "ap-southeast-4",
                                     "ca-west-1",  "me-central-1", "cn-north-1",   "us-east-3",
                                     "US-EAST-1",  "us-east-1 ",   "mx-central-1"};
    const struct catalogue_rule *rule = catalogue_find(*state, "ne-regions");
    assert_int_equal(countof(yes), 25);
    assert_int_equal(json_object_size(rule->regions), 25);
    for (size_t i = 0; i < countof(yes) + countof(no); i++) {
        bool is_one = i < countof(yes);
        char wish[256];
        snprintf(wish, sizeof wish, "{\"cloud\":\"aws\",\"region\":\"%s\",\"enclaves\":{}}",
                 is_one ? yes[i] : no[i - countof(yes)]);
        assert_string_equal(rules_broken(*state, wish), is_one ? "" : "ne-regions");
    }
}

/* R152 */
static void a_parent_has_at_most_four_enclaves(void **state)
{
    for (int n = 1; n <= 6; n++) {
        char wish[128];
        snprintf(wish, sizeof wish, "{\"cloud\":\"aws\",\"enclaves\":{\"count\":%d}}", n);
        assert_string_equal(rules_broken(*state, wish), n <= 4 ? "" : "ne-enclaves-per-parent");
    }
}

/* R155, R156, R157 */
static void enclaves_do_not_hibernate_and_stay_in_the_region(void **state)
{
#define PARENT(more) "{\"cloud\":\"aws\",\"enclaves\":{}," more "}"
    static const struct {
        const char *wish, *rules;
    } rows[] = {
        {PARENT("\"features\":[\"hibernation\"]"), "ne-no-hibernation"},
        {PARENT("\"features\":[\"outpost\"]"), "ne-no-outposts"},
        {PARENT("\"region\":\"us-west-2\",\"zone\":\"us-west-2-lax-1a\""), "ne-no-local-zones"},
        {PARENT("\"region\":\"us-east-1\",\"zone\":\"us-east-1-wl1-bos-wlz-1\""),
         "ne-no-local-zones"},
        {PARENT("\"features\":[\"wavelength-zone\"]"), "ne-no-local-zones"},
        {PARENT("\"zone\":\"us-west-2-lax-1a\""), "ne-no-local-zones"},
        {PARENT("\"region\":\"us-east-1\",\"zone\":\"us-west-2-lax-1b\""), "ne-no-local-zones"},
        {PARENT("\"region\":\"US-WEST-2\",\"zone\":\"us-west-2-lax-1a\""),
         "ne-regions,ne-no-local-zones"},
        {PARENT("\"zone\":\"eu-west-2-wl1-lon-wlz-1\""), "ne-no-local-zones"},
        {PARENT("\"zone\":\"us-gov-west-1a\""), ""},
        {PARENT("\"zone\":\"ap-northeast-1d\""), ""},
        {PARENT("\"region\":\"us-west-2\",\"zone\":\"us-west-2a\""), ""},
        {PARENT("\"features\":[\"dedicated-host\"]"), ""},
    };
    for (size_t i = 0; i < countof(rows); i++)
        assert_string_equal(rules_broken(*state, rows[i].wish), rows[i].rules);
}

/* ---- what is said, and what is not ---------------------------------------------------------- */

/* R153, R154, R167, R168: nothing to check before a call, and written down all the same. */
static void every_sentence_of_the_appendix_is_a_rule(void **state)
{
    static const char *const ids[] = {"ne-parent-nitro",
                                      "ne-x86-vcpus",
                                      "ne-x86-excluded",
                                      "ne-graviton-vcpus",
                                      "ne-graviton-excluded",
                                      "ne-parent-os",
                                      "ne-enclave-os",
                                      "ne-regions",
                                      "ne-enclaves-per-parent",
                                      "ne-parent-only",
                                      "ne-parent-running",
                                      "ne-no-hibernation",
                                      "ne-no-outposts",
                                      "ne-no-local-zones",
                                      "snp-sizes",
                                      "snp-regions",
                                      "snp-boot-mode",
                                      "snp-operating-system",
                                      "snp-launch-only",
                                      "snp-lifelong",
                                      "snp-type-change",
                                      "snp-no-hibernation",
                                      "snp-no-enclaves",
                                      "snp-no-dedicated-host",
                                      "snp-maintenance-notice",
                                      "snp-maintenance-move"};
    const struct catalogue *seed = *state;
    assert_int_equal(seed->count, countof(ids));
    for (size_t i = 0; i < countof(ids); i++) {
        const struct catalogue_rule *rule = catalogue_find(seed, ids[i]);
        if (rule == NULL)
            fail_msg("there is no %s", ids[i]);
        assert_int_equal(rule->sure, SURE_WHITEPAPER);
        assert_int_equal(rule->cloud, DRIVER_AWS);
        assert_int_equal(rule->effect, EFFECT_REFUSE);
        assert_non_null(strstr(rule->source, "whitepaper, Appendix A"));
    }
    assert_int_equal(json_integer_value(json_object_get(
                         catalogue_find(seed, "snp-maintenance-notice")->values, "notice_days")),
                     14);
}

static void what_nobody_said_breaks_nothing_and_is_told(void **state)
{
    assert_string_equal(rules_broken(*state, "{\"cloud\":\"aws\",\"features\":[\"snp\"]}"), "");
    assert_string_equal(
        rules_found(*state, NULL, "{\"cloud\":\"aws\",\"features\":[\"snp\"]}", FINDING_UNSAID),
        "snp-sizes,snp-regions,snp-boot-mode,snp-operating-system");
    assert_string_equal(
        rules_found(*state, NULL,
                    "{\"cloud\":\"aws\",\"features\":[\"snp\"],\"size\":\"m6a.large\","
                    "\"region\":\"eu-west-1\",\"boot_mode\":\"uefi\",\"os\":{\"name\":\"rhel\"}}",
                    FINDING_UNSAID),
        "snp-operating-system");
}

static void the_seed_says_nothing_of_other_clouds(void **state)
{
    struct error err = {0};
    struct catalogue_wish wish = {.cloud = DRIVER_AZURE, .features = FEATURE_BIT(FEATURE_SNP)};
    OWNED(finding_list_done) struct finding_list list = {0};
    snprintf(wish.size, sizeof wish.size, "Standard_D2s_v5");
    catalogue_check(*state, NULL, &wish, &list);
    assert_int_equal(list.looked_at, 0);
    assert_ok(findings_refuse(&list, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snp_runs_on_exactly_sixteen_types),
        cmocka_unit_test(snp_runs_in_two_regions),
        cmocka_unit_test(snp_boots_by_uefi),
        cmocka_unit_test(snp_needs_a_system_that_knows_it),
        cmocka_unit_test(snp_is_for_life_and_types_change_among_its_own),
        cmocka_unit_test(snp_goes_with_nothing_of_these),
        cmocka_unit_test(a_parent_is_virtual_and_of_the_nitro_system),
        cmocka_unit_test(a_parent_has_enough_vcpus),
        cmocka_unit_test(intel_and_amd_types_are_excluded_by_name),
        cmocka_unit_test(graviton_types_are_excluded_by_name),
        cmocka_unit_test(a_parent_runs_linux_or_windows_and_an_enclave_linux),
        cmocka_unit_test(enclaves_run_in_twenty_five_regions),
        cmocka_unit_test(a_parent_has_at_most_four_enclaves),
        cmocka_unit_test(enclaves_do_not_hibernate_and_stay_in_the_region),
        cmocka_unit_test(every_sentence_of_the_appendix_is_a_rule),
        cmocka_unit_test(what_nobody_said_breaks_nothing_and_is_told),
        cmocka_unit_test(the_seed_says_nothing_of_other_clouds),
    };
    return cmocka_run_group_tests_name("catalogue_seed", tests, open_seed, close_seed);
}
