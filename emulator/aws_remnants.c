/* Volumes, addresses and interfaces: what is told of them, and giving them up. */
#include <stdio.h>
#include <string.h>

#include "emulator/aws_actions.h"

static const struct {
    const char *set;
    const char *id;
    const char *parameter; /* of what ends it */
    const char *missing;
    const char *busy;
} words[REMNANT_KIND_COUNT] = {
    [REMNANT_DISK] = {"volumeSet", "volumeId", "VolumeId", "InvalidVolume.NotFound", "VolumeInUse"},
    [REMNANT_ADDRESS] = {"addressesSet", "allocationId", "AllocationId",
                         "InvalidAllocationID.NotFound", "InvalidIPAddress.InUse"},
    [REMNANT_INTERFACE] = {"networkInterfaceSet", "networkInterfaceId", "NetworkInterfaceId",
                           "InvalidNetworkInterfaceID.NotFound", "InvalidNetworkInterface.InUse"},
};

struct listing {
    struct aws_call *call;
    int64_t after, seen, shown, most;
    bool more;
};

static const char *status_of(const struct remnant *remnant)
{
    return remnant->in_use ? "in-use" : "available";
}

static bool passes(const struct form_in *form, const struct remnant *remnant)
{
    const char *name;
    for (size_t n = 1; (name = form_getf(form, "Filter.%zu.Name", n)) != NULL; n++) {
        const char *wanted = form_getf(form, "Filter.%zu.Value.1", n);
        const char *value = strcmp(name, "status") == 0     ? status_of(remnant)
                            : strncmp(name, "tag:", 4) == 0 ? remnant_tag(remnant, name + 4)
                                                            : NULL;
        if (value == NULL || wanted == NULL || strcmp(value, wanted) != 0)
            return false;
    }
    return true;
}

static void show_user(struct text *out, const struct remnant *remnant)
{
    if (remnant->kind == REMNANT_ADDRESS) {
        if (remnant->in_use)
            xml_add(out, "associationId", "eipassoc-1");
        return;
    }
    const bool is_disk = remnant->kind == REMNANT_DISK;
    xml_add(out, "status", status_of(remnant));
    xml_add(out, "availabilityZone", remnant->zone);
    if (!remnant->in_use) {
        text_add(out, is_disk ? "<attachmentSet/>" : "");
        return;
    }
    text_add(out, is_disk ? "<attachmentSet><item>" : "<attachment>");
    xml_add(out, "instanceId", remnant->machine);
    xml_add(out, "status", "attached");
    text_add(out, is_disk ? "</item></attachmentSet>" : "</attachment>");
}

static void show(struct text *out, const struct remnant *remnant)
{
    text_add(out, "<item>");
    xml_add(out, words[remnant->kind].id, remnant->ref);
    show_user(out, remnant);
    text_add(out, "<tagSet>");
    for (size_t i = 0; i < remnant->tag_count; i++) {
        text_add(out, "<item>");
        xml_add(out, "key", remnant->tags[i].key);
        xml_add(out, "value", remnant->tags[i].value);
        text_add(out, "</item>");
    }
    text_add(out, "</tagSet></item>");
}

static void list_one(const struct remnant *remnant, void *context)
{
    struct listing *list = context;
    if (strcmp(remnant->region, list->call->region) != 0 ||
        strcmp(remnant->group, list->call->api->account) != 0 ||
        !passes(list->call->form, remnant) || ++list->seen <= list->after)
        return;
    list->more |= list->shown == list->most;
    if (list->more)
        return;
    show(list->call->out, remnant);
    list->shown++;
}

static bool describe(struct aws_call *call, enum remnant_kind kind, struct refusal *out)
{
    const char *token = form_get(call->form, "NextToken");
    const bool has_pages = kind != REMNANT_ADDRESS;
    struct listing list = {.call = call, .most = has_pages ? call->api->page_most : INT64_MAX};
    if (token != NULL && (strncmp(token, "after-", 6) != 0 ||
                          number_parse(token + 6, 0, INT64_MAX, &list.after, NULL) != OK))
        return refuse(out, 400, "InvalidNextToken", "The token '%.40s' is invalid", token);
    text_addf(call->out, "<%s>", words[kind].set);
    remnants_each(call->api->world, DRIVER_AWS, kind, list_one, &list);
    text_addf(call->out, "</%s>", words[kind].set);
    if (list.more)
        text_addf(call->out, "<nextToken>after-%lld</nextToken>",
                  (long long)(list.after + list.shown));
    return true;
}

static bool discard(struct aws_call *call, enum remnant_kind kind, struct refusal *out)
{
    const char *ref = form_get(call->form, words[kind].parameter);
    if (ref == NULL)
        return refuse(out, 400, "MissingParameter", "The request must contain %s",
                      words[kind].parameter);
    switch (remnants_discard(call->api->world, DRIVER_AWS, kind, call->region, ref)) {
    case REMNANT_UNKNOWN:
        return refuse(out, 400, words[kind].missing, "'%.60s' does not exist", ref);
    case REMNANT_IN_USE:
        return refuse(out, 400, words[kind].busy, "'%.60s' is in use", ref);
    case REMNANT_GONE:
        break;
    }
    text_add(call->out, "<return>true</return>");
    return true;
}

bool describe_volumes(struct aws_call *call, struct refusal *out)
{
    return describe(call, REMNANT_DISK, out);
}

bool describe_addresses(struct aws_call *call, struct refusal *out)
{
    return describe(call, REMNANT_ADDRESS, out);
}

bool describe_network_interfaces(struct aws_call *call, struct refusal *out)
{
    return describe(call, REMNANT_INTERFACE, out);
}

bool delete_volume(struct aws_call *call, struct refusal *out)
{
    return discard(call, REMNANT_DISK, out);
}

bool release_address(struct aws_call *call, struct refusal *out)
{
    return discard(call, REMNANT_ADDRESS, out);
}

bool delete_network_interface(struct aws_call *call, struct refusal *out)
{
    return discard(call, REMNANT_INTERFACE, out);
}
