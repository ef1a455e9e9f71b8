/* A token bucket: `room` at once, then one every `every_ms`. For calls to a service that counts
 * them, and for what others may ask. Zeroes but for the two settings are a full one; one thread at
 * a time. */
#ifndef MUSTER_BASE_BUCKET_H
#define MUSTER_BASE_BUCKET_H

#include <stdint.h>

struct bucket {
    int64_t room;
    int64_t every_ms;
    int64_t full_ms; /* when it would be full again */
};

/* 0: one may be taken now; else the milliseconds until then. */
int64_t bucket_wait_ms(const struct bucket *bucket, int64_t now_ms);
/* Takes one, even when there is none: then the next waits longer. */
void bucket_take(struct bucket *bucket, int64_t now_ms);
/* Other settings from now on; what is in it stays, up to the new room. */
void bucket_retune(struct bucket *bucket, int64_t room, int64_t every_ms, int64_t now_ms);
/* No more than `most` are in it now. */
void bucket_limit(struct bucket *bucket, int64_t most, int64_t now_ms);

#endif
