/* Muster's own certificates (trust.md section 3): one offline deployment root (P-384) certifies
 * roles by extended key usage, for at most 90 days. A guest's certificate is self-made; what it is
 * worth is decided by attestation. */
#ifndef MUSTER_CRYPTO_CERT_H
#define MUSTER_CRYPTO_CERT_H

#include "lib/base/clock.h"
#include "lib/crypto/sign.h"

enum cert_role {
    ROLE_CONTROLLER,  /* TLS server on the link and the API; certificate names localhost or hosts */
    ROLE_KEEPER_LINK, /* TLS client on the link */
    ROLE_KEEPER_SIGN, /* verdicts, envelopes */
    ROLE_KEEPER_IMPORT,   /* what importers seal to */
    ROLE_KEEPER_OPINION,  /* opinions, which open nothing */
    ROLE_KEEPER_PASSPORT, /* passports, each for one relying party */
    ROLE_GUEST,           /* self-made: no chain at all */
    ROLE_COUNT
};

extern const struct names cert_role_names; /* "controller", "keeper-link", ... */

enum realm { REALM_PRODUCTION, REALM_SIMULATION, REALM_COUNT };
extern const struct names realm_names; /* "production", "simulation" */

enum { ROLE_CERT_DAYS_MAX = 90, ROOT_CERT_DAYS = 3650, CERT_DER_MAX = 4096 };

struct cert; /* reference counted */

/* The root: CN "muster root", realm in its subject (OU). */
enum outcome cert_make_root(const struct key *root_key, enum realm realm, struct moment from,
                            struct cert **out, struct error *err);
/* A role under the root. `names` are DNS names or IP addresses for ROLE_CONTROLLER, else empty. */
enum outcome cert_make_role(const struct key *root_key, const struct cert *root,
                            const struct key *subject_key, enum cert_role role,
                            const char *const *names, size_t name_count, struct moment from,
                            int days, struct cert **out, struct error *err);
/* A guest's own, self-signed, valid from 2020 to 2100 because a guest has no clock to trust. */
enum outcome cert_make_guest(const struct key *link_key, struct cert **out, struct error *err);

struct cert *cert_share(struct cert *cert);
void cert_free(struct cert *cert);
DROP(cert_drop, struct cert, cert_free)

enum outcome cert_from_pem(struct span pem, struct cert **out, struct error *err);
/* Several, one after the other, such as the current and the next root; at least one. */
enum outcome cert_list_from_pem(struct span pem, struct cert **out, size_t room, size_t *out_count,
                                struct error *err);
enum outcome cert_from_der(struct span der, struct cert **out, struct error *err);
enum outcome cert_to_pem(const struct cert *cert, struct bytes *out, struct error *err);
enum outcome cert_to_der(const struct cert *cert, struct bytes *out, struct error *err);

enum outcome cert_key(const struct cert *cert, struct key **out, struct error *err);
void cert_spki_sha256(const struct cert *cert, uint8_t out[static SHA256_SIZE]);
struct moment cert_not_after(const struct cert *cert);
enum outcome cert_realm(const struct cert *root, enum realm *out, struct error *err);

/* Is `cert` a `role` certificate directly under one of the roots (current and next), valid at `at`?
 * ERR_DENIED with "wrong-root", "wrong-role", "cert-expired", "cert-not-yet-valid" or
 * "cert-invalid" (bad signature, more than 90 days, a CA). ROLE_GUEST: any self-signed P-256 one.
 */
enum outcome cert_check_role(const struct cert *cert, enum cert_role role,
                             struct cert *const *roots, size_t root_count, struct moment at,
                             struct error *err);
/* The role that a certificate claims (its EKU), ROLE_GUEST when it claims none. Not yet checked. */
enum cert_role cert_claimed_role(const struct cert *cert);

/* For the other files of lib/crypto and link_tls only. */
struct x509_st *cert_inside(const struct cert *cert);
struct cert *cert_wrap(struct x509_st *x509); /* takes over */

#endif
