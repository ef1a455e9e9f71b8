#include "drivers/azure/azure_requests.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/crypto/digest.h"

#define COMPUTE "Microsoft.Compute/"
#define MACHINE COMPUTE "virtualMachines/"
#define NETWORK "Microsoft.Network/"

/* clang-format off */
const struct arm_call_facts arm_calls[ARM_CALL_COUNT] = {
    [ARM_SUBSCRIPTION] = {"Subscriptions_Get", "GET", NULL,
                          {"Microsoft.Resources/subscriptions/read"}},
    [ARM_CREATE]       = {"VirtualMachines_CreateOrUpdate", "PUT", NULL,
                          {MACHINE "write", MACHINE "read", COMPUTE "disks/write",
                           COMPUTE "disks/read", COMPUTE "diskEncryptionSets/read",
                           COMPUTE "galleries/images/versions/read", COMPUTE "images/read",
                           NETWORK "networkInterfaces/write", NETWORK "networkInterfaces/join/action",
                           NETWORK "virtualNetworks/subnets/join/action",
                           NETWORK "networkSecurityGroups/join/action"}},
    [ARM_GET]          = {"VirtualMachines_Get", "GET", NULL,
                          {MACHINE "read", MACHINE "instanceView/read"}},
    [ARM_LIST]         = {"VirtualMachines_List", "GET", NULL, {MACHINE "read"}},
    [ARM_LIST_STATUS]  = {"VirtualMachines_ListAll", "GET", NULL,
                          {MACHINE "read", MACHINE "instanceView/read"}},
    [ARM_DEALLOCATE]   = {"VirtualMachines_Deallocate", "POST", "deallocate",
                          {MACHINE "deallocate/action"}},
    [ARM_START]        = {"VirtualMachines_Start", "POST", "start", {MACHINE "start/action"}},
    [ARM_REDEPLOY]     = {"VirtualMachines_Redeploy", "POST", "redeploy",
                          {MACHINE "redeploy/action"}},
    [ARM_MAINTAIN]     = {"VirtualMachines_PerformMaintenance", "POST", "performMaintenance",
                          {MACHINE "performMaintenance/action"}},
    [ARM_DELETE]       = {"VirtualMachines_Delete", "DELETE", NULL,
                          {MACHINE "delete", COMPUTE "disks/delete",
                           NETWORK "networkInterfaces/delete"}},
    [ARM_FOLLOW]       = {"operation", "GET", NULL, {COMPUTE "locations/operations/read"}},
    [ARM_SKUS]         = {"ResourceSkus_List", "GET", NULL, {COMPUTE "skus/read"}},
    [ARM_LIST_DISKS]   = {"Disks_ListByResourceGroup", "GET", NULL, {COMPUTE "disks/read"}},
    [ARM_LIST_ADDRESSES] = {"PublicIPAddresses_List", "GET", NULL,
                            {NETWORK "publicIPAddresses/read"}},
    [ARM_LIST_INTERFACES] = {"NetworkInterfaces_List", "GET", NULL,
                             {NETWORK "networkInterfaces/read"}},
    [ARM_DELETE_DISK]  = {"Disks_Delete", "DELETE", NULL, {COMPUTE "disks/delete"}},
    [ARM_DELETE_ADDRESS] = {"PublicIPAddresses_Delete", "DELETE", NULL,
                            {NETWORK "publicIPAddresses/delete"}},
    [ARM_DELETE_INTERFACE] = {"NetworkInterfaces_Delete", "DELETE", NULL,
                              {NETWORK "networkInterfaces/delete"}},
};
/* clang-format on */

void arm_request_done(struct arm_request *request)
{
    text_done(&request->path);
    text_done(&request->body);
}

bool arm_name_is_valid(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > ARM_NAME_MAX || strchr("_.-", name[0]) != NULL ||
        strchr(".-", name[len - 1]) != NULL)
        return false;
    for (const char *c = name; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && strchr("-_.", *c) == NULL)
            return false;
    return true;
}

/* ---- what an order must be ------------------------------------------------------------------ */

static enum outcome check_tag(const struct cloud_tag *tag, struct error *err)
{
    static const char *const reserved[] = {"microsoft", "azure", "windows"};
    if (tag->key[0] == '\0' || strlen(tag->key) > 128 || strlen(tag->value) > 256)
        return cloud_fail(err, CLOUD_INVALID, "tag '%.40s' is empty or too long", tag->key);
    if (strpbrk(tag->key, "<>%&\\?/") != NULL)
        return cloud_fail(err, CLOUD_INVALID, "tag '%.40s' holds one of <>%%&\\?/", tag->key);
    for (size_t i = 0; i < countof(reserved); i++)
        if (strncasecmp(tag->key, reserved[i], strlen(reserved[i])) == 0)
            return cloud_fail(err, CLOUD_INVALID, "tag '%.40s': the prefix %s is reserved",
                              tag->key, reserved[i]);
    return OK;
}

