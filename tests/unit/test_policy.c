/* Appraisal policies are read strictly: what is not understood is refused with its path. */
#include "lib/model/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/crypto/x509_make.h"
#include "tests/support/simulator.h"
#include "tests/support/test.h"

static void assert_refused(const char *text, enum policy_mode mode, const char *code,
                           const char *where)
{
    struct error err = {0};
    OWNED(mem_drop) struct policy *policy = NEW(struct policy);
    assert_fails(policy_parse(span_of_text(text), mode, policy, &err), ERR_INVALID, code);
    assert_string_equal(err.where, where);
    assert_false(policy->has_snp);
}

static struct policy *parse(const char *text, enum policy_mode mode)
{
    struct error err = {0};
    struct policy *policy = NEW(struct policy);
    assert_ok(policy_parse(span_of_text(text), mode, policy, &err));
    return policy;
}

static struct moment day(const char *text)
{
    struct error err = {0};
    struct moment at;
    assert_ok(moment_parse(text, &at, &err));
    return at;
}

static void unknown_members_are_refused_with_their_path(void **state)
{
    (void)state;
    assert_refused("{\"bogus\":1}", POLICY_EXPECT, "unknown-member", "/bogus");
    assert_refused("{\"snp\":{\"max_vmp\":1}}", POLICY_EXPECT, "unknown-member", "/snp/max_vmp");
    assert_refused("{\"snp\":{\"min_tcb\":{\"Milan\":{\"fmc\":1}}}}", POLICY_EXPECT,
                   "unknown-member", "/snp/min_tcb/Milan/fmc");
    assert_refused("{\"name\":\"x\"}", POLICY_EXPECT, "unknown-member", "/name");
}

