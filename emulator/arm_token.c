/* The token service: who asks is checked as Entra does, and gets a token that only this run knows.
 */
#include <stdio.h>
#include <string.h>

#include "emulator/arm_api.h"
#include "emulator/form.h"

enum { SKEW_SECONDS = 300 };

#define RESOURCE "https://management.azure.com"

static bool refuse_client(struct arm_call *call, int number, const char *code, const char *why)
{
    OWNED(json_drop) json_t *body = json_object();
    char description[256];
    snprintf(description, sizeof description, "AADSTS%d: %s", number, why);
    json_t *codes = json_array();
    json_add_new(codes, json_integer(number));
    json_put_text(body, "error", code);
    json_put_text(body, "error_description", description);
    json_put_new(body, "error_codes", codes);
    arm_say(call, strcmp(code, "invalid_client") == 0 ? 401 : 400, body);
    return false;
}

/* One of the three parts of a token, as JSON. */
static json_t *read_part(const char *token, int which)
{
    OWNED(bytes_done) struct bytes plain = {0};
    json_t *out = NULL;
    for (; which > 0 && token != NULL; which--) {
        token = strchr(token, '.');
        token += token != NULL ? 1 : 0;
    }
    if (token == NULL || base64url_decode(SPAN(token, strcspn(token, ".")), &plain, NULL) != OK)
        return NULL;
    error_ignore(json_parse(bytes_span(&plain), FACE_BODY_MAX, &out, NULL));
    return out;
}

static bool has_text(const json_t *object, const char *name, const char *wanted)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL && strcmp(text, wanted) == 0;
}

static bool names_our_certificate(const struct arm_call *call, const json_t *header)
{
    uint8_t hash[SHA256_SIZE];
    rsa_signer_thumbprint(call->api->signer, hash);
    OWNED(mem_drop) char *expected = base64url_of(SPAN_OF(hash));
    return has_text(header, "x5t#S256", expected);
}

static bool check_assertion(struct arm_call *call, const char *assertion)
{
    if (call->api->federated_token[0] != '\0' && strcmp(assertion, call->api->federated_token) == 0)
        return true;
    OWNED(json_drop) json_t *header = read_part(assertion, 0);
    OWNED(json_drop) json_t *claims = read_part(assertion, 1);
    int64_t now = moment_seconds(clock_now());
    if (call->api->signer == NULL || header == NULL || claims == NULL)
        return refuse_client(call, 700027, "invalid_client", "Client assertion is not known.");
    bool pss = has_text(header, "alg", "PS256");
    if ((!pss && !has_text(header, "alg", "RS256")) || !names_our_certificate(call, header) ||
        rsa_signer_check(call->api->signer, pss ? RSA_PSS_SHA256 : RSA_PKCS1_SHA256, assertion,
                         NULL) != OK)
        return refuse_client(call, 700027, "invalid_client",
                             "Client assertion failed signature validation.");
    const char *audience = json_string_value(json_object_get(claims, "aud"));
    size_t path = strlen(call->request->path), len = audience != NULL ? strlen(audience) : 0;
    if (!has_text(claims, "iss", call->api->client_id) ||
        !has_text(claims, "sub", call->api->client_id) || len < path ||
        strcmp(audience + len - path, call->request->path) != 0)
        return refuse_client(call, 700021, "invalid_client", "Client assertion is for others.");
    if (json_integer_value(json_object_get(claims, "exp")) < now - SKEW_SECONDS ||
        json_integer_value(json_object_get(claims, "nbf")) > now + SKEW_SECONDS)
        return refuse_client(call, 700024, "invalid_client",
                             "Client assertion is not within its valid time range.");
    return true;
}

static bool check_client(struct arm_call *call, const struct form_in *form)
{
    const char *client = form_get(form, "client_id");
    const char *grant = form_get(form, "grant_type");
    const char *secret = form_get(form, "client_secret");
    const char *assertion = form_get(form, "client_assertion");
    if (strcasecmp(call->parts[0], call->api->tenant) != 0 && strcmp(call->parts[0], "adfs") != 0)
        return refuse_client(call, 90002, "invalid_request", "Tenant not found.");
    if (grant == NULL || strcmp(grant, "client_credentials") != 0)
        return refuse_client(call, 70003, "unsupported_grant_type", "Only client_credentials.");
    if (client == NULL || strcmp(client, call->api->client_id) != 0)
        return refuse_client(call, 700016, "unauthorized_client",
                             "Application was not found in the directory.");
    if (assertion != NULL)
        return check_assertion(call, assertion);
    if (secret == NULL || strcmp(secret, call->api->client_secret) != 0)
        return refuse_client(call, 7000215, "invalid_client", "Invalid client secret provided.");
    return true;
}

