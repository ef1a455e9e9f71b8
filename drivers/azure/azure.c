/* Azure Resource Manager as a driver: build the request, send it with a token, read the answer. A
 * machine's name is its client token, so the same order again meets the same machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/azure/azure_answers.h"
#include "drivers/azure/azure_leftovers.h"
#include "drivers/azure/azure_limits.h"
#include "drivers/azure/azure_offers.h"
#include "drivers/azure/azure_read.h"
#include "drivers/azure/azure_requests.h"
#include "drivers/azure/azure_token.h"
#include "lib/base/json.h"
#include "lib/crypto/random.h"

enum {
    PAGES_MAX = 1000,
    CALL_TIMEOUT_MS = 30000,
    CLAIMS_MAX = 16 * 1024, /* a form that holds more is too large for the token service */
};

struct cloud {
    struct account account; /* its texts only: the JSON members stay with the caller */
    struct azure_identity identity;
    struct azure_place place;
    struct http *http;
    struct manners *manners;
    struct listing tagged, powers; /* our machines, as far as they were listed */
    int64_t retry_ms;              /* of the last answer, when it throttled us */
    bool is_known;                 /* the token was seen to be of our subscription and tenant */
};

static void azure_close(struct cloud *cloud)
{
    if (cloud == NULL)
        return;
    azure_identity_done(&cloud->identity);
    http_free(cloud->http);
    manners_close(cloud->manners);
    listing_done(&cloud->tagged);
    listing_done(&cloud->powers);
    free(cloud);
}
DROP(cloud_drop, struct cloud, azure_close)

static enum outcome azure_open(const struct account *account, struct cloud **out, struct error *err)
{
    OWNED(cloud_drop) struct cloud *cloud = NEW(struct cloud);
    TRY(azure_place_find(account, &cloud->place, err));
    TRY(azure_identity_find(account, &cloud->identity, err));
    cloud->account = *account;
    cloud->account.credentials = NULL;
    cloud->account.test = NULL;
    cloud->http = http_new();
    cloud->manners = manners_open(account, &azure_limits);
    *out = TAKE(cloud);
    return OK;
}

/* ---- sending -------------------------------------------------------------------------------- */

