/* Trying again: how long to wait, how often, and for how much time in all. The waits have full
 * jitter, so that a thousand callers that failed together do not come back together. */
#ifndef MUSTER_NET_RETRY_H
#define MUSTER_NET_RETRY_H

#include <stdint.h>

#include "lib/base/error.h"

struct retry_policy {
    int64_t least_ms; /* every wait is at least this */
    int64_t first_ms; /* the first wait is at most this, the next at most twice it, ... */
    int64_t most_ms;  /* ... and none more than this */
    int attempts;     /* in all, the first included; 0: no limit */
    int64_t total_ms; /* from retry_start to the last attempt's start; 0: no limit */
};

/* 0.1 s to 20 s, five attempts within two minutes: for one call to a cloud. */
extern const struct retry_policy retry_usual;

struct retry {
    const struct retry_policy *policy;
    int attempts;       /* made so far */
    int64_t started_ms; /* clock_monotonic_ms */
};

void retry_start(struct retry *retry, const struct retry_policy *policy);

/* An attempt ended with `outcome`. Is another one allowed, and after how long? `told_ms` is what
 * the other side asked for (Retry-After), 0 for nothing: the wait is never shorter. */
bool retry_again(struct retry *retry, enum outcome outcome, int64_t told_ms, int64_t *out_wait_ms);

/* The wait before attempt `attempt` + 1 (1: after the first). */
int64_t retry_wait_ms(const struct retry_policy *policy, int attempt);

#endif
