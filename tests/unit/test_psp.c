/* The simulated security processor makes what a real one makes, and each way of tampering is found
 * for its own reason. */
#include "emulator/psp.h"

#include <string.h>

#include "tests/support/simulator.h"
#include "tests/support/test.h"

static void assert_reason(const struct psp_wish *wish, const char *policy, enum reason reason)
{
    OWNED(simulated_done) struct simulated s = simulator_evidence(simulator.psp, wish);
    OWNED(verdict_done) struct verdict v = simulator_judge(&s, simulator.roots, policy, false);
    assert_string_equal(name_of(&reason_names, (int)v.reason), name_of(&reason_names, (int)reason));
    assert_int_equal(v.trusted, reason == REASON_OK);
    assert_true(v.simulated);
    assert_true(v.custom_roots);
}

static void reports_of_both_flavours_every_product_and_version_pass(void **state)
{
    (void)state;
    for (int flavour = 0; flavour < PSP_FLAVOUR_COUNT; flavour++)
        for (int product = PRODUCT_MILAN; product < PRODUCT_COUNT; product++)
            for (uint32_t version = SNP_VERSION_LEAST; version <= SNP_VERSION_MOST; version++) {
                /* Version 2 does not name its product, and there never was one on Turin. */
                struct psp_wish wish = psp_wish((enum psp_flavour)flavour);
                wish.product = (enum snp_product)product;
                wish.version = version;
                wish.chip_id[0] = (uint8_t)product;
                assert_reason(&wish, NULL, REASON_OK);
            }
}

static void reports_of_the_simulator_are_nothing_under_the_pinned_roots(void **state)
{
    (void)state;
    const struct psp_wish wish = psp_wish(PSP_FIRMWARE_ONLY);
    OWNED(simulated_done) struct simulated s = simulator_evidence(simulator.psp, &wish);
    OWNED(verdict_done) struct verdict v = simulator_judge(&s, NULL, NULL, false);
    assert_int_equal(v.reason, REASON_CHAIN_UNTRUSTED);
    assert_int_equal(v.level, LEVEL_0);
}

static void each_way_of_tampering_is_found_for_its_own_reason(void **state)
{
    (void)state;
    static const char policy[] =
        "{\"snp\":{\"allow_debug\":false,\"min_tcb\":{\"Milan\":{\"snp\":27}},\"measurement\":["
        "\"111111111111111111111111111111111111111111111111"
        "111111111111111111111111111111111111111111111111\"]}}";
    static const enum reason reasons[PSP_TAMPER_COUNT] = {
        [PSP_HONEST] = REASON_OK,
        [PSP_ALTER_MEASUREMENT] = REASON_BAD_SIGNATURE,
        [PSP_WRONG_MEASUREMENT] = REASON_POLICY_MEASUREMENT,
        [PSP_DEBUG_POLICY] = REASON_POLICY_DEBUG,
        [PSP_OLD_TCB] = REASON_POLICY_TCB,
    };
    for (int tamper = 0; tamper < PSP_TAMPER_COUNT; tamper++) {
        struct psp_wish wish = psp_wish(PSP_DIRECT_BOOT);
        memset(wish.measurement, 0x11, sizeof wish.measurement);
        wish.tamper = (enum psp_tamper)tamper;
        assert_reason(&wish, policy, reasons[tamper]);
    }
}

static void firmware_only_shows_neither_chip_nor_host_data(void **state)
{
    (void)state;
    struct error err = {0};
    struct psp_wish wish = psp_wish(PSP_FIRMWARE_ONLY);
    memset(wish.chip_id, 0x22, sizeof wish.chip_id);
    memset(wish.host_data, 0x33, sizeof wish.host_data);
    OWNED(simulated_done) struct simulated s = simulator_evidence(simulator.psp, &wish);
    struct snp_report report;
    assert_ok(snp_report_read(bytes_span(&s.report), &report, &err));
    assert_true(span_is_zero(SPAN_OF(report.chip_id)));
    assert_true(span_is_zero(SPAN_OF(report.host_data)));
    assert_int_equal(report.signing_key, SIGNER_VLEK);
    wish.flavour = PSP_DIRECT_BOOT;
    simulated_done(&s);
    s = simulator_evidence(simulator.psp, &wish);
    assert_ok(snp_report_read(bytes_span(&s.report), &report, &err));
    assert_memory_equal(report.chip_id, wish.chip_id, sizeof report.chip_id);
    assert_memory_equal(report.host_data, wish.host_data, sizeof report.host_data);
    assert_int_equal(report.signing_key, SIGNER_VCEK);
}

static void state_is_loaded_again_so_that_the_root_stays(void **state)
{
    (void)state;
    OWNED(psp_drop) struct psp *again = simulator_open();
    assert_true(span_equal(psp_roots(again), psp_roots(simulator.psp)));
}

static void revocation_list_of_the_simulator_revokes(void **state)
{
    (void)state;
    struct error err = {0};
    const struct psp_wish wish = psp_wish(PSP_DIRECT_BOOT);
    const struct moment today = clock_at_seconds(SIMULATOR_TODAY);
    for (int revoke = 0; revoke < 2; revoke++) {
        OWNED(simulated_done) struct simulated s = simulator_evidence(simulator.psp, &wish);
        OWNED(bytes_done) struct bytes crl = {0};
        assert_ok(psp_crl(simulator.psp, LINE_MILAN, revoke != 0, today,
                          moment_add_seconds(today, 86400), &crl, &err));
        const struct snp_bundle bundle = {
            .cert_table = bytes_span(&s.table), .crl_count = 1, .crl = {bytes_span(&crl)}};
        OWNED(snp_endorsements_drop)
        struct snp_endorsements *e = snp_endorse(&bundle, simulator.roots);
        assert_int_equal(e->crl_state, CRL_GOOD);
        assert_int_equal(e->revoked, revoke);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_of_both_flavours_every_product_and_version_pass),
        cmocka_unit_test(reports_of_the_simulator_are_nothing_under_the_pinned_roots),
        cmocka_unit_test(each_way_of_tampering_is_found_for_its_own_reason),
        cmocka_unit_test(firmware_only_shows_neither_chip_nor_host_data),
        cmocka_unit_test(state_is_loaded_again_so_that_the_root_stays),
        cmocka_unit_test(revocation_list_of_the_simulator_revokes),
    };
    return cmocka_run_group_tests_name("psp", tests, simulator_set_up, simulator_tear_down);
}
