#include "drivers/gcp/gcp_answers.h"

#include <stdio.h>
#include <string.h>

#include "drivers/gcp/gcp_errors.h"
#include "lib/base/json.h"

enum { RETRY_SECONDS_MOST = 86400 };

static enum outcome unreadable(struct error *err, const char *why)
{
    return cloud_fail(err, CLOUD_AMBIGUOUS, "the answer %s", why);
}

static enum outcome parse(struct span body, json_t **out, struct error *err)
{
    struct error why = {0};
    OWNED(json_drop) json_t *value = NULL;
    if (json_parse(body, HTTP_ANSWER_MAX, &value, &why) != OK || !json_is_object(value))
        return cloud_fail(err, CLOUD_AMBIGUOUS, "the answer is no JSON object: %.120s", why.text);
    *out = TAKE(value);
    return OK;
}

static bool copy_text(char *out, size_t size, const char *text)
{
    text_clip(out, size, text);
    return strlen(text) < size;
}

/* Empty when absent; false when it is no string or does not fit. */
static bool copy_member(const json_t *object, const char *name, char *out, size_t size)
{
    const json_t *value = json_object_get(object, name);
    out[0] = '\0';
    return value == NULL ||
           (json_is_string(value) && copy_text(out, size, json_string_value(value)));
}

#define COPY(object, name, field) copy_member((object), (name), (field), sizeof(field))

/* What follows the last slash of a URL: Google names things by where they are. */
static bool copy_last(const json_t *object, const char *name, char *out, size_t size)
{
    const char *url = json_string_value(json_object_get(object, name));
    out[0] = '\0';
    if (url == NULL)
        return json_object_get(object, name) == NULL;
    const char *slash = strrchr(url, '/');
    return copy_text(out, size, slash != NULL ? slash + 1 : url);
}

#define COPY_LAST(object, name, field) copy_last((object), (name), (field), sizeof(field))

/* ---- errors ------------------------------------------------------------------------------- */

static const json_t *first_of(const json_t *object, const char *name)
{
    return json_array_get(json_object_get(object, name), 0);
}

/* "17s" or "17.5s", in whole seconds that are enough; 0 for what is no such time. */
static int64_t read_delay(char *delay)
{
    const size_t len = strlen(delay);
    int64_t seconds, fraction;
    if (len == 0 || delay[len - 1] != 's')
        return 0;
    delay[len - 1] = '\0';
    char *point = strchr(delay, '.');
    if (point != NULL)
        *point++ = '\0';
    if (number_parse(delay, 0, RETRY_SECONDS_MOST, &seconds, NULL) != OK)
        return 0;
    return seconds + (point != NULL && number_parse(point, 1, INT64_MAX, &fraction, NULL) == OK);
}

/* {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17.5s"} in the details. */
static int64_t find_retry(const json_t *details)
{
    static const char type[] = "type.googleapis.com/google.rpc.RetryInfo";
    size_t i;
    json_t *detail;
    json_array_foreach ((json_t *)(uintptr_t)details, i, detail) {
        char delay[24];
        const char *of = json_string_value(json_object_get(detail, "@type"));
        if (of != NULL && strcmp(of, type) == 0 && COPY(detail, "retryDelay", delay))
            return read_delay(delay);
    }
    return 0;
}

/* {"error": {"message", "errors": [{"reason"}], "status"}} of the APIs; of the token endpoints
 * {"error": "invalid_grant", "error_description"}. */
static void read_error(const json_t *root, struct gcp_error *out)
{
    const json_t *error = json_object_get(root, "error");
    if (json_is_string(error)) {
        COPY(root, "error", out->code);
        COPY(root, "error_description", out->message);
        return;
    }
    COPY(error, "message", out->message);
    out->retry_seconds = find_retry(json_object_get(error, "details"));
    if (!COPY(first_of(error, "errors"), "reason", out->code) || out->code[0] == '\0')
        COPY(error, "status", out->code);
}

