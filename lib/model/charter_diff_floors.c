/* Which way a change of TCB floors goes: at no date may a part be lower than it was. */
#include "lib/model/charter.h"
#include "lib/model/charter_diff_inside.h"

/* As a policy reads them; without any, every product passes at every TCB. */
static struct policy *floors_of(const json_t *floors)
{
    struct policy *policy = NEW(struct policy);
    OWNED(json_drop) json_t *expect = json_object();
    json_t *snp = json_object();
    if (floors != NULL)
        json_put_new(snp, "min_tcb", json_incref(json_looked_at(floors)));
    json_put_new(expect, "snp", snp);
    error_ignore(policy_from_json(expect, "", POLICY_EXPECT, policy, NULL));
    return policy;
}

static void look_at(const struct tcb_floor *was, const struct tcb_floor *is, struct moment at,
                    bool *lower, bool *higher)
{
    const struct snp_tcb before = tcb_floor_at(was, at);
    const struct snp_tcb after = tcb_floor_at(is, at);
    *lower = *lower || snp_tcb_below(&after, &before) != TCB_PART_COUNT;
    *higher = *higher || snp_tcb_below(&before, &after) != TCB_PART_COUNT;
}

/* At no date may a part be lower than it was. */
static enum diff_effect compare_floor(const struct tcb_floor *was, const struct tcb_floor *is)
{
    bool lower = false;
    bool higher = false;
    look_at(was, is, (struct moment){0}, &lower, &higher);
    for (size_t i = 0; i < was->later_count; i++)
        look_at(was, is, was->later[i].from, &lower, &higher);
    for (size_t i = 0; i < is->later_count; i++)
        look_at(was, is, is->later[i].from, &lower, &higher);
    if (lower)
        return DIFF_WIDENS;
    return higher ? DIFF_NARROWS : DIFF_NEITHER;
}

static void report_product(struct diff_run *run, const char *path, enum snp_product product,
                           enum diff_effect effect, const char *why)
{
    OWNED(text_done) struct text where = {0};
    const bool siena = product == PRODUCT_SIENA; /* its name has a stroke */
    text_addf(&where, "%s/%s", path, siena ? "Siena" : name_of(&snp_product_names, (int)product));
    diff_add(run, text_str(&where), effect, why);
}

static void compare_products(struct diff_run *run, const struct diff_pair *pair,
                             const struct snp_policy *was, const struct snp_policy *is)
{
    for (int i = PRODUCT_UNKNOWN + 1; i < PRODUCT_COUNT; i++) {
        const enum snp_product product = (enum snp_product)i;
        if (!was->has_floor[i] && !is->has_floor[i])
            continue;
        if (!was->has_floor[i]) {
            report_product(run, pair->path, product, DIFF_WIDENS, "a product more passes");
        } else if (!is->has_floor[i]) {
            report_product(run, pair->path, product, DIFF_NARROWS, "the product passes no more");
        } else {
            const enum diff_effect effect = compare_floor(&was->min_tcb[i], &is->min_tcb[i]);
            if (effect == DIFF_WIDENS)
                report_product(run, pair->path, product, effect, "a floor is lower, or later");
            else if (effect == DIFF_NARROWS)
                report_product(run, pair->path, product, effect, "a floor is higher, or earlier");
        }
    }
}

void diff_floors(struct diff_run *run, const struct diff_pair *pair)
{
    OWNED(mem_drop) struct policy *was = floors_of(pair->was);
    OWNED(mem_drop) struct policy *is = floors_of(pair->is);
    const size_t before = json_array_size(run->changes);
    if (was->snp.has_min_tcb && is->snp.has_min_tcb)
        compare_products(run, pair, &was->snp, &is->snp);
    else if (was->snp.has_min_tcb)
        diff_add(run, pair->path, DIFF_WIDENS, "no floor at all: every product and TCB passes");
    else
        diff_add(run, pair->path, DIFF_NARROWS,
                 "there are floors now, and only for the products named");
    if (json_array_size(run->changes) == before)
        diff_report(run, pair, DIFF_NEITHER);
}

/* Of the charter, an empty list of floors is none. */
void diff_shared_floors(struct diff_run *run, const struct diff_pair *pair)
{
    struct diff_pair meant_pair = *pair;
    if (json_object_size(pair->was) == 0)
        meant_pair.was = NULL;
    if (json_object_size(pair->is) == 0)
        meant_pair.is = NULL;
    if (meant_pair.was == NULL && meant_pair.is == NULL)
        diff_report(run, pair, DIFF_NEITHER);
    else
        diff_floors(run, &meant_pair);
}
