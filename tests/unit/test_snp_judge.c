/* What a pass proves, and the traps others fell into (facts/attestation.md section 11; R3, R4,
 * R20, R30, R67). */
#include "lib/attest/judge.h"

#include <string.h>

#include "lib/crypto/random.h"
#include "tests/support/cases.h"
#include "tests/support/matter.h"
#include "tests/support/test.h"

static bool misses(const struct verdict *v, enum missing what)
{
    return (v->missing >> what & 1) != 0;
}

static bool has_residual(const struct verdict *v, enum residual what)
{
    return (v->residuals >> what & 1) != 0;
}

static void plain_ec2_proves_hardware_only_and_says_why(void **state)
{
    (void)state;
    struct matter m = matter_of(PSP_FIRMWARE_ONLY);
    OWNED(verdict_done) struct verdict v = matter_judge(&m);
    assert_true(v.trusted);
    assert_int_equal(v.hardware, SOURCE_HARDWARE);
    assert_int_equal(v.software, SOURCE_NONE);
    assert_int_equal(v.identity, SOURCE_NONE);
    assert_int_equal(v.level, LEVEL_1);
    assert_true(misses(&v, MISSING_SOFTWARE) && misses(&v, MISSING_IDENTITY));
    assert_true(has_residual(&v, RESIDUAL_PROVIDER_FIRMWARE));
    assert_true(has_residual(&v, RESIDUAL_NO_CHIP_IDENTITY));
    assert_true(has_residual(&v, RESIDUAL_MILAN_ROOT_SEED));
    assert_int_equal(v.anchor, ANCHOR_NONE);
}

static void plain_ec2_stays_at_l1_whatever_the_operator_declares(void **state)
{
    (void)state;
    struct matter m = matter_best();
    m.wish.flavour = PSP_FIRMWARE_ONLY; /* the host puts no host data there */
    m.in.image.measured_boot = false;
    OWNED(verdict_done) struct verdict v = matter_judge(&m);
    assert_int_equal(v.software, SOURCE_NONE);
    assert_int_equal(v.identity, SOURCE_NONE);
    assert_int_equal(v.level, LEVEL_1);
}

static void measured_direct_boot_proves_software_and_identity(void **state)
{
    (void)state;
    struct matter m = matter_best();
    OWNED(verdict_done) struct verdict v = matter_judge(&m);
    assert_true(v.trusted);
    assert_int_equal(v.software, SOURCE_HARDWARE);
    assert_int_equal(v.identity, SOURCE_HARDWARE);
    assert_int_equal(v.level, LEVEL_3);
    assert_int_equal(v.missing, 0);
    assert_int_equal(v.anchor, ANCHOR_HOST_DATA);
    assert_false(span_is_zero(SPAN_OF(v.anchor_hash)));
}

static void each_lack_lowers_the_level_and_is_named(void **state)
{
    (void)state;
    struct matter cases[8];
    for (size_t i = 0; i < countof(cases); i++)
        cases[i] = matter_best();
    cases[0].in.standing.custody_outside = false;
    cases[1].in.standing.endpoint_keys = false;
    cases[2].in.standing.disk_encrypted = false;
    cases[3].in.image.provider_execution_off = false;
    cases[4].in.image.anchor = ANCHOR_NONE;
    cases[5].in.expected_report_data = (struct span){0};
    cases[6].policy = "{\"snp\":{\"measurement\":\"any\"}}";
    cases[7].policy = "{\"snp\":{\"measurement\":[\"" ONES ONES "\"],\"allow_debug\":true}}";
    cases[7].wish.tamper = PSP_DEBUG_POLICY;
    static const struct {
        enum missing missing;
        enum level level;
    } want[] = {
        {MISSING_OUTSIDE_CUSTODY, LEVEL_2},    {MISSING_ENDPOINT_KEYS, LEVEL_2},
        {MISSING_DISK_ENCRYPTION, LEVEL_1},    {MISSING_PROVIDER_EXECUTION, LEVEL_1},
        {MISSING_IDENTITY, LEVEL_1},           {MISSING_FRESHNESS, LEVEL_1},
        {MISSING_PINNED_MEASUREMENT, LEVEL_1}, {MISSING_DEBUG_OFF, LEVEL_0},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        OWNED(verdict_done) struct verdict v = matter_judge(&cases[i]);
        assert_true(v.trusted);
        assert_int_equal(v.level, want[i].level);
        assert_true(misses(&v, want[i].missing));
    }
}

