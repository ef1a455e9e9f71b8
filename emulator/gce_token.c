/* Who may call: service accounts' keys for access tokens, and what those are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulator/form.h"
#include "emulator/gce_api.h"
#include "lib/base/file.h"
#include "lib/crypto/random.h"

enum { SKEW_SECONDS = 300, ASSERTION_SECONDS = 3600, KEY_FILE_MAX = 16 * 1024 };

#define SCOPE "https://www.googleapis.com/auth/cloud-platform"

static enum outcome write_key_file(const struct gce_api *api, const char *folder, struct error *err)
{
    OWNED(bytes_wipe) struct bytes pem = {0};
    OWNED(text_done) struct text path = {0};
    OWNED(json_drop) json_t *file = json_object();
    TRY(rsa_signer_to_pem(api->key, &pem, err));
    json_put_text(file, "type", "service_account");
    json_put_text(file, "project_id", api->project);
    json_put_text(file, "private_key_id", api->key_id);
    json_put_span(file, "private_key", bytes_span(&pem));
    json_put_text(file, "client_email", api->email);
    json_put_text(file, "client_id", "100000000000000000001");
    json_put_text(file, "token_uri", api->token_url);
    json_put_text(file, "universe_domain", "googleapis.com");
    OWNED(mem_drop) char *text = json_print_pretty(file);
    text_addf(&path, "%s/gcp-key.json", folder);
    return file_write(text_str(&path), span_of_text(text), 0600, err);
}

/* A later run has the same key, so that who signed in before still can. */
static enum outcome find_key(struct gce_api *api, const char *folder, struct error *err)
{
    OWNED(bytes_wipe) struct bytes pem = {0};
    OWNED(text_done) struct text path = {0};
    uint8_t hash[SHA256_SIZE];
    text_addf(&path, "%s/gcp-key.pem", folder);
    if (file_read_private(text_str(&path), KEY_FILE_MAX, &pem, err) == OK) {
        TRY(rsa_signer_from_pem(bytes_span(&pem), &api->key, err));
    } else {
        TRY(rsa_signer_generate(&api->key, err));
        TRY(rsa_signer_to_pem(api->key, &pem, err));
        TRY(file_write(text_str(&path), bytes_span(&pem), 0600, err));
    }
    digest(DIGEST_SHA256, bytes_span(&pem), hash);
    hex_encode(SPAN(hash, sizeof api->key_id / 2), api->key_id);
    digest_hmac(DIGEST_SHA256, bytes_span(&pem), span_of_text("subject"), hash);
    hex_encode(SPAN_OF(hash), api->subject);
    return OK;
}

enum outcome gce_api_open(struct gce_api *api, const char *folder, struct error *err)
{
    random_fill(api->secret, sizeof api->secret);
    snprintf(api->email, sizeof api->email, "muster@%.80s.iam.gserviceaccount.com", api->project);
    return find_key(api, folder, err);
}

enum outcome gce_api_tell(struct gce_api *api, const char *folder, int64_t port, struct error *err)
{
    snprintf(api->token_url, sizeof api->token_url, "http://127.0.0.1:%lld/token", (long long)port);
    TRY(write_key_file(api, folder, err));
    return gce_federated_tell(api, folder, port, err);
}

void gce_api_close(struct gce_api *api)
{
    rsa_signer_free(api->key);
    api->key = NULL;
}

/* ---- access tokens -------------------------------------------------------------------------- */

static const char *const prefixes[] = {
    [GCE_ACCOUNT] = "ya29.sim-", [GCE_FEDERATED] = "ya29.d.sim-"};

/* "ya29.sim-<end>-<mac>": nothing is remembered, and none lasts over a restart or a turn. */
void gce_token_make(const struct gce_api *api, enum gce_caller caller, int64_t until,
                    char out[static GCE_TOKEN_SIZE])
{
    char said[48], meant[72], hex[2 * SHA256_SIZE + 1];
    uint8_t mac[SHA256_SIZE];
    snprintf(said, sizeof said, "%s%lld", prefixes[caller], (long long)until);
    snprintf(meant, sizeof meant, "%s %lld", said, (long long)api->turns);
    digest_hmac(DIGEST_SHA256, SPAN_OF(api->secret), span_of_text(meant), mac);
    hex_encode(SPAN_OF(mac), hex);
    snprintf(out, GCE_TOKEN_SIZE, "%s-%.40s", said, hex);
}

bool gce_token_is_good(const struct gce_api *api, enum gce_caller caller, const char *token)
{
    int64_t until;
    const size_t head = strlen(prefixes[caller]);
    char expected[GCE_TOKEN_SIZE], digits[24];
    if (strncmp(token, prefixes[caller], head) != 0)
        return false;
    snprintf(digits, sizeof digits, "%.*s", (int)strcspn(token + head, "-"), token + head);
    if (number_parse(digits, 0, INT64_MAX, &until, NULL) != OK ||
        until <= moment_seconds(clock_now()))
        return false;
    gce_token_make(api, caller, until, expected);
    return secret_equal(span_of_text(expected), span_of_text(token));
}