/* Does the address name Resource Manager itself? Nobody else gets the token. */
static bool is_arm(const struct cloud *cloud, const char *url)
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
static enum outcome send_to(struct cloud *cloud, enum arm_call call, const char *url,
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

static enum outcome send_request(struct cloud *cloud, const struct arm_request *request,
                                 struct http_answer *out, struct error *err)
{
    OWNED(text_done) struct text url = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    text_addf(&url, "%s%s", cloud->place.arm.url, text_str(&request->path));
    TRY(send_to(cloud, request->call, text_str(&url), text_span(&request->body), &answer, err));
    *out = answer;
    answer = (struct http_answer){0};
    return OK;
}

/* Who was throttled is told when to come back. */
static enum outcome tell_when(const struct cloud *cloud, enum outcome outcome, struct error *err)
{
    if (outcome == ERR_THROTTLED && err != NULL)
        err->retry_ms = cloud->retry_ms;
    return outcome;
}

static enum outcome check(const struct cloud *cloud, const struct http_answer *answer,
                          struct error *err)
{
    return tell_when(cloud, arm_check_status(answer->status, bytes_span(&answer->body), err), err);
}

/* The same as sending, and an answer of 2xx. */
static enum outcome call_arm(struct cloud *cloud, const struct arm_request *request,
                             struct http_answer *out, struct error *err)
{
    OWNED(http_answer_done) struct http_answer answer = {0};
    TRY(send_request(cloud, request, &answer, err));
    TRY(check(cloud, &answer, err));
    *out = answer;
    answer = (struct http_answer){0};
    return OK;
}

static enum outcome azure_turn(struct cloud *cloud, struct error *err)
{
    const char *token;
    bool is_new;
    TRY(get_token(cloud, &token, &is_new, err));
    return manners_hold(cloud->manners, arm_calls[ARM_CREATE].operation, err);
}

/* ---- operations ----------------------------------------------------------------------------- */

/* "status URL" or "location URL": how they are read differs. An address elsewhere, or too long, is
 * not followed: find() tells what becomes of the machine. */
static void note_operation(const struct cloud *cloud, const struct http_answer *answer,
                           struct cloud_operation *out)
{
    const char *status = http_answer_header(answer, "Azure-AsyncOperation");
    const char *location = answer->status == 202 ? http_answer_header(answer, "Location") : NULL;
    const char *url = status != NULL ? status : location;
    if (out == NULL)
        return;
    *out = (struct cloud_operation){.poll_seconds = answer->retry_after_seconds};
    if (url == NULL || !is_arm(cloud, url) ||
        snprintf(out->name, sizeof out->name, "%s %s", status != NULL ? "status" : "location",
                 url) >= (int)sizeof out->name)
        out->name[0] = '\0';
}

static enum outcome read_followed(const struct http_answer *answer, bool by_status, bool *out_done,
                                  struct error *err)
{
    const struct span body = bytes_span(&answer->body);
    *out_done = false;
    TRY(arm_check_status(answer->status, body, err));
    if (by_status && answer->status != 204)
        return arm_read_operation(body, out_done, err);
    *out_done = answer->status != 202;
    return OK;
}

static enum outcome azure_follow(struct cloud *cloud, struct cloud_operation *operation,
                                 struct error *err)
{
    OWNED(http_answer_done) struct http_answer answer = {0};
    bool by_status = strncmp(operation->name, "status ", 7) == 0;
    bool done;
    const char *url = strchr(operation->name, ' ');
    if (url == NULL || !is_arm(cloud, url + 1))
        return cloud_fail(err, CLOUD_INVALID, "an operation that is not Resource Manager's");
    TRY(send_to(cloud, ARM_FOLLOW, url + 1, SPAN(NULL, 0), &answer, err));
    enum outcome outcome = tell_when(cloud, read_followed(&answer, by_status, &done, err), err);
    operation->poll_seconds = answer.retry_after_seconds;
    if (done)
        *operation = (struct cloud_operation){0};
    return outcome;
}

/* ---- looking -------------------------------------------------------------------------------- */

static enum outcome azure_identify(struct cloud *cloud, struct cloud_identity *out,
                                   struct error *err)
{
    OWNED(arm_request_done) struct arm_request request = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    arm_subscription(&cloud->account, &request);
    TRY(call_arm(cloud, &request, &answer, err));
    return arm_read_subscription(bytes_span(&answer.body), out, err);
}

static enum outcome check_ref(const char *ref, struct error *err)
{
    if (arm_name_is_valid(ref))
        return OK;
    return cloud_fail(err, CLOUD_INVALID, "'%.60s' is no machine's name", ref);
}

static enum outcome get_machine(struct cloud *cloud, const char *ref, struct sighting *out,
                                struct text *out_order, struct error *err)
{
    OWNED(arm_request_done) struct arm_request request = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    TRY(check_ref(ref, err));
    arm_get(&cloud->account, ref, &request);
    TRY(call_arm(cloud, &request, &answer, err));
    TRY(arm_read_machine(bytes_span(&answer.body), out, out_order, NULL, err));
    if (strcasecmp(out->ref, ref) != 0)
        return cloud_fail(err, CLOUD_AMBIGUOUS, "asked for %s, answered for %s", ref, out->ref);
    return OK;
}

/* A name is one machine's, and nobody can give a machine another. */
static enum outcome azure_find(struct cloud *cloud, const char *ref, const char *machine_id,
                               struct sighting *out, struct error *err)
{
    (void)machine_id;
    return get_machine(cloud, ref, out, NULL, err);
}

/* The name is the key. A machine that lost its tags is still the one: its instance is then zero. */
static enum outcome azure_find_token(struct cloud *cloud, const char *client_token,
                                     struct sighting_list *out, struct error *err)
{
    struct error why = {0};
    struct sighting found;
    enum outcome outcome = get_machine(cloud, client_token, &found, NULL, &why);
    if (outcome == OK)
        *sighting_list_add(out) = found;
    if (outcome == OK || outcome == ERR_NOT_FOUND)
        return OK;
    if (err != NULL)
        *err = why;
    return outcome;
}

static enum outcome take_link(const struct cloud *cloud, struct page *page, struct text *next,
                              struct error *err)
{
    if (!is_arm(cloud, text_str(next)))
        return cloud_fail(err, CLOUD_SERVER_ERROR, "the next page is at another host");
    return page_turn(page, "a list", next, err);
}

/* All pages or an error. A page may be empty and still not be the last. */
static enum outcome read_pages(struct cloud *cloud, const struct arm_request *request,
                               const struct arm_filter *filter, struct listing *listing,
                               struct error *err)
{
    struct page *at = &listing->page;
    if (at->at.len == 0)
        text_addf(&at->at, "%s%s", cloud->place.arm.url, text_str(&request->path));
    while (!listing->is_whole && at->turns < PAGES_MAX) {
        OWNED(http_answer_done) struct http_answer answer = {0};
        OWNED(text_done) struct text next = {0};
        TRY(send_to(cloud, request->call, text_str(&at->at), SPAN(NULL, 0), &answer, err));
        TRY(check(cloud, &answer, err));
        TRY(arm_read_page(bytes_span(&answer.body), filter, &listing->list, &listing->list.notices,
                          &next, err));
        listing->is_whole = next.len == 0;
        if (!listing->is_whole)
            TRY(take_link(cloud, at, &next, err));
    }
    if (!listing->is_whole)
        return cloud_fail(err, CLOUD_SERVER_ERROR, "a list of more than %d pages", PAGES_MAX);
    return OK;
}

static int by_ref(const void *a, const void *b)
{
    const struct sighting *x = a, *y = b;
    return strcasecmp(x->ref, y->ref);
}

/* A machine that is in one list only was made or deleted in between: its power is not known. */
static void add_power(struct sighting_list *list, const struct sighting_list *powers)
{
    for (size_t i = 0; powers->count > 0 && i < list->count; i++) {
        struct sighting *machine = &list->at[i];
        const struct sighting *power =
            bsearch(machine, powers->at, powers->count, sizeof *powers->at, by_ref);
        if (power == NULL)
            continue;
        machine->state = power->state;
        memcpy(machine->state_word, power->state_word, sizeof machine->state_word);
        memcpy(machine->reason, power->reason, sizeof machine->reason);
        memcpy(machine->failure, power->failure, sizeof machine->failure);
    }
}

static enum outcome read_both(struct cloud *cloud, struct error *err)
{
    OWNED(arm_request_done) struct arm_request tagged = {0};
    OWNED(arm_request_done) struct arm_request status = {0};
    arm_list(&cloud->account, &tagged);
    arm_list_status(&cloud->account, &status);
    TRY(read_pages(cloud, &tagged, &(struct arm_filter){.owner = cloud->account.owner},
                   &cloud->tagged, err));
    return read_pages(cloud, &status, &(struct arm_filter){.group = cloud->account.resource_group},
                      &cloud->powers, err);
}

/* Two lists, for none has both tags and power states: one of the group, one of the subscription. */
static enum outcome azure_list(struct cloud *cloud, struct sighting_list *out, struct error *err)
{
    OWNED(sighting_list_done) struct sighting_list powers = {0};
    listing_begin(&cloud->tagged);
    listing_begin(&cloud->powers);
    enum outcome outcome = listing_tried(&cloud->tagged, read_both(cloud, err));
    TRY(listing_tried(&cloud->powers, outcome));
    listing_take(&cloud->powers, &powers);
    listing_take(&cloud->tagged, out);
    if (powers.count > 0)
        qsort(powers.at, powers.count, sizeof *powers.at, by_ref);
    add_power(out, &powers);
    sighting_list_keep_notices(out, &powers.notices);
    return OK;
}

static enum outcome azure_offers(struct cloud *cloud, struct offer_list *out, struct error *err)
{
    OWNED(arm_request_done) struct arm_request request = {0};
    OWNED(offer_list_done) struct offer_list list = {0};
    OWNED(page_done) struct page at = {0};
    arm_skus(&cloud->account, &request);
    text_addf(&at.at, "%s%s", cloud->place.arm.url, text_str(&request.path));
    for (int page = 0; page < PAGES_MAX; page++) {
        OWNED(http_answer_done) struct http_answer answer = {0};
        OWNED(text_done) struct text next = {0};
        TRY(send_to(cloud, ARM_SKUS, text_str(&at.at), SPAN(NULL, 0), &answer, err));
        TRY(check(cloud, &answer, err));
        TRY(arm_read_offers(bytes_span(&answer.body), cloud->account.region, &list, &next, err));
        if (next.len == 0) {
            *out = list;
            list = (struct offer_list){0};
            return OK;
        }
        TRY(take_link(cloud, &at, &next, err));
    }
    return cloud_fail(err, CLOUD_SERVER_ERROR, "a list of more than %d pages", PAGES_MAX);
}

static enum outcome list_left(struct cloud *cloud, enum leftover_kind kind,
                              struct leftover_list *out, struct error *err)
{
    OWNED(arm_request_done) struct arm_request request = {0};
    OWNED(page_done) struct page at = {0};
    arm_list_left(&cloud->account, kind, &request);
    text_addf(&at.at, "%s%s", cloud->place.arm.url, text_str(&request.path));
    for (int page = 0; page < PAGES_MAX; page++) {
        OWNED(http_answer_done) struct http_answer answer = {0};
        OWNED(text_done) struct text next = {0};
        TRY(send_to(cloud, request.call, text_str(&at.at), SPAN(NULL, 0), &answer, err));
        TRY(check(cloud, &answer, err));
        TRY(arm_read_left(kind, cloud->account.owner, bytes_span(&answer.body), out, &next, err));
        if (next.len == 0)
            return OK;
        TRY(take_link(cloud, &at, &next, err));
    }
    return cloud_fail(err, CLOUD_SERVER_ERROR, "a list of more than %d pages", PAGES_MAX);
}

static enum outcome azure_leftovers(struct cloud *cloud, struct leftover_list *out,
                                    struct error *err)
{
    OWNED(leftover_list_done) struct leftover_list list = {0};
    for (int kind = 0; kind < LEFTOVER_KIND_COUNT; kind++)
        TRY(list_left(cloud, (enum leftover_kind)kind, &list, err));
    *out = list;
    list = (struct leftover_list){0};
    return OK;
}

/* ---- doing ---------------------------------------------------------------------------------- */

/* Somebody was here before: ourselves, when the machine says that it came of this very order. */
static enum outcome adopt(struct cloud *cloud, const struct launch_order *order,
                          struct sighting *out, struct error *err)
{
    OWNED(text_done) struct text held = {0};
    char hash[ARM_ORDER_SIZE];
    struct sighting found;
    struct error why = {0};
    enum outcome outcome = get_machine(cloud, order->client_token, &found, &held, &why);
    if (outcome != OK) /* it is there, and does not show itself yet */
        return cloud_fail(err, CLOUD_AMBIGUOUS, "%s exists: %.200s", order->client_token, why.text);
    if (strcmp(found.client_token, order->client_token) != 0 ||
        !uuid_equal(&found.instance, &order->instance))
        return cloud_fail(err, CLOUD_EXISTS, "%s exists, and is not tagged as ours",
                          order->client_token);
    arm_order_hash(&cloud->account, order, hash);
    if (strcmp(text_str(&held), hash) != 0)
        return cloud_fail(err, CLOUD_IDEMPOTENCY_MISMATCH, "%s was made by another order",
                          order->client_token);
    *out = found;
    return OK;
}

/* A 5xx may come after the machine was made. */
static enum outcome refuse_launch(struct cloud *cloud, const struct launch_order *order,
                                  const struct http_answer *answer, struct sighting *out,
                                  struct error *err)
{
    struct arm_error said = arm_error_read(answer->status, bytes_span(&answer->body));
    if (said.kind == CLOUD_EXISTS)
        return adopt(cloud, order, out, err);
    if (said.kind == CLOUD_SERVER_ERROR)
        said.kind = CLOUD_AMBIGUOUS;
    return tell_when(cloud, arm_fail(&said, answer->status, err), err);
}

static enum outcome azure_launch(struct cloud *cloud, const struct launch_order *order,
                                 struct sighting *out, struct cloud_operation *operation,
                                 struct error *err)
{
    OWNED(arm_request_done) struct arm_request request = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    *operation = (struct cloud_operation){0};
    TRY(arm_create(&cloud->account, order, &request, err));
    TRY(send_request(cloud, &request, &answer, err));
    if (answer.status < 200 || answer.status > 299)
        return refuse_launch(cloud, order, &answer, out, err);
    TRY(arm_read_machine(bytes_span(&answer.body), out, NULL, NULL, err));
    if (strcasecmp(out->ref, order->client_token) != 0)
        return cloud_fail(err, CLOUD_AMBIGUOUS, "asked for %s, answered for %s",
                          order->client_token, out->ref);
    note_operation(cloud, &answer, operation);
    return OK;
}

static enum outcome act(struct cloud *cloud, enum arm_call call, const char *ref,
                        struct cloud_operation *operation, struct error *err)
{
    OWNED(arm_request_done) struct arm_request request = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    if (operation != NULL)
        *operation = (struct cloud_operation){0};
    TRY(check_ref(ref, err));
    arm_act(&cloud->account, call, ref, &request);
    TRY(call_arm(cloud, &request, &answer, err));
    note_operation(cloud, &answer, operation);
    return OK;
}

/* Not powerOff, which keeps the host and the bill. */
static enum outcome azure_stop(struct cloud *cloud, const char *ref,
                               struct cloud_operation *operation, struct error *err)
{
    return act(cloud, ARM_DEALLOCATE, ref, operation, err);
}

static enum outcome azure_start(struct cloud *cloud, const char *ref,
                                struct cloud_operation *operation, struct error *err)
{
    return act(cloud, ARM_START, ref, operation, err);
}

/* What is not there is a 204. */
static enum outcome azure_terminate(struct cloud *cloud, const char *ref, const char *machine_id,
                                    struct cloud_operation *operation, struct error *err)
{
    (void)machine_id;
    return act(cloud, ARM_DELETE, ref, operation, err);
}

static enum outcome azure_discard(struct cloud *cloud, enum leftover_kind kind, const char *ref,
                                  struct error *err)
{
    OWNED(arm_request_done) struct arm_request request = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    if (!arm_left_name_is_valid(ref))
        return cloud_fail(err, CLOUD_INVALID, "'%.60s' is no resource's name", ref);
    arm_discard(&cloud->account, kind, ref, &request);
    return call_arm(cloud, &request, &answer, err);
}

static enum outcome azure_redeploy(struct cloud *cloud, const char *ref,
                                   struct cloud_operation *operation, struct error *err)
{
    return act(cloud, ARM_REDEPLOY, ref, operation, err);
}

static enum outcome azure_maintain(struct cloud *cloud, const char *ref,
                                   struct cloud_operation *operation, struct error *err)
{
    return act(cloud, ARM_MAINTAIN, ref, operation, err);
}

const struct driver azure_driver = {
    .id = DRIVER_AZURE,
    .limits = &azure_limits,
    .open = azure_open,
    .close = azure_close,
    .identify = azure_identify,
    .turn = azure_turn,
    .launch = azure_launch,
    .follow = azure_follow,
    .find = azure_find,
    .find_token = azure_find_token,
    .list = azure_list,
    .stop = azure_stop,
    .start = azure_start,
    .terminate = azure_terminate,
    .redeploy = azure_redeploy,
    .maintain = azure_maintain,
    .offers = azure_offers,
    .leftovers = azure_leftovers,
    .discard = azure_discard,
    .read = azure_read,
};
