/* The table of actions, and those that are short: start, stop, terminate, tags, console, identity.
 */
#include <stdio.h>
#include <string.h>

#include "emulator/aws_actions.h"
#include "lib/base/file.h"

enum { CONSOLE_SIZE = 64 * 1024 };

/* What a call makes of each state: a new state, the same (nothing to do), or a refusal. */
enum { REFUSED = -1 };
/* clang-format off */
static const int on_start[VM_STATE_COUNT] = {
    [VM_PENDING] = VM_PENDING, [VM_RUNNING] = VM_RUNNING, [VM_STOPPING] = REFUSED,
    [VM_STOPPED] = VM_PENDING, [VM_SHUTTING_DOWN] = REFUSED, [VM_TERMINATED] = REFUSED,
    [VM_HALTED] = REFUSED, [VM_FAILED] = REFUSED,
};
static const int on_stop[VM_STATE_COUNT] = {
    [VM_PENDING] = REFUSED, [VM_RUNNING] = VM_STOPPING, [VM_STOPPING] = VM_STOPPING,
    [VM_STOPPED] = VM_STOPPED, [VM_SHUTTING_DOWN] = REFUSED, [VM_TERMINATED] = REFUSED,
    [VM_HALTED] = REFUSED, [VM_FAILED] = REFUSED,
};
static const int on_terminate[VM_STATE_COUNT] = {
    [VM_PENDING] = VM_SHUTTING_DOWN, [VM_RUNNING] = VM_SHUTTING_DOWN,
    [VM_STOPPING] = VM_SHUTTING_DOWN, [VM_STOPPED] = VM_SHUTTING_DOWN,
    [VM_SHUTTING_DOWN] = VM_SHUTTING_DOWN, [VM_TERMINATED] = VM_TERMINATED,
    [VM_HALTED] = REFUSED, [VM_FAILED] = REFUSED,
};
/* clang-format on */

static bool check_states(const struct aws_call *call, const int table[static VM_STATE_COUNT],
                         struct refusal *out)
{
    const char *id;
    if (form_get(call->form, "InstanceId.1") == NULL)
        return refuse(out, 400, "MissingParameter", "The request must contain InstanceId");
    if (!ids_check(call, out))
        return false;
    for (size_t i = 1; (id = form_getf(call->form, "InstanceId.%zu", i)) != NULL; i++) {
        const struct machine *machine = ec2_find(call, id);
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
        struct machine *machine = ec2_find(call, id);
        enum vm_state before = machine->state;
        machine->leaves |= call->leaves;
        if (table[before] != (int)before) {
            snprintf(machine->reason, sizeof machine->reason, "%s", reason);
            world_move(call->api->world, machine, (enum vm_state)table[before]);
        }
        text_add(call->out, "<item>");
        xml_add(call->out, "instanceId", machine->ref);
        show_state(call->out, "currentState", machine->state);
        show_state(call->out, "previousState", before);
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

static bool edit_tags(struct aws_call *call, bool create, struct refusal *out)
{
    struct error err = {0};
    const char *id, *key;
    for (size_t i = 1; (id = form_getf(call->form, "ResourceId.%zu", i)) != NULL; i++) {
        struct machine *machine = ec2_find(call, id);
        if (machine == NULL)
            return refuse(out, 400, "InvalidInstanceID.NotFound",
                          "The instance ID '%.60s' does not exist", id);
        if (create && !tags_read(call->form, "Tag", machine, out))
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
    struct machine *machine = id != NULL ? ec2_find(call, id) : NULL;
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
    char arn[128];
    text_add(call->out, "<GetCallerIdentityResult>");
    xml_add(call->out, "UserId", call->api->access_key_id);
    xml_add(call->out, "Account", call->api->account);
    snprintf(arn, sizeof arn, "arn:aws:iam::%.63s:user/muster-sim", call->api->account);
    xml_add(call->out, "Arn", arn);
    text_add(call->out, "</GetCallerIdentityResult>");
    return true;
}

/* clang-format off */
const struct action aws_actions[] = {
    {"RunInstances",           "ec2", run_instances},
    {"DescribeInstances",      "ec2", describe_instances},
    {"DescribeInstanceStatus", "ec2", describe_instance_status},
    {"DescribeInstanceTypes",  "ec2", describe_instance_types},
    {"StartInstances",         "ec2", start_instances},
    {"StopInstances",          "ec2", stop_instances},
    {"TerminateInstances",     "ec2", terminate_instances},
    {"CreateTags",             "ec2", create_tags},
    {"DeleteTags",             "ec2", delete_tags},
    {"GetConsoleOutput",       "ec2", get_console_output},
    {"DescribeVolumes",        "ec2", describe_volumes},
    {"DescribeAddresses",      "ec2", describe_addresses},
    {"DescribeNetworkInterfaces", "ec2", describe_network_interfaces},
    {"DeleteVolume",           "ec2", delete_volume},
    {"ReleaseAddress",         "ec2", release_address},
    {"DeleteNetworkInterface", "ec2", delete_network_interface},
    {"GetCallerIdentity",      "sts", get_caller_identity},
    {"AssumeRole",             "sts", assume_role},
    {"AssumeRoleWithWebIdentity", "sts", assume_role_with_web_identity},
};
/* clang-format on */
const size_t aws_action_count = countof(aws_actions);