bool gce_token_check(const struct gce_api *api, const struct face_request *request,
                     struct gce_refusal *out)
{
    const char *header = face_header(request, "authorization");
    if (header == NULL || strncmp(header, "Bearer ", 7) != 0)
        return gce_refuse(out, 401, "required", "Login Required.");
    if (gce_token_is_good(api, GCE_FEDERATED, header + 7))
        return gce_refuse(out, 403, "forbidden", "The pool's identity has no role here.");
    if (!gce_token_is_good(api, GCE_ACCOUNT, header + 7))
        return gce_refuse(out, 401, "authError", "Invalid Credentials");
    return true;
}

void gce_token_say(const struct gce_api *api, struct face_answer *out)
{
    char token[GCE_TOKEN_SIZE];
    gce_token_make(api, GCE_ACCOUNT, moment_seconds(clock_now()) + api->token_seconds, token);
    text_addf(&out->body, "{\"access_token\":\"%s\",\"expires_in\":%lld,\"token_type\":\"Bearer\"}",
              token, (long long)api->token_seconds);
}

/* ---- the exchange --------------------------------------------------------------------------- */

void gce_token_refuse(struct face_answer *out, const char *error, const char *why)
{
    OWNED(json_drop) json_t *body = json_object();
    json_put_text(body, "error", error);
    json_put_text(body, "error_description", why);
    OWNED(mem_drop) char *text = json_print(body);
    out->status = 400;
    text_add(&out->body, text);
}

static json_t *decode_part(const char *from, size_t len)
{
    OWNED(bytes_done) struct bytes bytes = {0};
    json_t *part = NULL;
    if (base64url_decode(SPAN(from, len), &bytes, NULL) != OK ||
        json_parse(bytes_span(&bytes), 1 << 16, &part, NULL) != OK)
        return NULL;
    return part;
}

static bool says(const json_t *object, const char *name, const char *text)
{
    const char *said = json_string_value(json_object_get(object, name));
    return said != NULL && strcmp(said, text) == 0;
}

static const char *judge_times(const json_t *claims)
{
    int64_t issued = json_integer_value(json_object_get(claims, "iat"));
    int64_t ends = json_integer_value(json_object_get(claims, "exp"));
    int64_t off = moment_seconds(clock_now()) - issued;
    if (off > SKEW_SECONDS || off < -SKEW_SECONDS || ends <= issued ||
        ends - issued > ASSERTION_SECONDS)
        return "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
               "timeframe. Check your iat and exp values in the JWT claim.";
    return NULL;
}

/* Why it is not taken, or NULL. */
static const char *judge_assertion(const struct gce_api *api, const char *assertion)
{
    struct error err = {0};
    size_t head = strcspn(assertion, ".");
    size_t said = assertion[head] != '\0' ? strcspn(assertion + head + 1, ".") : 0;
    OWNED(json_drop) json_t *header = decode_part(assertion, head);
    OWNED(json_drop) json_t *claims = said > 0 ? decode_part(assertion + head + 1, said) : NULL;
    if (header == NULL || claims == NULL || !says(header, "alg", "RS256"))
        return "Invalid JWT";
    if (!says(claims, "iss", api->email))
        return "Invalid grant: account not found";
    if (!says(header, "kid", api->key_id) ||
        rsa_signer_check(api->key, RSA_PKCS1_SHA256, assertion, &err) != OK)
        return "Invalid JWT Signature.";
    if (!says(claims, "aud", api->token_url) || !says(claims, "scope", SCOPE))
        return "Invalid JWT: audience or scope";
    return judge_times(claims);
}

void gce_token_answer(const struct gce_api *api, const struct face_request *request,
                      struct face_answer *out)
{
    OWNED(form_in_done) struct form_in form = {0};
    if (strcmp(request->method, "POST") != 0 || form_read(request->body, &form, NULL) != OK) {
        gce_token_refuse(out, "invalid_request", "a form is posted here");
        return;
    }
    const char *grant = form_get(&form, "grant_type");
    const char *assertion = form_get(&form, "assertion");
    if (grant == NULL || assertion == NULL ||
        strcmp(grant, "urn:ietf:params:oauth:grant-type:jwt-bearer") != 0) {
        gce_token_refuse(out, "unsupported_grant_type", "only a service account's assertion");
        return;
    }
    const char *why = judge_assertion(api, assertion);
    if (why != NULL)
        gce_token_refuse(out, "invalid_grant", why);
    else
        gce_token_say(api, out);
}

/* What runs on Compute Engine asks here and proves nothing but that it is there. */
void gce_metadata_answer(const struct gce_api *api, const struct face_request *request,
                         struct face_answer *out)
{
    const char *flavor = face_header(request, "metadata-flavor");
    face_say(out, "Metadata-Flavor", "Google");
    if (flavor == NULL || strcmp(flavor, "Google") != 0) {
        out->status = 403;
        out->content_type = "text/html";
        text_add(&out->body, "<html><title>Error 403 (Forbidden)!!1</title></html>\n");
        return;
    }
    gce_token_say(api, out);
}
