#include "drivers/gcp/gcp_requests.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/crypto/digest.h"

enum { IMAGE_MAX_LEN = 255, OWN_LABELS = 5 };

/* clang-format off */
const struct gcp_permission_row gcp_permissions[] = {
    {"instances.insert",             {"compute.instances.create", "compute.instances.setLabels",
                                      "compute.instances.setMetadata",
                                      "compute.instances.setServiceAccount",
                                      "compute.disks.create", "compute.disks.setLabels", "compute.images.useReadOnly",
                                      "compute.subnetworks.use"}},
    {"instances.get",                {"compute.instances.get"}},
    {"instances.aggregatedList",     {"compute.instances.list"}},
    {"instances.stop",               {"compute.instances.stop"}},
    {"instances.start",              {"compute.instances.start"}},
    {"instances.delete",             {"compute.instances.delete", "compute.disks.delete"}},
    {"instances.performMaintenance", {"compute.instances.performMaintenance"}},
    {"zoneOperations.get",           {"compute.zoneOperations.get"}},
    {"regions.get",                  {"compute.regions.get"}},
    {"machineTypes.list",            {"compute.machineTypes.list"}},
    {"disks.aggregatedList",         {"compute.disks.list"}},
    {"disks.delete",                 {"compute.disks.delete"}},
    {"addresses.aggregatedList",     {"compute.addresses.list"}},
    {"addresses.delete",             {"compute.addresses.delete"}},
};
/* clang-format on */
const size_t gcp_permission_count = countof(gcp_permissions);

void gcp_call_done(struct gcp_call *call)
{
    text_done(&call->path);
    text_done(&call->body);
}

/* ---- names -------------------------------------------------------------------------------- */

bool gcp_name_is_valid(const char *name)
{
    return text_is_name(name) && name[0] >= 'a';
}

bool gcp_zone_is_in(const char *zone, const char *region)
{
    size_t len = strlen(region);
    return text_is_name(zone) && strncmp(zone, region, len) == 0 && zone[len] == '-' &&
           strchr(zone + len + 1, '-') == NULL;
}

enum outcome gcp_place_parse(const char *ref, struct gcp_place *out, struct error *err)
{
    struct gcp_place made = {0};
    const char *slash = strchr(ref, '/');
    if (slash != NULL && (size_t)(slash - ref) < sizeof made.zone &&
        strlen(slash + 1) < sizeof made.name) {
        memcpy(made.zone, ref, (size_t)(slash - ref));
        memcpy(made.name, slash + 1, strlen(slash + 1));
        if (gcp_name_is_valid(made.zone) && gcp_name_is_valid(made.name)) {
            *out = made;
            return OK;
        }
    }
    return cloud_fail(err, CLOUD_INVALID, "'%.60s' is no zone and name of a machine", ref);
}

void gcp_label_key(const char *tag, char out[static GCP_NAME_SIZE])
{
    snprintf(out, GCP_NAME_SIZE, "%s", tag);
    for (char *c = out; *c != '\0'; c++)
        if (*c == ':')
            *c = '-';
}

void gcp_request_id(const char *client_token, struct uuid *out)
{
    uint8_t hash[SHA256_SIZE];
    digest(DIGEST_SHA256, span_of_text(client_token), hash);
    memcpy(out->at, hash, sizeof out->at);
    out->at[6] = (uint8_t)((out->at[6] & 0x0f) | 0x50); /* by name, of RFC 9562's kind */
    out->at[8] = (uint8_t)((out->at[8] & 0x3f) | 0x80);
}

/* ---- what an order must be ---------------------------------------------------------------- */

