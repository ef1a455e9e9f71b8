#include "emulator/arm_api.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "emulator/wire.h"
#include "lib/crypto/random.h"

#define COMPUTE "/providers/Microsoft.Compute/"
#define GROUP "subscriptions/*/resourceGroups/*" COMPUTE "virtualMachines"
#define MACHINE GROUP "/*"
#define IN_GROUP "subscriptions/*/resourceGroups/*/providers/"
#define DISKS IN_GROUP "Microsoft.Compute/disks"
#define ADDRESSES IN_GROUP "Microsoft.Network/publicIPAddresses"
#define INTERFACES IN_GROUP "Microsoft.Network/networkInterfaces"

struct arm_route {
    const char *method;
    const char *pattern;
    const char *operation; /* for mischief, as Azure's documents name it */
    bool (*run)(struct arm_call *call);
    bool open;          /* takes no token */
    const char *action; /* the permission */
};

/* clang-format off */
static const struct arm_route routes[] = {
    {"POST", "*/oauth2/v2.0/token", "token", arm_token_give, .open = true},
    {"POST", "*/oauth2/token", "token", arm_token_give, .open = true},
    {"GET", "*/v2.0/.well-known/openid-configuration", "openid", arm_token_describe, .open = true},
    {"GET", "*/.well-known/openid-configuration", "openid", arm_token_describe, .open = true}, /* of an AD FS */
    {"GET", "subscriptions", "Subscriptions_List", arm_subscription_list,
     .action = "Microsoft.Resources/subscriptions/read"},
    {"GET", "subscriptions/*", "Subscriptions_Get", arm_subscription_get,
     .action = "Microsoft.Resources/subscriptions/read"},
    {"GET", "subscriptions/*" COMPUTE "skus", "ResourceSkus_List", arm_sizes_list,
     .action = "Microsoft.Compute/skus/read"},
    {"GET", "subscriptions/*" COMPUTE "locations/*/operations/*", "operation", arm_operation_get,
     .action = "Microsoft.Compute/locations/operations/read"},
    {"GET", "subscriptions/*" COMPUTE "virtualMachines", "VirtualMachines_ListAll",
     arm_machine_list, .action = "Microsoft.Compute/virtualMachines/read"},
    {"GET", GROUP, "VirtualMachines_List", arm_machine_list,
     .action = "Microsoft.Compute/virtualMachines/read"},
    {"PUT", MACHINE, "VirtualMachines_CreateOrUpdate", arm_machine_put,
     .action = "Microsoft.Compute/virtualMachines/write"},
    {"PATCH", MACHINE, "VirtualMachines_Update", arm_machine_patch,
     .action = "Microsoft.Compute/virtualMachines/write"},
    {"GET", MACHINE, "VirtualMachines_Get", arm_machine_get,
     .action = "Microsoft.Compute/virtualMachines/read"},
    {"GET", MACHINE "/instanceView", "VirtualMachines_InstanceView", arm_machine_view,
     .action = "Microsoft.Compute/virtualMachines/instanceView/read"},
    {"DELETE", MACHINE, "VirtualMachines_Delete", arm_machine_delete,
     .action = "Microsoft.Compute/virtualMachines/delete"},
    {"POST", MACHINE "/deallocate", "VirtualMachines_Deallocate", arm_machine_act,
     .action = "Microsoft.Compute/virtualMachines/deallocate/action"},
    {"POST", MACHINE "/powerOff", "VirtualMachines_PowerOff", arm_machine_act,
     .action = "Microsoft.Compute/virtualMachines/powerOff/action"},
    {"POST", MACHINE "/start", "VirtualMachines_Start", arm_machine_act,
     .action = "Microsoft.Compute/virtualMachines/start/action"},
    {"POST", MACHINE "/restart", "VirtualMachines_Restart", arm_machine_act,
     .action = "Microsoft.Compute/virtualMachines/restart/action"},
    {"POST", MACHINE "/redeploy", "VirtualMachines_Redeploy", arm_machine_act,
     .action = "Microsoft.Compute/virtualMachines/redeploy/action"},
    {"POST", MACHINE "/performMaintenance", "VirtualMachines_PerformMaintenance", arm_machine_act,
     .action = "Microsoft.Compute/virtualMachines/performMaintenance/action"},
    {"GET", DISKS, "Disks_ListByResourceGroup", arm_remnant_list,
     .action = "Microsoft.Compute/disks/read"},
    {"DELETE", DISKS "/*", "Disks_Delete", arm_remnant_delete,
     .action = "Microsoft.Compute/disks/delete"},
    {"GET", ADDRESSES, "PublicIPAddresses_List", arm_remnant_list,
     .action = "Microsoft.Network/publicIPAddresses/read"},
    {"DELETE", ADDRESSES "/*", "PublicIPAddresses_Delete", arm_remnant_delete,
     .action = "Microsoft.Network/publicIPAddresses/delete"},
    {"GET", INTERFACES, "NetworkInterfaces_List", arm_remnant_list,
     .action = "Microsoft.Network/networkInterfaces/read"},
    {"DELETE", INTERFACES "/*", "NetworkInterfaces_Delete", arm_remnant_delete,
     .action = "Microsoft.Network/networkInterfaces/delete"},
};
/* clang-format on */

