/* The envelope in which a secret travels to one guest (trust.md section 7): CMS SignedData by the
 * keeper, over header and payload, inside CMS AuthEnvelopedData to the guest's sealing key. AES-256
 * in GCM, ephemeral-static P-256, key derivation with SHA-256, AES-256 key wrap, ECDSA with
 * SHA-256: any other algorithm, and any other shape, is refused before a key is touched.
 *
 * To an RSA key, which enclaves have, the outer form is that of AWS's key service: EnvelopedData,
 * RSAES-OAEP and MGF1 with SHA-256, AES-256 in CBC, in BER (doc/decisions/0018).
 *
 * The controller carries envelopes and learns nothing from them.
 */
#ifndef MUSTER_CRYPTO_SEAL_H
#define MUSTER_CRYPTO_SEAL_H

#include "lib/base/record.h"
#include "lib/crypto/cert.h"

enum {
    SEAL_NAME_SIZE = 64,
    SEAL_SALT_SIZE = 32,
    SEAL_PAYLOAD_MAX = 256 * 1024,
    SEAL_ENVELOPE_MAX = SEAL_PAYLOAD_MAX + 16 * 1024,
};

#define SEAL_PURPOSE_SECRET "secret"     /* the payload is a secret's plaintext */
#define SEAL_PURPOSE_FORGET "forget"     /* no payload: an order to remove the named secret */
#define SEAL_PURPOSE_PASSPORT "passport" /* a token; the salt is the nonce that asked for it */

/* What the payload is, for whom, and by which right. Signed, and seen by the guest only. */
struct seal_header {
    char purpose[32];
    uint8_t deployment[SHA256_SIZE]; /* SHA-256 of the root's SubjectPublicKeyInfo */
    struct uuid instance;
    uint8_t anchor[SHA256_SIZE]; /* zero: not bound to one machine */
    uint8_t sealing_key[SHA256_SIZE];
    struct uuid delivery;
    struct uuid secret;
    char name[SEAL_NAME_SIZE];
    char kind[32];
    int64_t version;
    char grant[SEAL_NAME_SIZE];
    struct uuid verdict;
    int64_t sequence; /* grows per instance */
    uint8_t salt[SEAL_SALT_SIZE];
};
extern const struct record seal_header_record;

/* `signer` and its keeper-sign certificate; `sealing_key` may be public only. */
enum outcome seal_to(const struct key *sealing_key, const struct seal_header *header,
                     struct span payload, const struct key *signer, const struct cert *signer_cert,
                     struct bytes *out, struct error *err);

/* What the guest holds an envelope against. */
struct seal_expected {
    const char *purpose;
    struct uuid instance;
    int64_t after_sequence;    /* the highest one it has obeyed */
    struct cert *const *roots; /* current and next */
    size_t root_count;
    struct moment at; /* the guest's own clock; advisory, for it belongs to the host */
};

/* ERR_INVALID "envelope-malformed"; ERR_DENIED "envelope-algorithm", "envelope-not-ours" (sealed
 * to another key), "bad-signature", the codes of cert_check_role(), "wrong-purpose",
 * "wrong-deployment", "wrong-instance", "wrong-sealing-key", "old-sequence". Of an envelope to an
 * RSA key nothing but "envelope-not-ours" is told until the keeper's signature was found good.
 * `sealing_key` is the private one. */
enum outcome seal_open(struct span envelope, const struct key *sealing_key,
                       const struct seal_expected *expected, struct seal_header *out_header,
                       struct locked *out_payload, struct error *err);

/* SHA-256(salt || plaintext): proves that the right bytes were opened and lets nobody guess a short
 * one. */
void seal_check(struct span salt, struct span plain, uint8_t out[static SHA256_SIZE]);

#endif
