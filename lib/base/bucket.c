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

void bucket_retune(struct bucket *bucket, int64_t room, int64_t every_ms, int64_t now_ms)
{
    const int64_t lacking = bucket->full_ms > now_ms ? bucket->full_ms - now_ms : 0;
    const int64_t there = bucket->room * bucket->every_ms - lacking; /* in the old pace */
    const int64_t lacks = room * every_ms - there * every_ms / bucket->every_ms;
    *bucket = (struct bucket){.room = room, .every_ms = every_ms};
    bucket->full_ms = lacks > 0 ? now_ms + lacks : 0;
}

void bucket_limit(struct bucket *bucket, int64_t most, int64_t now_ms)
{
    const int64_t full_ms = now_ms + (bucket->room - most) * bucket->every_ms;
    if (most < bucket->room && bucket->full_ms < full_ms)
        bucket->full_ms = full_ms;
}