/* "Required 'compute.instances.stop' permission for 'projects/...'" */
static void find_permission(const char *message, char *out, size_t size)
{
    static const char before[] = "Required '", after[] = "' permission";
    const char *at = strstr(message, before);
    const char *end = at != NULL ? strstr(at, after) : NULL;
    if (end != NULL)
        snprintf(out, size, "%.*s", (int)(end - at - (long)strlen(before)), at + strlen(before));
}

/* An error as the APIs say it, and not merely some JSON. */
static bool is_full(const json_t *error, const struct gcp_error *said)
{
    return json_is_object(error) && said->code[0] != '\0';
}

/* "The resource 'projects/p' was not found": whose machines are gone, or whose project was
 * another's to see, that does not tell. */
static bool is_of_project(const char *message)
{
    static const char before[] = "'projects/";
    const char *at = strstr(message, before);
    if (at == NULL)
        return false;
    at += strlen(before);
    return at[strcspn(at, "/'")] == '\'';
}

struct gcp_error gcp_error_read(int status, struct span body)
{
    struct gcp_error out = {0};
    OWNED(json_drop) json_t *root = NULL;
    if (parse(body, &root, NULL) == OK)
        read_error(root, &out);
    out.kind = gcp_error_kind(out.code, status);
    /* Not in Compute Engine's words: something between says that it found nothing. */
    if (out.kind == CLOUD_NOT_FOUND && !is_full(json_object_get(root, "error"), &out))
        out.kind = CLOUD_SERVER_ERROR;
    if (out.kind == CLOUD_NOT_FOUND && is_of_project(out.message))
        out.kind = CLOUD_AUTH;
    if (out.kind == CLOUD_AUTH)
        find_permission(out.message, out.permission, sizeof out.permission);
    if (out.code[0] == '\0')
        snprintf(out.code, sizeof out.code, "HTTP %d", status);
    return out;
}

enum outcome gcp_check_status(int status, struct span body, struct error *err)
{
    if (status >= 200 && status < 300)
        return OK;
    const struct gcp_error said = gcp_error_read(status, body);
    return fail_at(err, cloud_error_outcome(said.kind), name_of(&cloud_error_names, (int)said.kind),
                   said.permission, "%s (%d): %.180s", said.code, status, said.message);
}

enum outcome gcp_check_launch(int status, struct span body, struct error *err)
{
    const struct gcp_error said = gcp_error_read(status, body);
    if ((status >= 200 && status < 300) || said.kind != CLOUD_SERVER_ERROR)
        return gcp_check_status(status, body, err);
    return cloud_fail(err, CLOUD_AMBIGUOUS, "%s (%d): %.180s", said.code, status, said.message);
}

/* ---- operations --------------------------------------------------------------------------- */

static enum outcome check_failure(const json_t *operation, struct error *err)
{
    const json_t *first = first_of(json_object_get(operation, "error"), "errors");
    const json_t *status = json_object_get(operation, "httpErrorStatusCode");
    int64_t http = json_is_integer(status) ? json_integer_value(status) : 0;
    if (first == NULL && json_object_get(operation, "error") == NULL && http < 400)
        return OK;
    char code[96], message[256];
    COPY(first, "code", code);
    COPY(first, "message", message);
    const enum cloud_error kind = gcp_error_kind(code, http < 600 ? (int)http : 0);
    return cloud_fail(err, kind, "%s: %.180s", code[0] != '\0' ? code : "failed", message);
}

static bool is_operation_name(const char *name)
{
    return name[0] != '\0' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(name);
}

enum outcome gcp_read_operation(struct span body, struct gcp_operation *out, struct error *err)
{
    char status[32], kind[64];
    struct gcp_operation made = {0};
    OWNED(json_drop) json_t *root = NULL;
    TRY(parse(body, &root, err));
    if (!COPY(root, "kind", kind) || strcmp(kind, "compute#operation") != 0 ||
        !COPY_LAST(root, "zone", made.place.zone) || !gcp_name_is_valid(made.place.zone) ||
        !COPY(root, "name", made.place.name) || !is_operation_name(made.place.name) ||
        !COPY(root, "status", status) || status[0] == '\0')
        return unreadable(err, "is no operation");
    if (!COPY(root, "targetId", made.target) ||
        strspn(made.target, "0123456789") != strlen(made.target))
        return unreadable(err, "names no target that we can read");
    made.done = strcmp(status, "DONE") == 0;
    *out = made;
    return made.done ? check_failure(root, err) : OK;
}

