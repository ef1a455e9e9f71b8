/* Pairs of charters that differ in one thing, and which way that goes. */
#include "lib/model/charter_diff.h"

#include <string.h>

#include "lib/model/charter.h"
#include "tests/support/charters.h"
#include "tests/support/test.h"

#define HEX_16(c) c c c c c c c c c c c c c c c c
#define M(c) "\"" HEX_16(c) HEX_16(c) HEX_16(c) "\""
#define H(c) "\"" HEX_16(c) HEX_16(c) "\""
#define CHIP(c) "\"" HEX_16(c) HEX_16(c) HEX_16(c) HEX_16(c) "\""

#define VAULT                                                                                      \
    "{\"audience\":\"https://vault\",\"policies\":[\"web\"],\"least_level\":\"L1\","               \
    "\"max_verdict_age_seconds\":600,\"valid_seconds\":60}"
#define WITH_VAULT                                                                                 \
    {                                                                                              \
        {                                                                                          \
            "/relying_parties/vault", VAULT                                                        \
        }                                                                                          \
    }

/* What both documents of a pair have more than the sound one. */
struct base {
    const char *pointer, *value;
};

static const struct pair {
    struct base base[2];
    const char *pointer;
    const char *was; /* NULL: absent */
    const char *is;
    const char *effect; /* of is after was */
    const char *back;   /* and of was after is */
} pairs[] = {
    {{{0}}, "/serial", "7", "8", "renews", "renews"},
    {{{0}}, "/expires", "\"2026-12-20T00:00:00Z\"", "\"2026-12-21T00:00:00Z\"", "renews", "renews"},
    {{{0}}, "/realm", "\"production\"", "\"simulation\"", "widens", "widens"},
    {{{0}}, "/keepers", "[]", "[" H("44") "]", "widens", "narrows"},
    {{{0}}, "/keepers", "[" H("33") "]", "[" H("44") "]", "widens", "widens"},
    {{{0}},
     "/keepers",
     "[" H("33") "," H("44") "]",
     "[" H("44") "," H("33") "]",
     "neither",
     "neither"},
    {{{"/realm", "\"simulation\""}},
     "/simulator_roots",
     NULL,
     "[" H("44") "]",
     "widens",
     "narrows"},
    {{{"/realm", "\"simulation\""}}, "/simulator_roots", NULL, "[]", "neither", "neither"},
    {{{0}}, "/custody/keeper", "\"on-premises\"", "\"aws\"", "widens", "widens"},
    {{{0}}, "/custody/kek", "\"file\"", "\"kms\"", "widens", "widens"},
    {{{0}}, "/relying_parties/vault", NULL, VAULT, "widens", "narrows"},
    {WITH_VAULT, "/relying_parties/vault/audience", "\"a\"", "\"b\"", "widens", "widens"},
    {WITH_VAULT, "/relying_parties/vault/policies", "[]", "[\"web\"]", "widens", "narrows"},
    {WITH_VAULT, "/relying_parties/vault/policies", "[\"web\"]", "\"any\"", "widens", "narrows"},
    {WITH_VAULT, "/relying_parties/vault/least_level", "\"L2\"", "\"L1\"", "widens", "narrows"},
    {WITH_VAULT, "/relying_parties/vault/max_verdict_age_seconds", "60", "61", "widens", "narrows"},
    {WITH_VAULT, "/relying_parties/vault/valid_seconds", "60", "61", "widens", "narrows"},
    {WITH_VAULT, "/relying_parties/vault/allow_unproven_software", NULL, "true", "widens",
     "narrows"},
    {{{0}}, "/deny/measurements", "[]", "[" M("44") "]", "narrows", "widens"},
    {{{0}}, "/deny/anchors", "[" H("44") "]", "[" H("55") "]", "widens", "widens"},

    {{{0}}, "/deny/products", NULL, "[]", "neither", "neither"},
    {{{0}}, "/deny/products", NULL, "[\"Milan\"]", "narrows", "widens"},
    {{{0}}, "/deny/regions", "[]", "[\"us-east-2\"]", "narrows", "widens"},
    {{{0}}, "/deny/signers", NULL, "[" M("44") "]", "narrows", "widens"},
    {{{0}}, "/references/direct/expires", NULL, "\"2026-12-01T00:00:00Z\"", "narrows", "widens"},
    {{{0}},
     "/references/direct/expires",
     "\"2026-12-01T00:00:00Z\"",
     "\"2026-12-02T00:00:00Z\"",
     "widens",
     "narrows"},
    {{{0}},
     "/references/direct/expires",
     "\"2026-12-01T00:00:00Z\"",
     "\"2026-12-01T01:00:00+01:00\"",
     "neither",
     "neither"},

    {{{0}}, "/tcb_floors", "{}", "{\"Genoa\":{\"snp\":1}}", "narrows", "widens"},
    {{{0}}, "/tcb_floors/Milan", NULL, "{\"snp\":27}", "widens", "narrows"},
    {{{0}}, "/tcb_floors/Siena", NULL, "{\"snp\":27}", "widens", "narrows"},
    {{{0}}, "/tcb_floors/Turin", "{\"snp\":4}", "{\"snp\":5}", "narrows", "widens"},
    {{{0}},
     "/tcb_floors/Turin",
     "{\"snp\":4,\"bl\":1}",
     "{\"snp\":5,\"bl\":0}",
     "widens",
     "widens"},
    {{{0}}, "/tcb_floors/Turin", "{\"snp\":4}", "{\"snp\":4,\"bl\":0}", "neither", "neither"},
    {{{0}}, "/tcb_floors/Turin", "{\"snp\":4}", "[{\"snp\":4}]", "neither", "neither"},
    {{{0}},
     "/tcb_floors/Turin",
     "{\"snp\":4}",
     "[{\"snp\":4},{\"snp\":5,\"from\":\"2026-12-01T00:00:00Z\"}]",
     "narrows",
     "widens"},
    {{{0}},
     "/tcb_floors/Turin",
     "{\"snp\":5}",
     "[{\"snp\":4},{\"snp\":5,\"from\":\"2026-12-01T00:00:00Z\"}]",
     "widens",
     "narrows"},
    {{{0}},
     "/tcb_floors/Turin",
     "[{\"snp\":4},{\"snp\":5,\"from\":\"2026-12-01T00:00:00Z\"}]",
     "[{\"snp\":4},{\"snp\":5,\"from\":\"2026-12-02T00:00:00Z\"}]",
     "widens",
     "narrows"},
    {{{0}}, "/policies/web/snp/min_tcb", NULL, "{\"Genoa\":{\"snp\":28}}", "narrows", "widens"},
    {{{0}}, "/policies/web/snp/min_tcb", NULL, "{}", "narrows", "widens"},
    {{{0}}, "/policies/web/snp/min_tcb", "{}", "{\"Genoa\":{\"snp\":28}}", "widens", "narrows"},

    {{{0}},
     "/references/more",
     NULL,
     "{\"measurement\":[" M("44") "],\"measured_boot\":true,\"anchor\":\"none\","
                                  "\"provider_execution\":\"off\"}",
     "neither",
     "narrows"},
    {{{0}},
     "/references/direct/measurement",
     "[" M("11") "]",
     "[" M("11") "," M("22") "]",
     "widens",
     "narrows"},
    {{{0}}, "/references/direct/measurement", "[" M("11") "]", "[" M("22") "]", "widens", "widens"},
    {{{"/references/direct/measured_boot", "false"}, {"/references/direct/anchor", "\"none\""}},
     "/references/direct/measurement",
     "[" M("11") "]",
     "\"any\"",
     "widens",
     "narrows"},
    {{{0}}, "/references/direct/measured_boot", "true", "false", "narrows", "widens"},
    {{{0}}, "/references/direct/anchor", "\"none\"", "\"host-data\"", "widens", "narrows"},
    {{{0}}, "/references/direct/anchor", "\"vtpm\"", "\"none\"", "widens", "widens"},
    {{{0}}, "/references/direct/anchor", "\"id-block\"", "\"host-data\"", "widens", "widens"},
    {{{0}}, "/references/direct/provider_execution", "\"on\"", "\"off\"", "widens", "narrows"},
    {{{0}}, "/references/direct/retired", NULL, "true", "narrows", "widens"},
    {{{0}}, "/references/direct/retired", NULL, "false", "neither", "neither"},

    {{{0}},
     "/policies/more",
     NULL,
     "{\"snp\":{},\"references\":[\"direct\"],\"valid_seconds\":60}",
     "widens",
     "narrows"},
    {{{0}}, "/policies/web/description", NULL, "\"words\"", "neither", "neither"},
    {{{0}}, "/policies/web/valid_seconds", "60", "61", "widens", "narrows"},
    {{{0}}, "/policies/web/references", "[]", "[\"direct\"]", "widens", "narrows"},
    {{{0}}, "/policies/web/snp/allow_debug", NULL, "true", "widens", "narrows"},
    {{{0}}, "/policies/web/snp/allow_debug", NULL, "false", "neither", "neither"},
    {{{0}}, "/policies/web/snp/allow_migration_agent", NULL, "true", "widens", "narrows"},
    {{{0}}, "/policies/web/snp/allow_smt", NULL, "true", "neither", "neither"},
    {{{0}}, "/policies/web/snp/allow_smt", NULL, "false", "narrows", "widens"},
    {{{0}}, "/policies/web/snp/max_vmpl", NULL, "0", "neither", "neither"},
    {{{0}}, "/policies/web/snp/max_vmpl", NULL, "1", "widens", "narrows"},
    {{{0}}, "/policies/web/snp/signing_keys", NULL, "[\"VCEK\"]", "narrows", "widens"},
    {{{0}},
     "/policies/web/snp/signing_keys",
     "[\"VCEK\"]",
     "[\"VCEK\",\"VLEK\"]",
     "widens",
     "narrows"},
    {{{0}}, "/policies/web/snp/vlek_csp_id", "\"a\"", "[\"a\"]", "neither", "neither"},
    {{{0}}, "/policies/web/snp/vlek_csp_id", "\"a\"", "[\"a\",\"b\"]", "widens", "narrows"},
    {{{0}}, "/policies/web/snp/forbid_platform_info", NULL, "[\"smt_en\"]", "narrows", "widens"},
    {{{0}}, "/policies/web/snp/require_platform_info", NULL, "[\"smt_en\"]", "narrows", "widens"},
    {{{0}}, "/policies/web/snp/forbid_guest_policy", NULL, "[\"cxl_allow\"]", "narrows", "widens"},
    {{{0}}, "/policies/web/snp/require_guest_policy", NULL, "[\"rapl_dis\"]", "narrows", "widens"},
    {{{0}}, "/policies/web/snp/require_launch_mit_vector", "[0]", "[0,3]", "narrows", "widens"},
    {{{0}}, "/policies/web/snp/require_current_mit_vector", NULL, "[3]", "narrows", "widens"},
    {{{0}}, "/policies/web/snp/require_current_mit_vector", "[3]", "[4]", "widens", "widens"},
    {{{0}}, "/policies/web/snp/require_committed_tcb", NULL, "true", "narrows", "widens"},
    {{{0}}, "/policies/web/snp/require_committed_tcb", NULL, "false", "neither", "neither"},
    {{{0}}, "/policies/web/snp/min_guest_svn", NULL, "5", "narrows", "widens"},
    {{{0}}, "/policies/web/snp/min_guest_svn", "5", "6", "narrows", "widens"},
    {{{0}}, "/policies/web/snp/chip_id", NULL, CHIP("44"), "narrows", "widens"},
    {{{0}}, "/policies/web/snp/chip_id", NULL, "\"any\"", "neither", "neither"},
    {{{0}},
     "/policies/web/snp/chip_id",
     "[" CHIP("44") "]",
     "[" CHIP("44") "," CHIP("55") "]",
     "widens",
     "narrows"},
    {{{0}}, "/policies/web/snp/host_data", NULL, H("44"), "narrows", "widens"},
    {{{0}}, "/policies/web/snp/host_data", NULL, "\"any\"", "neither", "neither"},
    {{{0}},
     "/policies/web/snp/id_key_digest",
     "[" M("44") "]",
     "[" M("44") "," M("55") "]",
     "widens",
     "narrows"},
    {{{0}}, "/policies/web/snp/require_crl", "true", "false", "widens", "narrows"},
    {{{0}}, "/policies/web/snp/require_crl", "false", NULL, "neither", "neither"},
    {{{0}}, "/policies/web/snp/max_age_seconds", NULL, "60", "narrows", "widens"},
    {{{0}}, "/policies/web/snp/max_age_seconds", "60", "61", "widens", "narrows"},
    {{{0}}, "/policies/web/azure", NULL, "{}", "widens", "widens"},
    {{{0}}, "/policies/web/azure", "{\"pcrs\":\"any\"}", "{\"pcrs\":{}}", "widens", "widens"},
    {{{"/policies/web/azure", "{\"pcrs\":{}}"}},
     "/policies/web/azure/require_secure_boot",
     NULL,
     "true",
     "narrows",
     "widens"},
    {{{"/policies/web/azure", "{\"boot_components\":{\"shim\":" H("44") "}}"}},
     "/policies/web/azure/boot_components/grub",
     NULL,
     H("55"),
     "widens",
     "narrows"},
    {{{0}}, "/policies/web/vtpm", NULL, "{}", "widens", "widens"},
    {{{"/policies/web/vtpm", "{}"}},
     "/policies/web/vtpm/roots",
     NULL,
     "[\"svsm\"]",
     "narrows",
     "widens"},
    {{{"/policies/web/vtpm", "{}"}},
     "/policies/web/vtpm/roots",
     "[\"svsm\"]",
     "[\"svsm\",\"provider\"]",
     "widens",
     "narrows"},
    {{{"/policies/web/vtpm", "{}"}},
     "/policies/web/vtpm/require_secure_boot",
     NULL,
     "true",
     "narrows",
     "widens"},
    {{{"/policies/web/vtpm", "{}"}},
     "/policies/web/vtpm/svsm_measurements",
     NULL,
     "[\"" HEX_16("44") HEX_16("44") HEX_16("44") "\"]",
     "widens",
     "narrows"},
    {{{"/policies/web/vtpm", "{\"pcrs\":{}}"}},
     "/policies/web/vtpm/pcrs/4",
     NULL,
     H("44"),
     "narrows",
     "widens"},
    {{{"/policies/web/vtpm", "{\"boot_components\":{\"shim\":" H("44") "}}"}},
     "/policies/web/vtpm/boot_components/shim",
     H("44"),
     "[" H("44") "," H("55") "]",
     "widens",
     "narrows"},
    {{{"/policies/web/azure", "{\"pcrs\":{}}"}},
     "/policies/web/azure/pcrs/4",
     NULL,
     H("44"),
     "narrows",
     "widens"},
    {{{"/policies/web/azure", "{\"pcrs\":{}}"}},
     "/policies/web/azure/pcrs/4",
     H("44"),
     "[" H("44") "," H("55") "]",
     "widens",
     "narrows"},

    {{{0}},
     "/grants/more",
     NULL,
     "{\"policies\":[\"web\"],\"least_level\":\"L1\",\"accounts\":\"any\",\"regions\":\"any\","
     "\"fleets\":\"any\",\"scope\":\"fleet\",\"kind\":\"opaque\",\"origin\":\"generate\","
     "\"max_verdict_age_seconds\":3600}",
     "widens",
     "narrows"},
    {{{0}}, "/grants/key/policies", "[]", "[\"web\"]", "widens", "narrows"},
    {{{0}}, "/grants/key/least_level", "\"L1\"", "\"L2\"", "narrows", "widens"},
    {{{0}}, "/grants/key/accounts", "\"any\"", "[\"a\"]", "narrows", "widens"},
    {{{0}}, "/grants/key/regions", "[\"a\"]", "[\"a\",\"b\"]", "widens", "narrows"},
    {{{0}}, "/grants/key/fleets", "[\"a\"]", "[]", "narrows", "widens"},
    {{{0}}, "/grants/key/scope", "\"fleet\"", "\"instance\"", "widens", "widens"},
    {{{0}}, "/grants/key/kind", "\"opaque\"", "\"ssh-host-key\"", "widens", "widens"},
    {{{0}}, "/grants/key/max_verdict_age_seconds", "60", "61", "widens", "narrows"},
    {{{0}}, "/grants/key/allow_unproven_software", NULL, "true", "widens", "narrows"},
};

