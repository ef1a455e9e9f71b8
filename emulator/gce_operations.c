/* What goes on after an answer, and the calls that begin it: stop, start, reset, delete, labels,
 * maintenance. And the table of all calls. */
#include <stdio.h>
#include <string.h>

#include "emulator/gce_api.h"

enum { WAIT_MS = 120 * 1000 };

static const char *request_id(const struct gce_call *call)
{
    const char *id = face_argument(call->request, "requestId");
    return id != NULL ? id : "";
}

struct operation *gce_repeated(const struct gce_call *call)
{
    const char *id = request_id(call);
    struct operations *all = &call->api->world->operations;
    size_t count = all->begun < OPERATIONS_MAX ? all->begun : OPERATIONS_MAX;
    for (size_t i = 0; id[0] != '\0' && i < count; i++)
        if (all->at[i].cloud == DRIVER_GCP && strcmp(all->at[i].request, id) == 0 &&
            strcmp(all->at[i].zone, call->zone) == 0)
            return &all->at[i];
    return NULL;
}

struct operation *gce_begin(struct gce_call *call, const struct machine *machine, const char *verb)
{
    struct operation *operation = machine != NULL
                                      ? world_begin(call->api->world, machine, verb)
                                      : operations_add(&call->api->world->operations, DRIVER_GCP);
    snprintf(operation->verb, sizeof operation->verb, "%s", verb);
    snprintf(operation->request, sizeof operation->request, "%.39s", request_id(call));
    snprintf(operation->name, sizeof operation->name, "%s",
             machine != NULL ? machine->name : call->name);
    snprintf(operation->zone, sizeof operation->zone, "%s", call->zone);
    return operation;
}

void gce_fail(struct operation *operation, int status, const char *code, const char *message)
{
    operation->status = status;
    snprintf(operation->code, sizeof operation->code, "%s", code);
    snprintf(operation->message, sizeof operation->message, "%.199s", message);
}

bool gce_operation_is_done(const struct gce_api *api, const struct operation *operation)
{
    return operation->ref[0] == '\0' || world_is_done(api->world, operation);
}

/* ---- the calls ------------------------------------------------------------------------------ */

static bool say(struct gce_call *call, const struct operation *operation)
{
    call->answer = gce_show_operation(call->api, operation);
    return true;
}

static bool begin(struct gce_call *call, const struct machine *machine, const char *verb)
{
    return say(call, gce_begin(call, machine, verb));
}

/* What a call makes of each state: a new state, the same (nothing to do), or a refusal. */
enum { REFUSED = -1 };
/* clang-format off */
static const int on_start[VM_STATE_COUNT] = {
    [VM_PENDING] = VM_PENDING, [VM_RUNNING] = VM_RUNNING, [VM_STOPPING] = REFUSED,
    [VM_STOPPED] = VM_PENDING, [VM_SHUTTING_DOWN] = REFUSED, [VM_TERMINATED] = REFUSED,
    [VM_HALTED] = REFUSED, [VM_FAILED] = REFUSED,
};
static const int on_stop[VM_STATE_COUNT] = {
    [VM_PENDING] = VM_STOPPING, [VM_RUNNING] = VM_STOPPING, [VM_STOPPING] = VM_STOPPING,
    [VM_STOPPED] = VM_STOPPED, [VM_SHUTTING_DOWN] = REFUSED, [VM_TERMINATED] = REFUSED,
    [VM_HALTED] = REFUSED, [VM_FAILED] = REFUSED,
};
static const int on_delete[VM_STATE_COUNT] = {
    [VM_PENDING] = VM_SHUTTING_DOWN, [VM_RUNNING] = VM_SHUTTING_DOWN,
    [VM_STOPPING] = VM_SHUTTING_DOWN, [VM_STOPPED] = VM_SHUTTING_DOWN,
    [VM_SHUTTING_DOWN] = VM_SHUTTING_DOWN, [VM_TERMINATED] = REFUSED,
    [VM_HALTED] = REFUSED, [VM_FAILED] = REFUSED,
};
static const int on_restart[VM_STATE_COUNT] = {
    [VM_PENDING] = REFUSED, [VM_RUNNING] = VM_STOPPING, [VM_STOPPING] = REFUSED,
    [VM_STOPPED] = REFUSED, [VM_SHUTTING_DOWN] = REFUSED, [VM_TERMINATED] = REFUSED,
    [VM_HALTED] = REFUSED, [VM_FAILED] = REFUSED,
};
/* clang-format on */

