/* The actions of EC2 and STS: one table, one function each. */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulator/aws_api.h"
#include "lib/base/file.h"

enum {
    LAUNCH_MAX = 100,
    PAGE_LEAST = 5,
    PAGE_MOST = 1000,
    LISTED_SECONDS = 3600, /* a terminated machine stays listed */
    FRESH_SECONDS = 60,
    CONSOLE_SIZE = 64 * 1024,
};

static void add_state(struct text *out, const char *name, enum vm_state state)
{
    text_addf(out, "<%s>", name);
    xml_add_int(out, "code", vm_state_code(state));
    xml_add(out, "name", name_of(&vm_state_names, (int)state));
    text_addf(out, "</%s>", name);
}

static void add_tags(struct text *out, const struct machine *machine)
{
    text_add(out, "<tagSet>");
    for (size_t i = 0; i < machine->tag_count; i++) {
        text_add(out, "<item>");
        xml_add(out, "key", machine->tags[i].key);
        xml_add(out, "value", machine->tags[i].value);
        text_add(out, "</item>");
    }
    text_add(out, "</tagSet>");
}

static void add_address(struct text *out, const struct machine *machine)
{
    if (machine->state == VM_TERMINATED || machine->state == VM_SHUTTING_DOWN)
        return;
    char address[32];
    snprintf(address, sizeof address, "10.%d.%d.%d", (int)(machine->ordinal >> 16 & 0xff),
             (int)(machine->ordinal >> 8 & 0xff), (int)(machine->ordinal & 0xff));
    xml_add(out, "privateIpAddress", address);
}

static void add_reason(struct text *out, const struct machine *machine)
{
    if (machine->reason[0] == '\0')
        return;
    text_add(out, "<stateReason>");
    xml_add(out, "code", machine->reason);
    xml_add(out, "message", machine->reason);
    text_add(out, "</stateReason>");
}

static void add_machine(struct text *out, const struct machine *machine)
{
    text_add(out, "<item>");
    xml_add(out, "instanceId", machine->ref);
    xml_add(out, "imageId", machine->image);
    add_state(out, "instanceState", machine->state);
    xml_add(out, "privateDnsName", "");
    xml_add(out, "dnsName", "");
    xml_add(out, "reason", "");
    xml_add(out, "amiLaunchIndex", "0");
    xml_add(out, "productCodes", "");
    xml_add(out, "instanceType", machine->size);
    xml_add(out, "launchTime", moment_text(machine->launched).at);
    text_add(out, "<placement>");
    xml_add(out, "availabilityZone", machine->zone);
    xml_add(out, "groupName", "");
    xml_add(out, "tenancy", "default");
    text_add(out, "</placement><monitoring><state>disabled</state></monitoring>");
    if (machine->subnet[0] != '\0')
        xml_add(out, "subnetId", machine->subnet);
    add_address(out, machine);
    add_reason(out, machine);
    xml_add(out, "architecture", "x86_64");
    xml_add(out, "rootDeviceType", "ebs");
    xml_add(out, "rootDeviceName", "/dev/xvda");
    xml_add(out, "virtualizationType", "hvm");
    xml_add(out, "clientToken", machine->client_token);
    add_tags(out, machine);
    xml_add(out, "hypervisor", "xen");
    text_add(out, "<cpuOptions><coreCount>1</coreCount><threadsPerCore>2</threadsPerCore>");
    if (machine->snp)
        xml_add(out, "amdSevSnp", "enabled");
    text_add(out, "</cpuOptions><enclaveOptions><enabled>false</enabled></enclaveOptions>"
                  "<metadataOptions><state>applied</state><httpTokens>required</httpTokens>"
                  "<httpPutResponseHopLimit>1</httpPutResponseHopLimit>"
                  "<httpEndpoint>enabled</httpEndpoint></metadataOptions>"
                  "<currentInstanceBootMode>uefi</currentInstanceBootMode></item>");
}

static void add_reservation(struct text *out, const struct machine *machine)
{
    xml_add(out, "reservationId", machine->reservation);
    xml_add(out, "ownerId", SIM_ACCOUNT);
    xml_add(out, "groupSet", "");
}

/* ---- RunInstances ---- */

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
    if (images_find(call->api->images, image) == NULL)
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

