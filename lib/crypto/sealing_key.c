#include "lib/crypto/sealing_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static bool has_usual_exponent(EVP_PKEY *pkey)
{
    BIGNUM *e = NULL;
    const bool usual =
        EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_word(e, RSA_F4) == 1;
    BN_free(e);
    return usual;
}

static EVP_PKEY *rsa_of_spki(struct span der)
{
    const unsigned char *at = der.at;
    EVP_PKEY *pkey = der.len <= SEALING_SPKI_MAX ? d2i_PUBKEY(NULL, &at, (long)der.len) : NULL;
    const bool fine = pkey != NULL && at == der.at + der.len && EVP_PKEY_is_a(pkey, "RSA") == 1 &&
                      EVP_PKEY_get_bits(pkey) >= SEALING_RSA_LEAST &&
                      EVP_PKEY_get_bits(pkey) <= SEALING_RSA_MOST && has_usual_exponent(pkey);
    ERR_clear_error();
    if (fine)
        return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

/* Of a P-256 key (RFC 5480), up to its point with both coordinates, which is all that follows. */
static const uint8_t p256_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
enum { P256_POINT_SIZE = 64 };

/* A key is named by the hash of its bytes, so that other bytes must not be the same key. OpenSSL's
 * encoder costs more than all else that a challenge does. */
static bool is_written_so(const struct key *key, struct span der)
{
    OWNED(bytes_done) struct bytes again = {0};
    if (key_kind_of(key) == KEY_P256)
        return der.len == sizeof p256_head + P256_POINT_SIZE &&
               span_equal(span_part(der, 0, sizeof p256_head), SPAN_OF(p256_head));
    return key_to_spki(key, &again, NULL) == OK && span_equal(bytes_span(&again), der);
}

enum outcome sealing_key_read(struct span spki, struct key **out, struct error *err)
{
    OWNED(key_drop) struct key *key = NULL;
    EVP_PKEY *rsa = NULL;
    if (spki.len <= SEALING_SPKI_MAX && key_from_spki(spki, &key, NULL) != OK)
        rsa = rsa_of_spki(spki);
    if (rsa != NULL)
        key = key_wrap_rsa(rsa);
    if (key == NULL || (key_kind_of(key) != KEY_P256 && key_kind_of(key) != KEY_RSA) ||
        !is_written_so(key, spki))
        return fail_code(err, ERR_INVALID, "unsupported-key", "no sealing key");
    *out = TAKE(key);
    return OK;
}
