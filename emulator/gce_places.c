/* Regions, zones and machine types. */
#include <stdio.h>
#include <string.h>

#include "emulator/gce_api.h"

static const char letters[] = "abc";

bool gce_zone_at(const struct gce_api *api, size_t n, char out[static GCE_NAME_SIZE])
{
    size_t skip = n / strlen(letters);
    for (const char *at = api->regions; *at != '\0'; at += strcspn(at, " "), at += strspn(at, " "))
        if (skip-- == 0) {
            snprintf(out, GCE_NAME_SIZE, "%.*s-%c", (int)strcspn(at, " "), at,
                     letters[n % strlen(letters)]);
            return true;
        }
    return false;
}

bool gce_zone_is_known(const struct gce_api *api, const char *zone)
{
    char known[GCE_NAME_SIZE];
    for (size_t n = 0; gce_zone_at(api, n, known); n++)
        if (strcmp(known, zone) == 0)
            return true;
    return false;
}

static void put_link(const struct gce_api *api, json_t *object, const char *name, const char *path)
{
    OWNED(text_done) struct text link = {0};
    text_addf(&link, "https://www.googleapis.com/compute/v1/projects/%s/%s", api->project, path);
    json_put_text(object, name, text_str(&link));
}

static json_t *show_zone(const struct gce_api *api, const char *zone)
{
    char path[2 * GCE_NAME_SIZE];
    json_t *out = json_object();
    json_put_text(out, "kind", "compute#zone");
    json_put_text(out, "id", "2000");
    json_put_text(out, "name", zone);
    json_put_text(out, "description", zone);
    json_put_text(out, "status", "UP");
    snprintf(path, sizeof path, "zones/%s", zone);
    put_link(api, out, "selfLink", path);
    snprintf(path, sizeof path, "regions/%.*s", (int)(strlen(zone) - 2), zone);
    put_link(api, out, "region", path);
    json_put_new(out, "availableCpuPlatforms", json_pack("[s]", "AMD Milan"));
    return out;
}

bool gce_zone(struct gce_call *call, struct gce_refusal *out)
{
    (void)out;
    call->answer = show_zone(call->api, call->zone);
    return true;
}

bool gce_zones(struct gce_call *call, struct gce_refusal *out)
{
    (void)out;
    char zone[GCE_NAME_SIZE];
    json_t *items = json_array();
    for (size_t n = 0; gce_zone_at(call->api, n, zone); n++)
        json_add_new(items, show_zone(call->api, zone));
    call->answer = json_object();
    json_put_text(call->answer, "kind", "compute#zoneList");
    json_put_new(call->answer, "items", items);
    put_link(call->api, call->answer, "selfLink", "zones");
    return true;
}

bool gce_region(struct gce_call *call, struct gce_refusal *out)
{
    char zone[GCE_NAME_SIZE], path[2 * GCE_NAME_SIZE];
    json_t *zones = json_array();
    for (size_t n = 0; gce_zone_at(call->api, n, zone); n++) {
        if (strlen(zone) - 2 != strlen(call->name) ||
            strncmp(zone, call->name, strlen(call->name)) != 0)
            continue;
        OWNED(json_drop) json_t *one = show_zone(call->api, zone);
        json_add_new(zones, json_incref(json_object_get(one, "selfLink")));
    }
    if (json_array_size(zones) == 0) {
        json_decref(zones);
        return gce_refuse(out, 404, "notFound",
                          "The resource 'projects/%s/regions/%s' was not found", call->api->project,
                          call->name);
    }
    call->answer = json_object();
    json_put_text(call->answer, "kind", "compute#region");
    json_put_text(call->answer, "id", "1000");
    json_put_text(call->answer, "name", call->name);
    json_put_text(call->answer, "status", "UP");
    json_put_new(call->answer, "zones", zones);
    snprintf(path, sizeof path, "regions/%s", call->name);
    put_link(call->api, call->answer, "selfLink", path);
    return true;
}

static const struct {
    const char *kind;
    int64_t mib_each;
    int64_t sizes[12]; /* up to a zero */
} series[] = {
    {"standard", 4096, {2, 4, 8, 16, 32, 48, 64, 80, 96, 128, 224}},
    {"highmem", 8192, {2, 4, 8, 16, 32, 48, 64, 80, 96}},
    {"highcpu", 1024, {2, 4, 8, 16, 32, 48, 64, 80, 96, 128, 224}},
};

static json_t *show_type(const struct gce_call *call, size_t kind, int64_t cpus)
{
    char name[64], path[160];
    json_t *out = json_object();
    snprintf(name, sizeof name, "n2d-%s-%lld", series[kind].kind, (long long)cpus);
    snprintf(path, sizeof path, "zones/%s/machineTypes/%s", call->zone, name);
    json_put_text(out, "kind", "compute#machineType");
    json_put_text(out, "name", name);
    json_put_text(out, "zone", call->zone);
    json_put_text(out, "architecture", "X86_64");
    json_put_int(out, "guestCpus", cpus);
    json_put_int(out, "memoryMb", cpus * series[kind].mib_each);
    put_link(call->api, out, "selfLink", path);
    return out;
}

static json_t *show_types(const struct gce_call *call)
{
    json_t *items = json_array();
    for (size_t kind = 0; kind < countof(series); kind++)
        for (size_t i = 0; series[kind].sizes[i] != 0; i++)
            json_add_new(items, show_type(call, kind, series[kind].sizes[i]));
    return items;
}

bool gce_machine_type(struct gce_call *call, struct gce_refusal *out)
{
    OWNED(json_drop) json_t *types = show_types(call);
    for (size_t i = 0; i < json_array_size(types); i++) {
        json_t *type = json_array_get(types, i);
        if (strcmp(json_string_value(json_object_get(type, "name")), call->name) == 0) {
            call->answer = json_incref(type);
            return true;
        }
    }
    return gce_refuse(out, 404, "notFound",
                      "The resource 'projects/%s/zones/%s/machineTypes/%s' was not found",
                      call->api->project, call->zone, call->name);
}

bool gce_machine_types(struct gce_call *call, struct gce_refusal *out)
{
    (void)out;
    char path[96];
    snprintf(path, sizeof path, "zones/%s/machineTypes", call->zone);
    call->answer = json_object();
    json_put_text(call->answer, "kind", "compute#machineTypeList");
    json_put_new(call->answer, "items", show_types(call));
    put_link(call->api, call->answer, "selfLink", path);
    return true;
}
