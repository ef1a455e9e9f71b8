/* k*P for a fixed point P of P-384 by additions alone: a table holds every digit of every window
 * of k, times P. Only lib/crypto/p384.c uses it. */
#ifndef MUSTER_CRYPTO_P384_COMB_H
#define MUSTER_CRYPTO_P384_COMB_H

#include <openssl/ec.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/base.h"

struct comb;

/* A table with windows of `width` bits; NULL when OpenSSL fails. */
struct comb *comb_new(const EC_GROUP *group, const EC_POINT *point, unsigned width, BN_CTX *ctx);
void comb_free(struct comb *comb);
DROP(comb_drop, struct comb, comb_free)

/* sum += k * P, k big-endian. */
bool comb_add(const struct comb *comb, const EC_GROUP *group, const uint8_t k[static 48],
              EC_POINT *sum, BN_CTX *ctx);

#endif
