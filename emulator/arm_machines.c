/* Machines made, changed and deleted through Resource Manager. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "emulator/arm_api.h"
#include "emulator/form.h"

enum { NAME_MAX_CHARACTERS = 64 };

static const json_t *member(const json_t *object, const char *path)
{
    OWNED(mem_drop) char *copy = mem_text(path);
    for (char *rest = copy, *part; object != NULL && (part = strsep(&rest, ".")) != NULL;)
        object = json_object_get(object, part);
    return object;
}

static const char *word(const json_t *object, const char *path)
{
    const char *text = json_string_value(member(object, path));
    return text != NULL ? text : "";
}

/* ---- operations ----------------------------------------------------------------------------- */

void arm_ask_later(struct arm_call *call, struct operation *operation)
{
    const int64_t seconds = call->api->poll_seconds;
    call->out->retry_after_seconds = seconds;
    operation->quiet_until_ms = seconds > 0 ? clock_monotonic_ms() + seconds * 1000 : 0;
}

static struct operation *begin(struct arm_call *call, const struct machine *machine,
                               const char *verb)
{
    struct operation *operation = world_begin(call->api->world, machine, verb);
    static const char format[] = "%s/subscriptions/%s/providers/Microsoft.Compute/locations/%s/"
                                 "operations/%s?p=sim%s&api-version=%s";
    const char *version = face_argument(call->request, "api-version");
    face_say(call->out, "Azure-AsyncOperation", format, call->location, call->api->subscription,
             machine->region, operation->id, "", version);
    if (strcmp(verb, "create") != 0)
        face_say(call->out, "Location", format, call->location, call->api->subscription,
                 machine->region, operation->id, "&monitor=true", version);
    arm_ask_later(call, operation);
    return operation;
}

static void fail_for_capacity(struct operation *operation)
{
    snprintf(operation->code, sizeof operation->code, "AllocationFailed");
    snprintf(operation->message, sizeof operation->message,
             "Allocation failed. We do not have sufficient capacity for the requested VM size in "
             "this region.");
}

/* ---- launching ------------------------------------------------------------------------------ */

static bool name_is_valid(const char *name)
{
    size_t len = strlen(name);
    for (const char *c = name; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && strchr("-_.", *c) == NULL)
            return false;
    return len > 0 && len <= NAME_MAX_CHARACTERS && strchr(".-", name[len - 1]) == NULL;
}

/* After its count of processors a size with an `a` has AMD's: "Standard_DC2as_v5". */
static bool has_snp(const char *size)
{
    bool series = strncmp(size, "Standard_DC", 11) == 0 || strncmp(size, "Standard_EC", 11) == 0;
    size_t at = strcspn(size, "0123456789");
    at += strspn(size + at, "0123456789");
    return series && size[at] == 'a';
}

static bool read_image(struct arm_call *call, struct machine *draft)
{
    const json_t *reference = member(call->body, "properties.storageProfile.imageReference");
    if (word(reference, "id")[0] != '\0')
        snprintf(draft->image, sizeof draft->image, "%.127s", word(reference, "id"));
    else
        snprintf(draft->image, sizeof draft->image, "%.30s:%.30s:%.30s:%.30s",
                 word(reference, "publisher"), word(reference, "offer"), word(reference, "sku"),
                 word(reference, "version"));
    if (images_find(call->api->images, DRIVER_AZURE, draft->image) != NULL)
        return true;
    return arm_refuse(call, 404, "PlatformImageNotFound",
                      "The platform image '%.120s' is not "
                      "available.",
                      draft->image);
}

static bool check_security(struct arm_call *call, struct machine *draft)
{
    const json_t *uefi = member(call->body, "properties.securityProfile.uefiSettings");
    const char *kind = word(call->body, "properties.securityProfile.securityType");
    const char *encryption = word(call->body, "properties.storageProfile.osDisk.managedDisk."
                                              "securityProfile.securityEncryptionType");
    draft->snp = strcmp(kind, "ConfidentialVM") == 0;
    if (!draft->snp)
        return true;
    if (!has_snp(draft->size))
        return arm_refuse(call, 400, "BadRequest",
                          "The VM size '%.60s' is not supported for creation of VMs with "
                          "'ConfidentialVM' security type.",
                          draft->size);
    if (!json_is_true(json_object_get(uefi, "vTpmEnabled")))
        return arm_refuse(call, 400, "InvalidParameter",
                          "vTPM must be enabled for a confidential VM.");
    if (strcmp(encryption, "VMGuestStateOnly") != 0 && strcmp(encryption, "NonPersistedTPM") != 0 &&
        (strcmp(encryption, "DiskWithVMGuestState") != 0 ||
         !json_is_true(json_object_get(uefi, "secureBootEnabled"))))
        return arm_refuse(call, 400, "InvalidParameter", "securityEncryptionType '%.40s'.",
                          encryption);
    return true;
}

