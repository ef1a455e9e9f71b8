#include "tests/support/rsa_files.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "tests/support/test.h"

static X509 *certificate_of(EVP_PKEY *key, const char *name)
{
    X509 *made = X509_new();
    assert_non_null(made);
    X509_NAME *subject = X509_get_subject_name(made);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(made), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(made), -3600));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made), 3600));
    assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                                (const unsigned char *)name, -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(made, subject), 1);
    assert_int_equal(X509_set_pubkey(made, key), 1);
    assert_true(X509_sign(made, key, EVP_sha256()) > 0);
    return made;
}

char *rsa_pem_make(const char *name)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    assert_non_null(key);
    X509 *certificate = certificate_of(key, name);
    BIO *out = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(PEM_write_bio_X509(out, certificate), 1);
    char *at;
    long len = BIO_get_mem_data(out, &at);
    char *pem = mem_new((size_t)len + 1, 1);
    memcpy(pem, at, (size_t)len);
    BIO_free(out);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return pem;
}