static bool change(struct gce_call *call, const int table[static VM_STATE_COUNT], const char *verb,
                   bool reboots, struct gce_refusal *out)
{
    struct operation *before = gce_repeated(call);
    if (before != NULL)
        return say(call, before);
    struct machine *machine = gce_find(call, out);
    if (machine == NULL)
        return false;
    const int to = table[machine->state];
    if (to == REFUSED)
        return gce_refuse(out, 400, "resourceNotReady",
                          "The resource 'projects/%s/zones/%s/instances/%s' is not ready",
                          call->api->project, call->zone, machine->name);
    machine->leaves |= call->leaves;
    if (to != (int)machine->state) {
        machine->reboots = reboots;
        world_move(call->api->world, machine, (enum vm_state)to);
    }
    return begin(call, machine, verb);
}

static bool start(struct gce_call *call, struct gce_refusal *out)
{
    if (!call->no_capacity)
        return change(call, on_start, "start", false, out);
    struct machine *machine = gce_find(call, out);
    if (machine == NULL)
        return false;
    struct operation *operation = gce_begin(call, machine, "start");
    gce_fail(operation, 503, "ZONE_RESOURCE_POOL_EXHAUSTED",
             "The zone does not have enough resources available to fulfill the request.");
    return say(call, operation);
}

static bool stop(struct gce_call *call, struct gce_refusal *out)
{
    return change(call, on_stop, "stop", false, out);
}

static bool delete (struct gce_call *call, struct gce_refusal *out)
{
    return change(call, on_delete, "delete", false, out);
}

/* The machine goes off and comes back; on the same host or another makes no difference here. */
static bool reset(struct gce_call *call, struct gce_refusal *out)
{
    return change(call, on_restart, "reset", true, out);
}

static bool simulate_maintenance(struct gce_call *call, struct gce_refusal *out)
{
    return change(call, on_restart, "simulateMaintenanceEvent", true, out);
}

static bool perform_maintenance(struct gce_call *call, struct gce_refusal *out)
{
    struct machine *machine = gce_find(call, out);
    if (machine == NULL)
        return false;
    if (machine_tag(machine, "muster-sim-maintenance") == NULL)
        return gce_refuse(out, 412, "conditionNotMet", "The VM has no upcoming maintenance");
    machine_drop_tag(machine, "muster-sim-maintenance");
    return change(call, on_restart, "performMaintenance", true, out);
}

static bool set_labels(struct gce_call *call, struct gce_refusal *out)
{
    struct error err = {0};
    char now[16];
    struct machine *machine = gce_find(call, out);
    if (machine == NULL)
        return false;
    const char *known = json_string_value(json_object_get(call->body, "labelFingerprint"));
    gce_fingerprint(machine, now);
    if (known == NULL || strcmp(known, now) != 0)
        return gce_refuse(out, 412, "conditionNotMet",
                          "Labels fingerprint either invalid or "
                          "resource labels have changed");
    struct machine draft = *machine;
    draft.tag_count = 0;
    if (!gce_read_labels(json_object_get(call->body, "labels"), &draft, out))
        return false;
    memcpy(machine->tags, draft.tags, sizeof machine->tags);
    machine->tag_count = draft.tag_count;
    if (world_save(call->api->world, machine, &err) != OK)
        return gce_refuse(out, 500, "internalError", "%.200s", err.text);
    return begin(call, machine, "setLabels");
}

/* ---- operations ----------------------------------------------------------------------------- */

static struct operation *find_operation(const struct gce_call *call, struct gce_refusal *out)
{
    const char *id = strncmp(call->name, "operation-", 10) == 0 ? call->name + 10 : call->name;
    struct operation *found = operations_find(&call->api->world->operations, DRIVER_GCP, id);
    if (found != NULL && strcmp(found->zone, call->zone) == 0)
        return found;
    gce_refuse(out, 404, "notFound",
               "The resource 'projects/%s/zones/%s/operations/%s' was not "
               "found",
               call->api->project, call->zone, call->name);
    return NULL;
}

