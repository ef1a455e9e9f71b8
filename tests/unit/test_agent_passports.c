/* Passports at the guest: asked for with a nonce of its own, opened with its own key, handed on
 * once to whoever wanted it, and nothing else is taken for one. */
#include <stdio.h>
#include <string.h>

#include "lib/crypto/random.h"
#include "lib/crypto/token.h"
#include "tests/support/guest_talk.h"
#include "tests/support/test.h"

#define TOKEN "header.payload.signature"

static const struct local_request to_vault = {.relying_party = "vault"};

/* What the keeper seals for this request; change it to be another one. */
static struct seal_header header_of(struct talk *w, const struct passport_ask *ask)
{
    struct seal_header header = {.purpose = SEAL_PURPOSE_PASSPORT,
                                 .instance = w->guest.instance,
                                 .delivery = uuid_new(),
                                 .secret = uuid_new(),
                                 .kind = "passport",
                                 .version = 1,
                                 .sequence = 1};
    cert_spki_sha256(w->root, header.deployment);
    key_fingerprint(w->sealing, header.sealing_key);
    snprintf(header.name, sizeof header.name, "%s", ask->relying_party);
    snprintf(header.grant, sizeof header.grant, "%s", ask->relying_party);
    memcpy(header.salt, ask->nonce, sizeof header.salt);
    return header;
}

static uint64_t take_ask(struct talk *w, struct passport_ask *out)
{
    return talk_next_request(w, VERB_PASSPORT, &passport_ask_record, out)->id;
}

static void answer_with(struct talk *w, uint64_t id, const struct seal_header *header)
{
    struct error err = {0};
    struct passport_answer answer = {0};
    assert_ok(seal_to(w->sealing, header, span_of_text(TOKEN), w->signer, w->signer_cert,
                      &answer.envelope, &err));
    talk_answer(w, id, &passport_answer_record, &answer);
    record_done(&passport_answer_record, &answer);
}

static void assert_refused(struct talk *w, enum outcome outcome, const char *code)
{
    assert_int_equal(w->passport_outcome, outcome);
    assert_string_equal(w->passport_why.code, code);
    assert_null(w->passport);
}

static void a_passport_is_asked_for_opened_and_handed_on_once(void **state)
{
    struct talk *w = *state;
    struct error err = {0};
    struct passport_ask ask = {0};
    OWNED(bytes_done) struct bytes spki = {0};
    talk_become_trusted(w);
    session_want_passport(w->session, 7, &to_vault);
    uint64_t id = take_ask(w, &ask);
    assert_string_equal(ask.relying_party, "vault");
    assert_ok(key_to_spki(w->link_key, &spki, &err));
    assert_true(span_equal(bytes_span(&ask.link_key), bytes_span(&spki)));
    assert_false(span_is_zero(SPAN_OF(ask.nonce)));
    const struct seal_header header = header_of(w, &ask);
    answer_with(w, id, &header);
    assert_int_equal(w->passports, 1);
    assert_int_equal(w->passport_ticket, 7);
    assert_int_equal(w->passport_outcome, OK);
    assert_string_equal(w->passport, TOKEN);
    assert_null(w->passport_proof);
    answer_with(w, id, &header); /* and what comes again is nothing */
    assert_int_equal(w->passports, 1);
    record_done(&passport_ask_record, &ask);
}

static void with_a_challenge_it_is_proven_who_holds_the_key(void **state)
{
    struct talk *w = *state;
    struct error err = {0};
    struct passport_ask ask = {0};
    OWNED(json_drop) json_t *claims = NULL;
    const struct local_request request = {.relying_party = "vault", .challenge = "fresh-1"};
    uint8_t hash[SHA256_SIZE];
    talk_become_trusted(w);
    session_want_passport(w->session, 7, &request);
    uint64_t id = take_ask(w, &ask);
    const struct seal_header header = header_of(w, &ask);
    answer_with(w, id, &header);
    assert_ok(token_verify(span_of_text(w->passport_proof), PROOF_TYP, w->link_key, &claims, &err));
    digest(DIGEST_SHA256, span_of_text(TOKEN), hash);
    OWNED(mem_drop) char *ath = base64url_of(SPAN_OF(hash));
    assert_string_equal(json_string_value(json_object_get(claims, "nonce")), "fresh-1");
    assert_string_equal(json_string_value(json_object_get(claims, "ath")), ath);
    record_done(&passport_ask_record, &ask);
}

