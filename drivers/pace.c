#include "drivers/pace.h"

#include "lib/crypto/random.h"

enum { MINUTE_MS = 60000 };

static const struct retry_policy backoff = {.first_ms = 1000, .most_ms = 20000};

/* Slow limits that are shared by many may have less room than one each. One of several is kept
 * back, for calls do not arrive as evenly as they leave. */
static void retune(struct pace *pace, int64_t now_ms)
{
    const int64_t granted = pace->granted > 0 ? pace->granted : 100;
    const int64_t share = pace->limit->room * granted / 100 / pace->sharers;
    const int64_t rate = pace->limit->per_minute * granted * pace->percent;
    const int64_t every_ms = (MINUTE_MS * 100 * 100 * pace->sharers + rate - 1) / rate;
    const int64_t room = share > 1 ? share - 1 : 1;
    if (pace->bucket.every_ms == 0)
        pace->bucket = (struct bucket){.room = room, .every_ms = every_ms};
    else
        bucket_retune(&pace->bucket, room, every_ms, now_ms);
}

void pace_share(struct pace *pace, int64_t sharers, int64_t now_ms)
{
    if (sharers < 1)
        sharers = 1;
    if (pace->sharers == sharers)
        return;
    if (pace->percent == 0)
        pace->percent = 100;
    pace->sharers = sharers;
    retune(pace, now_ms);
}

int64_t pace_wait_ms(const struct pace *pace, int64_t now_ms)
{
    const int64_t tokens = bucket_wait_ms(&pace->bucket, now_ms);
    const int64_t shut = pace->shut_ms - now_ms;
    return tokens > shut ? tokens : shut > 0 ? shut : 0;
}

void pace_take(struct pace *pace, int64_t now_ms)
{
    bucket_take(&pace->bucket, now_ms);
}

int64_t pace_promise_ms(struct pace *pace, int64_t now_ms)
{
    int64_t wait = pace_wait_ms(pace, now_ms);
    if (wait < pace->tail_ms - now_ms)
        wait = pace->tail_ms - now_ms;
    const int64_t shut = pace->shut_ms > now_ms ? pace->shut_ms - now_ms : 0;
    if (wait - shut > PACE_PROMISE_MS) /* the queue may shorten sooner than it looks */
        return shut + PACE_PROMISE_LEAST_MS +
               (int64_t)random_below(PACE_PROMISE_MS - PACE_PROMISE_LEAST_MS);
    pace->tail_ms = now_ms + wait + pace->bucket.every_ms;
    return wait;
}

static void set_percent(struct pace *pace, int64_t percent, int64_t now_ms)
{
    pace->percent = percent < PACE_LEAST_PERCENT ? PACE_LEAST_PERCENT
                    : percent > 100              ? 100
                                                 : percent;
    pace->changed_ms = now_ms;
    retune(pace, now_ms);
}

void pace_went(struct pace *pace, int64_t now_ms)
{
    pace->throttles = 0;
    if (pace->percent < 100 && now_ms - pace->changed_ms >= PACE_GROWTH_MS)
        set_percent(pace, pace->percent + PACE_GROWTH_PERCENT, now_ms);
}

void pace_throttled(struct pace *pace, int64_t told_ms, int64_t now_ms)
{
    if (pace->throttles == 0 || now_ms - pace->changed_ms >= PACE_GROWTH_MS) {
        pace->throttles++;
        set_percent(pace, pace->percent / 2, now_ms);
    }
    /* Somebody else uses it too, or its rate is not what the documents say. */
    bucket_limit(&pace->bucket, 0, now_ms);
    pace_shut(pace, told_ms > 0 ? told_ms : retry_wait_ms(&backoff, pace->throttles), now_ms);
}

void pace_shut(struct pace *pace, int64_t told_ms, int64_t now_ms)
{
    const int64_t while_ms = told_ms < PACE_TOLD_MOST_MS ? told_ms : PACE_TOLD_MOST_MS;
    if (pace->shut_ms < now_ms + while_ms)
        pace->shut_ms = now_ms + while_ms;
}

void pace_left(struct pace *pace, int64_t left, int64_t now_ms)
{
    bucket_limit(&pace->bucket, left / pace->sharers, now_ms);
}
