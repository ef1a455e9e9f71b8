/* What others got wrong and AMD's bulletins say, as conditions of a policy: each advisory's floor
 * refuses the host before it and takes the one that has it (facts/attestation.md section 11; R12,
 * R60). The table of traps and tests is in doc/appraisal.md. */
#include <stdio.h>
#include <string.h>

#include "tests/support/cases.h"
#include "tests/support/matter.h"
#include "tests/support/test.h"

/* One part of the TCB below and at the floor of a bulletin. */
struct floor {
    enum snp_product product;
    const char *policy;
    enum tcb_part part;
    uint8_t least;
};

/* The host has everything else the floor asks for. */
static void assert_floor(const struct floor *floor)
{
    struct matter m = matter_of(PSP_DIRECT_BOOT);
    m.expect = true;
    m.policy = floor->policy;
    m.wish.product = floor->product;
    memset(m.wish.tcb.part, 0xff, sizeof m.wish.tcb.part);
    if (floor->product != PRODUCT_TURIN)
        m.wish.tcb.part[TCB_FMC] = 0;
    m.wish.tcb.part[floor->part] = floor->least;
    assert_judged(&m, REASON_OK);
    m.wish.tcb.part[floor->part]--;
    assert_judged(&m, REASON_POLICY_TCB);
}

static void assert_floors(const struct floor *floors, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_floor(&floors[i]);
}

#define MILAN(floor) "{\"snp\":{\"min_tcb\":{\"Milan\":" floor "}}}"
#define GENOA(floor) "{\"snp\":{\"min_tcb\":{\"Genoa\":" floor "}}}"

/* AMD-SB-3019 and 7033, CVE-2024-56161: forged microcode. */
static void hosts_before_the_entrysign_fix_are_refused_by_its_floor(void **state)
{
    (void)state;
    static const char milan[] = MILAN("{\"snp\":24,\"ucode\":219}");
    static const char genoa[] = GENOA("{\"snp\":23,\"ucode\":84}");
    static const struct floor floors[] = {{PRODUCT_MILAN, milan, TCB_UCODE, 219},
                                          {PRODUCT_MILAN, milan, TCB_SNP, 24},
                                          {PRODUCT_GENOA, genoa, TCB_UCODE, 84},
                                          {PRODUCT_GENOA, genoa, TCB_SNP, 23}};
    assert_floors(floors, countof(floors));
}

/* AMD-SB-3020, CVE-2025-0033. */
static void hosts_before_the_rmpocalypse_fix_are_refused_by_its_floor(void **state)
{
    (void)state;
    static const struct floor floors[] = {
        {PRODUCT_GENOA, GENOA("{\"snp\":27}"), TCB_SNP, 27},
        {PRODUCT_TURIN, "{\"snp\":{\"min_tcb\":{\"Turin\":{\"snp\":4}}}}", TCB_SNP, 4}};
    assert_floors(floors, countof(floors));
}

/* AMD-SB-3027, CVE-2025-29943: a floor, or no other thread on the core. */
static void hosts_before_the_stackwarp_fix_are_refused_by_its_floor_or_by_smt(void **state)
{
    (void)state;
    static const struct floor floor = {PRODUCT_GENOA, GENOA("{\"ucode\":86}"), TCB_UCODE, 86};
    assert_floor(&floor);
    struct matter m = matter_of(PSP_DIRECT_BOOT);
    m.expect = true;
    m.policy = "{\"snp\":{\"allow_smt\":false}}";
    assert_judged(&m, REASON_POLICY_SMT);
    m.wish.policy &= ~(UINT64_C(1) << 16);
    assert_judged(&m, REASON_OK);
}

/* AMD-SB-3015, CVE-2024-21944: memory modules that lie of their size. */
static void hosts_that_did_not_check_for_badram_are_refused(void **state)
{
    (void)state;
    static const struct floor floors[] = {{PRODUCT_GENOA, GENOA("{\"snp\":22}"), TCB_SNP, 22},
                                          {PRODUCT_MILAN, MILAN("{\"snp\":23}"), TCB_SNP, 23}};
    assert_floors(floors, countof(floors));
    struct matter m = matter_of(PSP_DIRECT_BOOT);
    m.expect = true;
    m.policy = "{\"snp\":{\"require_platform_info\":[\"alias_check_complete\"]}}";
    m.wish.platform_info &= ~(UINT64_C(1) << 5);
    assert_judged(&m, REASON_POLICY_PLATFORM_INFO);
    m.wish.platform_info |= UINT64_C(1) << 5;
    assert_judged(&m, REASON_OK);
}

