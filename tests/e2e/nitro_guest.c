/* Documents of enclaves and the keeper: what an honest enclave gets, and what everybody gets who
 * shows the document, the keys or the nonce of somebody else (trust.md sections 2 and 4). */
#include <string.h>

#include "lib/attest/evidence.h"
#include "lib/crypto/random.h"
#include "tests/support/guest_nitro.h"
#include "tests/support/scratch.h"
#include "tests/support/simulator.h"
#include "tests/support/spoil.h"
#include "tests/support/test.h"

static int set_up(void **state)
{
    assert_int_equal(deployment_open(state), 0);
    nitro_set_up(*state);
    return 0;
}

static void assert_wish(struct deployment *d, const struct nsm_wish *wish, const char *reason)
{
    OWNED(guest_done) struct guest g = nitro_guest();
    nitro_attest(d, &g, wish);
    guest_verdict_is(&g, strcmp(reason, "ok") == 0 ? "trusted" : "rejected", reason);
}

/* ---- the honest way ------------------------------------------------------------------------- */

static void an_enclave_that_proves_itself_gets_its_own_secret(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    const struct nsm_wish wish = nsm_wish();
    OWNED(guest_done) struct guest g = nitro_guest();
    OWNED(stored_done) struct stored s = {0};
    OWNED(locked_done) struct locked plain = {0};
    struct release_reply reply = {0};
    struct seal_header header;
    nitro_attest(d, &g, &wish);
    guest_verdict_is(&g, "trusted", "ok");
    guest_claim_is(&g, "kind", "nitro");
    guest_claim_is(&g, "software", "provider");
    guest_claim_is(&g, "identity", "provider");
    guest_claim_is(&g, "measurement", FIVES FIVES);
    assert_true(json_is_true(json_object_get(g.verdict.claims, "simulated")));
    assert_ok(stored_make(d, "enclave-key", &g, &s, &err));
    struct release_wish release = release_wish_of(&g, &s);
    assert_ok(release_ask(d, &release, &reply, &err));
    assert_ok(guest_open(d, &g, bytes_span(&reply.envelope), &header, &plain, &err));
    record_done(&release_reply_record, &reply);
}

/* The envelopes that enclaves know are sealed to RSA keys. */
static void only_an_rsa_key_is_challenged_for(void **state)
{
    struct deployment *d = *state;
    static const struct {
        enum evidence_kind evidence;
        enum key_kind key;
        bool taken;
    } cases[] = {{EVIDENCE_NITRO, KEY_RSA, true},
                 {EVIDENCE_NITRO, KEY_P256, false},
                 {EVIDENCE_SNP_VTPM, KEY_RSA, false},
                 {EVIDENCE_SNP_VTPM, KEY_P256, true}};
    for (size_t i = 0; i < countof(cases); i++) {
        struct challenge_wish wish = {.kind = cases[i].evidence, .instance = uuid_new()};
        struct challenge challenge;
        struct error err = {0};
        OWNED(key_drop) struct key *key = NULL;
        memset(wish.link_key, 1, sizeof wish.link_key);
        assert_ok(key_generate(cases[i].key, &key, &err));
        assert_ok(key_to_spki(key, &wish.sealing_key, &err));
        const enum outcome outcome = deployment_ask(d, VERB_CHALLENGE, &challenge_wish_record,
                                                    &wish, &challenge_record, &challenge, &err);
        assert_int_equal(outcome, cases[i].taken ? OK : ERR_INVALID);
        if (!cases[i].taken)
            assert_string_equal(err.code, "unsupported-key");
        bytes_done(&wish.sealing_key);
    }
}

static void another_enclave_has_another_anchor(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    const struct nsm_wish first = nsm_wish();
    struct nsm_wish second = nsm_wish();
    OWNED(guest_done) struct guest owner = nitro_guest();
    OWNED(guest_done) struct guest thief = nitro_guest();
    OWNED(stored_done) struct stored s = {0};
    struct release_reply reply = {0};
    second.module_id = "i-0123456789abcdef0-enc0123456789abcdf";
    nitro_attest(d, &owner, &first);
    nitro_attest(d, &thief, &second);
    guest_verdict_is(&thief, "trusted", "ok");
    assert_ok(stored_make(d, "enclave-key", &owner, &s, &err));
    struct release_wish release = release_wish_of(&thief, &s);
    assert_fails(release_ask(d, &release, &reply, &err), ERR_DENIED, "anchor-mismatch");
}

