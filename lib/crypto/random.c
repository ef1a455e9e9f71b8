#include "lib/crypto/random.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/clock.h"

void random_fill(void *out, size_t len)
{
    if (len > 0 && RAND_bytes(out, (int)len) != 1)
        abort();
}

uint64_t random_below(uint64_t bound)
{
    uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    uint64_t v;
    do
        random_fill(&v, sizeof v);
    while (v >= limit);
    return v % bound;
}

/* Names need not be secret, so those of a thread come from OpenSSL many at a time: each call costs
 * a tenth of a signature. Never the parent's in a child, who would give them again. */
static struct uuid random_name(void)
{
    enum { AT_A_TIME = 16 };
    static _Thread_local struct {
        pid_t owner;
        size_t left;
        struct uuid at[AT_A_TIME];
    } names;
    if (names.left == 0 || names.owner != getpid()) {
        random_fill(names.at, sizeof names.at);
        names.left = AT_A_TIME;
        names.owner = getpid();
    }
    return names.at[--names.left];
}

struct uuid uuid_new(void)
{
    struct uuid id = random_name();
    uint64_t ms = (uint64_t)(clock_now().us / 1000);
    for (int i = 0; i < 6; i++)
        id.at[i] = (uint8_t)(ms >> (8 * (5 - i)));
    id.at[6] = (uint8_t)((id.at[6] & 0x0f) | 0x70);
    id.at[8] = (uint8_t)((id.at[8] & 0x3f) | 0x80);
    return id;
}
