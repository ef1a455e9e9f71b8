#include "lib/crypto/rsa_signer.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/crypto/openssl_error.h"

enum { RSA_BITS_LEAST = 2048, RSA_BITS_MOST = 8192 };

struct rsa_signer {
    EVP_PKEY *key;
    bool has_certificate;
    uint8_t thumbprint[SHA256_SIZE];
};

DROP(bio_drop, BIO, BIO_free)
DROP(x509_st_drop, X509, X509_free)
DROP(md_drop, EVP_MD_CTX, EVP_MD_CTX_free)

void rsa_signer_free(struct rsa_signer *signer)
{
    if (signer == NULL)
        return;
    EVP_PKEY_free(signer->key);
    free(signer);
}

/* A key under a password is none that we can use: nobody is asked for one. */
static int no_password(char *out, int size, int writing, void *context)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static enum outcome unsupported(struct error *err, const char *why)
{
    ERR_clear_error();
    return fail_code(err, ERR_INVALID, "unsupported-key", "%s", why);
}

static enum outcome read_key(struct span pem, struct rsa_signer *signer, struct error *err)
{
    OWNED(bio_drop) BIO *in = BIO_new_mem_buf(pem.at, (int)pem.len);
    signer->key = PEM_read_bio_PrivateKey(in, NULL, no_password, NULL);
    if (signer->key == NULL || EVP_PKEY_get_base_id(signer->key) != EVP_PKEY_RSA ||
        EVP_PKEY_get_bits(signer->key) < RSA_BITS_LEAST ||
        EVP_PKEY_get_bits(signer->key) > RSA_BITS_MOST)
        return unsupported(err, "no RSA key of 2,048 to 8,192 bits");
    return OK;
}

static enum outcome read_certificate(struct span pem, struct rsa_signer *signer, struct error *err)
{
    OWNED(bio_drop) BIO *in = BIO_new_mem_buf(pem.at, (int)pem.len);
    OWNED(x509_st_drop) X509 *certificate = PEM_read_bio_X509(in, NULL, no_password, NULL);
    ERR_clear_error();
    if (certificate == NULL)
        return OK;
    if (X509_check_private_key(certificate, signer->key) != 1)
        return unsupported(err, "the certificate is of another key");
    unsigned len = SHA256_SIZE;
    signer->has_certificate = X509_digest(certificate, EVP_sha256(), signer->thumbprint, &len) == 1;
    return OK;
}

enum outcome rsa_signer_from_pem(struct span pem, struct rsa_signer **out, struct error *err)
{
    OWNED(rsa_signer_drop) struct rsa_signer *signer = NEW(struct rsa_signer);
    TRY(read_key(pem, signer, err));
    TRY(read_certificate(pem, signer, err));
    *out = TAKE(signer);
    return OK;
}

enum outcome rsa_signer_generate(struct rsa_signer **out, struct error *err)
{
    OWNED(rsa_signer_drop) struct rsa_signer *signer = NEW(struct rsa_signer);
    signer->key = EVP_RSA_gen(RSA_BITS_LEAST);
    if (signer->key == NULL)
        return openssl_failed(err, "making an RSA key");
    *out = TAKE(signer);
    return OK;
}

enum outcome rsa_signer_to_pem(const struct rsa_signer *signer, struct bytes *out,
                               struct error *err)
{
    OWNED(bio_drop) BIO *pem = BIO_new(BIO_s_secmem());
    if (pem == NULL ||
        PEM_write_bio_PKCS8PrivateKey(pem, signer->key, NULL, NULL, 0, NULL, NULL) != 1)
        return openssl_failed(err, "writing an RSA key");
    char *at;
    long len = BIO_get_mem_data(pem, &at);
    *out = bytes_copy(SPAN(at, (size_t)len));
    return OK;
}

bool rsa_signer_thumbprint(const struct rsa_signer *signer, uint8_t out[static SHA256_SIZE])
{
    memcpy(out, signer->thumbprint, SHA256_SIZE);
    return signer->has_certificate;
}

static bool set_scheme(EVP_PKEY_CTX *how, enum rsa_scheme scheme)
{
    return scheme == RSA_PKCS1_SHA256 ||
           (EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1);
}

static bool sign(const struct rsa_signer *signer, enum rsa_scheme scheme, struct span message,
                 struct bytes *out)
{
    OWNED(md_drop) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *how = NULL;
    size_t len = (size_t)EVP_PKEY_get_size(signer->key);
    if (ctx == NULL || EVP_DigestSignInit(ctx, &how, EVP_sha256(), NULL, signer->key) != 1 ||
        !set_scheme(how, scheme) ||
        EVP_DigestSign(ctx, bytes_add_room(out, len), &len, message.at, message.len) != 1)
        return false;
    out->len = len;
    return true;
}

enum outcome rsa_signer_token(const struct rsa_signer *signer, enum rsa_scheme scheme,
                              struct span header, struct span claims, char **out, struct error *err)
{
    OWNED(text_done) struct text token = {0};
    OWNED(bytes_done) struct bytes signature = {0};
    text_add_base64url(&token, header);
    text_add(&token, ".");
    text_add_base64url(&token, claims);
    if (!sign(signer, scheme, text_span(&token), &signature))
        return openssl_failed(err, "signing with RSA");
    text_add(&token, ".");
    text_add_base64url(&token, bytes_span(&signature));
    *out = text_take(&token);
    return OK;
}

enum outcome rsa_signer_check(const struct rsa_signer *signer, enum rsa_scheme scheme,
                              const char *token, struct error *err)
{
    OWNED(md_drop) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    OWNED(bytes_done) struct bytes signature = {0};
    EVP_PKEY_CTX *how = NULL;
    const char *dot = strrchr(token, '.');
    if (dot == NULL || base64url_decode(span_of_text(dot + 1), &signature, NULL) != OK)
        return fail_code(err, ERR_INVALID, "token-malformed", "no signature of a token");
    if (ctx != NULL && EVP_DigestVerifyInit(ctx, &how, EVP_sha256(), NULL, signer->key) == 1 &&
        set_scheme(how, scheme) &&
        EVP_DigestVerify(ctx, signature.at, signature.len, (const uint8_t *)token,
                         (size_t)(dot - token)) == 1)
        return OK;
    ERR_clear_error();
    return fail_code(err, ERR_DENIED, "bad-signature", "the token is not signed with this key");
}
