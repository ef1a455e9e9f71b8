#include "lib/attest/anchor.h"

#include "lib/crypto/digest.h"

void anchor_hash(enum anchor_kind kind, struct span value, uint8_t out[static ANCHOR_HASH_SIZE])
{
    static const char domain[] = "muster-anchor-v1"; /* with its NUL */
    const uint8_t word = (uint8_t)kind;
    struct digest_run run;
    digest_start(&run, DIGEST_SHA256);
    digest_more(&run, SPAN_OF(domain));
    digest_more(&run, SPAN(&word, 1));
    digest_more(&run, value);
    digest_end(&run, out);
}
