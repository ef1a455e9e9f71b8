/* What TPMs say of keys and signatures (TPM 2.0 Library, part 2): TPMT_PUBLIC, section 12.2.4, and
 * TPMT_SIGNATURE, section 11.3.4, big-endian. Attestation keys are RSA of 2,048 bits with RSASSA or
 * on P-256 with ECDSA, each with SHA-256; other keys are only told apart. */
#ifndef MUSTER_ATTEST_TPM_KEY_H
#define MUSTER_ATTEST_TPM_KEY_H

#include "lib/base/bytes.h"

enum { TPM_PUBLIC_MAX = 1024, TPM_SIGNATURE_MAX = 1024 };

enum tpm_key_kind { TPM_KEY_OTHER, TPM_KEY_RSA_2048, TPM_KEY_P256 };

/* Borrowed from the input. */
struct tpm_public {
    struct span whole; /* the structure itself */
    enum tpm_key_kind kind;
    uint32_t attributes; /* TPMA_OBJECT */
    struct span modulus; /* RSA */
    struct span x, y;    /* elliptic curve */
};

/* Takes one from the front of `in`. ERR_INVALID "malformed". */
enum outcome tpm_public_next(struct span *in, struct tpm_public *out, struct error *err);
/* Exactly one. */
enum outcome tpm_public_read(struct span in, struct tpm_public *out, struct error *err);

/* Signs what its TPM made and nothing that its user brings, and never left that TPM. */
bool tpm_public_attests(const struct tpm_public *key);
/* Opens what is sealed to it, as endorsement and storage keys do, and signs nothing. */
bool tpm_public_decrypts(const struct tpm_public *key);

/* As DER SubjectPublicKeyInfo. ERR_INVALID "unsupported-key". */
enum outcome tpm_public_spki(const struct tpm_public *key, struct bytes *out, struct error *err);

/* `signature` is a whole TPMT_SIGNATURE over SHA-256 of the message. ERR_INVALID "malformed" or
 * "unsupported-key", ERR_DENIED "bad-signature". */
enum outcome tpm_public_verify(const struct tpm_public *key, struct span message,
                               struct span signature, struct error *err);

#endif