static void put(json_t *charter, const char *pointer, const char *value)
{
    charter_change(charter, pointer, value != NULL ? value : "null");
    if (value == NULL)
        charter_change(charter, pointer, NULL);
}

static json_t *made(const struct pair *pair, const char *value)
{
    struct error err = {0};
    OWNED(charter_drop) struct charter *parsed = NULL;
    json_t *charter = charter_sound();
    for (size_t i = 0; i < countof(pair->base) && pair->base[i].pointer != NULL; i++)
        put(charter, pair->base[i].pointer, pair->base[i].value);
    put(charter, pair->pointer, value);
    OWNED(mem_drop) char *text = json_print(charter);
    assert_ok(charter_parse(span_of_text(text), &parsed, &err));
    return charter;
}

static const char *member(const json_t *change, const char *name)
{
    return json_string_value(json_object_get(change, name));
}

static void assert_one(const struct pair *pair, const json_t *was, const json_t *is,
                       const char *effect)
{
    OWNED(json_drop) json_t *changes = charter_diff(was, is);
    const json_t *first = json_array_get(changes, 0);
    OWNED(mem_drop) char *text = json_print(changes);
    if (json_array_size(changes) != 1 || strcmp(member(first, "effect"), effect) != 0 ||
        strncmp(member(first, "where"), pair->pointer, 6) != 0)
        fail_msg("%s: %s to %s is not one that %s: %s", pair->pointer, pair->was, pair->is, effect,
                 text);
    assert_true(strlen(member(first, "why")) > 0);
}

