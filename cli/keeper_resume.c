#include "cli/keeper_resume.h"

#include "cli/order.h"
#include "lib/model/resume_order.h"

struct wish {
    struct order_wish order;
    const char *halt;
};

static enum outcome check_order(struct span json, struct error *err)
{
    struct resume_order order;
    return resume_order_parse(json, &order, err);
}

static const struct order_kind resume_kind = {
    .typ = RESUME_ORDER_TYP,
    .record = &resume_order_record,
    .check = check_order,
};

static enum outcome write_order(const struct wish *wish, struct resume_order *out,
                                struct error *err)
{
    const struct order_wish *w = &wish->order;
    *out = (struct resume_order){.releases_resume = 1};
    if (w->cert == NULL || w->realm == NULL || wish->halt == NULL)
        return fail(err, ERR_INVALID, "--cert, --realm and --halt, or --signed are needed");
    TRY(order_begin(w, &out->realm, out->keeper, &out->issued, &out->expires, err));
    return number_parse(wish->halt, 1, INT64_MAX, &out->halt, err);
}

enum outcome keeper_resume_order(int argc, char **argv, struct error *err)
{
    struct wish wish = {0};
    struct resume_order order = {0};
    const struct argument table[] = {
        ORDER_ARGUMENTS(&wish.order),
        {"--halt", .text = &wish.halt},
    };
    TRY(arguments_read(argc, argv, 2, table, countof(table), err));
    TRY(order_check_wish(&wish.order, wish.halt != NULL, err));
    if (wish.order.signed_file == NULL)
        TRY(write_order(&wish, &order, err));
    return order_sign(&wish.order, &resume_kind, &order, err);
}