static bool read_tags(const struct form_in *form, const char *prefix, struct machine *machine,
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
        if (strcmp(kind, "instance") == 0 && !read_tags(form, prefix, machine, out))
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
    snprintf(zone, sizeof zone, "%.62sa", call->api->region);
    copy_given(draft->client_token, sizeof draft->client_token, token, "");
    copy_given(draft->image, sizeof draft->image, form_get(form, "ImageId"), "");
    copy_given(draft->size, sizeof draft->size, form_get(form, "InstanceType"), "m1.small");
    copy_given(draft->zone, sizeof draft->zone, form_get(form, "Placement.AvailabilityZone"), zone);
    copy_given(draft->subnet, sizeof draft->subnet, form_get(form, "SubnetId"), "");
    draft->snp = snp != NULL && strcmp(snp, "enabled") == 0;
    hash_order(form, draft->order_hash);
    return read_specifications(form, draft, out);
}

/* The draft's contents under a name and a place of its own. */
static bool launch_one(struct world *world, const struct machine *draft, struct span user_data,
                       char reservation[static REF_SIZE], struct machine **made,
                       struct refusal *out)
{
    struct error err = {0};
    struct machine *machine = world_add(world);
    struct machine whole = *draft;
    whole.ordinal = machine->ordinal;
    memcpy(whole.ref, machine->ref, sizeof whole.ref);
    memcpy(whole.reservation, reservation[0] != '\0' ? reservation : machine->reservation,
           sizeof whole.reservation);
    whole.launched = machine->launched;
    whole.user_data = bytes_copy(user_data);
    *machine = whole;
    memcpy(reservation, machine->reservation, REF_SIZE);
    OWNED(mem_drop) char *folder = machine_path(world, machine, "");
    if (folder_make(folder, 0700, &err) != OK || world_save(world, machine, &err) != OK)
        return refuse(out, 500, "InternalError", "%.200s", err.text);
    ledger_note(world->ledger, "launched",
                &(struct ledger_line){.ref = machine->ref,
                                      .client_token = machine->client_token,
                                      .instance = machine_tag(machine, "muster:instance"),
                                      .detail = machine->image});
    world_move(world, machine, VM_PENDING);
    *made = machine;
    return true;
}

static void show_launched(struct aws_call *call, const struct machine *first)
{
    add_reservation(call->out, first);
    text_add(call->out, "<instancesSet>");
    const struct world *world = call->api->world;
    for (size_t i = 0; i < world->count; i++)
        if (strcmp(world->machines[i]->reservation, first->reservation) == 0)
            add_machine(call->out, world->machines[i]);
    text_add(call->out, "</instancesSet>");
}

static bool run_instances(struct aws_call *call, struct refusal *out)
{
    struct world *world = call->api->world;
    const char *token = form_get(call->form, "ClientToken");
    const char *most = form_get(call->form, "MaxCount");
    struct machine *before = token != NULL ? world_find_token(world, token) : NULL;
    struct machine draft = {0};
    OWNED(bytes_done) struct bytes user_data = {0};
    int64_t count;
    if (!check_launch(call, out) || !draft_machine(call, &draft, out) ||
        !read_user_data(call, &user_data, out))
        return false;
    if (number_parse(most, 1, LAUNCH_MAX, &count, NULL) != OK)
        return refuse(out, 400, "InvalidParameterValue", "MaxCount is 1 to %d", LAUNCH_MAX);
    if (before != NULL && strcmp(before->order_hash, draft.order_hash) != 0)
        return refuse(
            out, 400, "IdempotentParameterMismatch",
            "Arguments on this idempotent request are inconsistent with arguments used in "
            "previous request(s).");
    char reservation[REF_SIZE] = "";
    for (int64_t i = 0; before == NULL && i < count; i++) {
        struct machine *made;
        if (!launch_one(world, &draft, bytes_span(&user_data), reservation, &made, out))
            return false;
        if (i == count - 1)
            before = made;
    }
    show_launched(call, before);
    return true;
}

/* ---- DescribeInstances ---- */

static bool matches(const char *value, const char *pattern)
{
    return value != NULL && fnmatch(pattern, value, FNM_NOESCAPE) == 0;
}

static const char *field_of_filter(const struct machine *machine, const char *name)
{
    if (strncmp(name, "tag:", 4) == 0)
        return machine_tag(machine, name + 4);
    if (strcmp(name, "instance-id") == 0)
        return machine->ref;
    if (strcmp(name, "client-token") == 0)
        return machine->client_token;
    if (strcmp(name, "instance-state-name") == 0)
        return name_of(&vm_state_names, (int)machine->state);
    if (strcmp(name, "availability-zone") == 0)
        return machine->zone;
    if (strcmp(name, "image-id") == 0)
        return machine->image;
    if (strcmp(name, "instance-type") == 0)
        return machine->size;
    return NULL;
}