static const char *subnet_of(const struct account *account, const struct launch_order *order)
{
    return order->subnet != NULL ? order->subnet : account->subnet;
}

static enum outcome check_order(const struct account *account, const struct launch_order *order,
                                struct error *err)
{
    if (order->client_token == NULL || !arm_name_is_valid(order->client_token))
        return cloud_fail(err, CLOUD_INVALID, "the client token cannot be a machine's name");
    if (order->image == NULL || order->size == NULL || order->fleet == NULL)
        return cloud_fail(err, CLOUD_INVALID, "an order names image, size and fleet");
    if (subnet_of(account, order)[0] != '/')
        return cloud_fail(err, CLOUD_INVALID, "an order needs a subnet, by its resource id");
    if (order->user_data.len > USER_DATA_MAX)
        return cloud_fail(err, CLOUD_INVALID, "user-data of %zu bytes is over %d",
                          order->user_data.len, USER_DATA_MAX);
    if (order->tag_count > ARM_TAGS_MAX - 6)
        return cloud_fail(err, CLOUD_INVALID, "%zu tags are too many", order->tag_count);
    for (size_t i = 0; i < order->tag_count; i++)
        TRY(check_tag(&order->tags[i], err));
    return OK;
}

/* "publisher:offer:sku:version", or a resource id of a gallery. */
static enum outcome make_image(const char *image, json_t **out, struct error *err)
{
    static const char *const members[] = {"publisher", "offer", "sku", "version"};
    OWNED(json_drop) json_t *made = json_object();
    OWNED(mem_drop) char *copy = mem_text(image);
    char *rest = copy;
    if (image[0] == '/')
        json_put_text(made, "id", image);
    for (size_t i = 0; image[0] != '/' && i < countof(members); i++) {
        const char *part = strsep(&rest, ":");
        if (part == NULL || part[0] == '\0')
            return cloud_fail(err, CLOUD_INVALID,
                              "'%.100s' is no publisher:offer:sku:version and no resource id",
                              image);
        json_put_text(made, members[i], part);
    }
    if (image[0] != '/' && rest != NULL)
        return cloud_fail(err, CLOUD_INVALID, "'%.100s' has more than four parts", image);
    *out = TAKE(made);
    return OK;
}

/* ---- the body of a launch ------------------------------------------------------------------- */

static json_t *make_tags(const struct account *account, const struct launch_order *order)
{
    char generation[24];
    snprintf(generation, sizeof generation, "%lld", (long long)order->generation);
    const struct uuid_text instance = uuid_text(&order->instance);
    json_t *tags = json_object();
    for (size_t i = 0; i < order->tag_count; i++)
        json_put_text(tags, order->tags[i].key, order->tags[i].value);
    json_put_text(tags, TAG_OWNER, account->owner);
    json_put_text(tags, TAG_INSTANCE, instance.at);
    json_put_text(tags, TAG_GENERATION, generation);
    json_put_text(tags, TAG_FLEET, order->fleet);
    json_put_text(tags, TAG_TOKEN, order->client_token);
    return tags;
}

static json_t *id_object(const char *id)
{
    json_t *out = json_object();
    json_put_text(out, "id", id);
    return out;
}

static const char *encryption_of(const struct account *account)
{
    return account->security_encryption[0] != '\0' ? account->security_encryption
                                                   : "VMGuestStateOnly";
}

static json_t *make_disk(const struct account *account, const struct launch_order *order)
{
    char name[ARM_NAME_MAX + 8];
    json_t *security = json_object();
    json_put_text(security, "securityEncryptionType", encryption_of(account));
    if (account->disk_encryption_set[0] != '\0')
        json_put_new(security, "diskEncryptionSet", id_object(account->disk_encryption_set));
    json_t *managed = json_object();
    json_put_text(managed, "storageAccountType", "Premium_LRS");
    json_put_new(managed, "securityProfile", security);
    json_t *disk = json_object();
    snprintf(name, sizeof name, "%s-os", order->client_token);
    json_put_text(disk, "name", name);
    json_put_text(disk, "createOption", "FromImage");
    json_put_text(disk, "caching", "ReadOnly");
    json_put_text(disk, "deleteOption", "Delete");
    if (order->root_gib > 0)
        json_put_int(disk, "diskSizeGB", order->root_gib);
    json_put_new(disk, "managedDisk", managed);
    return disk;
}