static bool get_operation(struct gce_call *call, struct gce_refusal *out)
{
    const struct operation *operation = find_operation(call, out);
    return operation != NULL && say(call, operation);
}

static bool wait_operation(struct gce_call *call, struct gce_refusal *out)
{
    const struct operation *operation = find_operation(call, out);
    if (operation != NULL && !gce_operation_is_done(call->api, operation))
        call->wait_ms = WAIT_MS;
    return operation != NULL && say(call, operation);
}

static bool list_operations(struct gce_call *call, struct gce_refusal *out)
{
    (void)out;
    const struct operations *all = &call->api->world->operations;
    size_t count = all->begun < OPERATIONS_MAX ? all->begun : OPERATIONS_MAX;
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        if (all->at[i].cloud == DRIVER_GCP && strcmp(all->at[i].zone, call->zone) == 0)
            json_add_new(items, gce_show_operation(call->api, &all->at[i]));
    call->answer = json_object();
    json_put_text(call->answer, "kind", "compute#operationList");
    json_put_new(call->answer, "items", items);
    return true;
}

/* ---- the table ------------------------------------------------------------------------------ */

#define INSTANCES "zones/{zone}/instances"
#define MACHINE INSTANCES "/{name}"

/* clang-format off */
const struct gce_action gce_actions[] = {
    {"instances.insert",          "POST", INSTANCES, gce_insert, "compute.instances.create"},
    {"instances.list",            "GET",  INSTANCES, gce_list, "compute.instances.list"},
    {"instances.aggregatedList",  "GET",  "aggregated/instances", gce_list_aggregated,
     "compute.instances.list"},
    {"instances.get",             "GET",  MACHINE, gce_get, "compute.instances.get"},
    {"instances.delete",          "DELETE", MACHINE, delete, "compute.instances.delete"},
    {"instances.start",           "POST", MACHINE "/start", start, "compute.instances.start"},
    {"instances.stop",            "POST", MACHINE "/stop", stop, "compute.instances.stop"},
    {"instances.reset",           "POST", MACHINE "/reset", reset, "compute.instances.reset"},
    {"instances.setLabels",       "POST", MACHINE "/setLabels", set_labels,
     "compute.instances.setLabels"},
    {"instances.performMaintenance", "POST", MACHINE "/performMaintenance", perform_maintenance,
     "compute.instances.performMaintenance"},
    {"instances.simulateMaintenanceEvent", "POST", MACHINE "/simulateMaintenanceEvent",
     simulate_maintenance, "compute.instances.simulateMaintenanceEvent"},
    {"disks.aggregatedList",      "GET",  "aggregated/disks", gce_remnant_list,
     "compute.disks.list"},
    {"disks.delete",              "DELETE", "zones/{zone}/disks/{name}", gce_remnant_delete,
     "compute.disks.delete"},
    {"addresses.aggregatedList",  "GET",  "aggregated/addresses", gce_remnant_list,
     "compute.addresses.list"},
    {"addresses.delete",          "DELETE", "regions/{name}/addresses/{name}", gce_remnant_delete,
     "compute.addresses.delete"},
    {"zoneOperations.list",       "GET",  "zones/{zone}/operations", list_operations,
     "compute.zoneOperations.list"},
    {"zoneOperations.get",        "GET",  "zones/{zone}/operations/{name}", get_operation,
     "compute.zoneOperations.get"},
    {"zoneOperations.wait",       "POST", "zones/{zone}/operations/{name}/wait", wait_operation,
     "compute.zoneOperations.get"},
    {"zones.list",                "GET",  "zones", gce_zones, "compute.zones.list"},
    {"zones.get",                 "GET",  "zones/{zone}", gce_zone, "compute.zones.get"},
    {"regions.get",               "GET",  "regions/{name}", gce_region, "compute.regions.get"},
    {"machineTypes.list",         "GET",  "zones/{zone}/machineTypes", gce_machine_types,
     "compute.machineTypes.list"},
    {"machineTypes.get",          "GET",  "zones/{zone}/machineTypes/{name}", gce_machine_type,
     "compute.machineTypes.get"},
};
/* clang-format on */
const size_t gce_action_count = countof(gce_actions);
