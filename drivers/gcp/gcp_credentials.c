#include "drivers/gcp/gcp_credentials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drivers/credential_file.h"
#include "drivers/rest.h"
#include "lib/base/file.h"

static const char metadata_token[] =
    "/computeMetadata/v1/instance/service-accounts/default/token"
    "?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform";

static void wipe_strings(const json_t *value)
{
    const char *name;
    size_t i;
    json_t *one;
    if (json_is_string(value))
        explicit_bzero((char *)(uintptr_t)json_string_value(value), json_string_length(value));
    json_object_foreach (json_looked_at(value), name, one)
        wipe_strings(one);
    json_array_foreach (json_looked_at(value), i, one)
        wipe_strings(one);
}

void gcp_json_wipe(json_t *value)
{
    wipe_strings(value);
    json_decref(value);
}

static enum outcome bad(struct error *err, const char *why)
{
    return fail_code(err, ERR_DENIED, "no-credentials", "Google credentials: %s", why);
}

/* ---- what a file holds -------------------------------------------------------------------- */

static enum outcome read_text(const json_t *object, const char *name, char *out, size_t size,
                              struct error *err)
{
    const char *text;
    if (json_get_text(object, "", name, size - 1, &text, err) != OK || text[0] == '\0')
        return fail_code(err, ERR_DENIED, "no-credentials",
                         "Google credentials: no %s of 1 to %zu characters", name, size - 1);
    memcpy(out, text, strlen(text) + 1);
    return OK;
}

#define READ(object, name, field) read_text((object), (name), (field), sizeof(field), err)

/* Where we send what proves who we are. */
static enum outcome read_url(const json_t *object, const char *name, char out[static GCP_URL_SIZE],
                             struct error *err)
{
    TRY(read_text(object, name, out, GCP_URL_SIZE, err));
    if (!rest_url_is_safe(out))
        return fail_code(err, ERR_DENIED, "no-credentials",
                         "Google credentials: %s is neither https nor on this machine", name);
    return OK;
}

static enum outcome lock_text(const json_t *object, const char *name, struct locked *out,
                              struct error *err)
{
    enum { SECRET_MAX = 4096 };
    const char *text;
    if (json_get_text(object, "", name, SECRET_MAX, &text, err) != OK || text[0] == '\0')
        return bad(err, name);
    TRY(locked_new(strlen(text) + 1, out, err));
    memcpy(out->at, text, strlen(text));
    return OK;
}

static enum outcome read_service_account(const json_t *file, struct gcp_credentials *out,
                                         struct error *err)
{
    const char *pem;
    out->kind = GCP_SERVICE_ACCOUNT;
    TRY(READ(file, "client_email", out->name));
    TRY(READ(file, "private_key_id", out->key_id));
    TRY(read_url(file, "token_uri", out->token_url, err));
    if (json_get_text(file, "", "private_key", 16 * 1024, &pem, err) != OK ||
        rsa_signer_from_pem(span_of_text(pem), &out->key, err) != OK)
        return bad(err, "private_key is no RSA key in PEM");
    return OK;
}

static enum outcome read_user(const json_t *file, struct gcp_credentials *out, struct error *err)
{
    out->kind = GCP_USER;
    snprintf(out->name, sizeof out->name, "gcloud's user");
    snprintf(out->token_url, sizeof out->token_url, "https://oauth2.googleapis.com/token");
    if (json_object_get(file, "token_uri") != NULL)
        TRY(read_url(file, "token_uri", out->token_url, err));
    TRY(READ(file, "client_id", out->client_id));
    TRY(lock_text(file, "client_secret", &out->client_secret, err));
    return lock_text(file, "refresh_token", &out->refresh_token, err);
}

/* Executables and AWS's own signatures are not for us: a token comes from a file or an address. */
static enum outcome read_subject(const json_t *source, struct gcp_credentials *out,
                                 struct error *err)
{
    const json_t *format = json_object_get(source, "format");
    const char *type = json_string_value(json_object_get(format, "type"));
    if (json_object_get(source, "file") != NULL)
        TRY(READ(source, "file", out->subject_file));
    else if (json_object_get(source, "url") != NULL)
        TRY(read_url(source, "url", out->subject_url, err));
    else
        return bad(err, "credential_source has neither file nor url");
    out->subject_headers = json_deep_copy(json_object_get(source, "headers"));
    if (type != NULL && strcmp(type, "json") == 0)
        TRY(READ(format, "subject_token_field_name", out->subject_field));
    return OK;
}

static enum outcome read_federated(const json_t *file, struct gcp_credentials *out,
                                   struct error *err)
{
    out->kind = GCP_FEDERATED;
    TRY(READ(file, "audience", out->audience));
    TRY(READ(file, "subject_token_type", out->subject_type));
    TRY(read_url(file, "token_url", out->token_url, err));
    TRY(read_subject(json_object_get(file, "credential_source"), out, err));
    snprintf(out->name, sizeof out->name, "%.255s", out->audience);
    if (json_object_get(file, "service_account_impersonation_url") == NULL)
        return OK;
    TRY(read_url(file, "service_account_impersonation_url", out->impersonate_url, err));
    const char *email = strrchr(out->impersonate_url, '/');
    snprintf(out->name, sizeof out->name, "%.*s", (int)strcspn(email + 1, ":"), email + 1);
    return OK;
}