static json_t *make_network(const struct account *account, const struct launch_order *order)
{
    json_t *address_properties = json_object();
    json_put_bool(address_properties, "primary", true);
    json_put_new(address_properties, "subnet", id_object(subnet_of(account, order)));
    json_t *address = json_object();
    json_put_text(address, "name", "ip");
    json_put_new(address, "properties", address_properties);
    json_t *addresses = json_array();
    json_add_new(addresses, address);
    json_t *properties = json_object();
    json_put_bool(properties, "primary", true);
    json_put_text(properties, "deleteOption", "Delete");
    json_put_new(properties, "ipConfigurations", addresses);
    if (account->security_group[0] != '\0')
        json_put_new(properties, "networkSecurityGroup", id_object(account->security_group));
    json_t *nic = json_object();
    json_put_text(nic, "name", "nic");
    json_put_new(nic, "properties", properties);
    json_t *nics = json_array();
    json_add_new(nics, nic);
    json_t *network = json_object();
    json_put_text(network, "networkApiVersion", ARM_NETWORK_VERSION);
    json_put_new(network, "networkInterfaceConfigurations", nics);
    return network;
}

static json_t *make_security(void)
{
    json_t *uefi = json_object();
    json_put_bool(uefi, "secureBootEnabled", true);
    json_put_bool(uefi, "vTpmEnabled", true);
    json_t *security = json_object();
    json_put_text(security, "securityType", "ConfidentialVM");
    json_put_new(security, "uefiSettings", uefi);
    return security;
}

/* Azure wants a key of an administrator. Where the account has none, one is made of a hash: no one
 * has its private half. */
static void make_key(const struct account *account, const struct launch_order *order,
                     struct text *out)
{
    static const uint8_t head[] = "\0\0\0\x0bssh-ed25519\0\0\0\x20";
    if (account->admin_key[0] != '\0') {
        text_add(out, account->admin_key);
        return;
    }
    uint8_t blob[sizeof head - 1 + SHA256_SIZE];
    OWNED(text_done) struct text seed = {0};
    text_addf(&seed, "muster: a key that opens nothing: %s", order->client_token);
    memcpy(blob, head, sizeof head - 1);
    digest(DIGEST_SHA256, text_span(&seed), blob + sizeof head - 1);
    text_add(out, "ssh-ed25519 ");
    text_add_base64(out, SPAN_OF(blob));
}

#define ADMIN_USER "muster"

static json_t *make_system(const struct account *account, const struct launch_order *order)
{
    OWNED(text_done) struct text key_text = {0};
    make_key(account, order, &key_text);
    json_t *key = json_object();
    json_put_text(key, "path", "/home/" ADMIN_USER "/.ssh/authorized_keys");
    json_put_text(key, "keyData", text_str(&key_text));
    json_t *keys = json_array();
    json_add_new(keys, key);
    json_t *ssh = json_object();
    json_put_new(ssh, "publicKeys", keys);
    json_t *linux_settings = json_object();
    json_put_bool(linux_settings, "disablePasswordAuthentication", true);
    json_put_bool(linux_settings, "provisionVMAgent",
                  false); /* nothing of the cloud's runs in it */
    json_put_new(linux_settings, "ssh", ssh);
    json_t *system = json_object();
    json_put_text(system, "computerName", order->client_token);
    json_put_text(system, "adminUsername", ADMIN_USER);
    json_put_bool(system, "allowExtensionOperations", false);
    json_put_new(system, "linuxConfiguration", linux_settings);
    return system;
}

static json_t *make_properties(const struct account *account, const struct launch_order *order,
                               json_t *image)
{
    json_t *hardware = json_object();
    json_put_text(hardware, "vmSize", order->size);
    json_t *storage = json_object();
    json_put_new(storage, "imageReference", image);
    json_put_new(storage, "osDisk", make_disk(account, order));
    json_t *out = json_object();
    json_put_new(out, "hardwareProfile", hardware);
    json_put_new(out, "storageProfile", storage);
    json_put_new(out, "osProfile", make_system(account, order));
    json_put_new(out, "networkProfile", make_network(account, order));
    json_put_new(out, "securityProfile", make_security());
    if (order->user_data.len > 0)
        json_put_base64(out, "userData", order->user_data);
    if (order->spot) {
        json_put_text(out, "priority", "Spot");
        json_put_text(out, "evictionPolicy", "Deallocate");
    }
    return out;
}

