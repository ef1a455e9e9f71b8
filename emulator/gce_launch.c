/* instances.insert. */
#include <stdio.h>
#include <string.h>

#include "emulator/gce_api.h"

static const char *word(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static const char *last_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static bool invalid(struct gce_refusal *out, const char *field, const char *value, const char *why)
{
    return gce_refuse(out, 400, "invalid", "Invalid value for field 'resource.%s': '%.60s'. %s",
                      field, value, why);
}

/* Everything that an instance may have said of it; Google refuses what it does not know. */
static bool check_members(const json_t *body, struct gce_refusal *out)
{
    static const char *const known[] = {"advancedMachineFeatures",
                                        "canIpForward",
                                        "confidentialInstanceConfig",
                                        "deletionProtection",
                                        "description",
                                        "disks",
                                        "displayDevice",
                                        "guestAccelerators",
                                        "hostname",
                                        "keyRevocationActionType",
                                        "kind",
                                        "labels",
                                        "machineType",
                                        "metadata",
                                        "minCpuPlatform",
                                        "name",
                                        "networkInterfaces",
                                        "networkPerformanceConfig",
                                        "params",
                                        "privateIpv6GoogleAccess",
                                        "reservationAffinity",
                                        "resourcePolicies",
                                        "scheduling",
                                        "serviceAccounts",
                                        "shieldedInstanceConfig",
                                        "shieldedInstanceIntegrityPolicy",
                                        "sourceMachineImage",
                                        "tags",
                                        "zone"};
    const char *name;
    json_t *value;
    json_object_foreach (json_looked_at(body), name, value) {
        size_t i = 0;
        while (i < countof(known) && strcmp(known[i], name) != 0)
            i++;
        if (i == countof(known))
            return gce_refuse(out, 400, "invalid",
                              "Invalid JSON payload received. Unknown name \"%.60s\"", name);
    }
    return true;
}

static bool is_name(const char *name)
{
    return text_is_name(name) && name[0] >= 'a';
}

static bool is_label(const char *text)
{
    return strlen(text) <= 63 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(text);
}

bool gce_read_labels(const json_t *labels, struct machine *machine, struct gce_refusal *out)
{
    const char *key;
    json_t *value;
    json_object_foreach (json_looked_at(labels), key, value) {
        const char *text = json_string_value(value);
        if (!is_label(key) || key[0] < 'a' || key[0] > 'z' || text == NULL || !is_label(text) ||
            !machine_set_tag(machine, key, text))
            return invalid(out, "labels", key, "Label keys and values are [a-z0-9_-]{0,63}.");
    }
    return true;
}

static bool read_metadata(const json_t *metadata, struct machine *machine, struct gce_refusal *out)
{
    size_t i;
    json_t *item;
    json_array_foreach (json_object_get(metadata, "items"), i, item) {
        const char *value = word(item, "value");
        if (strlen(value) > 256 * 1024)
            return invalid(out, "metadata.items", word(item, "key"), "The value is too large.");
        if (strcmp(word(item, "key"), "user-data") == 0) {
            bytes_done(&machine->user_data);
            machine->user_data = bytes_copy(span_of_text(value));
        }
    }
    return true;
}

/* "projects/P/global/images/I" of whatever way it was addressed. */
static bool read_image(const struct gce_call *call, struct machine *machine,
                       struct gce_refusal *out)
{
    const json_t *disk = json_array_get(json_object_get(call->body, "disks"), 0);
    const char *source = word(json_object_get(disk, "initializeParams"), "sourceImage");
    const char *whole = strstr(source, "projects/");
    if (source[0] == '\0')
        return invalid(out, "disks", "", "At least one boot disk with an image is required.");
    if (whole != NULL)
        snprintf(machine->image, sizeof machine->image, "%.127s", whole);
    else
        snprintf(machine->image, sizeof machine->image, "projects/%.60s/%.50s", call->api->project,
                 source);
    if (images_find(call->api->images, DRIVER_GCP, machine->image) == NULL)
        return gce_refuse(out, 404, "notFound", "The resource '%s' was not found", machine->image);
    return true;
}

static bool read_nature(const struct gce_call *call, struct machine *machine,
                        struct gce_refusal *out)
{
    const json_t *scheduling = json_object_get(call->body, "scheduling");
    const char *type =
        word(json_object_get(call->body, "confidentialInstanceConfig"), "confidentialInstanceType");
    const char *policy = word(scheduling, "onHostMaintenance");
    machine->snp = strcmp(type, "SEV_SNP") == 0;
    if (machine->snp && strcmp(policy, "TERMINATE") != 0)
        return invalid(out, "scheduling.onHostMaintenance", policy[0] != '\0' ? policy : "MIGRATE",
                       "Confidential VMs of this type do not support live migration.");
    if (json_array_size(json_object_get(call->body, "networkInterfaces")) == 0)
        return invalid(out, "networkInterfaces", "", "At least one network interface is required.");
    return true;
}

/* Everything is checked on a draft, so that a refusal leaves nothing behind. */
static bool read_order(const struct gce_call *call, struct machine *draft, struct gce_refusal *out)
{
    const char *name = word(call->body, "name");
    const char *size = last_of(word(call->body, "machineType"));
    if (call->body == NULL)
        return gce_refuse(out, 400, "required", "Required field 'resource'");
    if (!check_members(call->body, out))
        return false;
    if (!is_name(name))
        return invalid(out, "name", name,
                       "Must be a match of regex "
                       "'[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?'");
    if (size[0] == '\0')
        return invalid(out, "machineType", "", "The machine type is required.");
    snprintf(draft->name, sizeof draft->name, "%s", name);
    snprintf(draft->size, sizeof draft->size, "%.63s", size);
    snprintf(draft->group, sizeof draft->group, "%s", call->api->project);
    snprintf(draft->zone, sizeof draft->zone, "%s", call->zone);
    snprintf(draft->region, sizeof draft->region, "%.*s", (int)(strlen(call->zone) - 2),
             call->zone);
    return read_nature(call, draft, out) && read_image(call, draft, out) &&
           gce_read_labels(json_object_get(call->body, "labels"), draft, out) &&
           read_metadata(json_object_get(call->body, "metadata"), draft, out);
}

static void hash_order(const struct gce_call *call, char out[static 2 * SHA256_SIZE + 1])
{
    uint8_t hash[SHA256_SIZE];
    OWNED(mem_drop) char *text = json_print(call->body);
    digest(DIGEST_SHA256, span_of_text(text), hash);
    hex_encode(SPAN_OF(hash), out);
}

static bool say(struct gce_call *call, const struct operation *operation)
{
    call->answer = gce_show_operation(call->api, operation);
    return true;
}

static const char no_resources[] = "The zone does not have enough resources available to fulfill "
                                   "the request.  Try a different zone, or try again later.";

/* Refused though the answer is a 200: there is no machine, and the operation says why. */
static bool fail_at_once(struct gce_call *call, int status, const char *code, const char *message)
{
    struct operation *operation = gce_begin(call, NULL, "insert");
    gce_fail(operation, status, code, message);
    return say(call, operation);
}

static bool launch(struct gce_call *call, struct machine *draft, struct gce_refusal *out)
{
    struct error err = {0};
    const char *token = machine_tag(draft, "muster-token");
    snprintf(draft->client_token, sizeof draft->client_token, "%.64s", token != NULL ? token : "");
    struct machine *machine = world_launch(call->api->world, draft, &err);
    if (machine == NULL)
        return gce_refuse(out, 500, "internalError", "%.200s", err.text);
    struct operation *operation = gce_begin(call, machine, "insert");
    if (call->take_back) {
        gce_fail(operation, 503, "ZONE_RESOURCE_POOL_EXHAUSTED", no_resources);
        snprintf(machine->reason, sizeof machine->reason, "ZONE_RESOURCE_POOL_EXHAUSTED");
        world_move(call->api->world, machine, VM_SHUTTING_DOWN);
    }
    return say(call, operation);
}

/* The same request again is the same operation; another one under the same name is refused. */
static bool insert(struct gce_call *call, struct machine *draft, struct gce_refusal *out)
{
    if (!read_order(call, draft, out))
        return false;
    snprintf(call->name, sizeof call->name, "%s", draft->name);
    hash_order(call, draft->order_hash);
    struct gce_refusal absent;
    const struct machine *before = gce_find(call, &absent);
    const struct operation *repeated = gce_repeated(call);
    if (repeated != NULL && (before == NULL || strcmp(before->order_hash, draft->order_hash) == 0))
        return say(call, repeated);
    if (before != NULL)
        return gce_refuse(out, 409, "alreadyExists",
                          "The resource 'projects/%s/zones/%s/instances/%s' already exists",
                          call->api->project, call->zone, draft->name);
    if (call->no_capacity)
        return fail_at_once(call, 503, "ZONE_RESOURCE_POOL_EXHAUSTED", no_resources);
    if (call->no_support || (draft->snp && strncmp(draft->size, "n2d-", 4) != 0))
        return fail_at_once(call, 400, "UNSUPPORTED_OPERATION",
                            "SEV_SNP is not supported by this machine type.");
    return launch(call, draft, out);
}

bool gce_insert(struct gce_call *call, struct gce_refusal *out)
{
    struct machine *draft = NEW(struct machine); /* with all its tags it is large for a stack */
    draft->cloud = DRIVER_GCP;
    bool done = insert(call, draft, out);
    bytes_done(&draft->user_data);
    mem_drop(&draft);
    return done;
}