/* ---- answers -------------------------------------------------------------------------------- */

void arm_say(struct arm_call *call, int status, const json_t *value)
{
    OWNED(mem_drop) char *text = json_print(value);
    text_done(&call->out->body);
    call->out->status = status;
    call->out->content_type = "application/json; charset=utf-8";
    text_add(&call->out->body, text);
}

bool arm_refuse(struct arm_call *call, int status, const char *code, const char *format, ...)
{
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    bool clean = text_is_clean(span_of_text(message)); /* a quotation was cut inside a character */
    OWNED(json_drop) json_t *body = json_object();
    json_t *error = json_object();
    json_put_text(error, "code", code);
    json_put_text(error, "message", clean ? message : code);
    json_put_new(body, "error", error);
    arm_say(call, status, body);
    return false;
}

/* The limiter of Compute, not of Resource Manager: the code that tells stands inside. */
static bool throttle(struct arm_call *call)
{
    OWNED(json_drop)
    json_t *body = json_pack(
        "{s:{s:s, s:s, s:[{s:s, s:s, s:s}]}}", "error", "code", "OperationNotAllowed", "message",
        "The server rejected the request because too many requests have been received for this "
        "subscription.",
        "details", "code", "TooManyRequests", "target", "PutVM", "message",
        "{\"operationGroup\":\"PutVM\",\"allowedRequestCount\":240,\"measuredRequestCount\":241}");
    face_say(call->out, "x-ms-failure-cause", "service");
    face_say(call->out, "x-ms-ratelimit-remaining-resource",
             "Microsoft.Compute/PutVM3Min;0,Microsoft.Compute/PutVM30Min;4");
    call->out->retry_after_seconds = 1;
    arm_say(call, 429, body);
    return false;
}

static const char *name_action(const struct arm_call *call, const struct arm_route *route)
{
    if (call->prank.permission[0] != '\0')
        return call->prank.permission;
    return route->action != NULL ? route->action : "none";
}

/* Faults that refuse before anything is done. */
static bool refuse_by_mischief(struct arm_call *call, const struct arm_route *route)
{
    switch (call->prank.fault) {
    case FAULT_THROTTLE:
        return throttle(call);
    case FAULT_CAPACITY:
        return arm_refuse(call, 409, "AllocationFailed",
                          "Allocation failed. We do not have sufficient capacity for the requested "
                          "VM size in this region.");
    case FAULT_UNSUPPORTED:
        return arm_refuse(call, 400, "NotSupported",
                          "The requested VM size with security type ConfidentialVM is not "
                          "supported in this location.");
    case FAULT_QUOTA:
        return arm_refuse(call, 409, "OperationNotAllowed",
                          "Operation could not be completed as it results in exceeding approved "
                          "standardDCASv5Family Cores quota.");
    case FAULT_AUTH:
        return arm_refuse(
            call, 403, "AuthorizationFailed",
            "The client '%.60s' with object id '%.60s' does not have authorization to "
            "perform action '%s' over scope '%.120s' or the scope is invalid.",
            call->api->client_id, call->api->client_id, name_action(call, route),
            call->request->path);
    case FAULT_SERVER_ERROR:
        return arm_refuse(call, 500, "InternalServerError",
                          "The server encountered an internal error.");
    case FAULT_NONE:
    case FAULT_LATE_CAPACITY:
    case FAULT_BAD_GATEWAY:
    case FAULT_LOST_REQUEST:
    case FAULT_LOST_ANSWER:
    case FAULT_GARBLED:
    case FAULT_LATE_ERROR:
    case FAULT_DELAY:
    case FAULT_DOUBLED:
    case FAULT_HIDDEN:
    case FAULT_PARTIAL:
    case FAULT_LEFT_BEHIND:
    case FAULT_COUNT:
        break;
    }
    return true;
}

/* ---- routes --------------------------------------------------------------------------------- */

/* Does the path fit? What its `*` stand for goes into `parts`, and the path is cut for that.
 * Capitals do not matter to Resource Manager. */