static enum outcome make_body(const struct account *account, const struct launch_order *order,
                              json_t **out, struct error *err)
{
    OWNED(json_drop) json_t *image = NULL;
    TRY(check_order(account, order, err));
    TRY(make_image(order->image, &image, err));
    const char *zone = order->zone != NULL ? order->zone : account->zone;
    json_t *body = json_object();
    json_put_text(body, "location", account->region);
    json_put_new(body, "tags", make_tags(account, order));
    json_put_new(body, "properties", make_properties(account, order, TAKE(image)));
    if (zone[0] != '\0') {
        json_t *zones = json_array();
        json_add_new(zones, json_string(zone));
        json_put_new(body, "zones", zones);
    }
    *out = body;
    return OK;
}

static void hash_body(const json_t *body, char out[static ARM_ORDER_SIZE])
{
    uint8_t hash[SHA256_SIZE];
    OWNED(mem_drop) char *text = json_print(body);
    digest(DIGEST_SHA256, span_of_text(text), hash);
    hex_encode(SPAN(hash, (ARM_ORDER_SIZE - 1) / 2), out);
}

void arm_order_hash(const struct account *account, const struct launch_order *order,
                    char out[static ARM_ORDER_SIZE])
{
    OWNED(json_drop) json_t *body = NULL;
    out[0] = '\0';
    if (make_body(account, order, &body, NULL) == OK)
        hash_body(body, out);
}

/* ---- paths ---------------------------------------------------------------------------------- */

static void add_subscription(const struct account *account, struct text *out)
{
    text_add(out, "subscriptions/");
    text_add_percent(out, span_of_text(account->subscription));
}

static void add_group(const struct account *account, struct text *out)
{
    add_subscription(account, out);
    text_add(out, "/resourceGroups/");
    text_add_percent(out, span_of_text(account->resource_group));
}

static void add_machine(const struct account *account, const char *name, struct text *out)
{
    add_group(account, out);
    text_add(out, "/providers/Microsoft.Compute/virtualMachines/");
    text_add_percent(out, span_of_text(name));
}

enum outcome arm_create(const struct account *account, const struct launch_order *order,
                        struct arm_request *out, struct error *err)
{
    OWNED(json_drop) json_t *body = NULL;
    char hash[ARM_ORDER_SIZE];
    TRY(order_is_plain(order, "azure-no-enclaves", err));
    TRY(make_body(account, order, &body, err));
    hash_body(body, hash);
    json_put_text(json_object_get(body, "tags"), TAG_ORDER, hash);
    OWNED(mem_drop) char *text = json_print(body);
    out->call = ARM_CREATE;
    text_add(&out->body, text);
    add_machine(account, order->client_token, &out->path);
    text_add(&out->path, "?api-version=" ARM_COMPUTE_VERSION);
    return OK;
}

void arm_get(const struct account *account, const char *ref, struct arm_request *out)
{
    out->call = ARM_GET;
    add_machine(account, ref, &out->path);
    text_add(&out->path, "?$expand=instanceView&api-version=" ARM_COMPUTE_VERSION);
}

void arm_list(const struct account *account, struct arm_request *out)
{
    out->call = ARM_LIST;
    add_group(account, &out->path);
    text_add(&out->path, "/providers/Microsoft.Compute/virtualMachines"
                         "?api-version=" ARM_COMPUTE_VERSION);
}

void arm_list_status(const struct account *account, struct arm_request *out)
{
    out->call = ARM_LIST_STATUS;
    add_subscription(account, &out->path);
    text_add(&out->path, "/providers/Microsoft.Compute/virtualMachines"
                         "?statusOnly=true&api-version=" ARM_COMPUTE_VERSION);
}

void arm_act(const struct account *account, enum arm_call call, const char *ref,
             struct arm_request *out)
{
    out->call = call;
    add_machine(account, ref, &out->path);
    if (arm_calls[call].verb != NULL)
        text_addf(&out->path, "/%s", arm_calls[call].verb);
    text_add(&out->path, "?api-version=" ARM_COMPUTE_VERSION);
    if (call == ARM_DELETE && account->force_delete)
        text_add(&out->path, "&forceDeletion=true");
}

void arm_skus(const struct account *account, struct arm_request *out)
{
    OWNED(text_done) struct text filter = {0};
    out->call = ARM_SKUS;
    add_subscription(account, &out->path);
    text_addf(&filter, "location eq '%s'", account->region);
    text_add(&out->path,
             "/providers/Microsoft.Compute/skus?api-version=" ARM_SKUS_VERSION "&$filter=");
    text_add_percent(&out->path, text_span(&filter));
}

void arm_subscription(const struct account *account, struct arm_request *out)
{
    out->call = ARM_SUBSCRIPTION;
    add_subscription(account, &out->path);
    text_add(&out->path, "?api-version=" ARM_SUBSCRIPTION_VERSION);
}
