/* Which TCB runs where, beside what the charter asks for today and next. */
#include "controller/api.h"

#include <string.h>

#include "controller/candidate.h"
#include "db/replay_store.h"
#include "lib/model/charter.h"

/* ---- floors --------------------------------------------------------------------------------- */

static json_t *tcb_to_json(const struct snp_tcb *tcb, enum snp_product product)
{
    json_t *out = json_object();
    for (int i = product == PRODUCT_TURIN ? TCB_FMC : TCB_BL; i < TCB_PART_COUNT; i++)
        json_put_int(out, name_of(&tcb_part_names, i), tcb->part[i]);
    return out;
}

static json_t *floor_to_json(const struct charter_policy *policy, enum snp_product product,
                             struct moment now)
{
    const struct tcb_floor *floor = &policy->policy->snp.min_tcb[product];
    const struct snp_tcb least = tcb_floor_at(floor, now);
    json_t *out = json_object();
    size_t i = 0;
    json_put_text(out, "policy", policy->name);
    json_put_new(out, "floor", tcb_to_json(&least, product));
    while (i < floor->later_count && floor->later[i].from.us <= now.us)
        i++;
    if (i < floor->later_count) {
        json_put_moment(out, "next_from", floor->later[i].from);
        json_put_new(out, "next", tcb_to_json(&floor->later[i].least, product));
    }
    return out;
}

/* What each policy asks of a product; one that has floors and none for it takes it not at all. */
static json_t *floors_for(const struct charter *charter, const char *word, struct moment now)
{
    json_t *list = json_array();
    enum snp_product product;
    if (charter == NULL || snp_product_parse(word, &product, NULL) != OK)
        return list;
    for (size_t i = 0; i < charter->policy_count; i++) {
        const struct charter_policy *policy = &charter->policies[i];
        if (policy->policy->has_snp && policy->policy->snp.has_floor[product])
            json_add_new(list, floor_to_json(policy, product, now));
    }
    return list;
}

static void put_floors(const struct charter *charter, const char *member, json_t *items)
{
    size_t i;
    json_t *item;
    const struct moment now = clock_now();
    json_array_foreach (items, i, item) {
        const char *word = json_string_value(json_object_get(item, member));
        json_put_new(item, "floors", floors_for(charter, word != NULL ? word : "", now));
    }
}

/* ---- the route ------------------------------------------------------------------------------ */

static enum outcome read_by(struct request *r, const char **out, struct error *err)
{
    static const char *const words[] = {"product", "region", "measurement"};
    *out = request_query(r, "by");
    for (size_t i = 0; *out != NULL && i < countof(words); i++)
        if (strcmp(words[i], *out) == 0)
            return OK;
    return *out == NULL ? OK
                        : fail_at(err, ERR_INVALID, "bad-parameter", "?by",
                                  "by: product, region or measurement");
}

enum outcome tcb_list(struct request *r, struct error *err)
{
    OWNED(charter_drop) struct charter *charter = NULL;
    json_t *items = NULL;
    const char *by;
    TRY(read_by(r, &by, err));
    TRY(candidate_in_force(r, &charter, err));
    if (by == NULL)
        TRY(tcb_store_inventory(r->db, r->caller.project, &items, err));
    else
        TRY(tcb_store_by(r->db, r->caller.project, by, &items, err));
    if (by == NULL)
        put_floors(charter, "product", items);
    else if (strcmp(by, "product") == 0)
        put_floors(charter, "value", items);
    json_t *page = json_object();
    json_put_new(page, "items", items);
    request_answer(r, 200, page);
    return OK;
}
