#include "lib/crypto/signed_data_make.h"

#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/text.h"

DROP(cert_inside_drop, X509, X509_free)
DROP(name_drop, X509_NAME, X509_NAME_free)
DROP(cms_drop, CMS_ContentInfo, CMS_ContentInfo_free)
DROP(bio_drop, BIO, BIO_free)
DROP(md_drop, EVP_MD_CTX, EVP_MD_CTX_free)
DROP(number_drop, BIGNUM, BN_free)

struct scribe {
    EVP_PKEY *key;
};

static enum outcome failed(struct error *err, const char *what)
{
    ERR_clear_error();
    return fail(err, ERR_INTERNAL, "%s did not work", what);
}

static struct scribe *scribe_of(EVP_PKEY *key)
{
    struct scribe *scribe = NEW(struct scribe);
    scribe->key = key;
    return scribe;
}

enum outcome scribe_generate(unsigned bits, struct scribe **out, struct error *err)
{
    EVP_PKEY *key = EVP_RSA_gen(bits);
    if (key == NULL)
        return failed(err, "making an RSA key");
    *out = scribe_of(key);
    return OK;
}

enum outcome scribe_from_pem(struct span pem, struct scribe **out, struct error *err)
{
    OWNED(bio_drop) BIO *in = BIO_new_mem_buf(pem.at, (int)pem.len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    if (key == NULL || !EVP_PKEY_is_a(key, "RSA")) {
        EVP_PKEY_free(key);
        ERR_clear_error();
        return fail_code(err, ERR_INVALID, "unsupported-key", "not an RSA private key");
    }
    *out = scribe_of(key);
    return OK;
}

enum outcome scribe_to_pem(const struct scribe *scribe, struct bytes *out, struct error *err)
{
    char *at = NULL;
    OWNED(bio_drop) BIO *to = BIO_new(BIO_s_mem());
    if (PEM_write_bio_PKCS8PrivateKey(to, scribe->key, NULL, NULL, 0, NULL, NULL) != 1)
        return failed(err, "writing a key");
    const long len = BIO_get_mem_data(to, &at);
    bytes_add(out, SPAN(at, (size_t)len));
    return OK;
}

void scribe_free(struct scribe *scribe)
{
    if (scribe == NULL)
        return;
    EVP_PKEY_free(scribe->key);
    free(scribe);
}

/* ---- certificates ---------------------------------------------------------------------------- */

static X509_NAME *name_new(const char *common)
{
    OWNED(name_drop) X509_NAME *name = X509_NAME_new();
    if (X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
                                   (const unsigned char *)"Muster simulator, no cloud", -1, -1,
                                   0) != 1 ||
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common, -1, -1,
                                   0) != 1)
        return NULL;
    return TAKE(name);
}

static bool add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    const bool fine = extension != NULL && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return fine;
}

static bool add_extensions(X509 *cert, const struct scribe_wish *wish)
{
    char name[280];
    if (wish->ca)
        return add_extension(cert, NID_basic_constraints, "critical,CA:TRUE") &&
               add_extension(cert, NID_key_usage, "critical,keyCertSign,cRLSign");
    if (wish->dns_name == NULL)
        return true;
    snprintf(name, sizeof name, "DNS:%s", wish->dns_name);
    return add_extension(cert, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(cert, NID_key_usage, "critical,digitalSignature,keyEncipherment") &&
           add_extension(cert, NID_ext_key_usage, "serverAuth") &&
           add_extension(cert, NID_subject_alt_name, name);
}

static bool fill(X509 *cert, const struct scribe *subject, const struct scribe_wish *wish)
{
    OWNED(name_drop) X509_NAME *name = name_new(wish->subject);
    OWNED(name_drop) X509_NAME *issuer = name_new(wish->issuer);
    return name != NULL && issuer != NULL && X509_set_version(cert, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), wish->serial) == 1 &&
           X509_set_subject_name(cert, name) == 1 && X509_set_issuer_name(cert, issuer) == 1 &&
           ASN1_TIME_set(X509_getm_notBefore(cert), moment_seconds(wish->from)) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(cert), moment_seconds(wish->to)) != NULL &&
           X509_set_pubkey(cert, subject->key) == 1 && add_extensions(cert, wish);
}

static enum outcome take_der(int len, unsigned char *der, struct bytes *out, struct error *err)
{
    if (len <= 0)
        return failed(err, "writing DER");
    bytes_add(out, SPAN(der, (size_t)len));
    OPENSSL_free(der);
    return OK;
}

