/* The set of keys with which keepers sign for others: what the root signed and certified, and
 * nothing else. */
#include "lib/crypto/jwks.h"

#include <string.h>

#include "lib/crypto/jwk.h"
#include "lib/crypto/token.h"
#include "tests/support/test.h"

struct scene {
    struct key *root_key, *opinions, *passports;
    struct cert *root, *opinion, *passport;
    struct moment now;
};

static struct cert *certify(const struct scene *s, const struct key *key, enum cert_role role,
                            struct moment from, int days)
{
    struct error err = {0};
    struct cert *cert = NULL;
    assert_ok(cert_make_role(s->root_key, s->root, key, role, NULL, 0, from, days, &cert, &err));
    return cert;
}

static int set_up(void **state)
{
    struct error err = {0};
    struct scene *s = NEW(struct scene);
    s->now = clock_at_seconds(moment_seconds(clock_now()));
    assert_ok(key_generate(KEY_P384, &s->root_key, &err));
    assert_ok(key_generate(KEY_P256, &s->opinions, &err));
    assert_ok(key_generate(KEY_P256, &s->passports, &err));
    assert_ok(cert_make_root(s->root_key, REALM_SIMULATION, s->now, &s->root, &err));
    s->opinion = certify(s, s->opinions, ROLE_KEEPER_OPINION, s->now, 90);
    s->passport = certify(s, s->passports, ROLE_KEEPER_PASSPORT, s->now, 30);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    key_free(s->root_key);
    key_free(s->opinions);
    key_free(s->passports);
    cert_free(s->root);
    cert_free(s->opinion);
    cert_free(s->passport);
    mem_drop(state);
    return 0;
}

static struct jwks both(const struct scene *s)
{
    struct error err = {0};
    struct jwks set = {0};
    assert_ok(jwks_add(&set, s->opinion, s->now, &err));
    assert_ok(jwks_add(&set, s->passport, s->now, &err));
    return set;
}

static char *signed_by(const struct scene *s, const struct jwks *set)
{
    struct error err = {0};
    char *jwt = NULL;
    assert_ok(jwks_sign(set, s->root_key, s->now, &jwt, &err));
    return jwt;
}

static enum outcome open_at(const struct scene *s, const char *jwt, struct moment at,
                            struct jwks *out, struct error *err)
{
    return jwks_open(span_of_text(jwt), &s->root, 1, at, out, err);
}

static void what_the_root_signed_comes_back(void **state)
{
    struct scene *s = *state;
    struct error err = {0};
    char kid[JWK_THUMBPRINT_SIZE];
    OWNED(jwks_done) struct jwks set = both(s);
    OWNED(jwks_done) struct jwks read = {0};
    OWNED(mem_drop) char *jwt = signed_by(s, &set);
    OWNED(json_drop) json_t *claims = NULL;
    assert_ok(open_at(s, jwt, s->now, &read, &err));
    assert_int_equal(read.count, 2);
    assert_ok(jwk_thumbprint(s->passports, kid, &err));
    assert_int_equal(cert_claimed_role(jwks_find(&read, kid)), ROLE_KEEPER_PASSPORT);
    assert_null(jwks_find(&read, "nobody"));
    assert_ok(token_verify(span_of_text(jwt), JWKS_TYP, s->root_key, &claims, &err));
    assert_non_null(json_object_get(claims, "iss"));
    assert_true(json_equal(json_object_get(claims, "iss"), json_object_get(claims, "sub")));
    assert_int_equal(json_integer_value(json_object_get(claims, "exp")),
                     moment_seconds(cert_not_after(s->opinion)));
}

static void another_roots_set_is_refused(void **state)
{
    struct scene *s = *state;
    struct error err = {0};
    void *elsewhere = NULL;
    struct jwks read = {0};
    OWNED(jwks_done) struct jwks set = both(s);
    OWNED(mem_drop) char *jwt = signed_by(s, &set);
    assert_int_equal(set_up(&elsewhere), 0);
    const struct scene *other = elsewhere;
    assert_fails(open_at(other, jwt, s->now, &read, &err), ERR_DENIED, "wrong-root");
    /* but of a current and a next root either may have signed */
    struct cert *const roots[] = {other->root, s->root};
    assert_ok(jwks_open(span_of_text(jwt), roots, 2, s->now, &read, &err));
    jwks_done(&read);
    assert_int_equal(tear_down(&elsewhere), 0);
}