static bool check_system(struct arm_call *call)
{
    const json_t *keys =
        member(call->body, "properties.osProfile.linuxConfiguration.ssh.publicKeys");
    const json_t *nics =
        member(call->body, "properties.networkProfile.networkInterfaceConfigurations");
    const json_t *made = member(call->body, "properties.networkProfile.networkInterfaces");
    if (json_array_size(keys) == 0 &&
        word(call->body, "properties.osProfile.adminPassword")[0] == '\0')
        return arm_refuse(call, 400, "InvalidParameter",
                          "Authentication using either SSH or by user name and password must be "
                          "enabled in Linux profile.");
    if (json_array_size(nics) + json_array_size(made) == 0)
        return arm_refuse(call, 400, "InvalidParameter",
                          "Virtual Machine must have at least one network interface.");
    return true;
}

static bool read_tags(struct arm_call *call, struct machine *draft)
{
    const char *key;
    json_t *value;
    json_object_foreach (json_object_get(call->body, "tags"), key, value) {
        if (strpbrk(key, "<>%&\\?/") != NULL)
            return arm_refuse(call, 400, "InvalidTagNameCharacters",
                              "The tag name '%.60s' has "
                              "reserved characters.",
                              key);
        if (!json_is_string(value) || !machine_set_tag(draft, key, json_string_value(value)))
            return arm_refuse(call, 400, "InvalidTags", "Too many tags, or one too long.");
    }
    return true;
}

static bool read_user_data(struct arm_call *call, struct machine *draft)
{
    const char *encoded = word(call->body, "properties.userData");
    if (encoded[0] == '\0')
        encoded = word(call->body, "properties.osProfile.customData");
    if (encoded[0] == '\0' || base64_decode(span_of_text(encoded), &draft->user_data, NULL) == OK)
        return true;
    return arm_refuse(call, 400, "InvalidParameter", "User data must be in Base64 format.");
}

/* Everything is checked on a draft, so that a refusal leaves nothing behind. */
static bool draft_machine(struct arm_call *call, struct machine *draft)
{
    const char *location = word(call->body, "location");
    const json_t *zone = json_array_get(json_object_get(call->body, "zones"), 0);
    const char *token =
        json_string_value(json_object_get(json_object_get(call->body, "tags"), "muster:token"));
    if (!name_is_valid(call->parts[2]))
        return arm_refuse(call, 400, "InvalidResourceName", "The name is invalid.");
    if (!words_hold(call->api->locations, location))
        return arm_refuse(call, 400, "LocationNotAvailableForResourceType",
                          "The provided location '%.60s' is not available.", location);
    snprintf(draft->name, sizeof draft->name, "%.63s", call->parts[2]);
    snprintf(draft->group, sizeof draft->group, "%.95s", call->parts[1]);
    snprintf(draft->region, sizeof draft->region, "%.63s", location);
    snprintf(draft->zone, sizeof draft->zone, "%.63s",
             json_is_string(zone) ? json_string_value(zone) : "");
    snprintf(draft->client_token, sizeof draft->client_token, "%.64s", token != NULL ? token : "");
    snprintf(draft->size, sizeof draft->size, "%.63s",
             word(call->body, "properties.hardwareProfile.vmSize"));
    bytes_add(&draft->shape, call->request->body);
    return read_image(call, draft) && check_security(call, draft) && check_system(call) &&
           read_tags(call, draft) && read_user_data(call, draft);
}

static bool launch(struct arm_call *call)
{
    struct error err = {0};
    struct machine draft = {.cloud = DRIVER_AZURE};
    struct machine *made = NULL;
    bool drafted = draft_machine(call, &draft);
    if (drafted)
        made = world_launch(call->api->world, &draft, &err);
    bytes_done(&draft.user_data);
    bytes_done(&draft.shape);
    if (made == NULL)
        return drafted ? arm_refuse(call, 500, "InternalServerError", "%.200s", err.text) : false;
    struct operation *operation = begin(call, made, "create");
    OWNED(json_drop) json_t *body = arm_machine_json(call, made, false);
    if (call->prank.fault == FAULT_LATE_CAPACITY) {
        fail_for_capacity(operation);
        snprintf(made->reason, sizeof made->reason, "%s", operation->code);
        world_move(call->api->world, made, VM_FAILED);
    }
    arm_say(call, 201, body);
    return true;
}

