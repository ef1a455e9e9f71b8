#include "lib/crypto/token.h"

#include <openssl/bn.h>
#include <pthread.h>
#include <string.h>

#include "lib/crypto/jwk.h"
#include "tests/support/test.h"

static struct key *new_key(enum key_kind kind)
{
    struct error err = {0};
    struct key *key = NULL;
    assert_ok(key_generate(kind, &key, &err));
    return key;
}

static char *new_token(const struct key *key)
{
    struct error err = {0};
    OWNED(json_drop) json_t *claims = json_object();
    char *token = NULL;
    json_put_text(claims, "iss", "muster-keeper");
    assert_ok(token_sign(key, "a+jwt", claims, &token, &err));
    return token;
}

/* A token with this header and a right signature over it: what a forger with a key could make. */
static char *token_with_header(const struct key *key, const char *header)
{
    struct error err = {0};
    OWNED(text_done) struct text token = {0};
    OWNED(bytes_done) struct bytes signature = {0};
    text_add_base64url(&token, span_of_text(header));
    text_add(&token, ".");
    text_add_base64url(&token, span_of_text("{}"));
    assert_ok(key_sign(key, text_span(&token), &signature, &err));
    text_add(&token, ".");
    text_add_base64url(&token, bytes_span(&signature));
    return text_take(&token);
}

static void refused_saying(const char *token, const struct key *key, enum outcome outcome,
                           const char *code, const char *saying)
{
    struct error err = {0};
    json_t *claims = NULL;
    assert_fails(token_verify(span_of_text(token), "a+jwt", key, &claims, &err), outcome, code);
    assert_null(claims);
    assert_non_null(strstr(err.text, saying));
}

static void refused(const char *token, const struct key *key, enum outcome outcome,
                    const char *code)
{
    refused_saying(token, key, outcome, code, "");
}

static void a_token_comes_back_as_it_was_signed(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(key_drop) struct key *key = new_key(KEY_P256);
    OWNED(mem_drop) char *token = new_token(key);
    OWNED(json_drop) json_t *claims = NULL;
    char typ[TOKEN_TYP_SIZE];
    assert_ok(token_verify(span_of_text(token), "a+jwt", key, &claims, &err));
    assert_string_equal(json_string_value(json_object_get(claims, "iss")), "muster-keeper");
    assert_ok(token_claimed_typ(span_of_text(token), typ, &err));
    assert_string_equal(typ, "a+jwt");
}

static void a_token_of_another_type_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(key_drop) struct key *key = new_key(KEY_P256);
    OWNED(mem_drop) char *token = new_token(key);
    json_t *claims = NULL;
    assert_fails(token_verify(span_of_text(token), "b+jwt", key, &claims, &err), ERR_DENIED,
                 "token-type");
}

static void a_token_of_another_key_is_refused(void **state)
{
    (void)state;
    OWNED(key_drop) struct key *key = new_key(KEY_P256);
    OWNED(key_drop) struct key *other = new_key(KEY_P256);
    OWNED(mem_drop) char *token = new_token(key);
    refused(token, other, ERR_DENIED, "token-key");
}

static void every_changed_character_is_noticed(void **state)
{
    (void)state;
    OWNED(key_drop) struct key *key = new_key(KEY_P256);
    OWNED(mem_drop) char *token = new_token(key);
    for (size_t i = 0; i < strlen(token); i++) {
        char was = token[i];
        json_t *claims = NULL;
        token[i] = was == 'A' ? 'B' : 'A';
        assert_int_not_equal(token_verify(span_of_text(token), "a+jwt", key, &claims, NULL), OK);
        token[i] = was;
    }
}

static void only_es256_is_taken(void **state)
{
    (void)state;
    OWNED(key_drop) struct key *key = new_key(KEY_P256);
    static const char *const algorithms[] = {"none", "HS256", "ES384", "es256"};
    for (size_t i = 0; i < countof(algorithms); i++) {
        OWNED(text_done) struct text header = {0};
        text_addf(&header, "{\"alg\":\"%s\",\"kid\":\"x\",\"typ\":\"a+jwt\"}", algorithms[i]);
        OWNED(mem_drop) char *token = token_with_header(key, text_str(&header));
        refused_saying(token, key, ERR_DENIED, "token-algorithm",
                       strcmp(algorithms[i], "ES384") == 0 ? "not the key's" : "only ECDSA");
    }
}

