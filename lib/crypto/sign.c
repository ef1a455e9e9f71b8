#include "lib/crypto/sign.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crypto/der.h"
#include "lib/crypto/openssl_error.h"

struct key {
    EVP_PKEY *pkey;
    enum key_kind kind;
    bool is_private;
    _Atomic int owners;
    _Atomic(char *) thumbprint;
    _Atomic(EVP_PKEY_CTX *) signing; /* ready to sign; NULL while somebody does, or nobody did */
};

static const struct {
    const char *group; /* NULL: not an elliptic curve of ours */
    size_t half;       /* bytes of r and of s */
    const EVP_MD *(*md)(void);
    enum digest_kind digest;
} facts[] = {
    [KEY_P256] = {"prime256v1", 32, EVP_sha256, DIGEST_SHA256},
    [KEY_P384] = {"secp384r1", 48, EVP_sha384, DIGEST_SHA384},
    [KEY_ED25519] = {.half = 32},
    [KEY_RSA] = {NULL}, /* signs nothing */
};
_Static_assert(countof(facts) == KEY_KIND_COUNT);

DROP(bio_drop, BIO, BIO_free)
DROP(context_drop, EVP_MD_CTX, EVP_MD_CTX_free)
DROP(pkey_context_drop, EVP_PKEY_CTX, EVP_PKEY_CTX_free)
DROP(ecdsa_drop, ECDSA_SIG, ECDSA_SIG_free)

static bool kind_of(EVP_PKEY *pkey, enum key_kind *out)
{
    if (EVP_PKEY_is_a(pkey, "ED25519")) {
        *out = KEY_ED25519;
        return true;
    }
    char group[32] = "";
    if (!EVP_PKEY_is_a(pkey, "EC") || EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) != 1)
        return false;
    for (size_t i = 0; i < countof(facts); i++) {
        if (facts[i].group != NULL && strcmp(facts[i].group, group) == 0) {
            *out = (enum key_kind)i;
            return true;
        }
    }
    return false;
}

static bool has_private_half(EVP_PKEY *pkey, enum key_kind kind)
{
    if (kind == KEY_ED25519) {
        size_t len = 0;
        return EVP_PKEY_get_raw_private_key(pkey, NULL, &len) == 1;
    }
    BIGNUM *d = NULL;
    const char *name = kind == KEY_RSA ? OSSL_PKEY_PARAM_RSA_D : OSSL_PKEY_PARAM_PRIV_KEY;
    bool has = EVP_PKEY_get_bn_param(pkey, name, &d) == 1;
    BN_clear_free(d);
    ERR_clear_error();
    return has;
}

static struct key *wrap(EVP_PKEY *pkey, enum key_kind kind)
{
    struct key *key = NEW(struct key);
    key->pkey = pkey;
    key->kind = kind;
    key->is_private = has_private_half(pkey, kind);
    key->owners = 1;
    return key;
}

struct key *key_wrap_rsa(EVP_PKEY *pkey)
{
    return wrap(pkey, KEY_RSA);
}

struct key *key_wrap(EVP_PKEY *pkey, struct error *err)
{
    enum key_kind kind;
    if (pkey == NULL || !kind_of(pkey, &kind)) {
        EVP_PKEY_free(pkey);
        error_ignore(fail_code(err, ERR_INVALID, "unsupported-key",
                               "neither a P-256, a P-384 nor an Ed25519 key"));
        return NULL;
    }
    return wrap(pkey, kind);
}

EVP_PKEY *key_inside(const struct key *key)
{
    return key->pkey;
}

struct key *key_share(struct key *key)
{
    key->owners++;
    return key;
}

void key_free(struct key *key)
{
    if (key == NULL || --key->owners > 0)
        return;
    EVP_PKEY_CTX_free(key->signing);
    EVP_PKEY_free(key->pkey);
    free(key->thumbprint);
    free(key);
}

const char *key_thumbprint(const struct key *key)
{
    return key->thumbprint;
}

void key_keep_thumbprint(const struct key *key, const char *thumbprint)
{
    struct key *kept = (struct key *)(uintptr_t)key;
    char *none = NULL;
    char *text = mem_text(thumbprint);
    if (!atomic_compare_exchange_strong(&kept->thumbprint, &none, text))
        free(text); /* another thread was first */
}

static EVP_PKEY *generate(enum key_kind kind)
{
    static const size_t rsa_bits = 2048; /* AWS's key service takes no other number */
    switch (kind) {
    case KEY_P256:
    case KEY_P384:
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", facts[kind].group);
    case KEY_ED25519:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    case KEY_RSA:
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", rsa_bits);
    case KEY_KIND_COUNT:
        break;
    }
    abort();
}

enum outcome key_generate(enum key_kind kind, struct key **out, struct error *err)
{
    EVP_PKEY *pkey = generate(kind);
    if (pkey == NULL)
        return openssl_failed(err, "generating a key");
    *out = wrap(pkey, kind);
    return OK;
}

