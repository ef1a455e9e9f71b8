#include "lib/net/retry.h"

#include "lib/base/clock.h"
#include "lib/crypto/random.h"

const struct retry_policy retry_usual = {
    .least_ms = 100,
    .first_ms = 1000,
    .most_ms = 20000,
    .attempts = 5,
    .total_ms = 120000,
};

void retry_start(struct retry *retry, const struct retry_policy *policy)
{
    *retry = (struct retry){.policy = policy, .started_ms = clock_monotonic_ms()};
}

int64_t retry_wait_ms(const struct retry_policy *policy, int attempt)
{
    int64_t ceiling = policy->first_ms;
    for (int i = 1; i < attempt && ceiling < policy->most_ms; i++)
        ceiling *= 2;
    if (ceiling > policy->most_ms)
        ceiling = policy->most_ms;
    if (ceiling <= policy->least_ms)
        return policy->least_ms;
    return policy->least_ms + (int64_t)random_below((uint64_t)(ceiling - policy->least_ms) + 1);
}

bool retry_again(struct retry *retry, enum outcome outcome, int64_t told_ms, int64_t *out_wait_ms)
{
    const struct retry_policy *policy = retry->policy;
    retry->attempts++;
    if (!outcome_is_worth_retrying(outcome))
        return false;
    if (policy->attempts > 0 && retry->attempts >= policy->attempts)
        return false;
    int64_t wait = retry_wait_ms(policy, retry->attempts);
    if (wait < told_ms)
        wait = told_ms;
    int64_t spent = clock_monotonic_ms() - retry->started_ms;
    if (policy->total_ms > 0 && wait > policy->total_ms - spent)
        return false;
    *out_wait_ms = wait;
    return true;
}
