#include "emulator/quotas.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { MINUTE_MS = 60000 };

/* The names of Azure's are those of its x-ms-ratelimit-remaining-subscription- headers, but for
 * those of Microsoft.Compute, which come after. */
struct quota {
    enum account_driver cloud;
    const char *action;
    const char *name; /* calls of one quota name it alike */
    int64_t room;
    int64_t per_minute;
    bool by_minute; /* all of a minute's are back when the next begins, and none before */
};

/* clang-format off */
static const struct quota quotas_table[] = {
    {DRIVER_AWS,   "RunInstances",          "RunInstances",           5,  120, false},
    {DRIVER_AWS,   "RunInstances",          "RunInstances resources", 1000, 120, false},
    {DRIVER_AWS,   "StartInstances",        "StartInstances",         5,  120, false},
    {DRIVER_AWS,   "StopInstances",         "StopInstances",         50,  300, false},
    {DRIVER_AWS,   "TerminateInstances",    "TerminateInstances",    50,  300, false},
    {DRIVER_AWS,   "DescribeInstances",     "DescribeInstances",    100, 1200, false},
    {DRIVER_AWS,   "DescribeInstanceTypes", "DescribeInstanceTypes", 100, 1200, false},
    {DRIVER_AZURE, "VirtualMachines_CreateOrUpdate", "writes", 200,  600, false},
    {DRIVER_AZURE, "VirtualMachines_Update",         "writes", 200,  600, false},
    {DRIVER_AZURE, "VirtualMachines_Deallocate",     "writes", 200,  600, false},
    {DRIVER_AZURE, "VirtualMachines_PowerOff",       "writes", 200,  600, false},
    {DRIVER_AZURE, "VirtualMachines_Start",          "writes", 200,  600, false},
    {DRIVER_AZURE, "VirtualMachines_Restart",        "writes", 200,  600, false},
    {DRIVER_AZURE, "VirtualMachines_Redeploy",       "writes", 200,  600, false},
    {DRIVER_AZURE, "VirtualMachines_PerformMaintenance", "writes", 200, 600, false},
    {DRIVER_AZURE, "VirtualMachines_Delete",         "deletes", 200, 600, false},
    {DRIVER_AZURE, "VirtualMachines_Get",            "reads",  250, 1500, false},
    {DRIVER_AZURE, "VirtualMachines_InstanceView",   "reads",  250, 1500, false},
    {DRIVER_AZURE, "VirtualMachines_List",           "reads",  250, 1500, false},
    {DRIVER_AZURE, "VirtualMachines_ListAll",        "reads",  250, 1500, false},
    {DRIVER_AZURE, "ResourceSkus_List",              "reads",  250, 1500, false},
    {DRIVER_AZURE, "operation",                      "reads",  250, 1500, false},
    {DRIVER_AZURE, "VirtualMachines_CreateOrUpdate", "Microsoft.Compute/PutVM",    1500, 500, false},
    {DRIVER_AZURE, "VirtualMachines_Start",          "Microsoft.Compute/UpdateVM", 1500, 500, false},
    {DRIVER_AZURE, "VirtualMachines_Restart",        "Microsoft.Compute/UpdateVM", 1500, 500, false},
    {DRIVER_AZURE, "VirtualMachines_Redeploy",       "Microsoft.Compute/UpdateVM", 1500, 500, false},
    {DRIVER_AZURE, "VirtualMachines_Deallocate",     "Microsoft.Compute/DeleteVM", 1500, 500, false},
    {DRIVER_AZURE, "VirtualMachines_Delete",         "Microsoft.Compute/DeleteVM", 1500, 500, false},
    {DRIVER_AZURE, "VirtualMachines_List",           "Microsoft.Compute/HighCostGet", 900, 300, false},
    {DRIVER_AZURE, "VirtualMachines_ListAll",        "Microsoft.Compute/HighCostGet", 900, 300, false},
    {DRIVER_GCP,   "instances.insert",         "mutations",  1500, 1500, true},
    {DRIVER_GCP,   "instances.delete",         "mutations",  1500, 1500, true},
    {DRIVER_GCP,   "instances.start",          "mutations",  1500, 1500, true},
    {DRIVER_GCP,   "instances.stop",           "mutations",  1500, 1500, true},
    {DRIVER_GCP,   "instances.get",            "reads",      1500, 1500, true},
    {DRIVER_GCP,   "instances.list",           "lists",      1500, 1500, true},
    {DRIVER_GCP,   "instances.aggregatedList", "lists",      1500, 1500, true},
    {DRIVER_GCP,   "zoneOperations.get",       "operations", 1500, 1500, true},
    {DRIVER_GCP,   "zoneOperations.wait",      "operations", 1500, 1500, true},
};
/* clang-format on */
_Static_assert(countof(quotas_table) <= QUOTAS_MAX);

/* ---- what is left --------------------------------------------------------------------------- */

static bool is_for(const struct quota *quota, enum account_driver cloud, const char *action)
{
    return quota->cloud == cloud && strcmp(quota->action, action) == 0;
}

/* Calls of one quota share the state of its first row. */
static size_t first_of(const struct quota *quota)
{
    size_t i = 0;
    while (quotas_table[i].cloud != quota->cloud || strcmp(quotas_table[i].name, quota->name) != 0)
        i++;
    return i;
}

