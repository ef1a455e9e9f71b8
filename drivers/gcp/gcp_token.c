#include "drivers/gcp/gcp_token.h"

#include <stdio.h>
#include <string.h>

#include "drivers/gcp/gcp_answers.h"
#include "lib/base/file.h"

enum { TOKEN_TIMEOUT_MS = 10000, SUBJECT_MAX = 64 * 1024, HEADERS_MOST = 8, LIFE_LEAST_MS = 30000 };

static const char jwt_grant[] = "urn:ietf:params:oauth:grant-type:jwt-bearer";
static const char exchange_grant[] = "urn:ietf:params:oauth:grant-type:token-exchange";
static const char access_token_type[] = "urn:ietf:params:oauth:token-type:access_token";

/* ---- what is sent -------------------------------------------------------------------------- */

static json_t *make_claims(const struct gcp_credentials *who, struct moment now)
{
    json_t *claims = json_object();
    json_put_text(claims, "iss", who->name);
    json_put_text(claims, "scope", GCP_SCOPE);
    json_put_text(claims, "aud", who->token_url);
    json_put_int(claims, "iat", moment_seconds(now));
    json_put_int(claims, "exp", moment_seconds(now) + GCP_TOKEN_SECONDS);
    return claims;
}

static enum outcome add_assertion(const struct gcp_credentials *who, struct moment now,
                                  struct form *out, struct error *err)
{
    OWNED(json_drop) json_t *header = json_object();
    OWNED(json_drop) json_t *claims = make_claims(who, now);
    json_put_text(header, "alg", "RS256");
    json_put_text(header, "kid", who->key_id);
    json_put_text(header, "typ", "JWT");
    OWNED(mem_drop) char *head = json_print(header);
    OWNED(mem_drop) char *said = json_print(claims);
    OWNED(mem_drop) char *assertion = NULL;
    TRY(rsa_signer_token(who->key, RSA_PKCS1_SHA256, span_of_text(head), span_of_text(said),
                         &assertion, err));
    form_add(out, "assertion", assertion);
    form_add(out, "grant_type", jwt_grant);
    return OK;
}

static void add_consent(const struct gcp_credentials *who, struct form *out)
{
    form_add(out, "grant_type", "refresh_token");
    form_add(out, "client_id", who->client_id);
    form_add(out, "client_secret", (const char *)who->client_secret.at);
    form_add(out, "refresh_token", (const char *)who->refresh_token.at);
}

static void add_exchange(const struct gcp_credentials *who, struct span subject, struct form *out)
{
    form_add(out, "grant_type", exchange_grant);
    form_add(out, "audience", who->audience);
    form_add(out, "scope", GCP_SCOPE);
    form_add(out, "requested_token_type", access_token_type);
    text_add(&out->body, "&subject_token=");
    text_add_percent(&out->body, subject);
    form_add(out, "subject_token_type", who->subject_type);
}

enum outcome gcp_token_form(const struct gcp_credentials *who, struct moment now,
                            struct span subject, struct form *out, struct error *err)
{
    switch (who->kind) {
    case GCP_SERVICE_ACCOUNT:
        return add_assertion(who, now, out, err);
    case GCP_USER:
        add_consent(who, out);
        return OK;
    case GCP_FEDERATED:
        add_exchange(who, subject, out);
        return OK;
    case GCP_METADATA:
        break;
    }
    return fail(err, ERR_INTERNAL, "the metadata server takes no form");
}

void gcp_token_impersonation(struct text *out)
{
    OWNED(json_drop) json_t *body = json_object();
    json_t *scopes = json_array();
    char lifetime[16];
    snprintf(lifetime, sizeof lifetime, "%ds", GCP_TOKEN_SECONDS);
    json_add_new(scopes, json_string(GCP_SCOPE));
    json_put_new(body, "scope", scopes);
    json_put_text(body, "lifetime", lifetime);
    OWNED(mem_drop) char *printed = json_print(body);
    text_add(out, printed);
}

/* ---- what comes back ----------------------------------------------------------------------- */

static enum outcome no_token(struct error *err, const char *why)
{
    return cloud_fail(err, CLOUD_SERVER_ERROR, "the token endpoint's answer %s", why);
}

static bool is_token(const char *text)
{
    size_t len = text != NULL ? strlen(text) : 0;
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return len > 0 && len <= GCP_TOKEN_MAX;
}

static bool read_life(const json_t *answer, struct moment now, int64_t *out)
{
    const json_t *seconds = json_object_get(answer, "expires_in");
    const char *end = json_string_value(json_object_get(answer, "expireTime"));
    struct moment at;
    if (json_is_integer(seconds))
        *out = json_integer_value(seconds);
    else if (end != NULL && moment_parse(end, &at, NULL) == OK)
        *out = moment_seconds_between(now, at);
    else
        return false;
    if (*out > GCP_TOKEN_SECONDS)
        *out = GCP_TOKEN_SECONDS;
    return *out > 0;
}

