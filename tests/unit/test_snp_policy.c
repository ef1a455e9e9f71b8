/* What a policy refuses, and what it leaves alone because it does not name it (facts/attestation.md
 * section 11; R12, R20, R60, R62, R78). */
#include "lib/attest/judge.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/cases.h"
#include "tests/support/matter.h"
#include "tests/support/test.h"

#define NOTHING "00000000000000000000000000000000000000000000000000000000000000000000000000000000"

static void whole_policy_denies_what_it_does_not_name(void **state)
{
    (void)state;
    struct matter m = matter_of(PSP_DIRECT_BOOT);
    m.policy = "{\"snp\":{}}";
    assert_judged(&m, REASON_POLICY_MEASUREMENT);
    m.policy = "{\"snp\":{\"measurement\":[]}}";
    assert_judged(&m, REASON_POLICY_MEASUREMENT);
    m.policy = "{\"snp\":{\"measurement\":\"any\"}}";
    assert_judged(&m, REASON_OK);
    m.wish.vmpl = 1;
    assert_judged(&m, REASON_POLICY_VMPL);
    m.wish.vmpl = 0;
    m.wish.tamper = PSP_DEBUG_POLICY;
    assert_judged(&m, REASON_POLICY_DEBUG);
    m.wish.tamper = PSP_HONEST;
    m.wish.policy |= SNP_POLICY_MIGRATE_MA;
    assert_judged(&m, REASON_POLICY_MIGRATION);
}

static void expectations_add_only_what_they_name(void **state)
{
    (void)state;
    struct matter m = matter_of(PSP_DIRECT_BOOT);
    m.expect = true;
    m.policy = "{\"snp\":{}}";
    m.wish.vmpl = 3;
    m.wish.policy |= SNP_POLICY_MIGRATE_MA;
    m.wish.tamper = PSP_DEBUG_POLICY;
    assert_judged(&m, REASON_OK);
    m.policy = "{\"snp\":{\"max_vmpl\":2}}";
    assert_judged(&m, REASON_POLICY_VMPL);
    m.policy = "{\"snp\":{\"allow_smt\":false}}";
    assert_judged(&m, REASON_POLICY_SMT);
}

/* A list that was given counts, in force or not; only a policy demands a current one. */
static void revocation_list_counts_by_its_dates(void **state)
{
    (void)state;
    enum { YEAR = 365 * 86400 };
    static const struct {
        enum snp_line line;
        bool revokes;
        int64_t from, to; /* seconds from today */
        enum reason unasked, demanded;
    } cases[] = {
        {LINE_MILAN, false, -YEAR, YEAR, REASON_OK, REASON_OK},
        {LINE_MILAN, false, -YEAR, 0, REASON_OK, REASON_OK},
        {LINE_MILAN, false, -YEAR, -1, REASON_OK, REASON_CRL_EXPIRED},
        {LINE_MILAN, false, 300, YEAR, REASON_OK, REASON_OK}, /* clocks differ */
        {LINE_MILAN, false, 301, YEAR, REASON_CRL_UNTRUSTED, REASON_CRL_UNTRUSTED},
        {LINE_MILAN, true, -YEAR, YEAR, REASON_REVOKED, REASON_REVOKED},
        {LINE_MILAN, true, -YEAR, -1, REASON_REVOKED, REASON_REVOKED},
        {LINE_GENOA, true, -YEAR, YEAR, REASON_OK, REASON_CRL_UNTRUSTED},
    };
    struct error err = {0};
    const struct moment today = clock_at_seconds(SIMULATOR_TODAY);
    for (size_t i = 0; i < countof(cases); i++) {
        OWNED(bytes_done) struct bytes crl = {0};
        assert_ok(psp_crl(simulator.psp, cases[i].line, cases[i].revokes,
                          moment_add_seconds(today, cases[i].from),
                          moment_add_seconds(today, cases[i].to), &crl, &err));
        struct matter m = matter_of(PSP_DIRECT_BOOT);
        m.expect = true;
        m.crl = bytes_span(&crl);
        m.policy = "{\"snp\":{}}";
        assert_judged(&m, cases[i].unasked);
        m.policy = "{\"snp\":{\"require_crl\":true}}";
        assert_judged(&m, cases[i].demanded);
        crl.at[crl.len - 1] ^= 1;
        if (cases[i].line == LINE_MILAN)
            assert_judged(&m, REASON_CRL_UNTRUSTED);
        m.crl = (struct span){0};
        assert_judged(&m, REASON_CRL_MISSING);
    }
}

