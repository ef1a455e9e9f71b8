/* Evidence that a guest shows to a relying party: the agent's own desk, made-up hardware of every
 * kind, and a keeper's opinion. And what it is worth anywhere else, which is nothing. */
#include <stdlib.h>
#include <string.h>

#include "agent/shown.h"
#include "lib/crypto/token.h"
#include "tests/support/guest_azure.h"
#include "tests/support/guest_nitro.h"
#include "tests/support/guest_vtpm.h"
#include "tests/support/test.h"

struct shower {
    struct deployment *d;
    const struct kind *kind;
    struct guest g;
    struct tee *tee;
    struct appraisal_guest about;
    struct shown_desk desk;
};

/* ---- hardware of every kind ------------------------------------------------------------------ */

static struct guest simulated_guest(void)
{
    return guest_make(PSP_DIRECT_BOOT, 5);
}

static void print_simulated(struct shower *s, const struct evidence_binding *asked,
                            struct bytes *out)
{
    struct error err = {0};
    OWNED(evidence_done) struct evidence e = {.kind = EVIDENCE_SIMULATED};
    memcpy(s->g.wish.report_data, asked->digest, sizeof s->g.wish.report_data);
    assert_ok(psp_report(s->d->psp, &s->g.wish, &e.report, &e.cert_table, &err));
    OWNED(mem_drop) char *text = evidence_print(&e);
    bytes_add(out, span_of_text(text));
}

static void print_azure(struct shower *s, const struct evidence_binding *asked, struct bytes *out)
{
    uint8_t answer[SHA256_SIZE];
    struct paravisor_wish wish = azure_wish(0);
    digest(DIGEST_SHA256, SPAN_OF(asked->digest), answer);
    wish.answer = SPAN_OF(answer);
    azure_print(s->d, &s->g, &wish, out);
}

static void print_vtpm(struct shower *s, const struct evidence_binding *asked, struct bytes *out)
{
    const struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_DOCUMENT);
    struct challenge c = {0};
    memcpy(c.nonce, asked->nonce, sizeof c.nonce);
    vtpm_print(s->d, &s->g, &c, &wish, asked->digest, out);
}

static void print_nitro(struct shower *s, const struct evidence_binding *asked, struct bytes *out)
{
    const struct nsm_wish wish = nsm_wish();
    OWNED(nitro_answer_done) struct nitro_answer answer = {.key = bytes_copy(asked->sealing_key)};
    memcpy(answer.nonce, asked->nonce, sizeof answer.nonce);
    memcpy(answer.data, asked->digest, sizeof answer.data);
    nitro_print(&s->g, &wish, &answer, out);
}

static void close_nothing(void *self)
{
    (void)self;
}

static enum outcome prove(void *self, const struct evidence_binding *asked, struct evidence *out,
                          struct error *err);

/* clang-format off */
static const struct kind {
    struct tee_driver driver;
    struct guest (*guest)(void);
    void (*print)(struct shower *, const struct evidence_binding *, struct bytes *);
    const char *reason; /* what answers something else is refused for */
} kinds[] = {
    {{"psp",   EVIDENCE_SIMULATED, NULL, close_nothing, TEE_REPORT_SIZE, prove}, simulated_guest, print_simulated, "policy-report-data"},
    {{"azure", EVIDENCE_SNP_AZURE, NULL, close_nothing, 0,               prove}, azure_guest,     print_azure,     "nonce-mismatch"},
    {{"vtpm",  EVIDENCE_SNP_VTPM,  NULL, close_nothing, TEE_REPORT_SIZE, prove}, vtpm_guest,      print_vtpm,      "policy-report-data"},
    {{"nitro", EVIDENCE_NITRO,     NULL, close_nothing, 0,               prove}, nitro_guest,     print_nitro,     "policy-nonce"},
};
/* clang-format on */

static enum outcome prove(void *self, const struct evidence_binding *asked, struct evidence *out,
                          struct error *err)
{
    struct shower *s = self;
    OWNED(bytes_done) struct bytes printed = {0};
    s->kind->print(s, asked, &printed);
    return evidence_parse(bytes_span(&printed), out, err);
}