enum outcome gcp_token_read(struct span body, struct moment now, struct locked *out_bearer,
                            int64_t *out_seconds, struct error *err)
{
    OWNED(gcp_json_wipe_drop) json_t *answer = NULL;
    OWNED(locked_done) struct locked bearer = {0};
    if (json_parse(body, GCP_TOKEN_MAX * 2, &answer, NULL) != OK || !json_is_object(answer))
        return no_token(err, "is no JSON object");
    const char *token = json_string_value(json_object_get(answer, "access_token"));
    if (token == NULL)
        token = json_string_value(json_object_get(answer, "accessToken"));
    if (!is_token(token))
        return no_token(err, "holds no token");
    if (!read_life(answer, now, out_seconds))
        return no_token(err, "does not say how long it lasts");
    TRY(locked_new(strlen(token) + sizeof "Bearer ", &bearer, err));
    snprintf((char *)bearer.at, bearer.len, "Bearer %s", token);
    *out_bearer = bearer;
    bearer = (struct locked){0};
    return OK;
}

/* ---- asking -------------------------------------------------------------------------------- */

/* Whatever became of a token that we asked for: nothing was launched. */
static enum outcome ask(struct http *http, const struct http_request *request,
                        struct http_answer *out, struct error *err)
{
    struct error why = {0};
    enum outcome outcome = rest_send(http, request, out, &why);
    if (outcome == ERR_AMBIGUOUS)
        return cloud_fail(err, CLOUD_SERVER_ERROR, "no token: %.250s", why.text);
    if (outcome != OK && err != NULL)
        *err = why;
    return outcome;
}

static void wipe_answer(struct http_answer *answer)
{
    bytes_wipe(&answer->body);
    http_answer_done(answer);
}

static void wipe_form(struct form *form)
{
    if (form->body.at != NULL)
        explicit_bzero(form->body.at, form->body.len);
    form_done(form);
}

/* Whatever is wrong with what we sent, or not there: we are not signed in. */
static enum outcome check_answer(int status, struct span body, struct error *err)
{
    const struct gcp_error said = gcp_error_read(status, body);
    if (status == 404 || (status >= 400 && said.kind == CLOUD_INVALID))
        return cloud_fail(err, CLOUD_AUTH, "%s (%d): %.180s", said.code, status, said.message);
    return gcp_check_status(status, body, err);
}

static enum outcome read_answer(const struct http_answer *answer, struct locked *out_bearer,
                                int64_t *out_seconds, struct error *err)
{
    const struct span body = bytes_span(&answer->body);
    TRY(check_answer(answer->status, body, err));
    return gcp_token_read(body, clock_now(), out_bearer, out_seconds, err);
}

static enum outcome ask_metadata(const struct gcp_credentials *who, struct http *http,
                                 struct locked *out_bearer, int64_t *out_seconds, struct error *err)
{
    static const struct http_header headers[] = {{"Metadata-Flavor", "Google"}};
    OWNED(wipe_answer) struct http_answer answer = {0};
    const struct http_request request = {.method = "GET",
                                         .url = who->token_url,
                                         .headers = headers,
                                         .header_count = countof(headers),
                                         .timeout_ms = TOKEN_TIMEOUT_MS,
                                         .answer_limit = GCP_TOKEN_MAX * 2};
    TRY(ask(http, &request, &answer, err));
    const char *flavor = http_answer_header(&answer, "Metadata-Flavor");
    if (flavor == NULL || strcmp(flavor, "Google") != 0)
        return cloud_fail(err, CLOUD_AUTH, "%.200s is not Google's metadata server",
                          who->token_url);
    return read_answer(&answer, out_bearer, out_seconds, err);
}

static size_t put_headers(const json_t *from, struct http_header *out)
{
    size_t count = 0;
    const char *name;
    json_t *value;
    json_object_foreach (json_looked_at(from), name, value)
        if (json_is_string(value) && count < HEADERS_MOST)
            out[count++] = (struct http_header){name, json_string_value(value)};
    return count;
}

static enum outcome fetch_subject(const struct gcp_credentials *who, struct http *http,
                                  struct bytes *out, struct error *err)
{
    if (who->subject_file[0] != '\0') {
        struct error why = {0};
        if (file_read(who->subject_file, SUBJECT_MAX, out, &why) == OK)
            return OK;
        return cloud_fail(err, CLOUD_AUTH, "the token to exchange: %.250s", why.text);
    }
    struct http_header headers[HEADERS_MOST];
    OWNED(wipe_answer) struct http_answer answer = {0};
    const struct http_request request = {.method = "GET",
                                         .url = who->subject_url,
                                         .headers = headers,
                                         .header_count = put_headers(who->subject_headers, headers),
                                         .timeout_ms = TOKEN_TIMEOUT_MS,
                                         .answer_limit = SUBJECT_MAX};
    TRY(ask(http, &request, &answer, err));
    TRY(check_answer(answer.status, bytes_span(&answer.body), err));
    *out = bytes_take(&answer.body);
    return OK;
}

