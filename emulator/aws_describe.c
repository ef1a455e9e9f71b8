/* DescribeInstances and DescribeInstanceStatus: filters and pages. */
#include <fnmatch.h>
#include <string.h>

#include "emulator/aws_actions.h"

enum {
    PAGE_LEAST = 5,
    PAGE_MOST = 1000,
    FRESH_SECONDS = 60,
};

/* A tag asks for it, its value being the event's code. */
#define MAINTENANCE_TAG "muster-sim:maintenance"

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
    if (strcmp(name, "event.code") == 0)
        return machine_tag(machine, MAINTENANCE_TAG);
    return NULL;
}

static bool filter_is_known(const char *name)
{
    static const struct machine any = {0};
    return strncmp(name, "tag:", 4) == 0 || strcmp(name, "tag-key") == 0 ||
           strcmp(name, "event.code") == 0 || field_of_filter(&any, name) != NULL;
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

bool ec2_is_here(const struct aws_call *call, const struct machine *machine)
{
    return machine->cloud == DRIVER_AWS && strcmp(machine->region, call->region) == 0 &&
           strcmp(machine->group, call->api->account) == 0;
}

struct machine *ec2_find(const struct aws_call *call, const char *ref)
{
    struct machine *machine = world_find(call->api->world, ref);
    return machine != NULL && ec2_is_here(call, machine) ? machine : NULL;
}

static bool is_listed(const struct aws_call *call, const struct machine *machine)
{
    if (!ec2_is_here(call, machine))
        return false;
    int64_t age = moment_seconds_between(machine->changed, clock_now());
    if (machine->state == VM_TERMINATED && age > call->api->world->settings.listed_seconds)
        return false;
    return !call->hide_fresh ||
           moment_seconds_between(machine->launched, clock_now()) > FRESH_SECONDS;
}

bool ids_check(const struct aws_call *call, struct refusal *out)
{
    const char *id;
    for (size_t i = 1; (id = form_getf(call->form, "InstanceId.%zu", i)) != NULL; i++) {
        const struct machine *machine = ec2_find(call, id);
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
    return ids_check(call, out);
}

static void show_reserved(struct aws_call *call, const struct machine *machine)
{
    text_add(call->out, "<item>");
    show_reservation(call->out, machine);
    text_add(call->out, "<instancesSet>");
    show_machine(call->out, machine);
    text_add(call->out, "</instancesSet></item>");
}

bool describe_instances(struct aws_call *call, struct refusal *out)
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

/* In a week, and it may be put off for another. */
static void show_events(struct text *out, const struct machine *machine)
{
    const char *code = machine_tag(machine, MAINTENANCE_TAG);
    const struct moment start = moment_add_seconds(machine->launched, 7 * 86400);
    if (code == NULL)
        return;
    text_add(out, "<eventsSet><item>");
    text_addf(out, "<instanceEventId>instance-event-%s</instanceEventId>", machine->ref + 2);
    xml_add(out, "code", code);
    xml_add(out, "description", "The instance is running on degraded hardware");
    xml_add(out, "notBefore", moment_text(start).at);
    xml_add(out, "notAfter", moment_text(moment_add_seconds(start, 7200)).at);
    xml_add(out, "notBeforeDeadline", moment_text(moment_add_seconds(start, 7 * 86400)).at);
    text_add(out, "</item></eventsSet>");
}

static void show_status(struct text *out, const struct machine *machine)
{
    static const char ok[] = "<status>ok</status><details><item><name>reachability</name>"
                             "<status>passed</status></item></details>";
    text_add(out, "<item>");
    xml_add(out, "instanceId", machine->ref);
    xml_add(out, "availabilityZone", machine->zone);
    show_events(out, machine);
    show_state(out, "instanceState", machine->state);
    text_addf(out, "<systemStatus>%s</systemStatus><instanceStatus>%s</instanceStatus>", ok, ok);
    text_add(out, "</item>");
}

bool describe_instance_status(struct aws_call *call, struct refusal *out)
{
    const struct world *world = call->api->world;
    const char *all = form_get(call->form, "IncludeAllInstances");
    const bool every = all != NULL && strcmp(all, "true") == 0;
    struct page page;
    int64_t shown = 0, last = 0, more = 0;
    if (!read_page(call, &page, out) || !check_filters(call, out))
        return false;
    text_add(call->out, "<instanceStatusSet>");
    for (size_t i = 0; i < world->count && more == 0; i++) {
        const struct machine *machine = world->machines[i];
        if (machine->ordinal <= page.after || (!every && machine->state != VM_RUNNING) ||
            !is_named(call->form, machine->ref) || !is_listed(call, machine) ||
            !passes_filters(call->form, machine))
            continue;
        if (shown++ == page.size)
            more = last;
        else
            show_status(call->out, machine);
        last = machine->ordinal;
    }
    text_add(call->out, "</instanceStatusSet>");
    if (more > 0)
        text_addf(call->out, "<nextToken>after-%lld</nextToken>", (long long)more);
    return true;
}
