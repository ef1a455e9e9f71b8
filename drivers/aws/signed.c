#include "drivers/aws/signed.h"

#include <string.h>
#include <time.h>

#include "drivers/aws/ec2_answers.h"
#include "lib/crypto/sigv4.h"

enum { CALL_TIMEOUT_MS = 30000, SKEW_LEAST_SECONDS = 240, HEADERS_MAX = 5 };

static const char form_type[] = "application/x-www-form-urlencoded; charset=utf-8";

static void sign(const struct service *to, const struct credentials *credentials, struct span body,
                 const char *date, struct text *authorization)
{
    uint8_t hash[SHA256_SIZE];
    const char *token = credentials_session_token(credentials);
    digest(DIGEST_SHA256, body, hash);
    const struct sigv4_header headers[] = {
        {"content-type", form_type},
        {"host", to->endpoint->host},
        {"x-amz-date", date},
        {"x-amz-security-token", token},
    };
    const struct sigv4_request request = {.method = "POST",
                                          .path = "/",
                                          .query = "",
                                          .headers = headers,
                                          .header_count = token != NULL ? 4 : 3,
                                          .body_sha256 = hash};
    const struct sigv4_scope scope = {date, to->region, to->name};
    sigv4_authorization(&request, &scope, credentials->access_key_id,
                        locked_span(&credentials->secret), authorization);
}

static enum outcome send_once(const struct service *to, const struct credentials *credentials,
                              const struct form *form, struct http_answer *out, struct error *err)
{
    char date[SIGV4_DATE_SIZE];
    OWNED(text_done) struct text authorization = {0};
    const struct span body = text_span(&form->body);
    struct http_header headers[HEADERS_MAX] = {{"Content-Type", form_type},
                                               {"Host", to->endpoint->host}};
    size_t count = 2;
    sigv4_date(moment_add_seconds(clock_now(), *to->skew_seconds), date);
    if (credentials != NULL) {
        sign(to, credentials, body, date, &authorization);
        headers[count++] = (struct http_header){"X-Amz-Date", date};
        headers[count++] = (struct http_header){"Authorization", text_str(&authorization)};
        if (credentials_session_token(credentials) != NULL)
            headers[count++] = (struct http_header){"X-Amz-Security-Token",
                                                    credentials_session_token(credentials)};
    }
    const struct http_request request = {.method = "POST",
                                         .url = to->endpoint->url,
                                         .headers = headers,
                                         .header_count = count,
                                         .body = body,
                                         .timeout_ms = CALL_TIMEOUT_MS};
    return rest_send(to->http, &request, out, err);
}

/* What AWS says of a time that is not its own; EC2 just calls it a failure of credentials. */
static bool may_be_the_clock(const struct http_answer *answer)
{
    static const char *const codes[] = {
        "RequestExpired",       "SignatureDoesNotMatch",
        "RequestTimeTooSkewed", "InvalidSignatureException",
        "RequestInTheFuture",   "AuthFailure",
    };
    if (answer->status < 400 || answer->status > 403)
        return false;
    const struct ec2_error said = ec2_error_read(answer->status, bytes_span(&answer->body));
    for (size_t i = 0; i < countof(codes); i++)
        if (strcmp(said.code, codes[i]) == 0)
            return true;
    return false;
}

/* True: the answer's Date is far from ours, and from now on we go by it. */
static bool learn_time(const struct http_answer *answer, int64_t *skew_seconds)
{
    struct tm parts = {0};
    const char *date = http_answer_header(answer, "date");
    const char *end = date != NULL ? strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &parts) : NULL;
    if (end == NULL || *end != '\0')
        return false;
    const int64_t theirs = (int64_t)timegm(&parts);
    const int64_t skew = theirs - moment_seconds(clock_now());
    const int64_t change = skew - *skew_seconds;
    if (change < SKEW_LEAST_SECONDS && change > -SKEW_LEAST_SECONDS)
        return false;
    *skew_seconds = skew;
    return true;
}

enum outcome signed_send(const struct service *to, const struct credentials *credentials,
                         const struct form *form, struct http_answer *out, struct error *err)
{
    OWNED(http_answer_done) struct http_answer answer = {0};
    TRY(send_once(to, credentials, form, &answer, err));
    if (credentials != NULL && may_be_the_clock(&answer) && learn_time(&answer, to->skew_seconds)) {
        http_answer_done(&answer);
        TRY(send_once(to, credentials, form, &answer, err));
    }
    *out = answer;
    answer = (struct http_answer){0};
    return OK;
}
