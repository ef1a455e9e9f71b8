#include "lib/crypto/cert.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/names.h"
#include "lib/base/text.h"
#include "lib/crypto/openssl_error.h"
#include "lib/crypto/random.h"

static const char *const role_words[] = {"controller",    "keeper-link",    "keeper-sign",
                                         "keeper-import", "keeper-opinion", "keeper-passport",
                                         "guest"};
const struct names cert_role_names = NAMES("role", role_words);
_Static_assert(countof(role_words) == ROLE_COUNT);

static const char *const realm_words[] = {"production", "simulation"};
const struct names realm_names = NAMES("realm", realm_words);
_Static_assert(countof(realm_words) == REALM_COUNT);

/* Extended key usages under a UUID-derived arc (ITU-T X.667), which needs no registration. TLS
 * purposes come beside ours, so that ordinary clients accept the API's certificate. */
#define ARC "2.25.219462086349185330263519742640158349031"
static const char *const role_oids[] = {
    [ROLE_CONTROLLER] = ARC ".1",
    [ROLE_KEEPER_LINK] = ARC ".2",
    [ROLE_KEEPER_SIGN] = ARC ".3",
    [ROLE_KEEPER_IMPORT] = ARC ".4",
    [ROLE_KEEPER_OPINION] = ARC ".5",
    [ROLE_KEEPER_PASSPORT] = ARC ".6",
    [ROLE_GUEST] = NULL,
};
_Static_assert(countof(role_oids) == ROLE_COUNT);

struct cert {
    X509 *x509;
    _Atomic int owners;
};

DROP(x509_drop, X509, X509_free)
DROP(bio_drop, BIO, BIO_free)
DROP(eku_drop, EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free)

struct cert *cert_wrap(X509 *x509)
{
    struct cert *cert = NEW(struct cert);
    cert->x509 = x509;
    cert->owners = 1;
    return cert;
}

X509 *cert_inside(const struct cert *cert)
{
    return cert->x509;
}

struct cert *cert_share(struct cert *cert)
{
    cert->owners++;
    return cert;
}

void cert_free(struct cert *cert)
{
    if (cert == NULL || --cert->owners > 0)
        return;
    X509_free(cert->x509);
    free(cert);
}

static bool set_time(ASN1_TIME *at, struct moment m)
{
    return ASN1_TIME_adj(at, (time_t)moment_seconds(m), 0, 0) != NULL;
}

static bool set_serial(X509 *x509)
{
    uint8_t serial[16];
    random_fill(serial, sizeof serial);
    serial[0] &= 0x7f;
    BIGNUM *n = BN_bin2bn(serial, sizeof serial, NULL);
    bool fine = n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x509)) != NULL;
    BN_free(n);
    return fine;
}

static bool add_name(X509_NAME *name, const char *field, const char *value)
{
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value, -1,
                                      -1, 0) == 1;
}

static bool add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool fine = extension != NULL && X509_add_ext(x509, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return fine;
}

/* A version-3 certificate with everything but extensions and signature. */
static X509 *begin(const struct key *subject_key, const char *cn, const char *ou,
                   const X509_NAME *issuer, struct moment from, struct moment to)
{
    X509 *x509 = X509_new();
    bool fine =
        x509 != NULL && X509_set_version(x509, X509_VERSION_3) == 1 && set_serial(x509) &&
        set_time(X509_getm_notBefore(x509), from) && set_time(X509_getm_notAfter(x509), to) &&
        X509_set_pubkey(x509, key_inside(subject_key)) == 1 &&
        add_name(X509_get_subject_name(x509), "CN", cn) &&
        (ou == NULL || add_name(X509_get_subject_name(x509), "OU", ou)) &&
        X509_set_issuer_name(x509, issuer != NULL ? issuer : X509_get_subject_name(x509)) == 1;
    if (!fine) {
        X509_free(x509);
        return NULL;
    }
    return x509;
}

