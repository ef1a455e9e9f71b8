/* An anchor as the keeper remembers it: kind and value under one hash. */
#ifndef MUSTER_ATTEST_ANCHOR_H
#define MUSTER_ATTEST_ANCHOR_H

#include "lib/base/bytes.h"
#include "lib/model/verdict.h"

void anchor_hash(enum anchor_kind kind, struct span value, uint8_t out[static ANCHOR_HASH_SIZE]);

#endif