static void a_header_with_anything_else_is_refused(void **state)
{
    (void)state;
    OWNED(key_drop) struct key *key = new_key(KEY_P256);
    static const char *const headers[] = {
        "{\"alg\":\"ES256\",\"kid\":\"x\",\"typ\":\"a+jwt\",\"crit\":[\"b64\"]}",
        "{\"alg\":\"ES256\",\"kid\":\"x\",\"typ\":\"a+jwt\",\"jwk\":{}}",
        "{\"alg\":\"ES256\",\"kid\":\"x\",\"typ\":\"a+jwt\",\"typ\":\"a+jwt\"}",
        "{\"alg\":\"ES256\",\"typ\":\"a+jwt\"}",
        "{\"alg\":\"ES256\",\"kid\":\"x\"}",
        "{\"alg\":[\"ES256\"],\"kid\":\"x\",\"typ\":\"a+jwt\"}",
        "[]",
        "",
    };
    for (size_t i = 0; i < countof(headers); i++) {
        OWNED(mem_drop) char *token = token_with_header(key, headers[i]);
        refused(token, key, ERR_INVALID, "token-malformed");
    }
}

static void a_token_of_more_or_fewer_parts_is_refused(void **state)
{
    (void)state;
    OWNED(key_drop) struct key *key = new_key(KEY_P256);
    OWNED(mem_drop) char *token = new_token(key);
    OWNED(text_done) struct text longer = {0};
    text_addf(&longer, "%s.", token);
    refused(text_str(&longer), key, ERR_INVALID, "token-malformed");
    text_add(&longer, "AA");
    refused(text_str(&longer), key, ERR_INVALID, "token-malformed");
    *strrchr(token, '.') = '\0';
    refused(token, key, ERR_INVALID, "token-malformed");
    refused("", key, ERR_INVALID, "token-malformed");
    refused("..", key, ERR_INVALID, "token-malformed");
}

static void padding_and_loose_last_bits_are_refused(void **state)
{
    (void)state;
    OWNED(key_drop) struct key *key = new_key(KEY_P256);
    OWNED(mem_drop) char *token = new_token(key);
    OWNED(text_done) struct text padded = {0};
    text_addf(&padded, "%s==", token);
    refused(text_str(&padded), key, ERR_INVALID, "token-malformed");
    char *last = token + strlen(token) - 1; /* 64 bytes leave four unused bits here */
    *last = *last == 'A' ? 'B' : (char)(*last + 1);
    refused(token, key, ERR_INVALID, "token-malformed");
}

static void claims_that_are_no_object_are_refused(void **state)
{
    (void)state;
    static const char not_json[] = "strict JSON";
    static const char no_object[] = "not an object";
    static const struct {
        const char *text, *saying;
    } payloads[] = {{"[]", no_object}, {"7", not_json},    {"\"iss\"", not_json},
                    {"{", not_json},   {"{}{}", not_json}, {"{\"a\":1,\"a\":2}", not_json}};
    OWNED(key_drop) struct key *key = new_key(KEY_P256);
    for (size_t i = 0; i < countof(payloads); i++) {
        struct error err = {0};
        OWNED(mem_drop) char *token = NULL;
        assert_ok(token_seal(key, "a+jwt", span_of_text(payloads[i].text), 1024, &token, &err));
        refused_saying(token, key, ERR_INVALID, "token-malformed", payloads[i].saying);
    }
}

static void a_token_longer_than_its_reader_takes_is_not_made(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(key_drop) struct key *key = new_key(KEY_P256);
    char *token = NULL;
    assert_fails(token_seal(key, "a+jwt", span_of_text("{}"), 64, &token, &err), ERR_INVALID,
                 "invalid");
    assert_null(token);
}