static void an_answer_to_something_else_is_no_passport(void **state)
{
    struct talk *w = *state;
    static const struct {
        const char *code;
        size_t at; /* which byte of the header is another one */
    } changes[] = {
        {"passport-mismatch", offsetof(struct seal_header, salt)},
        {"passport-mismatch", offsetof(struct seal_header, name)},
        {"wrong-instance", offsetof(struct seal_header, instance)},
        {"wrong-purpose", offsetof(struct seal_header, purpose)},
        {"wrong-deployment", offsetof(struct seal_header, deployment)},
    };
    talk_become_trusted(w);
    for (size_t i = 0; i < countof(changes); i++) {
        struct passport_ask ask = {0};
        session_want_passport(w->session, i, &to_vault);
        uint64_t id = take_ask(w, &ask);
        struct seal_header header = header_of(w, &ask);
        ((uint8_t *)&header)[changes[i].at] ^= 1;
        answer_with(w, id, &header);
        assert_int_equal(w->passport_ticket, i);
        assert_refused(w, ERR_DENIED, changes[i].code);
        record_done(&passport_ask_record, &ask);
    }
}

/* A controller that kept an envelope shows it again. */
static void an_old_envelope_is_no_answer(void **state)
{
    struct talk *w = *state;
    struct passport_ask first = {0}, second = {0};
    talk_become_trusted(w);
    session_want_passport(w->session, 1, &to_vault);
    uint64_t id = take_ask(w, &first);
    const struct seal_header old = header_of(w, &first);
    answer_with(w, id, &old);
    assert_int_equal(w->passport_outcome, OK);
    session_want_passport(w->session, 2, &to_vault);
    id = take_ask(w, &second);
    assert_memory_not_equal(first.nonce, second.nonce, sizeof first.nonce);
    answer_with(w, id, &old);
    assert_refused(w, ERR_DENIED, "passport-mismatch");
    record_done(&passport_ask_record, &first);
    record_done(&passport_ask_record, &second);
}

static void who_cannot_be_helped_is_told_so(void **state)
{
    struct talk *w = *state;
    struct error lost = {0};
    struct passport_ask ask = {0};
    session_want_passport(w->session, 1, &to_vault);
    assert_refused(w, ERR_UNREACHABLE, "no-controller");
    talk_welcome(w, "unknown", 1);
    session_want_passport(w->session, 2, &to_vault);
    assert_refused(w, ERR_DENIED, "not-proven");
    talk_appraise(w, "trusted", "ok");
    session_want_passport(w->session, 3, &to_vault);
    uint64_t id = take_ask(w, &ask);
    talk_answer_problem(w, id, "no-keeper");
    assert_refused(w, ERR_UNREACHABLE, "no-keeper");
    record_done(&passport_ask_record, &ask);
    session_want_passport(w->session, 4, &to_vault);
    error_ignore(fail_code(&lost, ERR_UNREACHABLE, "connection-lost", "gone"));
    session_closed(w->session, &lost);
    assert_int_equal(w->passport_ticket, 4);
    assert_refused(w, ERR_UNREACHABLE, "closed");
}

static void an_answer_that_does_not_come_is_not_waited_for(void **state)
{
    struct talk *w = *state;
    talk_become_trusted(w);
    session_want_passport(w->session, 5, &to_vault);
    talk_advance(w, 59);
    assert_int_equal(w->passports, 0);
    talk_advance(w, 1);
    assert_int_equal(w->passport_ticket, 5);
    assert_refused(w, ERR_UNREACHABLE, "no-answer");
}

static void only_a_few_are_asked_for_at_a_time(void **state)
{
    struct talk *w = *state;
    talk_become_trusted(w);
    for (uint64_t i = 0; i < PASSPORTS_MAX; i++)
        session_want_passport(w->session, i, &to_vault);
    assert_int_equal(w->passports, 0);
    session_want_passport(w->session, 99, &to_vault);
    assert_int_equal(w->passport_ticket, 99);
    assert_refused(w, ERR_THROTTLED, "busy");
}

#define TALK(test) cmocka_unit_test_setup_teardown(test, talk_open, talk_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TALK(a_passport_is_asked_for_opened_and_handed_on_once),
        TALK(with_a_challenge_it_is_proven_who_holds_the_key),
        TALK(an_answer_to_something_else_is_no_passport),
        TALK(an_old_envelope_is_no_answer),
        TALK(who_cannot_be_helped_is_told_so),
        TALK(an_answer_that_does_not_come_is_not_waited_for),
        TALK(only_a_few_are_asked_for_at_a_time),
    };
    return cmocka_run_group_tests_name("agent passports", tests, NULL, NULL);
}
