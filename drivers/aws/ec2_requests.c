#include "drivers/aws/ec2_requests.h"

#include <stdio.h>
#include <string.h>

static void begin_as(struct form *form, const char *action, const char *version)
{
    form->call = action;
    form_add(form, "Action", action);
    form_add(form, "Version", version);
}

static void begin(struct form *form, const char *action)
{
    begin_as(form, action, EC2_VERSION);
}

static void add_given(struct form *form, const char *key, const char *value)
{
    if (value != NULL && value[0] != '\0')
        form_add(form, key, value);
}

static bool is_ascii(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if (*c < ' ' || *c > '~')
            return false;
    return true;
}

static enum outcome check_tag(const struct cloud_tag *tag, struct error *err)
{
    if (tag->key[0] == '\0' || strlen(tag->key) > 128 || strlen(tag->value) > 256)
        return cloud_fail(err, CLOUD_INVALID, "tag '%.40s' is empty or too long", tag->key);
    if (strncmp(tag->key, "aws:", 4) == 0)
        return cloud_fail(err, CLOUD_INVALID, "tag '%.40s': the prefix aws: is reserved", tag->key);
    return OK;
}

static enum outcome check_order(const struct launch_order *order, struct error *err)
{
    if (order->client_token == NULL || order->client_token[0] == '\0' ||
        strlen(order->client_token) > 64 || !is_ascii(order->client_token))
        return cloud_fail(err, CLOUD_INVALID, "a client token is 1 to 64 characters of ASCII");
    if (order->image == NULL || order->size == NULL || order->fleet == NULL)
        return cloud_fail(err, CLOUD_INVALID, "an order names image, size and fleet");
    if (order->user_data.len > USER_DATA_MAX)
        return cloud_fail(err, CLOUD_INVALID, "user-data of %zu bytes is over %d",
                          order->user_data.len, USER_DATA_MAX);
    if (order->tag_count > EC2_TAGS_MAX - 5)
        return cloud_fail(err, CLOUD_INVALID, "%zu tags are too many", order->tag_count);
    for (size_t i = 0; i < order->tag_count; i++)
        TRY(check_tag(&order->tags[i], err));
    return OK;
}

/* Tags come with the launch, not after it: a crash in between would leave a machine nobody finds.
 */
static void add_tags(struct form *form, size_t n, const char *kind, const char *owner,
                     const struct launch_order *order)
{
    char generation[24];
    snprintf(generation, sizeof generation, "%lld", (long long)order->generation);
    const struct uuid_text instance = uuid_text(&order->instance);
    const struct cloud_tag own[] = {
        {TAG_OWNER, owner},        {TAG_INSTANCE, instance.at},      {TAG_GENERATION, generation},
        {TAG_FLEET, order->fleet}, {TAG_TOKEN, order->client_token},
    };
    form_put(form, kind, "TagSpecification.%zu.ResourceType", n);
    for (size_t i = 0; i < countof(own) + order->tag_count; i++) {
        const struct cloud_tag *tag = i < countof(own) ? &own[i] : &order->tags[i - countof(own)];
        form_put(form, tag->key, "TagSpecification.%zu.Tag.%zu.Key", n, i + 1);
        form_put(form, tag->value, "TagSpecification.%zu.Tag.%zu.Value", n, i + 1);
    }
}

static void add_root_disk(struct form *form, const struct launch_order *order)
{
    if (order->root_device == NULL)
        return;
    form_add(form, "BlockDeviceMapping.1.DeviceName", order->root_device);
    if (order->root_gib > 0)
        form_addf(form, "BlockDeviceMapping.1.Ebs.VolumeSize", "%lld", (long long)order->root_gib);
    form_add(form, "BlockDeviceMapping.1.Ebs.Encrypted", "true");
    form_add(form, "BlockDeviceMapping.1.Ebs.VolumeType", "gp3");
    form_add(form, "BlockDeviceMapping.1.Ebs.DeleteOnTermination", "true");
}

static void add_place(struct form *form, const struct account *account,
                      const struct launch_order *order)
{
    const char *subnet = order->subnet != NULL ? order->subnet : account->subnet;
    const char *zone = order->zone != NULL ? order->zone : account->zone;
    add_given(form, "SubnetId", subnet);
    if (subnet[0] == '\0') /* a subnet has its zone already */
        add_given(form, "Placement.AvailabilityZone", zone);
    add_given(form, "SecurityGroupId.1", account->security_group);
    add_given(form, "IamInstanceProfile.Arn", account->instance_profile);
}