static void wrong_values_are_refused_with_their_path(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *code;
        const char *where;
    } cases[] = {
        {"{\"snp\":{\"max_vmpl\":4}}", "out-of-range", "/snp/max_vmpl"},
        {"{\"snp\":{\"max_vmpl\":null}}", "wrong-type", "/snp/max_vmpl"},
        {"{\"snp\":{\"allow_debug\":\"no\"}}", "wrong-type", "/snp/allow_debug"},
        {"{\"snp\":{\"signing_keys\":[]}}", "wrong-value", "/snp/signing_keys"},
        {"{\"snp\":{\"signing_keys\":[\"vcek\"]}}", "wrong-value", "/snp/signing_keys"},
        {"{\"snp\":{\"measurement\":\"ab\"}}", "wrong-value", "/snp/measurement"},
        {"{\"snp\":{\"measurement\":[1]}}", "wrong-value", "/snp/measurement"},
        {"{\"snp\":{\"measurement\":[\"any\"]}}", "wrong-value", "/snp/measurement"},
        {"{\"snp\":{\"min_tcb\":{\"Rome\":{}}}}", "wrong-value", "/snp/min_tcb/Rome"},
        {"{\"snp\":{\"min_tcb\":{\"Siena\":{},\"Bergamo\":{}}}}", "wrong-value",
         "/snp/min_tcb/Bergamo"},
        {"{\"snp\":{\"min_tcb\":{\"Milan\":{\"bl\":256}}}}", "out-of-range",
         "/snp/min_tcb/Milan/bl"},
        {"{\"snp\":{\"min_tcb\":{\"Milan\":[]}}}", "wrong-value", "/snp/min_tcb/Milan"},
        {"{\"snp\":{\"min_tcb\":{\"Milan\":[1]}}}", "wrong-type", "/snp/min_tcb/Milan/0"},
        {"{\"snp\":{\"min_tcb\":{\"Milan\":{\"snp\":1,\"from\":\"2026-12-01T00:00:00Z\"}}}}",
         "wrong-value", "/snp/min_tcb/Milan"},
        {"{\"snp\":{\"min_tcb\":{\"Milan\":[{\"from\":\"2026-12-01T00:00:00Z\"}]}}}", "wrong-value",
         "/snp/min_tcb/Milan/0"},
        {"{\"snp\":{\"min_tcb\":{\"Milan\":[{},{\"snp\":1}]}}}", "missing-member",
         "/snp/min_tcb/Milan/1/from"},
        {"{\"snp\":{\"min_tcb\":{\"Milan\":[{},{\"snp\":1,\"from\":\"tomorrow\"}]}}}", "wrong-type",
         "/snp/min_tcb/Milan/1/from"},
        {"{\"snp\":{\"min_tcb\":{\"Milan\":[{},{\"from\":\"2026-12-01T00:00:00Z\"}]}}}",
         "wrong-value", "/snp/min_tcb/Milan/1"},
        {"{\"snp\":{\"min_tcb\":{\"Milan\":[{},{\"snp\":1,\"from\":\"2026-12-01T00:00:00Z\"},"
         "{\"snp\":2,\"from\":\"2026-12-01T00:00:00Z\"}]}}}",
         "wrong-value", "/snp/min_tcb/Milan/2"},
        {"{\"snp\":{\"min_tcb\":{\"Milan\":[{},{},{},{},{},{}]}}}", "wrong-value",
         "/snp/min_tcb/Milan"},
        {"{\"snp\":{\"min_tcb\":{\"Milan\":[{},{\"fmc\":1,\"from\":\"2026-12-01T00:00:00Z\"}]}}}",
         "unknown-member", "/snp/min_tcb/Milan/1/fmc"},
        {"{\"snp\":{\"forbid_platform_info\":[\"bit6\"]}}", "wrong-value",
         "/snp/forbid_platform_info"},
        {"{\"snp\":{\"require_guest_policy\":[\"abi_major\"]}}", "wrong-value",
         "/snp/require_guest_policy"},
        {"{\"snp\":{\"forbid_guest_policy\":\"cxl_allow\"}}", "wrong-type",
         "/snp/forbid_guest_policy"},
        {"{\"snp\":{\"require_launch_mit_vector\":[64]}}", "wrong-value",
         "/snp/require_launch_mit_vector"},
        {"{\"snp\":{\"require_current_mit_vector\":[-1]}}", "wrong-value",
         "/snp/require_current_mit_vector"},
        {"{\"snp\":{\"require_current_mit_vector\":[\"1\"]}}", "wrong-value",
         "/snp/require_current_mit_vector"},
        {"{\"snp\":{\"require_committed_tcb\":1}}", "wrong-type", "/snp/require_committed_tcb"},
        {"{\"snp\":{\"min_guest_svn\":0}}", "out-of-range", "/snp/min_guest_svn"},
        {"{\"snp\":{\"min_guest_svn\":4294967296}}", "out-of-range", "/snp/min_guest_svn"},
        {"{\"snp\":{\"chip_id\":\"0123456789abcdef\"}}", "wrong-value", "/snp/chip_id"},
        {"{\"snp\":{\"vlek_csp_id\":\"\"}}", "wrong-value", "/snp/vlek_csp_id"},
        {"{\"snp\":{\"max_age_seconds\":0}}", "out-of-range", "/snp/max_age_seconds"},
        {"{\"nitro\":{\"pcrs\":[]}}", "wrong-value", "/nitro/pcrs"},
        {"{\"nitro\":{\"pcrs\":\"all\"}}", "wrong-value", "/nitro/pcrs"},
        {"{\"nitro\":{\"pcrs\":{\"32\":\"any\"}}}", "wrong-value", "/nitro/pcrs/32"},
        {"{\"nitro\":{\"pcrs\":{\"00\":\"\"}}}", "wrong-value", "/nitro/pcrs/00"},
        {"{\"nitro\":{\"pcrs\":{\"-0\":\"\"}}}", "wrong-value", "/nitro/pcrs/-0"},
        {"{\"nitro\":{\"pcrs\":{\"0\":\"abcd\"}}}", "wrong-value", "/nitro/pcrs/0"},
        {"{\"nitro\":{\"pcrs\":{\"0\":[]}}}", "wrong-value", "/nitro/pcrs/0"},
        {"{\"nitro\":{\"nonce\":\"abc\"}}", "wrong-value", "/nitro/nonce"},
        {"{\"nitro\":{\"nonce\":1}}", "wrong-type", "/nitro/nonce"},
        {"{\"nitro\":{\"max_age_seconds\":0}}", "out-of-range", "/nitro/max_age_seconds"},
        {"{\"nitro\":{\"pcr\":{}}}", "unknown-member", "/nitro/pcr"},
        {"{\"azure\":{\"pcrs\":1}}", "wrong-value", "/azure/pcrs"},
        {"{\"azure\":{\"nonce\":\"\"}}", "unknown-member", "/azure/nonce"},
        {"[]", "wrong-type", ""},
    };
    for (size_t i = 0; i < countof(cases); i++)
        assert_refused(cases[i].text, POLICY_EXPECT, cases[i].code, cases[i].where);
}

