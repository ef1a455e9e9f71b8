#include "drivers/azure/azure_calls.h"

#include <string.h>

#include "drivers/azure/azure_answers.h"
#include "lib/base/json.h"
#include "lib/crypto/random.h"

enum {
    CALL_TIMEOUT_MS = 30000,
    CLAIMS_MAX = 16 * 1024, /* a form that holds more is too large for the token service */
};

bool azure_is_arm(const struct cloud *cloud, const char *url)
{
    struct endpoint at;
    char start[256];
    size_t scheme = strncmp(url, "https://", 8) == 0 ? 8 : strncmp(url, "http://", 7) == 0 ? 7 : 0;
    size_t len = scheme + strcspn(url + scheme, "/?#");
    if (scheme == 0 || len >= sizeof start)
        return false;
    memcpy(start, url, len);
    start[len] = '\0';
    return endpoint_parse(start, &at, NULL) == OK && strcmp(at.host, cloud->place.arm.host) == 0 &&
           strncmp(at.url, cloud->place.arm.url, scheme) == 0;
}

static enum outcome send_once(struct cloud *cloud, enum arm_call call, const char *url,
                              struct span body, const char *token, struct http_answer *out,
                              struct error *err)
{
    const char *name = arm_calls[call].operation;
    const struct uuid id = uuid_new();
    const struct uuid_text id_text = uuid_text(&id);
    OWNED(text_done) struct text bearer = {0};
    TRY(manners_ask(cloud->manners, name, err));
    text_addf(&bearer, "Bearer %s", token);
    struct http_header headers[5] = {
        {"Authorization", text_str(&bearer)},
        {"Accept", "application/json"},
        {"x-ms-client-request-id", id_text.at},
    };
    size_t count = 3;
    if (body.len > 0)
        headers[count++] = (struct http_header){"Content-Type", "application/json"};
    if (call == ARM_CREATE) /* never change a machine that is there */
        headers[count++] = (struct http_header){"If-None-Match", "*"};
    const struct http_request request = {.method = arm_calls[call].method,
                                         .url = url,
                                         .headers = headers,
                                         .header_count = count,
                                         .body = body,
                                         .timeout_ms = CALL_TIMEOUT_MS};
    enum outcome outcome = rest_send(cloud->http, &request, out, err);
    explicit_bzero(bearer.at, bearer.len);
    if (outcome == OK)
        cloud->retry_ms = manners_tell(cloud->manners, name, out, out->status == 429);
    return outcome;
}

/* What a refused token must answer: claims="BASE64" of the WWW-Authenticate header. It is handed on
 * whole or not at all: the token service would only refuse a part of it. */
static void read_claims(const struct http_answer *answer, struct text *out)
{
    OWNED(bytes_done) struct bytes claims = {0};
    OWNED(json_drop) json_t *value = NULL;
    const char *header = http_answer_header(answer, "WWW-Authenticate");
    const char *at = header != NULL ? strstr(header, "claims=\"") : NULL;
    if (at == NULL)
        return;
    at += strlen("claims=\"");
    const struct span encoded = SPAN(at, strcspn(at, "\""));
    if (base64_decode(encoded, &claims, NULL) == OK &&
        json_parse(bytes_span(&claims), CLAIMS_MAX, &value, NULL) == OK && json_is_object(value))
        text_add_span(out, bytes_span(&claims));
}

/* A token, and whether it is a new one, which may be anybody's: it is asked whose. */
static enum outcome get_token(struct cloud *cloud, const char **out, bool *out_new,
                              struct error *err)
{
    OWNED(arm_request_done) struct arm_request request = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    OWNED(text_done) struct text url = {0};
    struct cloud_identity who;
    TRY(azure_token_get(&cloud->identity, &cloud->place, cloud->http, out, out_new, err));
    cloud->is_known = cloud->is_known && !*out_new;
    if (cloud->account.cloud_account[0] == '\0' || cloud->is_known)
        return OK;
    arm_subscription(&cloud->account, &request);
    text_addf(&url, "%s%s", cloud->place.arm.url, text_str(&request.path));
    TRY(send_once(cloud, request.call, text_str(&url), SPAN(NULL, 0), *out, &answer, err));
    if (answer.status == 401)
        azure_token_drop(&cloud->identity, "");
    if (arm_check_status(answer.status, bytes_span(&answer.body), err) != OK)
        return account_is_not_seen(&cloud->account, err);
    TRY(arm_read_subscription(bytes_span(&answer.body), &who, err));
    TRY(account_is_of(&cloud->account, &who, err));
    cloud->is_known = true;
    return OK;
}

static enum outcome exchange(struct cloud *cloud, enum arm_call call, const char *url,
                             struct span body, bool *out_new, struct http_answer *out,
                             struct error *err)
{
    const char *token;
    TRY(get_token(cloud, &token, out_new, err));
    return send_once(cloud, call, url, body, token, out, err);
}

/* With a 401 nothing was done: a token that was good a moment ago is renewed once. */
enum outcome azure_send_to(struct cloud *cloud, enum arm_call call, const char *url,
                           struct span body, struct http_answer *out, struct error *err)
{
    struct manners *manners = cloud->manners;
    bool is_new;
    TRY(manners_reach(manners, err));
    TRY(manners_reached(manners, exchange(cloud, call, url, body, &is_new, out, err)));
    if (out->status != 401)
        return OK;
    OWNED(text_done) struct text claims = {0};
    read_claims(out, &claims);
    azure_token_drop(&cloud->identity, text_str(&claims));
    if (is_new && claims.len == 0)
        return OK;
    http_answer_done(out);
    TRY(manners_reach(manners, err));
    return manners_reached(manners, exchange(cloud, call, url, body, &is_new, out, err));
}

enum outcome azure_send(struct cloud *cloud, const struct arm_request *request,
                        struct http_answer *out, struct error *err)
{
    OWNED(text_done) struct text url = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    text_addf(&url, "%s%s", cloud->place.arm.url, text_str(&request->path));
    TRY(azure_send_to(cloud, request->call, text_str(&url), text_span(&request->body), &answer,
                      err));
    *out = answer;
    answer = (struct http_answer){0};
    return OK;
}

enum outcome azure_tell_when(const struct cloud *cloud, enum outcome outcome, struct error *err)
{
    if (outcome == ERR_THROTTLED && err != NULL)
        err->retry_ms = cloud->retry_ms;
    return outcome;
}

enum outcome azure_check(const struct cloud *cloud, const struct http_answer *answer,
                         struct error *err)
{
    return azure_tell_when(cloud, arm_check_status(answer->status, bytes_span(&answer->body), err),
                           err);
}

enum outcome azure_call(struct cloud *cloud, const struct arm_request *request,
                        struct http_answer *out, struct error *err)
{
    OWNED(http_answer_done) struct http_answer answer = {0};
    TRY(azure_send(cloud, request, &answer, err));
    TRY(azure_check(cloud, &answer, err));
    *out = answer;
    answer = (struct http_answer){0};
    return OK;
}

enum outcome azure_turn(struct cloud *cloud, struct error *err)
{
    const char *token;
    bool is_new;
    TRY(manners_reach(cloud->manners, err));
    TRY(manners_unless_reached(cloud->manners, get_token(cloud, &token, &is_new, err)));
    return manners_hold(cloud->manners, arm_calls[ARM_CREATE].operation, err);
}
