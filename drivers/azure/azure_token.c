#include "drivers/azure/azure_token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/azure/azure_answers.h"
#include "drivers/credential_file.h"
#include "lib/base/json.h"
#include "lib/crypto/random.h"

#define GUESTS_SERVICE "http://169.254.169.254/"

enum {
    SECRET_MAX = 4096,
    CERTIFICATE_MAX = 64 * 1024,
    ASSERTION_SECONDS = 600,
    TOKEN_LIFE_MOST_SECONDS = 7 * 86400,
    TOKEN_TIMEOUT_MS = 15000,
};

/* ---- where Azure is ------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
    const char *arm;
    const char *login;
} places[] = {
    {"management.azure.com",         "login.microsoftonline.com"},
    {"management.usgovcloudapi.net", "login.microsoftonline.us"},
    {"management.chinacloudapi.cn",  "login.partner.microsoftonline.cn"},
};
/* clang-format on */

static void name_resource(const char *host, struct azure_place *out)
{
    snprintf(out->scope, sizeof out->scope, "https://%.90s/.default", host);
    snprintf(out->audience, sizeof out->audience, "https://%.90s", host);
}

enum outcome azure_place_find(const struct account *account, struct azure_place *out,
                              struct error *err)
{
    const char *url =
        account->endpoint[0] != '\0' ? account->endpoint : "https://management.azure.com";
    struct azure_place made = {0};
    TRY(endpoint_parse(url, &made.arm, err));
    if (endpoint_is_loopback(&made.arm)) {
        made.login = made.arm;
        name_resource(places[0].arm, &made);
        *out = made;
        return OK;
    }
    for (size_t i = 0; i < countof(places); i++)
        if (strcmp(places[i].arm, made.arm.host) == 0) {
            char login[128];
            snprintf(login, sizeof login, "https://%s", places[i].login);
            name_resource(places[i].arm, &made);
            *out = made;
            return endpoint_parse(login, &out->login, err);
        }
    return fail_code(err, ERR_INVALID, "bad-endpoint", "%s is none of Azure's hosts",
                     made.arm.host);
}

/* ---- credentials ---------------------------------------------------------------------------- */

static enum outcome name_self(const char *tenant, const char *client_id, struct azure_identity *out,
                              struct error *err)
{
    if (tenant == NULL || client_id == NULL || !text_is_word(tenant) || !text_is_word(client_id) ||
        strlen(tenant) >= sizeof out->tenant || strlen(client_id) >= sizeof out->client_id)
        return fail_code(err, ERR_DENIED, "no-credentials",
                         "no tenant and client id: AZURE_TENANT_ID and AZURE_CLIENT_ID, or the "
                         "account's credentials");
    snprintf(out->tenant, sizeof out->tenant, "%s", tenant);
    snprintf(out->client_id, sizeof out->client_id, "%s", client_id);
    return OK;
}

static enum outcome use_certificate(struct locked *pem, struct azure_identity *out,
                                    struct error *err)
{
    struct error why = {0};
    uint8_t hash[SHA256_SIZE];
    out->way = AZURE_CERTIFICATE;
    if (rsa_signer_from_pem(SPAN(pem->at, pem->len - 1), &out->signer, &why) != OK)
        return fail_code(err, ERR_DENIED, "no-credentials", "%s", why.text);
    if (!rsa_signer_thumbprint(out->signer, hash))
        return fail_code(err, ERR_DENIED, "no-credentials", "no certificate beside the key");
    return OK;
}

static enum outcome from_variables(struct azure_identity *out, struct error *err)
{
    OWNED(locked_done) struct locked pem = {0};
    const char *secret = getenv("AZURE_CLIENT_SECRET");
    TRY(name_self(getenv("AZURE_TENANT_ID"), getenv("AZURE_CLIENT_ID"), out, err));
    if (secret != NULL && secret[0] != '\0') {
        size_t len = strlen(secret);
        if (len > SECRET_MAX || !text_is_clean(span_of_text(secret)) || strpbrk(secret, "\r\n\t"))
            return fail_code(err, ERR_DENIED, "no-credentials",
                             "AZURE_CLIENT_SECRET is no line of text");
        out->way = AZURE_SECRET;
        TRY(locked_new(len + 1, &out->secret, err));
        memcpy(out->secret.at, secret, len);
        return OK;
    }
    if (getenv("AZURE_CLIENT_CERTIFICATE_PATH") != NULL) {
        TRY(credential_path_read("AZURE_CLIENT_CERTIFICATE_PATH", CERTIFICATE_MAX, &pem, err));
        return use_certificate(&pem, out, err);
    }
    out->way = AZURE_FEDERATED;
    return credential_path_read("AZURE_FEDERATED_TOKEN_FILE", AZURE_TOKEN_MAX, &pem, err);
}

