#include "lib/crypto/p384.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct p384 {
    EVP_PKEY_CTX *context;
    EVP_MD *sha384;
    EVP_MD_CTX *hash;
};

static bool is_p384(EVP_PKEY *key)
{
    char group[32] = "";
    return key != NULL && EVP_PKEY_is_a(key, "EC") &&
           EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 &&
           strcmp(group, "secp384r1") == 0;
}

static bool prepare(struct p384 *key, EVP_PKEY *from)
{
    key->context = EVP_PKEY_CTX_new_from_pkey(NULL, from, NULL);
    key->sha384 = EVP_MD_fetch(NULL, "SHA384", NULL);
    key->hash = EVP_MD_CTX_new();
    return key->context != NULL && key->sha384 != NULL && key->hash != NULL &&
           EVP_PKEY_public_check_quick(key->context) == 1 &&
           EVP_PKEY_verify_init(key->context) == 1;
}

enum outcome p384_new(struct evp_pkey_st *from, struct p384 **out, struct error *err)
{
    OWNED(p384_drop) struct p384 *made = NEW(struct p384);
    if (!is_p384(from) || !prepare(made, from))
        return fail_code(err, ERR_DENIED, "bad-signature", "not a usable P-384 key");
    *out = TAKE(made);
    return OK;
}

void p384_free(struct p384 *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_CTX_free(key->context);
    EVP_MD_CTX_free(key->hash);
    EVP_MD_free(key->sha384);
    free(key);
}

/* A positive DER INTEGER: as short as can be, no sign bit. */
static size_t der_integer(const uint8_t in[static P384_NUMBER_SIZE], uint8_t *out)
{
    size_t skip = 0;
    while (skip < P384_NUMBER_SIZE - 1 && in[skip] == 0)
        skip++;
    const size_t sign = in[skip] >> 7;
    out[0] = 0x02;
    out[1] = (uint8_t)(P384_NUMBER_SIZE - skip + sign);
    out[2] = 0;
    memcpy(out + 2 + sign, in + skip, P384_NUMBER_SIZE - skip);
    return 2 + sign + P384_NUMBER_SIZE - skip;
}

bool p384_verify_digest(struct p384 *key, const uint8_t hash[static SHA384_SIZE],
                        const uint8_t r[static P384_NUMBER_SIZE],
                        const uint8_t s[static P384_NUMBER_SIZE])
{
    uint8_t der[2 + 2 * 51];
    size_t len = der_integer(r, der + 2);
    len += der_integer(s, der + 2 + len);
    der[0] = 0x30;
    der[1] = (uint8_t)len; /* at most 102: the short form */
    /* OpenSSL refuses 0 and n or more before it computes anything. */
    return EVP_PKEY_verify(key->context, der, len + 2, hash, SHA384_SIZE) == 1;
}

static bool hash_message(struct p384 *key, struct span message, uint8_t out[static SHA384_SIZE])
{
    return EVP_DigestInit_ex2(key->hash, key->sha384, NULL) == 1 &&
           EVP_DigestUpdate(key->hash, message.at, message.len) == 1 &&
           EVP_DigestFinal_ex(key->hash, out, NULL) == 1;
}

bool p384_verify(struct p384 *key, struct span message, const uint8_t r[static P384_NUMBER_SIZE],
                 const uint8_t s[static P384_NUMBER_SIZE])
{
    uint8_t hash[SHA384_SIZE];
    return hash_message(key, message, hash) && p384_verify_digest(key, hash, r, s);
}
