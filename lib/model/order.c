#include "lib/model/order.h"

#include <string.h>

/* A keeper's clock may be a little behind that of the one who signed. */
enum { CLOCK_SLACK_SECONDS = 300 };

enum outcome order_open(struct span jws, const char *typ, const struct charter_signers *signers,
                        size_t people, struct bytes *out_payload, struct error *err)
{
    const size_t needed = signers->threshold > people ? signers->threshold : people;
    if (signers->count < needed)
        return fail_code(err, ERR_DENIED, "too-few-signers",
                         "%zu keys are pinned, and it takes %zu people", signers->count, needed);
    return token_set_verify(jws, typ, signers->keys, signers->count, needed, ORDER_SIZE_MAX,
                            out_payload, err);
}

enum outcome order_check_life(const struct order_scope *scope, struct error *err)
{
    int64_t lives = moment_seconds_between(scope->issued, scope->expires);
    if (lives <= 0 || lives > INT64_C(86400) * ORDER_DAYS_MAX)
        return fail_at(err, ERR_INVALID, "bad-order", "/expires", "an order lives up to %d days",
                       ORDER_DAYS_MAX);
    return OK;
}

enum outcome order_check(const struct order_scope *scope, enum realm realm,
                         const uint8_t keeper[static SHA256_SIZE], struct moment now,
                         struct error *err)
{
    if (scope->realm != realm)
        return fail_code(err, ERR_DENIED, "order-realm", "an order for the %s realm",
                         name_of(&realm_names, (int)scope->realm));
    if (memcmp(scope->keeper, keeper, SHA256_SIZE) != 0)
        return fail_code(err, ERR_DENIED, "order-keeper", "an order for another keeper");
    if (moment_seconds_between(now, scope->issued) > CLOCK_SLACK_SECONDS)
        return fail_code(err, ERR_DENIED, "order-not-yet-valid", "issued %s",
                         moment_text(scope->issued).at);
    if (now.us >= scope->expires.us)
        return fail_code(err, ERR_DENIED, "order-expired", "expired %s",
                         moment_text(scope->expires).at);
    return OK;
}
