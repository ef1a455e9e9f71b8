/* One charter for each finding, which differs from a sound one in one thing. */
#include "lib/model/charter_lint.h"

#include <string.h>

#include "lib/base/text.h"
#include "tests/support/charters.h"
#include "tests/support/test.h"

static struct lint linted(const json_t *charter)
{
    OWNED(json_drop) json_t *regions = json_pack("{s:s}", "us-east-2", "US East (Ohio)");
    const struct lint_frame frame = {
        .now = charter_sound_day(), .threshold = 2, .regions = regions};
    struct lint lint = {0};
    charter_lint(charter, &frame, &lint);
    return lint;
}

/* Disk keys are not made yet, so that every charter lacks disk encryption. */
static void nothing_is_said_of_a_sound_charter_but_what_it_cannot_have(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *charter = charter_sound();
    OWNED(lint_done) struct lint lint = linted(charter);
    assert_int_equal(lint.count, 1);
    assert_int_equal(lint.at[0].code, LINT_NEGLIGIBLE_MERIT);
    assert_string_equal(lint.at[0].detail, "missing: disk-encryption");
    assert_false(lint_has_errors(&lint));
}

#define REFERENCE(more)                                                                            \
    "{\"measurement\":[\"222222222222222222222222222222222222222222222222222222222222222222222222" \
    "222222222222222222222222\"]," more "}"
#define GRANT(more)                                                                                \
    "{\"least_level\":\"L1\",\"regions\":\"any\",\"fleets\":\"any\",\"scope\":\"fleet\","          \
    "\"kind\":\"opaque\",\"origin\":\"generate\",\"max_verdict_age_seconds\":60," more "}"

#define H "1111111111111111111111111111111111111111111111111111111111111111"

#define PARTY(policies, more)                                                                      \
    "{\"audience\":\"https://vault\",\"policies\":" policies                                       \
    ",\"max_verdict_age_seconds\":60,\"valid_seconds\":60," more "}"