static enum outcome from_file(const struct account *account, struct azure_identity *out,
                              struct error *err)
{
    OWNED(locked_done) struct locked pem = {0};
    const char *file = account_credential(account, "file");
    TRY(name_self(account_credential(account, "tenant"), account_credential(account, "client_id"),
                  out, err));
    switch (out->way) {
    case AZURE_SECRET:
        return credential_file_read(file, SECRET_MAX, &out->secret, err);
    case AZURE_CERTIFICATE:
        TRY(credential_file_read(file, CERTIFICATE_MAX, &pem, err));
        return use_certificate(&pem, out, err);
    case AZURE_FEDERATED:
        return text_copy(out->file, sizeof out->file, file, "file", err);
    case AZURE_MANAGED:
        break;
    }
    return fail(err, ERR_INTERNAL, "a managed identity has no file");
}

static enum outcome find_identity(const struct account *account, struct azure_identity *out,
                                  struct error *err)
{
    switch (account_credential_source(account)) {
    case CREDENTIALS_ENVIRONMENT:
        return from_variables(out, err);
    case CREDENTIALS_CLIENT_SECRET:
        out->way = AZURE_SECRET;
        return from_file(account, out, err);
    case CREDENTIALS_CLIENT_CERTIFICATE:
        out->way = AZURE_CERTIFICATE;
        return from_file(account, out, err);
    case CREDENTIALS_WORKLOAD_IDENTITY:
        out->way = AZURE_FEDERATED;
        return from_file(account, out, err);
    case CREDENTIALS_MANAGED_IDENTITY:
        out->way = AZURE_MANAGED;
        return text_copy(out->client_id, sizeof out->client_id,
                         account_credential(account, "client_id"), "client_id", err);
    case CREDENTIALS_GOOGLE_FILE:
    case CREDENTIALS_METADATA_SERVER:
    case CREDENTIALS_PROFILE:
    case CREDENTIAL_SOURCE_COUNT:
        break;
    }
    return fail_code(err, ERR_DENIED, "no-credentials", "not a source of Azure's credentials");
}

enum outcome azure_identity_find(const struct account *account, struct azure_identity *out,
                                 struct error *err)
{
    struct azure_identity made = {0};
    enum outcome outcome = find_identity(account, &made, err);
    if (outcome != OK) {
        azure_identity_done(&made);
        return outcome;
    }
    *out = made;
    return OK;
}

void azure_identity_done(struct azure_identity *identity)
{
    locked_done(&identity->secret);
    locked_done(&identity->token);
    rsa_signer_free(identity->signer);
    free(identity->claims);
    *identity = (struct azure_identity){0};
}

/* ---- the exchange --------------------------------------------------------------------------- */

static void name_token_url(const struct azure_identity *identity, const struct azure_place *place,
                           struct text *out)
{
    text_add(out, place->login.url);
    text_add_percent(out, span_of_text(identity->tenant));
    text_add(out, "/oauth2/v2.0/token");
}

/* "I am this application, says its certificate": one use, ten minutes. */
static enum outcome make_assertion(const struct azure_identity *identity,
                                   const struct azure_place *place, struct moment now, char **out,
                                   struct error *err)
{
    uint8_t hash[SHA256_SIZE];
    OWNED(text_done) struct text url = {0};
    OWNED(json_drop) json_t *header = json_object();
    OWNED(json_drop) json_t *claims = json_object();
    const struct uuid id = uuid_new();
    name_token_url(identity, place, &url);
    rsa_signer_thumbprint(identity->signer, hash);
    OWNED(mem_drop) char *thumbprint = base64url_of(SPAN_OF(hash));
    json_put_text(header, "alg", "PS256");
    json_put_text(header, "typ", "JWT");
    json_put_text(header, "x5t#S256", thumbprint);
    json_put_text(claims, "aud", text_str(&url));
    json_put_text(claims, "iss", identity->client_id);
    json_put_text(claims, "sub", identity->client_id);
    json_put_text(claims, "jti", uuid_text(&id).at);
    json_put_int(claims, "nbf", moment_seconds(now));
    json_put_int(claims, "iat", moment_seconds(now));
    json_put_int(claims, "exp", moment_seconds(now) + ASSERTION_SECONDS);
    OWNED(mem_drop) char *header_text = json_print(header);
    OWNED(mem_drop) char *claims_text = json_print(claims);
    return rsa_signer_token(identity->signer, RSA_PSS_SHA256, span_of_text(header_text),
                            span_of_text(claims_text), out, err);
}