/* The token of another provider: as it is, or a member of a JSON object. */
static enum outcome read_subject(const struct gcp_credentials *who, struct http *http,
                                 struct bytes *out, struct error *err)
{
    if (who->kind != GCP_FEDERATED)
        return OK;
    OWNED(bytes_wipe) struct bytes whole = {0};
    OWNED(gcp_json_wipe_drop) json_t *object = NULL;
    TRY(fetch_subject(who, http, &whole, err));
    if (who->subject_field[0] == '\0') {
        *out = bytes_take(&whole);
        return OK;
    }
    error_ignore(json_parse(bytes_span(&whole), SUBJECT_MAX, &object, NULL));
    const char *token = json_string_value(json_object_get(object, who->subject_field));
    if (token == NULL)
        return cloud_fail(err, CLOUD_AUTH, "the token to exchange: no member %s",
                          who->subject_field);
    *out = bytes_copy(span_of_text(token));
    return OK;
}

static enum outcome exchange(const struct gcp_credentials *who, struct http *http,
                             struct locked *out_bearer, int64_t *out_seconds, struct error *err)
{
    static const struct http_header headers[] = {
        {"Content-Type", "application/x-www-form-urlencoded"}};
    OWNED(bytes_wipe) struct bytes subject = {0};
    OWNED(wipe_form) struct form form = {0};
    OWNED(wipe_answer) struct http_answer answer = {0};
    TRY(read_subject(who, http, &subject, err));
    TRY(gcp_token_form(who, clock_now(), bytes_span(&subject), &form, err));
    const struct http_request request = {.method = "POST",
                                         .url = who->token_url,
                                         .headers = headers,
                                         .header_count = countof(headers),
                                         .body = text_span(&form.body),
                                         .timeout_ms = TOKEN_TIMEOUT_MS,
                                         .answer_limit = GCP_TOKEN_MAX * 2};
    TRY(ask(http, &request, &answer, err));
    return read_answer(&answer, out_bearer, out_seconds, err);
}

static enum outcome impersonate(const struct gcp_credentials *who, struct http *http,
                                struct locked *bearer, int64_t *out_seconds, struct error *err)
{
    if (who->impersonate_url[0] == '\0')
        return OK;
    OWNED(text_done) struct text body = {0};
    OWNED(wipe_answer) struct http_answer answer = {0};
    const struct http_header headers[] = {{"Authorization", (const char *)bearer->at},
                                          {"Content-Type", "application/json"}};
    gcp_token_impersonation(&body);
    const struct http_request request = {.method = "POST",
                                         .url = who->impersonate_url,
                                         .headers = headers,
                                         .header_count = countof(headers),
                                         .body = text_span(&body),
                                         .timeout_ms = TOKEN_TIMEOUT_MS,
                                         .answer_limit = GCP_TOKEN_MAX * 2};
    TRY(ask(http, &request, &answer, err));
    struct locked theirs = {0};
    TRY(read_answer(&answer, &theirs, out_seconds, err));
    locked_done(bearer);
    *bearer = theirs;
    return OK;
}

static enum outcome renew(struct gcp_token *token, const struct gcp_credentials *who,
                          struct http *http, struct error *err)
{
    OWNED(locked_done) struct locked bearer = {0};
    int64_t seconds = 0;
    int64_t asked_ms = clock_monotonic_ms();
    if (who->kind == GCP_METADATA)
        TRY(ask_metadata(who, http, &bearer, &seconds, err));
    else
        TRY(exchange(who, http, &bearer, &seconds, err));
    TRY(impersonate(who, http, &bearer, &seconds, err));
    gcp_token_forget(token);
    int64_t early = seconds / 4 < GCP_TOKEN_EARLY_SECONDS ? seconds / 4 : GCP_TOKEN_EARLY_SECONDS;
    *token = (struct gcp_token){.bearer = bearer,
                                .renew_ms = asked_ms + (seconds - early) * 1000,
                                .until_ms = asked_ms + seconds * 1000,
                                .is_fresh = true};
    bearer = (struct locked){0};
    return OK;
}

enum outcome gcp_token_get(struct gcp_token *token, const struct gcp_credentials *who,
                           struct http *http, const char **out, struct error *err)
{
    const bool is_there = token->bearer.len > 0;
    const int64_t now_ms = clock_monotonic_ms();
    token->is_fresh = false;
    if (!is_there || now_ms >= token->renew_ms) {
        enum outcome outcome = renew(token, who, http, err);
        if (outcome != OK && (!is_there || now_ms + LIFE_LEAST_MS >= token->until_ms))
            return outcome;
    }
    *out = (const char *)token->bearer.at;
    return OK;
}

void gcp_token_forget(struct gcp_token *token)
{
    locked_done(&token->bearer);
    *token = (struct gcp_token){0};
}

void gcp_token_done(struct gcp_token *token)
{
    gcp_token_forget(token);
}