static void every_change_narrows_or_widens_and_back_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(pairs); i++) {
        OWNED(json_drop) json_t *was = made(&pairs[i], pairs[i].was);
        OWNED(json_drop) json_t *is = made(&pairs[i], pairs[i].is);
        assert_one(&pairs[i], was, is, pairs[i].effect);
        assert_one(&pairs[i], is, was, pairs[i].back);
    }
}

static void a_charter_is_the_same_as_itself(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *one = charter_sound();
    OWNED(json_drop) json_t *other = charter_sound();
    OWNED(json_drop) json_t *changes = charter_diff(one, other);
    assert_int_equal(json_array_size(changes), 0);
}

/* What no rule knows: a member that a later charter may have. */
static void the_unknown_counts_as_widening(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *was = charter_sound();
    OWNED(json_drop) json_t *is = charter_sound();
    charter_change(is, "/surprise", "1");
    charter_change(is, "/grants/key/surprise", "{}");
    charter_change(is, "/policies/web/snp/surprise", "false");
    OWNED(json_drop) json_t *changes = charter_diff(was, is);
    OWNED(json_drop) json_t *back = charter_diff(is, was);
    assert_int_equal(charter_diff_count(changes, DIFF_WIDENS), 3);
    assert_int_equal(charter_diff_count(back, DIFF_WIDENS), 3);
    assert_int_equal(charter_diff_count(back, DIFF_NARROWS), 0);
}

