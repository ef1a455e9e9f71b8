#include "lib/model/destroy_order.h"

#include <stdio.h>

#include "lib/base/text.h"

/* clang-format off */
static const struct field fields[] = {
    FIELD(destroy_order, destroy, FIELD_INT, .least = 1, .most = 1),
    FIELD(destroy_order, realm, FIELD_NAME, .names = &realm_names),
    FIELD(destroy_order, keeper, FIELD_HEX),
    FIELD(destroy_order, anchors, FIELD_JSON),
    FIELD(destroy_order, guest_keys, FIELD_JSON),
    FIELD(destroy_order, issued, FIELD_MOMENT),
    FIELD(destroy_order, expires, FIELD_MOMENT),
};
const struct record destroy_order_record = RECORD(destroy_order, fields);
/* clang-format on */

static struct order_scope scope_of(const struct destroy_order *order)
{
    return (struct order_scope){order->realm, order->keeper, order->issued, order->expires};
}

/* All zero is what a guest without an anchor shows: destroying that would be destroying them all.
 */
static enum outcome add_hash(const json_t *item, const char *list, size_t i, struct bytes *out,
                             struct error *err)
{
    char where[64];
    uint8_t hash[SHA256_SIZE];
    const char *hex = json_string_value(item);
    snprintf(where, sizeof where, "/%s/%zu", list, i);
    if (hex == NULL || hex_decode_exact(hex, hash, sizeof hash, NULL) != OK ||
        span_is_zero(SPAN_OF(hash)))
        return fail_at(err, ERR_INVALID, "bad-order", where, "not a hash in hex");
    if (out->len == (size_t)DESTROY_ORDER_MOST * SHA256_SIZE)
        return fail_at(err, ERR_INVALID, "bad-order", where, "an order names up to %d",
                       DESTROY_ORDER_MOST);
    bytes_add(out, SPAN_OF(hash));
    return OK;
}

static enum outcome add_list(const json_t *list, const char *name, struct bytes *out,
                             struct error *err)
{
    size_t i;
    json_t *item;
    if (!json_is_array(list))
        return fail_at(err, ERR_INVALID, "bad-order", "/anchors", "%s is not a list", name);
    json_array_foreach (list, i, item)
        TRY(add_hash(item, name, i, out, err));
    return OK;
}

enum outcome destroy_order_hashes(const struct destroy_order *order, struct bytes *out,
                                  struct error *err)
{
    bytes_done(out);
    TRY(add_list(order->anchors, "anchors", out, err));
    TRY(add_list(order->guest_keys, "guest_keys", out, err));
    if (out->len == 0)
        return fail_at(err, ERR_INVALID, "bad-order", "/anchors", "it names nothing");
    return OK;
}

static enum outcome read_order(const json_t *value, struct destroy_order *made, struct error *err)
{
    OWNED(bytes_done) struct bytes hashes = {0};
    TRY(record_from_json(&destroy_order_record, value, "", made, err));
    const struct order_scope scope = scope_of(made);
    TRY(order_check_life(&scope, err));
    return destroy_order_hashes(made, &hashes, err);
}

enum outcome destroy_order_parse(struct span json, struct destroy_order *out, struct error *err)
{
    OWNED(json_drop) json_t *value = NULL;
    struct destroy_order made = {0};
    TRY(json_parse(json, ORDER_SIZE_MAX, &value, err));
    enum outcome outcome = read_order(value, &made, err);
    if (outcome == OK)
        *out = made;
    else
        record_done(&destroy_order_record, &made);
    return outcome;
}

enum outcome destroy_order_open(struct span jws, const struct charter_signers *signers,
                                struct destroy_order *out, struct error *err)
{
    OWNED(bytes_done) struct bytes payload = {0};
    TRY(order_open(jws, DESTROY_ORDER_TYP, signers, 1, &payload, err));
    return destroy_order_parse(bytes_span(&payload), out, err);
}

enum outcome destroy_order_check(const struct destroy_order *order, enum realm realm,
                                 const uint8_t keeper[static SHA256_SIZE], struct moment now,
                                 struct error *err)
{
    const struct order_scope scope = scope_of(order);
    return order_check(&scope, realm, keeper, now, err);
}
