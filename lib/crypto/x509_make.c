#include "lib/crypto/x509_make.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"

DROP(x509_inside_drop, X509, X509_free)
DROP(crl_inside_drop, X509_CRL, X509_CRL_free)
DROP(name_drop, X509_NAME, X509_NAME_free)
DROP(revoked_drop, X509_REVOKED, X509_REVOKED_free)
DROP(integer_drop, ASN1_INTEGER, ASN1_INTEGER_free)
DROP(bio_drop, BIO, BIO_free)
DROP(md_drop, EVP_MD_CTX, EVP_MD_CTX_free)

struct maker {
    EVP_PKEY *key;
};

static enum outcome failed(struct error *err, const char *what)
{
    ERR_clear_error();
    return fail(err, ERR_INTERNAL, "%s did not work", what);
}

static struct maker *maker_of(EVP_PKEY *key)
{
    struct maker *maker = NEW(struct maker);
    maker->key = key;
    return maker;
}

enum outcome maker_generate(struct maker **out, struct error *err)
{
    EVP_PKEY *key = EVP_RSA_gen(4096);
    if (key == NULL)
        return failed(err, "making an RSA key");
    *out = maker_of(key);
    return OK;
}

enum outcome maker_from_pem(struct span pem, struct maker **out, struct error *err)
{
    OWNED(bio_drop) BIO *in = BIO_new_mem_buf(pem.at, (int)pem.len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    if (key == NULL || !EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_get_bits(key) != 4096) {
        EVP_PKEY_free(key);
        ERR_clear_error();
        return fail_code(err, ERR_INVALID, "unsupported-key", "not an RSA-4096 private key");
    }
    *out = maker_of(key);
    return OK;
}

static enum outcome take_bio(BIO *from, struct bytes *out, struct error *err)
{
    char *at = NULL;
    const long len = BIO_get_mem_data(from, &at);
    if (len <= 0)
        return failed(err, "writing PEM");
    bytes_add(out, SPAN(at, (size_t)len));
    return OK;
}

enum outcome maker_to_pem(const struct maker *maker, struct bytes *out, struct error *err)
{
    OWNED(bio_drop) BIO *to = BIO_new(BIO_s_mem());
    if (PEM_write_bio_PKCS8PrivateKey(to, maker->key, NULL, NULL, 0, NULL, NULL) != 1)
        return failed(err, "writing a key");
    return take_bio(to, out, err);
}

void maker_free(struct maker *maker)
{
    if (maker == NULL)
        return;
    EVP_PKEY_free(maker->key);
    free(maker);
}

static bool name_add(X509_NAME *name, const char *field, const char *text)
{
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC, (const unsigned char *)text, -1,
                                      -1, 0) == 1;
}

/* As AMD's names are built, but for the organisation. */
static X509_NAME *name_new(const char *organisation, const char *common)
{
    OWNED(name_drop) X509_NAME *name = X509_NAME_new();
    if (!name_add(name, "OU", "Engineering") || !name_add(name, "C", "US") ||
        !name_add(name, "L", "Santa Clara") || !name_add(name, "ST", "CA") ||
        !name_add(name, "O", organisation) || !name_add(name, "CN", common))
        return NULL;
    return TAKE(name);
}

/* Parameters as AMD writes them: the trailer field is left at its default. */
static bool pss_start(EVP_MD_CTX *context, EVP_PKEY *key)
{
    EVP_PKEY_CTX *inside = NULL;
    return EVP_DigestSignInit(context, &inside, EVP_sha384(), NULL, key) == 1 &&
           EVP_PKEY_CTX_set_rsa_padding(inside, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(inside, EVP_sha384()) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(inside, 48) == 1;
}

static bool add_extension(X509 *cert, const char *oid, bool critical, struct span value)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension = NULL;
    bool fine = object != NULL && ASN1_OCTET_STRING_set(data, value.at, (int)value.len) == 1;
    if (fine)
        extension = X509_EXTENSION_create_by_OBJ(NULL, object, critical, data);
    fine = extension != NULL && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(data);
    ASN1_OBJECT_free(object);
    return fine;
}

static bool add_extensions(X509 *cert, const struct x509_wish *wish)
{
    static const uint8_t ca[] = {0x30, 0x03, 0x01, 0x01, 0xff};
    static const uint8_t usage[] = {0x03, 0x02, 0x01, 0x06}; /* keyCertSign, cRLSign */
    if (wish->ca && (!add_extension(cert, "2.5.29.19", true, SPAN_OF(ca)) ||
                     !add_extension(cert, "2.5.29.15", true, SPAN_OF(usage))))
        return false;
    for (size_t i = 0; i < wish->extra_count; i++)
        if (!add_extension(cert, wish->extras[i].oid, false, wish->extras[i].value))
            return false;
    return true;
}

static bool fill(X509 *cert, const struct x509_wish *wish)
{
    OWNED(name_drop) X509_NAME *subject = name_new(wish->organisation, wish->subject);
    OWNED(name_drop) X509_NAME *issuer = name_new(wish->organisation, wish->issuer);
    return subject != NULL && issuer != NULL && X509_set_version(cert, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), wish->serial) == 1 &&
           X509_set_subject_name(cert, subject) == 1 && X509_set_issuer_name(cert, issuer) == 1 &&
           ASN1_TIME_set(X509_getm_notBefore(cert), moment_seconds(wish->from)) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(cert), moment_seconds(wish->to)) != NULL;
}

