/* EC2 as a driver: build the form, sign and send it, read the answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/aws/aws_limits.h"
#include "drivers/aws/aws_read.h"
#include "drivers/aws/ec2_answers.h"
#include "drivers/aws/ec2_leftovers.h"
#include "drivers/aws/ec2_requests.h"
#include "drivers/aws/sign_in.h"

enum { PAGES_MAX = 1000 };

struct cloud {
    struct account account; /* its texts only: the JSON members stay with the caller */
    struct http *http;
    struct manners *manners;
    struct endpoint ec2_endpoint;
    struct endpoint sts_endpoint;
    int64_t skew_seconds;
    struct service ec2;
    struct service sts;
    struct sign_in sign_in;
    struct listing all; /* our machines, as far as they were listed */
    int64_t known;      /* `sign_in.found` of those whose account was seen to be ours */
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

static bool is_named(const char *host, const char *head, const char *region, const char *tail)
{
    char name[200];
    snprintf(name, sizeof name, "%s.%s.%s", head, region, tail);
    return strcmp(host, name) == 0;
}

/* "vpce-0abc.ec2.eu-west-1.vpce.amazonaws.com": EC2 in the account's own network. */
static bool is_private_ec2(const char *host, const char *region, const char *suffix)
{
    char rest[200];
    const char *dot = strchr(host, '.');
    snprintf(rest, sizeof rest, "ec2.%s.vpce.%s", region, suffix);
    return strncmp(host, "vpce-", 5) == 0 && dot != NULL && strcmp(dot + 1, rest) == 0;
}

static bool is_ec2(const char *host, const char *region)
{
    const char *suffix = suffix_of(region);
    return is_named(host, "ec2", region, suffix) || is_named(host, "ec2-fips", region, suffix) ||
           is_named(host, "ec2", region, "api.aws") || is_private_ec2(host, region, suffix);
}

/* What we sign in with goes to AWS and to this machine, whatever the account says: whoever may
 * write accounts does not get it. Other names under amazonaws.com are anybody's. */
static enum outcome find_endpoints(const struct account *account, struct endpoint *ec2,
                                   struct endpoint *sts, struct error *err)
{
    char url[200];
    const char *region = account->region, *suffix = suffix_of(region);
    snprintf(url, sizeof url, "https://ec2.%.63s.%s", region, suffix);
    TRY(endpoint_parse(account->endpoint[0] != '\0' ? account->endpoint : url, ec2, err));
    if (endpoint_is_loopback(ec2)) {
        *sts = *ec2;
        return OK;
    }
    if (!is_ec2(ec2->host, region))
        return fail_code(err, ERR_INVALID, "bad-endpoint", "'%.100s' is not EC2's in %s", ec2->host,
                         region);
    snprintf(url, sizeof url, "https://sts.%.63s.%s", region, suffix);
    return endpoint_parse(url, sts, err);
}

static void aws_close(struct cloud *cloud)
{
    if (cloud == NULL)
        return;
    sign_in_done(&cloud->sign_in);
    manners_close(cloud->manners);
    listing_done(&cloud->all);
    http_free(cloud->http);
    free(cloud);
}
DROP(cloud_drop, struct cloud, aws_close)

static struct service service_of(struct cloud *cloud, const char *name,
                                 const struct endpoint *endpoint)
{
    return (struct service){name, cloud->account.region, endpoint, cloud->http,
                            &cloud->skew_seconds};
}

static enum outcome aws_open(const struct account *account, struct cloud **out, struct error *err)
{
    OWNED(cloud_drop) struct cloud *cloud = NEW(struct cloud);
    const struct credentials *any;
    cloud->account = *account;
    cloud->account.credentials = NULL;
    cloud->account.test = NULL;
    TRY(find_endpoints(account, &cloud->ec2_endpoint, &cloud->sts_endpoint, err));
    cloud->http = http_new();
    cloud->manners = manners_open(account, &aws_limits);
    cloud->ec2 = service_of(cloud, "ec2", &cloud->ec2_endpoint);
    cloud->sts = service_of(cloud, "sts", &cloud->sts_endpoint);
    sign_in_start(&cloud->sign_in, account, &cloud->sts);
    TRY(manners_reach(cloud->manners, err));
    TRY(manners_unless_reached(cloud->manners, sign_in_get(&cloud->sign_in, &any, err)));
    *out = TAKE(cloud);
    return OK;
}

/* ---- one call ------------------------------------------------------------------------------- */

/* What EC2 and STS say of credentials that ended. */
static bool says_ended(const struct ec2_error *said)
{
    static const char *const codes[] = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"};
    for (size_t i = 0; i < countof(codes); i++)
        if (strcmp(said->code, codes[i]) == 0)
            return true;
    return false;
}