enum outcome gcp_read_accepted(struct span body, struct error *err)
{
    char status[32], kind[64];
    OWNED(json_drop) json_t *root = NULL;
    TRY(parse(body, &root, err));
    if (!COPY(root, "kind", kind) || strcmp(kind, "compute#operation") != 0 ||
        !COPY(root, "status", status) || status[0] == '\0')
        return unreadable(err, "is no operation");
    return strcmp(status, "DONE") == 0 ? check_failure(root, err) : OK;
}

/* ---- machines ----------------------------------------------------------------------------- */

static void read_state(const json_t *machine, struct sighting *out)
{
    static const struct {
        const char *word;
        enum machine_state state;
    } states[] = {
        {"PENDING", MACHINE_CREATING},      {"PROVISIONING", MACHINE_CREATING},
        {"STAGING", MACHINE_CREATING},      {"RUNNING", MACHINE_RUNNING},
        {"PENDING_STOP", MACHINE_STOPPING}, {"STOPPING", MACHINE_STOPPING},
        {"SUSPENDING", MACHINE_STOPPING},   {"TERMINATED", MACHINE_STOPPED},
        {"STOPPED", MACHINE_STOPPED},       {"SUSPENDED", MACHINE_STOPPED},
        {"REPAIRING", MACHINE_REPAIRING},   {"DEPROVISIONING", MACHINE_DELETING},
    };
    COPY(machine, "status", out->state_word);
    for (size_t i = 0; i < countof(states); i++)
        if (strcmp(states[i].word, out->state_word) == 0)
            out->state = states[i].state;
}

/* Our labels. One that does not parse is not ours. */
static void read_labels(const json_t *labels, struct sighting *out)
{
    char text[GCP_NAME_SIZE];
    struct uuid id;
    int64_t number;
    if (COPY(labels, "muster-instance", text) && uuid_parse(text, &id, NULL) == OK)
        out->instance = id;
    if (COPY(labels, "muster-generation", text) &&
        number_parse(text, 0, INT64_MAX, &number, NULL) == OK)
        out->generation = number;
    if (COPY(labels, "muster-fleet", text) && text_is_name(text))
        snprintf(out->fleet, sizeof out->fleet, "%s", text);
    if (COPY(labels, "muster-token", text) && gcp_name_is_valid(text))
        snprintf(out->client_token, sizeof out->client_token, "%s", text);
}

/* A machine whose label was taken off has its token still as its name. */
static void read_token(const char *name, struct sighting *out)
{
    out->is_copy = out->client_token[0] != '\0' && strcmp(out->client_token, name) != 0;
    if (out->client_token[0] == '\0' && strncmp(name, "muster-", 7) == 0)
        snprintf(out->client_token, sizeof out->client_token, "%s", name);
}

static void read_time(const json_t *object, const char *name, struct moment *out)
{
    char text[40];
    if (COPY(object, name, text))
        error_ignore(moment_parse(text, out, NULL));
}

static void read_reasons(const json_t *list, struct notice *out)
{
    OWNED(text_done) struct text joined = {0};
    size_t i;
    json_t *reason;
    json_array_foreach (json_looked_at(list), i, reason)
        if (json_is_string(reason))
            text_addf(&joined, "%s%s", joined.len > 0 ? ", " : "", json_string_value(reason));
    text_clip(out->text, sizeof out->text, text_str(&joined));
}