static void what_may_vouch_for_a_vtpm_is_read_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *code;
        const char *where;
    } cases[] = {
        {"{\"vtpm\":{\"roots\":[]}}", "wrong-value", "/vtpm/roots"},
        {"{\"vtpm\":{\"roots\":[\"tpm\"]}}", "wrong-value", "/vtpm/roots"},
        {"{\"vtpm\":{\"roots\":[7]}}", "wrong-value", "/vtpm/roots"},
        {"{\"vtpm\":{\"roots\":\"svsm\"}}", "wrong-type", "/vtpm/roots"},
        {"{\"vtpm\":{\"ak_ca\":[]}}", "wrong-value", "/vtpm/ak_ca"},
        {"{\"vtpm\":{\"ak_ca\":[\"a certificate\"]}}", "wrong-value", "/vtpm/ak_ca"},
        {"{\"vtpm\":{\"ak_ca\":[7]}}", "wrong-value", "/vtpm/ak_ca"},
        {"{\"vtpm\":{\"svsm_measurements\":\"any\"}}", "wrong-value", "/vtpm/svsm_measurements"},
        {"{\"vtpm\":{\"boot_components\":{}}}", "wrong-value", "/vtpm/boot_components"},
        {"{\"azure\":{\"boot_components\":{}}}", "wrong-value", "/azure/boot_components"},
        {"{\"vtpm\":{\"boot_components\":[]}}", "wrong-type", "/vtpm/boot_components"},
        {"{\"vtpm\":{\"boot_components\":{\"shim\":\"zz\"}}}", "wrong-value",
         "/vtpm/boot_components/shim"},
        {"{\"vtpm\":{\"root\":[\"svsm\"]}}", "unknown-member", "/vtpm/root"},
    };
    for (size_t i = 0; i < countof(cases); i++)
        assert_refused(cases[i].text, POLICY_EXPECT, cases[i].code, cases[i].where);
}

/* One more than a policy has room for. */
static void boot_components_are_counted(void **state)
{
    (void)state;
    static const char zero[] = "0000000000000000000000000000000000000000000000000000000000000000";
    OWNED(text_done) struct text text = {0};
    text_add(&text, "{\"vtpm\":{\"boot_components\":{");
    for (int i = 0; i < POLICY_COMPONENTS; i++)
        text_addf(&text, "%s\"c%d\":\"%s\"", i > 0 ? "," : "", i, zero);
    OWNED(text_done) struct text most = {0};
    text_addf(&most, "%s}}}", text_str(&text));
    OWNED(mem_drop) struct policy *policy = parse(text_str(&most), POLICY_EXPECT);
    assert_int_equal(policy->vtpm.boot.component_count, POLICY_COMPONENTS);
    text_addf(&text, ",\"one-more\":\"%s\"}}}", zero);
    assert_refused(text_str(&text), POLICY_EXPECT, "wrong-value", "/vtpm/boot_components");
}