/* Renewed credentials may be of another account, whose list would be empty. */
static enum outcome check_whose(struct cloud *cloud, const struct credentials *credentials,
                                bool *out_ended, struct error *err)
{
    OWNED(form_done) struct form form = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    struct cloud_identity who;
    *out_ended = false;
    if (cloud->account.cloud_account[0] == '\0' || cloud->known == cloud->sign_in.found)
        return OK;
    sts_get_caller_identity(&form);
    TRY(manners_ask(cloud->manners, form.call, err));
    TRY(signed_send(&cloud->sts, credentials, &form, &answer, err));
    const struct ec2_error said = ec2_error_read(answer.status, bytes_span(&answer.body));
    *out_ended = answer.status > 299 && says_ended(&said);
    TRY(ec2_check_status(answer.status, bytes_span(&answer.body), err));
    TRY(sts_read_identity(bytes_span(&answer.body), &who, err));
    TRY(account_is_of(&cloud->account, &who, err));
    cloud->known = cloud->sign_in.found;
    return OK;
}

static enum outcome get_credentials(struct cloud *cloud, const struct credentials **out,
                                    struct error *err)
{
    bool ended;
    TRY(sign_in_get(&cloud->sign_in, out, err));
    const enum outcome outcome = check_whose(cloud, *out, &ended, err);
    if (!ended || !sign_in_renew(&cloud->sign_in))
        return outcome;
    TRY(sign_in_get(&cloud->sign_in, out, err));
    return check_whose(cloud, *out, &ended, err);
}

static enum outcome send_once(struct cloud *cloud, const struct service *to,
                              const struct form *form, struct http_answer *out,
                              struct ec2_error *said, int64_t *retry_ms, struct error *err)
{
    const struct credentials *credentials;
    TRY(get_credentials(cloud, &credentials, err));
    TRY(manners_ask(cloud->manners, form->call, err));
    TRY(signed_send(to, credentials, form, out, err));
    const bool refused = out->status < 200 || out->status > 299;
    *said = (struct ec2_error){0};
    if (refused)
        *said = ec2_error_read(out->status, bytes_span(&out->body));
    *retry_ms =
        manners_tell(cloud->manners, form->call, out, refused && said->kind == CLOUD_THROTTLE);
    return OK;
}

/* Any status is an answer; `said` is what one says that refuses, and in how long it may be
 * otherwise. */
static enum outcome exchange(struct cloud *cloud, const struct service *to, const struct form *form,
                             struct http_answer *out, struct ec2_error *said, int64_t *retry_ms,
                             struct error *err)
{
    TRY(manners_reach(cloud->manners, err));
    return manners_reached(cloud->manners, send_once(cloud, to, form, out, said, retry_ms, err));
}

/* What must be allowed and is not: as AWS says, or else what the call takes. */
static const char *missing_permission(const struct ec2_error *said, const char *call,
                                      char out[static ERROR_WHERE_SIZE])
{
    static const char words[] = "not authorized to perform: ";
    const char *at = strstr(said->message, words);
    out[0] = '\0';
    if (strcmp(said->code, "UnauthorizedOperation") != 0 && strcmp(said->code, "AccessDenied") != 0)
        return out;
    for (size_t i = 0; at == NULL && i < aws_permissions.count && out[0] == '\0'; i++)
        if (strcmp(aws_permissions.at[i].call, call) == 0)
            snprintf(out, ERROR_WHERE_SIZE, "%s", aws_permissions.at[i].permission);
    if (at != NULL) {
        at += strlen(words);
        snprintf(out, ERROR_WHERE_SIZE, "%.*s", (int)strcspn(at, " \"'"), at);
    }
    return out;
}

static enum outcome fail_as(const struct ec2_error *said, const struct form *form, int status,
                            int64_t retry_ms, struct error *err)
{
    char where[ERROR_WHERE_SIZE];
    const bool in_doubt = form->makes && said->kind == CLOUD_SERVER_ERROR;
    const enum cloud_error kind = in_doubt ? CLOUD_AMBIGUOUS : said->kind;
    const enum outcome outcome =
        fail_at(err, cloud_error_outcome(kind), name_of(&cloud_error_names, (int)kind),
                missing_permission(said, form->call, where), "%s (%d): %.180s", said->code, status,
                said->message);
    if (err != NULL)
        err->retry_ms = retry_ms;
    return outcome;
}

/* The answer to a call that was not refused. Credentials that ended are renewed, and then it is
 * said once more. */
