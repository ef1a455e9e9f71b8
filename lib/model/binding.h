/* What ties evidence to one nonce, two keys, one root and one instance (trust.md section 4); and,
 * where a guest shows it to others, to their nonce and the guest's link key. */
#ifndef MUSTER_MODEL_BINDING_H
#define MUSTER_MODEL_BINDING_H

#include "lib/base/names.h"
#include "lib/base/uuid.h"
#include "lib/crypto/sign.h"

/* The number is part of the binding: never renumber. */
enum evidence_kind {
    EVIDENCE_NONE,
    EVIDENCE_SNP,
    EVIDENCE_SNP_AZURE,
    EVIDENCE_SNP_VTPM,
    EVIDENCE_NITRO,
    EVIDENCE_SIMULATED,
    EVIDENCE_KIND_COUNT
};
extern const struct names evidence_kind_names; /* "none", "snp", "snp-azure", ... */

/* Enclaves have an RSA key, for the envelopes they know are those of AWS's key service. */
enum key_kind evidence_sealing_kind(enum evidence_kind kind);

enum { NONCE_SIZE = 32, BINDING_SIZE = SHA512_SIZE };

struct binding {
    enum evidence_kind kind;
    uint8_t nonce[NONCE_SIZE];
    uint8_t link_key[SHA256_SIZE]; /* SHA-256 of the DER SubjectPublicKeyInfo, like the next two */
    uint8_t sealing_key[SHA256_SIZE];
    uint8_t root_key[SHA256_SIZE];
    struct uuid instance;
    struct span rest; /* the bytes as sent: hashed, never re-serialised */
};

void binding_digest(const struct binding *binding, uint8_t out[static BINDING_SIZE]);

enum { SHOWN_NONCE_LEAST = 16, SHOWN_NONCE_MOST = 64 };

/* What evidence answers that a guest shows to a relying party. The nonce is of somebody else's
 * choice; no choice makes the digest a binding (doc/decisions/0017). */
struct shown {
    enum evidence_kind kind;
    struct span nonce;             /* SHOWN_NONCE_LEAST to SHOWN_NONCE_MOST bytes */
    uint8_t link_key[SHA256_SIZE]; /* of the DER SubjectPublicKeyInfo */
};

void shown_digest(const struct shown *shown, uint8_t out[static BINDING_SIZE]);

#endif
