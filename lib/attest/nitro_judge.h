/* A Nitro document, roots, policy and a time in; a verdict with every check listed out. Pure, like
 * judge(). The order: format, path to the pinned root, dates, signature, what it is
 * bound to, policy. Revocation lists
 * are not looked at: AWS says to leave them off, for a leaf lives three hours. */
#ifndef MUSTER_ATTEST_NITRO_JUDGE_H
#define MUSTER_ATTEST_NITRO_JUDGE_H

#include "lib/base/clock.h"
#include "lib/crypto/digest.h"
#include "lib/model/policy.h"
#include "lib/model/verdict.h"

enum { NITRO_ROOTS_MAX = 8 };

/* SHA-256 of whole root certificates; the certificates come with the documents. */
struct nitro_roots {
    bool custom;
    size_t count;
    uint8_t sha256[NITRO_ROOTS_MAX][SHA256_SIZE];
};

/* AWS's own, aws.nitro-enclaves, 2019 to 2049. */
extern const struct nitro_roots nitro_roots_aws;

/* Adds every certificate of a blob, DER or PEM, and marks the roots as custom. ERR_INVALID. */
enum outcome nitro_roots_add(struct nitro_roots *roots, struct span blob, struct error *err);

struct nitro_input {
    struct span document;
    bool of_tpm; /* a NitroTPM's is wanted, else an enclave's */
    const struct nitro_roots *roots;
    const struct policy *policy; /* NULL: authenticity only */
    bool has_nonce;
    struct span nonce;
    bool bound;             /* then the next two must be the document's */
    struct span public_key; /* not of a NitroTPM's, which takes RSA keys only */
    struct span user_data;
    struct moment at;
    struct standing standing;
};

void nitro_judge(const struct nitro_input *input, struct verdict *out);

#endif
