/* Evidence of a vTPM and the keeper: what an honest machine gets under each word that vouches for
 * it, and what everybody gets who shows somebody else's (trust.md sections 2, 4 and 9). */
#include <string.h>

#include "keeper/inside.h"
#include "lib/attest/evidence.h"
#include "lib/attest/replay.h"
#include "tests/support/guest_nitro.h"
#include "tests/support/guest_vtpm.h"
#include "tests/support/spoil.h"
#include "tests/support/test.h"

static int set_up(void **state)
{
    assert_int_equal(deployment_open(state), 0);
    struct deployment *d = *state;
    deployment_stop_keeper(d);
    nitro_write_root(d);
    deployment_start_keeper(d);
    nitro_name_root(d);
    vtpm_write_charter(d);
    return 0;
}

static void assert_wish(struct deployment *d, const struct made_vtpm_wish *wish, const char *reason)
{
    OWNED(guest_done) struct guest g = vtpm_guest();
    vtpm_attest(d, &g, wish);
    guest_verdict_is(&g, strcmp(reason, "ok") == 0 ? "trusted" : "rejected", reason);
}

static const enum made_vouch words[] = {VOUCH_SVSM, VOUCH_AUTHORITY, VOUCH_DOCUMENT, VOUCH_NOBODY};

/* ---- the honest way ------------------------------------------------------------------------- */

static void each_word_is_worth_what_it_is(void **state)
{
    static const char *const software[] = {"hardware", "provider", "provider", "none"};
    for (size_t i = 0; i < countof(words); i++) {
        const struct made_vtpm_wish wish = made_vtpm_wish(words[i]);
        OWNED(guest_done) struct guest g = vtpm_guest();
        vtpm_attest(*state, &g, &wish);
        guest_verdict_is(&g, "trusted", "ok");
        guest_claim_is(&g, "kind", "snp-vtpm");
        guest_claim_is(&g, "hardware", "hardware");
        guest_claim_is(&g, "software", software[i]);
        guest_claim_is(&g, "identity", software[i]);
        assert_true(json_is_true(json_object_get(g.verdict.claims, "simulated")));
    }
}

static void a_machine_that_proves_itself_gets_its_own_secret(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    const struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
    OWNED(guest_done) struct guest g = vtpm_guest();
    OWNED(stored_done) struct stored s = {0};
    OWNED(locked_done) struct locked plain = {0};
    struct release_reply reply = {0};
    struct seal_header header;
    vtpm_attest(d, &g, &wish);
    assert_ok(stored_make(d, "vm", &g, &s, &err));
    struct release_wish release = release_wish_of(&g, &s);
    assert_ok(release_ask(d, &release, &reply, &err));
    assert_ok(guest_open(d, &g, bytes_span(&reply.envelope), &header, &plain, &err));
    record_done(&release_reply_record, &reply);
}

static void what_root_invents_gets_no_secret(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
    OWNED(guest_done) struct guest owner = vtpm_guest();
    OWNED(guest_done) struct guest root = vtpm_guest();
    OWNED(stored_done) struct stored s = {0};
    struct release_reply reply = {0};
    vtpm_attest(d, &owner, &wish);
    assert_ok(stored_make(d, "vm", &owner, &s, &err));
    wish = made_vtpm_wish(VOUCH_NOBODY);
    vtpm_attest(d, &root, &wish);
    guest_verdict_is(&root, "trusted", "ok");
    struct release_wish release = release_wish_of(&root, &s);
    assert_fails(release_ask(d, &release, &reply, &err), ERR_DENIED, "anchor-unproven");
}

static char *boot_of(const struct guest *g)
{
    return mem_text(json_string_value(json_object_get(g->verdict.claims, "report_id")));
}

static void a_boot_is_told_from_the_next(void **state)
{
    struct deployment *d = *state;
    struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
    OWNED(guest_done) struct guest g = vtpm_guest();
    vtpm_attest(d, &g, &wish);
    OWNED(mem_drop) char *first = boot_of(&g);
    vtpm_attest(d, &g, &wish);
    OWNED(mem_drop) char *again = boot_of(&g);
    wish.reset_count++;
    vtpm_attest(d, &g, &wish);
    OWNED(mem_drop) char *reset = boot_of(&g);
    wish.reset_count--;
    wish.restart_count++;
    vtpm_attest(d, &g, &wish);
    OWNED(mem_drop) char *restart = boot_of(&g);
    wish.restart_count--;
    wish.report_id = 7;
    vtpm_attest(d, &g, &wish);
    OWNED(mem_drop) char *launched = boot_of(&g);
    assert_string_equal(first, again);
    assert_string_not_equal(first, reset);
    assert_string_not_equal(first, restart);
    assert_string_not_equal(first, launched);
}

/* ---- somebody else's ------------------------------------------------------------------------ */