/* ---- somebody else's document --------------------------------------------------------------- */

static void a_document_that_shows_something_else_is_rejected(void **state)
{
    struct nsm_wish wish = nsm_wish();
    wish.image = 0x56;
    assert_wish(*state, &wish, "policy-pcr");
    wish.image = 0;
    assert_wish(*state, &wish, "policy-debug");
    wish = nsm_wish();
    wish.signed_by_other = true;
    assert_wish(*state, &wish, "bad-signature");
    wish = nsm_wish();
    wish.root = 1;
    assert_wish(*state, &wish, "chain-untrusted");
}

/* The document is made over one thing that is not what was challenged for. */
static void a_document_over_anything_but_the_binding_is_rejected(void **state)
{
    struct deployment *d = *state;
    static const struct {
        spoil_fn *spoil;
        const char *reason;
    } ways[] = {
        {spoil_nonce, "policy-nonce"},      {spoil_root, "policy-report-data"},
        {spoil_link, "policy-report-data"}, {spoil_sealing, "policy-report-data"},
        {spoil_kind, "policy-report-data"}, {spoil_instance, "policy-report-data"},
    };
    for (size_t i = 0; i < countof(ways); i++) {
        struct error err = {0};
        struct challenge asked;
        OWNED(bytes_done) struct bytes evidence = {0};
        OWNED(guest_done) struct guest g = nitro_guest();
        const struct nsm_wish wish = nsm_wish();
        assert_ok(guest_challenge(d, &g, &asked, &err));
        struct challenge spoiled = asked;
        const struct uuid own = g.instance;
        ways[i].spoil(&g, &spoiled);
        nitro_evidence(&g, &spoiled, &wish, &evidence);
        g.instance = own;
        g.kind = EVIDENCE_NITRO;
        assert_ok(guest_appraise(d, &g, &asked, &evidence, &err));
        guest_verdict_is(&g, "rejected", ways[i].reason);
    }
}

/* One field of three is somebody else's; the other two are right. */
static void every_field_of_the_binding_counts_alone(void **state)
{
    struct deployment *d = *state;
    static const char *const reasons[] = {"policy-nonce", "policy-report-data",
                                          "policy-report-data"};
    for (size_t i = 0; i < countof(reasons); i++) {
        struct error err = {0};
        struct challenge asked;
        OWNED(nitro_answer_done) struct nitro_answer answer = {0};
        OWNED(bytes_done) struct bytes evidence = {0};
        OWNED(guest_done) struct guest g = nitro_guest();
        const struct nsm_wish wish = nsm_wish();
        assert_ok(guest_challenge(d, &g, &asked, &err));
        nitro_answer_of(&g, &asked, &answer);
        uint8_t *const fields[] = {answer.nonce, answer.data, answer.key.at};
        fields[i][12] ^= 1;
        nitro_print(&g, &wish, &answer, &evidence);
        assert_ok(guest_appraise(d, &g, &asked, &evidence, &err));
        guest_verdict_is(&g, "rejected", reasons[i]);
    }
}

static void another_record_of_the_boot_is_rejected(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge asked;
    OWNED(nitro_answer_done) struct nitro_answer answer = {0};
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(guest_done) struct guest g = nitro_guest();
    const struct nsm_wish wish = nsm_wish();
    assert_ok(guest_challenge(d, &g, &asked, &err));
    nitro_answer_of(&g, &asked, &answer);
    bytes_add_u8(&g.rest, ' ');
    nitro_print(&g, &wish, &answer, &evidence);
    assert_ok(guest_appraise(d, &g, &asked, &evidence, &err));
    guest_verdict_is(&g, "rejected", "policy-report-data");
}

static void evidence_counts_once(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge first, second;
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(guest_done) struct guest g = nitro_guest();
    const struct nsm_wish wish = nsm_wish();
    assert_ok(guest_challenge(d, &g, &first, &err));
    nitro_evidence(&g, &first, &wish, &evidence);
    assert_ok(guest_appraise(d, &g, &first, &evidence, &err));
    guest_verdict_is(&g, "trusted", "ok");
    assert_fails(guest_appraise(d, &g, &first, &evidence, &err), ERR_CONFLICT, "challenge-again");
    assert_ok(guest_challenge(d, &g, &second, &err));
    assert_ok(guest_appraise(d, &g, &second, &evidence, &err));
    guest_verdict_is(&g, "rejected", "policy-nonce");
}

