/* Azure's instance metadata service: "Metadata: true" with every question, and a version. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "emulator/arm_api.h"
#include "emulator/metadata_inside.h"

enum { NONCE_DIGITS_MAX = 10, TOKEN_SECONDS = 86400 };

static void refuse(struct metadata_call *call, int status, const char *error,
                   const char *description)
{
    OWNED(json_drop) json_t *out = json_object();
    json_put_text(out, "error", error);
    json_put_text(out, "error_description", description);
    call->answer->status = status;
    metadata_say_json(call, out);
}

static bool is_nonce(const char *text)
{
    const size_t len = strlen(text);
    return len >= 1 && len <= NONCE_DIGITS_MAX && strspn(text, "0123456789") == len;
}

static void say_attested(struct metadata_call *call)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes answer = {0};
    struct paper paper = metadata_paper(call);
    const char *asked = face_argument(call->request, "nonce");
    if (asked != NULL && !is_nonce(asked)) {
        refuse(call, 400, "invalid_request", "nonce is up to ten digits");
        return;
    }
    paper.nonce = asked == NULL || call->lie == LIE_OLD_NONCE ? "1234567890" : asked;
    if (papers_azure(metadata_papers(call->metadata), &paper, &answer, &err) != OK) {
        refuse(call, 500, "internal", err.text);
        return;
    }
    call->answer->content_type = "application/json";
    text_add_span(&call->answer->body, bytes_span(&answer));
}

static void say_instance(struct metadata_call *call)
{
    const struct machine *m = call->machine;
    OWNED(json_drop) json_t *out = json_object();
    OWNED(text_done) struct text id = {0};
    json_t *compute = json_object();
    json_t *tags = json_array();
    text_addf(&id,
              "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Compute/virtualMachines/%s",
              metadata_subscription(call->metadata), m->group, m->name);
    for (size_t i = 0; i < m->tag_count; i++) {
        json_t *tag = json_object();
        json_put_text(tag, "name", m->tags[i].key);
        json_put_text(tag, "value", m->tags[i].value);
        json_add_new(tags, tag);
    }
    json_put_text(compute, "azEnvironment", "AzurePublicCloud");
    json_put_text(compute, "location", m->region);
    json_put_text(compute, "name", m->name);
    json_put_text(compute, "resourceGroupName", m->group);
    json_put_text(compute, "resourceId", text_str(&id));
    json_put_text(compute, "subscriptionId", metadata_subscription(call->metadata));
    json_put_new(compute, "tagsList", tags);
    json_put_text(compute, "vmId", m->ref);
    json_put_text(compute, "vmSize", m->size);
    json_put_text(compute, "zone", m->zone);
    json_put_new(out, "compute", compute);
    metadata_say_json(call, out);
}

static void put_seconds(json_t *out, const char *name, int64_t seconds)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, seconds); /* here they are texts */
    json_put_text(out, name, text);
}

static void say_token(struct metadata_call *call)
{
    const char *resource = face_argument(call->request, "resource");
    const int64_t now = moment_seconds(clock_now());
    OWNED(json_drop) json_t *out = json_object();
    if (resource == NULL || resource[0] == '\0') {
        refuse(call, 400, "invalid_request", "resource is missing");
        return;
    }
    const struct arm_api *arm = metadata_settings_of(call->metadata)->arm;
    OWNED(text_done) struct text token = {0};
    if (arm != NULL)
        arm_token_make(arm, &token);
    else
        text_add(&token, "muster-sim-managed-identity");
    json_put_text(out, "access_token", text_str(&token));
    json_put_text(out, "client_id", SIM_CLIENT_ID);
    put_seconds(out, "expires_in", TOKEN_SECONDS);
    put_seconds(out, "expires_on", now + TOKEN_SECONDS);
    put_seconds(out, "ext_expires_in", TOKEN_SECONDS);
    put_seconds(out, "not_before", now - 300);
    json_put_text(out, "resource", resource);
    json_put_text(out, "token_type", "Bearer");
    metadata_say_json(call, out);
}

/* clang-format off */
static const struct {
    const char *path;
    void (*say)(struct metadata_call *);
} rows[] = {
    {"/metadata/attested/document",      say_attested},
    {"/metadata/identity/oauth2/token",  say_token},
    {"/metadata/identity/oauth2/token/", say_token}, /* as Microsoft's own library asks */
    {"/metadata/instance",               say_instance},
};
/* clang-format on */

void metadata_azure(struct metadata_call *call)
{
    const char *metadata = face_header(call->request, "Metadata");
    if (metadata == NULL || strcasecmp(metadata, "true") != 0 || metadata_is_passed_on(call)) {
        refuse(call, 400, "invalid_request", "Required metadata header not specified");
        return;
    }
    if (strcmp(call->request->method, "GET") != 0) {
        refuse(call, 405, "invalid_request", "only GET");
        return;
    }
    if (face_argument(call->request, "api-version") == NULL) {
        refuse(call, 400, "invalid_request", "api-version is missing");
        return;
    }
    for (size_t i = 0; i < countof(rows); i++)
        if (strcmp(rows[i].path, call->path) == 0) {
            rows[i].say(call);
            return;
        }
    refuse(call, 404, "not_found", "no such thing");
}
