/* AES-256-GCM under a random nonce: what the keeper stores and wraps with. Output is nonce[12] ||
 * ciphertext || tag[16]. With random nonces a key serves at most 2^32 messages; data keys here
 * serve one, and a wrapping key's user counts nothing near that. */
#ifndef MUSTER_CRYPTO_AEAD_H
#define MUSTER_CRYPTO_AEAD_H

#include "lib/crypto/locked.h"

enum { AEAD_KEY_SIZE = 32, AEAD_NONCE_SIZE = 12, AEAD_TAG_SIZE = 16 };
enum { AEAD_OVERHEAD = AEAD_NONCE_SIZE + AEAD_TAG_SIZE };

enum outcome aead_new_key(struct locked *out, struct error *err);

/* Adds to `out`. */
enum outcome aead_seal(const struct locked *key, struct span associated, struct span plain,
                       struct bytes *out, struct error *err);
/* ERR_DENIED "does-not-open": another key, other associated data, or changed on the way. */
enum outcome aead_open(const struct locked *key, struct span associated, struct span sealed,
                       struct locked *out, struct error *err);

#endif