static bool fits(const char *pattern, char *path, const char *parts[static ARM_PARTS_MAX])
{
    OWNED(mem_drop) char *copy = mem_text(pattern);
    char *wanted = copy;
    size_t count = 0;
    while (wanted != NULL && path != NULL) {
        const char *want = strsep(&wanted, "/");
        const char *have = strsep(&path, "/");
        if (strcmp(want, "*") == 0 && have[0] != '\0')
            parts[count++] = have;
        else if (strcasecmp(want, have) != 0)
            return false;
    }
    return wanted == NULL && path == NULL;
}

static const struct arm_route *find_route(const char *method, const char *path, char **out_copy,
                                          const char *parts[static ARM_PARTS_MAX])
{
    for (size_t i = 0; i < countof(routes); i++) {
        char *copy = mem_text(path + 1);
        memset(parts, 0, ARM_PARTS_MAX * sizeof parts[0]); /* of the row before */
        if ((method == NULL || strcmp(routes[i].method, method) == 0) &&
            fits(routes[i].pattern, copy, parts)) {
            *out_copy = copy;
            return &routes[i];
        }
        mem_drop(&copy);
    }
    return NULL;
}

bool arm_is_for(const struct face_request *request)
{
    OWNED(mem_drop) char *copy = NULL;
    const char *parts[ARM_PARTS_MAX] = {NULL};
    return strncasecmp(request->path, "/subscriptions", 14) == 0 ||
           (request->path[0] == '/' && find_route(NULL, request->path, &copy, parts) != NULL);
}

static bool check(struct arm_call *call, const struct arm_route *route)
{
    struct error err = {0};
    if (route->open)
        return true;
    if (!arm_token_check(call))
        return false;
    if (face_argument(call->request, "api-version") == NULL)
        return arm_refuse(call, 400, "MissingApiVersionParameter",
                          "The api-version query parameter (?api-version=) is required.");
    if (call->parts[0] != NULL && strcasecmp(call->parts[0], call->api->subscription) != 0)
        return arm_refuse(call, 404, "SubscriptionNotFound",
                          "The subscription '%.60s' could not be found.", call->parts[0]);
    if (call->request->body.len > 0 &&
        json_parse(call->request->body, FACE_BODY_MAX, &call->body, &err) != OK)
        return arm_refuse(call, 400, "InvalidRequestContent", "%.200s", err.text);
    return true;
}

static void perform(struct arm_call *call, const struct arm_route *route)
{
    if (!refuse_by_mischief(call, route) || !check(call, route) || !route->run(call))
        return;
    if (call->prank.fault == FAULT_LATE_ERROR)
        arm_refuse(call, 500, "InternalServerError", "The server encountered an internal error.");
}

/* "x-ms-ratelimit-remaining-subscription-writes: 199" */
static void say_left(struct arm_call *call, const struct arm_route *route)
{
    int64_t left;
    const char *quota = quotas_left(&call->api->world->quotas, DRIVER_AZURE, route->operation,
                                    clock_monotonic_ms(), &left);
    char name[64];
    if (quota == NULL)
        return;
    snprintf(name, sizeof name, "x-ms-ratelimit-remaining-subscription-%s", quota);
    face_say(call->out, name, "%lld", (long long)left);
}

static void act(struct arm_call *call, const struct arm_route *route)
{
    struct world *world = call->api->world;
    pthread_mutex_lock(&world->lock);
    const struct prank prank = world_prank(world, DRIVER_AZURE, route->operation);
    call->prank = prank;
    if (prank.fault != FAULT_NONE)
        ledger_note(world->ledger, "fault",
                    &(struct ledger_line){.cloud = "azure",
                                          .action = route->operation,
                                          .detail = name_of(&fault_names, (int)prank.fault)});
    say_left(call, route);
    if (!wire_breaks(&prank, call->out)) {
        perform(call, route);
        if (prank.fault == FAULT_DOUBLED) {
            call->out->header_count = 0;
            json_drop(&call->body);
            perform(call, route);
        }
        wire_spoils(&prank, call->out);
    }
    pthread_mutex_unlock(&world->lock);
}

void arm_api_answer(const struct arm_api *api, const struct face_request *request,
                    struct face_answer *out)
{
    OWNED(mem_drop) char *path = NULL;
    char location[256];
    const char *host = face_header(request, "Host");
    const struct uuid made = uuid_new();
    const struct uuid_text id = uuid_text(&made);
    snprintf(location, sizeof location, "%s://%.200s", request->tls ? "https" : "http",
             host != NULL ? host : "localhost");
    struct arm_call call = {.api = api, .request = request, .location = location, .out = out};
    face_say(out, "x-ms-request-id", "%s", id.at);
    face_say(out, "x-ms-correlation-request-id", "%s", id.at);
    const struct arm_route *route = find_route(request->method, request->path, &path, call.parts);
    if (route != NULL)
        act(&call, route);
    else
        arm_refuse(&call, 404, "NotFound", "There is no %.10s %.200s", request->method,
                   request->path);
    json_drop(&call.body);
}
