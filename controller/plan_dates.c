#include "controller/plan_dates.h"

#include <string.h>

/* ---- cohorts -------------------------------------------------------------------------------- */

void cohorts_done(struct cohorts *cohorts)
{
    json_decref(cohorts->by_key);
    *cohorts = (struct cohorts){0};
}

static const char *const alike[] = {"fleet",       "image", "region", "policy", "product",
                                    "measurement", "from",  "to",     "reason"};

static json_t *cohort_new(const json_t *flip)
{
    json_t *cohort = json_object();
    for (size_t i = 0; i < countof(alike); i++)
        json_put_new(cohort, alike[i], json_incref(json_object_get(flip, alike[i])));
    return cohort;
}

void cohorts_count(struct cohorts *cohorts, const json_t *flip)
{
    OWNED(text_done) struct text key = {0};
    for (size_t i = 0; i < countof(alike); i++)
        text_addf(&key, "%s\n", json_string_value(json_object_get(flip, alike[i])));
    if (cohorts->by_key == NULL)
        cohorts->by_key = json_object();
    json_t *cohort = json_object_get(cohorts->by_key, text_str(&key));
    if (cohort == NULL && json_object_size(cohorts->by_key) == PLAN_COHORTS_MOST) {
        cohorts->left_out++;
        return;
    }
    if (cohort == NULL) {
        cohort = cohort_new(flip);
        json_put_new(cohorts->by_key, text_str(&key), cohort);
    }
    json_put_int(cohort, "count", json_integer_value(json_object_get(cohort, "count")) + 1);
}

json_t *cohorts_to_json(const struct cohorts *cohorts)
{
    json_t *list = json_array();
    const char *key;
    json_t *cohort;
    json_object_foreach (json_looked_at(cohorts->by_key), key, cohort)
        json_add_new(list, json_incref(cohort));
    return list;
}

/* ---- dates ---------------------------------------------------------------------------------- */

void plan_dates_done(struct plan_dates *dates)
{
    for (size_t i = 0; i < dates->count; i++)
        cohorts_done(&dates->at[i].cohorts);
    *dates = (struct plan_dates){0};
}

static void leave_out_last(struct plan_dates *dates)
{
    struct plan_date *last = &dates->at[--dates->count];
    dates->left_out += last->flips;
    cohorts_done(&last->cohorts);
}

/* NULL: beyond the last that is kept. */
static struct plan_date *date_of(struct plan_dates *dates, struct moment at)
{
    size_t i = 0;
    while (i < dates->count && dates->at[i].at.us < at.us)
        i++;
    if (i < dates->count && dates->at[i].at.us == at.us)
        return &dates->at[i];
    if (i == PLAN_DATES_MOST)
        return NULL;
    if (dates->count == PLAN_DATES_MOST)
        leave_out_last(dates);
    memmove(&dates->at[i + 1], &dates->at[i], (dates->count - i) * sizeof dates->at[0]);
    dates->at[i] = (struct plan_date){.at = at};
    dates->count++;
    return &dates->at[i];
}

void plan_dates_count(struct plan_dates *dates, struct moment at, const json_t *flip)
{
    struct plan_date *date = date_of(dates, at);
    if (date == NULL) {
        dates->left_out++;
        return;
    }
    date->flips++;
    cohorts_count(&date->cohorts, flip);
}

json_t *plan_dates_to_json(const struct plan_dates *dates)
{
    json_t *list = json_array();
    for (size_t i = 0; i < dates->count; i++) {
        const struct plan_date *date = &dates->at[i];
        json_t *item = json_object();
        json_put_moment(item, "at", date->at);
        json_put_int(item, "count", date->flips);
        json_put_new(item, "cohorts", cohorts_to_json(&date->cohorts));
        json_add_new(list, item);
    }
    return list;
}
