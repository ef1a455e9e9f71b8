/* The few items of CBOR that we write (RFC 8949), each with the shortest head. */
#ifndef MUSTER_ATTEST_CBOR_WRITER_H
#define MUSTER_ATTEST_CBOR_WRITER_H

#include "lib/base/bytes.h"

void cbor_add_pairs(struct bytes *out, uint8_t count); /* the head of a map of at most 23 pairs */
void cbor_add_text(struct bytes *out, const char *text);
void cbor_add_bytes(struct bytes *out, struct span value); /* of at most 65,535 bytes */
void cbor_add_nothing(struct bytes *out);                  /* null */

#endif
