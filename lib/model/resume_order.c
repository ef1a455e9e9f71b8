#include "lib/model/resume_order.h"

/* clang-format off */
static const struct field fields[] = {
    FIELD(resume_order, releases_resume, FIELD_INT, .least = 1, .most = 1),
    FIELD(resume_order, realm, FIELD_NAME, .names = &realm_names),
    FIELD(resume_order, keeper, FIELD_HEX),
    FIELD(resume_order, halt, FIELD_INT, .least = 1, .most = INT64_MAX),
    FIELD(resume_order, issued, FIELD_MOMENT),
    FIELD(resume_order, expires, FIELD_MOMENT),
};
const struct record resume_order_record = RECORD(resume_order, fields);
/* clang-format on */

static struct order_scope scope_of(const struct resume_order *order)
{
    return (struct order_scope){order->realm, order->keeper, order->issued, order->expires};
}

enum outcome resume_order_parse(struct span json, struct resume_order *out, struct error *err)
{
    OWNED(json_drop) json_t *value = NULL;
    struct resume_order made = {0};
    TRY(json_parse(json, ORDER_SIZE_MAX, &value, err));
    TRY(record_from_json(&resume_order_record, value, "", &made, err));
    const struct order_scope scope = scope_of(&made);
    TRY(order_check_life(&scope, err));
    *out = made;
    return OK;
}

enum outcome resume_order_open(struct span jws, const struct charter_signers *signers,
                               struct resume_order *out, struct error *err)
{
    OWNED(bytes_done) struct bytes payload = {0};
    TRY(order_open(jws, RESUME_ORDER_TYP, signers, RESUME_ORDER_PEOPLE, &payload, err));
    return resume_order_parse(bytes_span(&payload), out, err);
}

enum outcome resume_order_check(const struct resume_order *order, enum realm realm,
                                const uint8_t keeper[static SHA256_SIZE], int64_t halt,
                                struct moment now, struct error *err)
{
    const struct order_scope scope = scope_of(order);
    TRY(order_check(&scope, realm, keeper, now, err));
    if (order->halt != halt)
        return fail_code(err, ERR_DENIED, "order-halt", "an order for halt %lld, this is %lld",
                         (long long)order->halt, (long long)halt);
    return OK;
}
