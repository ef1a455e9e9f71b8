/* The least TCB that a policy or charter asks for, by product, and from when on. */
#include <string.h>

#include "lib/model/policy_inside.h"

/* Of one list; two lists, of policy and charter, find room together. */
enum { STEPS_OF_A_LIST = 1 + TCB_STEPS_MAX / 2 };

/* Parts that are not named stay as they are. */
static enum outcome read_parts(const json_t *object, const struct policy_path *where,
                               enum snp_product product, struct snp_tcb *out, struct error *err)
{
    static const char *const members[] = {"fmc", "from", "bl", "tee", "snp", "ucode", NULL};
    TRY(json_only(object, where->at, product == PRODUCT_TURIN ? members : members + 1, err));
    for (int i = 0; i < TCB_PART_COUNT; i++) {
        const char *name = name_of(&tcb_part_names, i);
        int64_t part = 0;
        TRY(json_get_int_or(object, where->at, name, 0, 255, out->part[i], &part, err));
        out->part[i] = (uint8_t)part;
    }
    return OK;
}

static enum outcome read_first(const json_t *object, const struct policy_path *where,
                               enum snp_product product, struct tcb_floor *out, struct error *err)
{
    if (policy_has(object, "from"))
        return policy_refuse(where, err, "a date needs the floor that counts before it");
    return read_parts(object, where, product, &out->first, err);
}

static enum outcome read_later(const json_t *object, const struct policy_path *where,
                               enum snp_product product, struct tcb_floor *out, struct error *err)
{
    struct moment from;
    TRY(json_get_moment(object, where->at, "from", &from, err));
    if (out->later_count > 0 && from.us <= out->later[out->later_count - 1].from.us)
        return policy_refuse(where, err, "not later than the floor before it");
    struct snp_tcb least =
        out->later_count > 0 ? out->later[out->later_count - 1].least : out->first;
    if (json_object_size(object) == 1)
        return policy_refuse(where, err, "changes nothing");
    TRY(read_parts(object, where, product, &least, err));
    out->later[out->later_count].from = from;
    out->later[out->later_count++].least = least;
    return OK;
}

/* One floor, or the floor of today and those that follow. */
static enum outcome read_floor(const json_t *value, const struct policy_path *where,
                               enum snp_product product, struct tcb_floor *out, struct error *err)
{
    if (!json_is_array(value))
        return read_first(value, where, product, out, err);
    size_t i;
    json_t *item;
    if (json_array_size(value) == 0)
        return policy_refuse(where, err, "names no floor");
    if (json_array_size(value) > STEPS_OF_A_LIST)
        return policy_refuse(where, err, "too many values");
    json_array_foreach (json_looked_at(value), i, item) {
        char index[8] = {(char)('0' + i)};
        const struct policy_path at = policy_below(where->at, index);
        TRY(i == 0 ? read_first(item, &at, product, out, err)
                   : read_later(item, &at, product, out, err));
    }
    return OK;
}

enum outcome policy_read_floors(const json_t *o, const char *path, struct snp_policy *out,
                                struct error *err)
{
    if (!policy_has(o, "min_tcb"))
        return OK;
    json_t *floors = NULL;
    TRY(json_get_object(o, path, "min_tcb", &floors, err));
    const struct policy_path where = policy_below(path, "min_tcb");
    const char *word;
    json_t *floor;
    json_object_foreach (floors, word, floor) {
        const struct policy_path at = policy_below(where.at, word);
        enum snp_product product = PRODUCT_UNKNOWN;
        if (snp_product_parse(word, &product, NULL) != OK)
            return policy_refuse(&at, err, "not a known product");
        if (out->has_floor[product])
            return policy_refuse(&at, err, "the same product twice");
        TRY(read_floor(floor, &at, product, &out->min_tcb[product], err));
        out->has_floor[product] = true;
    }
    out->has_min_tcb = true;
    return OK;
}

struct snp_tcb tcb_floor_at(const struct tcb_floor *floor, struct moment at)
{
    struct snp_tcb least = floor->first;
    for (size_t i = 0; i < floor->later_count && floor->later[i].from.us <= at.us; i++)
        least = floor->later[i].least;
    return least;
}

static struct snp_tcb higher(struct snp_tcb a, struct snp_tcb b)
{
    for (int i = 0; i < TCB_PART_COUNT; i++)
        if (a.part[i] < b.part[i])
            a.part[i] = b.part[i];
    return a;
}

bool tcb_floor_raise(struct tcb_floor *floor, const struct tcb_floor *by)
{
    struct tcb_floor made = {.first = higher(floor->first, by->first)};
    size_t i = 0;
    size_t j = 0;
    while (i < floor->later_count || j < by->later_count) {
        const bool own = j == by->later_count || (i < floor->later_count &&
                                                  floor->later[i].from.us <= by->later[j].from.us);
        const struct moment from = own ? floor->later[i].from : by->later[j].from;
        if (made.later_count == TCB_STEPS_MAX)
            return false;
        made.later[made.later_count].from = from;
        made.later[made.later_count++].least =
            higher(tcb_floor_at(floor, from), tcb_floor_at(by, from));
        i += own ? 1 : 0;
        j += j < by->later_count && by->later[j].from.us == from.us ? 1 : 0;
    }
    *floor = made;
    return true;
}