static bool filter_is_known(const char *name)
{
    static const struct machine any = {0};
    return strncmp(name, "tag:", 4) == 0 || strcmp(name, "tag-key") == 0 ||
           field_of_filter(&any, name) != NULL;
}

static bool passes_filter(const struct form_in *form, size_t n, const char *name,
                          const struct machine *machine)
{
    for (size_t i = 1;; i++) {
        const char *pattern = form_getf(form, "Filter.%zu.Value.%zu", n, i);
        if (pattern == NULL)
            return false;
        if (strcmp(name, "tag-key") != 0 && matches(field_of_filter(machine, name), pattern))
            return true;
        for (size_t t = 0; strcmp(name, "tag-key") == 0 && t < machine->tag_count; t++)
            if (matches(machine->tags[t].key, pattern))
                return true;
    }
}

static bool passes_filters(const struct form_in *form, const struct machine *machine)
{
    for (size_t n = 1;; n++) {
        const char *name = form_getf(form, "Filter.%zu.Name", n);
        if (name == NULL)
            return true;
        if (!passes_filter(form, n, name, machine))
            return false;
    }
}

static bool is_named(const struct form_in *form, const char *ref)
{
    const char *id = form_get(form, "InstanceId.1");
    if (id == NULL)
        return true;
    for (size_t i = 1; id != NULL; id = form_getf(form, "InstanceId.%zu", ++i))
        if (strcmp(id, ref) == 0)
            return true;
    return false;
}

static bool is_listed(const struct aws_call *call, const struct machine *machine)
{
    int64_t age = moment_seconds_between(machine->changed, clock_now());
    if (machine->state == VM_TERMINATED && age > LISTED_SECONDS)
        return false;
    return !call->hide_fresh ||
           moment_seconds_between(machine->launched, clock_now()) > FRESH_SECONDS;
}

static bool check_ids(const struct aws_call *call, struct refusal *out)
{
    const char *id;
    for (size_t i = 1; (id = form_getf(call->form, "InstanceId.%zu", i)) != NULL; i++) {
        const struct machine *machine = world_find(call->api->world, id);
        if (strncmp(id, "i-", 2) != 0)
            return refuse(out, 400, "InvalidInstanceID.Malformed", "Invalid id: \"%.60s\"", id);
        if (machine == NULL || !is_listed(call, machine))
            return refuse(out, 400, "InvalidInstanceID.NotFound",
                          "The instance ID '%.60s' does not exist", id);
    }
    return true;
}

struct page {
    int64_t after; /* ordinal */
    int64_t size;
};

static bool read_page(const struct aws_call *call, struct page *page, struct refusal *out)
{
    const char *size = form_get(call->form, "MaxResults");
    const char *token = form_get(call->form, "NextToken");
    *page = (struct page){.size = PAGE_MOST};
    if (size != NULL && form_get(call->form, "InstanceId.1") != NULL)
        return refuse(out, 400, "InvalidParameterCombination",
                      "The parameter instancesSet cannot be used with the parameter maxResults");
    if (size != NULL && number_parse(size, PAGE_LEAST, PAGE_MOST, &page->size, NULL) != OK)
        return refuse(out, 400, "InvalidParameterValue", "MaxResults is %d to %d", PAGE_LEAST,
                      PAGE_MOST);
    if (page->size > call->api->page_most)
        page->size = call->api->page_most;
    if (token != NULL && (strncmp(token, "after-", 6) != 0 ||
                          number_parse(token + 6, 0, INT64_MAX, &page->after, NULL) != OK))
        return refuse(out, 400, "InvalidNextToken", "The token '%.40s' is invalid", token);
    return true;
}

static bool check_filters(const struct aws_call *call, struct refusal *out)
{
    const char *name;
    for (size_t n = 1; (name = form_getf(call->form, "Filter.%zu.Name", n)) != NULL; n++)
        if (!filter_is_known(name))
            return refuse(out, 400, "InvalidParameterValue", "The filter '%.60s' is invalid", name);
    return check_ids(call, out);
}

static void show_reserved(struct aws_call *call, const struct machine *machine)
{
    text_add(call->out, "<item>");
    add_reservation(call->out, machine);
    text_add(call->out, "<instancesSet>");
    add_machine(call->out, machine);
    text_add(call->out, "</instancesSet></item>");
}