static const struct {
    const char *pointer;
    const char *value; /* NULL: removed */
    enum lint_code code;
    const char *where;
} changes[] = {
    {"/surprise", "1", LINT_BAD_CHARTER, "/surprise"},
    {"/policies/web/snp/max_vmpl", "9", LINT_BAD_CHARTER, "/policies/web/snp/max_vmpl"},
    {"/expires", "\"2026-11-24T12:00:00Z\"", LINT_EXPIRED, "/expires"},
    {"/expires", "\"2026-12-01T12:00:00Z\"", LINT_EXPIRES_SOON, "/expires"},
    {"/keepers", "[]", LINT_NO_KEEPERS, "/keepers"},
    {"/deny/chips", NULL, LINT_DENY_LIST_MISSING, "/deny/chips"},
    {"/deny/anchors", "{}", LINT_DENY_LIST_MISSING, "/deny/anchors"},
    {"/deny/guest_keys", "[\"0000000000000000000000000000000000000000000000000000000000000000\"]",
     LINT_DENIES_ZEROES, "/deny/guest_keys"},
    {"/deny/signers",
     "[\"000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "000000\"]",
     LINT_DENIES_ZEROES, "/deny/signers"},
    {"/references/direct/expires", "\"2026-11-24T12:00:00Z\"", LINT_REFERENCE_EXPIRED,
     "/references/direct/expires"},
    {"/references/direct/expires", "\"2026-12-01T12:00:00Z\"", LINT_REFERENCE_EXPIRES_SOON,
     "/references/direct/expires"},
    {"/policies/web/snp/allow_debug", "true", LINT_DEBUG_ALLOWED, "/policies/web/snp/allow_debug"},
    {"/policies/web/snp/allow_migration_agent", "true", LINT_MIGRATION_ALLOWED,
     "/policies/web/snp/allow_migration_agent"},
    {"/tcb_floors", "{}", LINT_NO_TCB_FLOOR, "/policies/web/snp"},
    {"/tcb_floors/Turin", "{}", LINT_FLOOR_OF_ZERO, "/tcb_floors/Turin"},
    {"/tcb_floors/Turin", "[{},{\"snp\":4,\"from\":\"2026-12-01T00:00:00Z\"}]", LINT_FLOOR_OF_ZERO,
     "/tcb_floors/Turin"},
    {"/tcb_floors/Turin", "[{\"snp\":4},{\"snp\":5,\"from\":\"2026-12-01T00:00:00Z\"}]",
     LINT_FLOOR_PENDING, "/tcb_floors/Turin"},
    {"/tcb_floors/Turin", "[{\"snp\":4},{\"snp\":5,\"from\":\"2026-11-24T12:00:00Z\"}]",
     LINT_FLOOR_DATE_PASSED, "/tcb_floors/Turin"},
    {"/policies/web/snp/min_tcb",
     "{\"Genoa\":[{\"snp\":4,\"bl\":1},{\"snp\":5,\"bl\":0,\"from\":\"2026-12-01T00:00:00Z\"}]}",
     LINT_FLOOR_LOWERED, "/policies/web/snp/min_tcb/Genoa"},
    {"/policies/web/snp/min_tcb", "{\"Genoa\":{\"bl\":0}}", LINT_FLOOR_OF_ZERO,
     "/policies/web/snp/min_tcb/Genoa"},
    {"/tcb_floors/Milan", "{\"snp\":27,\"ucode\":222}", LINT_MILAN_ALLOWED, "/policies/web/snp"},
    {"/tcb_floors", "{}", LINT_MILAN_ALLOWED, "/policies/web/snp"},
    {"/policies/web/snp/min_guest_svn", "5", LINT_SVN_UNPINNED, "/policies/web/snp/min_guest_svn"},
    {"/policies/web/snp/require_crl", "false", LINT_CRL_NOT_REQUIRED, "/policies/web/snp"},
    {"/policies/web/references", "[]", LINT_POLICY_ACCEPTS_NOTHING, "/policies/web/references"},
    {"/references/direct/measurement", "[]", LINT_POLICY_ACCEPTS_NOTHING,
     "/policies/web/references"},
    {"/references/direct/retired", "true", LINT_POLICY_ACCEPTS_NOTHING, "/policies/web/references"},
    {"/references/direct/expires", "\"2026-11-24T12:00:00Z\"", LINT_POLICY_ACCEPTS_NOTHING,
     "/policies/web/references"},
    {"/references/direct/retired", "true", LINT_RETIRED_REFERENCE_NAMED,
     "/policies/web/references"},
    {"/policies/idle", "{\"snp\":{},\"references\":[\"direct\"],\"valid_seconds\":60}",
     LINT_POLICY_UNUSED, "/policies/idle"},
    {"/references/idle",
     REFERENCE("\"measured_boot\":true,\"anchor\":\"none\",\"provider_execution\":\"off\""),
     LINT_REFERENCE_UNUSED, "/references/idle"},
    {"/references/direct",
     "{\"measurement\":\"any\",\"measured_boot\":false,\"anchor\":\"none\","
     "\"provider_execution\":\"on\"}",
     LINT_MEASUREMENT_ANY, "/references/direct"},
    {"/references/direct/provider_execution", "\"on\"", LINT_PROVIDER_EXECUTION,
     "/references/direct"},
    {"/policies/web/vtpm", "{\"pcrs\":\"any\"}", LINT_VTPM_UNROOTED, "/policies/web/vtpm/roots"},
    {"/policies/web/vtpm", "{\"roots\":[\"provider\",\"unrooted\"]}", LINT_VTPM_UNROOTED,
     "/policies/web/vtpm/roots"},
    {"/policies/web/vtpm", "{\"pcrs\":{\"11\":\"" H "\"}}", LINT_BOOT_UNPINNED,
     "/policies/web/vtpm"},
    {"/policies/web/azure", "{\"pcrs\":\"any\"}", LINT_BOOT_UNPINNED, "/policies/web/azure"},
    {"/grants/key/policies", "[]", LINT_GRANT_WITHOUT_POLICIES, "/grants/key/policies"},
    {"/grants/key/least_level", NULL, LINT_NO_LEAST_LEVEL, "/grants/key/least_level"},
    {"/grants/key/least_level", "\"L0\"", LINT_NO_LEAST_LEVEL, "/grants/key/least_level"},
    {"/grants/new", GRANT("\"accounts\":\"any\",\"policies\":[],\"least_level\":\"L2\""),
     LINT_LEVEL_OUT_OF_REACH, "/grants/new/least_level"},
    {"/grants/key/allow_unproven_software", "true", LINT_UNPROVEN_SOFTWARE,
     "/grants/key/allow_unproven_software"},
    {"/grants/host/origin", "\"import\"", LINT_KEY_IMPORTABLE, "/grants/host/origin"},
    {"/grants/host/origin", "\"import-by\"", LINT_KEY_IMPORTABLE, "/grants/host/origin"},
    {"/grants/key/accounts", "[\"aws-1\"]", LINT_ACCOUNT_UNPROVEN, "/grants/key/accounts"},
    {"/references/direct/anchor", "\"none\"", LINT_INSTANCE_UNPROVEN, "/grants/host/scope"},
    {"/relying_parties/vault", PARTY("[]", "\"least_level\":\"L1\""), LINT_PARTY_WITHOUT_POLICIES,
     "/relying_parties/vault/policies"},
    {"/relying_parties/vault", PARTY("\"any\"", "\"least_level\":\"L1\""), LINT_PARTY_POLICY_ANY,
     "/relying_parties/vault/policies"},
    {"/relying_parties/vault",
     PARTY("[\"web\"]", "\"least_level\":\"L1\",\"allow_unproven_software\":true"),
     LINT_PARTY_UNPROVEN_SOFTWARE, "/relying_parties/vault/allow_unproven_software"},
    {"/relying_parties/vault", PARTY("[\"web\"]", "\"allow_unproven_software\":false"),
     LINT_NO_LEAST_LEVEL, "/relying_parties/vault/least_level"},
    {"/relying_parties/vault", PARTY("[\"web\"]", "\"least_level\":\"L3\""),
     LINT_LEVEL_OUT_OF_REACH, "/relying_parties/vault/least_level"},
    {"/deny/regions", "[\"us-east-2\",\"us-esat-2\"]", LINT_DENIES_UNKNOWN_REGION, "/deny/regions"},
    {"/references/direct/measured_boot", "false", LINT_INSTANCE_UNPROVEN, "/grants/host/scope"},
};

