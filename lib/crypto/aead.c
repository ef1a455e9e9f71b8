#include "lib/crypto/aead.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "lib/crypto/random.h"

DROP(context_drop, EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)

enum outcome aead_new_key(struct locked *out, struct error *err)
{
    TRY(locked_new(AEAD_KEY_SIZE, out, err));
    random_fill(out->at, out->len);
    return OK;
}

static bool sizes_are_fine(const struct locked *key, struct span associated, struct span text)
{
    return key->len == AEAD_KEY_SIZE && associated.len < INT_MAX && text.len < INT_MAX;
}

enum outcome aead_seal(const struct locked *key, struct span associated, struct span plain,
                       struct bytes *out, struct error *err)
{
    if (!sizes_are_fine(key, associated, plain))
        return fail(err, ERR_INVALID, "sealing %zu bytes under a key of %zu", plain.len, key->len);
    OWNED(context_drop) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t *nonce = bytes_add_room(out, AEAD_OVERHEAD + plain.len);
    uint8_t *cipher = nonce + AEAD_NONCE_SIZE;
    uint8_t none[1];
    int len = 0;
    random_fill(nonce, AEAD_NONCE_SIZE);
    bool fine =
        EVP_EncryptInit_ex2(context, EVP_aes_256_gcm(), key->at, nonce, NULL) == 1 &&
        EVP_EncryptUpdate(context, NULL, &len, associated.at, (int)associated.len) == 1 &&
        (plain.len == 0 ||
         EVP_EncryptUpdate(context, cipher, &len, plain.at, (int)plain.len) == 1) &&
        EVP_EncryptFinal_ex(context, none, &len) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, AEAD_TAG_SIZE, cipher + plain.len) == 1;
    if (!fine)
        abort(); /* AES-GCM over memory has no failure a caller could act on */
    return OK;
}

enum outcome aead_open(const struct locked *key, struct span associated, struct span sealed,
                       struct locked *out, struct error *err)
{
    if (sealed.len < AEAD_OVERHEAD || !sizes_are_fine(key, associated, sealed))
        return fail_code(err, ERR_DENIED, "does-not-open", "%zu sealed bytes", sealed.len);
    size_t plain_len = sealed.len - AEAD_OVERHEAD;
    const uint8_t *cipher = sealed.at + AEAD_NONCE_SIZE;
    OWNED(context_drop) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    OWNED(locked_done) struct locked plain = {0};
    TRY(locked_new(plain_len, &plain, err));
    uint8_t none[1];
    int len = 0;
    bool fine = EVP_DecryptInit_ex2(context, EVP_aes_256_gcm(), key->at, sealed.at, NULL) == 1 &&
                EVP_DecryptUpdate(context, NULL, &len, associated.at, (int)associated.len) == 1 &&
                (plain_len == 0 ||
                 EVP_DecryptUpdate(context, plain.at, &len, cipher, (int)plain_len) == 1) &&
                EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, AEAD_TAG_SIZE,
                                    (void *)(uintptr_t)(cipher + plain_len)) == 1 &&
                EVP_DecryptFinal_ex(context, none, &len) == 1;
    ERR_clear_error();
    if (!fine)
        return fail_code(err, ERR_DENIED, "does-not-open", "another key, label or content");
    *out = plain;
    plain = (struct locked){0};
    return OK;
}