static bool update(struct arm_call *call, struct machine *machine)
{
    struct error err = {0};
    const char *size = word(call->body, "properties.hardwareProfile.vmSize");
    struct machine draft = {0};
    if (size[0] != '\0' && strcasecmp(size, machine->size) != 0)
        return arm_refuse(call, 409, "PropertyChangeNotAllowed",
                          "Changing property 'vmSize' is not allowed.");
    if (!read_tags(call, &draft))
        return false;
    if (json_object_get(call->body, "tags") != NULL) {
        memcpy(machine->tags, draft.tags, sizeof machine->tags);
        machine->tag_count = draft.tag_count;
    }
    if (world_save(call->api->world, machine, &err) != OK)
        return arm_refuse(call, 500, "InternalServerError", "%.200s", err.text);
    OWNED(json_drop) json_t *body = arm_machine_json(call, machine, false);
    arm_say(call, 200, body);
    return true;
}

bool arm_machine_put(struct arm_call *call)
{
    const char *only_new = face_header(call->request, "If-None-Match");
    struct machine *there =
        world_find_named(call->api->world, DRIVER_AZURE, call->parts[1], call->parts[2]);
    if (there == NULL)
        return launch(call);
    if (only_new != NULL && strcmp(only_new, "*") == 0)
        return arm_refuse(call, 412, "PreconditionFailed",
                          "The resource '%.64s' exists, and If-None-Match was '*'.",
                          call->parts[2]);
    return update(call, there);
}

bool arm_machine_patch(struct arm_call *call)
{
    struct machine *machine = arm_machine_find(call);
    return machine != NULL ? update(call, machine) : arm_machine_missing(call);
}

/* ---- actions -------------------------------------------------------------------------------- */

static void accept(struct arm_call *call, struct machine *machine, const char *verb)
{
    struct operation *operation = begin(call, machine, verb);
    if (call->prank.fault == FAULT_LATE_CAPACITY)
        fail_for_capacity(operation);
    text_done(&call->out->body);
    call->out->status = 202;
}

bool arm_machine_delete(struct arm_call *call)
{
    struct machine *machine = arm_machine_find(call);
    if (machine == NULL) {
        call->out->status = 204;
        return true;
    }
    machine->leaves |= call->prank.fault == FAULT_LEFT_BEHIND;
    if (machine->state != VM_SHUTTING_DOWN)
        world_move(call->api->world, machine, VM_SHUTTING_DOWN);
    accept(call, machine, "delete");
    return true;
}

/* A new launch of the guest; on another host, which only the simulated processor shows. */
static void boot_again(struct arm_call *call, struct machine *machine)
{
    if (machine->state == VM_RUNNING) {
        machine->reboots = true;
        machine->halts = false;
        world_move(call->api->world, machine, VM_STOPPING);
    } else if (machine->state == VM_STOPPED || machine->state == VM_HALTED) {
        if (call->prank.fault != FAULT_LATE_CAPACITY)
            world_move(call->api->world, machine, VM_PENDING);
    }
}

static void power_off(struct arm_call *call, struct machine *machine, bool keeps_host)
{
    enum vm_state end = keeps_host ? VM_HALTED : VM_STOPPED;
    if (machine->state == end || machine->state == VM_STOPPED)
        return;
    machine->halts = keeps_host;
    machine->reboots = false;
    if (machine->state == VM_HALTED)
        world_move(call->api->world, machine, VM_STOPPED);
    else if (machine->state == VM_RUNNING)
        world_move(call->api->world, machine, VM_STOPPING);
}

static bool refuse_state(struct arm_call *call, const struct machine *machine)
{
    return arm_refuse(call, 409, "OperationNotAllowed",
                      "Operation is not allowed on VM '%s' since it is %s.", machine->name,
                      name_of(&vm_state_names, (int)machine->state));
}

bool arm_machine_act(struct arm_call *call)
{
    struct machine *machine = arm_machine_find(call);
    const char *verb = strrchr(call->request->path, '/') + 1;
    if (machine == NULL)
        return arm_machine_missing(call);
    if (machine->state == VM_SHUTTING_DOWN || machine->state == VM_FAILED ||
        machine->state == VM_PENDING)
        return refuse_state(call, machine);
    machine->reason[0] = '\0';
    if (strcasecmp(verb, "start") == 0) {
        if (machine->state == VM_STOPPING)
            return refuse_state(call, machine);
        if (machine->state != VM_RUNNING)
            boot_again(call, machine);
    } else if (strcasecmp(verb, "deallocate") == 0 || strcasecmp(verb, "powerOff") == 0) {
        power_off(call, machine, strcasecmp(verb, "powerOff") == 0);
    } else {
        if (machine->state != VM_RUNNING)
            return refuse_state(call, machine);
        boot_again(call, machine);
    }
    accept(call, machine, verb);
    return true;
}