static void a_revocation_list_that_never_ends_is_not_current(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes crl = {0};
    struct matter m = matter_of(PSP_DIRECT_BOOT);
    assert_ok(psp_crl(simulator.psp, LINE_MILAN, false, clock_at_seconds(SIMULATOR_TODAY - 86400),
                      (struct moment){0}, &crl, &err));
    m.expect = true;
    m.policy = "{\"snp\":{}}";
    m.crl = bytes_span(&crl);
    assert_judged(&m, REASON_OK);
    m.policy = "{\"snp\":{\"require_crl\":true}}";
    assert_judged(&m, REASON_CRL_EXPIRED);
}

static void product_without_a_floor_is_refused_and_siena_has_its_own(void **state)
{
    (void)state;
    struct matter m = matter_of(PSP_DIRECT_BOOT);
    m.expect = true;
    m.wish.product = PRODUCT_SIENA;
    m.wish.tcb.part[TCB_UCODE] = 27;
    m.policy = "{\"snp\":{\"min_tcb\":{\"Genoa\":{\"ucode\":27}}}}";
    assert_judged(&m, REASON_POLICY_TCB);
    m.policy =
        "{\"snp\":{\"min_tcb\":{\"Genoa\":{\"ucode\":84},\"Siena/Bergamo\":{\"ucode\":27}}}}";
    assert_judged(&m, REASON_OK);
    m.policy = "{\"snp\":{\"min_tcb\":{\"Siena\":{\"ucode\":28}}}}";
    assert_judged(&m, REASON_POLICY_TCB);
}

static void a_floor_with_a_date_counts_from_then_on(void **state)
{
    (void)state;
    struct matter m = matter_of(PSP_DIRECT_BOOT);
    char policy[160];
    m.expect = true;
    m.wish.tcb.part[TCB_SNP] = 20;
    m.policy = policy;
    static const struct {
        int64_t seconds;
        enum reason reason;
    } cases[] = {{1, REASON_OK}, {0, REASON_POLICY_TCB}, {-1, REASON_POLICY_TCB}};
    for (size_t i = 0; i < countof(cases); i++) {
        const struct moment from = moment_add_seconds(m.in.at, cases[i].seconds);
        snprintf(policy, sizeof policy,
                 "{\"snp\":{\"min_tcb\":{\"Milan\":[{\"snp\":20},{\"snp\":21,\"from\":\"%s\"}]}}}",
                 moment_text(from).at);
        assert_judged(&m, cases[i].reason);
    }
}

/* Milan's root seed was extracted in software: a relying party may want none of it. */
static void policy_without_milan_refuses_milan(void **state)
{
    (void)state;
    struct matter m = matter_of(PSP_DIRECT_BOOT);
    m.expect = true;
    m.policy = "{\"snp\":{\"min_tcb\":{\"Genoa\":{},\"Siena/Bergamo\":{},\"Turin\":{}}}}";
    static const uint32_t versions[] = {2, 3}; /* 2 does not name its product itself */
    for (size_t i = 0; i < countof(versions); i++) {
        m.wish = psp_wish(PSP_DIRECT_BOOT);
        m.wish.version = versions[i];
        assert_judged(&m, REASON_POLICY_TCB);
        m.wish.product = PRODUCT_GENOA;
        assert_judged(&m, REASON_OK);
        m.wish.product = PRODUCT_TURIN;
        assert_judged(&m, REASON_OK);
    }
}

