/* Many P-384 signatures under one key, as when a fleet's reports come from one VLEK: what OpenSSL
 * needs for a verification is made once and used again, so that the arithmetic is all it costs. Not
 * for two threads at once. */
#ifndef MUSTER_CRYPTO_P384_H
#define MUSTER_CRYPTO_P384_H

#include "lib/crypto/digest.h"

enum { P384_NUMBER_SIZE = 48 };

struct p384;
struct evp_pkey_st;

/* ERR_DENIED "bad-signature": not a key on P-384. `key` is a loan. */
enum outcome p384_new(struct evp_pkey_st *key, struct p384 **out, struct error *err);
void p384_free(struct p384 *key);
DROP(p384_drop, struct p384, p384_free)

/* SHA-384 over the message; r and s are big-endian, 1 <= r, s < n. */
bool p384_verify(struct p384 *key, struct span message, const uint8_t r[static P384_NUMBER_SIZE],
                 const uint8_t s[static P384_NUMBER_SIZE]);

/* Over a digest that is there already. */
bool p384_verify_digest(struct p384 *key, const uint8_t hash[static SHA384_SIZE],
                        const uint8_t r[static P384_NUMBER_SIZE],
                        const uint8_t s[static P384_NUMBER_SIZE]);

#endif