static void read_notice(const json_t *machine, const char *ref, struct notice_list *list)
{
    const json_t *coming =
        json_object_get(json_object_get(machine, "resourceStatus"), "upcomingMaintenance");
    if (!json_is_object(coming))
        return;
    struct notice *notice = notice_list_add(list);
    snprintf(notice->ref, sizeof notice->ref, "%s", ref);
    COPY(coming, "type", notice->kind);
    COPY(coming, "maintenanceStatus", notice->status);
    read_time(coming, "windowStartTime", &notice->not_before);
    read_time(coming, "windowEndTime", &notice->not_after);
    read_time(coming, "latestWindowStartTime", &notice->deadline);
    notice->is_ours_to_time = json_is_true(json_object_get(coming, "canReschedule"));
    read_reasons(json_object_get(coming, "maintenanceReasons"), notice);
}

static bool read_machine(const json_t *machine, struct sighting *out, struct notice_list *notices)
{
    char name[GCP_NAME_SIZE], type[32], id[32], kind[64];
    bool fits = json_is_object(machine) && COPY(machine, "name", name) && COPY(machine, "id", id) &&
                COPY_LAST(machine, "zone", out->zone) &&
                COPY_LAST(machine, "machineType", out->size) && COPY(machine, "kind", kind) &&
                COPY(first_of(machine, "networkInterfaces"), "networkIP", out->private_address);
    if (!fits || !gcp_name_is_valid(name) || !gcp_name_is_valid(out->zone) ||
        strcmp(kind, "compute#instance") != 0 || strspn(id, "0123456789") != strlen(id))
        return false;
    snprintf(out->ref, sizeof out->ref, "%s/%s", out->zone, name);
    snprintf(out->machine_id, sizeof out->machine_id, "%s", id);
    read_time(machine, "creationTimestamp", &out->launched);
    out->snp_enabled = COPY(json_object_get(machine, "confidentialInstanceConfig"),
                            "confidentialInstanceType", type) &&
                       strcmp(type, "SEV_SNP") == 0;
    read_state(machine, out);
    read_labels(json_object_get(machine, "labels"), out);
    read_token(name, out);
    read_notice(machine, out->ref, notices);
    return true;
}

enum outcome gcp_read_machine(struct span body, struct sighting *out, struct notice_list *notices,
                              struct error *err)
{
    OWNED(json_drop) json_t *root = NULL;
    struct sighting made = {0};
    TRY(parse(body, &root, err));
    if (!read_machine(root, &made, notices))
        return unreadable(err, "is no machine that we can read");
    *out = made;
    return OK;
}

/* ---- lists -------------------------------------------------------------------------------- */

static enum outcome read_machines(const json_t *list, const char *region, struct sighting_list *out,
                                  struct notice_list *notices, struct error *err)
{
    if (list != NULL && !json_is_array(list))
        return unreadable(err, "holds machines that are no list");
    size_t i;
    json_t *machine;
    json_array_foreach (json_looked_at(list), i, machine) {
        struct sighting seen = {0};
        OWNED(notice_list_done) struct notice_list coming = {0};
        if (out->count == GCP_MACHINES_MAX || !read_machine(machine, &seen, &coming))
            return unreadable(err, "names a machine too many, or one we cannot read");
        if (region != NULL && !gcp_zone_is_in(seen.zone, region))
            continue;
        *sighting_list_add(out) = seen;
        for (size_t n = 0; n < coming.count; n++)
            *notice_list_add(notices) = coming.at[n];
    }
    return OK;
}

/* "zones/us-central1-a" */
static bool is_our_scope(const char *scope, const char *region)
{
    const char *slash = strrchr(scope, '/');
    return region == NULL || gcp_zone_is_in(slash != NULL ? slash + 1 : scope, region);
}

static bool says_unreachable(const json_t *holder)
{
    const char *code =
        json_string_value(json_object_get(json_object_get(holder, "warning"), "code"));
    return code != NULL && strcmp(code, "UNREACHABLE") == 0;
}

static bool is_reachable(const json_t *root, const char *region)
{
    size_t i;
    json_t *scope;
    json_array_foreach (json_object_get(root, "unreachables"), i, scope)
        if (!json_is_string(scope) || is_our_scope(json_string_value(scope), region))
            return false;
    return true;
}