static enum outcome call(struct cloud *cloud, const struct service *to, const struct form *form,
                         struct http_answer *out, struct error *err)
{
    struct ec2_error said = {0};
    int64_t retry_ms = 0;
    for (int attempt = 0; attempt < 2; attempt++) {
        OWNED(http_answer_done) struct http_answer answer = {0};
        TRY(exchange(cloud, to, form, &answer, &said, &retry_ms, err));
        if (answer.status >= 200 && answer.status < 300) {
            *out = answer;
            answer = (struct http_answer){0};
            return OK;
        }
        if (attempt == 1 || !says_ended(&said) || !sign_in_renew(&cloud->sign_in))
            return fail_as(&said, form, answer.status, retry_ms, err);
    }
    return fail(err, ERR_INTERNAL, "%s: neither done nor refused", form->call);
}

static enum outcome aws_identify(struct cloud *cloud, struct cloud_identity *out, struct error *err)
{
    OWNED(form_done) struct form form = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    sts_get_caller_identity(&form);
    TRY(call(cloud, &cloud->sts, &form, &answer, err));
    return sts_read_identity(bytes_span(&answer.body), out, err);
}

static enum outcome aws_turn(struct cloud *cloud, struct error *err)
{
    const struct credentials *credentials;
    TRY(manners_reach(cloud->manners, err));
    TRY(manners_unless_reached(cloud->manners, get_credentials(cloud, &credentials, err)));
    return manners_hold(cloud->manners, "RunInstances", err);
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
    TRY(call(cloud, &cloud->ec2, &form, &answer, err));
    return read_launched(order, bytes_span(&answer.body), out, err);
}

static enum outcome check_ref(const char *ref, struct error *err)
{
    if (ec2_ref_is_valid(ref))
        return OK;
    return cloud_fail(err, CLOUD_INVALID, "'%.60s' is no EC2 instance id", ref);
}

/* All pages or an error. A page may be empty and still not be the last. */
static enum outcome read_pages(struct cloud *cloud, const char *filter, const char *value,
                               struct listing *listing, struct error *err)
{
    static const char action[] = "DescribeInstances";
    while (!listing->is_whole && listing->page.turns < PAGES_MAX) {
        OWNED(form_done) struct form form = {0};
        OWNED(http_answer_done) struct http_answer answer = {0};
        OWNED(text_done) struct text next = {0};
        ec2_describe(filter, value, text_str(&listing->page.at), &form);
        TRY(call(cloud, &cloud->ec2, &form, &answer, err));
        TRY(ec2_read_machines(action, bytes_span(&answer.body), &listing->list, &next, err));
        listing->is_whole = next.len == 0;
        if (!listing->is_whole)
            TRY(page_turn(&listing->page, action, &next, err));
    }
    if (!listing->is_whole)
        return cloud_fail(err, CLOUD_SERVER_ERROR, "%s: more than %d pages", action, PAGES_MAX);
    return OK;
}

static enum outcome list_matching(struct cloud *cloud, const char *filter, const char *value,
                                  struct sighting_list *out, struct error *err)
{
    OWNED(listing_done) struct listing listing = {0};
    TRY(read_pages(cloud, filter, value, &listing, err));
    listing_take(&listing, out);
    return OK;
}

static enum outcome aws_offers(struct cloud *cloud, struct offer_list *out, struct error *err)
{
    static const char action[] = "DescribeInstanceTypes";
    OWNED(offer_list_done) struct offer_list list = {0};
    OWNED(page_done) struct page at = {0};
    for (int page = 0; page < PAGES_MAX; page++) {
        OWNED(form_done) struct form form = {0};
        OWNED(http_answer_done) struct http_answer answer = {0};
        OWNED(text_done) struct text next = {0};
        ec2_describe_types(text_str(&at.at), &form);
        TRY(call(cloud, &cloud->ec2, &form, &answer, err));
        TRY(ec2_read_offers(bytes_span(&answer.body), &list, &next, err));
        if (next.len == 0) {
            *out = list;
            list = (struct offer_list){0};
            return OK;
        }
        TRY(page_turn(&at, action, &next, err));
    }
    return cloud_fail(err, CLOUD_SERVER_ERROR, "%s: more than %d pages", action, PAGES_MAX);
}

