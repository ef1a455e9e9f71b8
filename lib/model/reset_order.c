#include "lib/model/reset_order.h"

#include <string.h>

/* A keeper's clock may be a little behind that of the one who signed. */
enum { CLOCK_SLACK_SECONDS = 300 };

/* clang-format off */
static const struct field fields[] = {
    FIELD(reset_order, state_reset, FIELD_INT, .least = 1, .most = 1),
    FIELD(reset_order, realm, FIELD_NAME, .names = &realm_names),
    FIELD(reset_order, keeper, FIELD_HEX),
    FIELD(reset_order, least_serial, FIELD_INT, .least = 1, .most = INT64_MAX),
    FIELD(reset_order, issued, FIELD_MOMENT),
    FIELD(reset_order, expires, FIELD_MOMENT),
};
const struct record reset_order_record = RECORD(reset_order, fields);
/* clang-format on */

enum outcome reset_order_parse(struct span json, struct reset_order *out, struct error *err)
{
    OWNED(json_drop) json_t *value = NULL;
    struct reset_order made = {0};
    TRY(json_parse(json, RESET_ORDER_SIZE_MAX, &value, err));
    TRY(record_from_json(&reset_order_record, value, "", &made, err));
    int64_t lives = moment_seconds_between(made.issued, made.expires);
    if (lives <= 0 || lives > INT64_C(86400) * RESET_ORDER_DAYS_MAX)
        return fail_at(err, ERR_INVALID, "bad-order", "/expires", "an order lives up to %d days",
                       RESET_ORDER_DAYS_MAX);
    *out = made;
    return OK;
}

enum outcome reset_order_open(struct span jws, const struct charter_signers *signers,
                              struct reset_order *out, struct error *err)
{
    OWNED(bytes_done) struct bytes payload = {0};
    size_t needed =
        signers->threshold > RESET_ORDER_PEOPLE ? signers->threshold : RESET_ORDER_PEOPLE;
    if (signers->count < needed)
        return fail_code(err, ERR_DENIED, "too-few-signers",
                         "%zu keys are pinned, and it takes %zu people", signers->count, needed);
    TRY(token_set_verify(jws, RESET_ORDER_TYP, signers->keys, signers->count, needed,
                         RESET_ORDER_SIZE_MAX, &payload, err));
    return reset_order_parse(bytes_span(&payload), out, err);
}

enum outcome reset_order_check(const struct reset_order *order, enum realm realm,
                               const uint8_t keeper[static SHA256_SIZE], struct moment now,
                               struct error *err)
{
    if (order->realm != realm)
        return fail_code(err, ERR_DENIED, "order-realm", "an order for the %s realm",
                         name_of(&realm_names, (int)order->realm));
    if (memcmp(order->keeper, keeper, SHA256_SIZE) != 0)
        return fail_code(err, ERR_DENIED, "order-keeper", "an order for another keeper");
    if (moment_seconds_between(now, order->issued) > CLOCK_SLACK_SECONDS)
        return fail_code(err, ERR_DENIED, "order-not-yet-valid", "issued %s",
                         moment_text(order->issued).at);
    if (now.us >= order->expires.us)
        return fail_code(err, ERR_DENIED, "order-expired", "expired %s",
                         moment_text(order->expires).at);
    return OK;
}