static void parts_of_a_tcb_are_compared_one_by_one(void **state)
{
    (void)state;
    struct matter m = matter_of(PSP_DIRECT_BOOT);
    m.expect = true;
    m.wish.tcb = (struct snp_tcb){.part = {[TCB_BL] = 9, [TCB_SNP] = 9, [TCB_UCODE] = 200}};
    /* As one number this floor is far below. */
    m.policy = "{\"snp\":{\"min_tcb\":{\"Milan\":{\"bl\":10}}}}";
    assert_judged(&m, REASON_POLICY_TCB);
}

static void age_is_that_of_the_nonce_and_unknown_is_not_young(void **state)
{
    (void)state;
    struct matter m = matter_of(PSP_DIRECT_BOOT);
    m.expect = true;
    m.policy = "{\"snp\":{\"max_age_seconds\":60}}";
    assert_judged(&m, REASON_POLICY_AGE);
    m.in.asked_at = moment_add_seconds(m.in.at, -60);
    assert_judged(&m, REASON_OK);
    m.in.asked_at = moment_add_seconds(m.in.at, -61);
    assert_judged(&m, REASON_POLICY_AGE);
    m.in.asked_at = moment_add_seconds(m.in.at, 1);
    assert_judged(&m, REASON_POLICY_AGE);
}

static void unknown_platform_bits_are_nobodys_business(void **state)
{
    (void)state;
    struct matter m = matter_of(PSP_DIRECT_BOOT);
    m.wish.platform_info = ~UINT64_C(0);
    assert_judged(&m, REASON_OK);
    m.expect = true;
    m.policy = "{\"snp\":{\"forbid_platform_info\":[\"tio_en\"]}}";
    assert_judged(&m, REASON_POLICY_PLATFORM_INFO);
    m.wish.platform_info = 0;
    m.policy = "{\"snp\":{\"require_platform_info\":[\"alias_check_complete\"]}}";
    assert_judged(&m, REASON_POLICY_PLATFORM_INFO);
}

static void host_data_and_id_key_are_compared(void **state)
{
    (void)state;
    struct matter m = matter_best();
    m.expect = true;
    m.policy = "{\"snp\":{\"host_data\":\""
               "2222222222222222222222222222222222222222222222222222222222222222\"}}";
    assert_judged(&m, REASON_OK);
    static const size_t bytes[] = {0, 15, 31};
    for (size_t i = 0; i < countof(bytes); i++) {
        m.wish.host_data[bytes[i]] ^= 1;
        assert_judged(&m, REASON_POLICY_HOST_DATA);
        m.wish.host_data[bytes[i]] ^= 1;
    }
    m.policy = "{\"snp\":{\"id_key_digest\":[\"" ONES ONES "\"]}}";
    assert_judged(&m, REASON_POLICY_ID_KEY);
    memset(m.wish.id_key_digest, 0x11, sizeof m.wish.id_key_digest);
    assert_judged(&m, REASON_OK);
    for (size_t i = 0; i < countof(bytes); i++) {
        m.wish.id_key_digest[bytes[i]] ^= 1;
        assert_judged(&m, REASON_POLICY_ID_KEY);
        m.wish.id_key_digest[bytes[i]] ^= 1;
    }
}

/* A policy asks the same of every product. */
static void guests_and_keys_are_asked_for_whatever_the_product(void **state)
{
    (void)state;
    static const enum snp_product products[] = {PRODUCT_MILAN, PRODUCT_GENOA, PRODUCT_TURIN};
    for (size_t i = 0; i < countof(products); i++) {
        struct matter m = matter_of(PSP_DIRECT_BOOT);
        m.expect = true;
        m.wish.product = products[i];
        m.policy = "{\"snp\":{\"allow_smt\":false}}";
        assert_judged(&m, REASON_POLICY_SMT);
        m.policy = "{\"snp\":{\"signing_keys\":[\"VLEK\"]}}";
        assert_judged(&m, REASON_POLICY_SIGNING_KEY);
        m.policy = "{\"snp\":{\"measurement\":\"any\"}}";
        m.expect = false;
        m.wish.policy |= SNP_POLICY_MIGRATE_MA;
        assert_judged(&m, REASON_POLICY_MIGRATION);
        struct matter cloud = matter_of(PSP_FIRMWARE_ONLY);
        cloud.expect = true;
        cloud.wish.product = products[i];
        cloud.policy = "{\"snp\":{\"vlek_csp_id\":\"CN=somebody else\"}}";
        assert_judged(&cloud, REASON_POLICY_CSP);
    }
}