/* Whoever signs with a key of the keeper's is not the root. */
static void a_set_that_a_keeper_signed_is_refused(void **state)
{
    struct scene *s = *state;
    struct error err = {0};
    struct jwks read = {0};
    char *jwt = NULL;
    OWNED(json_drop) json_t *claims = json_pack("{s:[]}", "keys");
    assert_ok(token_sign(s->passports, JWKS_TYP, claims, &jwt, &err));
    assert_int_equal(open_at(s, jwt, s->now, &read, &err), ERR_DENIED);
    mem_drop(&jwt);
    assert_ok(token_sign(s->root_key, "other+jwt", claims, &jwt, &err));
    assert_fails(open_at(s, jwt, s->now, &read, &err), ERR_DENIED, "token-type");
    mem_drop(&jwt);
}

static void keys_of_other_roles_are_refused(void **state)
{
    struct scene *s = *state;
    static const enum cert_role roles[] = {ROLE_KEEPER_SIGN, ROLE_CONTROLLER, ROLE_KEEPER_LINK};
    for (size_t i = 0; i < countof(roles); i++) {
        struct error err = {0};
        struct jwks read = {0};
        OWNED(cert_drop) struct cert *cert = certify(s, s->passports, roles[i], s->now, 30);
        OWNED(jwks_done) struct jwks set = {0};
        assert_ok(jwks_add(&set, cert, s->now, &err));
        OWNED(mem_drop) char *jwt = signed_by(s, &set);
        assert_fails(open_at(s, jwt, s->now, &read, &err), ERR_DENIED, "wrong-role");
    }
}

/* The keys alone, which nobody signed: each counts as it is certified, and not as it is said. */
static void what_is_not_certified_is_refused(void **state)
{
    struct scene *s = *state;
    struct error err = {0};
    struct jwks read = {0};
    static const struct {
        const char *member;
        const char *value; /* NULL: removed */
        const char *says;
    } changes[] = {
        {"x", "\"AAAA\"", NULL},
        {"kid", "\"mine\"", NULL},
        {"muster_role", "\"keeper-opinion\"", NULL},
        {"alg", "\"none\"", NULL},
        {"x5c", "[]", "without its one certificate"},
        {"x5c", "[\"AAAA\"]", "stands for a certificate is none"},
        {"x5c", "[\"!\",\"!\"]", "without its one certificate"},
        {"x5c", NULL, "without its one certificate"},
        {"more", "1", NULL},
    };
    for (size_t i = 0; i < countof(changes); i++) {
        json_t *key = NULL;
        OWNED(json_drop) json_t *document = json_object();
        json_t *keys = json_array();
        json_put_new(document, "keys", keys);
        assert_ok(jwks_key_to_json(s->passport, &key, &err));
        json_add_new(keys, key);
        assert_ok(jwks_read(document, &s->root, 1, s->now, &read, &err));
        assert_int_equal(read.count, 1);
        jwks_done(&read);
        json_object_del(key, changes[i].member);
        if (changes[i].value != NULL)
            json_put_new(key, changes[i].member,
                         json_loads(changes[i].value, JSON_DECODE_ANY, NULL));
        assert_fails(jwks_read(document, &s->root, 1, s->now, &read, &err), ERR_INVALID,
                     "jwks-malformed");
        if (strcmp(changes[i].member, "x5c") == 0)
            assert_non_null(strstr(err.text, changes[i].says));
    }
}

/* The old key still verifies what it signed, until its certificate ends. */
static void keys_overlap_until_their_certificates_end(void **state)
{
    struct scene *s = *state;
    struct error err = {0};
    OWNED(key_drop) struct key *key = NULL;
    OWNED(jwks_done) struct jwks set = both(s);
    OWNED(jwks_done) struct jwks before = {0}, after = {0};
    assert_ok(key_generate(KEY_P256, &key, &err));
    OWNED(cert_drop) struct cert *next = certify(s, key, ROLE_KEEPER_PASSPORT, s->now, 90);
    assert_ok(jwks_add(&set, next, s->now, &err));
    OWNED(mem_drop) char *jwt = signed_by(s, &set);
    const struct moment end = cert_not_after(s->passport);
    assert_ok(open_at(s, jwt, moment_add_seconds(end, -1), &before, &err));
    assert_int_equal(before.count, 3);
    assert_ok(open_at(s, jwt, end, &after, &err));
    assert_int_equal(after.count, 2);
    assert_ok(jwks_add(&set, s->opinion, end, &err));
    assert_int_equal(set.count, 2);
}