static struct quota_state state_now(const struct quotas *quotas, const struct quota *quota,
                                    int64_t now_ms)
{
    struct quota_state state = quotas->states[first_of(quota)];
    if (state.bucket.every_ms == 0)
        state.bucket =
            (struct bucket){.room = quota->room, .every_ms = MINUTE_MS / quota->per_minute};
    if (state.minute != now_ms / MINUTE_MS)
        state.used = 0;
    state.minute = now_ms / MINUTE_MS;
    return state;
}

static int64_t left_of(const struct quota *quota, const struct quota_state *state, int64_t now_ms)
{
    const struct bucket *bucket = &state->bucket;
    if (quota->by_minute)
        return quota->per_minute - state->used;
    const int64_t lacking_ms = bucket->full_ms > now_ms ? bucket->full_ms - now_ms : 0;
    return bucket->room - (lacking_ms + bucket->every_ms - 1) / bucket->every_ms;
}

static bool is_granted(const struct quotas *quotas, enum account_driver cloud, const char *action,
                       int64_t now_ms)
{
    for (size_t i = 0; i < countof(quotas_table); i++) {
        const struct quota *quota = &quotas_table[i];
        if (!is_for(quota, cloud, action))
            continue;
        const struct quota_state state = state_now(quotas, quota, now_ms);
        if (left_of(quota, &state, now_ms) < 1)
            return false;
    }
    return true;
}

static void take(struct quotas *quotas, enum account_driver cloud, const char *action,
                 int64_t now_ms)
{
    for (size_t i = 0; i < countof(quotas_table); i++) {
        const struct quota *quota = &quotas_table[i];
        if (!is_for(quota, cloud, action))
            continue;
        struct quota_state state = state_now(quotas, quota, now_ms);
        state.used++;
        bucket_take(&state.bucket, now_ms);
        quotas->states[first_of(quota)] = state;
    }
}

const char *quotas_left(const struct quotas *quotas, enum account_driver cloud, const char *action,
                        int64_t now_ms, int64_t *out_left)
{
    for (size_t i = 0; quotas->kept && i < countof(quotas_table); i++) {
        const struct quota *quota = &quotas_table[i];
        if (!is_for(quota, cloud, action))
            continue;
        const struct quota_state state = state_now(quotas, quota, now_ms);
        *out_left = left_of(quota, &state, now_ms);
        return quota->name;
    }
    return NULL;
}

/* ---- counting ------------------------------------------------------------------------------- */

static struct call_tally *tally_of(struct quotas *quotas, enum account_driver cloud,
                                   const char *action)
{
    for (size_t i = 0; i < quotas->tally_count; i++)
        if (quotas->tallies[i].cloud == cloud && strcmp(quotas->tallies[i].action, action) == 0)
            return &quotas->tallies[i];
    assert(quotas->tally_count < TALLIES_MAX); /* the faces' own words, and there are fewer */
    struct call_tally *made = &quotas->tallies[quotas->tally_count++];
    *made = (struct call_tally){.cloud = cloud};
    snprintf(made->action, sizeof made->action, "%s", action);
    return made;
}

bool quotas_take(struct quotas *quotas, enum account_driver cloud, const char *action,
                 int64_t now_ms)
{
    struct call_tally *tally = tally_of(quotas, cloud, action);
    tally->calls++;
    if (!quotas->kept)
        return true;
    if (!is_granted(quotas, cloud, action, now_ms)) {
        tally->throttled++;
        return false;
    }
    take(quotas, cloud, action, now_ms);
    return true;
}

void quotas_note_early(struct quotas *quotas, enum account_driver cloud, const char *action)
{
    tally_of(quotas, cloud, action)->early++;
}

static json_t *calls_to_json(const struct quotas *quotas)
{
    json_t *list = json_array();
    for (size_t i = 0; i < quotas->tally_count; i++) {
        const struct call_tally *tally = &quotas->tallies[i];
        json_t *row = json_object();
        json_put_text(row, "cloud", name_of(&account_driver_names, (int)tally->cloud));
        json_put_text(row, "action", tally->action);
        json_put_int(row, "calls", tally->calls);
        json_put_int(row, "throttled", tally->throttled);
        json_put_int(row, "early", tally->early);
        json_add_new(list, row);
    }
    return list;
}

json_t *quotas_to_json(const struct quotas *quotas)
{
    json_t *out = json_object();
    json_t *list = json_array();
    for (size_t i = 0; i < countof(quotas_table); i++) {
        const struct quota *quota = &quotas_table[i];
        json_t *row = json_object();
        json_put_text(row, "cloud", name_of(&account_driver_names, (int)quota->cloud));
        json_put_text(row, "action", quota->action);
        json_put_text(row, "quota", quota->name);
        json_put_int(row, "room", quota->room);
        json_put_int(row, "per_minute", quota->per_minute);
        json_put_bool(row, "by_minute", quota->by_minute);
        json_add_new(list, row);
    }
    json_put_bool(out, "kept", quotas->kept);
    json_put_new(out, "calls", calls_to_json(quotas));
    json_put_new(out, "quotas", list);
    return out;
}