static void shower_done(struct shower *s)
{
    tee_close(s->tee);
    guest_done(&s->g);
}

static void shower_init(struct shower *s, struct deployment *d, const struct kind *kind)
{
    *s = (struct shower){.d = d, .kind = kind, .g = kind->guest()};
    s->tee = tee_new(&kind->driver, s);
    s->about = (struct appraisal_guest){.link_key = s->g.link_key, .tee = s->tee};
    shown_init(&s->desk, &s->about);
}

static int set_up(void **state)
{
    assert_int_equal(deployment_open(state), 0);
    struct deployment *d = *state;
    nitro_set_up(d);
    vtpm_write_charter(d);
    azure_write_charter(d);
    return 0;
}

/* ---- what goes to and fro -------------------------------------------------------------------- */

/* What `muster-agent evidence` prints over this nonce, as a question of the relying party. */
static struct opinion_wish question(struct shower *s, struct span nonce)
{
    struct error err = {0};
    struct opinion_wish wish = {.nonce = bytes_copy(nonce)};
    struct local_request request = {.wish = LOCAL_EVIDENCE, .nonce_len = nonce.len};
    OWNED(bytes_done) struct bytes line = {0};
    OWNED(json_drop) json_t *shown = NULL;
    memcpy(request.nonce, nonce.at, nonce.len);
    assert_ok(shown_make(&s->desk, &request, &line, &err));
    assert_int_equal(line.at[line.len - 1], '\n');
    line.len--;
    assert_ok(local_shown_parse(bytes_span(&line), &err));
    assert_ok(json_parse(bytes_span(&line), LOCAL_ANSWER_MAX, &shown, &err));
    assert_ok(json_get_base64(shown, "", "link_key", SHOWN_KEY_MAX, &wish.link_key, &err));
    OWNED(mem_drop) char *evidence = json_print(json_object_get(shown, "evidence"));
    bytes_add(&wish.evidence, span_of_text(evidence));
    memcpy(wish.policy, s->g.policy, strlen(s->g.policy) + 1);
    return wish;
}

static void question_done(struct opinion_wish *wish)
{
    record_done(&opinion_wish_record, wish);
}

static enum outcome opine(struct deployment *d, const struct opinion_wish *wish,
                          struct opinion_reply *out, struct error *err)
{
    return deployment_ask(d, VERB_OPINION, &opinion_wish_record, wish, &opinion_reply_record, out,
                          err);
}

static void assert_opinion(struct deployment *d, const struct opinion_wish *wish,
                           const char *reason)
{
    struct error err = {0};
    struct opinion_reply reply = {0};
    assert_ok(opine(d, wish, &reply, &err));
    assert_string_equal(json_string_value(json_object_get(reply.verdict, "reason")), reason);
    record_done(&opinion_reply_record, &reply);
}

/* ---- what it says ---------------------------------------------------------------------------- */

static void evidence_of_every_kind_answers_the_partys_nonce(void **state)
{
    static const uint8_t nonce[SHOWN_NONCE_LEAST] = {1, 2, 3};
    for (size_t i = 0; i < countof(kinds); i++) {
        OWNED(shower_done) struct shower s;
        shower_init(&s, *state, &kinds[i]);
        OWNED(question_done) struct opinion_wish wish = question(&s, SPAN_OF(nonce));
        assert_opinion(*state, &wish, "ok");
    }
}

