/* RunInstances. */
#include <stdio.h>
#include <string.h>

#include "emulator/aws_actions.h"

enum { LAUNCH_MAX = 100 };

static bool has_snp(const char *size)
{
    static const char *const families[] = {"m6a.", "c6a.", "r6a."};
    for (size_t i = 0; i < countof(families); i++)
        if (strncmp(size, families[i], strlen(families[i])) == 0)
            return true;
    return false;
}

static bool check_launch(const struct aws_call *call, struct refusal *out)
{
    const char *image = form_get(call->form, "ImageId");
    const char *size = form_get(call->form, "InstanceType");
    const char *snp = form_get(call->form, "CpuOptions.AmdSevSnp");
    const char *enclave = form_get(call->form, "EnclaveOptions.Enabled");
    if (image == NULL || form_get(call->form, "MinCount") == NULL ||
        form_get(call->form, "MaxCount") == NULL)
        return refuse(out, 400, "MissingParameter",
                      "The request must contain ImageId, MinCount and MaxCount");
    if (images_find(call->api->images, DRIVER_AWS, image) == NULL)
        return refuse(out, 400, "InvalidAMIID.NotFound", "The image id '[%.60s]' does not exist",
                      image);
    if (snp == NULL || strcmp(snp, "enabled") != 0)
        return true;
    if (size == NULL || !has_snp(size))
        return refuse(
            out, 400, "Unsupported",
            "The requested configuration is currently not supported: AMD SEV-SNP on %.40s",
            size != NULL ? size : "the default type");
    if (enclave != NULL && strcmp(enclave, "true") == 0)
        return refuse(out, 400, "InvalidParameterCombination",
                      "AMD SEV-SNP and Nitro Enclaves cannot be enabled together");
    return true;
}

static bool read_user_data(const struct aws_call *call, struct bytes *data, struct refusal *out)
{
    const char *encoded = form_get(call->form, "UserData");
    if (encoded == NULL)
        return true;
    if (base64_decode(span_of_text(encoded), data, NULL) != OK)
        return refuse(out, 400, "InvalidUserData.Malformed",
                      "Invalid BASE64 encoding of user data");
    if (data->len > SIM_USER_DATA_MAX)
        return refuse(out, 400, "InvalidParameterValue", "User data is limited to 16384 bytes");
    return true;
}

bool tags_read(const struct form_in *form, const char *prefix, struct machine *machine,
               struct refusal *out)
{
    for (size_t i = 1;; i++) {
        const char *key = form_getf(form, "%s.%zu.Key", prefix, i);
        if (key == NULL)
            return true;
        const char *value = form_getf(form, "%s.%zu.Value", prefix, i);
        if (strncmp(key, "aws:", 4) == 0)
            return refuse(out, 400, "InvalidParameterValue",
                          "Tag keys starting with 'aws:' are "
                          "reserved for internal use");
        if (!machine_set_tag(machine, key, value != NULL ? value : ""))
            return refuse(out, 400, "TagLimitExceeded", "More than %d tags or one too long",
                          TAGS_MAX);
    }
}

static bool read_specifications(const struct form_in *form, struct machine *machine,
                                struct refusal *out)
{
    for (size_t i = 1;; i++) {
        const char *kind = form_getf(form, "TagSpecification.%zu.ResourceType", i);
        char prefix[64];
        if (kind == NULL)
            return true;
        snprintf(prefix, sizeof prefix, "TagSpecification.%zu.Tag", i);
        if (strcmp(kind, "instance") == 0 && !tags_read(form, prefix, machine, out))
            return false;
    }
}

static void hash_order(const struct form_in *form, char out[static 2 * SHA256_SIZE + 1])
{
    OWNED(text_done) struct text canonical = {0};
    uint8_t hash[SHA256_SIZE];
    form_canonical(form, "ClientToken", &canonical);
    digest(DIGEST_SHA256, text_span(&canonical), hash);
    hex_encode(SPAN_OF(hash), out);
}

static void copy_given(char *out, size_t size, const char *value, const char *fallback)
{
    snprintf(out, size, "%s", value != NULL ? value : fallback);
}

/* Everything is checked on a draft, so that a refusal leaves nothing behind. */
static bool draft_machine(const struct aws_call *call, struct machine *draft, struct refusal *out)
{
    const struct form_in *form = call->form;
    char zone[64];
    const char *snp = form_get(form, "CpuOptions.AmdSevSnp");
    const char *token = form_get(form, "ClientToken");
    if (token != NULL && strlen(token) > 64)
        return refuse(out, 400, "InvalidParameterValue", "The client token is too long");
    snprintf(zone, sizeof zone, "%.62sa", call->region);
    copy_given(draft->group, sizeof draft->group, call->api->account, "");
    copy_given(draft->region, sizeof draft->region, call->region, "");
    copy_given(draft->client_token, sizeof draft->client_token, token, "");
    copy_given(draft->image, sizeof draft->image, form_get(form, "ImageId"), "");
    copy_given(draft->size, sizeof draft->size, form_get(form, "InstanceType"), "m1.small");
    copy_given(draft->zone, sizeof draft->zone, form_get(form, "Placement.AvailabilityZone"), zone);
    copy_given(draft->subnet, sizeof draft->subnet, form_get(form, "SubnetId"), "");
    draft->snp = snp != NULL && strcmp(snp, "enabled") == 0;
    hash_order(form, draft->order_hash);
    return read_specifications(form, draft, out);
}

static void show_launched(struct aws_call *call, const struct machine *first)
{
    show_reservation(call->out, first);
    text_add(call->out, "<instancesSet>");
    const struct world *world = call->api->world;
    for (size_t i = 0; i < world->count; i++)
        if (strcmp(world->machines[i]->reservation, first->reservation) == 0)
            show_machine(call->out, world->machines[i]);
    text_add(call->out, "</instancesSet>");
}

bool run_instances(struct aws_call *call, struct refusal *out)
{
    struct world *world = call->api->world;
    const char *token = form_get(call->form, "ClientToken");
    const char *most = form_get(call->form, "MaxCount");
    struct machine *before = token != NULL ? world_find_token(world, DRIVER_AWS, token) : NULL;
    struct machine draft = {.cloud = DRIVER_AWS};
    OWNED(bytes_done) struct bytes user_data = {0};
    int64_t count;
    if (!check_launch(call, out) || !draft_machine(call, &draft, out) ||
        !read_user_data(call, &user_data, out))
        return false;
    if (before != NULL && strcmp(before->group, draft.group) != 0)
        before = NULL; /* another account's token */
    if (number_parse(most, 1, LAUNCH_MAX, &count, NULL) != OK)
        return refuse(out, 400, "InvalidParameterValue", "MaxCount is 1 to %d", LAUNCH_MAX);
    if (before != NULL && strcmp(before->order_hash, draft.order_hash) != 0)
        return refuse(
            out, 400, "IdempotentParameterMismatch",
            "Arguments on this idempotent request are inconsistent with arguments used in "
            "previous request(s).");
    for (int64_t i = 0; before == NULL && i < count; i++) {
        struct error err = {0};
        draft.user_data = bytes_copy(bytes_span(&user_data));
        struct machine *made = world_launch(world, &draft, &err);
        if (made == NULL)
            return refuse(out, 500, "InternalError", "%.200s", err.text);
        memcpy(draft.reservation, made->reservation, sizeof draft.reservation);
        if (i == count - 1)
            before = made;
    }
    show_launched(call, before);
    return true;
}