static enum outcome finish(X509 **x509, const struct key *issuer_key, bool fine, struct cert **out,
                           struct error *err)
{
    const EVP_MD *md = key_kind_of(issuer_key) == KEY_P384 ? EVP_sha384() : EVP_sha256();
    if (!fine || X509_sign(*x509, key_inside(issuer_key), md) == 0)
        return openssl_failed(err, "making a certificate");
    *out = cert_wrap(TAKE(*x509));
    return OK;
}

enum outcome cert_make_root(const struct key *root_key, enum realm realm, struct moment from,
                            struct cert **out, struct error *err)
{
    OWNED(x509_drop)
    X509 *x509 = begin(root_key, "muster root", name_of(&realm_names, (int)realm), NULL, from,
                       moment_add_seconds(from, INT64_C(86400) * ROOT_CERT_DAYS));
    bool fine = x509 != NULL &&
                add_extension(x509, x509, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                add_extension(x509, x509, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                add_extension(x509, x509, NID_subject_key_identifier, "hash");
    return finish(&x509, root_key, fine, out, err);
}

static void add_alternative_names(struct text *list, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool ip =
            strspn(names[i], "0123456789.") == strlen(names[i]) || strchr(names[i], ':') != NULL;
        text_addf(list, "%s%s:%s", i > 0 ? "," : "", ip ? "IP" : "DNS", names[i]);
    }
}

static bool add_role(X509 *x509, X509 *root, enum cert_role role, const char *const *names,
                     size_t name_count)
{
    OWNED(text_done) struct text usage = {0};
    text_addf(&usage, "critical,%s%s",
              role == ROLE_CONTROLLER    ? "serverAuth,"
              : role == ROLE_KEEPER_LINK ? "clientAuth,"
                                         : "",
              role_oids[role]);
    OWNED(text_done) struct text alternatives = {0};
    add_alternative_names(&alternatives, names, name_count);
    bool agreement = role == ROLE_KEEPER_IMPORT;
    return add_extension(x509, root, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(x509, root, NID_key_usage,
                         agreement ? "critical,keyAgreement" : "critical,digitalSignature") &&
           add_extension(x509, root, NID_ext_key_usage, text_str(&usage)) &&
           add_extension(x509, root, NID_subject_key_identifier, "hash") &&
           add_extension(x509, root, NID_authority_key_identifier, "keyid") &&
           (name_count == 0 ||
            add_extension(x509, root, NID_subject_alt_name, text_str(&alternatives)));
}

static bool names_are_plain(const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (names[i][0] == '\0' || strlen(names[i]) > 253 ||
            strspn(names[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:") !=
                strlen(names[i]))
            return false;
    return true;
}

enum outcome cert_make_role(const struct key *root_key, const struct cert *root,
                            const struct key *subject_key, enum cert_role role,
                            const char *const *names, size_t name_count, struct moment from,
                            int days, struct cert **out, struct error *err)
{
    if (role >= ROLE_GUEST || days < 1 || days > ROLE_CERT_DAYS_MAX)
        return fail(err, ERR_INVALID, "a role certificate lives 1 to %d days, not %d",
                    ROLE_CERT_DAYS_MAX, days);
    if (!names_are_plain(names, name_count))
        return fail(err, ERR_INVALID, "a certificate takes host names and addresses only");
    OWNED(text_done) struct text cn = {0};
    text_addf(&cn, "muster %s", name_of(&cert_role_names, (int)role));
    OWNED(x509_drop)
    X509 *x509 = begin(subject_key, text_str(&cn), NULL, X509_get_subject_name(root->x509), from,
                       moment_add_seconds(from, INT64_C(86400) * days));
    bool fine = x509 != NULL && add_role(x509, root->x509, role, names, name_count);
    return finish(&x509, root_key, fine, out, err);
}

enum outcome cert_make_guest(const struct key *link_key, struct cert **out, struct error *err)
{
    OWNED(x509_drop)
    X509 *x509 = begin(link_key, "muster guest", NULL, NULL, clock_at_seconds(1577836800),
                       clock_at_seconds(4102444800));
    return finish(&x509, link_key, x509 != NULL, out, err);
}

static enum outcome take(X509 *x509, struct cert **out, struct error *err)
{
    ERR_clear_error();
    if (x509 == NULL)
        return fail_code(err, ERR_INVALID, "malformed", "not a certificate");
    *out = cert_wrap(x509);
    return OK;
}

enum outcome cert_from_pem(struct span pem, struct cert **out, struct error *err)
{
    OWNED(bio_drop) BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    return take(PEM_read_bio_X509(bio, NULL, NULL, NULL), out, err);
}

enum outcome cert_list_from_pem(struct span pem, struct cert **out, size_t room, size_t *out_count,
                                struct error *err)
{
    OWNED(bio_drop) BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    size_t count = 0;
    for (X509 *x509; (x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL;) {
        if (count == room) {
            X509_free(x509);
            while (count > 0)
                cert_free(out[--count]);
            return fail_code(err, ERR_INVALID, "too-many", "more than %zu certificates", room);
        }
        out[count++] = cert_wrap(x509);
    }
    ERR_clear_error();
    if (count == 0)
        return fail_code(err, ERR_INVALID, "malformed", "no certificate in it");
    *out_count = count;
    return OK;
}

enum outcome cert_from_der(struct span der, struct cert **out, struct error *err)
{
    const unsigned char *at = der.at;
    X509 *x509 = der.len <= CERT_DER_MAX ? d2i_X509(NULL, &at, (long)der.len) : NULL;
    if (x509 != NULL && at != der.at + der.len) {
        X509_free(x509);
        x509 = NULL;
    }
    return take(x509, out, err);
}

enum outcome cert_to_pem(const struct cert *cert, struct bytes *out, struct error *err)
{
    OWNED(bio_drop) BIO *bio = BIO_new(BIO_s_mem());
    if (PEM_write_bio_X509(bio, cert->x509) != 1)
        return openssl_failed(err, "writing a certificate");
    char *at;
    long len = BIO_get_mem_data(bio, &at);
    bytes_done(out);
    bytes_add(out, SPAN(at, (size_t)len));
    return OK;
}

enum outcome cert_to_der(const struct cert *cert, struct bytes *out, struct error *err)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert->x509, &der);
    if (len <= 0)
        return openssl_failed(err, "encoding a certificate");
    bytes_done(out);
    bytes_add(out, SPAN(der, (size_t)len));
    OPENSSL_free(der);
    return OK;
}

enum outcome cert_key(const struct cert *cert, struct key **out, struct error *err)
{
    *out = key_wrap(X509_get_pubkey(cert->x509), err);
    ERR_clear_error();
    return *out != NULL ? OK : ERR_INVALID;
}

void cert_spki_sha256(const struct cert *cert, uint8_t out[static SHA256_SIZE])
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert->x509), &der);
    if (len <= 0)
        abort(); /* memory: a parsed certificate has its key's bytes */
    digest(DIGEST_SHA256, SPAN(der, (size_t)len), out);
    OPENSSL_free(der);
}