static void a_word_that_is_not_the_machines_is_rejected(void **state)
{
    struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
    wish.vmpl = 2;
    assert_wish(*state, &wish, "policy-vmpl");
    wish = made_vtpm_wish(VOUCH_AUTHORITY);
    wish.authority = 1;
    assert_wish(*state, &wish, "chain-untrusted");
    wish = made_vtpm_wish(VOUCH_DOCUMENT);
    wish.document_of_enclave = true;
    assert_wish(*state, &wish, "unsupported-report-type");
    wish = made_vtpm_wish(VOUCH_DOCUMENT);
    wish.document.root = 1;
    assert_wish(*state, &wish, "chain-untrusted");
    wish = made_vtpm_wish(VOUCH_AUTHORITY);
    wish.quote_of_other_report = true;
    assert_wish(*state, &wish, "nonce-mismatch");
    wish = made_vtpm_wish(VOUCH_AUTHORITY);
    wish.secure_boot_off = true;
    assert_wish(*state, &wish, "policy-secure-boot");
}

/* Every bit of the binding counts, and under every word. */
static void another_binding_is_rejected(void **state)
{
    struct deployment *d = *state;
    for (size_t i = 0; i < countof(words); i++)
        for (size_t at = 0; at < BINDING_SIZE; at += BINDING_SIZE - 1) {
            struct error err = {0};
            struct challenge asked;
            uint8_t binding[BINDING_SIZE];
            const struct made_vtpm_wish wish = made_vtpm_wish(words[i]);
            OWNED(bytes_done) struct bytes evidence = {0};
            OWNED(guest_done) struct guest g = vtpm_guest();
            assert_ok(guest_challenge(d, &g, &asked, &err));
            vtpm_answer(&g, &asked, binding);
            binding[at] ^= 1;
            vtpm_print(d, &g, &asked, &wish, binding, &evidence);
            assert_ok(guest_appraise(d, &g, &asked, &evidence, &err));
            guest_verdict_is(&g, "rejected", "policy-report-data");
        }
}

static void evidence_counts_once(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge asked, next;
    const struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(guest_done) struct guest g = vtpm_guest();
    assert_ok(guest_challenge(d, &g, &asked, &err));
    vtpm_evidence(d, &g, &asked, &wish, &evidence);
    assert_ok(guest_appraise(d, &g, &asked, &evidence, &err));
    assert_fails(guest_appraise(d, &g, &asked, &evidence, &err), ERR_CONFLICT, "challenge-again");
    assert_ok(guest_challenge(d, &g, &next, &err));
    assert_ok(guest_appraise(d, &g, &next, &evidence, &err));
    guest_verdict_is(&g, "rejected", "policy-report-data");
}

static void a_machine_that_the_charter_denies_is_not_trusted(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    const struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
    OWNED(guest_done) struct guest g = vtpm_guest();
    vtpm_attest(d, &g, &wish);
    guest_verdict_is(&g, "trusted", "ok");
    const char *anchor = json_string_value(json_object_get(g.verdict.claims, "anchor"));
    json_array_append_new(deployment_at(d, "deny", "anchors"), json_string(anchor));
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
    assert_wish(d, &wish, "denied-anchor");
}

static void an_imitation_counts_only_while_the_charter_names_its_roots(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge asked;
    const struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_DOCUMENT);
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(guest_done) struct guest g = vtpm_guest();
    json_t *roots = json_object_get(d->charter, "simulator_roots");
    json_array_remove(roots, json_array_size(roots) - 1);
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
    assert_ok(guest_challenge(d, &g, &asked, &err));
    vtpm_evidence(d, &g, &asked, &wish, &evidence);
    assert_fails(guest_appraise(d, &g, &asked, &evidence, &err), ERR_DENIED,
                 "simulator-not-chartered");
}

/* ---- a second time -------------------------------------------------------------------------- */

static void evidence_is_replayed_as_it_was_judged(void **state)
{
    struct deployment *d = *state;
    for (size_t i = 0; i < countof(words); i++) {
        struct error err = {0};
        struct challenge asked;
        struct replay_answer answer;
        const struct made_vtpm_wish wish = made_vtpm_wish(words[i]);
        OWNED(bytes_done) struct bytes evidence = {0};
        OWNED(guest_done) struct guest g = vtpm_guest();
        assert_ok(guest_challenge(d, &g, &asked, &err));
        vtpm_evidence(d, &g, &asked, &wish, &evidence);
        assert_ok(guest_appraise(d, &g, &asked, &evidence, &err));
        OWNED(replay_drop) struct replay *replay = replay_new(d->keeper->charter, clock_now());
        const struct replay_case c = {.evidence = bytes_span(&evidence), .policy = "vtpm"};
        replay_judge(replay, &c, &answer);
        assert_string_equal(answer.reason, "ok");
        guest_claim_is(&g, "level", name_of(&level_names, (int)answer.level));
        guest_claim_is(&g, "software", name_of(&source_names, (int)answer.software));
    }
}

#define IN(test) cmocka_unit_test_setup_teardown(test, set_up, deployment_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(each_word_is_worth_what_it_is),
        IN(a_machine_that_proves_itself_gets_its_own_secret),
        IN(what_root_invents_gets_no_secret),
        IN(a_boot_is_told_from_the_next),
        IN(a_word_that_is_not_the_machines_is_rejected),
        IN(another_binding_is_rejected),
        IN(evidence_counts_once),
        IN(a_machine_that_the_charter_denies_is_not_trusted),
        IN(an_imitation_counts_only_while_the_charter_names_its_roots),
        IN(evidence_is_replayed_as_it_was_judged),
    };
    return cmocka_run_group_tests_name("vtpm guest", tests, NULL, NULL);
}
