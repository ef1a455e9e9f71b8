/* CBOR (RFC 8949), one item at a time and never a tree: whoever reads says what must come next, so
 * there is no recursion, nothing is allocated, and a declared length is only compared with what is
 * left. The door to libcbor's streaming decoder. */
#ifndef MUSTER_ATTEST_CBOR_READER_H
#define MUSTER_ATTEST_CBOR_READER_H

#include "lib/base/bytes.h"

enum cbor_kind {
    CBOR_UNSIGNED, /* value */
    CBOR_NEGATIVE, /* -1 - value */
    CBOR_BYTES,    /* bytes; of definite length only */
    CBOR_TEXT,
    CBOR_LIST,    /* value items follow, or until CBOR_BREAK when indefinite */
    CBOR_PAIRS,   /* value pairs follow, likewise */
    CBOR_TAGGED,  /* value is the tag, what it marks follows */
    CBOR_NOTHING, /* null */
    CBOR_BREAK,
    CBOR_OTHER, /* floats, booleans, strings in chunks: well formed, and nothing we read */
};

struct cbor_item {
    enum cbor_kind kind;
    uint64_t value;
    bool indefinite;
    struct span bytes; /* borrowed from the input */
};

/* Takes one item from the front of `in`. False: malformed, or it ends in the middle. */
bool cbor_next(struct span *in, struct cbor_item *out);

/* The same, and it must be of this kind. */
bool cbor_expect(struct span *in, enum cbor_kind kind, struct cbor_item *out);

/* Walks a list or map whose head was read: is there another entry? False at the end, which for an
 * indefinite one is the break that this takes. `*done` counts the entries begun so far. */
bool cbor_more(struct span *in, const struct cbor_item *head, uint64_t *done);

#endif
