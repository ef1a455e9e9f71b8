#include "lib/crypto/x509.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

DROP(evp_drop, EVP_PKEY, EVP_PKEY_free)
DROP(pss_drop, RSA_PSS_PARAMS, RSA_PSS_PARAMS_free)
DROP(obj_drop, ASN1_OBJECT, ASN1_OBJECT_free)

struct x509 {
    atomic_int owners;
    X509 *inside;
    struct bytes der;
    char subject[X509_NAME_SIZE];
    char issuer[X509_NAME_SIZE];
    struct moment not_before;
    struct moment not_after;
};

static struct moment moment_of(const ASN1_TIME *time)
{
    ASN1_TIME *start = ASN1_TIME_set(NULL, 0);
    int days = 0;
    int seconds = 0;
    struct moment at = {0};
    if (time != NULL && start != NULL && ASN1_TIME_diff(&days, &seconds, start, time) == 1)
        at = clock_at_seconds((int64_t)days * 86400 + seconds);
    ASN1_TIME_free(start);
    return at;
}

static void common_name(const X509_NAME *name, char out[static X509_NAME_SIZE])
{
    out[0] = '\0';
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0)
        return;
    const ASN1_STRING *text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    int len = ASN1_STRING_length(text);
    const unsigned char *p = ASN1_STRING_get0_data(text);
    if (len <= 0 || len >= X509_NAME_SIZE)
        return;
    for (int i = 0; i < len; i++)
        if (p[i] < 0x20 || p[i] > 0x7e)
            return;
    memcpy(out, p, (size_t)len);
    out[len] = '\0';
}

enum outcome x509_from_der(struct span der, struct x509 **out, struct error *err)
{
    if (der.len == 0 || der.len > X509_DER_MAX)
        return fail_code(err, ERR_INVALID, "malformed", "a certificate of %zu bytes", der.len);
    const unsigned char *at = der.at;
    X509 *inside = d2i_X509(NULL, &at, (long)der.len);
    if (inside == NULL || at != der.at + der.len) {
        X509_free(inside);
        return fail_code(err, ERR_INVALID, "malformed",
                         inside == NULL ? "not a certificate" : "bytes after the certificate");
    }
    struct x509 *cert = NEW(struct x509);
    atomic_init(&cert->owners, 1);
    cert->inside = inside;
    cert->der = bytes_copy(der);
    common_name(X509_get_subject_name(inside), cert->subject);
    common_name(X509_get_issuer_name(inside), cert->issuer);
    cert->not_before = moment_of(X509_get0_notBefore(inside));
    cert->not_after = moment_of(X509_get0_notAfter(inside));
    *out = cert;
    return OK;
}

struct x509 *x509_share(struct x509 *cert)
{
    atomic_fetch_add(&cert->owners, 1);
    return cert;
}

void x509_free(struct x509 *cert)
{
    if (cert == NULL || atomic_fetch_sub(&cert->owners, 1) > 1)
        return;
    X509_free(cert->inside);
    bytes_done(&cert->der);
    free(cert);
}

struct x509_st *x509_inside(const struct x509 *cert)
{
    return cert->inside;
}

struct span x509_der(const struct x509 *cert)
{
    return bytes_span(&cert->der);
}

void x509_sha256(const struct x509 *cert, uint8_t out[static SHA256_SIZE])
{
    digest(DIGEST_SHA256, bytes_span(&cert->der), out);
}

const char *x509_subject(const struct x509 *cert)
{
    return cert->subject;
}

const char *x509_issuer(const struct x509 *cert)
{
    return cert->issuer;
}

struct moment x509_not_before(const struct x509 *cert)
{
    return cert->not_before;
}

struct moment x509_not_after(const struct x509 *cert)
{
    return cert->not_after;
}

static EVP_PKEY *rsa_key_of(const X509 *cert)
{
    EVP_PKEY *key = X509_get0_pubkey(cert);
    if (key == NULL || EVP_PKEY_get_bits(key) != 4096)
        return NULL;
    return EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS") ? key : NULL;
}

bool x509_is_ca(const struct x509 *cert)
{
    const uint32_t flags = X509_get_extension_flags(cert->inside);
    return (flags & EXFLAG_CA) != 0 && (flags & (EXFLAG_INVALID | EXFLAG_CRITICAL)) == 0 &&
           (X509_get_key_usage(cert->inside) & KU_KEY_CERT_SIGN) != 0 &&
           rsa_key_of(cert->inside) != NULL;
}

/* MGF1's own parameter is again an algorithm: it must name SHA-384 too. */
static bool mask_is_sha384(const X509_ALGOR *mask)
{
    const ASN1_OBJECT *what = NULL;
    const void *value = NULL;
    int type = 0;
    if (mask == NULL)
        return false;
    X509_ALGOR_get0(&what, &type, &value, mask);
    if (OBJ_obj2nid(what) != NID_mgf1 || type != V_ASN1_SEQUENCE)
        return false;
    X509_ALGOR *hash = ASN1_item_unpack(value, ASN1_ITEM_rptr(X509_ALGOR));
    bool fine = hash != NULL && OBJ_obj2nid(hash->algorithm) == NID_sha384;
    X509_ALGOR_free(hash);
    return fine;
}

