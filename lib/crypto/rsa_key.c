#include "lib/crypto/rsa_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

DROP(pkey_drop, EVP_PKEY, EVP_PKEY_free)
DROP(pkey_context_drop, EVP_PKEY_CTX, EVP_PKEY_CTX_free)
DROP(md_context_drop, EVP_MD_CTX, EVP_MD_CTX_free)
DROP(number_drop, BIGNUM, BN_free)
DROP(builder_drop, OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
DROP(param_drop, OSSL_PARAM, OSSL_PARAM_free)

static bool is_usual(struct span modulus, struct span exponent)
{
    static const uint8_t f4[] = {0x01, 0x00, 0x01};
    return modulus.len == RSA_KEY_SIZE && (modulus.at[0] & 0x80) != 0 &&
           (modulus.at[RSA_KEY_SIZE - 1] & 1) != 0 && span_equal(exponent, SPAN_OF(f4));
}

static EVP_PKEY *key_of(struct span modulus, struct span exponent)
{
    EVP_PKEY *key = NULL;
    OWNED(number_drop) BIGNUM *n = BN_bin2bn(modulus.at, (int)modulus.len, NULL);
    OWNED(number_drop) BIGNUM *e = BN_bin2bn(exponent.at, (int)exponent.len, NULL);
    OWNED(builder_drop) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OWNED(pkey_context_drop) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (n == NULL || e == NULL || builder == NULL || context == NULL ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) != 1)
        return NULL;
    OWNED(param_drop) OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    if (parameters == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        return NULL;
    return key;
}

enum outcome rsa_key_verify(struct span modulus, struct span exponent, struct span message,
                            struct span signature, struct error *err)
{
    EVP_PKEY_CTX *padding = NULL; /* the digest context's */
    if (!is_usual(modulus, exponent))
        return fail_code(err, ERR_INVALID, "unsupported-key", "not an RSA-2048 key of a TPM");
    OWNED(pkey_drop) EVP_PKEY *key = key_of(modulus, exponent);
    OWNED(md_context_drop) EVP_MD_CTX *context = EVP_MD_CTX_new();
    const bool good =
        key != NULL && context != NULL && signature.len == RSA_KEY_SIZE &&
        EVP_DigestVerifyInit(context, &padding, EVP_sha256(), NULL, key) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PADDING) == 1 &&
        EVP_DigestVerify(context, signature.at, signature.len, message.at, message.len) == 1;
    ERR_clear_error();
    if (!good)
        return fail_code(err, ERR_DENIED, "bad-signature", "the signature does not verify");
    return OK;
}