static enum outcome list_left(struct cloud *cloud, enum leftover_kind kind,
                              struct leftover_list *out, struct error *err)
{
    const char *action = ec2_leftovers[kind].describe;
    OWNED(page_done) struct page at = {0};
    for (int page = 0; page < PAGES_MAX; page++) {
        OWNED(form_done) struct form form = {0};
        OWNED(http_answer_done) struct http_answer answer = {0};
        OWNED(text_done) struct text next = {0};
        ec2_describe_leftovers(kind, cloud->account.owner, text_str(&at.at), &form);
        TRY(call(cloud, &cloud->ec2, &form, &answer, err));
        TRY(ec2_read_leftovers(kind, cloud->account.owner, bytes_span(&answer.body), out, &next,
                               err));
        if (next.len == 0)
            return OK;
        TRY(page_turn(&at, action, &next, err));
    }
    return cloud_fail(err, CLOUD_SERVER_ERROR, "%s: more than %d pages", action, PAGES_MAX);
}

static enum outcome aws_leftovers(struct cloud *cloud, struct leftover_list *out, struct error *err)
{
    OWNED(leftover_list_done) struct leftover_list list = {0};
    for (int kind = 0; kind < LEFTOVER_KIND_COUNT; kind++)
        TRY(list_left(cloud, (enum leftover_kind)kind, &list, err));
    *out = list;
    list = (struct leftover_list){0};
    return OK;
}

static enum outcome aws_discard(struct cloud *cloud, enum leftover_kind kind, const char *ref,
                                struct error *err)
{
    OWNED(form_done) struct form form = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    if (!ec2_leftover_ref_is_valid(kind, ref))
        return cloud_fail(err, CLOUD_INVALID, "'%.60s' is no id of such a thing", ref);
    ec2_discard(kind, ref, &form);
    TRY(call(cloud, &cloud->ec2, &form, &answer, err));
    return ec2_read_nothing(ec2_leftovers[kind].discard, bytes_span(&answer.body), err);
}

static enum outcome aws_find(struct cloud *cloud, const char *ref, const char *machine_id,
                             struct sighting *out, struct error *err)
{
    (void)machine_id; /* the name is the number */
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

/* Not by its tag, which anybody may take off, or put on another machine. */
static enum outcome aws_find_token(struct cloud *cloud, const char *client_token,
                                   struct sighting_list *out, struct error *err)
{
    return list_matching(cloud, "client-token", client_token, out, err);
}

static enum outcome list_events(struct cloud *cloud, struct notice_list *out, struct error *err)
{
    static const char action[] = "DescribeInstanceStatus";
    OWNED(sighting_list_done) struct sighting_list unused = {0};
    OWNED(page_done) struct page at = {0};
    for (int page = 0; page < PAGES_MAX; page++) {
        OWNED(form_done) struct form form = {0};
        OWNED(http_answer_done) struct http_answer answer = {0};
        OWNED(text_done) struct text next = {0};
        ec2_describe_events(text_str(&at.at), &form);
        TRY(call(cloud, &cloud->ec2, &form, &answer, err));
        TRY(ec2_read_statuses(action, bytes_span(&answer.body), &unused, out, &next, err));
        if (next.len == 0)
            return OK;
        TRY(page_turn(&at, action, &next, err));
    }
    return cloud_fail(err, CLOUD_SERVER_ERROR, "%s: more than %d pages", action, PAGES_MAX);
}

/* Events come by a call of their own, for the whole region. Without them the list still counts. */
static enum outcome aws_list(struct cloud *cloud, struct sighting_list *out, struct error *err)
{
    OWNED(notice_list_done) struct notice_list events = {0};
    struct listing *all = &cloud->all;
    listing_begin(all);
    TRY(listing_tried(all, read_pages(cloud, "tag:" TAG_OWNER, cloud->account.owner, all, err)));
    listing_take(all, out);
    if (out->count == 0)
        return OK;
    if (list_events(cloud, &events, &out->notices_unknown) == OK)
        sighting_list_keep_notices(out, &events);
    return OK;
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
    TRY(call(cloud, &cloud->ec2, &form, &answer, err));
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

static enum outcome aws_terminate(struct cloud *cloud, const char *ref, const char *machine_id,
                                  struct cloud_operation *operation, struct error *err)
{
    (void)machine_id; /* the name is the number */
    return act(cloud, "TerminateInstances", ref, ec2_terminate_instance, operation, err);
}

const struct driver aws_driver = {
    .id = DRIVER_AWS,
    .limits = &aws_limits,
    .permissions = &aws_permissions,
    .open = aws_open,
    .close = aws_close,
    .identify = aws_identify,
    .turn = aws_turn,
    .launch = aws_launch,
    .find = aws_find,
    .find_token = aws_find_token,
    .list = aws_list,
    .stop = aws_stop,
    .start = aws_start,
    .terminate = aws_terminate,
    .offers = aws_offers,
    .leftovers = aws_leftovers,
    .discard = aws_discard,
    .read = aws_read,
};
