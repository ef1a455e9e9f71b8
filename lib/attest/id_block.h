/* The ID block that a host may give a launch (AMD 56860, SNP_LAUNCH_FINISH): the digest a guest
 * must have, signed by its owner. Its key's digest then stands in every report. */
#ifndef MUSTER_ATTEST_ID_BLOCK_H
#define MUSTER_ATTEST_ID_BLOCK_H

#include "lib/attest/launch_digest.h"
#include "lib/crypto/sign.h"

enum { ID_BLOCK_SIZE = 96, ID_FAMILY_SIZE = 16 };

struct id_block {
    uint8_t launch_digest[LAUNCH_DIGEST_SIZE];
    uint8_t family_id[ID_FAMILY_SIZE];
    uint8_t image_id[ID_FAMILY_SIZE];
    uint32_t guest_svn;
    uint64_t policy;
};

void id_block_print(const struct id_block *block, uint8_t out[static ID_BLOCK_SIZE]);

/* ID_KEY_DIGEST or AUTHOR_KEY_DIGEST of a report: SHA-384 of the public key as the firmware lays it
 * out. The key must be a P-384 one: ERR_INVALID "unsupported-key". */
enum outcome id_key_digest(const struct key *key, uint8_t out[static SHA384_SIZE],
                           struct error *err);

#endif
