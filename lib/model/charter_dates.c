/* When what a policy takes changes by itself. */
#include <string.h>

#include "lib/model/charter.h"

static void add_date(struct charter_dates *dates, struct moment at)
{
    size_t i = 0;
    if (at.us <= dates->after.us || at.us > dates->until.us)
        return;
    while (i < dates->count && dates->at[i].us < at.us)
        i++;
    if (i < dates->count && dates->at[i].us == at.us)
        return;
    if (i == CHARTER_DATES_MAX)
        return; /* the next ones matter most */
    const size_t kept = dates->count < CHARTER_DATES_MAX ? dates->count : CHARTER_DATES_MAX - 1;
    memmove(&dates->at[i + 1], &dates->at[i], (kept - i) * sizeof dates->at[0]);
    dates->at[i] = at;
    dates->count = kept + 1;
}

static void add_floors(struct charter_dates *out, const struct snp_policy *snp, int product)
{
    for (size_t i = 0; snp->has_floor[product] && i < snp->min_tcb[product].later_count; i++)
        add_date(out, snp->min_tcb[product].later[i].from);
}

void charter_dates(const struct charter_policy *policy, struct charter_dates *out)
{
    const struct snp_policy *snp = &policy->policy->snp;
    const struct value_set *set = &snp->measurement;
    out->count = 0;
    for (int product = 0; product < PRODUCT_COUNT; product++)
        if (out->product == PRODUCT_UNKNOWN || (int)out->product == product)
            add_floors(out, snp, product);
    for (size_t i = 0; i < set->count; i++)
        if (out->measurement.len == 0 || span_equal(SPAN(set->at[i], set->len), out->measurement))
            add_date(out, set->until[i]);
}
