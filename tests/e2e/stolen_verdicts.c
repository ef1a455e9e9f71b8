/* Whoever holds the controller shows the keeper verdicts that are old, another guest's, made up or
 * none at all (trust.md sections 1 and 9). Each is refused, with a code of its own. R32, R46. */
#include <string.h>

#include "keeper/claims.h"
#include "lib/model/keeper_state.h"
#include "tests/support/heist.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

static struct release_wish replay_a_verdict(struct heist *h)
{
    char *old = mem_text(h->g.token);
    guest_attested(h->d, &h->g);
    return heist_ask_with(h, old);
}

/* Challenges are answered in the order that the controller likes; what counts is when they were
 * asked. */
static struct release_wish answer_an_older_challenge_late(struct heist *h)
{
    struct error err = {0};
    struct challenge first;
    OWNED(bytes_done) struct bytes evidence = {0};
    assert_ok(guest_challenge(h->d, &h->g, &first, &err));
    guest_evidence(h->d, &h->g, &first, &evidence);
    clock_advance_ms(10 * 1000);
    guest_attested(h->d, &h->g);
    OWNED(mem_drop) char *newer = mem_text(h->g.token);
    assert_ok(guest_appraise(h->d, &h->g, &first, &evidence, &err));
    assert_verdict(&h->g, "trusted", "ok");
    struct release_wish late = heist_ask(h);
    assert_refused(h->d, &late, "verdict-superseded");
    return heist_ask_with(h, TAKE(newer));
}

/* The wall clock may be set; which of two verdicts is the later does not depend on it. */
static struct release_wish set_the_clock_back(struct heist *h)
{
    char *old = mem_text(h->g.token);
    clock_freeze(moment_add_seconds(clock_now(), -200));
    guest_attested(h->d, &h->g);
    struct release_wish replayed = heist_ask_with(h, old);
    clock_freeze(moment_add_seconds(clock_now(), 201));
    assert_refused(h->d, &replayed, "verdict-superseded");
    return heist_ask(h);
}

/* trust.md section 9: a claimant that fails never touches the incumbent. */
static struct release_wish fail_as_a_claimant(struct heist *h)
{
    h->other.instance = h->g.instance;
    h->other.wish.tamper = PSP_WRONG_MEASUREMENT;
    guest_attested(h->d, &h->other);
    assert_verdict(&h->other, "rejected", "policy-measurement");
    return heist_ask(h);
}

static struct release_wish replay_a_release(struct heist *h)
{
    struct release_wish wish = heist_ask(h);
    assert_released(h->d, &wish);
    return wish;
}

static struct release_wish outwait_the_verdict(struct heist *h)
{
    clock_advance_ms(INT64_C(1000) * 3600);
    struct release_wish wish = heist_ask(h);
    assert_released(h->d, &wish);
    clock_advance_ms(1000);
    wish = heist_ask(h);
    assert_refused(h->d, &wish, "verdict-too-old");
    clock_advance_ms(INT64_C(1000) * 3600);
    return heist_ask(h);
}

static struct release_wish show_the_verdict_of_another(struct heist *h)
{
    guest_attested(h->d, &h->other);
    return heist_ask_with(h, mem_text(h->other.token));
}

/* What the keeper itself would sign: the guest's claims, those of `deployment` when it is named, as
 * a token of this type. */
static char *signed_by_keeper(struct heist *h, const char *typ, const char *deployment)
{
    struct error err = {0};
    OWNED(key_drop) struct key *signer = deployment_signer(h->d);
    OWNED(json_drop) json_t *claims = NULL;
    char *token = NULL;
    assert_ok(token_verify(span_of_text(h->g.token), SIMULATED_VERDICT_TYP, signer, &claims, &err));
    if (deployment != NULL)
        json_put_text(json_object_get(claims, "muster"), "deployment", deployment);
    assert_ok(token_sign(signer, typ, claims, &token, &err));
    return token;
}

/* One signing key certified under two roots: a verdict of the one deployment is none in the other.
 */
static struct release_wish name_another_deployment(struct heist *h)
{
    return heist_ask_with(
        h, signed_by_keeper(h, SIMULATED_VERDICT_TYP,
                            "00000000000000000000000000000000000000000000000000000000000000aa"));
}

/* The keeper's own signature on another kind of token, or on one for another realm, is no verdict:
 * even somebody who could make it sign those would gain nothing. */
static struct release_wish show_an_opinion(struct heist *h)
{
    return heist_ask_with(h, signed_by_keeper(h, OPINION_TYP, NULL));
}

static struct release_wish show_a_passport(struct heist *h)
{
    return heist_ask_with(h, signed_by_keeper(h, PASSPORT_TYP, NULL));
}

static struct release_wish show_simulated_claims_as_genuine(struct heist *h)
{
    return heist_ask_with(h, signed_by_keeper(h, VERDICT_TYP, NULL));
}

static struct release_wish show_what_is_no_verdict(struct heist *h)
{
    struct error err = {0};
    OWNED(key_drop) struct key *signer = deployment_signer(h->d);
    OWNED(json_drop) json_t *nothing = json_object();
    OWNED(mem_drop) char *empty = NULL;
    assert_ok(token_sign(signer, SIMULATED_VERDICT_TYP, nothing, &empty, &err));
    const char *const tokens[] = {"", "..", "a.b.c", "eyJhbGciOiJub25lIn0..", empty};
    for (size_t i = 0; i < countof(tokens); i++) {
        struct release_reply reply = {0};
        struct release_wish wish = heist_ask_with(h, mem_text(tokens[i]));
        assert_int_not_equal(release_ask(h->d, &wish, &reply, &err), OK);
        assert_null(reply.envelope.at);
    }
    return heist_ask(h);
}

