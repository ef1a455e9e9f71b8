#include "cli/keeper_reset.h"

#include "cli/order.h"
#include "lib/model/reset_order.h"

struct wish {
    struct order_wish order;
    const char *least_serial;
};

static enum outcome check_order(struct span json, struct error *err)
{
    struct reset_order order;
    return reset_order_parse(json, &order, err);
}

static const struct order_kind reset_kind = {
    .typ = RESET_ORDER_TYP,
    .record = &reset_order_record,
    .check = check_order,
};

static enum outcome write_order(const struct wish *wish, struct reset_order *out, struct error *err)
{
    const struct order_wish *w = &wish->order;
    *out = (struct reset_order){.state_reset = 1};
    if (w->cert == NULL || w->realm == NULL || wish->least_serial == NULL)
        return fail(err, ERR_INVALID, "--cert, --realm and --least-serial, or --signed are needed");
    TRY(order_begin(w, &out->realm, out->keeper, &out->issued, &out->expires, err));
    return number_parse(wish->least_serial, 1, INT64_MAX, &out->least_serial, err);
}

enum outcome keeper_reset_order(int argc, char **argv, struct error *err)
{
    struct wish wish = {0};
    struct reset_order order = {0};
    const struct argument table[] = {
        ORDER_ARGUMENTS(&wish.order),
        {"--least-serial", .text = &wish.least_serial},
    };
    TRY(arguments_read(argc, argv, 2, table, countof(table), err));
    TRY(order_check_wish(&wish.order, wish.least_serial != NULL, err));
    if (wish.order.signed_file == NULL)
        TRY(write_order(&wish, &order, err));
    return order_sign(&wish.order, &reset_kind, &order, err);
}