/* ---- policies and roots --------------------------------------------------------------------- */

static void each_policy_takes_its_own_kind(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    const struct nsm_wish wish = nsm_wish();
    OWNED(guest_done) struct guest enclave = nitro_guest();
    OWNED(guest_done) struct guest machine = guest_make(PSP_DIRECT_BOOT, 5);
    enclave.policy = "direct";
    machine.policy = "enclave";
    nitro_attest(d, &enclave, &wish);
    guest_verdict_is(&enclave, "rejected", "unsupported-evidence");
    assert_ok(guest_attest(d, &machine, &err));
    guest_verdict_is(&machine, "rejected", "unsupported-evidence");
}

static void an_image_that_the_charter_denies_is_not_trusted(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    json_object_set_new(json_object_get(d->charter, "deny"), "measurements",
                        json_pack("[s]", FIVES FIVES));
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
    const struct nsm_wish wish = nsm_wish();
    assert_wish(d, &wish, "denied-measurement");
}

static void a_charter_says_of_enclaves_only_what_counts(void **state)
{
    struct deployment *d = *state;
    static const char *const bad[] = {
        "{\"nitro\":{\"pcrs\":\"any\",\"nonce\":\"00\"},\"references\":[],\"valid_seconds\":60}",
        "{\"nitro\":{\"pcrs\":\"any\"},\"references\":[\"direct\"],\"valid_seconds\":60}",
        "{\"nitro\":{},\"azure\":{},\"references\":[],\"valid_seconds\":60}",
    };
    deployment_raise_serial(d);
    for (size_t i = 0; i < countof(bad); i++) {
        struct error err = {0};
        json_object_set_new(json_object_get(d->charter, "policies"), "enclave",
                            json_loads(bad[i], 0, NULL));
        assert_fails(deployment_apply(d, &err), ERR_INVALID, "bad-charter");
    }
}

static void an_imitation_counts_only_while_the_charter_names_its_root(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge asked;
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(guest_done) struct guest g = nitro_guest();
    const struct nsm_wish wish = nsm_wish();
    json_t *roots = json_object_get(d->charter, "simulator_roots");
    json_array_remove(roots, json_array_size(roots) - 1);
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
    assert_ok(guest_challenge(d, &g, &asked, &err));
    nitro_evidence(&g, &asked, &wish, &evidence);
    assert_fails(guest_appraise(d, &g, &asked, &evidence, &err), ERR_DENIED,
                 "simulator-not-chartered");
}

static void production_takes_no_imitation(void **state)
{
    (void)state;
    struct error err = {0};
    clock_freeze(clock_at_seconds(SIMULATOR_TODAY + 3600));
    struct deployment *d = deployment_make(REALM_PRODUCTION, false);
    deployment_start_keeper(d);
    deployment_write_charter(d);
    nitro_write_charter(d);
    const struct nsm_wish wish = nsm_wish();
    assert_wish(d, &wish, "chain-untrusted");
    deployment_stop_keeper(d);
    nitro_write_root(d);
    assert_fails(keeper_open(d->keeper_folder, 64, &d->keeper, &err), ERR_DENIED,
                 "simulator-in-production");
    deployment_free(d);
    clock_thaw();
}

#define IN(test) cmocka_unit_test_setup_teardown(test, set_up, deployment_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(an_enclave_that_proves_itself_gets_its_own_secret),
        IN(only_an_rsa_key_is_challenged_for),
        IN(another_enclave_has_another_anchor),
        IN(a_document_that_shows_something_else_is_rejected),
        IN(a_document_over_anything_but_the_binding_is_rejected),
        IN(every_field_of_the_binding_counts_alone),
        IN(another_record_of_the_boot_is_rejected),
        IN(evidence_counts_once),
        IN(each_policy_takes_its_own_kind),
        IN(an_image_that_the_charter_denies_is_not_trusted),
        IN(a_charter_says_of_enclaves_only_what_counts),
        IN(an_imitation_counts_only_while_the_charter_names_its_root),
        cmocka_unit_test(production_takes_no_imitation),
    };
    return cmocka_run_group_tests_name("nitro guest", tests, NULL, NULL);
}
