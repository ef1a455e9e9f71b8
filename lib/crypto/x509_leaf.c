#include "lib/crypto/x509_leaf.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#define untrusted(err, ...) fail_code((err), ERR_DENIED, "chain-untrusted", __VA_ARGS__)

enum { RSA_BITS_LEAST = 2048, CURVE_BITS_LEAST = 256 };

static bool is_strong(const EVP_PKEY *key)
{
    if (key == NULL)
        return false;
    if (EVP_PKEY_is_a(key, "RSA"))
        return EVP_PKEY_get_bits(key) >= RSA_BITS_LEAST;
    return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) >= CURVE_BITS_LEAST;
}

static bool is_sha2(int signature)
{
    static const int known[] = {NID_sha256WithRSAEncryption, NID_sha384WithRSAEncryption,
                                NID_sha512WithRSAEncryption, NID_ecdsa_with_SHA256,
                                NID_ecdsa_with_SHA384,       NID_ecdsa_with_SHA512};
    for (size_t i = 0; i < countof(known); i++)
        if (known[i] == signature)
            return true;
    return false;
}

static bool is_unreadable(X509 *cert)
{
    return (X509_get_extension_flags(cert) & (EXFLAG_INVALID | EXFLAG_CRITICAL)) != 0;
}

bool x509_is_strong(const struct x509 *cert)
{
    return is_strong(X509_get0_pubkey(x509_inside(cert)));
}

bool x509_is_authority(const struct x509 *cert)
{
    X509 *inside = x509_inside(cert);
    return (X509_get_extension_flags(inside) & EXFLAG_CA) != 0 && !is_unreadable(inside) &&
           (X509_get_key_usage(inside) & KU_KEY_CERT_SIGN) != 0 &&
           is_strong(X509_get0_pubkey(inside));
}

enum outcome x509_leaf_check(const struct x509 *authority, const struct x509 *leaf,
                             struct error *err)
{
    X509 *issuer = x509_inside(authority);
    X509 *child = x509_inside(leaf);
    if (!x509_is_authority(authority))
        return untrusted(err, "%s may not sign certificates", x509_subject(authority));
    if (X509_check_issued(issuer, child) != X509_V_OK)
        return untrusted(err, "%s does not name this %s as its issuer", x509_subject(leaf),
                         x509_subject(authority));
    if (is_unreadable(child))
        return untrusted(err, "%s has extensions that cannot be honoured", x509_subject(leaf));
    if ((X509_get_extension_flags(child) & EXFLAG_CA) != 0)
        return untrusted(err, "%s, the leaf, may sign certificates", x509_subject(leaf));
    if ((X509_get_key_usage(child) & KU_DIGITAL_SIGNATURE) == 0)
        return untrusted(err, "%s, the leaf, may not sign", x509_subject(leaf));
    if (!is_sha2(X509_get_signature_nid(child)))
        return untrusted(err, "%s is not signed with SHA-2", x509_subject(leaf));
    const bool signed_by = X509_verify(child, X509_get0_pubkey(issuer)) == 1;
    ERR_clear_error();
    return signed_by ? OK
                     : untrusted(err, "%s was not signed by this %s", x509_subject(leaf),
                                 x509_subject(authority));
}

void x509_spki(const struct x509 *cert, struct bytes *out)
{
    unsigned char *der = NULL;
    const int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509_inside(cert)), &der);
    bytes_done(out);
    if (len > 0)
        bytes_add(out, SPAN(der, (size_t)len));
    OPENSSL_free(der);
}