static enum outcome wrapped(EVP_PKEY *pkey, struct key **out, struct error *err)
{
    ERR_clear_error();
    if (pkey == NULL)
        return fail_code(err, ERR_INVALID, "unsupported-key", "not a key");
    *out = key_wrap(pkey, err);
    return *out != NULL ? OK : ERR_INVALID;
}

/* An encrypted key would otherwise make OpenSSL ask at the terminal. */
static int no_password(char *buffer, int size, int writing, void *user)
{
    (void)buffer, (void)size, (void)writing, (void)user;
    return -1;
}

enum outcome key_from_private_pem(struct span pem, struct key **out, struct error *err)
{
    OWNED(bio_drop) BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    TRY(wrapped(PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL), out, err));
    return OK;
}

enum outcome key_from_public_pem(struct span pem, struct key **out, struct error *err)
{
    OWNED(bio_drop) BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    return wrapped(PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL), out, err);
}

/* Guests send P-256 keys, whose DER differs in the point alone. OpenSSL's decoders, which try what
 * else it may be, take six times as long; the point is checked here as there. */
static EVP_PKEY *p256_of_spki(struct span der)
{
    enum { POINT_AT = 26, POINT_SIZE = 65 };
    static const uint8_t head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
    if (der.len != POINT_AT + POINT_SIZE || memcmp(der.at, head, sizeof head) != 0)
        return NULL;
    char group[] = "prime256v1";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
                                          (void *)(uintptr_t)(der.at + POINT_AT), POINT_SIZE),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *pkey = NULL;
    OWNED(pkey_context_drop) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        return NULL;
    return pkey;
}

enum outcome key_from_spki(struct span der, struct key **out, struct error *err)
{
    EVP_PKEY *p256 = p256_of_spki(der);
    if (p256 != NULL)
        return wrapped(p256, out, err);
    const unsigned char *at = der.at;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)der.len);
    if (pkey != NULL && at != der.at + der.len) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    return wrapped(pkey, out, err);
}

static void take_bio(BIO *bio, struct bytes *out)
{
    char *at;
    long len = BIO_get_mem_data(bio, &at);
    bytes_wipe(out);
    bytes_add(out, SPAN(at, (size_t)len));
}

enum outcome key_to_private_pem(const struct key *key, struct bytes *out, struct error *err)
{
    OWNED(bio_drop) BIO *bio = BIO_new(BIO_s_secmem());
    if (PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) != 1)
        return openssl_failed(err, "writing a private key");
    take_bio(bio, out);
    return OK;
}

enum outcome key_to_public_pem(const struct key *key, struct bytes *out, struct error *err)
{
    OWNED(bio_drop) BIO *bio = BIO_new(BIO_s_mem());
    if (PEM_write_bio_PUBKEY(bio, key->pkey) != 1)
        return openssl_failed(err, "writing a public key");
    take_bio(bio, out);
    return OK;
}

enum outcome key_to_spki(const struct key *key, struct bytes *out, struct error *err)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key->pkey, &der);
    if (len <= 0)
        return openssl_failed(err, "encoding a public key");
    bytes_done(out);
    bytes_add(out, SPAN(der, (size_t)len));
    OPENSSL_free(der);
    return OK;
}

enum key_kind key_kind_of(const struct key *key)
{
    return key->kind;
}

bool key_is_private(const struct key *key)
{
    return key->is_private;
}

bool key_equal(const struct key *a, const struct key *b)
{
    return EVP_PKEY_eq(a->pkey, b->pkey) == 1;
}

void key_fingerprint(const struct key *key, uint8_t out[static SHA256_SIZE])
{
    OWNED(bytes_done) struct bytes spki = {0};
    if (key_to_spki(key, &spki, NULL) != OK)
        abort(); /* only memory can be missing: the key was taken in whole */
    digest(DIGEST_SHA256, bytes_span(&spki), out);
}

enum outcome key_raw_public(const struct key *key, struct bytes *out, struct error *err)
{
    size_t len = 32;
    bytes_done(out);
    if (EVP_PKEY_get_raw_public_key(key->pkey, bytes_add_room(out, len), &len) != 1)
        return openssl_failed(err, "taking the raw public key");
    return OK;
}

enum outcome key_raw_private(const struct key *key, struct bytes *out, struct error *err)
{
    size_t len = 32;
    bytes_wipe(out);
    if (EVP_PKEY_get_raw_private_key(key->pkey, bytes_add_room(out, len), &len) != 1)
        return openssl_failed(err, "taking the raw private key");
    return OK;
}