/* What the guest was launched with: bits 20 to 25, each asked for by its own word. */
static void safeguards_of_the_launch_are_asked_for_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        unsigned bit;
    } words[] = {{"single_socket", 20},
                 {"cxl_allow", 21},
                 {"mem_aes_256_xts", 22},
                 {"rapl_dis", 23},
                 {"ciphertext_hiding_dram", 24},
                 {"page_swap_disable", 25},
                 {"smt", 16}};
    char policy[80];
    for (size_t i = 0; i < countof(words); i++) {
        struct matter m = matter_of(PSP_DIRECT_BOOT);
        m.expect = true;
        m.policy = policy;
        m.wish.policy &= ~(UINT64_C(1) << words[i].bit);
        snprintf(policy, sizeof policy, "{\"snp\":{\"require_guest_policy\":[\"%s\"]}}",
                 words[i].word);
        assert_judged(&m, REASON_POLICY_GUEST_POLICY);
        snprintf(policy, sizeof policy, "{\"snp\":{\"forbid_guest_policy\":[\"%s\"]}}",
                 words[i].word);
        assert_judged(&m, REASON_OK);
        m.wish.policy |= UINT64_C(1) << words[i].bit;
        assert_judged(&m, REASON_POLICY_GUEST_POLICY);
        snprintf(policy, sizeof policy, "{\"snp\":{\"require_guest_policy\":[\"%s\"]}}",
                 words[i].word);
        assert_judged(&m, REASON_OK);
    }
}

/* A report before version 5 says nothing of mitigations, which is not that it has them. */
static void mitigations_are_those_that_the_firmware_names(void **state)
{
    (void)state;
    struct matter m = matter_of(PSP_DIRECT_BOOT);
    m.expect = true;
    m.wish.version = 5;
    m.policy = "{\"snp\":{\"require_launch_mit_vector\":[1,63]}}";
    m.wish.current_mit_vector = ~UINT64_C(0);
    m.wish.launch_mit_vector = UINT64_C(1) << 63 | 5;
    assert_judged(&m, REASON_POLICY_MIT_VECTOR);
    m.wish.launch_mit_vector = UINT64_C(1) << 62 | 2;
    assert_judged(&m, REASON_POLICY_MIT_VECTOR);
    m.wish.launch_mit_vector = UINT64_C(1) << 63 | 2;
    assert_judged(&m, REASON_OK);
    m.policy = "{\"snp\":{\"require_current_mit_vector\":[0]}}";
    assert_judged(&m, REASON_OK);
    m.wish.current_mit_vector = 2;
    assert_judged(&m, REASON_POLICY_MIT_VECTOR);
    m.wish.version = 3;
    m.wish.current_mit_vector = 0;
    m.wish.launch_mit_vector = 0;
    assert_judged(&m, REASON_POLICY_MIT_VECTOR);
    m.policy = "{\"snp\":{\"require_current_mit_vector\":[]}}";
    assert_judged(&m, REASON_OK);
}

/* Firmware that is not committed to may be rolled back, by whoever has the host. */
static void a_policy_may_ask_for_all_that_runs_to_be_committed(void **state)
{
    (void)state;
    static const enum snp_product products[] = {PRODUCT_MILAN, PRODUCT_GENOA, PRODUCT_TURIN};
    for (size_t i = 0; i < countof(products); i++) {
        struct matter m = matter_of(PSP_DIRECT_BOOT);
        m.expect = true;
        m.wish.product = products[i];
        m.wish.coming = 1;
        m.wish.provisional = 1;
        m.policy = "{\"snp\":{\"require_committed_tcb\":false}}";
        assert_judged(&m, REASON_OK);
        m.policy = "{\"snp\":{\"require_committed_tcb\":true}}";
        assert_judged(&m, REASON_POLICY_COMMITTED_TCB);
        m.wish.provisional = 0;
        assert_judged(&m, REASON_OK);
    }
}

