/* EC2's instance metadata service, version 2: a session first, by a PUT that no careless proxy
 * passes on, and its token with every question. Version 1 is off, as on machines of ours. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "emulator/aws_api.h"
#include "emulator/metadata_inside.h"
#include "lib/crypto/digest.h"

enum { TTL_MOST = 21600, CREDENTIAL_SECONDS = 6 * 3600, TOKEN_SIZE = 2 * SHA256_SIZE + 32 };

#define TOKEN_HEADER "X-aws-ec2-metadata-token"

/* Nothing is remembered of sessions: the token says until when, of which machine, and that we made
 * it. */
static void make_token(const struct metadata_call *call, int64_t until, char out[static TOKEN_SIZE])
{
    char what[REF_SIZE + 32];
    uint8_t mac[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    snprintf(what, sizeof what, "%s %" PRId64, call->machine->ref, until);
    digest_hmac(DIGEST_SHA256, metadata_secret(call->metadata), span_of_text(what), mac);
    hex_encode(SPAN_OF(mac), hex);
    snprintf(out, TOKEN_SIZE, "%" PRId64 ".%s", until, hex);
}

static void begin_session(struct metadata_call *call)
{
    const char *ttl = face_header(call->request, TOKEN_HEADER "-ttl-seconds");
    int64_t seconds;
    char token[TOKEN_SIZE];
    if (metadata_is_passed_on(call)) {
        metadata_refuse(call, 403, "");
        return;
    }
    if (ttl == NULL || number_parse(ttl, 1, TTL_MOST, &seconds, NULL) != OK) {
        metadata_refuse(call, 400, "");
        return;
    }
    make_token(call, moment_seconds(clock_now()) + seconds, token);
    face_say(call->answer, TOKEN_HEADER "-ttl-seconds", "%" PRId64, seconds);
    metadata_say(call, "text/plain", token);
}

static bool has_session(const struct metadata_call *call)
{
    const char *token = face_header(call->request, TOKEN_HEADER);
    int64_t until;
    char number[24];
    char ours[TOKEN_SIZE];
    const size_t len = token != NULL ? strcspn(token, ".") : 0;
    if (len == 0 || len >= sizeof number)
        return false;
    memcpy(number, token, len);
    number[len] = '\0';
    if (number_parse(number, 0, INT64_MAX, &until, NULL) != OK ||
        until <= moment_seconds(clock_now()))
        return false;
    make_token(call, until, ours);
    return strcmp(ours, token) == 0;
}

static void say_paper(struct metadata_call *call, bool signature)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes document = {0};
    OWNED(bytes_done) struct bytes rsa2048 = {0};
    const struct paper paper = metadata_paper(call);
    if (papers_aws(metadata_papers(call->metadata), &paper, &document, &rsa2048, &err) != OK) {
        metadata_refuse(call, 500, err.text);
        return;
    }
    call->answer->content_type = "text/plain";
    text_add_span(&call->answer->body, bytes_span(signature ? &rsa2048 : &document));
}

static void say_document(struct metadata_call *call)
{
    say_paper(call, false);
}

static void say_signature(struct metadata_call *call)
{
    say_paper(call, true);
}

static void say_role(struct metadata_call *call)
{
    metadata_say(call, "text/plain", SIM_ROLE);
}

static void say_credentials(struct metadata_call *call)
{
    const struct aws_api *aws = metadata_settings_of(call->metadata)->aws;
    const struct moment now = clock_at_seconds(moment_seconds(clock_now()));
    char session[AWS_SESSION_SIZE];
    OWNED(json_drop) json_t *out = json_object();
    aws_session(aws, session);
    json_put_text(out, "Code", "Success");
    json_put_text(out, "LastUpdated", moment_text(now).at);
    json_put_text(out, "Type", "AWS-HMAC");
    json_put_text(out, "AccessKeyId", aws->access_key_id);
    json_put_text(out, "SecretAccessKey", aws->secret_access_key);
    json_put_text(out, "Token", session);
    json_put_text(out, "Expiration", moment_text(moment_add_seconds(now, CREDENTIAL_SECONDS)).at);
    metadata_say_json(call, out);
}

static void say_ref(struct metadata_call *call)
{
    metadata_say(call, "text/plain", call->machine->ref);
}

static void say_region(struct metadata_call *call)
{
    metadata_say(call, "text/plain", call->machine->region);
}

static void say_zone(struct metadata_call *call)
{
    metadata_say(call, "text/plain", call->machine->zone);
}

static void say_image(struct metadata_call *call)
{
    metadata_say(call, "text/plain", call->machine->image);
}

static void say_size(struct metadata_call *call)
{
    metadata_say(call, "text/plain", call->machine->size);
}

static void say_no_events(struct metadata_call *call)
{
    metadata_say(call, "application/json", "[]");
}

static void say_user_data(struct metadata_call *call)
{
    call->answer->content_type = "application/octet-stream";
    text_add_span(&call->answer->body, bytes_span(&call->machine->user_data));
}

/* clang-format off */
static const struct {
    const char *path;
    void (*say)(struct metadata_call *);
} rows[] = {
    {"/latest/dynamic/instance-identity/document",             say_document},
    {"/latest/dynamic/instance-identity/rsa2048",              say_signature},
    {"/latest/meta-data/ami-id",                               say_image},
    {"/latest/meta-data/events/maintenance/scheduled",         say_no_events},
    {"/latest/meta-data/iam/security-credentials",             say_role},
    {"/latest/meta-data/iam/security-credentials/",            say_role},
    {"/latest/meta-data/iam/security-credentials/" SIM_ROLE,   say_credentials},
    {"/latest/meta-data/instance-id",                          say_ref},
    {"/latest/meta-data/instance-type",                        say_size},
    {"/latest/meta-data/placement/availability-zone",          say_zone},
    {"/latest/meta-data/placement/availability-zone/",         say_zone},
    {"/latest/meta-data/placement/region",                     say_region},
    {"/latest/user-data",                                      say_user_data},
};
/* clang-format on */

void metadata_aws(struct metadata_call *call)
{
    const char *method = call->request->method;
    if (strcmp(method, "PUT") == 0 && strcmp(call->path, "/latest/api/token") == 0) {
        begin_session(call);
        return;
    }
    if (strcmp(method, "GET") != 0) {
        metadata_refuse(call, 405, "");
        return;
    }
    if (!has_session(call)) {
        metadata_refuse(call, 401, "");
        return;
    }
    for (size_t i = 0; i < countof(rows); i++)
        if (strcmp(rows[i].path, call->path) == 0) {
            rows[i].say(call);
            return;
        }
    metadata_refuse(call, 404, "");
}