/* The root's key signs tokens with its own algorithm, and its people's sets not at all. */
static void a_p384_key_signs_with_es384_and_no_sets(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(key_drop) struct key *key = new_key(KEY_P384);
    OWNED(mem_drop) char *token = new_token(key);
    OWNED(mem_drop) char *set = NULL;
    OWNED(json_drop) json_t *claims = NULL;
    char *made = NULL;
    assert_ok(token_verify(span_of_text(token), "a+jwt", key, &claims, &err));
    OWNED(mem_drop)
    char *low = token_with_header(key, "{\"alg\":\"ES256\",\"kid\":\"x\",\"typ\":\"a+jwt\"}");
    refused(low, key, ERR_DENIED, "token-algorithm");
    token_set_make(span_of_text("{}"), &set);
    assert_fails(token_set_sign(span_of_text(set), "c+json", key, &made, &err), ERR_INVALID,
                 "invalid");
}

static void other_kinds_of_key_sign_nothing(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(key_drop) struct key *key = new_key(KEY_ED25519);
    OWNED(json_drop) json_t *claims = json_object();
    char *token = NULL;
    assert_fails(token_sign(key, "a+jwt", claims, &token, &err), ERR_INVALID, "invalid");
    json_t *jwk = NULL;
    assert_fails(jwk_of(key, &jwk, &err), ERR_INVALID, "unsupported-key");
    assert_null(jwk);
}

static void a_token_names_its_key_by_thumbprint(void **state)
{
    (void)state;
    struct error err = {0};
    char typ[TOKEN_TYP_SIZE], kid[TOKEN_KID_SIZE], thumbprint[JWK_THUMBPRINT_SIZE];
    OWNED(key_drop) struct key *key = new_key(KEY_P256);
    OWNED(mem_drop) char *token = new_token(key);
    assert_ok(token_claimed(span_of_text(token), typ, kid, &err));
    assert_ok(jwk_thumbprint(key, thumbprint, &err));
    assert_string_equal(kid, thumbprint);
}