static enum outcome read_federated(const struct azure_identity *identity, struct locked *out,
                                   struct error *err)
{
    if (identity->file[0] != '\0')
        return credential_file_read(identity->file, AZURE_TOKEN_MAX, out, err);
    return credential_path_read("AZURE_FEDERATED_TOKEN_FILE", AZURE_TOKEN_MAX, out, err);
}

static void add_assertion(struct form *form, const char *assertion)
{
    form_add(form, "client_assertion_type",
             "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    form_add(form, "client_assertion", assertion);
}

enum outcome azure_token_form(const struct azure_identity *identity,
                              const struct azure_place *place, struct moment now, struct form *out,
                              struct error *err)
{
    OWNED(mem_drop) char *assertion = NULL;
    OWNED(locked_done) struct locked federated = {0};
    form_add(out, "grant_type", "client_credentials");
    form_add(out, "client_id", identity->client_id);
    form_add(out, "scope", place->scope);
    if (identity->claims != NULL)
        form_add(out, "claims", identity->claims);
    switch (identity->way) {
    case AZURE_SECRET:
        form_add(out, "client_secret", (const char *)identity->secret.at);
        break;
    case AZURE_CERTIFICATE:
        TRY(make_assertion(identity, place, now, &assertion, err));
        add_assertion(out, assertion);
        break;
    case AZURE_FEDERATED:
        TRY(read_federated(identity, &federated, err));
        add_assertion(out, (const char *)federated.at);
        break;
    case AZURE_MANAGED:
        return fail(err, ERR_INTERNAL, "a managed identity exchanges nothing");
    }
    return OK;
}

/* Numbers come as text from the metadata service. */
static int64_t life_of(const json_t *value)
{
    const json_t *life = json_object_get(value, "expires_in");
    int64_t seconds = json_is_integer(life) ? json_integer_value(life) : 0;
    if (json_is_string(life) &&
        number_parse(json_string_value(life), 0, TOKEN_LIFE_MOST_SECONDS, &seconds, NULL) != OK)
        seconds = 0;
    return seconds < 0 ? 0 : seconds > TOKEN_LIFE_MOST_SECONDS ? TOKEN_LIFE_MOST_SECONDS : seconds;
}

enum outcome azure_token_read(struct span body, struct moment now, struct locked *out,
                              struct moment *out_ends, struct error *err)
{
    OWNED(json_drop) json_t *value = NULL;
    if (json_parse(body, 4 * AZURE_TOKEN_MAX, &value, NULL) != OK)
        return cloud_fail(err, CLOUD_SERVER_ERROR, "the token service's answer is no plain JSON");
    char *token = (char *)(uintptr_t)json_string_value(json_object_get(value, "access_token"));
    size_t len = token != NULL ? strlen(token) : 0;
    if (len == 0 || len > AZURE_TOKEN_MAX || !text_is_word(token) || life_of(value) == 0)
        return cloud_fail(err, CLOUD_SERVER_ERROR, "the token service's answer holds no token");
    *out_ends = moment_add_seconds(now, life_of(value));
    TRY(locked_new(len + 1, out, err));
    memcpy(out->at, token, len);
    explicit_bzero(token, len);
    return OK;
}

static enum outcome send_form(const struct azure_identity *identity,
                              const struct azure_place *place, struct http *http,
                              struct http_answer *out, struct error *err)
{
    OWNED(text_done) struct text url = {0};
    OWNED(form_done) struct form form = {0};
    const struct http_header headers[] = {{"Content-Type", "application/x-www-form-urlencoded"},
                                          {"Accept", "application/json"}};
    name_token_url(identity, place, &url);
    TRY(azure_token_form(identity, place, clock_now(), &form, err));
    const struct http_request request = {.method = "POST",
                                         .url = text_str(&url),
                                         .headers = headers,
                                         .header_count = countof(headers),
                                         .body = text_span(&form.body),
                                         .timeout_ms = TOKEN_TIMEOUT_MS,
                                         .answer_limit = 4 * AZURE_TOKEN_MAX};
    enum outcome outcome = rest_send(http, &request, out, err);
    explicit_bzero(form.body.at, form.body.len);
    return outcome;
}

/* Azure's own tools look there for a stand-in of the metadata service; only loopback will do. */
static enum outcome find_guests_service(struct text *out, struct error *err)
{
    struct endpoint stand_in;
    const char *named = getenv("AZURE_POD_IDENTITY_AUTHORITY_HOST");
    if (named == NULL) {
        text_add(out, GUESTS_SERVICE);
        return OK;
    }
    TRY(endpoint_parse(named, &stand_in, err));
    text_add(out, stand_in.url);
    return OK;
}

static enum outcome ask_guests_service(const struct azure_identity *identity,
                                       const struct azure_place *place, struct http *http,
                                       struct http_answer *out, struct error *err)
{
    OWNED(text_done) struct text url = {0};
    const struct http_header headers[] = {{"Metadata", "true"}};
    TRY(find_guests_service(&url, err));
    text_add(&url, "metadata/identity/oauth2/token?api-version=2018-02-01&resource=");
    text_add_percent(&url, span_of_text(place->audience));
    if (identity->client_id[0] != '\0') {
        text_add(&url, "&client_id=");
        text_add_percent(&url, span_of_text(identity->client_id));
    }
    const struct http_request request = {.method = "GET",
                                         .url = text_str(&url),
                                         .headers = headers,
                                         .header_count = countof(headers),
                                         .timeout_ms = TOKEN_TIMEOUT_MS,
                                         .answer_limit = 4 * AZURE_TOKEN_MAX};
    return rest_send(http, &request, out, err);
}

/* A refusal is one of us, whatever its words; the metadata service says 404 and 410 while it is
 * being updated. */
static enum outcome refuse(const struct azure_identity *identity, const struct http_answer *answer,
                           struct error *err)
{
    struct arm_error said = arm_error_read(answer->status, bytes_span(&answer->body));
    bool passes = answer->status == 404 || answer->status == 410;
    if (identity->way == AZURE_MANAGED && passes)
        said.kind = CLOUD_SERVER_ERROR;
    else if (said.kind != CLOUD_THROTTLE &&
             (said.kind != CLOUD_SERVER_ERROR || answer->status == 404))
        said.kind = CLOUD_AUTH;
    return arm_fail(&said, answer->status, err);
}

static enum outcome renew(struct azure_identity *identity, const struct azure_place *place,
                          struct http *http, struct error *err)
{
    struct http_answer answer = {0};
    struct locked token = {0};
    enum outcome outcome = identity->way == AZURE_MANAGED
                               ? ask_guests_service(identity, place, http, &answer, err)
                               : send_form(identity, place, http, &answer, err);
    if (outcome == ERR_AMBIGUOUS) /* nothing hangs on a token that we did not get */
        outcome = cloud_fail(err, CLOUD_SERVER_ERROR, "the token service does not answer");
    if (outcome == OK && answer.status != 200)
        outcome = refuse(identity, &answer, err);
    else if (outcome == OK)
        outcome = azure_token_read(bytes_span(&answer.body), clock_now(), &token,
                                   &identity->token_ends, err);
    bytes_wipe(&answer.body);
    http_answer_done(&answer);
    if (outcome != OK)
        return outcome;
    locked_done(&identity->token);
    identity->token = token;
    free(identity->claims);
    identity->claims = NULL;
    return OK;
}

enum outcome azure_token_get(struct azure_identity *identity, const struct azure_place *place,
                             struct http *http, const char **out, bool *out_new, struct error *err)
{
    int64_t left = moment_seconds_between(clock_now(), identity->token_ends);
    *out_new = identity->token.len == 0 || left < AZURE_REFRESH_SECONDS;
    if (*out_new) {
        struct error why = {0};
        enum outcome outcome = renew(identity, place, http, &why);
        /* Renewed early, so that a service that is away for a moment does not matter. */
        if (outcome != OK && (identity->token.len == 0 || left <= 0)) {
            if (err != NULL)
                *err = why;
            return outcome;
        }
    }
    *out = (const char *)identity->token.at;
    return OK;
}

void azure_token_drop(struct azure_identity *identity, const char *claims)
{
    locked_done(&identity->token);
    identity->token_ends = (struct moment){0};
    free(identity->claims);
    identity->claims = claims[0] != '\0' ? mem_text(claims) : NULL;
}
