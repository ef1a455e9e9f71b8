/* EC2 as a driver: build the form, sign and send it, read the answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/aws/aws_read.h"
#include "drivers/aws/credentials.h"
#include "drivers/aws/ec2_answers.h"
#include "drivers/aws/ec2_requests.h"
#include "lib/crypto/sigv4.h"

enum { PAGES_MAX = 1000, CALL_TIMEOUT_MS = 30000 };

struct cloud {
    struct account account; /* its texts only: the JSON members stay with the caller */
    struct credentials credentials;
    struct http *http;
    struct endpoint ec2;
    struct endpoint sts;
};

static const char *suffix_of(const char *region)
{
    static const struct {
        const char *prefix;
        const char *suffix;
    } partitions[] = {
        {"cn-", "amazonaws.com.cn"},    {"us-iso-", "c2s.ic.gov"},
        {"us-isob-", "sc2s.sgov.gov"},  {"us-isof-", "csp.hci.ic.gov"},
        {"eu-isoe-", "cloud.adc-e.uk"}, {"eusc-", "amazonaws.eu"},
    };
    for (size_t i = 0; i < countof(partitions); i++)
        if (strncmp(region, partitions[i].prefix, strlen(partitions[i].prefix)) == 0)
            return partitions[i].suffix;
    return "amazonaws.com";
}

static enum outcome find_endpoint(const struct account *account, const char *service,
                                  struct endpoint *out, struct error *err)
{
    if (account->endpoint[0] != '\0')
        return endpoint_parse(account->endpoint, out, err);
    char url[200];
    snprintf(url, sizeof url, "https://%s.%s.%s", service, account->region,
             suffix_of(account->region));
    return endpoint_parse(url, out, err);
}

static void aws_close(struct cloud *cloud)
{
    if (cloud == NULL)
        return;
    credentials_done(&cloud->credentials);
    http_free(cloud->http);
    free(cloud);
}
DROP(cloud_drop, struct cloud, aws_close)

static enum outcome aws_open(const struct account *account, struct cloud **out, struct error *err)
{
    OWNED(cloud_drop) struct cloud *cloud = NEW(struct cloud);
    cloud->account = *account;
    cloud->account.credentials = NULL;
    cloud->account.test = NULL;
    TRY(find_endpoint(account, "ec2", &cloud->ec2, err));
    TRY(find_endpoint(account, "sts", &cloud->sts, err));
    TRY(credentials_find(account, &cloud->credentials, err));
    cloud->http = http_new();
    *out = TAKE(cloud);
    return OK;
}

static enum outcome send_signed(struct cloud *cloud, const char *service,
                                const struct endpoint *endpoint, const struct form *form,
                                struct http_answer *out, struct error *err)
{
    static const char type[] = "application/x-www-form-urlencoded; charset=utf-8";
    const struct span body = text_span(&form->body);
    const char *token = credentials_session_token(&cloud->credentials);
    uint8_t hash[SHA256_SIZE];
    char date[SIGV4_DATE_SIZE];
    digest(DIGEST_SHA256, body, hash);
    sigv4_date(clock_now(), date);
    const struct sigv4_header signed_headers[] = {
        {"content-type", type},
        {"host", endpoint->host},
        {"x-amz-date", date},
        {"x-amz-security-token", token},
    };
    const struct sigv4_request to_sign = {.method = "POST",
                                          .path = "/",
                                          .query = "",
                                          .headers = signed_headers,
                                          .header_count = token != NULL ? 4 : 3,
                                          .body_sha256 = hash};
    const struct sigv4_scope scope = {date, cloud->account.region, service};
    OWNED(text_done) struct text authorization = {0};
    sigv4_authorization(&to_sign, &scope, cloud->credentials.access_key_id,
                        locked_span(&cloud->credentials.secret), &authorization);
    const struct http_header headers[] = {
        {"Content-Type", type},
        {"Host", endpoint->host},
        {"X-Amz-Date", date},
        {"Authorization", text_str(&authorization)},
        {"X-Amz-Security-Token", token},
    };
    const struct http_request request = {.method = "POST",
                                         .url = endpoint->url,
                                         .headers = headers,
                                         .header_count = token != NULL ? 5 : 4,
                                         .body = body,
                                         .timeout_ms = CALL_TIMEOUT_MS};
    return rest_send(cloud->http, &request, out, err);
}

