#include "lib/crypto/jwk.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "lib/crypto/openssl_error.h"

static const struct {
    const char *curve, *algorithm;
    size_t half; /* bytes of a coordinate */
} facts[] = {
    [KEY_P256] = {"P-256", "ES256", 32},
    [KEY_P384] = {"P-384", "ES384", 48},
    [KEY_ED25519] = {NULL, NULL, 0},
    [KEY_RSA] = {NULL, NULL, 0},
};
_Static_assert(countof(facts) == KEY_KIND_COUNT);

enum { HALF_MAX = 48 };

const char *jwk_algorithm(const struct key *key)
{
    return facts[key_kind_of(key)].algorithm;
}

static enum outcome put_half(const struct key *key, const char *parameter, size_t half, json_t *jwk,
                             const char *name, struct error *err)
{
    uint8_t raw[HALF_MAX];
    BIGNUM *n = NULL;
    bool fine = EVP_PKEY_get_bn_param(key_inside(key), parameter, &n) == 1 &&
                BN_bn2binpad(n, raw, (int)half) == (int)half;
    BN_free(n);
    if (!fine)
        return openssl_failed(err, "taking a coordinate");
    OWNED(mem_drop) char *text = base64url_of(SPAN(raw, half));
    json_put_text(jwk, name, text);
    return OK;
}

enum outcome jwk_of(const struct key *key, json_t **out, struct error *err)
{
    const enum key_kind kind = key_kind_of(key);
    OWNED(json_drop) json_t *jwk = json_object();
    if (facts[kind].curve == NULL)
        return fail_code(err, ERR_INVALID, "unsupported-key", "no key that signs tokens");
    json_put_text(jwk, "kty", "EC");
    json_put_text(jwk, "crv", facts[kind].curve);
    TRY(put_half(key, OSSL_PKEY_PARAM_EC_PUB_X, facts[kind].half, jwk, "x", err));
    TRY(put_half(key, OSSL_PKEY_PARAM_EC_PUB_Y, facts[kind].half, jwk, "y", err));
    *out = TAKE(jwk);
    return OK;
}

/* json_print() sorts the members and puts no spaces, which is what RFC 7638 hashes. */
static enum outcome work_out(const struct key *key, struct error *err)
{
    uint8_t hash[SHA256_SIZE];
    OWNED(json_drop) json_t *jwk = NULL;
    TRY(jwk_of(key, &jwk, err));
    OWNED(mem_drop) char *printed = json_print(jwk);
    digest(DIGEST_SHA256, span_of_text(printed), hash);
    OWNED(mem_drop) char *text = base64url_of(SPAN_OF(hash));
    key_keep_thumbprint(key, text);
    return OK;
}

enum outcome jwk_thumbprint(const struct key *key, char out[static JWK_THUMBPRINT_SIZE],
                            struct error *err)
{
    if (key_thumbprint(key) == NULL)
        TRY(work_out(key, err));
    return text_copy(out, JWK_THUMBPRINT_SIZE, key_thumbprint(key), "", err);
}
