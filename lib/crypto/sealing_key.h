/* The keys that secrets are sealed to: P-256, or RSA where the guest is an enclave, for AWS's form
 * of envelope (lib/crypto/seal.h) knows nothing else. RSA is read here alone and signs nothing. */
#ifndef MUSTER_CRYPTO_SEALING_KEY_H
#define MUSTER_CRYPTO_SEALING_KEY_H

#include "lib/crypto/sign.h"

enum { SEALING_RSA_LEAST = 2048, SEALING_RSA_MOST = 4096, SEALING_SPKI_MAX = 560 };

/* From the DER SubjectPublicKeyInfo, in its one form. ERR_INVALID "unsupported-key": another kind
 * of key, RSA of fewer or more bits or with another exponent than 65537, another form. */
enum outcome sealing_key_read(struct span spki, struct key **out, struct error *err);

#endif
