/* Just enough strict DER to walk a structure whose shape is fixed: definite lengths in their
 * shortest form, low tags. Errors are remembered as in struct reader. */
#ifndef MUSTER_CRYPTO_DER_H
#define MUSTER_CRYPTO_DER_H

#include "lib/base/bytes.h"

enum {
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_CONTEXT = 0x80,     /* | number: primitive */
    DER_CONSTRUCTED = 0xa0, /* | number */
};

/* Content of the next element, which must have this tag; empty and `ran_short` otherwise. */
struct span der_next(struct reader *r, unsigned tag);
/* A reader over the content of the next element. A bad one inside is the inner reader's to say. */
struct reader der_enter(struct reader *r, unsigned tag);
/* The tag of the next element, 0 at the end. */
unsigned der_peek(const struct reader *r);
/* Is the next element exactly these bytes (tag and length included)? Steps over it. */
bool der_is(struct reader *r, struct span element);

#endif
