/* Machines and operations as Compute Engine shows them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulator/gce_api.h"

#define SITE "https://www.googleapis.com/compute/v1/projects/"

static void put_link(json_t *object, const char *name, const char *format, ...)
    [[gnu::format(printf, 3, 4)]];

static void put_link(json_t *object, const char *name, const char *format, ...)
{
    char path[400];
    va_list args;
    va_start(args, format);
    vsnprintf(path, sizeof path, format, args);
    va_end(args);
    OWNED(text_done) struct text link = {0};
    text_addf(&link, SITE "%s", path);
    json_put_text(object, name, text_str(&link));
}

static json_t *show_labels(const struct machine *machine)
{
    json_t *labels = json_object();
    for (size_t i = 0; i < machine->tag_count; i++)
        json_put_text(labels, machine->tags[i].key, machine->tags[i].value);
    return labels;
}

void gce_fingerprint(const struct machine *machine, char out[static 16])
{
    uint8_t hash[SHA256_SIZE];
    OWNED(json_drop) json_t *labels = show_labels(machine);
    OWNED(mem_drop) char *text = json_print(labels);
    digest(DIGEST_SHA256, span_of_text(text), hash);
    OWNED(mem_drop) char *encoded = base64_of(SPAN(hash, 8));
    snprintf(out, 16, "%s", encoded);
}

static const char *status_of(const struct machine *machine)
{
    switch (machine->state) {
    case VM_PENDING:
        return machine->boots == 0 ? "PROVISIONING" : "STAGING";
    case VM_RUNNING:
        return "RUNNING";
    case VM_STOPPING:
    case VM_SHUTTING_DOWN:
        return "STOPPING";
    case VM_STOPPED:
    case VM_HALTED:
    case VM_TERMINATED:
    case VM_FAILED:
    case VM_STATE_COUNT:
        break;
    }
    return "TERMINATED"; /* which means stopped */
}

/* A label asks for it, as for tampering: "muster-sim-maintenance": "scheduled". */
static json_t *show_status(const struct machine *machine)
{
    json_t *out = json_object();
    json_put_new(out, "scheduling", json_object());
    const char *wish = machine_tag(machine, "muster-sim-maintenance");
    if (wish == NULL)
        return out;
    json_t *coming = json_object();
    struct moment start = moment_add_seconds(machine->launched, 7 * 86400);
    json_put_text(coming, "type", "SCHEDULED");
    json_put_bool(coming, "canReschedule", strcmp(wish, "fixed") != 0);
    json_put_text(coming, "windowStartTime", moment_text(start).at);
    json_put_text(coming, "windowEndTime", moment_text(moment_add_seconds(start, 14400)).at);
    json_put_text(coming, "latestWindowStartTime",
                  moment_text(moment_add_seconds(start, 7 * 86400)).at);
    json_put_text(coming, "maintenanceStatus", "PENDING");
    json_put_bool(coming, "maintenanceOnShutdown", true);
    json_put_new(coming, "maintenanceReasons", json_pack("[s]", "PLANNED_UPDATE"));
    json_put_new(out, "upcomingMaintenance", coming);
    return out;
}

static json_t *show_interfaces(const struct machine *machine)
{
    char address[32];
    json_t *nic = json_object();
    snprintf(address, sizeof address, "10.128.%lld.%lld", (long long)(machine->ordinal / 250 % 256),
             (long long)(machine->ordinal % 250 + 2));
    json_put_text(nic, "kind", "compute#networkInterface");
    json_put_text(nic, "name", "nic0");
    put_link(nic, "network", "%s/global/networks/default", machine->group);
    json_put_text(nic, "networkIP", address);
    json_put_text(nic, "nicType", "GVNIC");
    json_put_text(nic, "fingerprint", "42WmSpB8rSM=");
    json_t *list = json_array();
    json_add_new(list, nic);
    return list;
}

static json_t *show_metadata(const struct machine *machine)
{
    json_t *metadata = json_object();
    json_t *items = json_array();
    json_put_text(metadata, "kind", "compute#metadata");
    json_put_text(metadata, "fingerprint", "42WmSpB8rSM=");
    if (machine->user_data.len > 0) {
        json_t *item = json_object();
        json_put_text(item, "key", "user-data");
        json_put_span(item, "value", bytes_span(&machine->user_data));
        json_add_new(items, item);
    }
    json_put_new(metadata, "items", items);
    return metadata;
}

static json_t *show_disks(const struct machine *machine)
{
    json_t *disk = json_object();
    json_put_text(disk, "kind", "compute#attachedDisk");
    json_put_text(disk, "type", "PERSISTENT");
    json_put_text(disk, "mode", "READ_WRITE");
    json_put_text(disk, "interface", "NVME");
    json_put_text(disk, "deviceName", "persistent-disk-0");
    json_put_bool(disk, "boot", true);
    json_put_bool(disk, "autoDelete", true);
    json_put_int(disk, "index", 0);
    put_link(disk, "source", "%s/zones/%s/disks/%s", machine->group, machine->zone, machine->name);
    json_t *list = json_array();
    json_add_new(list, disk);
    return list;
}