/* No hex of it is the same text as that of the other reference, and all of it means the same. */
static void the_lesser_word_counts_however_its_hex_is_written(void **state)
{
    (void)state;
    static const char small[] =
        "{\"measurement\":[" M("ab") "],\"measured_boot\":false,"
                                     "\"anchor\":\"none\",\"provider_execution\":\"on\"}";
    OWNED(json_drop) json_t *was = charter_sound();
    OWNED(json_drop) json_t *is = charter_sound();
    json_t *const both[] = {was, is};
    for (size_t i = 0; i < countof(both); i++) {
        charter_change(both[i], "/references/direct/measurement", "[" M("AB") "]");
        charter_change(both[i], "/references/weak", small);
        charter_change(both[i], "/policies/web/references", "[\"direct\",\"weak\"]");
    }
    charter_change(is, "/references/weak/retired", "true");
    OWNED(json_drop) json_t *changes = charter_diff(was, is);
    assert_int_equal(charter_diff_count(changes, DIFF_WIDENS), 1);
}

static const char weak[] =
    "{\"measurement\":[" M("11") "],\"measured_boot\":false,"
                                 "\"anchor\":\"none\",\"provider_execution\":\"on\"}";

/* Of two references to one image the lesser counts: to take that away gives more. */
static void taking_away_the_lesser_word_for_an_image_widens(void **state)
{
    (void)state;
    static const struct {
        const char *pointer, *value;
    } ways[] = {
        {"/policies/web/references", "[\"direct\"]"},
        {"/references/weak/retired", "true"},
        {"/references/weak/expires", "\"2026-12-01T00:00:00Z\""},
        {"/references/weak/measurement", "[]"},
    };
    for (size_t i = 0; i < countof(ways); i++) {
        OWNED(json_drop) json_t *was = charter_sound();
        OWNED(json_drop) json_t *is = charter_sound();
        charter_change(was, "/references/weak", weak);
        charter_change(was, "/policies/web/references", "[\"direct\",\"weak\"]");
        charter_change(is, "/references/weak", weak);
        charter_change(is, "/policies/web/references", "[\"direct\",\"weak\"]");
        charter_change(is, ways[i].pointer, ways[i].value);
        OWNED(json_drop) json_t *changes = charter_diff(was, is);
        assert_int_equal(json_array_size(changes), 1);
        assert_int_equal(charter_diff_count(changes, DIFF_WIDENS), 1);
    }
}

static void a_reference_that_a_policy_takes_up_widens(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *was = charter_sound();
    OWNED(json_drop) json_t *is = charter_sound();
    charter_change(is, "/references/weak", weak);
    charter_change(is, "/policies/web/references", "[\"direct\",\"weak\"]");
    OWNED(json_drop) json_t *changes = charter_diff(was, is);
    assert_int_equal(json_array_size(changes), 2);
    assert_int_equal(charter_diff_count(changes, DIFF_WIDENS), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_narrows_or_widens_and_back_again),
        cmocka_unit_test(a_charter_is_the_same_as_itself),
        cmocka_unit_test(the_unknown_counts_as_widening),
        cmocka_unit_test(taking_away_the_lesser_word_for_an_image_widens),
        cmocka_unit_test(the_lesser_word_counts_however_its_hex_is_written),
        cmocka_unit_test(a_reference_that_a_policy_takes_up_widens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