/* RSASSA-PSS with SHA-384, MGF1 SHA-384, salt 48, trailer 1: a certificate cannot choose less. */
static bool is_amd_pss(const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *what = NULL;
    const void *value = NULL;
    int type = 0;
    X509_ALGOR_get0(&what, &type, &value, algorithm);
    if (OBJ_obj2nid(what) != NID_rsassaPss || type != V_ASN1_SEQUENCE)
        return false;
    OWNED(pss_drop)
    RSA_PSS_PARAMS *pss = ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
    return pss != NULL && pss->hashAlgorithm != NULL &&
           OBJ_obj2nid(pss->hashAlgorithm->algorithm) == NID_sha384 &&
           mask_is_sha384(pss->maskGenAlgorithm) && pss->saltLength != NULL &&
           ASN1_INTEGER_get(pss->saltLength) == 48 &&
           (pss->trailerField == NULL || ASN1_INTEGER_get(pss->trailerField) == 1);
}

enum outcome x509_check_issued(const struct x509 *issuer, const struct x509 *child,
                               struct error *err)
{
    static const char code[] = "chain-untrusted";
    if (!x509_is_ca(issuer))
        return fail_code(err, ERR_DENIED, code, "%s may not sign certificates", issuer->subject);
    if (X509_NAME_cmp(X509_get_subject_name(issuer->inside), X509_get_issuer_name(child->inside)) !=
        0)
        return fail_code(err, ERR_DENIED, code, "%s names another issuer than %s", child->subject,
                         issuer->subject);
    const X509_ALGOR *algorithm = NULL;
    X509_get0_signature(NULL, &algorithm, child->inside);
    if (!is_amd_pss(algorithm))
        return fail_code(err, ERR_DENIED, code, "%s is not signed with RSASSA-PSS as AMD does it",
                         child->subject);
    if ((X509_get_extension_flags(child->inside) & (EXFLAG_INVALID | EXFLAG_CRITICAL)) != 0)
        return fail_code(err, ERR_DENIED, code, "%s has extensions that cannot be honoured",
                         child->subject);
    if (X509_verify(child->inside, rsa_key_of(issuer->inside)) != 1)
        return fail_code(err, ERR_DENIED, code, "%s was not signed by this %s", child->subject,
                         issuer->subject);
    return OK;
}

int x509_extension(const struct x509 *cert, const char *oid, struct span *out)
{
    OWNED(obj_drop) ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    int times = 0;
    for (int at = -1; (at = X509_get_ext_by_OBJ(cert->inside, object, at)) >= 0; times++) {
        const ASN1_OCTET_STRING *data = X509_EXTENSION_get_data(X509_get_ext(cert->inside, at));
        *out = SPAN(ASN1_STRING_get0_data(data), (size_t)ASN1_STRING_length(data));
    }
    return times;
}

void x509_list_done(struct x509_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        x509_free(list->at[i]);
    list->count = 0;
}

void x509_list_add(struct x509_list *list, struct x509 *cert)
{
    if (list->count < X509_LIST_MAX)
        list->at[list->count++] = x509_share(cert);
}

static enum outcome list_read_der(struct x509_list *list, struct span der, struct error *err)
{
    if (list->count == X509_LIST_MAX)
        return fail_code(err, ERR_INVALID, "malformed", "more than %d certificates", X509_LIST_MAX);
    TRY(x509_from_der(der, &list->at[list->count], err));
    list->count++;
    return OK;
}

bool pem_is(struct span in)
{
    return in.len > 0 && memmem(in.at, in.len, "-----BEGIN ", 11) != NULL;
}

/* A SEQUENCE longer than 127 bytes, as all here are; text has no byte of 128 or more there, so PEM
 * with anything before it is told apart. */
static bool der_is(struct span in)
{
    return in.len > 1 && in.at[0] == 0x30 && in.at[1] > 0x80;
}

enum pem { PEM_END, PEM_WRONG, PEM_FOUND };

/* The next PEM block, as DER when it is of the wanted kind. */
static enum pem pem_next(BIO *in, const char *kind, struct bytes *out)
{
    char *name = NULL;
    char *header = NULL;
    unsigned char *data = NULL;
    long len = 0;
    ERR_clear_error();
    if (PEM_read_bio(in, &name, &header, &data, &len) != 1) {
        const bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        ERR_clear_error();
        return end ? PEM_END : PEM_WRONG;
    }
    const bool fine = strcmp(name, kind) == 0 && header[0] == '\0';
    if (fine)
        bytes_add(out, SPAN(data, (size_t)len));
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    return fine ? PEM_FOUND : PEM_WRONG;
}