/* RFC 9449, section 6. */
static void a_thumbprint_is_what_others_make_of_the_key(void **state)
{
    (void)state;
    struct error err = {0};
    static const char prefix[] = "3059301306072a8648ce3d020106082a8648ce3d03010703420004";
    static const char x[] = "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs";
    static const char y[] = "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA";
    char thumbprint[JWK_THUMBPRINT_SIZE];
    OWNED(bytes_done) struct bytes spki = {0}, raw_x = {0}, raw_y = {0};
    OWNED(key_drop) struct key *key = NULL;
    OWNED(json_drop) json_t *jwk = NULL;
    assert_ok(hex_decode(prefix, &spki, &err));
    assert_ok(base64url_decode(span_of_text(x), &raw_x, &err));
    assert_ok(base64url_decode(span_of_text(y), &raw_y, &err));
    bytes_add(&spki, bytes_span(&raw_x));
    bytes_add(&spki, bytes_span(&raw_y));
    assert_ok(key_from_spki(bytes_span(&spki), &key, &err));
    assert_ok(jwk_of(key, &jwk, &err));
    assert_string_equal(json_string_value(json_object_get(jwk, "x")), x);
    assert_string_equal(json_string_value(json_object_get(jwk, "y")), y);
    assert_ok(jwk_thumbprint(key, thumbprint, &err));
    assert_string_equal(thumbprint, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}

/* ---- several signatures ---- */

struct signers {
    struct key *keys[3];
};

static int set_up(void **state)
{
    struct signers *s = NEW(struct signers);
    for (size_t i = 0; i < countof(s->keys); i++)
        s->keys[i] = new_key(KEY_P256);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct signers *s = *state;
    for (size_t i = 0; i < countof(s->keys); i++)
        key_free(s->keys[i]);
    mem_drop(state);
    return 0;
}

static char *set_signed_by(struct key *const *keys, size_t count)
{
    struct error err = {0};
    char *set = NULL;
    token_set_make(span_of_text("{\"charter\":1}"), &set);
    for (size_t i = 0; i < count; i++) {
        OWNED(mem_drop) char *before = set;
        set = NULL;
        assert_ok(token_set_sign(span_of_text(before), "c+json", keys[i], &set, &err));
    }
    return set;
}

static enum outcome verify_set(const char *set, struct key *const *keys, size_t threshold,
                               struct error *err)
{
    OWNED(bytes_done) struct bytes payload = {0};
    return token_set_verify(span_of_text(set), "c+json", keys, 2, threshold, 4096, &payload, err);
}

static void a_set_needs_its_threshold_of_different_keys(void **state)
{
    struct signers *s = *state;
    struct error err = {0};
    OWNED(mem_drop) char *none = set_signed_by(s->keys, 0);
    OWNED(mem_drop) char *one = set_signed_by(s->keys, 1);
    OWNED(mem_drop) char *both = set_signed_by(s->keys, 2);
    assert_fails(verify_set(none, s->keys, 1, &err), ERR_DENIED, "too-few-signatures");
    assert_ok(verify_set(one, s->keys, 1, &err));
    assert_fails(verify_set(one, s->keys, 2, &err), ERR_DENIED, "too-few-signatures");
    assert_ok(verify_set(both, s->keys, 2, &err));
}

static void one_key_cannot_sign_twice(void **state)
{
    struct signers *s = *state;
    struct error err = {0};
    OWNED(mem_drop) char *one = set_signed_by(s->keys, 1);
    char *again = NULL;
    assert_fails(token_set_sign(span_of_text(one), "c+json", s->keys[0], &again, &err),
                 ERR_CONFLICT, "already-signed");
    /* And where somebody writes the same signature twice by hand, it counts once. */
    json_t *json = json_loads(one, 0, NULL);
    json_t *signatures = json_object_get(json, "signatures");
    json_array_append(signatures, json_array_get(signatures, 0));
    OWNED(mem_drop) char *doubled = json_print(json);
    json_decref(json);
    assert_fails(verify_set(doubled, s->keys, 2, &err), ERR_DENIED, "too-few-signatures");
}

static void a_stranger_does_not_count(void **state)
{
    struct signers *s = *state;
    struct error err = {0};
    OWNED(mem_drop) char *stranger = set_signed_by(s->keys + 2, 1);
    assert_fails(verify_set(stranger, s->keys, 1, &err), ERR_DENIED, "too-few-signatures");
}

static void another_payload_under_an_old_signature_is_refused(void **state)
{
    struct signers *s = *state;
    struct error err = {0};
    OWNED(mem_drop) char *one = set_signed_by(s->keys, 1);
    OWNED(mem_drop) char *payload = base64url_of(span_of_text("{\"charter\":2}"));
    json_t *json = json_loads(one, 0, NULL);
    json_put_text(json, "payload", payload);
    OWNED(mem_drop) char *changed = json_print(json);
    json_decref(json);
    assert_fails(verify_set(changed, s->keys, 1, &err), ERR_DENIED, "bad-signature");
}

static void a_set_of_another_type_or_shape_is_refused(void **state)
{
    struct signers *s = *state;
    struct error err = {0};
    OWNED(mem_drop) char *one = set_signed_by(s->keys, 1);
    OWNED(bytes_done) struct bytes payload = {0};
    assert_fails(token_set_verify(span_of_text(one), "d+json", s->keys, 2, 1, 4096, &payload, &err),
                 ERR_DENIED, "token-type");
    static const char *const shapes[] = {
        "{}",
        "[]",
        "",
        "{\"payload\":\"e30\",\"signatures\":{}}",
        "{\"payload\":\"e30\",\"signatures\":[7]}",
        "{\"payload\":\"e30\",\"signatures\":[],\"header\":{}}",
        "{\"payload\":\"e30\",\"signatures\":[{\"protected\":\"e30\",\"signature\":\"AA\","
        "\"header\":{}}]}",
    };
    for (size_t i = 0; i < countof(shapes); i++)
        assert_fails(verify_set(shapes[i], s->keys, 1, &err), ERR_INVALID, "token-malformed");
    assert_fails(token_set_verify(span_of_text(one), "c+json", s->keys, 2, 1, 8, &payload, &err),
                 ERR_INVALID, "token-malformed");
}

static void a_set_has_no_more_signatures_than_its_readers_take(void **state)
{
    (void)state;
    struct error err = {0};
    char *set = NULL;
    token_set_make(span_of_text("{}"), &set);
    for (size_t i = 0; i <= TOKEN_SIGNATURES_MAX; i++) {
        OWNED(mem_drop) char *before = set;
        OWNED(key_drop) struct key *key = new_key(KEY_P256);
        set = NULL;
        const enum outcome outcome =
            token_set_sign(span_of_text(before), "c+json", key, &set, &err);
        assert_int_equal(outcome, i < TOKEN_SIGNATURES_MAX ? OK : ERR_INVALID);
    }
    assert_null(set);
}

/* Signed or not: what cannot be decoded is nothing that anybody signed. */
static void a_set_whose_payload_is_no_base64url_is_refused(void **state)
{
    struct signers *s = *state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes payload = {0};
    OWNED(mem_drop) char *set = NULL;
    size_t count = 0;
    static const char unsigned_set[] = "{\"payload\":\"e30=\",\"signatures\":[]}";
    assert_fails(token_set_look(span_of_text(unsigned_set), 4096, &payload, &count, &err),
                 ERR_INVALID, "token-malformed");
    assert_ok(token_set_sign(span_of_text(unsigned_set), "c+json", s->keys[0], &set, &err));
    assert_fails(verify_set(set, s->keys, 1, &err), ERR_INVALID, "token-malformed");
}

static void a_threshold_of_zero_is_no_threshold(void **state)
{
    struct signers *s = *state;
    struct error err = {0};
    OWNED(mem_drop) char *none = set_signed_by(s->keys, 0);
    assert_fails(verify_set(none, s->keys, 0, &err), ERR_INVALID, "invalid");
}

/* ---- known by its bytes ---------------------------------------------------------------------- */

enum { SEALED_MOST = 1024 };

static enum outcome check_sealed(const char *token, const struct key *key, struct error *err)
{
    return token_check_seal(span_of_text(token), "s+jwt", key, SEALED_MOST, err);
}

static void what_is_sealed_can_be_written_in_one_way(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(key_drop) struct key *key = NULL, *other = NULL;
    OWNED(mem_drop) char *token = NULL;
    OWNED(bytes_done) struct bytes payload = {0};
    assert_ok(key_generate(KEY_P256, &key, &err));
    assert_ok(key_generate(KEY_P256, &other, &err));
    assert_ok(token_seal(key, "s+jwt", span_of_text("any bytes"), SEALED_MOST, &token, &err));
    assert_ok(check_sealed(token, key, &err));
    assert_ok(token_open(span_of_text(token), SEALED_MOST, &payload, &err));
    assert_true(span_equal(bytes_span(&payload), span_of_text("any bytes")));
    assert_fails(check_sealed(token, other, &err), ERR_DENIED, "token-type");
    assert_fails(token_open(span_of_text("e30.e30=.e30"), SEALED_MOST, &payload, &err), ERR_INVALID,
                 "token-malformed");
    for (size_t i = 0; token[i] != '\0'; i++) {
        const char was = token[i];
        token[i] = (char)(was ^ 1 << i % 7);
        assert_true(check_sealed(token, key, &err) != OK);
        token[i] = was;
    }
    assert_fails(token_check_seal(span_of_text(token), "t+jwt", key, SEALED_MOST, &err), ERR_DENIED,
                 "token-type");
    assert_fails(token_check_seal(span_of_text(token), "s+jwt", key, 64, &err), ERR_INVALID,
                 "token-malformed");
}

/* With n - s in place of s the arithmetic is as right, and the token another one. */
static void a_sealed_token_whose_signature_was_turned_over_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(key_drop) struct key *key = new_key(KEY_P256);
    OWNED(mem_drop) char *token = NULL;
    OWNED(bytes_done) struct bytes signature = {0};
    BIGNUM *n = NULL;
    assert_ok(token_seal(key, "s+jwt", span_of_text("any bytes"), SEALED_MOST, &token, &err));
    char *last = strrchr(token, '.') + 1;
    assert_ok(base64url_decode(span_of_text(last), &signature, &err));
    assert_true(BN_hex2bn(&n, "ffffffff00000000ffffffffffffffff"
                              "bce6faada7179e84f3b9cac2fc632551") > 0);
    BIGNUM *s = BN_bin2bn(signature.at + 32, 32, NULL);
    assert_int_equal(BN_sub(s, n, s), 1);
    assert_int_equal(BN_bn2binpad(s, signature.at + 32, 32), 32);
    BN_free(s);
    BN_free(n);
    OWNED(mem_drop) char *turned = base64url_of(bytes_span(&signature));
    assert_int_equal(strlen(turned), strlen(last));
    memcpy(last, turned, strlen(turned));
    assert_fails(check_sealed(token, key, &err), ERR_DENIED, "bad-signature");
    assert_non_null(strstr(err.text, "turned over"));
}

