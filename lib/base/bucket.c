#include "lib/base/bucket.h"

int64_t bucket_wait_ms(const struct bucket *bucket, int64_t now_ms)
{
    const int64_t wait = bucket->full_ms - (bucket->room - 1) * bucket->every_ms - now_ms;
    return wait > 0 ? wait : 0;
}

void bucket_take(struct bucket *bucket, int64_t now_ms)
{
    if (bucket->full_ms < now_ms)
        bucket->full_ms = now_ms;
    bucket->full_ms += bucket->every_ms;
}
