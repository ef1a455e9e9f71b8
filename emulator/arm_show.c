/* Machines, operations and sizes as Resource Manager shows them. */
#include <stdio.h>
#include <string.h>

#include "emulator/arm_api.h"

enum { FRESH_SECONDS = 60 };

struct power {
    const char *provisioning;
    const char *power; /* NULL: none is told */
};

static struct power power_of(const struct machine *machine)
{
    switch (machine->state) {
    case VM_PENDING:
        return machine->boots == 0 ? (struct power){"Creating", NULL}
                                   : (struct power){"Updating", "starting"};
    case VM_RUNNING:
        return (struct power){"Succeeded", "running"};
    case VM_STOPPING:
        return (struct power){"Updating", machine->halts ? "stopping" : "deallocating"};
    case VM_STOPPED:
        return (struct power){"Succeeded", "deallocated"};
    case VM_HALTED:
        return (struct power){"Succeeded", "stopped"};
    case VM_SHUTTING_DOWN:
        return (struct power){"Deleting", "stopping"};
    case VM_FAILED:
    case VM_TERMINATED:
    case VM_STATE_COUNT:
        break;
    }
    return (struct power){"Failed", NULL};
}

static void add_status(json_t *statuses, const char *kind, const char *word, const char *more)
{
    char code[160];
    json_t *status = json_object();
    snprintf(code, sizeof code, "%s/%s%s%s", kind, word, more[0] != '\0' ? "/" : "", more);
    json_put_text(status, "code", code);
    json_put_text(status, "level", strcmp(word, "failed") == 0 ? "Error" : "Info");
    json_put_text(status, "displayStatus", word);
    json_add_new(statuses, status);
}

static void put_image(json_t *properties, const struct machine *machine)
{
    json_t *storage = json_object_get(properties, "storageProfile");
    if (json_object_get(storage, "imageReference") == NULL)
        return;
    const char *version = strrchr(machine->image, ':');
    if (version != NULL)
        json_put_text(json_object_get(storage, "imageReference"), "exactVersion", version + 1);
}

static json_t *make_view(const struct machine *machine)
{
    static const char *const lower[][2] = {
        {"Succeeded", "succeeded"}, {"Creating", "creating"}, {"Updating", "updating"},
        {"Deleting", "deleting"},   {"Failed", "failed"},
    };
    const struct power power = power_of(machine);
    json_t *view = json_object();
    json_t *statuses = json_array();
    for (size_t i = 0; i < countof(lower); i++)
        if (strcmp(lower[i][0], power.provisioning) == 0)
            add_status(statuses, "ProvisioningState", lower[i][1],
                       machine->state == VM_FAILED ? machine->reason : "");
    if (power.power != NULL)
        add_status(statuses, "PowerState", power.power, "");
    json_put_new(view, "statuses", statuses);
    if (machine_tag(machine, "muster-sim:maintenance") != NULL) {
        json_t *maintenance = json_object();
        json_put_bool(maintenance, "isCustomerInitiatedMaintenanceAllowed", true);
        json_put_moment(maintenance, "preMaintenanceWindowStartTime", machine->launched);
        json_put_moment(maintenance, "preMaintenanceWindowEndTime",
                        moment_add_seconds(machine->launched, 7 * 86400));
        json_put_moment(maintenance, "maintenanceWindowStartTime",
                        moment_add_seconds(machine->launched, 8 * 86400));
        json_put_moment(maintenance, "maintenanceWindowEndTime",
                        moment_add_seconds(machine->launched, 15 * 86400));
        json_put_text(maintenance, "lastOperationResultCode", "None");
        json_put_new(view, "maintenanceRedeployStatus", maintenance);
    }
    return view;
}

static void add_id(const struct arm_call *call, const struct machine *machine, const char *kind,
                   const char *suffix, json_t *out)
{
    OWNED(text_done) struct text id = {0};
    text_addf(&id, "/subscriptions/%s/resourceGroups/%s/providers/%s/%s%s", call->api->subscription,
              machine->group, kind, machine->name, suffix);
    json_put_text(out, "id", text_str(&id));
}

