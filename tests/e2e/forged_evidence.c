/* Whoever holds the controller answers challenges late, twice, for somebody else or with what
 * another guest said (trust.md sections 3 and 4). R46, R74. */
#include <string.h>

#include "lib/crypto/random.h"
#include "tests/support/deployment.h"
#include "tests/support/simulator.h"
#include "tests/support/test.h"

struct attack;

/* A guest was challenged and has answered; the attack comes before the keeper reads it. */
struct answer {
    const struct attack *attack;
    struct deployment *d;
    struct guest g;
    struct challenge challenge;
    struct bytes evidence;
};

struct attack {
    const char *name;
    void (*act)(struct answer *a);
    enum outcome outcome; /* of the appraisal; OK: there is a verdict, which rejects */
    const char *code;     /* or the verdict's reason */
};

static void answer_anew(struct answer *a, struct guest *g, const struct challenge *challenge)
{
    bytes_done(&a->evidence);
    guest_evidence(a->d, g, challenge, &a->evidence);
}

static int answer_open(void **state)
{
    struct error err = {0};
    struct answer *a = NEW(struct answer);
    void *d = NULL;
    assert_int_equal(deployment_open(&d), 0);
    a->attack = *state;
    a->d = d;
    a->g = guest_make(PSP_FIRMWARE_ONLY, 0);
    assert_ok(guest_challenge(d, &a->g, &a->challenge, &err));
    answer_anew(a, &a->g, &a->challenge);
    *state = a;
    return 0;
}

static int answer_close(void **state)
{
    struct answer *a = *state;
    void *d = a->d;
    guest_done(&a->g);
    bytes_done(&a->evidence);
    free(a);
    return deployment_close(&d);
}

/* Whatever came of it, the nonce is gone, for the true guest too. */
static void an_answer_is_refused_and_its_nonce_gone(void **state)
{
    struct answer *a = *state;
    struct error err = {0};
    struct uuid instance = a->g.instance;
    a->attack->act(a);
    enum outcome outcome = guest_appraise(a->d, &a->g, &a->challenge, &a->evidence, &err);
    assert_int_equal(outcome, a->attack->outcome);
    if (outcome == OK)
        assert_verdict(&a->g, "rejected", a->attack->code);
    else
        assert_string_equal(err.code, a->attack->code);
    a->g.instance = instance;
    a->g.policy = "stock";
    assert_fails(guest_appraise(a->d, &a->g, &a->challenge, &a->evidence, &err), ERR_CONFLICT,
                 "challenge-again");
}

/* ---- the nonce ---------------------------------------------------------------------------- */

static void answer_twice(struct answer *a)
{
    struct error err = {0};
    assert_ok(guest_appraise(a->d, &a->g, &a->challenge, &a->evidence, &err));
}

static void wait_three_minutes(struct answer *a)
{
    (void)a;
    clock_advance_ms(180 * 1000);
}

static void restart_the_keeper(struct answer *a)
{
    deployment_stop_keeper(a->d);
    deployment_start_keeper(a->d);
}

/* A policy is the charter's or none. */
static void name_a_policy_that_nobody_signed(struct answer *a)
{
    a->g.policy = "easy";
}

static void answer_for_another_instance(struct answer *a)
{
    a->g.instance = uuid_new();
}

static void answer_with_another_kind(struct answer *a)
{
    a->g.kind = EVIDENCE_SNP;
    answer_anew(a, &a->g, &a->challenge);
}

/* ---- what the evidence binds -------------------------------------------------------------- */

static void bring_the_evidence_of_another(struct answer *a)
{
    struct error err = {0};
    struct challenge theirs;
    OWNED(guest_done) struct guest other = guest_make(PSP_FIRMWARE_ONLY, 0);
    assert_ok(guest_challenge(a->d, &other, &theirs, &err));
    answer_anew(a, &other, &theirs);
}

static void bind_another_key(struct answer *a, struct key **which)
{
    struct error err = {0};
    key_drop(which);
    assert_ok(key_generate(KEY_P256, which, &err));
    answer_anew(a, &a->g, &a->challenge);
}

/* A relay binds its own keys. */
static void bind_another_link_key(struct answer *a)
{
    bind_another_key(a, &a->g.link_key);
}

static void bind_another_sealing_key(struct answer *a)
{
    bind_another_key(a, &a->g.sealing_key);
}

/* A guest diverted to another controller binds that one's root. */
static void bind_another_root(struct answer *a)
{
    struct challenge told = a->challenge;
    told.root_key[0] ^= 1;
    answer_anew(a, &a->g, &told);
}

static void send_another_rest(struct answer *a)
{
    OWNED(json_drop) json_t *json = json_loadb((char *)a->evidence.at, a->evidence.len, 0, NULL);
    OWNED(mem_drop) char *rest = base64_of(span_of_text("{\"boot\":2,\"documents\":{}}"));
    json_put_text(json, "rest", rest);
    OWNED(mem_drop) char *printed = json_print(json);
    bytes_done(&a->evidence);
    bytes_add(&a->evidence, span_of_text(printed));
}

