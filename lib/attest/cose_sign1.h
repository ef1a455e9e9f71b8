/* COSE_Sign1 (RFC 9052 section 4.2) as the Nitro security module makes it: ES384, the algorithm in
 * the protected header and nothing else in either header. */
#ifndef MUSTER_ATTEST_COSE_SIGN1_H
#define MUSTER_ATTEST_COSE_SIGN1_H

#include "lib/base/bytes.h"

enum { COSE_PAYLOAD_MAX = 16384, COSE_SIGNATURE_SIZE = 96 };

struct cose_sign1 {
    bool tagged; /* tag 18 stood in front */
    struct span protected_header;
    struct span payload;
    struct span signature; /* r || s, big-endian */
};

/* All borrowed from `in`. ERR_INVALID "malformed"; "unsupported-algorithm": well formed, but not
 * ES384 by its protected header. */
enum outcome cose_sign1_read(struct span in, struct cose_sign1 *out, struct error *err);

/* Sig_structure: the bytes that were signed. */
void cose_sign1_signed_bytes(const struct cose_sign1 *cose, struct bytes *out);

#endif
