/* Bundles of every kind of evidence that a keeper appraises, and of one judged with a revocation
 * list: each is judged again to the same end. */
#include <string.h>

#include "tests/support/bundled.h"
#include "tests/support/guest_azure.h"
#include "tests/support/guest_nitro.h"
#include "tests/support/guest_vtpm.h"
#include "tests/support/simulator.h"
#include "tests/support/test.h"

static struct bundled b;

static int set_up(void **state)
{
    assert_int_equal(deployment_open(state), 0);
    nitro_set_up(*state);
    azure_write_charter(*state);
    vtpm_write_charter(*state);
    bundled_open(*state, &b);
    bundled_add_enclaves(&b);
    return 0;
}

static int tear_down(void **state)
{
    bundled_done(&b);
    return deployment_close(state);
}

static void appraise(struct guest *g, const struct challenge *c, const struct bytes *evidence,
                     struct bundle *out)
{
    struct error err = {0};
    assert_ok(guest_appraise(b.d, g, c, evidence, &err));
    bundled_parts(&b, g, bytes_span(evidence), (struct span){0}, out);
}

/* Genuine, and the verdict is this one. */
static void assert_kind(struct guest *g, struct bundle *parts, const char *verdict)
{
    OWNED(mem_drop) char *sealed = bundled_seal(&b, parts);
    assert_bundle(&b, sealed, "ok");
    OWNED(bundle_answer_done) struct bundle_answer answer = bundled_judge(&b, span_of_text(sealed));
    assert_string_equal(answer.testimony.verdict, verdict);
    assert_int_equal(answer.verdict.trusted, strcmp(verdict, "trusted") == 0);
    assert_true(answer.testimony.simulated);
    assert_int_equal(answer.testimony.kind, g->kind);
}

static void evidence_of_azure(void **state)
{
    (void)state;
    for (int other = 0; other < 2; other++) {
        struct error err = {0};
        struct challenge c;
        struct paravisor_wish wish = azure_wish(0);
        OWNED(bytes_done) struct bytes evidence = {0};
        OWNED(bundle_done) struct bundle parts = {0};
        OWNED(guest_done) struct guest g = azure_guest();
        wish.other_register = other;
        assert_ok(guest_challenge(b.d, &g, &c, &err));
        azure_evidence(b.d, &g, &c, &wish, &evidence);
        appraise(&g, &c, &evidence, &parts);
        assert_kind(&g, &parts, other != 0 ? "rejected" : "trusted");
    }
}

static void documents_of_enclaves(void **state)
{
    (void)state;
    struct error err = {0};
    struct challenge c;
    const struct nsm_wish wish = nsm_wish();
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(bundle_done) struct bundle parts = {0};
    OWNED(guest_done) struct guest g = nitro_guest();
    assert_ok(guest_challenge(b.d, &g, &c, &err));
    nitro_evidence(&g, &c, &wish, &evidence);
    appraise(&g, &c, &evidence, &parts);
    assert_kind(&g, &parts, "trusted");
}

static void evidence_of_vtpms(void **state)
{
    (void)state;
    static const enum made_vouch words[] = {VOUCH_SVSM, VOUCH_AUTHORITY, VOUCH_DOCUMENT,
                                            VOUCH_NOBODY};
    for (size_t i = 0; i < countof(words); i++) {
        struct error err = {0};
        struct challenge c;
        const struct made_vtpm_wish wish = made_vtpm_wish(words[i]);
        OWNED(bytes_done) struct bytes evidence = {0};
        OWNED(bundle_done) struct bundle parts = {0};
        OWNED(guest_done) struct guest g = vtpm_guest();
        assert_ok(guest_challenge(b.d, &g, &c, &err));
        vtpm_evidence(b.d, &g, &c, &wish, &evidence);
        appraise(&g, &c, &evidence, &parts);
        assert_kind(&g, &parts, "trusted");
    }
}

/* ---- with a revocation list ------------------------------------------------------------------ */

static void make_list(bool revoke, struct bytes *out)
{
    struct error err = {0};
    const struct moment from = clock_at_seconds(SIMULATOR_TODAY);
    assert_ok(
        psp_crl(b.d->psp, LINE_MILAN, revoke, from, moment_add_seconds(from, 86400), out, &err));
}

static void judge_with(const struct bytes *list, struct guest *g, struct bundle *out)
{
    struct error err = {0};
    struct challenge c;
    OWNED(bytes_done) struct bytes evidence = {0};
    assert_ok(guest_challenge(b.d, g, &c, &err));
    guest_evidence(b.d, g, &c, &evidence);
    struct appraise_wish wish = {
        .instance = g->instance, .evidence = evidence, .crl = *list, .policy = "direct"};
    memcpy(wish.nonce, c.nonce, sizeof wish.nonce);
    assert_ok(deployment_ask(b.d, VERB_APPRAISE, &appraise_wish_record, &wish,
                             &appraise_reply_record, &g->verdict, &err));
    bundled_parts(&b, g, bytes_span(&evidence), bytes_span(list), out);
}

static void the_list_of_then_is_judged_with_and_no_other(void **state)
{
    (void)state;
    OWNED(bytes_done) struct bytes list = {0};
    OWNED(bytes_done) struct bytes revoking = {0};
    OWNED(bundle_done) struct bundle parts = {0};
    OWNED(bundle_done) struct bundle revoked = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 9);
    OWNED(guest_done) struct guest other = guest_make(PSP_DIRECT_BOOT, 9);
    make_list(false, &list);
    make_list(true, &revoking);
    judge_with(&list, &g, &parts);
    assert_kind(&g, &parts, "trusted");
    judge_with(&revoking, &other, &revoked);
    assert_kind(&other, &revoked, "rejected");
    bytes_done(&parts.crl);
    OWNED(mem_drop) char *without = bundled_seal(&b, &parts);
    assert_bundle(&b, without, "bundle-endorsements");
    parts.crl = bytes_copy(bytes_span(&revoking));
    OWNED(mem_drop) char *with_another = bundled_seal(&b, &parts);
    assert_bundle(&b, with_another, "bundle-endorsements");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(evidence_of_azure),
        T(documents_of_enclaves),
        T(evidence_of_vtpms),
        T(the_list_of_then_is_judged_with_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