/* The order of P-256, and half of it. */
static const uint8_t p256_order[32] = {
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
static const uint8_t p256_half_order[32] = {
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8};

bool signature_is_low(struct span signature)
{
    return signature.len == 2 * sizeof p256_half_order &&
           memcmp(signature.at + sizeof p256_half_order, p256_half_order, sizeof p256_half_order) <=
               0;
}

/* n - s in place of s. */
static void make_low(uint8_t raw[static 64])
{
    BIGNUM *n = BN_bin2bn(p256_order, sizeof p256_order, NULL);
    BIGNUM *s = BN_bin2bn(raw + 32, 32, NULL);
    if (n == NULL || s == NULL || BN_sub(s, n, s) != 1)
        abort(); /* memory */
    BN_bn2binpad(s, raw + 32, 32);
    BN_free(s);
    BN_free(n);
}

/* Into its place, whose bytes are zero: without the byte of the sign, with zeroes before it. */
static bool put_number(struct span number, uint8_t *out, size_t len)
{
    if (number.len == len + 1 && number.at[0] == 0)
        number = span_part(number, 1, len);
    if (number.len == 0 || number.len > len)
        return false;
    memcpy(out + len - number.len, number.at, number.len);
    return true;
}

/* OpenSSL's own signature, so what it says of the numbers is believed. */
static enum outcome raw_from_der(const struct key *key, struct span der, struct bytes *out,
                                 struct error *err)
{
    struct reader whole = reader_of(der);
    struct reader pair = der_enter(&whole, DER_SEQUENCE);
    const struct span r = der_next(&pair, DER_INTEGER);
    const struct span s = der_next(&pair, DER_INTEGER);
    const size_t half = facts[key->kind].half;
    OWNED(bytes_done) struct bytes made = {0};
    uint8_t *raw = bytes_add_room(&made, 2 * half);
    if (!put_number(r, raw, half) || !put_number(s, raw + half, half))
        return openssl_failed(err, "reading a signature");
    if (key->kind == KEY_P256 && !signature_is_low(bytes_span(&made)))
        make_low(raw);
    bytes_done(out);
    *out = bytes_take(&made);
    return OK;
}

/* The last one that signed is done with it: what OpenSSL looks up for a context costs a quarter of
 * a signature. */
static EVP_PKEY_CTX *signing_context(struct key *key)
{
    EVP_PKEY_CTX *ready = atomic_exchange(&key->signing, NULL);
    if (ready != NULL)
        return ready;
    OWNED(pkey_context_drop) EVP_PKEY_CTX *made = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    if (made == NULL || EVP_PKEY_sign_init(made) != 1)
        return NULL;
    return TAKE(made);
}

static enum outcome sign_ecdsa(struct key *key, struct span message, struct bytes *out,
                               struct error *err)
{
    uint8_t hash[SHA512_SIZE];
    uint8_t signature[160];
    size_t len = sizeof signature;
    digest(facts[key->kind].digest, message, hash);
    OWNED(pkey_context_drop) EVP_PKEY_CTX *context = signing_context(key);
    if (context == NULL ||
        EVP_PKEY_sign(context, signature, &len, hash, digest_size(facts[key->kind].digest)) != 1)
        return openssl_failed(err, "signing");
    context = atomic_exchange(&key->signing, context);
    return raw_from_der(key, SPAN(signature, len), out, err);
}

static enum outcome sign_ed25519(const struct key *key, struct span message, struct bytes *out,
                                 struct error *err)
{
    OWNED(context_drop) EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t signature[64];
    size_t len = sizeof signature;
    if (EVP_DigestSignInit(context, NULL, NULL, NULL, key->pkey) != 1 ||
        EVP_DigestSign(context, signature, &len, message.at, message.len) != 1)
        return openssl_failed(err, "signing");
    bytes_done(out);
    bytes_add(out, SPAN(signature, len));
    return OK;
}

enum outcome key_sign(const struct key *key, struct span message, struct bytes *out,
                      struct error *err)
{
    if (!key->is_private || facts[key->kind].half == 0)
        return openssl_failed(err, "signing");
    if (facts[key->kind].md == NULL)
        return sign_ed25519(key, message, out, err);
    return sign_ecdsa((struct key *)(uintptr_t)key, message, out, err);
}

/* DER of r || s. Numbers out of range are left to OpenSSL, which refuses 0 and >= n unreduced. */
static int der_from_raw(const struct key *key, struct span raw, unsigned char **out)
{
    int half = (int)facts[key->kind].half;
    OWNED(ecdsa_drop) ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw.at, half, NULL);
    BIGNUM *s = BN_bin2bn(raw.at + half, half, NULL);
    if (pair == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(pair, r, s) != 1)
        abort(); /* memory */
    return i2d_ECDSA_SIG(pair, out);
}

enum outcome key_verify(const struct key *key, struct span message, struct span signature,
                        struct error *err)
{
    bool ecdsa = facts[key->kind].md != NULL;
    if (signature.len != 2 * facts[key->kind].half || signature.len == 0)
        return fail_code(err, ERR_DENIED, "bad-signature", "signature of %zu bytes", signature.len);
    unsigned char *der = NULL;
    int der_len = ecdsa ? der_from_raw(key, signature, &der) : 0;
    OWNED(context_drop) EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good =
        EVP_DigestVerifyInit(context, NULL, ecdsa ? facts[key->kind].md() : NULL, NULL,
                             key->pkey) == 1 &&
        EVP_DigestVerify(context, ecdsa ? der : signature.at,
                         ecdsa ? (size_t)der_len : signature.len, message.at, message.len) == 1;
    OPENSSL_free(der);
    ERR_clear_error();
    if (!good)
        return fail_code(err, ERR_DENIED, "bad-signature", "the signature does not verify");
    return OK;
}
