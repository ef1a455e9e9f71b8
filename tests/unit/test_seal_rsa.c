/* Envelopes of enclaves: the keeper's signed data in the form of AWS's key service (trust.md
 * section 7, doc/decisions/0018). */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "lib/crypto/der.h"
#include "lib/crypto/seal_shape.h"
#include "lib/crypto/sealing_key.h"
#include "tests/support/sealed.h"
#include "tests/support/test.h"

static int set_up(void **state)
{
    return sealed_set_up(state, KEY_RSA);
}

/* ---- as others read it ----------------------------------------------------------------------- */

enum { PARTS_MAX = 512, BLOCK = 16 };

/* Where the pieces of an envelope stand. */
struct pieces {
    struct span wrapped, iv;
    size_t count;
    struct span parts[PARTS_MAX];
};

static void indefinite(struct reader *in, unsigned tag)
{
    assert_int_equal(read_u8(in), tag);
    assert_int_equal(read_u8(in), 0x80);
}

/* The steps of aws_cms_parse_enveloped_data() in aws-nitro-enclaves-sdk-c, which takes the outer
 * elements without their lengths alone and a recipient by its key's id. */
static void read_as_enclaves_do(struct span envelope, struct pieces *out)
{
    struct reader in = reader_of(envelope);
    indefinite(&in, DER_SEQUENCE);
    der_next(&in, DER_OID);
    indefinite(&in, DER_CONSTRUCTED | 0);
    indefinite(&in, DER_SEQUENCE);
    assert_memory_equal(der_next(&in, DER_INTEGER).at, "\2", 1);
    struct reader set = der_enter(&in, DER_SET);
    struct reader recipient = der_enter(&set, DER_SEQUENCE);
    assert_memory_equal(der_next(&recipient, DER_INTEGER).at, "\2", 1);
    der_next(&recipient, der_peek(&recipient));
    der_next(&recipient, DER_SEQUENCE);
    out->wrapped = der_next(&recipient, DER_OCTET_STRING);
    indefinite(&in, DER_SEQUENCE);
    der_next(&in, DER_OID);
    struct reader algorithm = der_enter(&in, DER_SEQUENCE);
    der_next(&algorithm, DER_OID);
    out->iv = der_next(&algorithm, DER_OCTET_STRING);
    indefinite(&in, DER_CONSTRUCTED | 0);
    for (out->count = 0; der_peek(&in) == DER_OCTET_STRING; out->count++) {
        assert_true(out->count < PARTS_MAX);
        out->parts[out->count] = der_next(&in, DER_OCTET_STRING);
    }
    assert_false(in.ran_short || recipient.ran_short || algorithm.ran_short);
}

static void unwrap(const struct key *key, struct span wrapped, uint8_t out[static 32])
{
    size_t len = 512;
    uint8_t plain[512];
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key_inside(key), NULL);
    assert_int_equal(EVP_PKEY_decrypt_init(c), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_OAEP_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(c, EVP_sha256()), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(c, EVP_sha256()), 1);
    assert_int_equal(EVP_PKEY_decrypt(c, plain, &len, wrapped.at, wrapped.len), 1);
    assert_int_equal(len, 32);
    memcpy(out, plain, 32);
    EVP_PKEY_CTX_free(c);
}

/* AES-256-CBC without padding, either way. */
static void run_cipher(const uint8_t key[static 32], struct span iv, bool encrypt, struct span in,
                       uint8_t *out)
{
    int len = 0;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    assert_int_equal(EVP_CipherInit_ex(c, EVP_aes_256_cbc(), NULL, key, iv.at, encrypt), 1);
    EVP_CIPHER_CTX_set_padding(c, 0);
    assert_int_equal(EVP_CipherUpdate(c, out, &len, in.at, (int)in.len), 1);
    assert_int_equal(len, in.len);
    EVP_CIPHER_CTX_free(c);
}