/* Interfaces that were asked for in the launch are shown as what was made of them. */
static json_t *make_network(const struct arm_call *call, const struct machine *machine)
{
    json_t *properties = json_object();
    json_put_bool(properties, "primary", true);
    json_put_text(properties, "deleteOption", "Delete");
    json_t *nic = json_object();
    add_id(call, machine, "Microsoft.Network/networkInterfaces", "-nic", nic);
    json_put_new(nic, "properties", properties);
    json_t *nics = json_array();
    json_add_new(nics, nic);
    json_t *network = json_object();
    json_put_new(network, "networkInterfaces", nics);
    return network;
}

/* What the launch said, without what is secret or write-only. */
static json_t *shape_of(const struct machine *machine)
{
    json_t *shape = NULL;
    if (json_parse(bytes_span(&machine->shape), FACE_BODY_MAX, &shape, NULL) != OK)
        shape = json_pack("{s:{}}", "properties");
    json_t *properties = json_object_get(shape, "properties");
    json_object_del(properties, "userData");
    json_object_del(json_object_get(properties, "osProfile"), "customData");
    json_object_del(json_object_get(properties, "osProfile"), "adminPassword");
    return shape;
}

json_t *arm_machine_json(const struct arm_call *call, const struct machine *machine, bool view)
{
    json_t *out = shape_of(machine);
    json_t *properties = json_object_get(out, "properties");
    json_t *tags = json_object();
    for (size_t i = 0; i < machine->tag_count; i++)
        json_put_text(tags, machine->tags[i].key, machine->tags[i].value);
    add_id(call, machine, "Microsoft.Compute/virtualMachines", "", out);
    json_put_text(out, "name", machine->name);
    json_put_text(out, "type", "Microsoft.Compute/virtualMachines");
    json_put_text(out, "location", machine->region);
    json_put_new(out, "tags", tags);
    json_put_text(properties, "vmId", machine->ref);
    json_put_text(properties, "provisioningState", power_of(machine).provisioning);
    json_put_moment(properties, "timeCreated", machine->launched);
    json_put_new(properties, "networkProfile", make_network(call, machine));
    put_image(properties, machine);
    if (view)
        json_put_new(properties, "instanceView", make_view(machine));
    return out;
}

/* ---- one machine ---------------------------------------------------------------------------- */

static bool shows(const struct arm_call *call, const struct machine *machine)
{
    return call->prank.fault != FAULT_HIDDEN ||
           moment_seconds_between(machine->launched, clock_now()) > FRESH_SECONDS;
}

struct machine *arm_machine_find(const struct arm_call *call)
{
    struct machine *machine =
        world_find_named(call->api->world, DRIVER_AZURE, call->parts[1], call->parts[2]);
    return machine != NULL && shows(call, machine) ? machine : NULL;
}

bool arm_machine_missing(struct arm_call *call)
{
    return arm_refuse(call, 404, "ResourceNotFound",
                      "The Resource 'Microsoft.Compute/virtualMachines/%.64s' under resource group "
                      "'%.90s' was not found.",
                      call->parts[2], call->parts[1]);
}

bool arm_machine_get(struct arm_call *call)
{
    const struct machine *machine = arm_machine_find(call);
    const char *expand = face_argument(call->request, "$expand");
    if (machine == NULL)
        return arm_machine_missing(call);
    OWNED(json_drop)
    json_t *body =
        arm_machine_json(call, machine, expand != NULL && strcasecmp(expand, "instanceView") == 0);
    arm_say(call, 200, body);
    return true;
}

bool arm_machine_view(struct arm_call *call)
{
    const struct machine *machine = arm_machine_find(call);
    if (machine == NULL)
        return arm_machine_missing(call);
    OWNED(json_drop) json_t *body = make_view(machine);
    arm_say(call, 200, body);
    return true;
}

/* ---- lists ---------------------------------------------------------------------------------- */

