#include "drivers/gcp/gcp_calls.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/gcp/gcp_answers.h"
#include "drivers/gcp/gcp_limits.h"

enum { CALL_TIMEOUT_MS = 30000 };

/* Google says in the body how long to wait; what stands in between may say so in a header. */
static void hear(struct cloud *cloud, const struct gcp_call *call, struct http_answer *answer)
{
    struct gcp_error said = {.kind = CLOUD_ERROR_COUNT};
    if (answer->status < 200 || answer->status > 299)
        said = gcp_error_read(answer->status, bytes_span(&answer->body));
    if (said.retry_seconds > answer->retry_after_seconds)
        answer->retry_after_seconds = said.retry_seconds;
    cloud->retry_ms =
        manners_tell(cloud->manners, gcp_call_kind(call), answer, said.kind == CLOUD_THROTTLE);
}

static enum outcome send_with(struct cloud *cloud, const struct gcp_call *call, const char *bearer,
                              struct http_answer *out, struct error *err)
{
    OWNED(text_done) struct text url = {0};
    TRY(manners_ask(cloud->manners, gcp_call_kind(call), err));
    text_addf(&url, "%s%s", cloud->endpoint.url, text_str(&call->path));
    const struct http_header headers[] = {{"Authorization", bearer},
                                          {"Accept", "application/json"},
                                          {"Content-Type", "application/json"}};
    const struct http_request request = {.method = call->method,
                                         .url = text_str(&url),
                                         .headers = headers,
                                         .header_count = call->body.len > 0 ? 3 : 2,
                                         .body = text_span(&call->body),
                                         .timeout_ms = CALL_TIMEOUT_MS};
    TRY(rest_send(cloud->http, &request, out, err));
    hear(cloud, call, out);
    return OK;
}

static enum outcome read_identity(const struct cloud *cloud, struct span body,
                                  struct cloud_identity *out, struct error *err)
{
    char region[GCP_NAME_SIZE];
    *out = (struct cloud_identity){0};
    TRY(gcp_read_region(body, region, err));
    const enum outcome outcome = gcp_read_region_project(body, out->account, err);
    if (outcome == ERR_NOT_FOUND) /* it is of the project that was asked for */
        snprintf(out->account, sizeof out->account, "%s", cloud->account.project);
    else
        TRY(outcome);
    if (strcmp(region, cloud->account.region) != 0)
        return cloud_fail(err, CLOUD_AMBIGUOUS, "asked for region %s, told of %s",
                          cloud->account.region, region);
    snprintf(out->name, sizeof out->name, "%s", cloud->credentials.name);
    return OK;
}

/* A new token may be anybody's. */
static enum outcome get_bearer(struct cloud *cloud, const char **out, struct error *err)
{
    OWNED(gcp_call_done) struct gcp_call call = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    struct cloud_identity who;
    TRY(gcp_token_get(&cloud->token, &cloud->credentials, cloud->http, out, err));
    cloud->is_known = cloud->is_known && !cloud->token.is_fresh;
    if (cloud->account.cloud_account[0] == '\0' || cloud->is_known)
        return OK;
    gcp_region(&cloud->account, &call);
    TRY(send_with(cloud, &call, *out, &answer, err));
    if (answer.status == 401)
        gcp_token_forget(&cloud->token);
    if (gcp_check_status(answer.status, bytes_span(&answer.body), err) != OK)
        return account_is_not_seen(&cloud->account, err);
    TRY(read_identity(cloud, bytes_span(&answer.body), &who, err));
    TRY(account_is_of(&cloud->account, &who, err));
    cloud->is_known = true;
    return OK;
}

static enum outcome send_once(struct cloud *cloud, const struct gcp_call *call,
                              struct http_answer *out, struct error *err)
{
    const char *bearer;
    TRY(get_bearer(cloud, &bearer, err));
    return send_with(cloud, call, bearer, out, err);
}

static enum outcome exchange(struct cloud *cloud, const struct gcp_call *call,
                             struct http_answer *out, struct error *err)
{
    TRY(manners_reach(cloud->manners, err));
    return manners_reached(cloud->manners, send_once(cloud, call, out, err));
}

/* A 401 says that nothing was done. A token that we had for a while may have been taken back: then
 * a new one is worth a try. */
enum outcome gcp_send(struct cloud *cloud, const struct gcp_call *call, struct http_answer *out,
                      struct error *err)
{
    OWNED(http_answer_done) struct http_answer answer = {0};
    TRY(exchange(cloud, call, &answer, err));
    if (answer.status == 401) {
        bool was_fresh = cloud->token.is_fresh;
        gcp_token_forget(&cloud->token);
        if (!was_fresh) {
            http_answer_done(&answer);
            TRY(exchange(cloud, call, &answer, err));
        }
    }
    *out = answer;
    answer = (struct http_answer){0};
    return OK;
}

enum outcome gcp_tell_when(const struct cloud *cloud, enum outcome outcome, struct error *err)
{
    if (outcome == ERR_THROTTLED && err != NULL)
        err->retry_ms = cloud->retry_ms;
    return outcome;
}

enum outcome gcp_compute(struct cloud *cloud, const struct gcp_call *call, struct http_answer *out,
                         struct error *err)
{
    OWNED(http_answer_done) struct http_answer answer = {0};
    TRY(gcp_send(cloud, call, &answer, err));
    TRY(gcp_tell_when(cloud, gcp_check_status(answer.status, bytes_span(&answer.body), err), err));
    *out = answer;
    answer = (struct http_answer){0};
    return OK;
}

enum outcome gcp_identify(struct cloud *cloud, struct cloud_identity *out, struct error *err)
{
    OWNED(gcp_call_done) struct gcp_call call = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    gcp_region(&cloud->account, &call);
    TRY(gcp_compute(cloud, &call, &answer, err));
    return read_identity(cloud, bytes_span(&answer.body), out, err);
}

enum outcome gcp_turn(struct cloud *cloud, struct error *err)
{
    const char *bearer;
    TRY(manners_reach(cloud->manners, err));
    TRY(manners_unless_reached(cloud->manners, get_bearer(cloud, &bearer, err)));
    return manners_hold(cloud->manners, "writes", err);
}
