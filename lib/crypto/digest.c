#include "lib/crypto/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdlib.h>

static const struct {
    const char *name;
    size_t size;
} kinds[] = {
    [DIGEST_SHA256] = {"SHA256", SHA256_SIZE},
    [DIGEST_SHA384] = {"SHA384", SHA384_SIZE},
    [DIGEST_SHA512] = {"SHA512", SHA512_SIZE},
    [DIGEST_SHA1] = {"SHA1", SHA1_SIZE},
};

/* SHA-2 over memory has no failure a caller could act on. */
static void must(bool fine)
{
    if (!fine)
        abort();
}

size_t digest_size(enum digest_kind kind)
{
    return kinds[kind].size;
}

static EVP_MD *fetched[countof(kinds)];

static void fetch(void)
{
    for (size_t i = 0; i < countof(kinds); i++)
        must((fetched[i] = EVP_MD_fetch(NULL, kinds[i].name, NULL)) != NULL);
}

/* Looked up once, where OpenSSL would with each. */
static const EVP_MD *md_of(enum digest_kind kind)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fetch);
    return fetched[kind];
}

void digest(enum digest_kind kind, struct span in, uint8_t *out)
{
    must(EVP_Digest(in.at, in.len, out, NULL, md_of(kind), NULL) == 1);
}

void digest_hmac(enum digest_kind kind, struct span key, struct span in, uint8_t *out)
{
    size_t len = 0;
    must(EVP_Q_mac(NULL, "HMAC", NULL, kinds[kind].name, NULL, key.at, key.len, in.at, in.len, out,
                   kinds[kind].size, &len) != NULL);
}

void digest_hkdf(struct span key, struct span salt, struct span info, uint8_t *out, size_t len)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    OSSL_PARAM parameters[5] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t) "SHA256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)key.at, key.len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info.at,
                                          info.len),
        OSSL_PARAM_construct_end(),
    };
    if (salt.len > 0) {
        parameters[3] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT,
                                                          (void *)(uintptr_t)salt.at, salt.len);
        parameters[4] = OSSL_PARAM_construct_end();
    }
    must(context != NULL && EVP_KDF_derive(context, out, len, parameters) == 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

void digest_start(struct digest_run *run, enum digest_kind kind)
{
    run->kind = kind;
    run->context = EVP_MD_CTX_new();
    must(run->context != NULL && EVP_DigestInit_ex2(run->context, md_of(kind), NULL) == 1);
}

void digest_more(struct digest_run *run, struct span in)
{
    must(EVP_DigestUpdate(run->context, in.at, in.len) == 1);
}

void digest_end(struct digest_run *run, uint8_t *out)
{
    must(EVP_DigestFinal_ex(run->context, out, NULL) == 1);
    EVP_MD_CTX_free(run->context);
    run->context = NULL;
}

bool secret_equal(struct span a, struct span b)
{
    return a.len == b.len && CRYPTO_memcmp(a.at, b.at, a.len) == 0;
}