static struct moment moment_of(const ASN1_TIME *at)
{
    struct tm tm;
    return ASN1_TIME_to_tm(at, &tm) == 1 ? clock_at_seconds(timegm(&tm)) : (struct moment){0};
}

struct moment cert_not_after(const struct cert *cert)
{
    return moment_of(X509_get0_notAfter(cert->x509));
}

enum outcome cert_realm(const struct cert *root, enum realm *out, struct error *err)
{
    char word[32] = "";
    if (X509_NAME_get_text_by_NID(X509_get_subject_name(root->x509), NID_organizationalUnitName,
                                  word, sizeof word) < 0)
        return fail_code(err, ERR_INVALID, "no-realm", "the root certificate names no realm");
    int realm;
    TRY(name_parse(&realm_names, word, &realm, err));
    *out = (enum realm)realm;
    return OK;
}

static bool has_usage(const EXTENDED_KEY_USAGE *usages, const char *oid)
{
    for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
        char text[80];
        OBJ_obj2txt(text, sizeof text, sk_ASN1_OBJECT_value(usages, i), 1);
        if (strcmp(text, oid) == 0)
            return true;
    }
    return false;
}

/* Which of Muster's roles does the certificate name? A mask, for one that names two is refused. */
static unsigned roles_of(const struct cert *cert)
{
    OWNED(eku_drop)
    EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(cert->x509, NID_ext_key_usage, NULL, NULL);
    unsigned mask = 0;
    for (int role = 0; usages != NULL && role < ROLE_GUEST; role++)
        if (has_usage(usages, role_oids[role]))
            mask |= 1U << role;
    return mask;
}