/* AMD-SB-3005, CVE-2023-20592. */
static void hosts_before_the_cachewarp_fix_are_refused_by_its_floor(void **state)
{
    (void)state;
    static const struct floor floors[] = {{PRODUCT_MILAN, MILAN("{\"ucode\":209}"), TCB_UCODE, 209},
                                          {PRODUCT_GENOA, GENOA("{\"ucode\":62}"), TCB_UCODE, 62}};
    assert_floors(floors, countof(floors));
}

/* AMD-SB-3034, CVE-2025-54510: the loader counts too. */
static void hosts_before_the_fabricked_fix_are_refused_by_its_floor(void **state)
{
    (void)state;
    static const char genoa[] = GENOA("{\"bl\":11,\"snp\":28}");
    static const struct floor floors[] = {{PRODUCT_GENOA, genoa, TCB_BL, 11},
                                          {PRODUCT_GENOA, genoa, TCB_SNP, 28}};
    assert_floors(floors, countof(floors));
}

/* AMD-SB-3016, CVE-2023-20585. */
static void hosts_before_the_fix_of_sb_3016_are_refused_by_its_floor(void **state)
{
    (void)state;
    static const struct floor floors[] = {{PRODUCT_MILAN, MILAN("{\"snp\":28}"), TCB_SNP, 28},
                                          {PRODUCT_GENOA, GENOA("{\"snp\":28}"), TCB_SNP, 28}};
    assert_floors(floors, countof(floors));
}

/* AMD-SB-3021: the host reads ciphertext unless it is hidden. */
static void hosts_that_show_ciphertext_are_refused_where_a_policy_says_so(void **state)
{
    (void)state;
    struct matter m = matter_of(PSP_DIRECT_BOOT);
    m.expect = true;
    m.wish.product = PRODUCT_GENOA;
    m.policy = "{\"snp\":{\"require_platform_info\":[\"ciphertext_hiding_dram_en\"]}}";
    m.wish.platform_info &= ~(UINT64_C(1) << 4);
    assert_judged(&m, REASON_POLICY_PLATFORM_INFO);
    m.wish.platform_info |= UINT64_C(1) << 4;
    assert_judged(&m, REASON_OK);
}

/* The new layout read as the old one would find a zero where the SNP version stands. */
static void a_turin_is_compared_by_turins_layout(void **state)
{
    (void)state;
    static const char all[] = "{\"snp\":{\"min_tcb\":{\"Turin\":{\"fmc\":1,\"bl\":2,\"tee\":3,"
                              "\"snp\":4,\"ucode\":5}}}}";
    static const struct floor floors[] = {{PRODUCT_TURIN, all, TCB_FMC, 1},
                                          {PRODUCT_TURIN, all, TCB_BL, 2},
                                          {PRODUCT_TURIN, all, TCB_TEE, 3},
                                          {PRODUCT_TURIN, all, TCB_SNP, 4},
                                          {PRODUCT_TURIN, all, TCB_UCODE, 5}};
    assert_floors(floors, countof(floors));
}

/* A key that nobody pinned is refused, not warned of; so is one beside those pinned. */
static void a_wrong_id_key_is_refused_and_never_only_warned_of(void **state)
{
    (void)state;
    struct matter m = matter_of(PSP_DIRECT_BOOT);
    m.expect = true;
    memset(m.wish.id_key_digest, 0x11, sizeof m.wish.id_key_digest);
    m.policy = "{\"snp\":{\"id_key_digest\":[\"" ONES ONES "\"]}}";
    assert_judged(&m, REASON_OK);
    m.wish.id_key_digest[47] ^= 1;
    assert_judged(&m, REASON_POLICY_ID_KEY);
    memset(m.wish.id_key_digest, 0, sizeof m.wish.id_key_digest);
    assert_judged(&m, REASON_POLICY_ID_KEY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASES(hosts_before_the_entrysign_fix_are_refused_by_its_floor),
        CASES(hosts_before_the_rmpocalypse_fix_are_refused_by_its_floor),
        CASES(hosts_before_the_stackwarp_fix_are_refused_by_its_floor_or_by_smt),
        CASES(hosts_that_did_not_check_for_badram_are_refused),
        CASES(hosts_before_the_cachewarp_fix_are_refused_by_its_floor),
        CASES(hosts_before_the_fabricked_fix_are_refused_by_its_floor),
        CASES(hosts_before_the_fix_of_sb_3016_are_refused_by_its_floor),
        CASES(hosts_that_show_ciphertext_are_refused_where_a_policy_says_so),
        CASES(a_turin_is_compared_by_turins_layout),
        CASES(a_wrong_id_key_is_refused_and_never_only_warned_of),
    };
    return cmocka_run_group_tests_name("traps", tests, simulator_set_up, simulator_tear_down);
}