static void add_authority(size_t filling, struct text *out)
{
    struct error err = {0};
    OWNED(bytes_wipe) struct bytes pem = {0};
    OWNED(bytes_done) struct bytes der = {0};
    OWNED(bytes_done) struct bytes shown = {0};
    OWNED(bytes_done) struct bytes value = {0};
    OWNED(maker_drop) struct maker *maker = NULL;
    OWNED(text_done) struct text file = {0};
    const char *build = getenv("MUSTER_BUILD");
    text_addf(&file, "%s/tests/simulator-state/ark.key", build != NULL ? build : ".");
    assert_ok(file_read(text_str(&file), 16 * 1024, &pem, &err));
    assert_ok(maker_from_pem(bytes_span(&pem), &maker, &err));
    bytes_add_room(&value, filling);
    const struct x509_wish wish = {.subject = "an authority",
                                   .issuer = "an authority",
                                   .organisation = "test",
                                   .serial = 1,
                                   .from = day("2026-01-01T00:00:00Z"),
                                   .to = day("2027-01-01T00:00:00Z"),
                                   .ca = true,
                                   .extra_count = 1,
                                   .extras = {{"1.2.3.4", bytes_span(&value)}}};
    assert_ok(x509_make_for_maker(maker, maker, &wish, &der, &err));
    pem_add_certificate(&shown, bytes_span(&der));
    OWNED(json_drop) json_t *text = json_stringn((const char *)shown.at, shown.len);
    OWNED(mem_drop) char *printed = json_print(text);
    text_add(out, printed);
}

/* It must fit beside the others in a policy of a fixed size. */
static void an_authority_has_at_most_2048_bytes(void **state)
{
    (void)state;
    OWNED(text_done) struct text usual = {0}, large = {0};
    text_add(&usual, "{\"vtpm\":{\"ak_ca\":[");
    text_add(&large, "{\"vtpm\":{\"ak_ca\":[");
    add_authority(0, &usual);
    add_authority(2048, &large);
    text_add(&usual, "]}}");
    text_add(&large, "]}}");
    OWNED(mem_drop) struct policy *policy = parse(text_str(&usual), POLICY_EXPECT);
    assert_int_equal(policy->vtpm.ca_count, 1);
    assert_refused(text_str(&large), POLICY_EXPECT, "wrong-value", "/vtpm/ak_ca");
}

/* Before its date the old floor counts, from then on the new; parts that it does not name stay. */
static void a_floor_takes_over_at_its_date_part_by_part(void **state)
{
    (void)state;
    OWNED(mem_drop)
    struct policy *p = parse("{\"snp\":{\"min_tcb\":{\"Milan\":[{\"bl\":3,\"snp\":20},"
                             "{\"snp\":24,\"from\":\"2026-12-01T00:00:00Z\"},"
                             "{\"ucode\":219,\"from\":\"2027-01-01T00:00:00+01:00\"}]}}}",
                             POLICY_EXPECT);
    static const struct {
        const char *at;
        uint8_t bl, snp, ucode;
    } days[] = {
        {"1970-01-02T00:00:00Z", 3, 20, 0},   {"2026-11-30T23:59:59.999999Z", 3, 20, 0},
        {"2026-12-01T00:00:00Z", 3, 24, 0},   {"2026-12-31T22:59:59Z", 3, 24, 0},
        {"2026-12-31T23:00:00Z", 3, 24, 219}, {"2099-01-01T00:00:00Z", 3, 24, 219},
    };
    for (size_t i = 0; i < countof(days); i++) {
        const struct snp_tcb tcb = tcb_floor_at(&p->snp.min_tcb[PRODUCT_MILAN], day(days[i].at));
        assert_int_equal(tcb.part[TCB_BL], days[i].bl);
        assert_int_equal(tcb.part[TCB_SNP], days[i].snp);
        assert_int_equal(tcb.part[TCB_UCODE], days[i].ucode);
    }
}

/* Of two floors with dates of their own the higher counts, at every time. */
static void two_floors_with_dates_raise_each_other(void **state)
{
    (void)state;
    OWNED(mem_drop)
    struct policy *a = parse("{\"snp\":{\"min_tcb\":{\"Turin\":[{\"snp\":1,\"fmc\":2},"
                             "{\"snp\":5,\"from\":\"2026-12-01T00:00:00Z\"},"
                             "{\"snp\":2,\"from\":\"2026-12-03T00:00:00Z\"}]}}}",
                             POLICY_EXPECT);
    OWNED(mem_drop)
    struct policy *b = parse("{\"snp\":{\"min_tcb\":{\"Turin\":[{\"snp\":3},"
                             "{\"snp\":4,\"from\":\"2026-12-02T00:00:00Z\"},"
                             "{\"ucode\":9,\"from\":\"2026-12-03T00:00:00Z\"}]}}}",
                             POLICY_EXPECT);
    struct tcb_floor *floor = &a->snp.min_tcb[PRODUCT_TURIN];
    const struct tcb_floor own = *floor;
    const struct tcb_floor *by = &b->snp.min_tcb[PRODUCT_TURIN];
    assert_true(tcb_floor_raise(floor, by));
    assert_int_equal(floor->later_count, 3);
    for (int hour = -24; hour < 96; hour++) {
        const struct moment at = moment_add_seconds(day("2026-12-01T00:00:00Z"), hour * 3600);
        const struct snp_tcb one = tcb_floor_at(&own, at);
        const struct snp_tcb other = tcb_floor_at(by, at);
        const struct snp_tcb both = tcb_floor_at(floor, at);
        for (int i = 0; i < TCB_PART_COUNT; i++)
            assert_int_equal(both.part[i],
                             one.part[i] > other.part[i] ? one.part[i] : other.part[i]);
    }
}