/* clang-format off */
static const struct attack attacks[] = {
    {"a_nonce_counts_once", answer_twice, ERR_CONFLICT, "challenge-again"},
    {"a_nonce_lives_three_minutes", wait_three_minutes, ERR_CONFLICT, "challenge-again"},
    {"a_nonce_does_not_live_over_a_restart", restart_the_keeper, ERR_CONFLICT, "challenge-again"},
    {"a_policy_that_nobody_signed_judges_nothing", name_a_policy_that_nobody_signed, ERR_DENIED, "policy-unknown"},
    {"the_nonce_of_another_instance_is_refused_and_gone", answer_for_another_instance, ERR_DENIED, "challenge-instance"},
    {"another_kind_than_was_challenged_is_refused", answer_with_another_kind, ERR_DENIED, "kind-mismatch"},
    {"the_evidence_of_another_guest_is_rejected", bring_the_evidence_of_another, OK, "policy-report-data"},
    {"evidence_bound_to_another_link_key_is_rejected", bind_another_link_key, OK, "policy-report-data"},
    {"evidence_bound_to_another_sealing_key_is_rejected", bind_another_sealing_key, OK, "policy-report-data"},
    {"evidence_bound_to_another_root_is_rejected", bind_another_root, OK, "policy-report-data"},
    {"evidence_with_another_rest_is_rejected", send_another_rest, OK, "policy-report-data"},
};
/* clang-format on */

/* ---- the challenge itself ----------------------------------------------------------------- */

static void the_age_of_a_verdict_counts_from_the_nonce(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge challenge;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(bytes_done) struct bytes evidence = {0};
    struct moment asked = clock_now();
    assert_ok(guest_challenge(d, &g, &challenge, &err));
    guest_evidence(d, &g, &challenge, &evidence);
    clock_advance_ms(120 * 1000);
    assert_ok(guest_appraise(d, &g, &challenge, &evidence, &err));
    assert_int_equal(moment_seconds(g.verdict.issued), moment_seconds(asked));
}

static void only_a_p256_key_is_challenged_for(void **state)
{
    struct deployment *d = *state;
    static const enum key_kind kinds[] = {KEY_P384, KEY_ED25519, KEY_RSA};
    struct challenge_wish wish = {.kind = EVIDENCE_SIMULATED, .instance = uuid_new()};
    struct challenge challenge;
    struct error err = {0};
    memset(wish.link_key, 1, sizeof wish.link_key);
    for (size_t i = 0; i < countof(kinds); i++) {
        OWNED(key_drop) struct key *key = NULL;
        assert_ok(key_generate(kinds[i], &key, &err));
        assert_ok(key_to_spki(key, &wish.sealing_key, &err));
        assert_fails(deployment_ask(d, VERB_CHALLENGE, &challenge_wish_record, &wish,
                                    &challenge_record, &challenge, &err),
                     ERR_INVALID, "unsupported-key");
    }
    OWNED(key_drop) struct key *good = NULL;
    assert_ok(key_generate(KEY_P256, &good, &err));
    assert_ok(key_to_spki(good, &wish.sealing_key, &err));
    wish.sealing_key.at[wish.sealing_key.len - 1] ^= 1; /* off the curve */
    assert_fails(deployment_ask(d, VERB_CHALLENGE, &challenge_wish_record, &wish, &challenge_record,
                                &challenge, &err),
                 ERR_INVALID, "unsupported-key");
    bytes_done(&wish.sealing_key);
}

static void simulated_evidence_in_the_place_of_genuine_is_rejected(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    g.kind = EVIDENCE_SNP;
    guest_attested(d, &g);
    assert_verdict(&g, "rejected", "chain-untrusted");
}

static void requests_of_others_and_of_nobody_are_refused(void **state)
{
    struct deployment *d = *state;
    static const struct {
        const char *request, *code;
    } bad[] = {
        {"{\"do\":\"heartbeat\",\"seq\":1,\"load\":1}", "unknown-verb"},
        {"{\"do\":\"status\",\"more\":1}", "unknown-member"},
        {"{\"do\":\"release\"}", "missing-member"},
    };
    for (size_t i = 0; i < countof(bad); i++) {
        struct error err = {0};
        OWNED(bytes_done) struct bytes answer = {0};
        assert_int_equal(keeper_answer(d->keeper, span_of_text(bad[i].request), &answer),
                         FRAME_PROBLEM);
        error_ignore(message_parse_problem(bytes_span(&answer), &err));
        assert_string_equal(err.code, bad[i].code);
    }
}

#define IN(test) cmocka_unit_test_setup_teardown(test, deployment_open, deployment_close)

int main(void)
{
    const struct CMUnitTest others[] = {
        IN(the_age_of_a_verdict_counts_from_the_nonce),
        IN(only_a_p256_key_is_challenged_for),
        IN(simulated_evidence_in_the_place_of_genuine_is_rejected),
        IN(requests_of_others_and_of_nobody_are_refused),
    };
    struct CMUnitTest tests[countof(attacks) + countof(others)];
    for (size_t i = 0; i < countof(attacks); i++)
        tests[i] = (struct CMUnitTest){
            .name = attacks[i].name,
            .test_func = an_answer_is_refused_and_its_nonce_gone,
            .setup_func = answer_open,
            .teardown_func = answer_close,
            .initial_state = (void *)(uintptr_t)&attacks[i],
        };
    memcpy(tests + countof(attacks), others, sizeof others);
    return cmocka_run_group_tests_name("forged evidence", tests, NULL, NULL);
}
