/* How fast one limit of a cloud may be used: a token bucket with the documented room and rate,
 * divided by those who share it; halved when the cloud says that it was too much, grown again while
 * it does not. Pure, on a clock that is told, one thread at a time. Zeroes but for `limit` are a
 * fresh one. */
#ifndef MUSTER_DRIVERS_PACE_H
#define MUSTER_DRIVERS_PACE_H

#include "lib/base/bucket.h"
#include "lib/net/retry.h"

enum {
    PACE_LEAST_PERCENT = 5,        /* of the documented rate */
    PACE_GROWTH_PERCENT = 2,       /* back, each second that a call went well in */
    PACE_GROWTH_MS = 1000,         /* also: calls that were out together are throttled together */
    PACE_PROMISE_MS = 60000,       /* nobody is told to come back later than this ... */
    PACE_PROMISE_LEAST_MS = 30000, /* ... nor sooner, in so long a queue */
    PACE_TOLD_MOST_MS = 300000,    /* no limit that we know takes longer to fill again; whoever says
                                      more is asked once in this time */
};

/* One row of a driver's table: a call, and a limit that it counts against. A call with several
 * limits has several rows; calls that share a limit name it alike. */
struct call_limit {
    const char *call;  /* as the cloud's documents name it */
    const char *limit; /* whose bucket it takes from */
    int64_t room;      /* so many at once ... */
    int64_t per_minute;
    const char *source; /* where the cloud says so */
};

struct pace {
    const struct call_limit *limit;
    struct bucket bucket;
    int64_t granted; /* percent of the documented rate that we may use; 0: all of it */
    int64_t percent; /* of what we may use that we do use */
    int64_t sharers;
    int64_t shut_ms;    /* nothing goes out before */
    int64_t tail_ms;    /* the next turn that can be promised */
    int64_t changed_ms; /* when `percent` last did */
    int throttles;      /* in a row */
};

/* To be told before all else at each use: so many controllers share the limit. */
void pace_share(struct pace *pace, int64_t sharers, int64_t now_ms);

/* 0: a call may go out now, and pace_take() says that it does. */
int64_t pace_wait_ms(const struct pace *pace, int64_t now_ms);
void pace_take(struct pace *pace, int64_t now_ms);

/* When to come back, for one who found no turn: everybody at another time, as the tokens come. */
int64_t pace_promise_ms(struct pace *pace, int64_t now_ms);

/* How a call ended: well, or throttled; `told_ms` is what the cloud asked for, 0 for nothing. */
void pace_went(struct pace *pace, int64_t now_ms);
void pace_throttled(struct pace *pace, int64_t told_ms, int64_t now_ms);
/* It could not serve us, and asked for this while. */
void pace_shut(struct pace *pace, int64_t told_ms, int64_t now_ms);
/* The cloud says how many are left in its own bucket. */
void pace_left(struct pace *pace, int64_t left, int64_t now_ms);

#endif
