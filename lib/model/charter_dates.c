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

void charter_dates(const struct charter_policy *policy, struct charter_dates *out)
{
    const struct snp_policy *snp = &policy->policy->snp;
    out->count = 0;
    for (int product = 0; product < PRODUCT_COUNT; product++)
        for (size_t i = 0; snp->has_floor[product] && i < snp->min_tcb[product].later_count; i++)
            add_date(out, snp->min_tcb[product].later[i].from);
    for (size_t i = 0; i < snp->measurement.count; i++)
        add_date(out, snp->measurement.until[i]);
}
