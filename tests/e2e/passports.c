/* Passports: what a guest proved, told to one relying party, sealed to the guest and good only for
 * who holds its key (trust.md section 6). And all that gets none. */
#include <string.h>
#include <unistd.h>

#include "keeper/claims.h"
#include "lib/base/file.h"
#include "lib/crypto/jwk.h"
#include "lib/crypto/random.h"
#include "tests/support/deployment.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

#define VAULT_AUDIENCE "https://vault.example"

struct visit {
    struct deployment *d;
    struct guest g, other;
};

static void add_party(struct deployment *d, const char *name, const char *audience,
                      const char *level, bool unproven)
{
    json_object_set_new(json_object_get(d->charter, "relying_parties"), name,
                        json_pack("{s:s,s:[s],s:s,s:i,s:i,s:b}", "audience", audience, "policies",
                                  "direct", "least_level", level, "max_verdict_age_seconds", 3600,
                                  "valid_seconds", 240, "allow_unproven_software", (int)unproven));
}

static void obey(struct deployment *d)
{
    struct error err = {0};
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
}

static int visit_open(void **state)
{
    struct visit *v = NEW(struct visit);
    void *d = NULL;
    assert_int_equal(deployment_open(&d), 0);
    v->d = d;
    add_party(d, "vault", VAULT_AUDIENCE, "L1", false);
    add_party(d, "strict", "https://strict.example", "L2", false);
    obey(d);
    v->g = guest_make(PSP_DIRECT_BOOT, 5);
    v->other = guest_make(PSP_DIRECT_BOOT, 6);
    guest_attested(d, &v->g);
    guest_attested(d, &v->other);
    *state = v;
    return 0;
}

static int visit_close(void **state)
{
    struct visit *v = *state;
    void *d = v->d;
    guest_done(&v->g);
    guest_done(&v->other);
    mem_drop(state);
    return deployment_close(&d);
}

/* As an honest controller passes it on; change it to be another one. Borrows the token. */
static struct passport_wish wish_of(const struct guest *g, const char *party)
{
    struct error err = {0};
    struct passport_wish wish = {.instance = g->instance, .token = g->token};
    assert_ok(text_copy(wish.relying_party, sizeof wish.relying_party, party, "", &err));
    random_fill(wish.nonce, sizeof wish.nonce);
    assert_ok(key_to_spki(g->link_key, &wish.link_key, &err));
    return wish;
}

static enum outcome ask(struct visit *v, const struct passport_wish *wish,
                        struct passport_reply *out, struct error *err)
{
    return deployment_ask(v->d, VERB_PASSPORT, &passport_wish_record, wish, &passport_reply_record,
                          out, err);
}

static void wish_done(struct passport_wish *wish)
{
    bytes_done(&wish->link_key);
}

static enum outcome open_it(struct visit *v, const struct guest *g, const char *purpose,
                            const struct passport_reply *reply, struct seal_header *header,
                            struct locked *out, struct error *err)
{
    const struct seal_expected expected = {.purpose = purpose,
                                           .instance = g->instance,
                                           .roots = &v->d->root,
                                           .root_count = 1,
                                           .at = clock_now()};
    return seal_open(bytes_span(&reply->envelope), g->sealing_key, &expected, header, out, err);
}

static char *text_in(const struct locked *token)
{
    OWNED(text_done) struct text text = {0};
    text_addf(&text, "%.*s", (int)token->len, (const char *)token->at);
    return text_take(&text);
}

/* The passport that this guest gets. The caller frees it. */
static char *passport_of(struct visit *v, const struct guest *g, const char *party)
{
    struct error err = {0};
    struct passport_reply reply = {0};
    struct seal_header header;
    OWNED(locked_done) struct locked token = {0};
    OWNED(wish_done) struct passport_wish wish = wish_of(g, party);
    assert_ok(ask(v, &wish, &reply, &err));
    assert_ok(open_it(v, g, SEAL_PURPOSE_PASSPORT, &reply, &header, &token, &err));
    assert_memory_equal(header.salt, wish.nonce, sizeof wish.nonce);
    assert_string_equal(header.name, party);
    record_done(&passport_reply_record, &reply);
    return text_in(&token);
}

static struct key *key_in(const struct deployment *d, const char *name)
{
    struct error err = {0};
    struct key *key = NULL;
    OWNED(bytes_wipe) struct bytes pem = {0};
    OWNED(mem_drop) char *path = scratch_path(d->keeper_folder, name);
    assert_ok(file_read_private(path, 4096, &pem, &err));
    assert_ok(key_from_private_pem(bytes_span(&pem), &key, &err));
    return key;
}