static void anchor_differs_between_instances_and_kinds(void **state)
{
    (void)state;
    struct matter m = matter_best();
    OWNED(verdict_done) struct verdict one = matter_judge(&m);
    m.wish.host_data[31] ^= 1;
    OWNED(verdict_done) struct verdict other = matter_judge(&m);
    memset(m.wish.id_key_digest, 0x33, sizeof m.wish.id_key_digest);
    m.in.image.anchor = ANCHOR_ID_BLOCK;
    OWNED(verdict_done) struct verdict block = matter_judge(&m);
    assert_int_equal(block.anchor, ANCHOR_ID_BLOCK);
    assert_memory_not_equal(one.anchor_hash, other.anchor_hash, ANCHOR_HASH_SIZE);
    assert_memory_not_equal(one.anchor_hash, block.anchor_hash, ANCHOR_HASH_SIZE);
}

static void host_data_of_zeroes_anchors_nothing(void **state)
{
    (void)state;
    struct matter m = matter_best();
    memset(m.wish.host_data, 0, sizeof m.wish.host_data);
    OWNED(verdict_done) struct verdict v = matter_judge(&m);
    assert_int_equal(v.anchor, ANCHOR_NONE);
    assert_int_equal(v.identity, SOURCE_NONE);
}

/* trust.md section 2: identity by hardware belongs to measured direct boot. Under firmware alone
 * the host may boot what it likes and write into host data what it likes. */
static void anchor_of_an_unmeasured_guest_counts_for_nothing(void **state)
{
    (void)state;
    struct matter m = matter_best();
    m.in.image.measured_boot = false;
    static const enum anchor_kind kinds[] = {ANCHOR_HOST_DATA, ANCHOR_ID_BLOCK};
    memset(m.wish.id_key_digest, 0x33, sizeof m.wish.id_key_digest);
    for (size_t i = 0; i < countof(kinds); i++) {
        m.in.image.anchor = kinds[i];
        OWNED(verdict_done) struct verdict v = matter_judge(&m);
        assert_true(v.trusted);
        assert_int_equal(v.anchor, ANCHOR_NONE);
        assert_true(span_is_zero(SPAN_OF(v.anchor_hash)));
        assert_int_equal(v.identity, SOURCE_NONE);
        assert_int_equal(v.level, LEVEL_1);
    }
}

/* Whatever the certificates say, 1970 and 2100 are a clock that nobody set. */
static void clock_that_cannot_be_right_is_named(void **state)
{
    (void)state;
    static const struct {
        int64_t at;
        enum reason reason;
        bool named;
    } cases[] = {
        {0, REASON_CERT_NOT_YET_VALID, true},
        {1577836799, REASON_CERT_NOT_YET_VALID, true},
        {1577836800, REASON_CERT_NOT_YET_VALID, false}, /* 2020: that is for the certificates */
        {4102444799, REASON_CERT_EXPIRED, false},
        {4102444800, REASON_CERT_EXPIRED, true}, /* 2100 */
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct matter m = matter_of(PSP_DIRECT_BOOT);
        m.in.at = clock_at_seconds(cases[i].at);
        OWNED(verdict_done) struct verdict v = matter_judge(&m);
        assert_int_equal(v.reason, cases[i].reason);
        const char *detail = verdict_check(&v, "validity")->detail;
        assert_int_equal(strncmp(detail, "the clock stands", 16) == 0, cases[i].named);
    }
}

static void report_the_host_asked_for_is_refused_without_any_policy(void **state)
{
    (void)state;
    struct matter m = matter_of(PSP_DIRECT_BOOT);
    m.policy = NULL;
    m.wish.vmpl = SNP_VMPL_HOST;
    assert_judged(&m, REASON_POLICY_VMPL);
    m.wish.vmpl = 4;
    assert_judged(&m, REASON_MALFORMED);
}

static void simulated_evidence_is_refused_outside_its_realm(void **state)
{
    (void)state;
    struct matter m = matter_best();
    m.in.simulation_realm = false;
    assert_judged(&m, REASON_WRONG_REALM);
    m = matter_best();
    m.in.kind = EVIDENCE_SNP;
    OWNED(verdict_done) struct verdict v = matter_judge(&m);
    assert_false(v.simulated);
    for (int kind = 0; kind < EVIDENCE_KIND_COUNT; kind++) {
        m.in.kind = (enum evidence_kind)kind;
        if (kind != EVIDENCE_SNP && kind != EVIDENCE_SIMULATED)
            assert_judged(&m, REASON_UNSUPPORTED_EVIDENCE);
    }
}