static void declare_destroyed(struct heist *h)
{
    struct error err = {0};
    OWNED(mem_drop) char *kek_path = scratch_path(h->d->keeper_folder, "kek");
    OWNED(mem_drop) char *path = scratch_path(h->d->keeper_folder, "state");
    OWNED(kek_drop) struct kek *kek = NULL;
    OWNED(keeper_state_drop) struct keeper_state *memory = NULL;
    uint8_t anchor[SHA256_SIZE];
    assert_ok(json_get_hex(h->g.verdict.claims, "", "anchor", anchor, sizeof anchor, &err));
    deployment_stop_keeper(h->d);
    assert_ok(kek_file_open(kek_path, REALM_SIMULATION, &kek, &err));
    assert_ok(keeper_state_open(path, kek, &memory, &err));
    assert_ok(keeper_state_destroy(memory, anchor, &err));
    keeper_state_drop(&memory);
    deployment_start_keeper(h->d);
}

/* What was declared destroyed does not come back, with an old verdict or a new one. */
static struct release_wish come_back_from_destruction(struct heist *h)
{
    declare_destroyed(h);
    struct release_wish wish = heist_ask(h);
    assert_refused(h->d, &wish, "anchor-destroyed");
    guest_attested(h->d, &h->g);
    assert_verdict(&h->g, "rejected", "anchor-destroyed");
    assert_claim(&h->g, "level", "L0");
    return heist_ask(h);
}

static struct release_wish change_the_verdict(struct heist *h)
{
    char *payload = strchr(h->g.token, '.') + 1;
    payload[40] = payload[40] == 'A' ? 'B' : 'A';
    return heist_ask(h);
}

static struct release_wish show_a_rejection(struct heist *h)
{
    h->other.wish.tamper = PSP_WRONG_MEASUREMENT;
    guest_attested(h->d, &h->other);
    assert_verdict(&h->other, "rejected", "policy-measurement");
    return release_wish_of(&h->other, &h->s);
}

static struct release_wish be_appraised_elsewhere(struct heist *h)
{
    struct deployment *elsewhere = heist_elsewhere();
    guest_attested(elsewhere, &h->other);
    deployment_free(elsewhere);
    return release_wish_of(&h->other, &h->s);
}

/* ---- the attacks -------------------------------------------------------------------------- */

/* clang-format off */
static const struct attack attacks[] = {
    {"a_replayed_verdict_is_refused",
     PSP_FIRMWARE_ONLY, "for-all", replay_a_verdict, "verdict-superseded"},
    {"an_older_challenge_answered_late_makes_no_newer_verdict",
     PSP_FIRMWARE_ONLY, "for-all", answer_an_older_challenge_late, NULL},
    {"setting_the_clock_back_brings_no_older_verdict_back",
     PSP_FIRMWARE_ONLY, "for-all", set_the_clock_back, NULL},
    {"a_claimant_that_fails_takes_nothing_from_the_incumbent",
     PSP_FIRMWARE_ONLY, "for-all", fail_as_a_claimant, NULL},
    {"a_replayed_release_is_refused",
     PSP_FIRMWARE_ONLY, "for-all", replay_a_release, "sequence-replayed"},
    {"an_old_verdict_is_refused_by_the_grants_age_and_then_by_its_own",
     PSP_FIRMWARE_ONLY, "for-all", outwait_the_verdict, "verdict-expired"},
    {"the_verdict_of_another_instance_is_refused",
     PSP_FIRMWARE_ONLY, "for-all", show_the_verdict_of_another, "verdict-instance"},
    {"the_verdict_of_another_deployment_is_refused",
     PSP_FIRMWARE_ONLY, "for-all", name_another_deployment, "verdict-deployment"},
    {"the_verdict_of_another_keeper_is_refused",
     PSP_FIRMWARE_ONLY, "for-all", be_appraised_elsewhere, "verdict-key"},
    {"an_opinion_is_not_a_verdict",
     PSP_FIRMWARE_ONLY, "for-all", show_an_opinion, "opinion-not-verdict"},
    {"a_passport_is_not_a_verdict",
     PSP_FIRMWARE_ONLY, "for-all", show_a_passport, "passport-not-verdict"},
    {"simulated_claims_are_no_genuine_verdict",
     PSP_FIRMWARE_ONLY, "for-all", show_simulated_claims_as_genuine, "verdict-audience"},
    {"what_is_no_verdict_at_all_opens_nothing",
     PSP_FIRMWARE_ONLY, "for-all", show_what_is_no_verdict, NULL},
    {"a_changed_verdict_is_refused",
     PSP_FIRMWARE_ONLY, "for-all", change_the_verdict, "bad-signature"},
    {"a_rejection_opens_nothing",
     PSP_FIRMWARE_ONLY, "for-all", show_a_rejection, "verdict-rejected"},
    {"a_destroyed_machine_gets_nothing_any_more",
     PSP_DIRECT_BOOT, "proven", come_back_from_destruction, "anchor-destroyed"},
};
/* clang-format on */

int main(void)
{
    struct CMUnitTest tests[countof(attacks)];
    for (size_t i = 0; i < countof(attacks); i++)
        tests[i] = heist_test(&attacks[i]);
    return cmocka_run_group_tests_name("stolen verdicts", tests, NULL, NULL);
}
