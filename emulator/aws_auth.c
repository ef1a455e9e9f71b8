/* Checks signatures the way AWS does: makes the same one and compares. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "emulator/aws_api.h"
#include "lib/crypto/sigv4.h"

enum { SIGNED_MAX = 32, SKEW_SECONDS = 900 };

struct authorization {
    char key_id[130];
    char date[9];
    char region[64];
    char service[16];
    char *signed_names; /* cut at ';' later */
    char signature[SIGV4_SIGNATURE_SIZE];
};

static void authorization_done(struct authorization *a)
{
    free(a->signed_names);
}

/* What follows `name` up to a comma or the end. */
static char *part_of(const char *header, const char *name)
{
    const char *at = strstr(header, name);
    if (at == NULL)
        return NULL;
    at += strlen(name);
    struct text out = {0};
    text_add_span(&out, SPAN(at, strcspn(at, ", ")));
    return text_take(&out);
}

static bool cut_credential(char *credential, struct authorization *out)
{
    char *rest = credential;
    const char *key_id = strsep(&rest, "/");
    const char *date = strsep(&rest, "/");
    const char *region = strsep(&rest, "/");
    const char *service = strsep(&rest, "/");
    if (rest == NULL || strcmp(rest, "aws4_request") != 0)
        return false;
    return text_copy(out->key_id, sizeof out->key_id, key_id, "", NULL) == OK &&
           text_copy(out->date, sizeof out->date, date, "", NULL) == OK &&
           text_copy(out->region, sizeof out->region, region, "", NULL) == OK &&
           text_copy(out->service, sizeof out->service, service, "", NULL) == OK;
}

static bool read_authorization(const char *header, struct authorization *out)
{
    if (strncmp(header, "AWS4-HMAC-SHA256 ", 17) != 0)
        return false;
    OWNED(mem_drop) char *credential = part_of(header, "Credential=");
    OWNED(mem_drop) char *signature = part_of(header, "Signature=");
    out->signed_names = part_of(header, "SignedHeaders=");
    return credential != NULL && signature != NULL && out->signed_names != NULL &&
           cut_credential(credential, out) &&
           text_copy(out->signature, sizeof out->signature, signature, "", NULL) == OK;
}

static bool date_is_fresh(const char *date)
{
    struct tm parts = {0};
    const char *end = date != NULL ? strptime(date, "%Y%m%dT%H%M%SZ", &parts) : NULL;
    if (end == NULL || *end != '\0')
        return false;
    int64_t off = moment_seconds(clock_now()) - (int64_t)timegm(&parts);
    return off < SKEW_SECONDS && off > -SKEW_SECONDS;
}

/* The signed headers with their values; false when one is not there. */
static bool gather(const struct face_request *request, char *names,
                   struct sigv4_header out[static SIGNED_MAX], size_t *out_count)
{
    bool has_host = false, has_date = false;
    *out_count = 0;
    for (char *rest = names, *name; (name = strsep(&rest, ";")) != NULL;) {
        const char *value = face_header(request, name);
        if (value == NULL || *out_count == SIGNED_MAX)
            return false;
        out[(*out_count)++] = (struct sigv4_header){name, value};
        has_host |= strcmp(name, "host") == 0;
        has_date |= strcmp(name, "x-amz-date") == 0;
    }
    return has_host && has_date;
}

static bool signature_fits(const struct aws_api *api, const struct face_request *request,
                           struct authorization *claimed)
{
    struct sigv4_header headers[SIGNED_MAX];
    struct sigv4_request signed_request = {
        .method = request->method, .path = request->path, .query = "", .headers = headers};
    if (!gather(request, claimed->signed_names, headers, &signed_request.header_count))
        return false;
    uint8_t hash[SHA256_SIZE];
    digest(DIGEST_SHA256, request->body, hash);
    signed_request.body_sha256 = hash;
    const struct sigv4_scope scope = {face_header(request, "x-amz-date"), claimed->region,
                                      claimed->service};
    OWNED(text_done) struct text canonical = {0};
    OWNED(text_done) struct text to_sign = {0};
    char expected[SIGV4_SIGNATURE_SIZE];
    sigv4_canonical_request(&signed_request, &canonical);
    sigv4_string_to_sign(&scope, text_span(&canonical), &to_sign);
    sigv4_signature(&scope, span_of_text(api->secret_access_key), text_span(&to_sign), expected);
    return secret_equal(span_of_text(expected), span_of_text(claimed->signature));
}

/* Keys by themselves are of no session. */
static bool session_goes_on(const struct aws_api *api, const struct face_request *request)
{
    char session[AWS_SESSION_SIZE];
    const char *token = face_header(request, "x-amz-security-token");
    aws_session(api, session);
    return token == NULL || strcmp(token, session) == 0;
}

bool aws_auth_check(const struct aws_api *api, const struct face_request *request,
                    struct aws_scope *out_scope, struct refusal *out)
{
    OWNED(authorization_done) struct authorization claimed = {0};
    const char *header = face_header(request, "authorization");
    const char *date = face_header(request, "x-amz-date");
    if (header == NULL)
        return refuse(out, 403, "MissingAuthenticationToken",
                      "Request is missing Authentication Token");
    if (!read_authorization(header, &claimed))
        return refuse(out, 400, "IncompleteSignature", "The Authorization header is incomplete");
    if (!date_is_fresh(date) || strncmp(date, claimed.date, 8) != 0)
        return refuse(out, 400, "RequestExpired", "Request has expired");
    if (strcmp(claimed.key_id, api->access_key_id) != 0 ||
        !words_hold(api->regions, claimed.region))
        return refuse(out, 401, "AuthFailure",
                      "AWS was not able to validate the provided access credentials");
    if (!signature_fits(api, request, &claimed))
        return refuse(out, 403, "SignatureDoesNotMatch",
                      "The request signature we calculated does not match the signature you "
                      "provided");
    if (!session_goes_on(api, request))
        return refuse(out, 400, "ExpiredToken",
                      "The security token included in the request is expired");
    memcpy(out_scope->region, claimed.region, sizeof claimed.region);
    memcpy(out_scope->service, claimed.service, sizeof claimed.service);
    return true;
}