static void another_binding_is_refused(void **state)
{
    (void)state;
    static const size_t bytes[] = {0, 31, 63};
    for (size_t i = 0; i < countof(bytes); i++) {
        struct matter m = matter_best();
        m.wish.report_data[bytes[i]] ^= 1;
        assert_judged(&m, REASON_POLICY_REPORT_DATA);
    }
}

static void any_report_data_is_no_proof_of_freshness(void **state)
{
    (void)state;
    struct matter m = matter_best();
    m.in.expected_report_data = (struct span){0};
    m.policy = "{\"snp\":{\"measurement\":[\"" ONES ONES "\"],\"report_data\":\"any\"}}";
    OWNED(verdict_done) struct verdict v = matter_judge(&m);
    assert_true(v.trusted);
    assert_true(misses(&v, MISSING_FRESHNESS));
    assert_int_equal(v.level, LEVEL_1);
}

static void one_bad_layer_leaves_the_others_reported(void **state)
{
    (void)state;
    struct matter m = matter_best();
    m.wish.tamper = PSP_ALTER_MEASUREMENT;
    OWNED(verdict_done) struct verdict v = matter_judge(&m);
    assert_int_equal(v.reason, REASON_BAD_SIGNATURE);
    assert_int_equal(verdict_check(&v, "chain")->result, CHECK_PASS);
    assert_int_equal(verdict_check(&v, "tcb")->result, CHECK_PASS);
    assert_int_equal(verdict_check(&v, "policy-measurement")->result, CHECK_FAIL);
    assert_int_equal(verdict_check(&v, "policy-report-data")->result, CHECK_PASS);
    assert_int_equal(v.hardware, SOURCE_NONE);
    assert_int_equal(v.level, LEVEL_0);
}

/* Never a bare "no": what could not be looked at is listed too, whatever came. */
static void the_same_checks_are_listed_for_every_input(void **state)
{
    (void)state;
    struct matter m = matter_best();
    OWNED(simulated_done) struct simulated s = simulator_evidence(simulator.psp, &m.wish);
    OWNED(verdict_done) struct verdict whole = matter_judge_report(&m, &s);
    s.report.at[0] = 6;
    OWNED(verdict_done) struct verdict unknown = matter_judge_report(&m, &s);
    s.report.len = 100;
    OWNED(verdict_done) struct verdict cut = matter_judge_report(&m, &s);
    bytes_done(&s.report);
    bytes_done(&s.table);
    OWNED(verdict_done) struct verdict nothing = matter_judge_report(&m, &s);
    const struct verdict *others[] = {&unknown, &cut, &nothing};
    assert_int_equal(unknown.reason, REASON_UNSUPPORTED_VERSION);
    assert_int_equal(cut.reason, REASON_MALFORMED);
    for (size_t i = 0; i < countof(others); i++) {
        assert_int_equal(others[i]->check_count, whole.check_count);
        for (size_t c = 0; c < whole.check_count; c++)
            assert_string_equal(others[i]->checks[c].name, whole.checks[c].name);
        assert_int_equal(verdict_check(others[i], "policy-measurement")->result, CHECK_SKIP);
    }
}

static void every_byte_of_a_report_counts(void **state)
{
    (void)state;
    struct matter m = matter_of(PSP_DIRECT_BOOT);
    m.policy = NULL;
    OWNED(simulated_done) struct simulated s = simulator_evidence(simulator.psp, &m.wish);
    for (size_t at = 0; at < SNP_REPORT_SIZE; at++) {
        s.report.at[at] ^= (uint8_t)(1u << at % 8);
        OWNED(verdict_done) struct verdict v = matter_judge_report(&m, &s);
        assert_false(v.trusted);
        s.report.at[at] ^= (uint8_t)(1u << at % 8);
    }
    OWNED(verdict_done) struct verdict v = matter_judge_report(&m, &s);
    assert_true(v.trusted);
}

/* An allow-list of 2 and 3 refused genuine reports once hosts moved to 4 and 5. */
static void versions_two_to_five_are_judged_and_no_other(void **state)
{
    (void)state;
    struct matter m = matter_of(PSP_DIRECT_BOOT);
    for (uint32_t version = 0; version <= 7; version++) {
        m.wish.version = version;
        assert_judged(&m, version >= 2 && version <= 5 ? REASON_OK : REASON_UNSUPPORTED_VERSION);
    }
}