static void whole_policy_needs_its_conditions(void **state)
{
    (void)state;
    assert_refused("{}", POLICY_WHOLE, "missing-member", "");
    OWNED(mem_drop) struct policy *expect = parse("{}", POLICY_EXPECT);
    assert_false(expect->has_snp);
}

static void silence_means_deny_in_a_whole_policy_and_nothing_in_an_expectation(void **state)
{
    (void)state;
    OWNED(mem_drop) struct policy *whole = parse("{\"snp\":{}}", POLICY_WHOLE);
    assert_false(policy_allows_debug(&whole->snp));
    assert_false(policy_allows_migration(&whole->snp));
    assert_true(policy_allows_smt(&whole->snp));
    assert_int_equal(policy_max_vmpl(&whole->snp), 0);
    assert_false(policy_takes_any_measurement(&whole->snp));
    OWNED(mem_drop) struct policy *expect = parse("{\"snp\":{}}", POLICY_EXPECT);
    assert_true(policy_allows_debug(&expect->snp));
    assert_true(policy_allows_migration(&expect->snp));
    assert_int_equal(policy_max_vmpl(&expect->snp), 3);
    assert_true(policy_takes_any_measurement(&expect->snp));
}

static void sets_take_one_value_a_list_or_any(void **state)
{
    (void)state;
    static const uint8_t ones[32] = {0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
                                     0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
                                     0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
                                     0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11};
    static const char one[] = "{\"snp\":{\"host_data\":\"111111111111111111111111111111111111111111"
                              "1111111111111111111111\"}}";
    OWNED(mem_drop) struct policy *p = parse(one, POLICY_EXPECT);
    assert_true(value_set_has(&p->snp.host_data, SPAN_OF(ones)));
    OWNED(mem_drop) struct policy *none = parse("{\"snp\":{\"host_data\":[]}}", POLICY_EXPECT);
    assert_false(value_set_has(&none->snp.host_data, SPAN_OF(ones)));
    OWNED(mem_drop) struct policy *any = parse("{\"snp\":{\"host_data\":\"any\"}}", POLICY_EXPECT);
    assert_true(value_set_has(&any->snp.host_data, SPAN_OF(ones)));
}

static void sets_are_bounded(void **state)
{
    (void)state;
    OWNED(text_done) struct text text = {0};
    text_add(&text, "{\"snp\":{\"host_data\":[");
    for (int i = 0; i <= POLICY_SET_MAX; i++)
        text_addf(&text, "%s\"%064d\"", i > 0 ? "," : "", i);
    text_add(&text, "]}}");
    assert_refused(text_str(&text), POLICY_EXPECT, "wrong-value", "/snp/host_data");
}