static enum outcome read_kind(const json_t *file, struct gcp_credentials *out, struct error *err)
{
    static const struct {
        const char *type;
        enum outcome (*read)(const json_t *, struct gcp_credentials *, struct error *);
    } kinds[] = {
        {"service_account", read_service_account},
        {"authorized_user", read_user},
        {"external_account", read_federated},
    };
    const char *type = json_string_value(json_object_get(file, "type"));
    for (size_t i = 0; type != NULL && i < countof(kinds); i++)
        if (strcmp(kinds[i].type, type) == 0)
            return kinds[i].read(file, out, err);
    return bad(err, "type is none of service_account, authorized_user, external_account");
}

enum outcome gcp_credentials_read(struct span content, struct gcp_credentials *out,
                                  struct error *err)
{
    OWNED(gcp_json_wipe_drop) json_t *file = NULL;
    OWNED(gcp_credentials_done) struct gcp_credentials made = {0};
    if (json_parse(content, GCP_CREDENTIALS_MAX, &file, err) != OK || !json_is_object(file))
        return bad(err, "the file is no JSON object");
    TRY(read_kind(file, &made, err));
    *out = made;
    made = (struct gcp_credentials){0};
    return OK;
}

void gcp_credentials_done(struct gcp_credentials *credentials)
{
    rsa_signer_free(credentials->key);
    locked_done(&credentials->client_secret);
    locked_done(&credentials->refresh_token);
    if (credentials->subject_headers != NULL)
        gcp_json_wipe(credentials->subject_headers);
    explicit_bzero(credentials, sizeof *credentials);
}

/* ---- where they are ------------------------------------------------------------------------ */

static enum outcome from_file(const char *path, struct gcp_credentials *out, struct error *err)
{
    OWNED(bytes_wipe) struct bytes content = {0};
    OWNED(bytes_wipe) struct bytes again = {0};
    OWNED(gcp_credentials_done) struct gcp_credentials made = {0};
    struct error why = {0};
    if (file_read(path, GCP_CREDENTIALS_MAX, &content, &why) != OK)
        return bad(err, why.text);
    if (gcp_credentials_read(bytes_span(&content), &made, err) != OK)
        return error_context(err, "%s", path);
    /* What only says where to exchange a token may be read by all. */
    if (made.kind != GCP_FEDERATED &&
        file_read_private(path, GCP_CREDENTIALS_MAX, &again, &why) != OK)
        return bad(err, why.text);
    *out = made;
    made = (struct gcp_credentials){0};
    return OK;
}

static enum outcome from_metadata(struct gcp_credentials *out, struct error *err)
{
    const char *host = getenv("GCE_METADATA_HOST");
    *out = (struct gcp_credentials){.kind = GCP_METADATA};
    snprintf(out->name, sizeof out->name, "this machine's service account");
    snprintf(out->token_url, sizeof out->token_url, "http://%.200s%s",
             host != NULL && host[0] != '\0' ? host : "metadata.google.internal", metadata_token);
    if (!rest_url_is_safe(out->token_url))
        return bad(err, "GCE_METADATA_HOST is neither Google's metadata server nor this machine");
    return OK;
}

static enum outcome from_environment(struct gcp_credentials *out, struct error *err)
{
    OWNED(text_done) struct text path = {0};
    const char *named = getenv("GOOGLE_APPLICATION_CREDENTIALS");
    const char *config = getenv("CLOUDSDK_CONFIG");
    const char *home = getenv("HOME");
    if (named != NULL && named[0] != '\0')
        return from_file(named, out, err);
    if (config != NULL && config[0] != '\0')
        text_addf(&path, "%s/application_default_credentials.json", config);
    else if (home != NULL)
        text_addf(&path, "%s/.config/gcloud/application_default_credentials.json", home);
    if (path.len > 0 && access(text_str(&path), F_OK) == 0)
        return from_file(text_str(&path), out, err);
    return from_metadata(out, err);
}

static enum outcome from_named(const char *name, struct gcp_credentials *out, struct error *err)
{
    OWNED(text_done) struct text path = {0};
    credential_file_path(name, &path);
    return from_file(text_str(&path), out, err);
}

enum outcome gcp_credentials_find(const struct account *account, struct gcp_credentials *out,
                                  struct error *err)
{
    switch (account_credential_source(account)) {
    case CREDENTIALS_ENVIRONMENT:
        return from_environment(out, err);
    case CREDENTIALS_GOOGLE_FILE:
        return from_named(account_credential(account, "file"), out, err);
    case CREDENTIALS_METADATA_SERVER:
        return from_metadata(out, err);
    case CREDENTIALS_CLIENT_SECRET:
    case CREDENTIALS_CLIENT_CERTIFICATE:
    case CREDENTIALS_WORKLOAD_IDENTITY:
    case CREDENTIALS_MANAGED_IDENTITY:
    case CREDENTIALS_PROFILE:
    case CREDENTIAL_SOURCE_COUNT:
        break;
    }
    return bad(err, "not a source of Google's");
}
