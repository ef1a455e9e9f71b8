/* Compute Engine's metadata server: "Metadata-Flavor: Google" asked for, and said in every answer.
 */
#include <stdio.h>
#include <string.h>

#include "emulator/gce_api.h"
#include "emulator/metadata_inside.h"

enum { TOKEN_SECONDS = 3599, AUDIENCE_MAX = 512 };

#define PREFIX "/computeMetadata/v1/"
#define ACCOUNTS PREFIX "instance/service-accounts/"
#define ACCOUNT ACCOUNTS "default/"

static void say_identity(struct metadata_call *call)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes token = {0};
    struct paper paper = metadata_paper(call);
    const char *audience = face_argument(call->request, "audience");
    const char *format = face_argument(call->request, "format");
    if (audience == NULL || audience[0] == '\0' || strlen(audience) > AUDIENCE_MAX) {
        metadata_refuse(call, 400, "non-empty audience parameter required\n");
        return;
    }
    if (format == NULL || strcmp(format, "full") != 0) { /* without it there is no machine in it */
        metadata_refuse(call, 400, "only format=full is made here\n");
        return;
    }
    paper.nonce = call->lie == LIE_OLD_NONCE ? "https://somebody-else.example" : audience;
    if (papers_gcp(metadata_papers(call->metadata), &paper, &token, &err) != OK) {
        metadata_refuse(call, 500, err.text);
        return;
    }
    call->answer->content_type = "text/html";
    text_add_span(&call->answer->body, bytes_span(&token));
}

static void say_token(struct metadata_call *call)
{
    const struct gce_api *gce = metadata_settings_of(call->metadata)->gce;
    if (gce != NULL) {
        gce_token_say(gce, call->answer);
        return;
    }
    OWNED(json_drop) json_t *out = json_object();
    json_put_text(out, "access_token", "ya29.muster-sim");
    json_put_int(out, "expires_in", TOKEN_SECONDS);
    json_put_text(out, "token_type", "Bearer");
    metadata_say_json(call, out);
}

static void say_account(struct metadata_call *call)
{
    OWNED(json_drop) json_t *out = json_object();
    json_t *aliases = json_array();
    json_t *scopes = json_array();
    json_add_new(aliases, json_string("default"));
    json_add_new(scopes, json_string("https://www.googleapis.com/auth/cloud-platform"));
    json_put_new(out, "aliases", aliases);
    json_put_text(out, "email", SIM_GCP_EMAIL);
    json_put_new(out, "scopes", scopes);
    metadata_say_json(call, out);
}

static void say_email(struct metadata_call *call)
{
    metadata_say(call, "application/text", SIM_GCP_EMAIL);
}

static void say_project(struct metadata_call *call)
{
    metadata_say(call, "application/text", call->machine->group);
}

static void say_id(struct metadata_call *call)
{
    metadata_say(call, "application/text", call->machine->ref);
}

static void say_name(struct metadata_call *call)
{
    metadata_say(call, "application/text", call->machine->name);
}

static void say_zone(struct metadata_call *call)
{
    char zone[128];
    snprintf(zone, sizeof zone, "projects/739419398126/zones/%s", call->machine->zone);
    metadata_say(call, "application/text", zone);
}

static void say_event(struct metadata_call *call)
{
    metadata_say(call, "application/text", "NONE");
}

static void say_root(struct metadata_call *call)
{
    metadata_say(call, "application/text", "computeMetadata/\n");
}

static void say_universe(struct metadata_call *call)
{
    metadata_say(call, "application/text", "googleapis.com");
}

/* clang-format off */
static const struct {
    const char *path;
    void (*say)(struct metadata_call *);
} rows[] = {
    {"/",                                     say_root},
    {ACCOUNT,                                 say_account},
    {ACCOUNT "email",                         say_email},
    {ACCOUNT "identity",                      say_identity},
    {ACCOUNT "token",                         say_token},
    {PREFIX "instance/id",                    say_id},
    {PREFIX "instance/maintenance-event",     say_event},
    {PREFIX "instance/name",                  say_name},
    {PREFIX "instance/zone",                  say_zone},
    {PREFIX "project/project-id",             say_project},
    {PREFIX "universe/universe-domain",       say_universe},
    {PREFIX "universe/universe_domain",       say_universe},
};
/* clang-format on */

/* The one account goes by two names. */
static const char *by_its_usual_name(const char *path, char out[static 256])
{
    static const char email[] = ACCOUNTS SIM_GCP_EMAIL "/";
    const size_t len = sizeof email - 1;
    if (strncmp(path, email, len) != 0)
        return path;
    snprintf(out, 256, ACCOUNT "%.64s", path + len);
    return out;
}

void metadata_gcp(struct metadata_call *call)
{
    char usual[256];
    const char *path = by_its_usual_name(call->path, usual);
    const char *flavor = face_header(call->request, "Metadata-Flavor");
    face_say(call->answer, "Metadata-Flavor", "Google");
    if (flavor == NULL || strcmp(flavor, "Google") != 0 || metadata_is_passed_on(call)) {
        metadata_refuse(call, 403, "Missing Metadata-Flavor:Google header.\n");
        return;
    }
    if (strcmp(call->request->method, "GET") != 0) {
        metadata_refuse(call, 405, "");
        return;
    }
    for (size_t i = 0; i < countof(rows); i++)
        if (strcmp(rows[i].path, path) == 0) {
            rows[i].say(call);
            return;
        }
    metadata_refuse(call, 404, "");
}
