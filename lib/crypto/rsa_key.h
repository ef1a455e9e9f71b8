/* RSA-2048 with PKCS #1 v1.5 and SHA-256: how the attestation keys of TPMs sign. Nothing of ours
 * does. */
#ifndef MUSTER_CRYPTO_RSA_KEY_H
#define MUSTER_CRYPTO_RSA_KEY_H

#include "lib/base/bytes.h"

enum { RSA_KEY_SIZE = 256 };

/* Modulus and exponent, big-endian, as in a JSON Web Key. ERR_INVALID "unsupported-key": not of
 * 2,048 bits, or another exponent than 65537. ERR_DENIED "bad-signature". */
enum outcome rsa_key_verify(struct span modulus, struct span exponent, struct span message,
                            struct span signature, struct error *err);

#endif