static void only_p256_seals(void **state)
{
    (void)state;
    static const enum key_kind others[] = {KEY_P384, KEY_ED25519};
    struct error err = {0};
    OWNED(key_drop) struct key *key = NULL;
    OWNED(mem_drop) char *token = NULL;
    assert_ok(key_generate(KEY_P256, &key, &err));
    assert_ok(token_seal(key, "s+jwt", span_of_text("any bytes"), SEALED_MOST, &token, &err));
    for (size_t i = 0; i < countof(others); i++) {
        OWNED(key_drop) struct key *other = NULL;
        assert_ok(key_generate(others[i], &other, &err));
        assert_fails(check_sealed(token, other, &err), ERR_DENIED, "token-algorithm");
    }
}

/* Half of all signatures would not be. */
static void what_we_sign_has_the_lower_s(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(key_drop) struct key *key = NULL;
    assert_ok(key_generate(KEY_P256, &key, &err));
    for (uint8_t i = 0; i < 40; i++) {
        OWNED(bytes_done) struct bytes signature = {0};
        assert_ok(key_sign(key, SPAN(&i, 1), &signature, &err));
        assert_true(signature_is_low(bytes_span(&signature)));
        assert_ok(key_verify(key, SPAN(&i, 1), bytes_span(&signature), &err));
    }
}