enum outcome ec2_run_instances(const struct account *account, const struct launch_order *order,
                               struct form *out, struct error *err)
{
    TRY(check_order(order, err));
    if (order->enclaves && !order->no_snp)
        return cloud_fail(err, CLOUD_INVALID, "a parent of Nitro Enclaves has no SEV-SNP");
    begin(out, "RunInstances");
    out->makes = true;
    form_add(out, "ImageId", order->image);
    form_add(out, "InstanceType", order->size);
    form_add(out, "MinCount", "1");
    form_add(out, "MaxCount", "1");
    form_add(out, "ClientToken", order->client_token);
    if (!order->no_snp)
        form_add(out, "CpuOptions.AmdSevSnp", "enabled");
    if (order->enclaves)
        form_add(out, "EnclaveOptions.Enabled", "true");
    form_add(out, "MetadataOptions.HttpEndpoint", "enabled");
    form_add(out, "MetadataOptions.HttpTokens", "required");
    form_add(out, "MetadataOptions.HttpPutResponseHopLimit", "1");
    form_add(out, "MetadataOptions.InstanceMetadataTags", "enabled");
    if (order->spot)
        form_add(out, "InstanceMarketOptions.MarketType", "spot");
    else /* a machine that powers itself off stays ours to look at */
        form_add(out, "InstanceInitiatedShutdownBehavior", "stop");
    add_place(out, account, order);
    add_root_disk(out, order);
    if (order->user_data.len > 0) {
        OWNED(mem_drop) char *encoded = base64_of(order->user_data);
        form_add(out, "UserData", encoded);
    }
    add_tags(out, 1, "instance", account->owner, order);
    add_tags(out, 2, "volume", account->owner, order);
    add_tags(out, 3, "network-interface", account->owner, order);
    return OK;
}

void ec2_describe(const char *filter, const char *value, const char *next_token, struct form *out)
{
    begin(out, "DescribeInstances");
    form_add(out, "Filter.1.Name", filter);
    form_add(out, "Filter.1.Value.1", value);
    form_addf(out, "MaxResults", "%d", EC2_PAGE_SIZE);
    add_given(out, "NextToken", next_token);
}

/* Of the machines that have one: a fleet of any size is a page or none. */
void ec2_describe_events(const char *next_token, struct form *out)
{
    static const char *const codes[] = {"instance-stop", "instance-retirement", "instance-reboot",
                                        "system-reboot", "system-maintenance"};
    begin(out, "DescribeInstanceStatus");
    form_add(out, "Filter.1.Name", "event.code");
    for (size_t i = 0; i < countof(codes); i++) {
        char name[32];
        snprintf(name, sizeof name, "Filter.1.Value.%zu", i + 1);
        form_add(out, name, codes[i]);
    }
    form_addf(out, "MaxResults", "%d", EC2_PAGE_SIZE);
    add_given(out, "NextToken", next_token);
}

void ec2_describe_types(const char *next_token, struct form *out)
{
    begin(out, "DescribeInstanceTypes");
    form_add(out, "Filter.1.Name", "processor-info.supported-features");
    form_add(out, "Filter.1.Value.1", EC2_SNP_FEATURE);
    form_addf(out, "MaxResults", "%d", EC2_TYPES_PAGE_SIZE);
    add_given(out, "NextToken", next_token);
}

static void act_on(struct form *out, const char *action, const char *ref)
{
    begin(out, action);
    form_add(out, "InstanceId.1", ref);
}

void ec2_stop_instance(const char *ref, struct form *out)
{
    act_on(out, "StopInstances", ref);
}

void ec2_start_instance(const char *ref, struct form *out)
{
    act_on(out, "StartInstances", ref);
}

void ec2_terminate_instance(const char *ref, struct form *out)
{
    act_on(out, "TerminateInstances", ref);
}

void sts_assume_role(const struct role *role, struct form *out)
{
    begin_as(out, "AssumeRole", STS_VERSION);
    form_add(out, "RoleArn", role->arn);
    form_add(out, "RoleSessionName", role->session);
    add_given(out, "ExternalId", role->external_id);
}

void sts_assume_role_with_web_identity(const struct role *role, const char *token, struct form *out)
{
    begin_as(out, "AssumeRoleWithWebIdentity", STS_VERSION);
    form_add(out, "RoleArn", role->arn);
    form_add(out, "RoleSessionName", role->session);
    form_add(out, "WebIdentityToken", token);
}

void sts_get_caller_identity(struct form *out)
{
    begin_as(out, "GetCallerIdentity", STS_VERSION);
}

bool ec2_ref_is_valid(const char *ref)
{
    size_t len = strlen(ref);
    return len > 2 && len < 64 && strncmp(ref, "i-", 2) == 0 &&
           strspn(ref + 2, "0123456789abcdef") == len - 2;
}
