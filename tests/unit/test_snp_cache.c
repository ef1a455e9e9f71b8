/* The cache of endorsements that were verified: what it gives again, and what it forgets. */
#include <string.h>

#include "lib/attest/snp_chain.h"
#include "tests/support/simulator.h"
#include "tests/support/test.h"

static void cache_gives_the_same_again_and_forgets_the_oldest(void **state)
{
    (void)state;
    OWNED(snp_cache_drop) struct snp_cache *cache = snp_cache_new(simulator.roots, 2);
    struct simulated all[3];
    struct snp_endorsements *first[3];
    for (size_t i = 0; i < countof(all); i++) {
        struct psp_wish wish = psp_wish(PSP_DIRECT_BOOT);
        wish.chip_id[0] = (uint8_t)i;
        all[i] = simulator_evidence(simulator.psp, &wish);
        const struct snp_bundle bundle = {.cert_table = bytes_span(&all[i].table)};
        first[i] = snp_cache_get(cache, &bundle);
        struct snp_endorsements *again = snp_cache_get(cache, &bundle);
        assert_ptr_equal(first[i], again);
        snp_endorsements_free(again);
    }
    const struct snp_bundle oldest = {.cert_table = bytes_span(&all[0].table)};
    struct snp_endorsements *made_anew = snp_cache_get(cache, &oldest);
    assert_ptr_not_equal(made_anew, first[0]);
    assert_int_equal(made_anew->chain.reason, REASON_OK);
    snp_endorsements_free(made_anew);
    for (size_t i = 0; i < countof(all); i++) {
        snp_endorsements_free(first[i]);
        simulated_done(&all[i]);
    }
}

static void cache_keeps_what_was_used_last(void **state)
{
    (void)state;
    OWNED(snp_cache_drop) struct snp_cache *cache = snp_cache_new(simulator.roots, 2);
    static const size_t asked[] = {0, 1, 0, 2, 0}; /* 2 drives out 1, not 0 */
    struct snp_endorsements *first = NULL;
    for (size_t i = 0; i < countof(asked); i++) {
        struct psp_wish wish = psp_wish(PSP_DIRECT_BOOT);
        wish.chip_id[0] = (uint8_t)asked[i];
        OWNED(simulated_done) struct simulated s = simulator_evidence(simulator.psp, &wish);
        const struct snp_bundle bundle = {.cert_table = bytes_span(&s.table)};
        struct snp_endorsements *e = snp_cache_get(cache, &bundle);
        if (i > 0 && asked[i] == 0)
            assert_ptr_equal(e, first);
        if (i == 0)
            first = snp_endorsements_share(e);
        snp_endorsements_free(e);
    }
    snp_endorsements_free(first);
}

static void strangers_cannot_push_good_chains_out(void **state)
{
    (void)state;
    OWNED(snp_cache_drop) struct snp_cache *cache = snp_cache_new(simulator.roots, 1);
    const struct psp_wish wish = psp_wish(PSP_FIRMWARE_ONLY);
    OWNED(simulated_done) struct simulated s = simulator_evidence(simulator.psp, &wish);
    const struct snp_bundle good = {.cert_table = bytes_span(&s.table), .wanted = SIGNER_VLEK};
    OWNED(snp_endorsements_drop) struct snp_endorsements *first = snp_cache_get(cache, &good);
    for (int i = 0; i < 100; i++) {
        const struct snp_bundle bad = {.ek = SPAN(&i, sizeof i)};
        OWNED(snp_endorsements_drop) struct snp_endorsements *e = snp_cache_get(cache, &bad);
        assert_int_equal(e->format.reason, REASON_MALFORMED);
    }
    OWNED(snp_endorsements_drop) struct snp_endorsements *again = snp_cache_get(cache, &good);
    assert_ptr_equal(first, again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cache_gives_the_same_again_and_forgets_the_oldest),
        cmocka_unit_test(cache_keeps_what_was_used_last),
        cmocka_unit_test(strangers_cannot_push_good_chains_out),
    };
    return cmocka_run_group_tests_name("snp_cache", tests, simulator_set_up, simulator_tear_down);
}
