#include "drivers/azure/azure_leftovers.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "drivers/azure/azure_answers.h"
#include "lib/base/json.h"

enum { LEFT_NAME_MAX = 80, USERS_MAX = 4 };

static const struct {
    enum arm_call list;
    enum arm_call discard;
    const char *path;
    const char *version;
    const char *users[USERS_MAX]; /* not there, or empty, when nothing has it */
} facts[LEFTOVER_KIND_COUNT] = {
    [LEFTOVER_DISK] = {ARM_LIST_DISKS,
                       ARM_DELETE_DISK,
                       "Microsoft.Compute/disks",
                       ARM_DISKS_VERSION,
                       {"managedBy", "managedByExtended"}},
    [LEFTOVER_ADDRESS] = {ARM_LIST_ADDRESSES,
                          ARM_DELETE_ADDRESS,
                          "Microsoft.Network/publicIPAddresses",
                          ARM_NETWORK_VERSION,
                          {"ipConfiguration", "natGateway"}},
    [LEFTOVER_INTERFACE] = {ARM_LIST_INTERFACES,
                            ARM_DELETE_INTERFACE,
                            "Microsoft.Network/networkInterfaces",
                            ARM_NETWORK_VERSION,
                            {"virtualMachine", "privateEndpoint", "privateLinkService"}},
};

static void add_path(const struct account *account, enum leftover_kind kind, const char *ref,
                     struct text *out)
{
    text_add(out, "subscriptions/");
    text_add_percent(out, span_of_text(account->subscription));
    text_add(out, "/resourceGroups/");
    text_add_percent(out, span_of_text(account->resource_group));
    text_addf(out, "/providers/%s", facts[kind].path);
    if (ref != NULL) {
        text_add(out, "/");
        text_add_percent(out, span_of_text(ref));
    }
    text_addf(out, "?api-version=%s", facts[kind].version);
}

void arm_list_left(const struct account *account, enum leftover_kind kind, struct arm_request *out)
{
    out->call = facts[kind].list;
    add_path(account, kind, NULL, &out->path);
}

void arm_discard(const struct account *account, enum leftover_kind kind, const char *ref,
                 struct arm_request *out)
{
    out->call = facts[kind].discard;
    add_path(account, kind, ref, &out->path);
}

bool arm_left_name_is_valid(const char *name)
{
    const size_t len = strlen(name);
    if (len == 0 || len > LEFT_NAME_MAX || !isalnum((unsigned char)name[0]) || name[len - 1] == '.')
        return false;
    for (const char *c = name; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && strchr("-_.", *c) == NULL)
            return false;
    return true;
}

static enum outcome unreadable(struct error *err, const char *why)
{
    return cloud_fail(err, CLOUD_AMBIGUOUS, "the answer %s", why);
}

static const char *word(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static bool is_empty(const json_t *value)
{
    return value == NULL || json_is_null(value) ||
           (json_is_string(value) && json_string_length(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0);
}

/* A disk's user stands beside its properties, the others' among them. What is still being made may
 * have none yet. */
static bool is_left(enum leftover_kind kind, const json_t *item)
{
    const json_t *properties = json_object_get(item, "properties");
    const char *made = word(properties, "provisioningState");
    for (size_t i = 0; i < USERS_MAX && facts[kind].users[i] != NULL; i++)
        if (!is_empty(json_object_get(item, facts[kind].users[i])) ||
            !is_empty(json_object_get(properties, facts[kind].users[i])))
            return false;
    if (strcasecmp(made, "Succeeded") != 0 && strcasecmp(made, "Failed") != 0)
        return false;
    return kind != LEFTOVER_DISK || strcasecmp(word(properties, "diskState"), "Unattached") == 0;
}

static bool read_left(enum leftover_kind kind, const char *owner, const json_t *item,
                      struct leftover_list *out)
{
    const json_t *tags = json_object_get(item, "tags");
    const json_t *properties = json_object_get(item, "properties");
    const char *key, *name = word(item, "name");
    json_t *value;
    struct leftover made = {.kind = kind};
    if (!json_is_object(item))
        return false;
    if (strcmp(word(tags, TAG_OWNER), owner) != 0)
        return true;
    if (!json_is_object(properties) || !arm_left_name_is_valid(name))
        return false;
    if (!is_left(kind, item))
        return true;
    if (out->count == LEFTOVERS_MAX)
        return false;
    text_clip(made.ref, sizeof made.ref, name);
    text_clip(made.state_word, sizeof made.state_word,
              word(properties, kind == LEFTOVER_DISK ? "diskState" : "provisioningState"));
    const json_t *zone = json_array_get(json_object_get(item, "zones"), 0);
    text_clip(made.zone, sizeof made.zone, json_is_string(zone) ? json_string_value(zone) : "");
    json_object_foreach (json_looked_at(tags), key, value)
        if (json_is_string(value))
            leftover_tag(&made, key, json_string_value(value));
    *leftover_list_add(out) = made;
    return true;
}

enum outcome arm_read_left(enum leftover_kind kind, const char *owner, struct span body,
                           struct leftover_list *out, struct text *next, struct error *err)
{
    OWNED(json_drop) json_t *root = NULL;
    if (json_parse(body, HTTP_ANSWER_MAX, &root, NULL) != OK)
        return unreadable(err, "is no plain JSON");
    const json_t *items = json_object_get(root, "value");
    const json_t *link = json_object_get(root, "nextLink");
    if (!json_is_array(items))
        return unreadable(err, "holds no list");
    size_t i;
    json_t *item;
    json_array_foreach (items, i, item)
        if (!read_left(kind, owner, item, out))
            return unreadable(err, "names one too many, or one we cannot read");
    text_done(next);
    if (link == NULL || json_is_null(link))
        return OK;
    if (!json_is_string(link) || json_string_length(link) > ARM_LINK_MAX)
        return unreadable(err, "has a link to the next page that we cannot hold");
    text_add(next, json_string_value(link));
    return OK;
}
