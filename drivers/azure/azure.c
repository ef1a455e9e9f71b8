/* Azure Resource Manager as a driver: build the request, send it with a token, read the answer. A
 * machine's name is its client token, so the same order again meets the same machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/azure/azure_answers.h"
#include "drivers/azure/azure_calls.h"
#include "drivers/azure/azure_leftovers.h"
#include "drivers/azure/azure_limits.h"
#include "drivers/azure/azure_offers.h"
#include "drivers/azure/azure_read.h"
#include "drivers/azure/azure_requests.h"
#include "drivers/azure/azure_token.h"
#include "lib/base/json.h"

enum { PAGES_MAX = 1000 };

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
    if (url == NULL || !azure_is_arm(cloud, url) ||
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
    if (url == NULL || !azure_is_arm(cloud, url + 1))
        return cloud_fail(err, CLOUD_INVALID, "an operation that is not Resource Manager's");
    TRY(azure_send_to(cloud, ARM_FOLLOW, url + 1, SPAN(NULL, 0), &answer, err));
    enum outcome outcome =
        azure_tell_when(cloud, read_followed(&answer, by_status, &done, err), err);
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
    TRY(azure_call(cloud, &request, &answer, err));
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
    TRY(azure_call(cloud, &request, &answer, err));
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
    if (!azure_is_arm(cloud, text_str(next)))
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
        TRY(azure_send_to(cloud, request->call, text_str(&at->at), SPAN(NULL, 0), &answer, err));
        TRY(azure_check(cloud, &answer, err));
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
        TRY(azure_send_to(cloud, ARM_SKUS, text_str(&at.at), SPAN(NULL, 0), &answer, err));
        TRY(azure_check(cloud, &answer, err));
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
        TRY(azure_send_to(cloud, request.call, text_str(&at.at), SPAN(NULL, 0), &answer, err));
        TRY(azure_check(cloud, &answer, err));
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
    return azure_tell_when(cloud, arm_fail(&said, answer->status, err), err);
}

static enum outcome azure_launch(struct cloud *cloud, const struct launch_order *order,
                                 struct sighting *out, struct cloud_operation *operation,
                                 struct error *err)
{
    OWNED(arm_request_done) struct arm_request request = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    *operation = (struct cloud_operation){0};
    TRY(arm_create(&cloud->account, order, &request, err));
    TRY(azure_send(cloud, &request, &answer, err));
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
    TRY(azure_call(cloud, &request, &answer, err));
    if (call == ARM_DELETE && answer.status == 204)
        return cloud_fail(err, CLOUD_NOT_FOUND, "%s was not there", ref);
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
    return azure_call(cloud, &request, &answer, err);
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
    .maintain_anyway = azure_maintain,
    .offers = azure_offers,
    .leftovers = azure_leftovers,
    .discard = azure_discard,
    .read = azure_read,
};
