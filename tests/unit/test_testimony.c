/* What a keeper leaves for the books is read as it was signed, and every part of its envelope must
 * be the one that goes with it. */
#include "lib/model/testimony.h"

#include <string.h>

#include "lib/crypto/random.h"
#include "lib/crypto/token.h"
#include "tests/support/test.h"

enum { JUDGED = 1795600000 };

static struct key *key;

static int set_up(void **state)
{
    (void)state;
    struct error err = {0};
    assert_ok(key_generate(KEY_P256, &key, &err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    key_drop(&key);
    return 0;
}

static struct testimony told(bool simulated)
{
    struct testimony t = {
        .verdict_id = uuid_new(),
        .realm = simulated ? REALM_SIMULATION : REALM_PRODUCTION,
        .instance = uuid_new(),
        .kind = simulated ? EVIDENCE_SIMULATED : EVIDENCE_SNP,
        .verdict = "trusted",
        .reason = "ok",
        .simulated = simulated,
        .policy = "web",
        .charter_serial = 1,
        .asked = clock_at_seconds(JUDGED - 1),
        .judged = clock_at_seconds(JUDGED),
    };
    uint8_t *const hashes[] = {t.deployment, t.policy_digest, t.charter_digest, t.evidence_digest,
                               t.nonce,      t.link_key,      t.claims_digest,  t.checks_digest};
    for (size_t i = 0; i < countof(hashes); i++)
        random_fill(hashes[i], SHA256_SIZE);
    bytes_add(&t.sealing_key, span_of_text("spki"));
    return t;
}

/* Its claims, to be changed; the caller drops them. */
static json_t *claims_of(const struct testimony *t)
{
    struct error err = {0};
    OWNED(mem_drop) char *text = NULL;
    json_t *claims = NULL;
    assert_ok(testimony_print(key, t, &text, &err));
    assert_ok(token_verify(span_of_text(text),
                           t->simulated ? SIMULATED_TESTIMONY_TYP : TESTIMONY_TYP, key, &claims,
                           &err));
    return claims;
}

static void comes_to(const json_t *claims, const char *typ, const char *expected)
{
    struct error err = {0};
    OWNED(testimony_done) struct testimony read = {0};
    OWNED(mem_drop) char *text = NULL;
    assert_ok(token_sign(key, typ, claims, &text, &err));
    const enum outcome outcome = testimony_read(span_of_text(text), key, &read, &err);
    assert_string_equal(outcome == OK ? "ok" : err.code, expected);
}

static void a_testimony_comes_back_as_it_was_signed(void **state)
{
    (void)state;
    for (int simulated = 0; simulated < 2; simulated++) {
        struct error err = {0};
        OWNED(testimony_done) struct testimony t = told(simulated == 1);
        OWNED(testimony_done) struct testimony read = {0};
        OWNED(mem_drop) char *text = NULL;
        assert_ok(testimony_print(key, &t, &text, &err));
        assert_ok(testimony_read(span_of_text(text), key, &read, &err));
        assert_memory_equal(read.nonce, t.nonce, sizeof t.nonce);
        assert_int_equal(read.judged.us, t.judged.us);
        assert_int_equal(read.simulated, t.simulated);
        assert_true(span_equal(bytes_span(&read.sealing_key), bytes_span(&t.sealing_key)));
    }
}

static void what_is_no_token_is_no_testimony(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "testimony", "e30.e30.e30", "{}"};
    for (size_t i = 0; i < countof(texts); i++) {
        struct error err = {0};
        struct testimony read = {0};
        assert_fails(testimony_read(span_of_text(texts[i]), key, &read, &err), ERR_INVALID,
                     "testimony-malformed");
    }
}

static void an_envelope_has_its_members_and_no_more(void **state)
{
    (void)state;
    static const char *const members[] = {"iss", "aud", "iat", "muster"};
    OWNED(testimony_done) struct testimony t = told(false);
    OWNED(json_drop) json_t *claims = claims_of(&t);
    comes_to(claims, TESTIMONY_TYP, "ok");
    for (size_t i = 0; i < countof(members); i++) {
        OWNED(json_drop) json_t *less = json_copy(claims);
        json_object_del(less, members[i]);
        comes_to(less, TESTIMONY_TYP, "testimony-malformed");
    }
    json_put_int(claims, "exp", JUDGED + 300);
    comes_to(claims, TESTIMONY_TYP, "testimony-malformed");
}

static void it_is_given_by_a_keeper_for_the_books(void **state)
{
    (void)state;
    OWNED(testimony_done) struct testimony t = told(false);
    OWNED(json_drop) json_t *claims = claims_of(&t);
    json_put_text(claims, "aud", "muster-keeper");
    comes_to(claims, TESTIMONY_TYP, "testimony-audience");
    json_put_text(claims, "aud", "muster-testimony");
    json_put_text(claims, "iss", "muster-keeper-simulation");
    comes_to(claims, TESTIMONY_TYP, "testimony-audience");
}

static void it_was_given_when_it_was_judged(void **state)
{
    (void)state;
    OWNED(testimony_done) struct testimony t = told(false);
    OWNED(json_drop) json_t *claims = claims_of(&t);
    json_put_int(claims, "iat", JUDGED + 1);
    comes_to(claims, TESTIMONY_TYP, "testimony-malformed");
}

static void simulation_is_said_alike_within_and_without(void **state)
{
    (void)state;
    OWNED(testimony_done) struct testimony genuine = told(false);
    OWNED(testimony_done) struct testimony played = told(true);
    OWNED(json_drop) json_t *of_genuine = claims_of(&genuine);
    OWNED(json_drop) json_t *of_played = claims_of(&played);
    comes_to(of_genuine, SIMULATED_TESTIMONY_TYP, "testimony-malformed");
    comes_to(of_played, TESTIMONY_TYP, "testimony-malformed");
    comes_to(of_played, SIMULATED_TESTIMONY_TYP, "ok");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_testimony_comes_back_as_it_was_signed),
        cmocka_unit_test(what_is_no_token_is_no_testimony),
        cmocka_unit_test(an_envelope_has_its_members_and_no_more),
        cmocka_unit_test(it_is_given_by_a_keeper_for_the_books),
        cmocka_unit_test(it_was_given_when_it_was_judged),
        cmocka_unit_test(simulation_is_said_alike_within_and_without),
    };
    return cmocka_run_group_tests_name("testimony", tests, set_up, tear_down);
}