static bool describe_instances(struct aws_call *call, struct refusal *out)
{
    const struct world *world = call->api->world;
    struct page page;
    if (!read_page(call, &page, out) || !check_filters(call, out))
        return false;
    int64_t shown = 0, last = 0, more = 0;
    text_add(call->out, "<reservationSet>");
    for (size_t i = 0; i < world->count; i++) {
        const struct machine *machine = world->machines[i];
        if (machine->ordinal <= page.after || !is_named(call->form, machine->ref) ||
            !is_listed(call, machine) || !passes_filters(call->form, machine))
            continue;
        if (shown == page.size) {
            more = last;
            break;
        }
        show_reserved(call, machine);
        last = machine->ordinal;
        shown++;
    }
    text_add(call->out, "</reservationSet>");
    if (more > 0)
        text_addf(call->out, "<nextToken>after-%lld</nextToken>", (long long)more);
    return true;
}

static bool describe_instance_status(struct aws_call *call, struct refusal *out)
{
    static const char ok[] = "<status>ok</status><details><item><name>reachability</name>"
                             "<status>passed</status></item></details>";
    const struct world *world = call->api->world;
    const char *all = form_get(call->form, "IncludeAllInstances");
    bool every = all != NULL && strcmp(all, "true") == 0;
    if (!check_filters(call, out))
        return false;
    text_add(call->out, "<instanceStatusSet>");
    for (size_t i = 0; i < world->count; i++) {
        const struct machine *machine = world->machines[i];
        if ((!every && machine->state != VM_RUNNING) || !is_named(call->form, machine->ref) ||
            !is_listed(call, machine) || !passes_filters(call->form, machine))
            continue;
        text_add(call->out, "<item>");
        xml_add(call->out, "instanceId", machine->ref);
        xml_add(call->out, "availabilityZone", machine->zone);
        add_state(call->out, "instanceState", machine->state);
        text_addf(call->out, "<systemStatus>%s</systemStatus><instanceStatus>%s</instanceStatus>",
                  ok, ok);
        text_add(call->out, "</item>");
    }
    text_add(call->out, "</instanceStatusSet>");
    return true;
}

/* ---- Start, stop, reboot, terminate ---- */

/* What a call makes of each state: a new state, the same (nothing to do), or a refusal. */
enum { REFUSED = -1 };
/* clang-format off */
static const int on_start[VM_STATE_COUNT] = {
    [VM_PENDING] = VM_PENDING, [VM_RUNNING] = VM_RUNNING, [VM_STOPPING] = REFUSED,
    [VM_STOPPED] = VM_PENDING, [VM_SHUTTING_DOWN] = REFUSED, [VM_TERMINATED] = REFUSED,
};
static const int on_stop[VM_STATE_COUNT] = {
    [VM_PENDING] = REFUSED, [VM_RUNNING] = VM_STOPPING, [VM_STOPPING] = VM_STOPPING,
    [VM_STOPPED] = VM_STOPPED, [VM_SHUTTING_DOWN] = REFUSED, [VM_TERMINATED] = REFUSED,
};
static const int on_terminate[VM_STATE_COUNT] = {
    [VM_PENDING] = VM_SHUTTING_DOWN, [VM_RUNNING] = VM_SHUTTING_DOWN,
    [VM_STOPPING] = VM_SHUTTING_DOWN, [VM_STOPPED] = VM_SHUTTING_DOWN,
    [VM_SHUTTING_DOWN] = VM_SHUTTING_DOWN, [VM_TERMINATED] = VM_TERMINATED,
};
/* clang-format on */

static bool check_states(const struct aws_call *call, const int table[static VM_STATE_COUNT],
                         struct refusal *out)
{
    const char *id;
    if (form_get(call->form, "InstanceId.1") == NULL)
        return refuse(out, 400, "MissingParameter", "The request must contain InstanceId");
    if (!check_ids(call, out))
        return false;
    for (size_t i = 1; (id = form_getf(call->form, "InstanceId.%zu", i)) != NULL; i++) {
        const struct machine *machine = world_find(call->api->world, id);
        if (table[machine->state] == REFUSED)
            return refuse(out, 400, "IncorrectInstanceState",
                          "The instance '%s' is not in a state from which this can be done: %s", id,
                          name_of(&vm_state_names, (int)machine->state));
    }
    return true;
}

