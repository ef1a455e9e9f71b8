#include "controller/alarms.h"

#include <string.h>

#include "db/fleet_store.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"

enum { ROUND_MS = 5000 };

static bool has(const struct alarm_list *list, const struct alarm *alarm)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->at[i].code, alarm->code) == 0 &&
            strcmp(list->at[i].object, alarm->object) == 0 &&
            strcmp(list->at[i].project, alarm->project) == 0)
            return true;
    return false;
}

static void tell(const char *event, const struct alarm *alarm)
{
    LOG(WARN, event, TEXT("code", alarm->code),
        TEXT("severity", name_of(&alarm_severity_names, (int)alarm->severity)),
        TEXT("object", alarm->object), TEXT("project", alarm->project), TEXT("text", alarm->text),
        TEXT("since", moment_text(alarm->since).at));
}

static void tell_all(const struct alarm_list *before, const struct alarm_list *now)
{
    for (size_t i = 0; i < before->count; i++)
        metric_set_alarms(before->at[i].code, 0);
    for (size_t i = 0; i < now->count; i++) {
        metric_set_alarms(now->at[i].code, now->at[i].of_code);
        if (!has(before, &now->at[i]))
            tell("alarm.began", &now->at[i]);
    }
    /* Of more than are looked at, one that is not among them may still stand. */
    const bool whole = now->count < ALARMS_MOST;
    for (size_t i = 0; i < before->count && whole; i++)
        if (!has(now, &before->at[i]))
            tell("alarm.ended", &before->at[i]);
}

enum outcome alarms_look(struct alarm_watch *watch, struct db *db, const char *actor,
                         struct error *err)
{
    struct alarm_list now = {0};
    int64_t changed;
    if (clock_monotonic_ms() < watch->next_ms)
        return OK;
    TRY(fleet_store_look_at_objectives(db, actor, &changed, err));
    TRY(alarm_store_list(db, NULL, NULL, &now, err));
    watch->next_ms = clock_monotonic_ms() + ROUND_MS;
    tell_all(&watch->told, &now);
    alarm_list_done(&watch->told);
    watch->told = now;
    return OK;
}

void alarms_done(struct alarm_watch *watch)
{
    alarm_list_done(&watch->told);
}