/* As its cloud writes it, or as a VLEK does; of what nobody can read nothing is said. */
static void a_denied_region_that_is_known_is_no_finding(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *charter = charter_sound();
    charter_change(charter, "/deny/regions",
                   "[\"us-east-2\",\"CN=cc-us-east-2.amazonaws.com\",\"CN=cc-west.example.com\"]");
    OWNED(lint_done) struct lint known = linted(charter);
    assert_false(lint_has(&known, LINT_DENIES_UNKNOWN_REGION));
    charter_change(charter, "/deny/regions", "[\"CN=cc-us-esat-2.amazonaws.com\"]");
    OWNED(lint_done) struct lint unknown = linted(charter);
    assert_true(lint_has(&unknown, LINT_DENIES_UNKNOWN_REGION));
}

/* Its guests are judged for somebody. */
static void a_policy_of_a_relying_party_is_used(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *charter = charter_sound();
    charter_change(charter, "/grants", "{}");
    OWNED(lint_done) struct lint before = linted(charter);
    charter_change(charter, "/relying_parties/vault", PARTY("[\"web\"]", "\"least_level\":\"L1\""));
    OWNED(lint_done) struct lint after = linted(charter);
    assert_true(lint_has(&before, LINT_POLICY_UNUSED));
    assert_false(lint_has(&after, LINT_POLICY_UNUSED));
}

static void each_finding_has_its_charter(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(changes); i++) {
        OWNED(json_drop) json_t *charter = charter_sound();
        charter_change(charter, changes[i].pointer, changes[i].value);
        OWNED(lint_done) struct lint lint = linted(charter);
        bool found = false;
        for (size_t j = 0; j < lint.count; j++)
            found = found || (lint.at[j].code == changes[i].code &&
                              strcmp(lint.at[j].where, changes[i].where) == 0);
        if (!found)
            fail_msg("%s = %s: no %s", changes[i].pointer, changes[i].value,
                     lint_rules[changes[i].code].code);
        if (lint_rules[changes[i].code].severity == LINT_ERROR)
            assert_true(lint_has_errors(&lint));
    }
}