static void of_two_certificates_of_a_key_the_later_stays(void **state)
{
    struct scene *s = *state;
    struct error err = {0};
    OWNED(jwks_done) struct jwks set = both(s);
    OWNED(cert_drop)
    struct cert *later = certify(s, s->passports, ROLE_KEEPER_PASSPORT, s->now, 60);
    assert_ok(jwks_add(&set, later, s->now, &err));
    assert_ok(jwks_add(&set, s->passport, s->now, &err));
    assert_int_equal(set.count, 2);
    assert_int_equal(cert_not_after(set.certs[1]).us, cert_not_after(later).us);
}

static void more_keys_than_a_hello_holds_are_not_signed(void **state)
{
    struct scene *s = *state;
    struct error err = {0};
    char *jwt = NULL;
    OWNED(jwks_done) struct jwks set = {0};
    enum outcome outcome = OK;
    while (outcome == OK && set.count < JWKS_KEYS_MAX) {
        OWNED(key_drop) struct key *key = NULL;
        assert_ok(key_generate(KEY_P256, &key, &err));
        OWNED(cert_drop) struct cert *cert = certify(s, key, ROLE_KEEPER_OPINION, s->now, 90);
        assert_ok(jwks_add(&set, cert, s->now, &err));
        outcome = jwks_sign(&set, s->root_key, s->now, &jwt, &err);
        mem_drop(&jwt);
    }
    assert_int_equal(outcome, ERR_CONFLICT);
    assert_string_equal(err.code, "jwks-full");
    assert_true(set.count > 8);
}

/* However it comes to be read: a set never holds more than it has room for. */
static void a_full_set_takes_no_other_key(void **state)
{
    struct scene *s = *state;
    struct error err = {0};
    OWNED(jwks_done) struct jwks set = {0};
    for (size_t i = 0; i <= JWKS_KEYS_MAX; i++) {
        OWNED(key_drop) struct key *key = NULL;
        assert_ok(key_generate(KEY_P256, &key, &err));
        OWNED(cert_drop) struct cert *cert = certify(s, key, ROLE_KEEPER_OPINION, s->now, 90);
        if (i < JWKS_KEYS_MAX)
            assert_ok(jwks_add(&set, cert, s->now, &err));
        else
            assert_fails(jwks_add(&set, cert, s->now, &err), ERR_CONFLICT, "jwks-full");
    }
    assert_int_equal(set.count, JWKS_KEYS_MAX);
}

static void what_is_no_set_is_refused_before_it_is_verified(void **state)
{
    struct scene *s = *state;
    struct error err = {0};
    struct jwks read = {0};
    static const char *const documents[] = {"{}", "{\"keys\":{}}", "{\"keys\":7}"};
    for (size_t i = 0; i < countof(documents); i++) {
        OWNED(json_drop) json_t *document = json_loads(documents[i], 0, NULL);
        assert_fails(jwks_read(document, &s->root, 1, s->now, &read, &err), ERR_INVALID,
                     "jwks-malformed");
    }
    OWNED(bytes_done) struct bytes long_one = {0};
    memset(bytes_add_room(&long_one, JWKS_SIZE_MAX + 1), 'A', JWKS_SIZE_MAX + 1);
    assert_fails(jwks_open(bytes_span(&long_one), &s->root, 1, s->now, &read, &err), ERR_INVALID,
                 "jwks-malformed");
}

#define IN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(what_the_root_signed_comes_back),
        IN(another_roots_set_is_refused),
        IN(a_set_that_a_keeper_signed_is_refused),
        IN(keys_of_other_roles_are_refused),
        IN(what_is_not_certified_is_refused),
        IN(keys_overlap_until_their_certificates_end),
        IN(of_two_certificates_of_a_key_the_later_stays),
        IN(more_keys_than_a_hello_holds_are_not_signed),
        IN(a_full_set_takes_no_other_key),
        IN(what_is_no_set_is_refused_before_it_is_verified),
    };
    return cmocka_run_group_tests_name("jwks", tests, NULL, NULL);
}