static enum outcome read_scopes(const json_t *scopes, const char *region, struct sighting_list *out,
                                struct notice_list *notices, struct error *err)
{
    const char *scope;
    json_t *holder;
    json_object_foreach (json_looked_at(scopes), scope, holder) {
        if (!json_is_object(holder))
            return unreadable(err, "holds a zone that is no object");
        if (!is_our_scope(scope, region))
            continue;
        out->partial |= says_unreachable(holder);
        TRY(read_machines(json_object_get(holder, "instances"), region, out, notices, err));
    }
    return OK;
}

enum outcome gcp_read_list(struct span body, const char *region, struct sighting_list *out,
                           struct notice_list *notices, struct text *next_token, struct error *err)
{
    OWNED(json_drop) json_t *root = NULL;
    char token[2048], kind[64] = "";
    TRY(parse(body, &root, err));
    text_done(next_token);
    const json_t *items = json_object_get(root, "items"); /* absent when there are none */
    bool aggregated = json_is_object(items);
    if (!COPY(root, "nextPageToken", token) || !COPY(root, "kind", kind))
        return unreadable(err, "has a page token we cannot hold");
    if (strcmp(kind, "compute#instanceList") != 0 &&
        strcmp(kind, "compute#instanceAggregatedList") != 0)
        return unreadable(err, "is no list of machines");
    out->partial |= !is_reachable(root, region) || (!aggregated && says_unreachable(root));
    if (aggregated)
        TRY(read_scopes(items, region, out, notices, err));
    else
        TRY(read_machines(items, region, out, notices, err));
    text_add(next_token, token);
    return OK;
}

/* ---- places, and what a guest hears -------------------------------------------------------- */

enum outcome gcp_read_region(struct span body, char out_name[static GCP_NAME_SIZE],
                             struct error *err)
{
    OWNED(json_drop) json_t *root = NULL;
    TRY(parse(body, &root, err));
    if (!copy_member(root, "name", out_name, GCP_NAME_SIZE) || !gcp_name_is_valid(out_name))
        return unreadable(err, "names no region");
    return OK;
}

enum outcome gcp_read_region_project(struct span body, char out[static CLOUD_ACCOUNT_SIZE],
                                     struct error *err)
{
    static const char before[] = "/projects/";
    OWNED(json_drop) json_t *root = NULL;
    TRY(parse(body, &root, err));
    const char *link = json_string_value(json_object_get(root, "selfLink"));
    if (link == NULL)
        return fail(err, ERR_NOT_FOUND, "the answer has no address");
    const char *at = strstr(link, before);
    const size_t len = at != NULL ? strcspn(at + strlen(before), "/") : 0;
    char project[CLOUD_ACCOUNT_SIZE] = "";
    if (len < sizeof project)
        snprintf(project, sizeof project, "%.*s", (int)len, at != NULL ? at + strlen(before) : "");
    if (!text_is_word(project))
        return unreadable(err, "names no project");
    memcpy(out, project, sizeof project);
    return OK;
}

enum outcome gcp_read_zones(struct span body, struct error *err)
{
    char kind[64];
    OWNED(json_drop) json_t *root = NULL;
    TRY(parse(body, &root, err));
    if (!COPY(root, "kind", kind) || strcmp(kind, "compute#zoneList") != 0)
        return unreadable(err, "is no list of zones");
    return OK;
}

enum outcome gcp_read_maintenance_event(const struct http_answer *answer, struct notice_list *out,
                                        struct error *err)
{
    const char *flavor = http_answer_header(answer, "Metadata-Flavor");
    if (flavor == NULL || strcmp(flavor, "Google") != 0)
        return cloud_fail(err, CLOUD_AUTH, "this is not Google's metadata server");
    char word[48];
    const struct span body = bytes_span(&answer->body);
    if (body.len == 0 || body.len >= sizeof word)
        return unreadable(err, "is no maintenance event");
    memcpy(word, body.at, body.len);
    word[body.len] = '\0';
    if (!text_is_word(word))
        return unreadable(err, "is no maintenance event");
    if (strcmp(word, "NONE") != 0)
        memcpy(notice_list_add(out)->kind, word, body.len + 1);
    return OK;
}