static void the_opinion_names_nonce_and_key(void **state)
{
    struct error err = {0};
    static const uint8_t nonce[SHOWN_NONCE_MOST] = {1, 2, 3};
    uint8_t hash[SHA256_SIZE];
    struct opinion_reply reply = {0};
    OWNED(shower_done) struct shower s;
    OWNED(bytes_done) struct bytes payload = {0};
    OWNED(json_drop) json_t *token = NULL;
    shower_init(&s, *state, &kinds[0]);
    OWNED(question_done) struct opinion_wish wish = question(&s, SPAN_OF(nonce));
    assert_ok(opine(*state, &wish, &reply, &err));
    assert_ok(token_open(span_of_text(reply.token), 64 * 1024, &payload, &err));
    assert_ok(json_parse(bytes_span(&payload), 64 * 1024, &token, &err));
    const json_t *claims = json_object_get(token, "muster");
    key_fingerprint(s.g.link_key, hash);
    OWNED(mem_drop) char *link_key = hex_of(SPAN_OF(hash));
    OWNED(mem_drop) char *base64 = base64_of(SPAN_OF(nonce));
    assert_string_equal(json_string_value(json_object_get(claims, "nonce_source")), "shown");
    assert_string_equal(json_string_value(json_object_get(claims, "nonce")), base64);
    assert_string_equal(json_string_value(json_object_get(claims, "link_key")), link_key);
    record_done(&opinion_reply_record, &reply);
}

static void another_nonce_is_refused(void **state)
{
    static const uint8_t nonce[32] = {1}, longer[33] = {1};
    for (size_t i = 0; i < countof(kinds); i++) {
        OWNED(shower_done) struct shower s;
        shower_init(&s, *state, &kinds[i]);
        OWNED(question_done) struct opinion_wish wish = question(&s, SPAN_OF(nonce));
        wish.nonce.at[31] ^= 1;
        assert_opinion(*state, &wish, kinds[i].reason);
        bytes_done(&wish.nonce);
        bytes_add(&wish.nonce, SPAN_OF(longer));
        assert_opinion(*state, &wish, kinds[i].reason);
    }
}

static void another_guests_key_is_refused(void **state)
{
    struct error err = {0};
    static const uint8_t nonce[32] = {1};
    OWNED(guest_done) struct guest other = simulated_guest();
    for (size_t i = 0; i < countof(kinds); i++) {
        OWNED(shower_done) struct shower s;
        shower_init(&s, *state, &kinds[i]);
        OWNED(question_done) struct opinion_wish wish = question(&s, SPAN_OF(nonce));
        bytes_done(&wish.link_key);
        assert_ok(key_to_spki(other.link_key, &wish.link_key, &err));
        assert_opinion(*state, &wish, kinds[i].reason);
    }
}

/* The agent signs nobody's own bytes: what answers the nonce itself, it does not make. */
static void it_does_not_answer_the_nonce_itself(void **state)
{
    static const uint8_t nonce[SHOWN_NONCE_MOST] = {1};
    for (size_t i = 0; i < countof(kinds); i++) {
        OWNED(shower_done) struct shower s;
        shower_init(&s, *state, &kinds[i]);
        OWNED(question_done) struct opinion_wish wish = question(&s, SPAN_OF(nonce));
        bytes_done(&wish.link_key);
        assert_opinion(*state, &wish, kinds[i].reason);
    }
}

/* ---- what it is not -------------------------------------------------------------------------- */

/* A program of the guest gives the agent the nonce of a keeper's challenge, for that guest and both
 * of its keys, and sends the keeper what comes. */
static void a_keepers_challenge_as_a_nonce_gives_no_verdict(void **state)
{
    for (size_t i = 0; i < countof(kinds); i++) {
        struct error err = {0};
        struct challenge challenge;
        OWNED(shower_done) struct shower s;
        shower_init(&s, *state, &kinds[i]);
        assert_ok(guest_challenge(*state, &s.g, &challenge, &err));
        OWNED(question_done) struct opinion_wish wish = question(&s, SPAN_OF(challenge.nonce));
        assert_ok(guest_appraise(*state, &s.g, &challenge, &wish.evidence, &err));
        assert_verdict(&s.g, "rejected", kinds[i].reason);
    }
}