static enum outcome call_ec2(struct cloud *cloud, const struct form *form, struct http_answer *out,
                             struct error *err)
{
    OWNED(http_answer_done) struct http_answer answer = {0};
    TRY(send_signed(cloud, "ec2", &cloud->ec2, form, &answer, err));
    TRY(ec2_check_status(answer.status, bytes_span(&answer.body), err));
    *out = answer;
    answer = (struct http_answer){0};
    return OK;
}

static enum outcome aws_identify(struct cloud *cloud, struct cloud_identity *out, struct error *err)
{
    OWNED(form_done) struct form form = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    sts_get_caller_identity(&form);
    TRY(send_signed(cloud, "sts", &cloud->sts, &form, &answer, err));
    TRY(ec2_check_status(answer.status, bytes_span(&answer.body), err));
    return sts_read_identity(bytes_span(&answer.body), out, err);
}

/* Did a launch that failed leave us in doubt? A 5xx may come after the machine was made. */
static enum outcome doubt_a_launch(int status, struct span body, struct error *err)
{
    const struct ec2_error said = ec2_error_read(status, body);
    if (said.kind == CLOUD_SERVER_ERROR)
        return cloud_fail(err, CLOUD_AMBIGUOUS, "%s (%d): %.180s", said.code, status, said.message);
    return ec2_check_status(status, body, err);
}

static enum outcome read_launched(const struct launch_order *order, struct span body,
                                  struct sighting *out, struct error *err)
{
    OWNED(sighting_list_done) struct sighting_list list = {0};
    OWNED(text_done) struct text unused = {0};
    TRY(ec2_read_machines("RunInstances", body, &list, &unused, err));
    if (list.count != 1)
        return cloud_fail(err, CLOUD_AMBIGUOUS, "RunInstances: %zu machines for an order of one",
                          list.count);
    if (strcmp(list.at[0].client_token, order->client_token) != 0)
        return cloud_fail(err, CLOUD_AMBIGUOUS, "RunInstances: answered for token '%s'",
                          list.at[0].client_token);
    *out = list.at[0];
    return OK;
}

static enum outcome aws_launch(struct cloud *cloud, const struct launch_order *order,
                               struct sighting *out, struct cloud_operation *operation,
                               struct error *err)
{
    OWNED(form_done) struct form form = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    *operation = (struct cloud_operation){0};
    TRY(ec2_run_instances(&cloud->account, order, &form, err));
    TRY(send_signed(cloud, "ec2", &cloud->ec2, &form, &answer, err));
    const struct span body = bytes_span(&answer.body);
    if (answer.status < 200 || answer.status > 299)
        return doubt_a_launch(answer.status, body, err);
    return read_launched(order, body, out, err);
}

static enum outcome check_ref(const char *ref, struct error *err)
{
    if (ec2_ref_is_valid(ref))
        return OK;
    return cloud_fail(err, CLOUD_INVALID, "'%.60s' is no EC2 instance id", ref);
}

/* On to the page that `next` names, which it gives up; a token that names the page it came with
 * would go on for ever. */
static enum outcome turn_page(const char *action, struct text *token, struct text *next,
                              struct error *err)
{
    if (strcmp(text_str(next), text_str(token)) == 0)
        return cloud_fail(err, CLOUD_SERVER_ERROR, "%s: the same page again", action);
    text_done(token);
    *token = *next;
    *next = (struct text){0};
    return OK;
}

/* All pages or an error. A page may be empty and still not be the last. */
static enum outcome list_matching(struct cloud *cloud, const char *filter, const char *value,
                                  struct sighting_list *out, struct error *err)
{
    static const char action[] = "DescribeInstances";
    OWNED(sighting_list_done) struct sighting_list list = {0};
    OWNED(text_done) struct text token = {0};
    for (int page = 0; page < PAGES_MAX; page++) {
        OWNED(form_done) struct form form = {0};
        OWNED(http_answer_done) struct http_answer answer = {0};
        OWNED(text_done) struct text next = {0};
        ec2_describe(filter, value, text_str(&token), &form);
        TRY(call_ec2(cloud, &form, &answer, err));
        TRY(ec2_read_machines(action, bytes_span(&answer.body), &list, &next, err));
        if (next.len == 0) {
            *out = list;
            list = (struct sighting_list){0};
            return OK;
        }
        TRY(turn_page(action, &token, &next, err));
    }
    return cloud_fail(err, CLOUD_SERVER_ERROR, "%s: more than %d pages", action, PAGES_MAX);
}

