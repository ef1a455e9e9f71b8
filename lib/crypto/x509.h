/* The chip maker's certificates and revocation lists: read, chained and asked for extensions. AMD
 * signs everything with RSASSA-PSS over RSA-4096 (SHA-384, MGF1 SHA-384, salt 48) and certifies
 * P-384 keys; nothing else is accepted here. Muster's own certificates are lib/crypto/cert. */
#ifndef MUSTER_CRYPTO_X509_H
#define MUSTER_CRYPTO_X509_H

#include "lib/base/clock.h"
#include "lib/crypto/digest.h"
#include "lib/crypto/p384.h"

enum {
    X509_DER_MAX = 8 * 1024,
    X509_NAME_SIZE = 64,
    X509_LIST_MAX = 32,
    X509_LIST_BYTES_MAX = 128 * 1024, /* as it comes, which may be PEM */
    CRL_DER_MAX = 256 * 1024,
};

struct x509; /* one certificate; immutable, reference counted */

/* Exactly one certificate and nothing after it. ERR_INVALID "malformed". */
enum outcome x509_from_der(struct span der, struct x509 **out, struct error *err);
struct x509 *x509_share(struct x509 *cert);
void x509_free(struct x509 *cert);
DROP(x509_drop, struct x509, x509_free)

struct span x509_der(const struct x509 *cert); /* as received */
void x509_sha256(const struct x509 *cert, uint8_t out[static SHA256_SIZE]);
/* Common names; "" when there is none, more than one, or one that is not short printable text. */
const char *x509_subject(const struct x509 *cert);
const char *x509_issuer(const struct x509 *cert);
struct moment x509_not_before(const struct x509 *cert);
struct moment x509_not_after(const struct x509 *cert);

/* May it sign certificates (CA, keyCertSign where key usage is given, RSA of 4096 bits)? */
bool x509_is_ca(const struct x509 *cert);

/* Did `issuer` sign `child`? Names, algorithm parameters, signature and critical extensions; not
 * the dates. ERR_DENIED "chain-untrusted" with what is wrong. */
enum outcome x509_check_issued(const struct x509 *issuer, const struct x509 *child,
                               struct error *err);

/* The value of the extension with this dotted OID. Gives how often it occurs: 0, 1 or more. */
int x509_extension(const struct x509 *cert, const char *oid, struct span *out);

/* A list of certificates as they come in files: one in DER, or any number in PEM with anything
 * between them (CRLF too). */
struct x509_list {
    size_t count;
    struct x509 *at[X509_LIST_MAX];
};
void x509_list_done(struct x509_list *list);
void x509_list_add(struct x509_list *list, struct x509 *cert); /* shares; full: not added */
/* Adds to the list. ERR_INVALID "malformed": unreadable, empty, or the list would overflow. */
enum outcome x509_list_read(struct x509_list *list, struct span in, struct error *err);
bool pem_is(struct span in);

/* Revocation lists, DER or PEM. */
struct crl;
enum outcome crl_from_bytes(struct span in, struct crl **out, struct error *err);
void crl_free(struct crl *crl);
DROP(crl_drop, struct crl, crl_free)
void crl_issuer(const struct crl *crl, char out[static X509_NAME_SIZE]); /* as x509_issuer() */
bool crl_is_from(const struct crl *crl, const struct x509 *issuer);      /* by name only */
/* Signed by `issuer`, complete (no delta, no critical extension). ERR_DENIED "crl-untrusted". */
enum outcome crl_check(const struct crl *crl, const struct x509 *issuer, struct error *err);
struct moment crl_this_update(const struct crl *crl);
struct moment crl_next_update(const struct crl *crl); /* none when it names none */
bool crl_lists(const struct crl *crl, const struct x509 *cert);

/* The verifier for what the certified key signs. ERR_DENIED "bad-signature": not a P-384 key. */
enum outcome p384_from_cert(const struct x509 *cert, struct p384 **out, struct error *err);

/* For the other files of lib/crypto only. */
struct x509_st *x509_inside(const struct x509 *cert);

#endif