/* What is inside, with its padding. */
static void decrypt(const struct key *key, const struct pieces *p, struct bytes *out)
{
    uint8_t secret[32];
    OWNED(bytes_done) struct bytes closed = {0};
    for (size_t i = 0; i < p->count; i++)
        bytes_add(&closed, p->parts[i]);
    unwrap(key, p->wrapped, secret);
    run_cipher(secret, p->iv, false, bytes_span(&closed), bytes_add_room(out, closed.len));
}

/* The same length again, in place. */
static void encrypt(const struct key *key, const struct pieces *p, struct span plain)
{
    uint8_t secret[32];
    OWNED(bytes_done) struct bytes closed = {0};
    unwrap(key, p->wrapped, secret);
    run_cipher(secret, p->iv, true, plain, bytes_add_room(&closed, plain.len));
    struct reader in = reader_of(bytes_span(&closed));
    for (size_t i = 0; i < p->count; i++)
        read_into(&in, (uint8_t *)(uintptr_t)p->parts[i].at, p->parts[i].len);
}

static void an_enclave_reads_it_as_it_reads_the_key_services(void **state)
{
    struct sealed *w = *state;
    struct pieces p;
    struct error err = {0};
    OWNED(bytes_done) struct bytes envelope = sealed_text(w, "correct horse");
    OWNED(bytes_done) struct bytes plain = {0};
    read_as_enclaves_do(bytes_span(&envelope), &p);
    assert_int_equal(p.wrapped.len, 256);
    decrypt(w->sealing_key, &p, &plain);
    const size_t padding = plain.at[plain.len - 1];
    assert_true(padding >= 1 && padding <= BLOCK);
    assert_ok(seal_check_signed(SPAN(plain.at, plain.len - padding), &err));
}

/* ---- ours ------------------------------------------------------------------------------------ */

static void the_enclave_gets_the_very_bytes_and_what_they_are(void **state)
{
    struct sealed *w = *state;
    struct error err = {0};
    static const size_t sizes[] = {0, 1, 4096, SEAL_PAYLOAD_MAX};
    for (size_t i = 0; i < countof(sizes); i++) {
        OWNED(bytes_done) struct bytes sent = {0};
        OWNED(bytes_done) struct bytes envelope = {0};
        OWNED(locked_done) struct locked got = {0};
        struct seal_header header = {0};
        bytes_add_room(&sent, sizes[i]);
        assert_ok(seal_to(w->sealing_key, &w->header, bytes_span(&sent), w->signer, w->signer_cert,
                          &envelope, &err));
        assert_ok(
            seal_open(bytes_span(&envelope), w->sealing_key, &w->expected, &header, &got, &err));
        assert_true(span_equal(locked_span(&got), bytes_span(&sent)));
        assert_memory_equal(&header, &w->header, sizeof header);
    }
}

static void a_key_of_every_size_that_is_taken_opens(void **state)
{
    struct sealed *w = *state;
    static const size_t bits[] = {3072, 4096};
    for (size_t i = 0; i < countof(bits); i++) {
        struct error err = {0};
        OWNED(bytes_done) struct bytes spki = {0};
        OWNED(key_drop) struct key *read = NULL;
        key_free(w->sealing_key);
        w->sealing_key = key_wrap_rsa(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits[i]));
        key_fingerprint(w->sealing_key, w->header.sealing_key);
        assert_ok(key_to_spki(w->sealing_key, &spki, &err));
        assert_ok(sealing_key_read(bytes_span(&spki), &read, &err));
        OWNED(bytes_done) struct bytes envelope = sealed_text(w, "x");
        assert_ok(sealed_open(w, bytes_span(&envelope), &err));
    }
}

/* ---- changed --------------------------------------------------------------------------------- */

static bool is_within(const uint8_t *at, struct span piece)
{
    return at >= piece.at && at < piece.at + piece.len;
}