static enum outcome list_read_pem(struct x509_list *list, BIO *in, struct error *err)
{
    for (size_t found = 0;; found++) {
        OWNED(bytes_done) struct bytes der = {0};
        const enum pem next = pem_next(in, "CERTIFICATE", &der);
        if (next == PEM_END && found > 0)
            return OK;
        if (next != PEM_FOUND)
            return fail_code(err, ERR_INVALID, "malformed", "not certificates in PEM");
        TRY(list_read_der(list, bytes_span(&der), err));
    }
}

enum outcome x509_list_read(struct x509_list *list, struct span in, struct error *err)
{
    if (in.len > X509_LIST_BYTES_MAX)
        return fail_code(err, ERR_INVALID, "malformed", "%zu bytes of certificates", in.len);
    if (der_is(in) || !pem_is(in))
        return list_read_der(list, in, err);
    BIO *bio = BIO_new_mem_buf(in.at, (int)in.len);
    enum outcome outcome = list_read_pem(list, bio, err);
    BIO_free(bio);
    return outcome;
}

struct crl {
    X509_CRL *inside;
};

enum outcome crl_from_bytes(struct span in, struct crl **out, struct error *err)
{
    if (in.len == 0 || in.len > CRL_DER_MAX)
        return fail_code(err, ERR_INVALID, "malformed", "a revocation list of %zu bytes", in.len);
    OWNED(bytes_done) struct bytes der = {0};
    if (!der_is(in) && pem_is(in)) {
        BIO *bio = BIO_new_mem_buf(in.at, (int)in.len);
        const enum pem next = pem_next(bio, "X509 CRL", &der);
        BIO_free(bio);
        if (next != PEM_FOUND)
            return fail_code(err, ERR_INVALID, "malformed", "not a revocation list in PEM");
        in = bytes_span(&der);
    }
    const unsigned char *at = in.at;
    X509_CRL *inside = d2i_X509_CRL(NULL, &at, (long)in.len);
    if (inside == NULL || at != in.at + in.len) {
        X509_CRL_free(inside);
        return fail_code(err, ERR_INVALID, "malformed", "not a revocation list");
    }
    struct crl *crl = NEW(struct crl);
    crl->inside = inside;
    *out = crl;
    return OK;
}

void crl_free(struct crl *crl)
{
    if (crl == NULL)
        return;
    X509_CRL_free(crl->inside);
    free(crl);
}

void crl_issuer(const struct crl *crl, char out[static X509_NAME_SIZE])
{
    common_name(X509_CRL_get_issuer(crl->inside), out);
}

bool crl_is_from(const struct crl *crl, const struct x509 *issuer)
{
    return X509_NAME_cmp(X509_CRL_get_issuer(crl->inside), X509_get_subject_name(issuer->inside)) ==
           0;
}

static bool crl_has_critical(const X509_CRL *crl)
{
    for (int i = 0; i < X509_CRL_get_ext_count(crl); i++)
        if (X509_EXTENSION_get_critical(X509_CRL_get_ext(crl, i)))
            return true;
    return false;
}

enum outcome crl_check(const struct crl *crl, const struct x509 *issuer, struct error *err)
{
    static const char code[] = "crl-untrusted";
    const X509_ALGOR *algorithm = NULL;
    X509_CRL_get0_signature(crl->inside, NULL, &algorithm);
    EVP_PKEY *key = rsa_key_of(issuer->inside);
    if (!crl_is_from(crl, issuer))
        return fail_code(err, ERR_DENIED, code, "the list is not from %s", issuer->subject);
    if (crl_has_critical(crl->inside))
        return fail_code(err, ERR_DENIED, code, "the list has extensions that cannot be honoured");
    if (!is_amd_pss(algorithm) || key == NULL || X509_CRL_verify(crl->inside, key) != 1)
        return fail_code(err, ERR_DENIED, code, "the list was not signed by this %s",
                         issuer->subject);
    return OK;
}

struct moment crl_this_update(const struct crl *crl)
{
    return moment_of(X509_CRL_get0_lastUpdate(crl->inside));
}

struct moment crl_next_update(const struct crl *crl)
{
    return moment_of(X509_CRL_get0_nextUpdate(crl->inside));
}

bool crl_lists(const struct crl *crl, const struct x509 *cert)
{
    X509_REVOKED *entry = NULL;
    return X509_CRL_get0_by_cert(crl->inside, &entry, cert->inside) != 0;
}

enum outcome p384_from_cert(const struct x509 *cert, struct p384 **out, struct error *err)
{
    if (p384_new(X509_get0_pubkey(cert->inside), out, err) != OK)
        return fail_code(err, ERR_DENIED, "bad-signature", "%s holds no P-384 key", cert->subject);
    return OK;
}