static void a_level_that_nothing_can_prove_is_out_of_reach(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *charter = charter_sound();
    charter_change(charter, "/grants/key/least_level", "\"L3\"");
    OWNED(lint_done) struct lint bare = linted(charter);
    assert_true(lint_has(&bare, LINT_LEVEL_OUT_OF_REACH)); /* for want of disk keys */
    charter_change(charter, "/grants/disk/kind", "\"disk-key\"");
    OWNED(lint_done) struct lint reachable = linted(charter);
    assert_false(lint_has(&reachable, LINT_LEVEL_OUT_OF_REACH));
    assert_false(lint_has(&reachable, LINT_CUSTODY_INSIDE));
    charter_change(charter, "/references/direct/expires", "\"2026-11-24T12:00:00Z\"");
    OWNED(lint_done) struct lint over = linted(charter);
    assert_true(lint_has(&over, LINT_LEVEL_OUT_OF_REACH));
    charter_change(charter, "/references/direct/expires", NULL);
    charter_change(charter, "/custody/kek", "\"kms\"");
    OWNED(lint_done) struct lint inside = linted(charter);
    assert_true(lint_has(&inside, LINT_CUSTODY_INSIDE));
    charter_change(charter, "/grants/key/least_level", "\"L2\"");
    charter_change(charter, "/references/direct/provider_execution", "\"on\"");
    OWNED(lint_done) struct lint run = linted(charter);
    assert_false(lint_has(&run, LINT_CUSTODY_INSIDE));
    assert_true(lint_has(&run, LINT_LEVEL_OUT_OF_REACH));
}

/* A warning that a policy answers is not given. */
static void what_a_policy_pins_needs_no_warning(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *charter = charter_sound();
    charter_change(charter, "/tcb_floors/Milan", "{\"snp\":27,\"ucode\":222}");
    charter_change(charter, "/policies/web/snp/min_guest_svn", "5");
    charter_change(charter, "/policies/web/snp/chip_id", "\"any\"");
    charter_change(charter, "/policies/web/snp/id_key_digest", "\"any\"");
    OWNED(lint_done) struct lint any = linted(charter);
    assert_true(lint_has(&any, LINT_MILAN_ALLOWED));
    assert_true(lint_has(&any, LINT_SVN_UNPINNED));
    charter_change(charter, "/policies/web/snp/chip_id", "[\"" H H "\"]");
    charter_change(charter, "/policies/web/snp/id_key_digest", "[]");
    OWNED(lint_done) struct lint pinned = linted(charter);
    assert_false(lint_has(&pinned, LINT_MILAN_ALLOWED));
    assert_false(lint_has(&pinned, LINT_SVN_UNPINNED));
}

/* R137: what is missing around the machine stands by name. */
static void negligible_merit_names_what_is_missing(void **state)
{
    (void)state;
    static const struct {
        const char *pointer, *value, *missing;
    } cases[] = {
        {"/grants/host", NULL, "missing: disk-encryption transit-encryption"},
        {"/custody/keeper", "\"aws\"", "missing: disk-encryption external-authentication"},
        {"/grants", "{}", "missing: disk-encryption transit-encryption secret-provisioning"},
        {"/grants/host/kind", "\"disk-key\"", "missing: transit-encryption"},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        OWNED(json_drop) json_t *charter = charter_sound();
        charter_change(charter, cases[i].pointer, cases[i].value);
        OWNED(lint_done) struct lint lint = linted(charter);
        assert_true(lint_has(&lint, LINT_NEGLIGIBLE_MERIT));
        assert_string_equal(lint.at[lint.count - 1].detail, cases[i].missing);
    }
}

static void one_signer_is_one_too_few_where_the_pinned_keys_are_known(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *charter = charter_sound();
    struct lint_frame frame = {.now = charter_sound_day(), .threshold = 1};
    OWNED(lint_done) struct lint one = {0};
    OWNED(lint_done) struct lint unknown = {0};
    charter_lint(charter, &frame, &one);
    assert_true(lint_has(&one, LINT_THRESHOLD_ONE));
    frame.threshold = 0;
    charter_lint(charter, &frame, &unknown);
    assert_false(lint_has(&unknown, LINT_THRESHOLD_ONE));
}

/* Values of every wrong type at every place: findings, never a crash, and always good JSON. */
static void a_draft_of_any_shape_is_answered(void **state)
{
    (void)state;
    static const char *const values[] = {"null", "true",      "-1",
                                         "\"\"", "[]",        "[1,null,{}]",
                                         "{}",   "{\"a\":1}", "{\"\\u00e4\\u20ac\":{\"x\":[]}}"};
    for (size_t i = 0; i < countof(changes); i++) {
        for (size_t j = 0; j < countof(values); j++) {
            OWNED(json_drop) json_t *charter = charter_sound();
            charter_change(charter, changes[i].pointer, values[j]);
            OWNED(lint_done) struct lint lint = linted(charter);
            OWNED(json_drop) json_t *findings = lint_to_json(&lint);
            OWNED(mem_drop) char *text = json_print(findings);
            assert_int_equal(json_array_size(findings), lint.count);
            assert_non_null(text);
        }
    }
    static const char *const members[] = {"policies", "references", "grants",  "tcb_floors",
                                          "deny",     "keepers",    "custody", "expires"};
    for (size_t i = 0; i < countof(members); i++) {
        for (size_t j = 0; j < countof(values); j++) {
            OWNED(json_drop) json_t *charter = charter_sound();
            json_put_new(charter, members[i], json_loads(values[j], JSON_DECODE_ANY, NULL));
            OWNED(lint_done) struct lint lint = linted(charter);
            assert_true(lint.count > 0);
        }
    }
}

