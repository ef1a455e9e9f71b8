/* Another provider's identities: a token of theirs is exchanged for one of the security token
 * service, and that for a service account's. By itself the first may call nothing else. */
#include <stdio.h>
#include <string.h>

#include "emulator/form.h"
#include "emulator/gce_api.h"
#include "lib/base/file.h"

#define GRANT "urn:ietf:params:oauth:grant-type:token-exchange"
#define ACCESS_TOKEN "urn:ietf:params:oauth:token-type:access_token"
#define JWT "urn:ietf:params:oauth:token-type:jwt"
#define AUDIENCE                                                                                   \
    "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/muster/providers/sim"

/* What the other provider would have said of us, and a file of credentials that leads to it. */
enum outcome gce_federated_tell(const struct gce_api *api, const char *folder, int64_t port,
                                struct error *err)
{
    OWNED(text_done) struct text subject = {0};
    OWNED(text_done) struct text path = {0};
    OWNED(json_drop) json_t *file = json_object();
    json_t *source = json_object();
    char url[256];
    text_addf(&subject, "%s/gcp-subject-token", folder);
    json_put_text(source, "file", text_str(&subject));
    json_put_text(file, "type", "external_account");
    json_put_text(file, "audience", AUDIENCE);
    json_put_text(file, "subject_token_type", JWT);
    snprintf(url, sizeof url, "http://127.0.0.1:%lld" GCE_EXCHANGE, (long long)port);
    json_put_text(file, "token_url", url);
    snprintf(url, sizeof url, "http://127.0.0.1:%lld" GCE_IMPERSONATION "%s:generateAccessToken",
             (long long)port, api->email);
    json_put_text(file, "service_account_impersonation_url", url);
    json_put_new(file, "credential_source", source);
    OWNED(mem_drop) char *text = json_print_pretty(file);
    text_addf(&path, "%s/gcp-federated.json", folder);
    TRY(file_write(text_str(&subject), span_of_text(api->subject), 0600, err));
    return file_write(text_str(&path), span_of_text(text), 0600, err);
}

static bool says(const struct form_in *form, const char *name, const char *wanted)
{
    const char *said = form_get(form, name);
    return said != NULL && strcmp(said, wanted) == 0;
}

void gce_exchange_answer(const struct gce_api *api, const struct face_request *request,
                         struct face_answer *out)
{
    OWNED(form_in_done) struct form_in form = {0};
    char token[GCE_TOKEN_SIZE];
    if (strcmp(request->method, "POST") != 0 || form_read(request->body, &form, NULL) != OK)
        return gce_token_refuse(out, "invalid_request", "a form is posted here");
    if (!says(&form, "grant_type", GRANT))
        return gce_token_refuse(out, "unsupported_grant_type", "only an exchange of tokens");
    if (!says(&form, "audience", AUDIENCE) || !says(&form, "subject_token_type", JWT) ||
        !says(&form, "requested_token_type", ACCESS_TOKEN))
        return gce_token_refuse(out, "invalid_target",
                                "The target service indicated by the audience is invalid.");
    if (!says(&form, "subject_token", api->subject))
        return gce_token_refuse(out, "invalid_grant", "The subject token is not of its issuer.");
    gce_token_make(api, GCE_FEDERATED, moment_seconds(clock_now()) + api->token_seconds, token);
    text_addf(&out->body,
              "{\"access_token\":\"%s\",\"issued_token_type\":\"" ACCESS_TOKEN
              "\",\"token_type\":\"Bearer\",\"expires_in\":%lld}",
              token, (long long)api->token_seconds);
}

void gce_impersonate_answer(const struct gce_api *api, const struct face_request *request,
                            struct face_answer *out)
{
    const char *bearer = face_header(request, "authorization");
    const int64_t until = moment_seconds(clock_now()) + api->token_seconds;
    char path[256], token[GCE_TOKEN_SIZE];
    struct gce_refusal why = {0};
    snprintf(path, sizeof path, GCE_IMPERSONATION "%s:generateAccessToken", api->email);
    if (bearer == NULL || strncmp(bearer, "Bearer ", 7) != 0 ||
        !gce_token_is_good(api, GCE_FEDERATED, bearer + 7))
        gce_refuse(&why, 401, "authError", "Invalid Credentials");
    else if (strcmp(request->method, "POST") != 0 || strcmp(request->path, path) != 0)
        gce_refuse(&why, 403, "forbidden",
                   "Permission 'iam.serviceAccounts.getAccessToken' denied on resource");
    if (why.status != 0)
        return gce_say_refusal(&why, out);
    gce_token_make(api, GCE_ACCOUNT, until, token);
    text_addf(&out->body, "{\"accessToken\":\"%s\",\"expireTime\":\"%s\"}", token,
              moment_text(clock_at_seconds(until)).at);
}