static json_t *claims_of(const struct visit *v, const char *token)
{
    struct error err = {0};
    json_t *claims = NULL;
    OWNED(key_drop) struct key *key = key_in(v->d, "passport-key.pem");
    assert_ok(token_verify(span_of_text(token), SIMULATED_PASSPORT_TYP, key, &claims, &err));
    return claims;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static int64_t number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* ---- what it says --------------------------------------------------------------------------- */

static void a_passport_says_what_was_proven_and_to_whom_it_is_told(void **state)
{
    struct visit *v = *state;
    OWNED(mem_drop) char *token = passport_of(v, &v->g, "vault");
    OWNED(json_drop) json_t *claims = claims_of(v, token);
    const json_t *muster = json_object_get(claims, "muster");
    assert_string_equal(text_of(claims, "aud"), VAULT_AUDIENCE);
    assert_string_equal(text_of(claims, "iss"), "muster-passport-simulation");
    assert_string_equal(text_of(claims, "sub"), uuid_text(&v->g.instance).at);
    assert_string_equal(text_of(muster, "relying_party"), "vault");
    assert_string_equal(text_of(muster, "policy"), "direct");
    assert_string_equal(text_of(muster, "level"), "L1");
    assert_string_equal(text_of(muster, "software"), "hardware");
    assert_string_equal(text_of(muster, "anchor"), text_of(v->g.verdict.claims, "anchor"));
    assert_string_equal(text_of(muster, "verdict"), text_of(v->g.verdict.claims, "id"));
    assert_int_equal(number_of(muster, "charter_serial"), 2);
    assert_true(json_is_true(json_object_get(muster, "simulated")));
    assert_non_null(json_object_get(muster, "missing"));
    static const char *const kept[] = {"sealing_key", "chip", "report_id", "link_key"};
    for (size_t i = 0; i < countof(kept); i++)
        assert_null(json_object_get(muster, kept[i]));
    const json_t *ear = json_object_get(json_object_get(claims, "submods"), "muster");
    assert_string_equal(text_of(ear, "ear.status"), "none"); /* simulated affirms nothing */
    assert_int_equal(json_object_size(json_object_get(ear, "ear.trustworthiness-vector")),
                     TRUST_CLAIM_COUNT);
}

static void it_is_good_for_who_holds_the_link_key_alone(void **state)
{
    struct visit *v = *state;
    struct error err = {0};
    char thumbprint[JWK_THUMBPRINT_SIZE];
    OWNED(json_drop) json_t *jwk = NULL;
    OWNED(mem_drop) char *token = passport_of(v, &v->g, "vault");
    OWNED(json_drop) json_t *claims = claims_of(v, token);
    const json_t *cnf = json_object_get(claims, "cnf");
    assert_ok(jwk_of(v->g.link_key, &jwk, &err));
    assert_ok(jwk_thumbprint(v->g.link_key, thumbprint, &err));
    assert_true(json_equal(json_object_get(cnf, "jwk"), jwk));
    assert_string_equal(text_of(cnf, "jkt"), thumbprint);
}

static void it_ends_with_the_verdict_at_the_latest(void **state)
{
    struct visit *v = *state;
    OWNED(mem_drop) char *token = passport_of(v, &v->g, "vault");
    OWNED(json_drop) json_t *claims = claims_of(v, token);
    assert_int_equal(number_of(claims, "exp") - number_of(claims, "iat"), 240);
    assert_int_equal(number_of(claims, "nbf"), number_of(claims, "iat"));
    json_put_int(deployment_at(v->d, "relying_parties", "vault"), "max_verdict_age_seconds", 86400);
    obey(v->d);
    clock_advance_ms(INT64_C(1000) * (7200 - 60)); /* the verdict is valid for 7200 s */
    OWNED(mem_drop) char *late = passport_of(v, &v->g, "vault");
    OWNED(json_drop) json_t *short_lived = claims_of(v, late);
    assert_int_equal(number_of(short_lived, "exp") - number_of(short_lived, "iat"), 60);
}

static void each_has_an_id_of_its_own_which_the_controller_learns(void **state)
{
    struct visit *v = *state;
    struct error err = {0};
    struct passport_reply reply = {0};
    struct seal_header header;
    OWNED(locked_done) struct locked token = {0};
    OWNED(wish_done) struct passport_wish wish = wish_of(&v->g, "vault");
    OWNED(mem_drop) char *before = passport_of(v, &v->g, "vault");
    OWNED(json_drop) json_t *earlier = claims_of(v, before);
    assert_ok(ask(v, &wish, &reply, &err));
    assert_ok(open_it(v, &v->g, SEAL_PURPOSE_PASSPORT, &reply, &header, &token, &err));
    OWNED(mem_drop) char *text = text_in(&token);
    OWNED(json_drop) json_t *claims = claims_of(v, text);
    assert_string_equal(text_of(claims, "jti"), uuid_text(&reply.id).at);
    assert_int_equal(number_of(claims, "exp"), moment_seconds(reply.expires));
    assert_string_not_equal(text_of(claims, "jti"), text_of(earlier, "jti"));
    record_done(&passport_reply_record, &reply);
}

/* ---- who cannot read it --------------------------------------------------------------------- */

static void nobody_else_opens_the_envelope_and_as_a_secret_nobody(void **state)
{
    struct visit *v = *state;
    struct error err = {0};
    struct passport_reply reply = {0};
    struct seal_header header;
    struct locked token = {0};
    OWNED(wish_done) struct passport_wish wish = wish_of(&v->g, "vault");
    assert_ok(ask(v, &wish, &reply, &err));
    assert_fails(open_it(v, &v->other, SEAL_PURPOSE_PASSPORT, &reply, &header, &token, &err),
                 ERR_DENIED, "envelope-not-ours");
    assert_fails(open_it(v, &v->g, SEAL_PURPOSE_SECRET, &reply, &header, &token, &err), ERR_DENIED,
                 "wrong-purpose");
    record_done(&passport_reply_record, &reply);
}

/* ---- who gets none -------------------------------------------------------------------------- */

static void refused_as(struct visit *v, const struct passport_wish *wish, enum outcome outcome,
                       const char *code)
{
    struct error err = {0};
    struct passport_reply reply = {0};
    assert_fails(ask(v, wish, &reply, &err), outcome, code);
    assert_null(reply.envelope.at);
}

static void refused(struct visit *v, const struct guest *g, const char *party, const char *code)
{
    OWNED(wish_done) struct passport_wish wish = wish_of(g, party);
    refused_as(v, &wish, ERR_DENIED, code);
}

static void a_party_that_is_not_in_the_charter_gets_none(void **state)
{
    struct visit *v = *state;
    refused(v, &v->g, "nobody", "party-unknown");
    json_object_del(json_object_get(v->d->charter, "relying_parties"), "vault");
    obey(v->d);
    refused(v, &v->g, "vault", "party-unknown");
}

static void who_proves_less_than_the_party_asks_for_gets_none(void **state)
{
    struct visit *v = *state;
    OWNED(guest_done) struct guest stock = guest_make(PSP_FIRMWARE_ONLY, 0);
    guest_attested(v->d, &stock);
    refused(v, &v->g, "strict", "party-level");
    refused(v, &stock, "vault", "party-policy");
    add_party(v->d, "stock", "https://stock.example", "L1", false);
    json_object_set_new(deployment_at(v->d, "relying_parties", "stock"), "policies",
                        json_string("any"));
    obey(v->d);
    refused(v, &stock, "stock", "software-unproven");
}

static void who_was_rejected_gets_none(void **state)
{
    struct visit *v = *state;
    v->other.wish.tamper = PSP_WRONG_MEASUREMENT;
    guest_attested(v->d, &v->other);
    assert_verdict(&v->other, "rejected", "policy-measurement");
    refused(v, &v->other, "vault", "verdict-rejected");
}

static void a_verdict_that_is_old_or_over_earns_none(void **state)
{
    struct visit *v = *state;
    clock_advance_ms(INT64_C(1000) * 3601);
    refused(v, &v->g, "vault", "verdict-too-old");
    clock_advance_ms(INT64_C(1000) * 3600);
    refused(v, &v->g, "vault", "verdict-expired");
}

static void an_older_verdict_than_the_latest_earns_none(void **state)
{
    struct visit *v = *state;
    OWNED(mem_drop) char *old = mem_text(v->g.token);
    guest_attested(v->d, &v->g);
    OWNED(wish_done) struct passport_wish wish = wish_of(&v->g, "vault");
    wish.token = old;
    refused_as(v, &wish, ERR_DENIED, "verdict-superseded");
}

static void another_guests_verdict_or_key_earns_none(void **state)
{
    struct visit *v = *state;
    struct error err = {0};
    OWNED(wish_done) struct passport_wish wish = wish_of(&v->g, "vault");
    wish.token = v->other.token;
    refused_as(v, &wish, ERR_DENIED, "verdict-instance");
    wish.token = v->g.token;
    assert_ok(key_to_spki(v->other.link_key, &wish.link_key, &err));
    refused_as(v, &wish, ERR_DENIED, "passport-key");
    wish.link_key.len = 3;
    refused_as(v, &wish, ERR_INVALID, "unsupported-key");
}

static void deny(struct visit *v, const char *list, const char *value)
{
    json_object_set_new(json_object_get(v->d->charter, "deny"), list, json_pack("[s]", value));
    obey(v->d);
}

static void whom_the_charter_denies_gets_none(void **state)
{
    struct visit *v = *state;
    uint8_t link_key[SHA256_SIZE];
    guest_link_fingerprint(&v->other, link_key);
    OWNED(mem_drop) char *other = hex_of(SPAN_OF(link_key));
    deny(v, "guest_keys", other);
    refused(v, &v->other, "vault", "denied-guest-key");
    deny(v, "anchors", text_of(v->g.verdict.claims, "anchor"));
    refused(v, &v->g, "vault", "denied-anchor");
}

static void a_policy_that_changed_since_earns_none(void **state)
{
    struct visit *v = *state;
    json_put_int(deployment_at(v->d, "policies", "direct"), "valid_seconds", 600);
    obey(v->d);
    refused(v, &v->g, "vault", "policy-changed");
}

/* ---- tokens are not mixed up ---------------------------------------------------------------- */

static void a_passport_is_no_verdict(void **state)
{
    struct visit *v = *state;
    OWNED(stored_done) struct stored s = {0};
    OWNED(mem_drop) char *passport = passport_of(v, &v->g, "vault");
    stored_made(v->d, "for-all", NULL, &s);
    struct release_wish release = release_wish_of(&v->g, &s);
    release.token = passport;
    assert_refused(v->d, &release, "passport-not-verdict");
    OWNED(wish_done) struct passport_wish again = wish_of(&v->g, "vault");
    again.token = passport;
    refused_as(v, &again, ERR_DENIED, "passport-not-verdict");
}

/* Each by its key: what one signs nobody takes for another's. */
static void no_key_of_the_keeper_signs_two_kinds(void **state)
{
    struct visit *v = *state;
    struct error err = {0};
    static const char *const files[] = {"sign-key.pem", "opinion-key.pem", "passport-key.pem"};
    OWNED(mem_drop) char *passport = passport_of(v, &v->g, "vault");
    for (size_t i = 0; i < 2; i++) {
        OWNED(key_drop) struct key *key = key_in(v->d, files[i]);
        OWNED(key_drop) struct key *next = key_in(v->d, files[i + 1]);
        json_t *claims = NULL;
        assert_false(key_equal(key, next));
        assert_fails(
            token_verify(span_of_text(passport), SIMULATED_PASSPORT_TYP, key, &claims, &err),
            ERR_DENIED, "token-key");
    }
    OWNED(key_drop) struct key *key = key_in(v->d, "passport-key.pem");
    json_t *claims = NULL;
    static const char *const others[] = {SIMULATED_VERDICT_TYP, SIMULATED_OPINION_TYP,
                                         PASSPORT_TYP};
    for (size_t i = 0; i < countof(others); i++)
        assert_fails(token_verify(span_of_text(passport), others[i], key, &claims, &err),
                     ERR_DENIED, "token-type");
    assert_fails(token_verify(span_of_text(v->g.token), SIMULATED_PASSPORT_TYP, key, &claims, &err),
                 ERR_DENIED, "token-type");
}

static void whoever_holds_the_passports_key_makes_no_verdict(void **state)
{
    struct visit *v = *state;
    struct error err = {0};
    OWNED(key_drop) struct key *passports = key_in(v->d, "passport-key.pem");
    OWNED(key_drop) struct key *signer = key_in(v->d, "sign-key.pem");
    OWNED(json_drop) json_t *claims = NULL;
    OWNED(mem_drop) char *forged = NULL;
    assert_ok(token_verify(span_of_text(v->g.token), SIMULATED_VERDICT_TYP, signer, &claims, &err));
    assert_ok(token_sign(passports, SIMULATED_VERDICT_TYP, claims, &forged, &err));
    OWNED(wish_done) struct passport_wish wish = wish_of(&v->g, "vault");
    wish.token = forged;
    refused_as(v, &wish, ERR_DENIED, "verdict-key");
}

/* What would come of simulated evidence, if it ever passed anywhere in production. */
static void in_production_nothing_simulated_earns_one(void **state)
{
    struct visit *v = *state;
    struct error err = {0};
    struct verdict_token token = {0};
    OWNED(key_drop) struct key *signer = key_in(v->d, "sign-key.pem");
    assert_fails(verdict_token_read(span_of_text(v->g.token), signer, REALM_PRODUCTION, clock_now(),
                                    &token, &err),
                 ERR_DENIED, "verdict-simulated");
    OWNED(json_drop) json_t *claims = NULL;
    OWNED(mem_drop) char *relabelled = NULL;
    assert_ok(token_verify(span_of_text(v->g.token), SIMULATED_VERDICT_TYP, signer, &claims, &err));
    assert_ok(token_sign(signer, VERDICT_TYP, claims, &relabelled, &err));
    OWNED(wish_done) struct passport_wish wish = wish_of(&v->g, "vault");
    wish.token = relabelled;
    refused_as(v, &wish, ERR_DENIED, "verdict-audience");
}

/* ---- bounds --------------------------------------------------------------------------------- */

static void a_guest_gets_a_few_at_once_and_then_waits(void **state)
{
    struct visit *v = *state;
    struct error err = {0};
    for (int i = 0; i < 6; i++) {
        OWNED(mem_drop) char *token = passport_of(v, &v->g, "vault");
    }
    OWNED(wish_done) struct passport_wish wish = wish_of(&v->g, "vault");
    refused_as(v, &wish, ERR_THROTTLED, "passport-too-many");
    OWNED(mem_drop) char *others = passport_of(v, &v->other, "vault");
    clock_advance_ms(9999);
    refused_as(v, &wish, ERR_THROTTLED, "passport-too-many");
    clock_advance_ms(1);
    struct passport_reply reply = {0};
    assert_ok(ask(v, &wish, &reply, &err));
    record_done(&passport_reply_record, &reply);
}

static void a_folder_without_a_key_for_passports_gives_none(void **state)
{
    struct visit *v = *state;
    struct error err = {0};
    OWNED(mem_drop) char *cert = scratch_path(v->d->keeper_folder, "passport-cert.pem");
    OWNED(mem_drop) char *opinions = scratch_path(v->d->keeper_folder, "opinion-cert.pem");
    OWNED(bytes_done) struct bytes other = {0};
    deployment_stop_keeper(v->d);
    assert_int_equal(unlink(cert), 0);
    deployment_start_keeper(v->d);
    refused(v, &v->g, "vault", "no-passport-key");
    /* and a certificate of another role is none for passports */
    assert_ok(file_read(opinions, 4096, &other, &err));
    assert_ok(file_write(cert, bytes_span(&other), 0644, &err));
    deployment_stop_keeper(v->d);
    assert_fails(keeper_open(v->d->keeper_folder, 64, &v->d->keeper, &err), ERR_DENIED,
                 "wrong-role");
}

static void without_its_memory_the_keeper_gives_none(void **state)
{
    struct visit *v = *state;
    OWNED(mem_drop) char *path = scratch_path(v->d->keeper_folder, "state");
    deployment_stop_keeper(v->d);
    assert_int_equal(unlink(path), 0);
    deployment_start_keeper(v->d);
    refused(v, &v->g, "vault", "state-missing");
}

#define IN(test) cmocka_unit_test_setup_teardown(test, visit_open, visit_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(a_passport_says_what_was_proven_and_to_whom_it_is_told),
        IN(it_is_good_for_who_holds_the_link_key_alone),
        IN(it_ends_with_the_verdict_at_the_latest),
        IN(each_has_an_id_of_its_own_which_the_controller_learns),
        IN(nobody_else_opens_the_envelope_and_as_a_secret_nobody),
        IN(a_party_that_is_not_in_the_charter_gets_none),
        IN(who_proves_less_than_the_party_asks_for_gets_none),
        IN(who_was_rejected_gets_none),
        IN(a_verdict_that_is_old_or_over_earns_none),
        IN(an_older_verdict_than_the_latest_earns_none),
        IN(another_guests_verdict_or_key_earns_none),
        IN(whom_the_charter_denies_gets_none),
        IN(a_policy_that_changed_since_earns_none),
        IN(a_passport_is_no_verdict),
        IN(no_key_of_the_keeper_signs_two_kinds),
        IN(whoever_holds_the_passports_key_makes_no_verdict),
        IN(in_production_nothing_simulated_earns_one),
        IN(a_guest_gets_a_few_at_once_and_then_waits),
        IN(a_folder_without_a_key_for_passports_gives_none),
        IN(without_its_memory_the_keeper_gives_none),
    };
    return cmocka_run_group_tests_name("passports", tests, NULL, NULL);
}
