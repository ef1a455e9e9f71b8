#include "drivers/azure/azure_answers.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "drivers/azure/azure_errors.h"
#include "drivers/azure/azure_requests.h"
#include "lib/base/json.h"

enum { DETAILS_DEPTH = 8 };

static const char *word(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

#define CLIP(field, text) text_clip((field), sizeof(field), (text))

/* ---- errors --------------------------------------------------------------------------------- */

/* "... does not have authorization to perform action 'Microsoft.Compute/...' over scope ..." */
static void find_action(const char *message, char *out, size_t size)
{
    static const char before[] = "perform action '";
    const char *at = strstr(message, before);
    if (at == NULL)
        return;
    at += sizeof before - 1;
    size_t len = strcspn(at, "'");
    if (len < size && at[len] == '\'')
        text_clip(out, len + 1, at);
}

static void add_code(struct arm_error *out, const char *code)
{
    char whole[sizeof out->code * 2];
    snprintf(whole, sizeof whole, "%s%s%.90s", out->code, out->code[0] != '\0' ? "/" : "", code);
    CLIP(out->code, whole);
}

/* The innermost code that we know wins: the outer ones only say that something failed. */
static void read_code(const json_t *error, struct arm_error *out)
{
    for (int depth = 0; depth < DETAILS_DEPTH && json_is_object(error); depth++) {
        const char *code = word(error, "code");
        const char *message = word(error, "message");
        const enum cloud_error kind = arm_code_kind(code, message);
        if (code[0] != '\0' && (kind != CLOUD_ERROR_COUNT || out->code[0] == '\0')) {
            add_code(out, code);
            CLIP(out->message, message);
            out->kind = kind;
        }
        if (out->action[0] == '\0')
            find_action(message, out->action, sizeof out->action);
        const json_t *details = json_array_get(json_object_get(error, "details"), 0);
        error = details != NULL ? details : json_object_get(error, "innererror");
    }
}

/* Resource Manager says {"error": {...}}, the token service {"error": "invalid_client", ...}. */
static void read_error(const json_t *body, struct arm_error *out)
{
    const json_t *error = json_object_get(body, "error");
    out->kind = CLOUD_ERROR_COUNT;
    if (!json_is_string(error)) {
        read_code(json_is_object(error) ? error : body, out);
        return;
    }
    CLIP(out->code, json_string_value(error));
    CLIP(out->message, word(body, "error_description"));
    out->kind = arm_code_kind(out->code, out->message);
}

struct arm_error arm_error_read(int status, struct span body)
{
    struct arm_error out = {.kind = CLOUD_ERROR_COUNT};
    OWNED(json_drop) json_t *value = NULL;
    if (json_parse(body, HTTP_ANSWER_MAX, &value, NULL) == OK)
        read_error(value, &out);
    if (out.kind == CLOUD_ERROR_COUNT || status == 429)
        out.kind = arm_status_kind(status);
    /* Not Resource Manager's words: something between says that it found nothing. */
    if (status == 404 && !json_is_object(json_object_get(value, "error")) &&
        arm_code_kind(out.code, "") == CLOUD_ERROR_COUNT)
        out.kind = CLOUD_SERVER_ERROR;
    if (out.code[0] == '\0')
        snprintf(out.code, sizeof out.code, "HTTP %d", status);
    return out;
}

enum outcome arm_fail(const struct arm_error *said, int status, struct error *err)
{
    return fail_at(err, cloud_error_outcome(said->kind),
                   name_of(&cloud_error_names, (int)said->kind), said->action, "%s (%d): %.180s",
                   said->code, status, said->message);
}

enum outcome arm_check_status(int status, struct span body, struct error *err)
{
    if (status >= 200 && status < 300)
        return OK;
    const struct arm_error said = arm_error_read(status, body);
    return arm_fail(&said, status, err);
}

static enum outcome unreadable(struct error *err, const char *why)
{
    return cloud_fail(err, CLOUD_AMBIGUOUS, "the answer %s", why);
}

static enum outcome open_answer(struct span body, json_t **out, struct error *err)
{
    struct error why = {0};
    OWNED(json_drop) json_t *value = NULL;
    if (json_parse(body, HTTP_ANSWER_MAX, &value, &why) != OK)
        return cloud_fail(err, CLOUD_AMBIGUOUS, "the answer is no plain JSON: %.200s", why.text);
    if (!json_is_object(value))
        return unreadable(err, "is no object");
    *out = TAKE(value);
    return OK;
}

/* ---- states --------------------------------------------------------------------------------- */

struct states {
    const char *power;        /* of "PowerState/running"; may be empty */
    const char *provisioning; /* "Succeeded", "Creating", ... */
    const char *failure;      /* of "ProvisioningState/failed/CODE"; may be empty */
};

static void read_statuses(const json_t *statuses, struct states *out)
{
    static const char power[] = "PowerState/";
    static const char provisioning[] = "ProvisioningState/";
    size_t i;
    json_t *status;
    json_array_foreach (statuses, i, status) {
        const char *code = word(status, "code");
        if (strncasecmp(code, power, sizeof power - 1) == 0)
            out->power = code + sizeof power - 1;
        if (strncasecmp(code, provisioning, sizeof provisioning - 1) != 0)
            continue;
        code += sizeof provisioning - 1;
        if (strncasecmp(code, "failed/", 7) == 0)
            out->failure = code + 7;
        if (out->provisioning[0] == '\0')
            out->provisioning = code;
    }
}

static enum machine_state power_state(const char *power)
{
    static const struct {
        const char *word;
        enum machine_state state;
    } powers[] = {
        {"running", MACHINE_RUNNING},         {"starting", MACHINE_CREATING},
        {"stopping", MACHINE_STOPPING},       {"deallocating", MACHINE_STOPPING},
        {"stopped", MACHINE_STOPPED_ON_HOST}, {"deallocated", MACHINE_STOPPED},
    };
    for (size_t i = 0; i < countof(powers); i++)
        if (strcasecmp(powers[i].word, power) == 0)
            return powers[i].state;
    return MACHINE_UNKNOWN;
}

/* What is being made, changed or deleted says so; otherwise the power does. A machine that runs is
 * running, whatever failed while it was made. */
static enum machine_state neutral_state(const struct states *states)
{
    const char *made = states->provisioning;
    if (strcasecmp(made, "deleting") == 0)
        return MACHINE_DELETING;
    if (strncasecmp(made, "failed", 6) == 0 && strcasecmp(states->power, "running") != 0)
        return MACHINE_FAILED;
    if (states->power[0] != '\0')
        return power_state(states->power);
    if (strcasecmp(made, "creating") == 0)
        return MACHINE_CREATING;
    return strcasecmp(made, "updating") == 0 ? MACHINE_REPAIRING : MACHINE_UNKNOWN;
}

static void read_state(const json_t *statuses, const char *provisioning, struct sighting *out)
{
    struct states states = {"", provisioning, ""};
    read_statuses(statuses, &states);
    out->state = neutral_state(&states);
    CLIP(out->state_word, out->state != MACHINE_FAILED && states.power[0] != '\0'
                              ? states.power
                              : states.provisioning);
    CLIP(out->reason, states.failure);
    if (out->state != MACHINE_FAILED)
        return;
    const enum cloud_error kind = arm_code_kind(states.failure, "");
    CLIP(out->failure, kind != CLOUD_ERROR_COUNT ? name_of(&cloud_error_names, (int)kind)
                                                 : name_of(&cloud_error_names, CLOUD_SERVER_ERROR));
}

/* ---- notices -------------------------------------------------------------------------------- */

static void read_moment(const json_t *object, const char *name, struct moment *out)
{
    error_ignore(moment_parse(word(object, name), out, NULL));
}

/* While the window before it is open the owner may have it done at a time of his own. */
static void read_maintenance(const json_t *view, const char *ref, struct notice_list *out)
{
    const json_t *told = json_object_get(view, "maintenanceRedeployStatus");
    if (!json_is_object(told) || out == NULL)
        return;
    struct notice made = {.kind = "Redeploy"};
    CLIP(made.ref, ref);
    CLIP(made.status, word(told, "lastOperationResultCode"));
    CLIP(made.text, word(told, "lastOperationMessage"));
    read_moment(told, "maintenanceWindowStartTime", &made.not_before);
    read_moment(told, "maintenanceWindowEndTime", &made.not_after);
    read_moment(told, "preMaintenanceWindowEndTime", &made.deadline);
    made.is_ours_to_time =
        json_is_true(json_object_get(told, "isCustomerInitiatedMaintenanceAllowed"));
    if (!moment_is_none(made.not_before) || made.is_ours_to_time)
        *notice_list_add(out) = made;
}

/* ---- machines ------------------------------------------------------------------------------- */

static void read_image(const json_t *reference, struct sighting *out)
{
    char urn[sizeof out->image];
    if (json_object_get(reference, "id") != NULL)
        CLIP(out->image, word(reference, "id"));
    else if (word(reference, "publisher")[0] != '\0' &&
             snprintf(urn, sizeof urn, "%s:%s:%s:%s", word(reference, "publisher"),
                      word(reference, "offer"), word(reference, "sku"),
                      word(reference, "version")) < (int)sizeof urn)
        CLIP(out->image, urn);
}

/* After its count of processors a size with an `a` has AMD's: "Standard_DC2as_v5". */
static bool is_amd(const char *size)
{
    size_t digits = strcspn(size, "0123456789");
    digits += strspn(size + digits, "0123456789");
    return size[digits] == 'a';
}

/* Our tags. One that does not parse is not ours. */
static void read_tags(const json_t *tags, struct sighting *out)
{
    struct uuid id;
    int64_t number;
    if (uuid_parse(word(tags, TAG_INSTANCE), &id, NULL) == OK)
        out->instance = id;
    if (number_parse(word(tags, TAG_GENERATION), 0, INT64_MAX, &number, NULL) == OK)
        out->generation = number;
    if (text_is_name(word(tags, TAG_FLEET)))
        CLIP(out->fleet, word(tags, TAG_FLEET));
    if (strlen(word(tags, TAG_TOKEN)) < sizeof out->client_token)
        CLIP(out->client_token, word(tags, TAG_TOKEN));
    out->is_copy =
        word(tags, TAG_TOKEN)[0] != '\0' && strcasecmp(word(tags, TAG_TOKEN), out->ref) != 0;
}

static bool read_machine(const json_t *machine, struct sighting *out, struct notice_list *notices)
{
    const json_t *properties = json_object_get(machine, "properties");
    const json_t *view = json_object_get(properties, "instanceView");
    const char *name = word(machine, "name");
    struct uuid id;
    if (!json_is_object(properties) || !arm_name_is_valid(name))
        return false;
    CLIP(out->ref, name);
    if (uuid_parse(word(properties, "vmId"), &id, NULL) == OK)
        snprintf(out->machine_id, sizeof out->machine_id, "%s", uuid_text(&id).at);
    CLIP(out->size, word(json_object_get(properties, "hardwareProfile"), "vmSize"));
    CLIP(out->zone, json_array_size(json_object_get(machine, "zones")) > 0 &&
                            json_is_string(json_array_get(json_object_get(machine, "zones"), 0))
                        ? json_string_value(json_array_get(json_object_get(machine, "zones"), 0))
                        : "");
    read_image(json_object_get(json_object_get(properties, "storageProfile"), "imageReference"),
               out);
    read_moment(properties, "timeCreated", &out->launched);
    out->snp_enabled = is_amd(out->size) &&
                       strcmp(word(json_object_get(properties, "securityProfile"), "securityType"),
                              "ConfidentialVM") == 0;
    read_state(json_object_get(view, "statuses"), word(properties, "provisioningState"), out);
    read_tags(json_object_get(machine, "tags"), out);
    read_maintenance(view, out->ref, notices);
    return true;
}

enum outcome arm_read_machine(struct span body, struct sighting *out, struct text *out_order,
                              struct notice_list *notices, struct error *err)
{
    OWNED(json_drop) json_t *value = NULL;
    struct sighting made = {0};
    TRY(open_answer(body, &value, err));
    if (!read_machine(value, &made, notices))
        return unreadable(err, "names no machine that we can read");
    if (out_order != NULL)
        text_add(out_order, word(json_object_get(value, "tags"), TAG_ORDER));
    *out = made;
    return OK;
}

/* "/subscriptions/S/resourceGroups/G/providers/...", in any mixture of capitals. */
static bool is_in_group(const char *id, const char *group)
{
    static const char before[] = "/resourceGroups/";
    const char *at = strcasestr(id, before);
    size_t len = strlen(group);
    return at != NULL && strncasecmp(at + sizeof before - 1, group, len) == 0 &&
           at[sizeof before - 1 + len] == '/';
}

static bool passes(const json_t *machine, const struct arm_filter *filter)
{
    if (filter->group != NULL && !is_in_group(word(machine, "id"), filter->group))
        return false;
    const char *owner = word(json_object_get(machine, "tags"), TAG_OWNER);
    return filter->owner == NULL || strcmp(owner, filter->owner) == 0;
}

enum outcome arm_read_page(struct span body, const struct arm_filter *filter,
                           struct sighting_list *out, struct notice_list *notices,
                           struct text *next, struct error *err)
{
    OWNED(json_drop) json_t *value = NULL;
    TRY(open_answer(body, &value, err));
    const json_t *machines = json_object_get(value, "value");
    const json_t *link = json_object_get(value, "nextLink");
    if (!json_is_array(machines))
        return unreadable(err, "holds no machines");
    size_t i;
    json_t *machine;
    json_array_foreach (machines, i, machine)
        if (passes(machine, filter) && (out->count == ARM_MACHINES_MAX ||
                                        !read_machine(machine, sighting_list_add(out), notices)))
            return unreadable(err, "names a machine too many, or one we cannot read");
    text_done(next);
    if (link == NULL || json_is_null(link))
        return OK;
    if (!json_is_string(link) || json_string_length(link) > ARM_LINK_MAX)
        return unreadable(err, "has a link to the next page that we cannot hold");
    text_add(next, json_string_value(link));
    return OK;
}

enum outcome arm_read_view(struct span body, struct sighting *out, struct notice_list *notices,
                           struct error *err)
{
    OWNED(json_drop) json_t *value = NULL;
    struct sighting made = {0};
    TRY(open_answer(body, &value, err));
    const json_t *statuses = json_object_get(value, "statuses");
    if (!json_is_array(statuses))
        return unreadable(err, "holds no statuses");
    read_state(statuses, "", &made);
    read_maintenance(value, "", notices);
    *out = made;
    return OK;
}

/* ---- what else ------------------------------------------------------------------------------ */

/* A failure comes with a 200. */
enum outcome arm_read_operation(struct span body, bool *out_done, struct error *err)
{
    OWNED(json_drop) json_t *value = NULL;
    *out_done = false;
    TRY(open_answer(body, &value, err));
    const char *status = word(value, "status");
    if (status[0] == '\0')
        return unreadable(err, "says nothing of the operation");
    const bool failed = strcasecmp(status, "Failed") == 0 || strcasecmp(status, "Canceled") == 0;
    *out_done = failed || strcasecmp(status, "Succeeded") == 0;
    if (!failed)
        return OK;
    struct arm_error said = {0};
    read_error(value, &said);
    if (said.kind == CLOUD_ERROR_COUNT)
        said.kind = strcasecmp(status, "Canceled") == 0 ? CLOUD_STATE_CONFLICT : CLOUD_SERVER_ERROR;
    if (said.code[0] == '\0')
        CLIP(said.code, status);
    return arm_fail(&said, 200, err);
}

enum outcome arm_read_subscription(struct span body, struct cloud_identity *out, struct error *err)
{
    OWNED(json_drop) json_t *value = NULL;
    struct cloud_identity made = {0};
    TRY(open_answer(body, &value, err));
    const char *subscription = word(value, "subscriptionId"), *tenant = word(value, "tenantId");
    CLIP(made.name, word(value, "displayName"));
    if (!text_is_word(subscription) || (tenant[0] != '\0' && !text_is_word(tenant)))
        return unreadable(err, "names no subscription");
    if (snprintf(made.account, sizeof made.account, "%s%s%s", subscription,
                 tenant[0] != '\0' ? "/" : "", tenant) >= (int)sizeof made.account)
        return unreadable(err, "names a subscription that is no subscription's id");
    *out = made;
    return OK;
}

static void read_event(const json_t *event, struct notice_list *out)
{
    const json_t *machine = json_array_get(json_object_get(event, "Resources"), 0);
    struct tm parts = {0};
    const char *end = strptime(word(event, "NotBefore"), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    struct notice *made = notice_list_add(out);
    CLIP(made->ref, json_is_string(machine) ? json_string_value(machine) : "");
    CLIP(made->event, word(event, "EventId"));
    CLIP(made->kind, word(event, "EventType"));
    CLIP(made->status, word(event, "EventStatus"));
    CLIP(made->text, word(event, "Description"));
    made->is_ours_to_time = strcmp(made->status, "Scheduled") == 0;
    if (end != NULL && *end == '\0')
        made->not_before = clock_at_seconds((int64_t)timegm(&parts));
}

enum outcome imds_read_events(struct span body, struct notice_list *out, struct error *err)
{
    OWNED(json_drop) json_t *value = NULL;
    TRY(open_answer(body, &value, err));
    size_t i;
    json_t *event;
    json_array_foreach (json_object_get(value, "Events"), i, event)
        if (json_is_object(event))
            read_event(event, out);
    return OK;
}