static bool change(struct aws_call *call, const int table[static VM_STATE_COUNT],
                   const char *reason, struct refusal *out)
{
    const char *id;
    if (!check_states(call, table, out))
        return false;
    text_add(call->out, "<instancesSet>");
    for (size_t i = 1; (id = form_getf(call->form, "InstanceId.%zu", i)) != NULL; i++) {
        struct machine *machine = world_find(call->api->world, id);
        enum vm_state before = machine->state;
        if (table[before] != (int)before) {
            snprintf(machine->reason, sizeof machine->reason, "%s", reason);
            world_move(call->api->world, machine, (enum vm_state)table[before]);
        }
        text_add(call->out, "<item>");
        xml_add(call->out, "instanceId", machine->ref);
        add_state(call->out, "currentState", machine->state);
        add_state(call->out, "previousState", before);
        text_add(call->out, "</item>");
    }
    text_add(call->out, "</instancesSet>");
    return true;
}

static bool start_instances(struct aws_call *call, struct refusal *out)
{
    return change(call, on_start, "", out);
}

static bool stop_instances(struct aws_call *call, struct refusal *out)
{
    return change(call, on_stop, "Client.UserInitiatedShutdown", out);
}

static bool terminate_instances(struct aws_call *call, struct refusal *out)
{
    return change(call, on_terminate, "Client.UserInitiatedShutdown", out);
}

/* ---- Tags, console, identity ---- */

static bool edit_tags(struct aws_call *call, bool create, struct refusal *out)
{
    struct error err = {0};
    const char *id, *key;
    for (size_t i = 1; (id = form_getf(call->form, "ResourceId.%zu", i)) != NULL; i++) {
        struct machine *machine = world_find(call->api->world, id);
        if (machine == NULL)
            return refuse(out, 400, "InvalidInstanceID.NotFound",
                          "The instance ID '%.60s' does not exist", id);
        if (create && !read_tags(call->form, "Tag", machine, out))
            return false;
        for (size_t t = 1; !create && (key = form_getf(call->form, "Tag.%zu.Key", t)) != NULL; t++)
            machine_drop_tag(machine, key);
        if (world_save(call->api->world, machine, &err) != OK)
            return refuse(out, 500, "InternalError", "%.200s", err.text);
    }
    text_add(call->out, "<return>true</return>");
    return true;
}

static bool create_tags(struct aws_call *call, struct refusal *out)
{
    return edit_tags(call, true, out);
}

static bool delete_tags(struct aws_call *call, struct refusal *out)
{
    return edit_tags(call, false, out);
}

/* The agent's log stands in for a serial console. */
static bool get_console_output(struct aws_call *call, struct refusal *out)
{
    const char *id = form_get(call->form, "InstanceId");
    struct machine *machine = id != NULL ? world_find(call->api->world, id) : NULL;
    if (machine == NULL)
        return refuse(out, 400, "InvalidInstanceID.NotFound",
                      "The instance ID '%.60s' does not exist", id != NULL ? id : "");
    OWNED(mem_drop) char *path = machine_path(call->api->world, machine, "agent.log");
    OWNED(bytes_done) struct bytes log = {0};
    error_ignore(file_read(path, 64 << 20, &log, NULL));
    size_t from = log.len > CONSOLE_SIZE ? log.len - CONSOLE_SIZE : 0;
    OWNED(mem_drop) char *encoded = base64_of(span_part(bytes_span(&log), from, log.len));
    xml_add(call->out, "instanceId", machine->ref);
    xml_add(call->out, "timestamp", moment_text(clock_now()).at);
    xml_add(call->out, "output", encoded);
    return true;
}

static bool get_caller_identity(struct aws_call *call, struct refusal *out)
{
    (void)out;
    text_add(call->out, "<GetCallerIdentityResult>");
    xml_add(call->out, "UserId", call->api->access_key_id);
    xml_add(call->out, "Account", SIM_ACCOUNT);
    xml_add(call->out, "Arn", "arn:aws:iam::" SIM_ACCOUNT ":user/muster-sim");
    text_add(call->out, "</GetCallerIdentityResult>");
    return true;
}

/* clang-format off */
const struct action aws_actions[] = {
    {"RunInstances",           "ec2", run_instances},
    {"DescribeInstances",      "ec2", describe_instances},
    {"DescribeInstanceStatus", "ec2", describe_instance_status},
    {"StartInstances",         "ec2", start_instances},
    {"StopInstances",          "ec2", stop_instances},
    {"TerminateInstances",     "ec2", terminate_instances},
    {"CreateTags",             "ec2", create_tags},
    {"DeleteTags",             "ec2", delete_tags},
    {"GetConsoleOutput",       "ec2", get_console_output},
    {"GetCallerIdentity",      "sts", get_caller_identity},
};
/* clang-format on */
const size_t aws_action_count = countof(aws_actions);