static enum outcome make(const struct maker *issuer, EVP_PKEY *subject,
                         const struct x509_wish *wish, struct bytes *out, struct error *err)
{
    OWNED(x509_inside_drop) X509 *cert = X509_new();
    OWNED(md_drop) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!fill(cert, wish) || X509_set_pubkey(cert, subject) != 1 || !add_extensions(cert, wish) ||
        !pss_start(context, issuer->key) || X509_sign_ctx(cert, context) <= 0)
        return failed(err, "making a certificate");
    unsigned char *der = NULL;
    const int len = i2d_X509(cert, &der);
    if (len <= 0)
        return failed(err, "writing a certificate");
    bytes_add(out, SPAN(der, (size_t)len));
    OPENSSL_free(der);
    return OK;
}

enum outcome x509_make_for_maker(const struct maker *issuer, const struct maker *subject,
                                 const struct x509_wish *wish, struct bytes *out, struct error *err)
{
    return make(issuer, subject->key, wish, out, err);
}

enum outcome x509_make_for_key(const struct maker *issuer, const struct key *subject,
                               const struct x509_wish *wish, struct bytes *out, struct error *err)
{
    return make(issuer, key_inside(subject), wish, out, err);
}

static bool crl_add(X509_CRL *crl, uint64_t serial, struct moment at)
{
    OWNED(revoked_drop) X509_REVOKED *entry = X509_REVOKED_new();
    OWNED(integer_drop) ASN1_INTEGER *number = ASN1_INTEGER_new();
    ASN1_TIME *time = ASN1_TIME_set(NULL, moment_seconds(at));
    const bool fine = ASN1_INTEGER_set_uint64(number, serial) == 1 &&
                      X509_REVOKED_set_serialNumber(entry, number) == 1 &&
                      X509_REVOKED_set_revocationDate(entry, time) == 1 &&
                      X509_CRL_add0_revoked(crl, entry) == 1;
    ASN1_TIME_free(time);
    if (fine)
        entry = NULL; /* the list owns it now */
    return fine;
}

static bool crl_fill(X509_CRL *crl, X509_NAME *issuer, struct moment from, struct moment to)
{
    ASN1_TIME *start = ASN1_TIME_set(NULL, moment_seconds(from));
    ASN1_TIME *end = moment_is_none(to) ? NULL : ASN1_TIME_set(NULL, moment_seconds(to));
    const bool fine = X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 && issuer != NULL &&
                      X509_CRL_set_issuer_name(crl, issuer) == 1 &&
                      X509_CRL_set1_lastUpdate(crl, start) == 1 &&
                      (moment_is_none(to) || X509_CRL_set1_nextUpdate(crl, end) == 1);
    ASN1_TIME_free(start);
    ASN1_TIME_free(end);
    return fine;
}

enum outcome crl_make(const struct maker *issuer, const char *issuer_name, const char *organisation,
                      struct moment from, struct moment to, const uint64_t *serials, size_t count,
                      struct bytes *out, struct error *err)
{
    OWNED(crl_inside_drop) X509_CRL *crl = X509_CRL_new();
    OWNED(name_drop) X509_NAME *name = name_new(organisation, issuer_name);
    OWNED(md_drop) EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool fine = crl_fill(crl, name, from, to);
    for (size_t i = 0; i < count && fine; i++)
        fine = crl_add(crl, serials[i], from);
    if (!fine || X509_CRL_sort(crl) != 1 || !pss_start(context, issuer->key) ||
        X509_CRL_sign_ctx(crl, context) <= 0)
        return failed(err, "making a revocation list");
    unsigned char *der = NULL;
    const int len = i2d_X509_CRL(crl, &der);
    if (len <= 0)
        return failed(err, "writing a revocation list");
    bytes_add(out, SPAN(der, (size_t)len));
    OPENSSL_free(der);
    return OK;
}

void der_add_integer(struct bytes *out, uint32_t value)
{
    uint8_t number[5] = {0, (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                         (uint8_t)value};
    size_t skip = 0;
    while (skip < 4 && number[skip] == 0 && number[skip + 1] < 0x80)
        skip++;
    bytes_add_u8(out, 0x02);
    bytes_add_u8(out, (uint8_t)(sizeof number - skip));
    bytes_add(out, SPAN(number + skip, sizeof number - skip));
}

void der_add_ia5(struct bytes *out, const char *text)
{
    const struct span all = span_of_text(text);
    bytes_add_u8(out, 0x16);
    bytes_add_u8(out, (uint8_t)(all.len & 0x7f));
    bytes_add(out, span_part(all, 0, all.len & 0x7f));
}

void pem_add_certificate(struct bytes *out, struct span der)
{
    OWNED(mem_drop) char *base64 = base64_of(der);
    bytes_add(out, span_of_text("-----BEGIN CERTIFICATE-----\n"));
    const struct span all = span_of_text(base64);
    for (size_t at = 0; at < all.len; at += 64) {
        bytes_add(out, span_part(all, at, 64));
        bytes_add_u8(out, '\n');
    }
    bytes_add(out, span_of_text("-----END CERTIFICATE-----\n"));
}