static void guests_of_an_older_security_version_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint32_t svn;
        enum reason reason;
    } cases[] = {
        {0, REASON_POLICY_GUEST_SVN}, {9, REASON_POLICY_GUEST_SVN}, {10, REASON_OK},
        {65545, REASON_OK},           {UINT32_MAX, REASON_OK},      {1, REASON_POLICY_GUEST_SVN}};
    struct matter m = matter_of(PSP_DIRECT_BOOT);
    m.expect = true;
    m.policy = "{\"snp\":{\"min_guest_svn\":10}}";
    for (size_t i = 0; i < countof(cases); i++) {
        m.wish.guest_svn = cases[i].svn;
        assert_judged(&m, cases[i].reason);
    }
}

/* Milan's root seed is out: its signature counts where the chip is one of ours. A VLEK names no
 * chip, so that it is on no list, whatever the list says. */
static void a_policy_may_list_its_chips(void **state)
{
    (void)state;
    static const size_t bytes[] = {0, 7, 63};
    struct matter m = matter_best();
    m.expect = true;
    memset(m.wish.chip_id, 0x11, sizeof m.wish.chip_id);
    m.policy = "{\"snp\":{\"chip_id\":[\"" ONES "22222222222222222222222222222222"
               "222222222222222222222222222222222222222222222222\",\"" ONES
               "11111111111111111111111111111111" ONES "\"]}}";
    assert_judged(&m, REASON_OK);
    for (size_t i = 0; i < countof(bytes); i++) {
        m.wish.chip_id[bytes[i]] ^= 1;
        assert_judged(&m, REASON_POLICY_CHIP_ID);
        m.wish.chip_id[bytes[i]] ^= 1;
    }
    m.wish.product = PRODUCT_TURIN; /* of which the first eight bytes count */
    assert_judged(&m, REASON_POLICY_CHIP_ID);
    m.policy =
        "{\"snp\":{\"chip_id\":\"1111111111111111" NOTHING "00000000000000000000000000000000\"}}";
    assert_judged(&m, REASON_OK);
    struct matter cloud = matter_of(PSP_FIRMWARE_ONLY);
    cloud.expect = true;
    cloud.policy = "{\"snp\":{\"chip_id\":\"" NOTHING "00000000000000000000000000000000"
                   "0000000000000000\"}}";
    assert_judged(&cloud, REASON_POLICY_CHIP_ID);
    cloud.policy = "{\"snp\":{\"chip_id\":\"any\"}}";
    assert_judged(&cloud, REASON_OK);
    cloud.policy = "{\"snp\":{\"chip_id\":[]}}";
    assert_judged(&cloud, REASON_POLICY_CHIP_ID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASES(whole_policy_denies_what_it_does_not_name),
        CASES(expectations_add_only_what_they_name),
        CASES(revocation_list_counts_by_its_dates),
        CASES(a_revocation_list_that_never_ends_is_not_current),
        CASES(product_without_a_floor_is_refused_and_siena_has_its_own),
        CASES(a_floor_with_a_date_counts_from_then_on),
        CASES(policy_without_milan_refuses_milan),
        CASES(parts_of_a_tcb_are_compared_one_by_one),
        CASES(age_is_that_of_the_nonce_and_unknown_is_not_young),
        CASES(unknown_platform_bits_are_nobodys_business),
        CASES(host_data_and_id_key_are_compared),
        CASES(guests_and_keys_are_asked_for_whatever_the_product),
        CASES(safeguards_of_the_launch_are_asked_for_by_name),
        CASES(mitigations_are_those_that_the_firmware_names),
        CASES(a_policy_may_ask_for_all_that_runs_to_be_committed),
        CASES(guests_of_an_older_security_version_are_refused),
        CASES(a_policy_may_list_its_chips),
    };
    return cmocka_run_group_tests_name("snp_policy", tests, simulator_set_up, simulator_tear_down);
}