static void put_nature(json_t *out, const struct machine *machine)
{
    json_t *confidential = json_object();
    json_t *scheduling = json_object();
    json_t *shielded = json_object();
    if (machine->snp)
        json_put_text(confidential, "confidentialInstanceType", "SEV_SNP");
    json_put_new(out, "confidentialInstanceConfig", confidential);
    json_put_text(scheduling, "onHostMaintenance", machine->snp ? "TERMINATE" : "MIGRATE");
    json_put_text(scheduling, "provisioningModel", "STANDARD");
    json_put_bool(scheduling, "automaticRestart", true);
    json_put_bool(scheduling, "preemptible", false);
    json_put_new(out, "scheduling", scheduling);
    json_put_bool(shielded, "enableVtpm", true);
    json_put_bool(shielded, "enableSecureBoot", true);
    json_put_bool(shielded, "enableIntegrityMonitoring", true);
    json_put_new(out, "shieldedInstanceConfig", shielded);
    json_put_text(out, "cpuPlatform", "AMD Milan");
    json_put_text(out, "minCpuPlatform", "AMD Milan");
    json_put_bool(out, "deletionProtection", false);
    json_put_bool(out, "canIpForward", false);
}

json_t *gce_show_machine(const struct gce_api *api, const struct machine *machine)
{
    char fingerprint[16];
    json_t *out = json_object();
    gce_fingerprint(machine, fingerprint);
    json_put_text(out, "kind", "compute#instance");
    json_put_text(out, "id", machine->ref);
    json_put_text(out, "creationTimestamp", moment_text(machine->launched).at);
    json_put_text(out, "lastStartTimestamp", moment_text(machine->changed).at);
    json_put_text(out, "name", machine->name);
    json_put_text(out, "status", status_of(machine));
    json_put_text(out, "fingerprint", "42WmSpB8rSM=");
    json_put_text(out, "labelFingerprint", fingerprint);
    json_put_new(out, "labels", show_labels(machine));
    put_link(out, "zone", "%s/zones/%s", api->project, machine->zone);
    put_link(out, "machineType", "%s/zones/%s/machineTypes/%s", api->project, machine->zone,
             machine->size);
    put_link(out, "selfLink", "%s/zones/%s/instances/%s", api->project, machine->zone,
             machine->name);
    put_nature(out, machine);
    json_put_new(out, "resourceStatus", show_status(machine));
    json_put_new(out, "networkInterfaces", show_interfaces(machine));
    json_put_new(out, "metadata", show_metadata(machine));
    json_put_new(out, "disks", show_disks(machine));
    return out;
}

/* ---- operations ----------------------------------------------------------------------------- */

static void put_failure(json_t *out, const struct operation *operation)
{
    json_put_int(out, "httpErrorStatusCode", operation->status);
    json_put_text(out, "httpErrorMessage",
                  operation->status == 503 ? "SERVICE UNAVAILABLE" : "BAD REQUEST");
    json_put_new(out, "error",
                 json_pack("{s:[{s:s, s:s}]}", "errors", "code", operation->code, "message",
                           operation->message));
}

/* Operations have numbers too. */
static void put_number(json_t *out, const struct operation *operation)
{
    uint8_t hash[SHA256_SIZE];
    char number[24];
    uint64_t value = 0;
    digest(DIGEST_SHA256, span_of_text(operation->id), hash);
    for (size_t i = 0; i < 7; i++)
        value = value << 8 | hash[i];
    snprintf(number, sizeof number, "%llu", (unsigned long long)value + 1);
    json_put_text(out, "id", number);
}

json_t *gce_show_operation(const struct gce_api *api, const struct operation *operation)
{
    const bool done = gce_operation_is_done(api, operation);
    char name[64];
    json_t *out = json_object();
    snprintf(name, sizeof name, "operation-%s", operation->id);
    json_put_text(out, "kind", "compute#operation");
    put_number(out, operation);
    json_put_text(out, "name", name);
    json_put_text(out, "operationType", operation->verb);
    json_put_text(out, "status", done ? "DONE" : "RUNNING");
    json_put_int(out, "progress", done ? 100 : 0);
    json_put_text(out, "user", api->email);
    json_put_text(out, "insertTime", moment_text(operation->begun).at);
    json_put_text(out, "startTime", moment_text(operation->begun).at);
    put_link(out, "zone", "%s/zones/%s", api->project, operation->zone);
    put_link(out, "targetLink", "%s/zones/%s/instances/%s", api->project, operation->zone,
             operation->name);
    put_link(out, "selfLink", "%s/zones/%s/operations/%s", api->project, operation->zone, name);
    if (operation->ref[0] != '\0')
        json_put_text(out, "targetId", operation->ref);
    if (operation->request[0] != '\0')
        json_put_text(out, "clientOperationId", operation->request);
    if (done)
        json_put_text(out, "endTime", moment_text(clock_now()).at);
    if (done && operation->status != 0)
        put_failure(out, operation);
    return out;
}
