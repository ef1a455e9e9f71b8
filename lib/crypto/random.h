/* Randomness from OpenSSL's generator; a failure ends the process, for nothing may go on without.
 */
#ifndef MUSTER_CRYPTO_RANDOM_H
#define MUSTER_CRYPTO_RANDOM_H

#include "lib/base/uuid.h"

void random_fill(void *out, size_t len);
uint64_t random_below(uint64_t bound); /* uniform; bound > 0 */
struct uuid uuid_new(void);            /* version 7: sorts by time of making */

#endif
