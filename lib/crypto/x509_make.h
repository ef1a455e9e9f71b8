/* Certificates and revocation lists in the chip maker's manner, for the simulator and for tests:
 * RSA-4096 signers, RSASSA-PSS with SHA-384, free extensions. Reading them is lib/crypto/x509. */
#ifndef MUSTER_CRYPTO_X509_MAKE_H
#define MUSTER_CRYPTO_X509_MAKE_H

#include "lib/base/clock.h"
#include "lib/crypto/sign.h"

struct maker; /* an RSA-4096 key that signs as AMD's do */

enum outcome maker_generate(struct maker **out, struct error *err); /* seconds */
enum outcome maker_from_pem(struct span pem, struct maker **out, struct error *err);
enum outcome maker_to_pem(const struct maker *maker, struct bytes *out, struct error *err);
void maker_free(struct maker *maker);
DROP(maker_drop, struct maker, maker_free)

enum { X509_EXTRAS_MAX = 16 };

struct x509_extra {
    const char *oid;   /* dotted */
    struct span value; /* what stands inside the extension's OCTET STRING */
};

struct x509_wish {
    const char *subject; /* common names; organisation and the rest are fixed */
    const char *issuer;
    const char *organisation;
    uint64_t serial;
    struct moment from;
    struct moment to;
    bool ca;
    size_t extra_count;
    struct x509_extra extras[X509_EXTRAS_MAX];
};

/* For a signer's key (roots and intermediates), or for a P-384 key. DER. */
enum outcome x509_make_for_maker(const struct maker *issuer, const struct maker *subject,
                                 const struct x509_wish *wish, struct bytes *out,
                                 struct error *err);
enum outcome x509_make_for_key(const struct maker *issuer, const struct key *subject,
                               const struct x509_wish *wish, struct bytes *out, struct error *err);

/* A list that revokes these serials; no `to`: it names no next update. DER. */
enum outcome crl_make(const struct maker *issuer, const char *issuer_name, const char *organisation,
                      struct moment from, struct moment to, const uint64_t *serials, size_t count,
                      struct bytes *out, struct error *err);

/* Values for extensions. */
void der_add_integer(struct bytes *out, uint32_t value);
void der_add_ia5(struct bytes *out, const char *text); /* at most 127 bytes */

/* DER to "-----BEGIN CERTIFICATE-----", appended. */
void pem_add_certificate(struct bytes *out, struct span der);

#endif