static void key_of_the_other_kind_is_refused(void **state)
{
    (void)state;
    struct matter own = matter_of(PSP_DIRECT_BOOT);
    struct matter cloud = matter_of(PSP_FIRMWARE_ONLY);
    OWNED(simulated_done) struct simulated by_vcek = simulator_evidence(simulator.psp, &own.wish);
    OWNED(simulated_done) struct simulated by_vlek = simulator_evidence(simulator.psp, &cloud.wish);
    const struct bytes table = by_vcek.table;
    by_vcek.table = by_vlek.table;
    by_vlek.table = table;
    OWNED(verdict_done) struct verdict vcek = matter_judge_report(&own, &by_vcek);
    OWNED(verdict_done) struct verdict vlek = matter_judge_report(&cloud, &by_vlek);
    assert_int_equal(vcek.reason, REASON_SIGNING_KEY_MISMATCH);
    assert_int_equal(vlek.reason, REASON_SIGNING_KEY_MISMATCH);
    assert_int_equal(verdict_check(&vcek, "chain")->result, CHECK_PASS);
    assert_int_equal(verdict_check(&vlek, "chain")->result, CHECK_PASS);
}

static void unknown_processor_is_a_verdict_never_a_crash(void **state)
{
    (void)state;
    struct matter m = matter_of(PSP_DIRECT_BOOT);
    OWNED(simulated_done) struct simulated s = simulator_evidence(simulator.psp, &m.wish);
    for (unsigned family = 0; family < 256; family += 5)
        for (unsigned model = 0; model < 256; model += 51) {
            s.report.at[0x188] = (uint8_t)family;
            s.report.at[0x189] = (uint8_t)model;
            OWNED(verdict_done) struct verdict v = matter_judge_report(&m, &s);
            assert_false(v.trusted);
        }
}

static void noise_is_never_trusted(void **state)
{
    (void)state;
    struct matter m = matter_of(PSP_DIRECT_BOOT);
    for (int i = 0; i < 200; i++) {
        OWNED(simulated_done) struct simulated s = {0};
        const size_t len = random_below(2) == 0 ? SNP_REPORT_SIZE : random_below(3000);
        random_fill(bytes_add_room(&s.report, len), len);
        random_fill(bytes_add_room(&s.table, 500), 500);
        if (len == SNP_REPORT_SIZE)
            memcpy(s.report.at, "\3\0\0\0", 4);
        OWNED(verdict_done) struct verdict v = matter_judge_report(&m, &s);
        assert_false(v.trusted);
        assert_int_equal(v.hardware, SOURCE_NONE);
    }
}

static void verdict_prints_itself_whole(void **state)
{
    (void)state;
    struct matter m = matter_of(PSP_FIRMWARE_ONLY);
    OWNED(verdict_done) struct verdict v = matter_judge(&m);
    OWNED(json_drop) json_t *json = verdict_to_json(&v);
    static const char *const members[] = {
        "verdict",   "reason",    "level", "hardware", "software", "identity", "missing",
        "residuals", "simulated", "roots", "anchor",   "checks",   "claims"};
    for (size_t i = 0; i < countof(members); i++)
        assert_non_null(json_object_get(json, members[i]));
    assert_true(json_is_true(json_object_get(json, "simulated")));
    assert_string_equal(json_string_value(json_object_get(json, "level")), "L1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_ec2_proves_hardware_only_and_says_why),
        cmocka_unit_test(plain_ec2_stays_at_l1_whatever_the_operator_declares),
        cmocka_unit_test(measured_direct_boot_proves_software_and_identity),
        cmocka_unit_test(each_lack_lowers_the_level_and_is_named),
        cmocka_unit_test(anchor_differs_between_instances_and_kinds),
        cmocka_unit_test(host_data_of_zeroes_anchors_nothing),
        cmocka_unit_test(anchor_of_an_unmeasured_guest_counts_for_nothing),
        cmocka_unit_test(clock_that_cannot_be_right_is_named),
        CASES(report_the_host_asked_for_is_refused_without_any_policy),
        CASES(simulated_evidence_is_refused_outside_its_realm),
        CASES(another_binding_is_refused),
        cmocka_unit_test(any_report_data_is_no_proof_of_freshness),
        cmocka_unit_test(one_bad_layer_leaves_the_others_reported),
        cmocka_unit_test(the_same_checks_are_listed_for_every_input),
        cmocka_unit_test(every_byte_of_a_report_counts),
        CASES(versions_two_to_five_are_judged_and_no_other),
        cmocka_unit_test(key_of_the_other_kind_is_refused),
        cmocka_unit_test(unknown_processor_is_a_verdict_never_a_crash),
        cmocka_unit_test(noise_is_never_trusted),
        cmocka_unit_test(verdict_prints_itself_whole),
    };
    return cmocka_run_group_tests_name("snp_judge", tests, simulator_set_up, simulator_tear_down);
}