static enum outcome aws_offers(struct cloud *cloud, struct offer_list *out, struct error *err)
{
    static const char action[] = "DescribeInstanceTypes";
    OWNED(offer_list_done) struct offer_list list = {0};
    OWNED(text_done) struct text token = {0};
    for (int page = 0; page < PAGES_MAX; page++) {
        OWNED(form_done) struct form form = {0};
        OWNED(http_answer_done) struct http_answer answer = {0};
        OWNED(text_done) struct text next = {0};
        ec2_describe_types(text_str(&token), &form);
        TRY(call_ec2(cloud, &form, &answer, err));
        TRY(ec2_read_offers(bytes_span(&answer.body), &list, &next, err));
        if (next.len == 0) {
            *out = list;
            list = (struct offer_list){0};
            return OK;
        }
        TRY(turn_page(action, &token, &next, err));
    }
    return cloud_fail(err, CLOUD_SERVER_ERROR, "%s: more than %d pages", action, PAGES_MAX);
}

static enum outcome aws_find(struct cloud *cloud, const char *ref, struct sighting *out,
                             struct error *err)
{
    OWNED(sighting_list_done) struct sighting_list list = {0};
    TRY(check_ref(ref, err));
    TRY(list_matching(cloud, "instance-id", ref, &list, err));
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.at[i].ref, ref) == 0) {
            *out = list.at[i];
            return OK;
        }
    return cloud_fail(err, CLOUD_NOT_FOUND, "%s is not listed", ref);
}

static enum outcome aws_find_token(struct cloud *cloud, const char *client_token,
                                   struct sighting_list *out, struct error *err)
{
    return list_matching(cloud, "tag:" TAG_TOKEN, client_token, out, err);
}

static enum outcome aws_list(struct cloud *cloud, struct sighting_list *out, struct error *err)
{
    return list_matching(cloud, "tag:" TAG_OWNER, cloud->account.owner, out, err);
}

/* EC2's answers are final: there is no operation to follow. */
static enum outcome act(struct cloud *cloud, const char *action, const char *ref,
                        void (*build)(const char *, struct form *),
                        struct cloud_operation *operation, struct error *err)
{
    if (operation != NULL)
        *operation = (struct cloud_operation){0};
    OWNED(form_done) struct form form = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    OWNED(sighting_list_done) struct sighting_list changes = {0};
    TRY(check_ref(ref, err));
    build(ref, &form);
    TRY(call_ec2(cloud, &form, &answer, err));
    TRY(ec2_read_changes(action, bytes_span(&answer.body), &changes, err));
    if (changes.count != 1 || strcmp(changes.at[0].ref, ref) != 0)
        return cloud_fail(err, CLOUD_AMBIGUOUS, "%s: the answer does not speak of %s", action, ref);
    return OK;
}

static enum outcome aws_stop(struct cloud *cloud, const char *ref,
                             struct cloud_operation *operation, struct error *err)
{
    return act(cloud, "StopInstances", ref, ec2_stop_instance, operation, err);
}

static enum outcome aws_start(struct cloud *cloud, const char *ref,
                              struct cloud_operation *operation, struct error *err)
{
    return act(cloud, "StartInstances", ref, ec2_start_instance, operation, err);
}

static enum outcome aws_terminate(struct cloud *cloud, const char *ref,
                                  struct cloud_operation *operation, struct error *err)
{
    return act(cloud, "TerminateInstances", ref, ec2_terminate_instance, operation, err);
}

const struct driver aws_driver = {
    .id = DRIVER_AWS,
    .open = aws_open,
    .close = aws_close,
    .identify = aws_identify,
    .launch = aws_launch,
    .find = aws_find,
    .find_token = aws_find_token,
    .list = aws_list,
    .stop = aws_stop,
    .start = aws_start,
    .terminate = aws_terminate,
    .offers = aws_offers,
    .read = aws_read,
};