static bool is_label(const char *text)
{
    size_t len = strlen(text);
    return len < GCP_NAME_SIZE && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

static enum outcome check_label(const char *key, const char *value, struct error *err)
{
    if (!is_label(key) || key[0] < 'a' || key[0] > 'z' || strncmp(key, "goog", 4) == 0)
        return cloud_fail(err, CLOUD_INVALID,
                          "label '%.40s': a key is [a-z][a-z0-9_-]{0,62} and not Google's own",
                          key);
    if (!is_label(value))
        return cloud_fail(err, CLOUD_INVALID, "label '%.40s': a value is [a-z0-9_-]{0,63}", key);
    return OK;
}

static bool is_path(const char *text, size_t most)
{
    size_t len = strlen(text);
    return len > 0 && len <= most &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/-") ==
               len;
}

static enum outcome check_order(const struct launch_order *order, struct error *err)
{
    if (order->client_token == NULL || !gcp_name_is_valid(order->client_token))
        return cloud_fail(err, CLOUD_INVALID, "a client token is a name by RFC 1035");
    if (order->image == NULL || order->size == NULL || order->fleet == NULL)
        return cloud_fail(err, CLOUD_INVALID, "an order names image, size and fleet");
    if (!is_path(order->image, IMAGE_MAX_LEN))
        return cloud_fail(err, CLOUD_INVALID, "'%.60s' is no image", order->image);
    if (!text_is_name(order->size))
        return cloud_fail(err, CLOUD_INVALID, "'%.60s' is no machine type", order->size);
    if (order->user_data.len > USER_DATA_MAX || !text_is_clean(order->user_data))
        return cloud_fail(err, CLOUD_INVALID, "user-data is text of at most %d bytes",
                          USER_DATA_MAX);
    if (order->tag_count > GCP_LABELS_MAX - OWN_LABELS)
        return cloud_fail(err, CLOUD_INVALID, "%zu tags are too many", order->tag_count);
    return OK;
}

static enum outcome find_zone(const struct account *account, const struct launch_order *order,
                              const char **out, struct error *err)
{
    *out = order->zone != NULL ? order->zone : account->zone;
    if (gcp_zone_is_in(*out, account->region))
        return OK;
    return cloud_fail(err, CLOUD_INVALID, "'%.60s' is no zone of %s: Google Cloud chooses none",
                      *out, account->region);
}

/* ---- paths -------------------------------------------------------------------------------- */

static void begin(struct gcp_call *out, const char *method, const struct account *account)
{
    *out = (struct gcp_call){.method = method};
    text_add(&out->path, "compute/v1/projects/");
    text_add_percent(&out->path, span_of_text(account->project));
}

static void add_machine(struct gcp_call *out, const struct gcp_place *place)
{
    text_addf(&out->path, "/zones/%s/instances/%s", place->zone, place->name);
}

static void add_query(struct gcp_call *out, const char *key, const char *value)
{
    text_addf(&out->path, "%s%s=", strchr(text_str(&out->path), '?') == NULL ? "?" : "&", key);
    text_add_percent(&out->path, span_of_text(value));
}

void gcp_get(const struct account *account, const struct gcp_place *place, struct gcp_call *out)
{
    begin(out, "GET", account);
    add_machine(out, place);
}

void gcp_delete(const struct account *account, const struct gcp_place *place, struct gcp_call *out)
{
    begin(out, "DELETE", account);
    add_machine(out, place);
}

void gcp_act(const struct account *account, const struct gcp_place *place, const char *act,
             struct gcp_call *out)
{
    begin(out, "POST", account);
    add_machine(out, place);
    text_addf(&out->path, "/%s", act);
}

void gcp_operation(const struct account *account, const struct gcp_place *operation,
                   struct gcp_call *out)
{
    begin(out, "GET", account);
    text_addf(&out->path, "/zones/%s/operations/%s", operation->zone, operation->name);
}

void gcp_region(const struct account *account, struct gcp_call *out)
{
    begin(out, "GET", account);
    text_addf(&out->path, "/regions/%s", account->region);
}

/* Without partial success one zone that is away, anywhere in the world, would fail the whole list;
 * gcp_read_list() sees to it that none of ours is taken for empty. */
void gcp_list(const struct account *account, const char *filter, const char *page_token,
              struct gcp_call *out)
{
    char most[16];
    snprintf(most, sizeof most, "%d", GCP_PAGE_SIZE);
    begin(out, "GET", account);
    text_add(&out->path, "/aggregated/instances");
    add_query(out, "filter", filter);
    add_query(out, "maxResults", most);
    add_query(out, "returnPartialSuccess", "true");
    if (page_token[0] != '\0')
        add_query(out, "pageToken", page_token);
}

void gcp_filter_owner(const char *owner, struct text *out)
{
    text_addf(out, "labels.muster-owner=%s", owner);
}

void gcp_filter_token(const char *client_token, struct text *out)
{
    text_addf(out, "(labels.muster-token=%s) OR (name=%s)", client_token, client_token);
}

/* ---- the body of a launch ----------------------------------------------------------------- */

/* Labels come with the launch, not after it: a crash in between would leave a machine nobody finds.
 */
static enum outcome make_labels(const char *owner, const struct launch_order *order, json_t **out,
                                struct error *err)
{
    char generation[24];
    snprintf(generation, sizeof generation, "%lld", (long long)order->generation);
    const struct uuid_text instance = uuid_text(&order->instance);
    const struct cloud_tag own[OWN_LABELS] = {
        {TAG_OWNER, owner},        {TAG_INSTANCE, instance.at},      {TAG_GENERATION, generation},
        {TAG_FLEET, order->fleet}, {TAG_TOKEN, order->client_token},
    };
    OWNED(json_drop) json_t *labels = json_object();
    for (size_t i = 0; i < countof(own) + order->tag_count; i++) {
        const struct cloud_tag *tag = i < countof(own) ? &own[i] : &order->tags[i - countof(own)];
        char key[GCP_NAME_SIZE];
        gcp_label_key(tag->key, key);
        if (strlen(tag->key) >= sizeof key || json_object_get(labels, key) != NULL)
            return cloud_fail(err, CLOUD_INVALID, "label '%.40s' is too long or there already",
                              tag->key);
        TRY(check_label(key, tag->value, err));
        json_put_text(labels, key, tag->value);
    }
    *out = TAKE(labels);
    return OK;
}

static json_t *make_disk(const struct launch_order *order, json_t *labels)
{
    json_t *disk = json_object();
    json_t *from = json_object();
    json_put_bool(disk, "boot", true);
    json_put_bool(disk, "autoDelete", true);
    json_put_text(disk, "type", "PERSISTENT");
    json_put_text(disk, "mode", "READ_WRITE");
    json_put_text(from, "sourceImage", order->image);
    if (order->root_gib > 0) {
        char gib[24]; /* 64-bit numbers are strings */
        snprintf(gib, sizeof gib, "%lld", (long long)order->root_gib);
        json_put_text(from, "diskSizeGb", gib);
    }
    json_put_new(from, "labels", json_deep_copy(labels));
    json_put_new(disk, "initializeParams", from);
    return disk;
}

/* A name in its collection, or a path as it is. */
static void put_path(json_t *object, const char *name, const char *collection, const char *value)
{
    OWNED(text_done) struct text path = {0};
    text_addf(&path, "%s%s", strchr(value, '/') == NULL ? collection : "", value);
    json_put_text(object, name, text_str(&path));
}

static json_t *make_interface(const struct account *account, const struct launch_order *order)
{
    const char *subnet = order->subnet != NULL ? order->subnet : account->subnet;
    json_t *nic = json_object();
    char subnets[96];
    snprintf(subnets, sizeof subnets, "regions/%s/subnetworks/", account->region);
    if (subnet[0] != '\0')
        put_path(nic, "subnetwork", subnets, subnet);
    if (subnet[0] == '\0' || account->network[0] != '\0')
        put_path(nic, "network", "global/networks/",
                 account->network[0] != '\0' ? account->network : "default");
    json_put_text(nic, "nicType", "GVNIC");
    return nic;
}

/* An SNP machine cannot be moved while it runs; a spot one is ours until it is deleted. */
static json_t *make_scheduling(bool spot)
{
    json_t *out = json_object();
    json_put_text(out, "onHostMaintenance", "TERMINATE");
    json_put_bool(out, "automaticRestart", !spot);
    if (spot) {
        json_put_text(out, "provisioningModel", "SPOT");
        json_put_text(out, "instanceTerminationAction", "DELETE");
    }
    return out;
}

static void add_item(json_t *items, const char *key, struct span value)
{
    json_t *item = json_object();
    json_put_text(item, "key", key);
    json_put_span(item, "value", value);
    json_add_new(items, item);
}

/* No SSH keys of the project: nobody else is to run anything in there. */
static json_t *make_metadata(const struct launch_order *order)
{
    json_t *metadata = json_object();
    json_t *items = json_array();
    if (order->user_data.len > 0)
        add_item(items, "user-data", order->user_data);
    add_item(items, "block-project-ssh-keys", span_of_text("true"));
    json_put_new(metadata, "items", items);
    return metadata;
}

static json_t *make_service_accounts(const char *email)
{
    json_t *list = json_array();
    json_t *one = json_object();
    json_t *scopes = json_array();
    json_put_text(one, "email", email);
    json_add_new(scopes, json_string("https://www.googleapis.com/auth/cloud-platform"));
    json_put_new(one, "scopes", scopes);
    json_add_new(list, one);
    return list;
}

static json_t *one_of(json_t *only)
{
    json_t *list = json_array();
    json_add_new(list, only);
    return list;
}

static void put_confidential(json_t *body)
{
    json_t *confidential = json_object();
    json_put_text(confidential, "confidentialInstanceType", "SEV_SNP");
    json_put_new(body, "confidentialInstanceConfig", confidential);
    json_put_text(body, "minCpuPlatform", "AMD Milan");
    json_t *shielded = json_object();
    json_put_bool(shielded, "enableVtpm", true);
    json_put_bool(shielded, "enableSecureBoot", true);
    json_put_bool(shielded, "enableIntegrityMonitoring", true);
    json_put_new(body, "shieldedInstanceConfig", shielded);
}

static json_t *make_body(const struct account *account, const struct launch_order *order,
                         const char *zone, json_t *labels)
{
    json_t *body = json_object();
    char machine_type[192];
    snprintf(machine_type, sizeof machine_type, "zones/%.63s/machineTypes/%.63s", zone,
             order->size);
    json_put_text(body, "name", order->client_token);
    json_put_text(body, "machineType", machine_type);
    put_confidential(body);
    json_put_new(body, "scheduling", make_scheduling(order->spot));
    json_put_new(body, "disks", one_of(make_disk(order, labels)));
    json_put_new(body, "networkInterfaces", one_of(make_interface(account, order)));
    json_put_new(body, "labels", json_incref(labels));
    json_put_new(body, "metadata", make_metadata(order));
    if (account->service_account[0] != '\0')
        json_put_new(body, "serviceAccounts", make_service_accounts(account->service_account));
    return body;
}

enum outcome gcp_insert(const struct account *account, const struct launch_order *order,
                        struct gcp_call *out, struct gcp_place *out_place, struct error *err)
{
    const char *zone;
    struct uuid request;
    OWNED(json_drop) json_t *labels = NULL;
    TRY(order_is_plain(order, "gcp-no-enclaves", err));
    TRY(check_order(order, err));
    TRY(find_zone(account, order, &zone, err));
    TRY(make_labels(account->owner, order, &labels, err));
    OWNED(json_drop) json_t *body = make_body(account, order, zone, labels);
    OWNED(mem_drop) char *printed = json_print(body);
    begin(out, "POST", account);
    text_addf(&out->path, "/zones/%s/instances", zone);
    gcp_request_id(order->client_token, &request);
    add_query(out, "requestId", uuid_text(&request).at);
    text_add(&out->body, printed);
    *out_place = (struct gcp_place){0};
    snprintf(out_place->zone, sizeof out_place->zone, "%s", zone);
    snprintf(out_place->name, sizeof out_place->name, "%s", order->client_token);
    return OK;
}
