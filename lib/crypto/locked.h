/* Memory for secrets: locked, left out of core dumps, wiped on release. There is no printer, no
 * JSON and no copy; only the keeper and the agent ever open one. */
#ifndef MUSTER_CRYPTO_LOCKED_H
#define MUSTER_CRYPTO_LOCKED_H

#include "lib/base/bytes.h"

struct locked {
    uint8_t *at;
    size_t len;
    size_t mapped; /* whole pages behind `at` */
};

/* `len` zero bytes. ERR_INTERNAL "memory-not-locked" when the limit (RLIMIT_MEMLOCK) is reached. */
enum outcome locked_new(size_t len, struct locked *out, struct error *err);
void locked_done(struct locked *l);              /* wipes; also for OWNED; fine on zeroes */
struct span locked_span(const struct locked *l); /* a loan, for crypto calls only */

/* Move bytes into locked memory and wipe where they were. */
enum outcome locked_take(struct bytes *from, struct locked *out, struct error *err);

#endif