static void *sign_often(void *key)
{
    static char wrong[] = "a signature that does not verify";
    struct error err = {0};
    for (int i = 0; i < 50; i++) {
        OWNED(bytes_done) struct bytes signature = {0};
        const struct span message = SPAN_OF("one of many");
        if (key_sign(key, message, &signature, &err) != OK ||
            key_verify(key, message, bytes_span(&signature), &err) != OK)
            return wrong;
    }
    return NULL;
}

static void one_key_signs_in_several_threads_at_once(void **state)
{
    (void)state;
    OWNED(key_drop) struct key *key = new_key(KEY_P256);
    pthread_t threads[3];
    for (size_t i = 0; i < countof(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_often, key), 0);
    for (size_t i = 0; i < countof(threads); i++) {
        void *wrong = NULL;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_that_are_no_object_are_refused),
        cmocka_unit_test(a_token_longer_than_its_reader_takes_is_not_made),
        cmocka_unit_test(a_set_has_no_more_signatures_than_its_readers_take),
        cmocka_unit_test_setup_teardown(a_set_whose_payload_is_no_base64url_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test(what_is_sealed_can_be_written_in_one_way),
        cmocka_unit_test(a_sealed_token_whose_signature_was_turned_over_is_refused),
        cmocka_unit_test(only_p256_seals),
        cmocka_unit_test(what_we_sign_has_the_lower_s),
        cmocka_unit_test(one_key_signs_in_several_threads_at_once),
        cmocka_unit_test(a_token_comes_back_as_it_was_signed),
        cmocka_unit_test(a_token_of_another_type_is_refused),
        cmocka_unit_test(a_token_of_another_key_is_refused),
        cmocka_unit_test(every_changed_character_is_noticed),
        cmocka_unit_test(only_es256_is_taken),
        cmocka_unit_test(a_header_with_anything_else_is_refused),
        cmocka_unit_test(a_token_of_more_or_fewer_parts_is_refused),
        cmocka_unit_test(padding_and_loose_last_bits_are_refused),
        cmocka_unit_test(a_p384_key_signs_with_es384_and_no_sets),
        cmocka_unit_test(other_kinds_of_key_sign_nothing),
        cmocka_unit_test(a_token_names_its_key_by_thumbprint),
        cmocka_unit_test(a_thumbprint_is_what_others_make_of_the_key),
        cmocka_unit_test_setup_teardown(a_set_needs_its_threshold_of_different_keys, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_key_cannot_sign_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stranger_does_not_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_payload_under_an_old_signature_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_set_of_another_type_or_shape_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_threshold_of_zero_is_no_threshold, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