/* Nothing but the shape, which anybody can see, is told apart. */
static void every_changed_byte_is_noticed_and_those_that_are_secret_look_alike(void **state)
{
    struct sealed *w = *state;
    struct pieces p;
    OWNED(bytes_done) struct bytes envelope = sealed_text(w, "x");
    read_as_enclaves_do(bytes_span(&envelope), &p);
    for (size_t i = 0; i < envelope.len; i++) {
        struct error err = {0};
        bool secret = is_within(envelope.at + i, p.wrapped) || is_within(envelope.at + i, p.iv);
        for (size_t k = 0; k < p.count; k++)
            secret = secret || is_within(envelope.at + i, p.parts[k]);
        envelope.at[i] ^= 0x21;
        assert_int_not_equal(sealed_open(w, bytes_span(&envelope), &err), OK);
        if (secret)
            assert_string_equal(err.code, "envelope-not-ours");
        envelope.at[i] ^= 0x21;
    }
}

static void every_shorter_or_longer_envelope_is_refused(void **state)
{
    struct sealed *w = *state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes envelope = sealed_text(w, "x");
    for (size_t len = 0; len < envelope.len; len++)
        assert_int_not_equal(sealed_open(w, SPAN(envelope.at, len), NULL), OK);
    bytes_add_u8(&envelope, 0);
    assert_fails(sealed_open(w, bytes_span(&envelope), &err), ERR_INVALID, "envelope-malformed");
}

/* Somebody who knows the content's key, which an attacker does not, changes what is inside: its
 * padding, its shape, what was signed, the signature. */
static void whatever_is_wrong_inside_is_told_in_one_word(void **state)
{
    struct sealed *w = *state;
    struct pieces p;
    OWNED(bytes_done) struct bytes envelope = sealed_text(w, "correct horse");
    OWNED(bytes_done) struct bytes plain = {0};
    read_as_enclaves_do(bytes_span(&envelope), &p);
    decrypt(w->sealing_key, &p, &plain);
    const size_t signature_at = plain.len - plain.at[plain.len - 1] - 1;
    const uint8_t *payload = memmem(plain.at, plain.len, "correct", 7);
    assert_non_null(payload);
    const size_t places[] = {plain.len - 1, 0, (size_t)(payload - plain.at), signature_at};
    for (size_t i = 0; i < countof(places); i++) {
        struct error err = {0};
        plain.at[places[i]] ^= 0x40;
        encrypt(w->sealing_key, &p, bytes_span(&plain));
        assert_fails(sealed_open(w, bytes_span(&envelope), &err), ERR_DENIED, "envelope-not-ours");
        plain.at[places[i]] ^= 0x40;
    }
    struct error err = {0};
    encrypt(w->sealing_key, &p, bytes_span(&plain));
    assert_ok(sealed_open(w, bytes_span(&envelope), &err));
}

static void a_signer_who_is_no_keeper_of_ours_is_told_in_the_same_word(void **state)
{
    struct sealed *w = *state;
    struct error err = {0};
    const char *const names[] = {"localhost"};
    OWNED(bytes_done) struct bytes honest = sealed_text(w, "x");
    OWNED(key_drop) struct key *key = NULL;
    OWNED(cert_drop) struct cert *other = NULL;
    assert_ok(key_generate(KEY_P384, &key, &err));
    assert_ok(cert_make_root(key, REALM_SIMULATION, w->expected.at, &other, &err));
    struct cert *const *ours = w->expected.roots;
    w->expected.roots = &other;
    assert_fails(sealed_open(w, bytes_span(&honest), &err), ERR_DENIED, "envelope-not-ours");
    w->expected.roots = ours;
    cert_free(w->signer_cert);
    w->signer_cert = NULL;
    assert_ok(cert_make_role(w->root_key, w->root, w->signer, ROLE_CONTROLLER, names, 1,
                             w->expected.at, 90, &w->signer_cert, &err));
    OWNED(bytes_done) struct bytes envelope = sealed_text(w, "x");
    assert_fails(sealed_open(w, bytes_span(&envelope), &err), ERR_DENIED, "envelope-not-ours");
}

