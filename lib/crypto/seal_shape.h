/* The one shape that an envelope may have, checked byte by byte before OpenSSL parses it: which
 * algorithms, one recipient, one signer. Used by seal.c only. */
#ifndef MUSTER_CRYPTO_SEAL_SHAPE_H
#define MUSTER_CRYPTO_SEAL_SHAPE_H

#include "lib/crypto/sign.h"

enum { SEAL_KEY_ID_SIZE = 20 }; /* the first bytes of the sealing key's fingerprint */

/* AuthEnvelopedData (RFC 5083) to this key, or EnvelopedData (RFC 5652) where it is an RSA key. */
enum outcome seal_check_outer(struct span envelope, const struct key *sealing_key,
                              struct error *err);
/* SignedData (RFC 5652). */
enum outcome seal_check_signed(struct span signed_data, struct error *err);

#endif