/* Nor does it help to have the binding itself signed, where it fits as a nonce. */
static void a_binding_as_a_nonce_gives_no_verdict(void **state)
{
    struct error err = {0};
    struct challenge challenge;
    OWNED(bytes_done) struct bytes right = {0};
    OWNED(shower_done) struct shower s;
    shower_init(&s, *state, &kinds[0]);
    assert_ok(guest_challenge(*state, &s.g, &challenge, &err));
    guest_evidence(*state, &s.g, &challenge, &right);
    uint8_t binding[BINDING_SIZE];
    memcpy(binding, s.g.wish.report_data, sizeof binding);
    OWNED(question_done) struct opinion_wish wish = question(&s, SPAN_OF(binding));
    assert_ok(guest_appraise(*state, &s.g, &challenge, &wish.evidence, &err));
    assert_verdict(&s.g, "rejected", kinds[0].reason);
}

static void what_the_keeper_was_answered_is_nothing_to_a_party(void **state)
{
    struct error err = {0};
    struct challenge challenge;
    OWNED(guest_done) struct guest g = simulated_guest();
    OWNED(question_done) struct opinion_wish wish = {.policy = "direct"};
    assert_ok(guest_challenge(*state, &g, &challenge, &err));
    guest_evidence(*state, &g, &challenge, &wish.evidence);
    bytes_add(&wish.nonce, SPAN_OF(challenge.nonce));
    assert_ok(key_to_spki(g.link_key, &wish.link_key, &err));
    assert_opinion(*state, &wish, "policy-report-data");
}

static void a_guest_key_that_the_charter_denies_is_not_trusted(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    static const uint8_t nonce[32] = {1};
    uint8_t hash[SHA256_SIZE];
    OWNED(shower_done) struct shower s;
    shower_init(&s, d, &kinds[0]);
    OWNED(question_done) struct opinion_wish wish = question(&s, SPAN_OF(nonce));
    key_fingerprint(s.g.link_key, hash);
    OWNED(mem_drop) char *hex = hex_of(SPAN_OF(hash));
    json_object_set_new(json_object_get(d->charter, "deny"), "guest_keys", json_pack("[s]", hex));
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
    assert_opinion(d, &wish, "denied-guest-key");
}

static void what_is_no_nonce_and_no_key_gets_no_opinion(void **state)
{
    struct error err = {0};
    struct opinion_reply reply = {0};
    static const uint8_t nonce[SHOWN_NONCE_MOST + 1] = {1};
    OWNED(shower_done) struct shower s;
    shower_init(&s, *state, &kinds[0]);
    OWNED(question_done) struct opinion_wish wish = question(&s, SPAN(nonce, SHOWN_NONCE_LEAST));
    wish.nonce.len--;
    assert_fails(opine(*state, &wish, &reply, &err), ERR_INVALID, "wrong-value");
    bytes_done(&wish.nonce);
    bytes_add(&wish.nonce, SPAN_OF(nonce));
    assert_fails(opine(*state, &wish, &reply, &err), ERR_INVALID, "wrong-value");
    wish.nonce.len--;
    wish.link_key.len--;
    assert_fails(opine(*state, &wish, &reply, &err), ERR_INVALID, "wrong-value");
    OWNED(key_drop) struct key *long_key = NULL;
    assert_ok(key_generate(KEY_P384, &long_key, &err));
    bytes_done(&wish.link_key);
    assert_ok(key_to_spki(long_key, &wish.link_key, &err));
    assert_fails(opine(*state, &wish, &reply, &err), ERR_INVALID, "wrong-value");
}

#define IN(test) cmocka_unit_test_setup_teardown(test, set_up, deployment_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(evidence_of_every_kind_answers_the_partys_nonce),
        IN(the_opinion_names_nonce_and_key),
        IN(another_nonce_is_refused),
        IN(another_guests_key_is_refused),
        IN(it_does_not_answer_the_nonce_itself),
        IN(a_keepers_challenge_as_a_nonce_gives_no_verdict),
        IN(a_binding_as_a_nonce_gives_no_verdict),
        IN(what_the_keeper_was_answered_is_nothing_to_a_party),
        IN(a_guest_key_that_the_charter_denies_is_not_trusted),
        IN(what_is_no_nonce_and_no_key_gets_no_opinion),
    };
    return cmocka_run_group_tests_name("shown evidence", tests, NULL, NULL);
}
