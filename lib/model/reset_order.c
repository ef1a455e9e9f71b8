#include "lib/model/reset_order.h"

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

static struct order_scope scope_of(const struct reset_order *order)
{
    return (struct order_scope){order->realm, order->keeper, order->issued, order->expires};
}

enum outcome reset_order_parse(struct span json, struct reset_order *out, struct error *err)
{
    OWNED(json_drop) json_t *value = NULL;
    struct reset_order made = {0};
    TRY(json_parse(json, ORDER_SIZE_MAX, &value, err));
    TRY(record_from_json(&reset_order_record, value, "", &made, err));
    const struct order_scope scope = scope_of(&made);
    TRY(order_check_life(&scope, err));
    *out = made;
    return OK;
}

enum outcome reset_order_open(struct span jws, const struct charter_signers *signers,
                              struct reset_order *out, struct error *err)
{
    OWNED(bytes_done) struct bytes payload = {0};
    TRY(order_open(jws, RESET_ORDER_TYP, signers, RESET_ORDER_PEOPLE, &payload, err));
    return reset_order_parse(bytes_span(&payload), out, err);
}

enum outcome reset_order_check(const struct reset_order *order, enum realm realm,
                               const uint8_t keeper[static SHA256_SIZE], struct moment now,
                               struct error *err)
{
    const struct order_scope scope = scope_of(order);
    return order_check(&scope, realm, keeper, now, err);
}