static void lists_of_providers_and_registers_are_bounded_and_not_empty(void **state)
{
    (void)state;
    OWNED(text_done) struct text providers = {0};
    OWNED(text_done) struct text values = {0};
    text_add(&providers, "{\"snp\":{\"vlek_csp_id\":[");
    for (int i = 0; i <= POLICY_CSP_MAX; i++)
        text_addf(&providers, "%s\"CN=%d\"", i > 0 ? "," : "", i);
    text_add(&providers, "]}}");
    text_add(&values, "{\"nitro\":{\"pcrs\":{\"0\":[");
    for (int i = 0; i <= POLICY_PCR_VALUES; i++)
        text_addf(&values, "%s\"%096d\"", i > 0 ? "," : "", i);
    text_add(&values, "]}}}");
    assert_refused(text_str(&providers), POLICY_EXPECT, "wrong-value", "/snp/vlek_csp_id");
    assert_refused("{\"snp\":{\"vlek_csp_id\":[]}}", POLICY_EXPECT, "wrong-value",
                   "/snp/vlek_csp_id");
    assert_refused(text_str(&values), POLICY_EXPECT, "wrong-value", "/nitro/pcrs/0");
    assert_refused("{\"nitro\":{\"pcrs\":{\"0\":[]}}}", POLICY_EXPECT, "wrong-value",
                   "/nitro/pcrs/0");
    static const char *const indices[] = {"32", "-1", "x", ""};
    for (size_t i = 0; i < countof(indices); i++) {
        char text[160], where[32];
        snprintf(text, sizeof text, "{\"nitro\":{\"pcrs\":{\"%s\":\"%096d\"}}}", indices[i], 0);
        snprintf(where, sizeof where, "/nitro/pcrs/%s", indices[i]);
        assert_refused(text, POLICY_EXPECT, "wrong-value", where);
    }
}

static void tcb_layouts_join_and_split(void **state)
{
    (void)state;
    const struct snp_tcb milan = snp_tcb_split(UINT64_C(0xDB18000000000004), LINE_MILAN);
    assert_int_equal(milan.part[TCB_BL], 4);
    assert_int_equal(milan.part[TCB_SNP], 24);
    assert_int_equal(milan.part[TCB_UCODE], 219);
    const struct snp_tcb turin = snp_tcb_split(UINT64_C(0x5100000004010101), LINE_TURIN);
    assert_int_equal(turin.part[TCB_FMC], 1);
    assert_int_equal(turin.part[TCB_SNP], 4);
    assert_int_equal(turin.part[TCB_UCODE], 81);
    assert_true(snp_tcb_join(&turin, LINE_TURIN) == UINT64_C(0x5100000004010101));
    assert_true(snp_tcb_reserved(UINT64_C(0xDB18000000010004), LINE_MILAN) == 0x10000);
}

static void products_follow_family_and_model(void **state)
{
    (void)state;
    assert_int_equal(snp_product_of(0x19, 0x01), PRODUCT_MILAN);
    assert_int_equal(snp_product_of(0x19, 0x11), PRODUCT_GENOA);
    assert_int_equal(snp_product_of(0x19, 0xa0), PRODUCT_SIENA);
    assert_int_equal(snp_product_line(PRODUCT_SIENA), LINE_GENOA);
    assert_int_equal(snp_product_of(0x1a, 0x11), PRODUCT_TURIN);
    assert_int_equal(snp_product_of(0x1a, 0x12), PRODUCT_UNKNOWN);
    assert_int_equal(snp_product_of(0x19, 0x20), PRODUCT_UNKNOWN);
    assert_int_equal(snp_product_of(0x17, 0x31), PRODUCT_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_vouch_for_a_vtpm_is_read_strictly),
        cmocka_unit_test(boot_components_are_counted),
        cmocka_unit_test(an_authority_has_at_most_2048_bytes),
        cmocka_unit_test(unknown_members_are_refused_with_their_path),
        cmocka_unit_test(wrong_values_are_refused_with_their_path),
        cmocka_unit_test(a_floor_takes_over_at_its_date_part_by_part),
        cmocka_unit_test(two_floors_with_dates_raise_each_other),
        cmocka_unit_test(whole_policy_needs_its_conditions),
        cmocka_unit_test(silence_means_deny_in_a_whole_policy_and_nothing_in_an_expectation),
        cmocka_unit_test(sets_take_one_value_a_list_or_any),
        cmocka_unit_test(sets_are_bounded),
        cmocka_unit_test(lists_of_providers_and_registers_are_bounded_and_not_empty),
        cmocka_unit_test(tcb_layouts_join_and_split),
        cmocka_unit_test(products_follow_family_and_model),
    };
    return cmocka_run_group_tests_name("policy", tests, simulator_set_up, simulator_tear_down);
}
