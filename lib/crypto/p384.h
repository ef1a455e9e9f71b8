/* Many P-384 signatures under one key, as when a fleet's reports come from one VLEK. The first go
 * to OpenSSL's own verification; a key that comes again and again gets a table of its multiples,
 * so that a verification is additions only. Verification works on public numbers, so nothing here
 * needs constant time. doc/decisions/0004 has the figures. Not for two threads at once. */
#ifndef MUSTER_CRYPTO_P384_H
#define MUSTER_CRYPTO_P384_H

#include "lib/crypto/digest.h"

enum {
    P384_NUMBER_SIZE = 48,
    P384_USES_BEFORE_TABLE = 16,
    P384_TABLES_MAX = 64,       /* in one process, about 0.6 MB each */
    P384_CROSS_CHECK_EACH = 64, /* so many of what a table accepts are verified by OpenSSL too */
};

struct p384;
struct evp_pkey_st;

/* ERR_DENIED "bad-signature": not a key on P-384. `key` is a loan. */
enum outcome p384_new(struct evp_pkey_st *key, struct p384 **out, struct error *err);
void p384_free(struct p384 *key);
DROP(p384_drop, struct p384, p384_free)

/* SHA-384 over the message; r and s are big-endian, 1 <= r, s < n. */
bool p384_verify(struct p384 *key, struct span message, const uint8_t r[static P384_NUMBER_SIZE],
                 const uint8_t s[static P384_NUMBER_SIZE]);

/* For tests: over a digest, each way by itself. The table is made when it is not there. */
bool p384_verify_plain(struct p384 *key, const uint8_t hash[static SHA384_SIZE],
                       const uint8_t r[static P384_NUMBER_SIZE],
                       const uint8_t s[static P384_NUMBER_SIZE]);
bool p384_verify_table(struct p384 *key, const uint8_t hash[static SHA384_SIZE],
                       const uint8_t r[static P384_NUMBER_SIZE],
                       const uint8_t s[static P384_NUMBER_SIZE]);

#endif