enum cert_role cert_claimed_role(const struct cert *cert)
{
    unsigned mask = roles_of(cert);
    for (int role = 0; role < ROLE_GUEST; role++)
        if ((mask & 1U << role) != 0)
            return (enum cert_role)role;
    return ROLE_GUEST;
}

static const struct cert *issuer_among(const struct cert *cert, struct cert *const *roots,
                                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        EVP_PKEY *key = X509_get0_pubkey(roots[i]->x509);
        bool issued = X509_check_issued(roots[i]->x509, cert->x509) == X509_V_OK && key != NULL &&
                      X509_verify(cert->x509, key) == 1;
        ERR_clear_error();
        if (issued)
            return roots[i];
    }
    return NULL;
}

static enum outcome check_times(const struct cert *cert, struct moment at, struct error *err)
{
    struct moment from = moment_of(X509_get0_notBefore(cert->x509));
    struct moment to = moment_of(X509_get0_notAfter(cert->x509));
    if (at.us < from.us)
        return fail_code(err, ERR_DENIED, "cert-not-yet-valid", "valid from %s",
                         moment_text(from).at);
    if (at.us >= to.us)
        return fail_code(err, ERR_DENIED, "cert-expired", "expired %s", moment_text(to).at);
    return OK;
}

static enum outcome check_guest(const struct cert *cert, struct error *err)
{
    OWNED(key_drop) struct key *key = NULL;
    if (cert_key(cert, &key, NULL) != OK || key_kind_of(key) != KEY_P256)
        return fail_code(err, ERR_DENIED, "cert-invalid", "a guest's key is a P-256 one");
    bool self = X509_verify(cert->x509, key_inside(key)) == 1;
    ERR_clear_error();
    if (!self || roles_of(cert) != 0)
        return fail_code(err, ERR_DENIED, self ? "wrong-role" : "cert-invalid",
                         "not a guest's self-signed certificate");
    return OK;
}

enum outcome cert_check_role(const struct cert *cert, enum cert_role role,
                             struct cert *const *roots, size_t root_count, struct moment at,
                             struct error *err)
{
    if (role == ROLE_GUEST)
        return check_guest(cert, err);
    const struct cert *root = issuer_among(cert, roots, root_count);
    if (root == NULL)
        return fail_code(err, ERR_DENIED, "wrong-root", "not issued by the deployment root");
    if (roles_of(cert) != 1U << role)
        return fail_code(err, ERR_DENIED, "wrong-role", "not a %s certificate",
                         name_of(&cert_role_names, (int)role));
    TRY(check_times(root, at, err));
    TRY(check_times(cert, at, err));
    int64_t lives = moment_seconds_between(moment_of(X509_get0_notBefore(cert->x509)),
                                           moment_of(X509_get0_notAfter(cert->x509)));
    if (X509_check_ca(cert->x509) != 0 || lives > INT64_C(86400) * ROLE_CERT_DAYS_MAX)
        return fail_code(err, ERR_DENIED, "cert-invalid", "a CA, or valid for over %d days",
                         ROLE_CERT_DAYS_MAX);
    return OK;
}