/* What a true keeper signed says what it is, and why it is not for us. */
static void a_header_for_somebody_else_is_refused_by_name(void **state)
{
    struct sealed *w = *state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes envelope = sealed_text(w, "x");
    const struct seal_expected was = w->expected;
    w->expected.instance.at[0] ^= 1;
    assert_fails(sealed_open(w, bytes_span(&envelope), &err), ERR_DENIED, "wrong-instance");
    w->expected = was;
    w->expected.purpose = SEAL_PURPOSE_FORGET;
    assert_fails(sealed_open(w, bytes_span(&envelope), &err), ERR_DENIED, "wrong-purpose");
    w->expected = was;
    w->expected.after_sequence = 7;
    assert_fails(sealed_open(w, bytes_span(&envelope), &err), ERR_DENIED, "old-sequence");
}

/* ---- other algorithms, keys and forms -------------------------------------------------------- */

static void swap_bytes(struct bytes *in, struct span from, struct span to, size_t which)
{
    uint8_t *at = in->at;
    for (size_t i = 0; i <= which; i++) {
        at = memmem(at + (i > 0), in->len - (size_t)(at + (i > 0) - in->at), from.at, from.len);
        assert_non_null(at);
    }
    memcpy(at, to.at, to.len);
}

static void other_algorithms_are_refused_before_a_key_is_touched(void **state)
{
    struct sealed *w = *state;
    static const uint8_t cbc_256[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a};
    static const uint8_t cbc_128[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x02};
    static const uint8_t gcm_256[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2e};
    static const uint8_t oaep[] = {0x86, 0xf7, 0x0d, 0x01, 0x01, 0x07};
    static const uint8_t pkcs1[] = {0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
    static const uint8_t sha_256[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
    static const uint8_t sha_512[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03};
    const struct {
        struct span from, to;
        size_t which;
    } swaps[] = {
        {SPAN_OF(cbc_256), SPAN_OF(cbc_128), 0}, {SPAN_OF(cbc_256), SPAN_OF(gcm_256), 0},
        {SPAN_OF(oaep), SPAN_OF(pkcs1), 0},      {SPAN_OF(sha_256), SPAN_OF(sha_512), 0},
        {SPAN_OF(sha_256), SPAN_OF(sha_512), 1},
    };
    for (size_t i = 0; i < countof(swaps); i++) {
        struct error err = {0};
        OWNED(bytes_done) struct bytes envelope = sealed_text(w, "x");
        swap_bytes(&envelope, swaps[i].from, swaps[i].to, swaps[i].which);
        assert_fails(sealed_open(w, bytes_span(&envelope), &err), ERR_DENIED, "envelope-algorithm");
    }
}

static void another_enclave_cannot_open_it(void **state)
{
    struct sealed *w = *state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes envelope = sealed_text(w, "x");
    OWNED(key_drop) struct key *ours = w->sealing_key;
    w->sealing_key = NULL;
    assert_ok(key_generate(KEY_RSA, &w->sealing_key, &err));
    assert_fails(sealed_open(w, bytes_span(&envelope), &err), ERR_DENIED, "envelope-not-ours");
}

/* The form follows from the key: nobody gets the form without integrity for a key of the other. */
static void each_key_takes_its_own_form_only(void **state)
{
    struct sealed *w = *state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes for_rsa = sealed_text(w, "x");
    OWNED(key_drop) struct key *rsa = w->sealing_key;
    w->sealing_key = NULL;
    assert_ok(key_generate(KEY_P256, &w->sealing_key, &err));
    key_fingerprint(w->sealing_key, w->header.sealing_key);
    OWNED(bytes_done) struct bytes for_point = sealed_text(w, "x");
    assert_fails(sealed_open(w, bytes_span(&for_rsa), &err), ERR_INVALID, "envelope-malformed");
    key_free(w->sealing_key);
    w->sealing_key = key_share(rsa);
    assert_fails(sealed_open(w, bytes_span(&for_point), &err), ERR_INVALID, "envelope-malformed");
}

/* A key whose modulus is no product of primes looks like any other. */
static void rsa_spki(int bits, unsigned long exponent, struct bytes *out)
{
    EVP_PKEY *pkey = NULL;
    BIGNUM *n = BN_new();
    BIGNUM *e = BN_new();
    assert_int_equal(BN_rand(n, bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD), 1);
    assert_int_equal(BN_set_word(e, exponent), 1);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e);
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    assert_int_equal(EVP_PKEY_fromdata_init(c), 1);
    assert_int_equal(EVP_PKEY_fromdata(c, &pkey, EVP_PKEY_PUBLIC_KEY, parameters), 1);
    unsigned char *der = NULL;
    const int len = i2d_PUBKEY(pkey, &der);
    assert_true(len > 0);
    bytes_done(out);
    bytes_add(out, SPAN(der, (size_t)len));
    OPENSSL_free(der);
    EVP_PKEY_CTX_free(c);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_free(pkey);
    BN_free(n);
    BN_free(e);
}

static void only_rsa_of_usual_sizes_and_exponent_is_a_sealing_key(void **state)
{
    (void)state;
    static const struct {
        int bits;
        unsigned long exponent;
        bool taken;
    } cases[] = {{2048, 65537, true},  {3072, 65537, true},  {4096, 65537, true},
                 {1024, 65537, false}, {2047, 65537, false}, {4097, 65537, false},
                 {8192, 65537, false}, {2048, 3, false},     {2048, 65539, false},
                 {2048, 1, false}};
    for (size_t i = 0; i < countof(cases); i++) {
        struct error err = {0};
        OWNED(bytes_done) struct bytes spki = {0};
        OWNED(key_drop) struct key *key = NULL;
        rsa_spki(cases[i].bits, cases[i].exponent, &spki);
        if (cases[i].taken)
            assert_ok(sealing_key_read(bytes_span(&spki), &key, &err));
        else
            assert_fails(sealing_key_read(bytes_span(&spki), &key, &err), ERR_INVALID,
                         "unsupported-key");
    }
}

static void a_sealing_key_has_one_form_and_is_of_no_other_kind(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes spki = {0};
    OWNED(key_drop) struct key *key = NULL;
    rsa_spki(2048, 65537, &spki);
    bytes_add_u8(&spki, 0);
    assert_fails(sealing_key_read(bytes_span(&spki), &key, &err), ERR_INVALID, "unsupported-key");
    spki.len -= 2;
    assert_fails(sealing_key_read(bytes_span(&spki), &key, &err), ERR_INVALID, "unsupported-key");
    static const enum key_kind others[] = {KEY_P384, KEY_ED25519};
    for (size_t i = 0; i < countof(others); i++) {
        OWNED(key_drop) struct key *other = NULL;
        assert_ok(key_generate(others[i], &other, &err));
        assert_ok(key_to_spki(other, &spki, &err));
        assert_fails(sealing_key_read(bytes_span(&spki), &key, &err), ERR_INVALID,
                     "unsupported-key");
    }
    assert_fails(sealing_key_read((struct span){0}, &key, &err), ERR_INVALID, "unsupported-key");
}

/* The same point can be written shorter, with a hint of its second coordinate, or with lengths that
 * are longer than they need be. */
static void a_guests_sealing_key_has_one_form(void **state)
{
    (void)state;
    enum { HEAD = 26, POINT = 65, COORDINATE = 32 };
    struct error err = {0};
    OWNED(key_drop) struct key *key = NULL;
    OWNED(key_drop) struct key *read = NULL;
    OWNED(bytes_done) struct bytes spki = {0};
    assert_ok(key_generate(KEY_P256, &key, &err));
    assert_ok(key_to_spki(key, &spki, &err));
    assert_int_equal(spki.len, HEAD + POINT);
    assert_ok(sealing_key_read(bytes_span(&spki), &read, &err));
    assert_true(key_equal(key, read));
    const uint8_t odd = spki.at[spki.len - 1] & 1;
    OWNED(bytes_done) struct bytes compressed = bytes_copy(span_part(bytes_span(&spki), 0, HEAD));
    bytes_add_u8(&compressed, 0x02 | odd);
    bytes_add(&compressed, span_part(bytes_span(&spki), HEAD + 1, COORDINATE));
    compressed.at[1] -= COORDINATE;
    compressed.at[HEAD - 2] -= COORDINATE;
    OWNED(bytes_done) struct bytes hybrid = bytes_copy(bytes_span(&spki));
    hybrid.at[HEAD] = 0x06 | odd;
    OWNED(bytes_done) struct bytes longer = bytes_copy(SPAN("\x30\x81\x59", 3));
    bytes_add(&longer, span_part(bytes_span(&spki), 2, spki.len));
    const struct span others[] = {bytes_span(&compressed), bytes_span(&hybrid),
                                  bytes_span(&longer)};
    for (size_t i = 0; i < countof(others); i++) {
        struct key *none = NULL;
        assert_fails(sealing_key_read(others[i], &none, &err), ERR_INVALID, "unsupported-key");
    }
}

/* Everywhere else RSA stays what nobody reads, and it signs nothing. */
static void rsa_is_a_sealing_key_and_nothing_else(void **state)
{
    struct sealed *w = *state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes spki = {0};
    OWNED(bytes_done) struct bytes pem = {0};
    OWNED(bytes_done) struct bytes signature = {0};
    OWNED(key_drop) struct key *key = NULL;
    assert_true(key_is_private(w->sealing_key));
    assert_ok(key_to_spki(w->sealing_key, &spki, &err));
    assert_fails(key_from_spki(bytes_span(&spki), &key, &err), ERR_INVALID, "unsupported-key");
    assert_ok(key_to_public_pem(w->sealing_key, &pem, &err));
    assert_fails(key_from_public_pem(bytes_span(&pem), &key, &err), ERR_INVALID, "unsupported-key");
    assert_ok(key_to_private_pem(w->sealing_key, &pem, &err));
    assert_fails(key_from_private_pem(bytes_span(&pem), &key, &err), ERR_INVALID,
                 "unsupported-key");
    bytes_wipe(&pem);
    assert_int_not_equal(key_sign(w->sealing_key, span_of_text("x"), &signature, NULL), OK);
    assert_fails(key_verify(w->sealing_key, span_of_text("x"), (struct span){0}, &err), ERR_DENIED,
                 "bad-signature");
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, sealed_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(an_enclave_reads_it_as_it_reads_the_key_services),
        WITH_WORLD(the_enclave_gets_the_very_bytes_and_what_they_are),
        WITH_WORLD(a_key_of_every_size_that_is_taken_opens),
        WITH_WORLD(every_changed_byte_is_noticed_and_those_that_are_secret_look_alike),
        WITH_WORLD(every_shorter_or_longer_envelope_is_refused),
        WITH_WORLD(whatever_is_wrong_inside_is_told_in_one_word),
        WITH_WORLD(a_signer_who_is_no_keeper_of_ours_is_told_in_the_same_word),
        WITH_WORLD(a_header_for_somebody_else_is_refused_by_name),
        WITH_WORLD(other_algorithms_are_refused_before_a_key_is_touched),
        WITH_WORLD(another_enclave_cannot_open_it),
        WITH_WORLD(each_key_takes_its_own_form_only),
        cmocka_unit_test(only_rsa_of_usual_sizes_and_exponent_is_a_sealing_key),
        cmocka_unit_test(a_sealing_key_has_one_form_and_is_of_no_other_kind),
        cmocka_unit_test(a_guests_sealing_key_has_one_form),
        WITH_WORLD(rsa_is_a_sealing_key_and_nothing_else),
    };
    return cmocka_run_group_tests_name("seal_rsa", tests, NULL, NULL);
}