static json_t *status_only(const struct arm_call *call, const struct machine *machine)
{
    json_t *properties = json_object();
    json_put_text(properties, "vmId", machine->ref);
    json_put_new(properties, "instanceView", make_view(machine));
    json_t *out = json_object();
    add_id(call, machine, "Microsoft.Compute/virtualMachines", "", out);
    json_put_text(out, "name", machine->name);
    json_put_text(out, "location", machine->region);
    json_put_new(out, "properties", properties);
    return out;
}

static bool read_page(struct arm_call *call, int64_t *after)
{
    const char *token = face_argument(call->request, "$skiptoken");
    *after = 0;
    if (token == NULL)
        return true;
    if (strncmp(token, "after-", 6) == 0 &&
        number_parse(token + 6, 0, INT64_MAX, after, NULL) == OK)
        return true;
    return arm_refuse(call, 400, "BadRequest", "The skip token is invalid.");
}

static bool is_listed(const struct arm_call *call, const struct machine *machine, int64_t after)
{
    return machine->cloud == DRIVER_AZURE && machine->ordinal > after &&
           machine->state != VM_TERMINATED && shows(call, machine) &&
           (call->parts[1] == NULL || strcasecmp(call->parts[1], machine->group) == 0);
}

bool arm_machine_list(struct arm_call *call)
{
    const struct world *world = call->api->world;
    const char *status = face_argument(call->request, "statusOnly");
    bool brief = status != NULL && strcasecmp(status, "true") == 0;
    int64_t after, shown = 0, last = 0;
    if (!read_page(call, &after))
        return false;
    OWNED(json_drop) json_t *body = json_object();
    json_t *list = json_array();
    json_put_new(body, "value", list);
    for (size_t i = 0; i < world->count; i++) {
        const struct machine *machine = world->machines[i];
        if (!is_listed(call, machine, after))
            continue;
        if (shown++ == call->api->page_most) {
            OWNED(text_done) struct text next = {0};
            text_addf(&next, "%s%s?api-version=%s%s&$skiptoken=after-%lld", call->location,
                      call->request->path, face_argument(call->request, "api-version"),
                      brief ? "&statusOnly=true" : "", (long long)last);
            json_put_text(body, "nextLink", text_str(&next));
            break;
        }
        json_add_new(list,
                     brief ? status_only(call, machine) : arm_machine_json(call, machine, false));
        last = machine->ordinal;
    }
    arm_say(call, 200, body);
    return true;
}

/* ---- what else ------------------------------------------------------------------------------ */

/* By its own address a status, by that of Location (?monitor=true) a 202 until it is done. A
 * failure is a 200 too. */
bool arm_operation_get(struct arm_call *call)
{
    struct world *world = call->api->world;
    struct operation *operation = operations_find(&world->operations, DRIVER_AZURE, call->parts[2]);
    if (operation == NULL)
        return arm_refuse(call, 404, "NotFound", "The entity was not found.");
    bool failed = operation->code[0] != '\0';
    bool done = failed || world_is_done(world, operation);
    if (clock_monotonic_ms() < operation->quiet_until_ms)
        quotas_note_early(&world->quotas, DRIVER_AZURE, "operation");
    if (!done)
        arm_ask_later(call, operation);
    if (!failed && face_argument(call->request, "monitor") != NULL) {
        call->out->status = done ? 200 : 202;
        return true;
    }
    OWNED(json_drop) json_t *body = json_object();
    json_put_moment(body, "startTime", operation->begun);
    json_put_text(body, "name", operation->id);
    json_put_text(body, "status", failed ? "Failed" : done ? "Succeeded" : "InProgress");
    if (failed) {
        json_t *error = json_object();
        json_put_text(error, "code", operation->code);
        json_put_text(error, "message", operation->message);
        json_put_new(body, "error", error);
    }
    arm_say(call, 200, body);
    return true;
}