enum outcome scribe_certify(const struct scribe *issuer, const struct scribe *subject,
                            const struct scribe_wish *wish, struct bytes *out, struct error *err)
{
    OWNED(cert_inside_drop) X509 *cert = X509_new();
    unsigned char *der = NULL;
    if (!fill(cert, subject, wish) || X509_sign(cert, issuer->key, EVP_sha256()) <= 0)
        return failed(err, "making a certificate");
    const int len = i2d_X509(cert, &der);
    return take_der(len, der, out, err);
}

/* ---- signing --------------------------------------------------------------------------------- */

static X509 *read_cert(struct span der)
{
    const unsigned char *at = der.at;
    return der.len > 0 ? d2i_X509(NULL, &at, (long)der.len) : NULL;
}

enum outcome scribe_sign_data(const struct scribe *scribe, const struct scribe_data *data,
                              struct bytes *out, struct error *err)
{
    const unsigned flags = CMS_BINARY | CMS_NOSMIMECAP | (data->detached ? CMS_DETACHED : 0) |
                           (data->bare ? CMS_NOCERTS : 0);
    OWNED(cert_inside_drop) X509 *cert = read_cert(data->certificate);
    OWNED(cert_inside_drop) X509 *beside = read_cert(data->beside);
    OWNED(bio_drop) BIO *in = BIO_new_mem_buf(data->content.at, (int)data->content.len);
    OWNED(cms_drop) CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags | CMS_PARTIAL);
    unsigned char *der = NULL;
    const bool fine = cert != NULL && in != NULL && cms != NULL &&
                      CMS_add1_signer(cms, cert, scribe->key,
                                      data->sha1 ? EVP_sha1() : EVP_sha256(), flags) != NULL &&
                      (beside == NULL || CMS_add1_cert(cms, beside) == 1) &&
                      CMS_set_detached(cms, data->detached) == 1 &&
                      CMS_final(cms, in, NULL, flags) == 1;
    if (!fine)
        return failed(err, "signing");
    const int len = i2d_CMS_ContentInfo(cms, &der);
    return take_der(len, der, out, err);
}

static enum outcome sign_text(const struct scribe *scribe, struct span text, struct bytes *out,
                              struct error *err)
{
    OWNED(md_drop) EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t len = (size_t)EVP_PKEY_get_size(scribe->key);
    uint8_t *at = bytes_add_room(out, len);
    if (EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, scribe->key) != 1 ||
        EVP_DigestSign(context, at, &len, text.at, text.len) != 1)
        return failed(err, "signing");
    return OK;
}

enum outcome scribe_sign_token(const struct scribe *scribe, const json_t *header,
                               const json_t *claims, char **out, struct error *err)
{
    OWNED(mem_drop) char *head = json_print(header);
    OWNED(mem_drop) char *body = json_print(claims);
    OWNED(text_done) struct text token = {0};
    OWNED(bytes_done) struct bytes signature = {0};
    text_add_base64url(&token, span_of_text(head));
    text_add(&token, ".");
    text_add_base64url(&token, span_of_text(body));
    TRY(sign_text(scribe, text_span(&token), &signature, err));
    text_add(&token, ".");
    text_add_base64url(&token, bytes_span(&signature));
    *out = text_take(&token);
    return OK;
}

static void put_number(json_t *out, const char *name, const EVP_PKEY *key, const char *parameter)
{
    OWNED(number_drop) BIGNUM *number = NULL;
    OWNED(bytes_done) struct bytes bytes = {0};
    if (EVP_PKEY_get_bn_param(key, parameter, &number) != 1)
        abort();
    BN_bn2bin(number, bytes_add_room(&bytes, (size_t)BN_num_bytes(number)));
    OWNED(mem_drop) char *text = base64url_of(bytes_span(&bytes));
    json_put_text(out, name, text);
}

json_t *scribe_to_jwk(const struct scribe *scribe, const char *kid)
{
    json_t *out = json_object();
    json_put_text(out, "kty", "RSA");
    json_put_text(out, "alg", "RS256");
    json_put_text(out, "use", "sig");
    json_put_text(out, "kid", kid);
    put_number(out, "n", scribe->key, OSSL_PKEY_PARAM_RSA_N);
    put_number(out, "e", scribe->key, OSSL_PKEY_PARAM_RSA_E);
    return out;
}