/* A name of `len` bytes that ends in a letter of several. */
static char *name_of_len(size_t len, const char *letter)
{
    OWNED(text_done) struct text name = {0};
    for (size_t i = strlen(letter); i < len; i++)
        text_add(&name, "n");
    text_add(&name, letter);
    text_add(&name, "nnnn");
    return mem_text(text_str(&name));
}

static void assert_findings_print(const json_t *charter)
{
    struct error err = {0};
    OWNED(lint_done) struct lint lint = linted(charter);
    OWNED(json_drop) json_t *findings = lint_to_json(&lint);
    OWNED(json_drop) json_t *again = NULL;
    OWNED(mem_drop) char *text = json_print(findings);
    assert_true(lint.count > 0);
    assert_ok(json_parse(span_of_text(text), 1 << 20, &again, &err));
    for (size_t i = 0; i < lint.count; i++) {
        assert_true(text_is_clean(span_of_text(lint.at[i].where)));
        assert_true(text_is_clean(span_of_text(lint.at[i].detail)));
    }
}

/* As a name of everything that has one, and in a list. */
static void name_all(json_t *charter, const char *name)
{
    static const char *const groups[] = {"policies", "references", "grants"};
    OWNED(json_drop) json_t *list = json_array();
    json_add_new(list, json_string(name));
    for (size_t i = 0; i < countof(groups); i++) {
        json_t *group = json_object_get(charter, groups[i]);
        const char *first = json_object_iter_key(json_object_iter(group));
        json_t *copy = json_deep_copy(json_object_get(group, first));
        json_put_new(copy, i == 0 ? "references" : "policies", json_deep_copy(list));
        json_put_new(copy, "retired", json_true());
        json_put_new(copy, "expires", json_string("2026-11-24T12:00:00Z"));
        json_put_new(group, name, copy);
    }
}

/* Wherever a place or a detail ends within such a name: good text, and no end of the program. */
static void names_cut_within_a_letter_are_still_text(void **state)
{
    (void)state;
    static const char *const letters[] = {"\u00e4", "\u20ac", "\U0001f600"};
    for (size_t i = 0; i < countof(letters); i++) {
        for (size_t len = 4; len <= LINT_DETAIL_SIZE + 4; len++) {
            OWNED(mem_drop) char *name = name_of_len(len, letters[i]);
            OWNED(json_drop) json_t *charter = charter_sound();
            name_all(charter, name);
            assert_findings_print(charter);
            json_put_new(charter, name, json_null()); /* the first thing wrong with it */
            assert_findings_print(charter);
        }
    }
}

static void every_finding_has_words_and_a_code_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < LINT_CODE_COUNT; i++) {
        assert_non_null(lint_rules[i].code);
        assert_non_null(lint_rules[i].sentence);
        assert_non_null(lint_rules[i].advice);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(lint_rules[i].code, lint_rules[j].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_said_of_a_sound_charter_but_what_it_cannot_have),
        cmocka_unit_test(each_finding_has_its_charter),
        cmocka_unit_test(a_denied_region_that_is_known_is_no_finding),
        cmocka_unit_test(a_policy_of_a_relying_party_is_used),
        cmocka_unit_test(a_level_that_nothing_can_prove_is_out_of_reach),
        cmocka_unit_test(what_a_policy_pins_needs_no_warning),
        cmocka_unit_test(negligible_merit_names_what_is_missing),
        cmocka_unit_test(one_signer_is_one_too_few_where_the_pinned_keys_are_known),
        cmocka_unit_test(a_draft_of_any_shape_is_answered),
        cmocka_unit_test(names_cut_within_a_letter_are_still_text),
        cmocka_unit_test(every_finding_has_words_and_a_code_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
