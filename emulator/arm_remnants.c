/* Disks, public addresses and interfaces through Resource Manager. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "emulator/arm_api.h"

static const struct {
    const char *type;
    const char *busy;
} words[REMNANT_KIND_COUNT] = {
    [REMNANT_DISK] = {"Microsoft.Compute/disks", "OperationNotAllowed"},
    [REMNANT_ADDRESS] = {"Microsoft.Network/publicIPAddresses", "PublicIPAddressCannotBeDeleted"},
    [REMNANT_INTERFACE] = {"Microsoft.Network/networkInterfaces", "NicInUse"},
};

/* By the type in the path: ".../providers/Microsoft.Network/networkInterfaces/NAME". */
static enum remnant_kind kind_of(const struct arm_call *call)
{
    int kind = 0;
    while (kind < REMNANT_INTERFACE && strcasestr(call->request->path, words[kind].type) == NULL)
        kind++;
    return (enum remnant_kind)kind;
}

static void put_id(const struct arm_call *call, json_t *into, const char *member, const char *group,
                   const char *kind, const char *name)
{
    OWNED(text_done) struct text id = {0};
    json_t *holder = strcmp(member, "id") == 0 || strcmp(member, "managedBy") == 0 ? into : NULL;
    text_addf(&id, "/subscriptions/%s/resourceGroups/%s/providers/%s/%s", call->api->subscription,
              group, kind, name);
    if (holder != NULL) {
        json_put_text(holder, member, text_str(&id));
        return;
    }
    holder = json_object();
    json_put_text(holder, "id", text_str(&id));
    json_put_new(into, member, holder);
}

static json_t *show(const struct arm_call *call, const struct remnant *remnant)
{
    static const char machines[] = "Microsoft.Compute/virtualMachines";
    json_t *out = json_object();
    json_t *properties = json_object();
    json_t *tags = json_object();
    put_id(call, out, "id", remnant->group, words[remnant->kind].type, remnant->name);
    json_put_text(out, "name", remnant->name);
    json_put_text(out, "type", words[remnant->kind].type);
    json_put_text(out, "location", remnant->region);
    for (size_t i = 0; i < remnant->tag_count; i++)
        json_put_text(tags, remnant->tags[i].key, remnant->tags[i].value);
    json_put_new(out, "tags", tags);
    json_put_text(properties, "provisioningState", "Succeeded");
    if (remnant->kind == REMNANT_DISK)
        json_put_text(properties, "diskState", remnant->in_use ? "Attached" : "Unattached");
    if (remnant->in_use && remnant->kind == REMNANT_DISK)
        put_id(call, out, "managedBy", remnant->group, machines, remnant->machine);
    if (remnant->in_use && remnant->kind == REMNANT_ADDRESS)
        put_id(call, properties, "ipConfiguration", remnant->group,
               "Microsoft.Network/networkInterfaces", "nic/ipConfigurations/ip");
    if (remnant->in_use && remnant->kind == REMNANT_INTERFACE)
        put_id(call, properties, "virtualMachine", remnant->group, machines, remnant->machine);
    json_put_new(out, "properties", properties);
    return out;
}

struct listing {
    struct arm_call *call;
    json_t *list;
    int64_t after, seen, shown;
    bool more;
};

static void list_one(const struct remnant *remnant, void *context)
{
    struct listing *list = context;
    if (strcasecmp(remnant->group, list->call->parts[1]) != 0 || ++list->seen <= list->after)
        return;
    list->more |= list->shown == list->call->api->page_most;
    if (list->more)
        return;
    json_add_new(list->list, show(list->call, remnant));
    list->shown++;
}

bool arm_remnant_list(struct arm_call *call)
{
    const char *token = face_argument(call->request, "$skiptoken");
    OWNED(json_drop) json_t *body = json_object();
    struct listing list = {.call = call, .list = json_array()};
    json_put_new(body, "value", list.list);
    if (token != NULL && (strncmp(token, "after-", 6) != 0 ||
                          number_parse(token + 6, 0, INT64_MAX, &list.after, NULL) != OK))
        return arm_refuse(call, 400, "BadRequest", "The skip token is invalid.");
    remnants_each(call->api->world, DRIVER_AZURE, kind_of(call), list_one, &list);
    if (list.more) {
        OWNED(text_done) struct text next = {0};
        text_addf(&next, "%s%s?api-version=%s&$skiptoken=after-%lld", call->location,
                  call->request->path, face_argument(call->request, "api-version"),
                  (long long)(list.after + list.shown));
        json_put_text(body, "nextLink", text_str(&next));
    }
    arm_say(call, 200, body);
    return true;
}

/* What is not there is a 204. */
bool arm_remnant_delete(struct arm_call *call)
{
    const enum remnant_kind kind = kind_of(call);
    switch (
        remnants_discard(call->api->world, DRIVER_AZURE, kind, call->parts[1], call->parts[2])) {
    case REMNANT_IN_USE:
        return arm_refuse(call, kind == REMNANT_DISK ? 409 : 400, words[kind].busy,
                          "'%.80s' is in use.", call->parts[2]);
    case REMNANT_UNKNOWN:
        call->out->status = 204;
        return true;
    case REMNANT_GONE:
        break;
    }
    call->out->status = 202;
    return true;
}