static json_t *make_size(const char *name, int processors, int gib, const char *kind,
                         const char *location)
{
    char count[16], memory[16];
    snprintf(count, sizeof count, "%d", processors);
    snprintf(memory, sizeof memory, "%d", gib);
    return json_pack(
        "{s:s, s:s, s:[s], s:[{s:s, s:[s,s,s]}], s:[{s:s, s:s}, {s:s, s:s}, {s:s, s:s}], s:[]}",
        "resourceType", "virtualMachines", "name", name, "locations", location, "locationInfo",
        "location", location, "zones", "1", "2", "3", "capabilities", "name", "vCPUs", "value",
        count, "name", "MemoryGB", "value", memory, "name", "ConfidentialComputingType", "value",
        kind, "restrictions");
}

static void add_series(json_t *list, const char *location, const char *series, int gib_each,
                       const char *processors)
{
    for (const char *at = processors; *at != '\0'; at += strcspn(at, " "), at += strspn(at, " ")) {
        char name[64];
        int64_t count = 0;
        OWNED(mem_drop) char *digits = strndup(at, strcspn(at, " "));
        error_ignore(number_parse(digits, 1, 1000, &count, NULL));
        const int gib = gib_each == 8 && count == 96 ? 672 : (int)count * gib_each;
        snprintf(name, sizeof name, "Standard_%.2s%lld%s", series, (long long)count, series + 2);
        json_add_new(list, make_size(name, (int)count, gib, "SNP", location));
    }
}

/* As large as they come; one of TDX, which is another thing. */
static void add_sizes(json_t *list, const char *location)
{
    static const char usual[] = "2 4 8 16 32 48 64 96", more[] = "2 4 8 16 20 32 48 64 96";
    static const struct {
        const char *series;
        int gib_each;
        const char *processors;
    } all[] = {
        {"DCas_v5", 4, usual},  {"DCads_v5", 4, usual}, {"ECas_v5", 8, more},
        {"ECads_v5", 8, more},  {"ECias_v5", 8, "96"},  {"ECiads_v5", 8, "96"},
        {"DCas_v6", 4, usual},  {"DCads_v6", 4, usual}, {"ECas_v6", 8, usual},
        {"ECads_v6", 8, usual},
    };
    for (size_t i = 0; i < countof(all); i++)
        add_series(list, location, all[i].series, all[i].gib_each, all[i].processors);
    json_add_new(list, make_size("Standard_NCC40ads_H100_v5", 40, 320, "SNP", location));
    json_add_new(list, make_size("Standard_DC2es_v5", 2, 8, "TDX", location));
}

/* "$filter=location eq 'westeurope'"; without it of every location. */
bool arm_sizes_list(struct arm_call *call)
{
    const char *filter = face_argument(call->request, "$filter");
    OWNED(json_drop) json_t *body = json_object();
    json_t *list = json_array();
    for (const char *at = call->api->locations; *at != '\0';
         at += strcspn(at, " "), at += strspn(at, " ")) {
        char location[64], wanted[96];
        snprintf(location, sizeof location, "%.*s", (int)strcspn(at, " "), at);
        snprintf(wanted, sizeof wanted, "location eq '%s'", location);
        if (filter == NULL || strcmp(filter, wanted) == 0)
            add_sizes(list, location);
    }
    json_put_new(body, "value", list);
    arm_say(call, 200, body);
    return true;
}

static json_t *make_subscription(const struct arm_api *api)
{
    OWNED(text_done) struct text id = {0};
    json_t *out = json_object();
    text_addf(&id, "/subscriptions/%s", api->subscription);
    json_put_text(out, "id", text_str(&id));
    json_put_text(out, "subscriptionId", api->subscription);
    json_put_text(out, "tenantId", api->home);
    json_put_text(out, "displayName", "muster-sim");
    json_put_text(out, "state", "Enabled");
    return out;
}

bool arm_subscription_get(struct arm_call *call)
{
    OWNED(json_drop) json_t *body = make_subscription(call->api);
    arm_say(call, 200, body);
    return true;
}

bool arm_subscription_list(struct arm_call *call)
{
    OWNED(json_drop) json_t *body = json_object();
    json_t *list = json_array();
    json_add_new(list, make_subscription(call->api));
    json_put_new(body, "value", list);
    arm_say(call, 200, body);
    return true;
}