static void sign(const struct arm_api *api, struct span what, struct text *out)
{
    uint8_t mac[SHA256_SIZE];
    digest_hmac(DIGEST_SHA256, SPAN_OF(api->token_key), what, mac);
    text_add_base64url(out, SPAN_OF(mac));
}

void arm_token_make(const struct arm_api *api, struct text *out)
{
    OWNED(json_drop) json_t *claims = json_object();
    json_put_text(claims, "aud", RESOURCE);
    json_put_text(claims, "tid", api->tenant);
    json_put_text(claims, "appid", api->client_id);
    json_put_text(claims, "oid", api->client_id);
    json_put_int(claims, "turn", api->turns);
    json_put_int(claims, "exp", moment_seconds(clock_now()) + ARM_TOKEN_SECONDS);
    OWNED(mem_drop) char *text = json_print(claims);
    text_add_base64url(out, span_of_text("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"));
    text_add(out, ".");
    text_add_base64url(out, span_of_text(text));
    OWNED(text_done) struct text signature = {0};
    sign(api, text_span(out), &signature);
    text_addf(out, ".%s", text_str(&signature));
}

bool arm_token_give(struct arm_call *call)
{
    struct error err = {0};
    OWNED(form_in_done) struct form_in form = {0};
    OWNED(text_done) struct text token = {0};
    OWNED(json_drop) json_t *body = json_object();
    if (form_read(call->request->body, &form, &err) != OK)
        return refuse_client(call, 900144, "invalid_request", err.text);
    if (!check_client(call, &form))
        return false;
    arm_token_make(call->api, &token);
    json_put_text(body, "token_type", "Bearer");
    json_put_int(body, "expires_in", ARM_TOKEN_SECONDS - 1);
    json_put_int(body, "ext_expires_in", ARM_TOKEN_SECONDS - 1);
    json_put_text(body, "access_token", text_str(&token));
    arm_say(call, 200, body);
    return true;
}

/* What clients of Microsoft's library ask first. */
bool arm_token_describe(struct arm_call *call)
{
    static const char *const rows[][2] = {
        {"issuer", "v2.0"},
        {"token_endpoint", "oauth2/v2.0/token"},
        {"authorization_endpoint", "oauth2/v2.0/authorize"},
        {"jwks_uri", "discovery/v2.0/keys"},
    };
    OWNED(json_drop) json_t *body = json_object();
    for (size_t i = 0; i < countof(rows); i++) {
        OWNED(text_done) struct text url = {0};
        text_addf(&url, "%s/%s/%s", call->location, call->parts[0], rows[i][1]);
        json_put_text(body, rows[i][0], text_str(&url));
    }
    arm_say(call, 200, body);
    return true;
}

static bool token_is_ours(const struct arm_api *api, const char *token)
{
    OWNED(text_done) struct text expected = {0};
    const char *dot = strrchr(token, '.');
    if (dot == NULL)
        return false;
    sign(api, SPAN(token, (size_t)(dot - token)), &expected);
    return secret_equal(text_span(&expected), span_of_text(dot + 1));
}

bool arm_token_check(struct arm_call *call)
{
    const char *header = face_header(call->request, "Authorization");
    if (header == NULL || strncmp(header, "Bearer ", 7) != 0) {
        face_say(call->out, "WWW-Authenticate", "Bearer authorization_uri=\"%s/%s\"",
                 call->location, call->api->tenant);
        return arm_refuse(call, 401, "AuthenticationFailed",
                          "Authentication failed. The 'Authorization' header is missing.");
    }
    OWNED(json_drop) json_t *claims = read_part(header + 7, 1);
    if (!token_is_ours(call->api, header + 7) ||
        json_integer_value(json_object_get(claims, "turn")) != call->api->turns)
        return arm_refuse(call, 401, "InvalidAuthenticationToken", "The access token is invalid.");
    if (json_integer_value(json_object_get(claims, "exp")) < moment_seconds(clock_now()))
        return arm_refuse(call, 401, "ExpiredAuthenticationToken",
                          "The access token expiry is earlier than the current time.");
    return true;
}
