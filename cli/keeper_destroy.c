#include "cli/keeper_destroy.h"

#include "cli/order.h"
#include "lib/model/destroy_order.h"

struct wish {
    struct order_wish order;
    struct argument_list anchors;
    struct argument_list guest_keys;
};

static enum outcome check_order(struct span json, struct error *err)
{
    struct destroy_order order = {0};
    TRY(destroy_order_parse(json, &order, err));
    record_done(&destroy_order_record, &order);
    return OK;
}

static const struct order_kind destroy_kind = {
    .typ = DESTROY_ORDER_TYP,
    .record = &destroy_order_record,
    .check = check_order,
};

static json_t *list_of(const struct argument_list *given)
{
    json_t *list = json_array();
    for (size_t i = 0; i < given->count; i++)
        json_add_new(list, json_string(given->at[i]));
    return list;
}

static enum outcome write_order(const struct wish *wish, struct destroy_order *out,
                                struct error *err)
{
    const struct order_wish *w = &wish->order;
    if (w->cert == NULL || w->realm == NULL)
        return fail(err, ERR_INVALID,
                    "--cert, --realm and --anchor or --guest-key, or --signed are needed");
    out->destroy = 1;
    out->anchors = list_of(&wish->anchors);
    out->guest_keys = list_of(&wish->guest_keys);
    return order_begin(w, &out->realm, out->keeper, &out->issued, &out->expires, err);
}

enum outcome keeper_destroy_order(int argc, char **argv, struct error *err)
{
    struct wish wish = {0};
    struct destroy_order order = {0};
    const struct argument table[] = {
        ORDER_ARGUMENTS(&wish.order),
        {"--anchor", .list = &wish.anchors},
        {"--guest-key", .list = &wish.guest_keys},
    };
    TRY(arguments_read(argc, argv, 2, table, countof(table), err));
    TRY(order_check_wish(&wish.order, wish.anchors.count > 0 || wish.guest_keys.count > 0, err));
    enum outcome outcome = OK;
    if (wish.order.signed_file == NULL)
        outcome = write_order(&wish, &order, err);
    if (outcome == OK)
        outcome = order_sign(&wish.order, &destroy_kind, &order, err);
    record_done(&destroy_order_record, &order);
    return outcome;
}
