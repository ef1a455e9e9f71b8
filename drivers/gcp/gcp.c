/* Compute Engine as a driver: build the call, send it with a token, read the answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/gcp/gcp_answers.h"
#include "drivers/gcp/gcp_calls.h"
#include "drivers/gcp/gcp_leftovers.h"
#include "drivers/gcp/gcp_limits.h"
#include "drivers/gcp/gcp_offers.h"
#include "drivers/gcp/gcp_read.h"
#include "drivers/gcp/gcp_token.h"

enum {
    PAGES_MAX = 1000,
    POLL_SECONDS = 8, /* until the first look at an operation; the next takes twice as long, */
    POLL_SECONDS_MOST = 30, /* and so on: most are done by the first, hardly any by the third */
};

static void gcp_close(struct cloud *cloud)
{
    if (cloud == NULL)
        return;
    gcp_token_done(&cloud->token);
    gcp_credentials_done(&cloud->credentials);
    http_free(cloud->http);
    manners_close(cloud->manners);
    listing_done(&cloud->all);
    free(cloud);
}
DROP(cloud_drop, struct cloud, gcp_close)

/* Tokens go to Google and to this machine, whatever the account says: whoever may write accounts
 * does not get what we sign in with. */
static enum outcome find_endpoint(const struct account *account, struct endpoint *out,
                                  struct error *err)
{
    static const char ours[] = ".googleapis.com";
    TRY(endpoint_parse(account->endpoint[0] != '\0' ? account->endpoint
                                                    : "https://compute.googleapis.com",
                       out, err));
    const size_t len = strlen(out->host), tail = strlen(ours);
    if (endpoint_is_loopback(out) || (len > tail && strcmp(out->host + len - tail, ours) == 0))
        return OK;
    return fail_code(err, ERR_INVALID, "bad-endpoint", "'%.100s' is not Google's", out->host);
}

static enum outcome gcp_open(const struct account *account, struct cloud **out, struct error *err)
{
    OWNED(cloud_drop) struct cloud *cloud = NEW(struct cloud);
    cloud->account = *account;
    cloud->account.credentials = NULL;
    cloud->account.test = NULL;
    if (account->project[0] == '\0')
        return fail_at(err, ERR_INVALID, "bad-account", "/project",
                       "/project: Google Cloud needs a project");
    TRY(find_endpoint(account, &cloud->endpoint, err));
    TRY(gcp_credentials_find(account, &cloud->credentials, err));
    cloud->http = http_new();
    cloud->manners = manners_open(account, &gcp_limits);
    *out = TAKE(cloud);
    return OK;
}

/* ---- reading ------------------------------------------------------------------------------- */

static enum outcome get_machine(struct cloud *cloud, const struct gcp_place *place,
                                struct sighting *out, struct notice_list *notices,
                                struct error *err)
{
    OWNED(gcp_call_done) struct gcp_call call = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    struct sighting seen;
    gcp_get(&cloud->account, place, &call);
    TRY(gcp_compute(cloud, &call, &answer, err));
    TRY(gcp_read_machine(bytes_span(&answer.body), &seen, notices, err));
    struct gcp_place where;
    TRY(gcp_place_parse(seen.ref, &where, err));
    if (strcmp(where.zone, place->zone) != 0 || strcmp(where.name, place->name) != 0)
        return cloud_fail(err, CLOUD_AMBIGUOUS, "asked for %s/%s, told of %s", place->zone,
                          place->name, seen.ref);
    *out = seen;
    return OK;
}

/* All pages or an error. A page may be empty and still not be the last. */
static enum outcome read_pages(struct cloud *cloud, const char *filter, struct listing *listing,
                               struct error *err)
{
    static const char action[] = "aggregatedList";
    while (!listing->is_whole && listing->page.turns < PAGES_MAX) {
        OWNED(gcp_call_done) struct gcp_call call = {0};
        OWNED(http_answer_done) struct http_answer answer = {0};
        OWNED(text_done) struct text next = {0};
        gcp_list(&cloud->account, filter, text_str(&listing->page.at), &call);
        TRY(gcp_compute(cloud, &call, &answer, err));
        TRY(gcp_read_list(bytes_span(&answer.body), cloud->account.region, &listing->list,
                          &listing->list.notices, &next, err));
        listing->is_whole = next.len == 0;
        if (!listing->is_whole)
            TRY(page_turn(&listing->page, action, &next, err));
    }
    if (!listing->is_whole)
        return cloud_fail(err, CLOUD_SERVER_ERROR, "%s: more than %d pages", action, PAGES_MAX);
    return OK;
}

static enum outcome gcp_find_token(struct cloud *cloud, const char *client_token,
                                   struct sighting_list *out, struct error *err)
{
    OWNED(text_done) struct text filter = {0};
    if (!gcp_name_is_valid(client_token))
        return cloud_fail(err, CLOUD_INVALID, "'%.60s' is no client token", client_token);
    OWNED(listing_done) struct listing listing = {0};
    gcp_filter_token(client_token, &filter);
    TRY(read_pages(cloud, text_str(&filter), &listing, err));
    if (listing.list.partial) /* it may be in the zone that did not answer */
        return cloud_fail(err, CLOUD_SERVER_ERROR, "a zone did not answer: %s may be there",
                          client_token);
    listing_take(&listing, out);
    return OK;
}

static enum outcome gcp_list_ours(struct cloud *cloud, struct sighting_list *out, struct error *err)
{
    OWNED(text_done) struct text filter = {0};
    gcp_filter_owner(cloud->account.owner, &filter);
    listing_begin(&cloud->all);
    TRY(listing_tried(&cloud->all, read_pages(cloud, text_str(&filter), &cloud->all, err)));
    listing_take(&cloud->all, out);
    return OK;
}

static bool is_known(const char *machine_id)
{
    return machine_id != NULL && machine_id[0] != '\0';
}

/* A machine that nobody knows by that name may have been given another: its label tells. A copy of
 * it bears that as well, and only their numbers tell them apart. */
static enum outcome find_renamed(struct cloud *cloud, const struct gcp_place *place,
                                 const char *machine_id, struct sighting *out, struct error *err)
{
    OWNED(sighting_list_done) struct sighting_list list = {0};
    TRY(gcp_find_token(cloud, place->name, &list, err));
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.at[i].zone, place->zone) == 0 &&
            (!is_known(machine_id) || strcmp(list.at[i].machine_id, machine_id) == 0)) {
            *out = list.at[i];
            return OK;
        }
    return cloud_fail(err, CLOUD_NOT_FOUND, "%s/%s is not there", place->zone, place->name);
}

static enum outcome gcp_find(struct cloud *cloud, const char *ref, const char *machine_id,
                             struct sighting *out, struct error *err)
{
    OWNED(notice_list_done) struct notice_list notices = {0};
    struct gcp_place place;
    TRY(gcp_place_parse(ref, &place, err));
    enum outcome outcome = get_machine(cloud, &place, out, &notices, err);
    return outcome == ERR_NOT_FOUND ? find_renamed(cloud, &place, machine_id, out, err) : outcome;
}

/* ---- sizes ---------------------------------------------------------------------------------- */

static enum outcome find_zones(struct cloud *cloud, struct gcp_zones *out, struct error *err)
{
    OWNED(gcp_call_done) struct gcp_call call = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    if (cloud->account.zone[0] != '\0') {
        *out = (struct gcp_zones){.count = 1};
        text_clip(out->at[0], sizeof out->at[0], cloud->account.zone);
        return OK;
    }
    gcp_region(&cloud->account, &call);
    TRY(gcp_compute(cloud, &call, &answer, err));
    return gcp_read_region_zones(bytes_span(&answer.body), cloud->account.region, out, err);
}

static enum outcome offers_of_zone(struct cloud *cloud, const char *zone, struct offer_list *out,
                                   struct error *err)
{
    OWNED(page_done) struct page at = {0};
    for (int page = 0; page < PAGES_MAX; page++) {
        OWNED(gcp_call_done) struct gcp_call call = {0};
        OWNED(http_answer_done) struct http_answer answer = {0};
        OWNED(text_done) struct text next = {0};
        gcp_machine_types(&cloud->account, zone, text_str(&at.at), &call);
        TRY(gcp_compute(cloud, &call, &answer, err));
        TRY(gcp_read_offers(bytes_span(&answer.body), out, &next, err));
        if (next.len == 0)
            return OK;
        TRY(page_turn(&at, "machineTypes", &next, err));
    }
    return cloud_fail(err, CLOUD_SERVER_ERROR, "machineTypes: more than %d pages", PAGES_MAX);
}

static enum outcome gcp_offers(struct cloud *cloud, struct offer_list *out, struct error *err)
{
    OWNED(offer_list_done) struct offer_list list = {0};
    struct gcp_zones zones;
    TRY(find_zones(cloud, &zones, err));
    for (size_t i = 0; i < zones.count; i++)
        TRY(offers_of_zone(cloud, zones.at[i], &list, err));
    *out = list;
    list = (struct offer_list){0};
    return OK;
}

/* ---- what machines left behind --------------------------------------------------------------- */

static enum outcome list_left(struct cloud *cloud, enum leftover_kind kind,
                              struct leftover_list *out, struct error *err)
{
    OWNED(page_done) struct page at = {0};
    for (int page = 0; page < PAGES_MAX; page++) {
        OWNED(gcp_call_done) struct gcp_call call = {0};
        OWNED(http_answer_done) struct http_answer answer = {0};
        OWNED(text_done) struct text next = {0};
        gcp_list_left(&cloud->account, kind, text_str(&at.at), &call);
        TRY(gcp_compute(cloud, &call, &answer, err));
        TRY(gcp_read_left(kind, &cloud->account, bytes_span(&answer.body), out, &next, err));
        if (next.len == 0)
            return OK;
        TRY(page_turn(&at, "aggregatedList", &next, err));
    }
    return cloud_fail(err, CLOUD_SERVER_ERROR, "aggregatedList: more than %d pages", PAGES_MAX);
}

static enum outcome gcp_leftovers(struct cloud *cloud, struct leftover_list *out, struct error *err)
{
    OWNED(leftover_list_done) struct leftover_list list = {0};
    for (int kind = 0; kind < LEFTOVER_KIND_COUNT; kind++)
        if (gcp_has_leftovers((enum leftover_kind)kind))
            TRY(list_left(cloud, (enum leftover_kind)kind, &list, err));
    *out = list;
    list = (struct leftover_list){0};
    return OK;
}

static enum outcome gcp_discard_left(struct cloud *cloud, enum leftover_kind kind, const char *ref,
                                     struct error *err)
{
    OWNED(gcp_call_done) struct gcp_call call = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    struct gcp_place place;
    if (!gcp_has_leftovers(kind))
        return cloud_fail(err, CLOUD_UNSUPPORTED, "there is no such thing by itself: %.60s", ref);
    TRY(gcp_place_parse(ref, &place, err));
    gcp_discard(&cloud->account, kind, &place, &call);
    TRY(gcp_compute(cloud, &call, &answer, err));
    return gcp_read_accepted(bytes_span(&answer.body), err);
}

/* ---- changing ------------------------------------------------------------------------------ */

static void keep(const struct gcp_operation *operation, struct cloud_operation *out)
{
    if (out == NULL)
        return;
    *out = (struct cloud_operation){0};
    if (operation->done)
        return;
    snprintf(out->name, sizeof out->name, "%s/%s", operation->place.zone, operation->place.name);
    out->poll_seconds = POLL_SECONDS;
}

/* The answer speaks of an operation in the zone that we asked: where it is polled is ours to say,
 * whatever address the answer holds. */
static enum outcome read_begun(const struct http_answer *answer, const char *zone,
                               struct gcp_operation *out, struct error *err)
{
    TRY(gcp_read_operation(bytes_span(&answer->body), out, err));
    if (strcmp(out->place.zone, zone) != 0)
        return cloud_fail(err, CLOUD_AMBIGUOUS, "asked of %s, told of an operation in %s", zone,
                          out->place.zone);
    return OK;
}

/* Was it launched by this order? Its name is taken, and after an hour Google forgets our id. */
static enum outcome adopt(struct cloud *cloud, const struct launch_order *order,
                          const struct gcp_place *place, struct sighting *out, struct error *err)
{
    OWNED(notice_list_done) struct notice_list notices = {0};
    enum outcome outcome = get_machine(cloud, place, out, &notices, err);
    if (outcome == ERR_NOT_FOUND)
        return cloud_fail(err, CLOUD_AMBIGUOUS, "%s is taken, and by nobody", place->name);
    TRY(outcome);
    if (!uuid_equal(&out->instance, &order->instance) || out->generation != order->generation ||
        strcmp(out->size, order->size) != 0)
        return cloud_fail(err, CLOUD_IDEMPOTENCY_MISMATCH, "%s is there, by another order",
                          out->ref);
    return OK;
}

static void fill_in(const struct launch_order *order, const struct gcp_place *place,
                    struct sighting *out)
{
    *out = (struct sighting){.state = MACHINE_CREATING,
                             .instance = order->instance,
                             .generation = order->generation,
                             .launched = clock_now()};
    snprintf(out->ref, sizeof out->ref, "%s/%s", place->zone, place->name);
    snprintf(out->state_word, sizeof out->state_word, "PROVISIONING");
    snprintf(out->fleet, sizeof out->fleet, "%.63s", order->fleet);
    snprintf(out->client_token, sizeof out->client_token, "%s", place->name);
    snprintf(out->size, sizeof out->size, "%.63s", order->size);
    snprintf(out->zone, sizeof out->zone, "%s", place->zone);
}

static enum outcome gcp_launch(struct cloud *cloud, const struct launch_order *order,
                               struct sighting *out, struct cloud_operation *operation,
                               struct error *err)
{
    OWNED(gcp_call_done) struct gcp_call call = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    struct gcp_operation begun;
    struct gcp_place place;
    *operation = (struct cloud_operation){0};
    TRY(gcp_insert(&cloud->account, order, &call, &place, err));
    TRY(gcp_send(cloud, &call, &answer, err));
    if (answer.status == 409)
        return adopt(cloud, order, &place, out, err);
    if (answer.status < 200 || answer.status > 299)
        return gcp_tell_when(cloud, gcp_check_launch(answer.status, bytes_span(&answer.body), err),
                             err);
    TRY(read_begun(&answer, place.zone, &begun, err));
    keep(&begun, operation);
    fill_in(order, &place, out);
    snprintf(out->machine_id, sizeof out->machine_id, "%s", begun.target);
    return OK;
}

/* The server answers when it is done. That we would not wait as long, for whoever asks has more to
 * do, means that it goes on. */
static enum outcome gcp_follow(struct cloud *cloud, struct cloud_operation *operation,
                               struct error *err)
{
    OWNED(gcp_call_done) struct gcp_call call = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    struct gcp_operation begun = {0};
    struct gcp_place place;
    if (operation->name[0] == '\0')
        return OK;
    TRY(gcp_place_parse(operation->name, &place, err));
    gcp_operation(&cloud->account, &place, &call);
    TRY(gcp_compute(cloud, &call, &answer, err));
    const int64_t waited = operation->poll_seconds;
    enum outcome outcome = read_begun(&answer, place.zone, &begun, err);
    if (outcome == OK || (begun.done && outcome != ERR_AMBIGUOUS))
        keep(&begun, operation);
    TRY(outcome);
    if (waited > 0)
        operation->poll_seconds = 2 * waited < POLL_SECONDS_MOST ? 2 * waited : POLL_SECONDS_MOST;
    if (answer.retry_after_seconds > 0)
        operation->poll_seconds = answer.retry_after_seconds;
    return OK;
}

typedef void build_fn(const struct account *, const struct gcp_place *, struct gcp_call *);

static enum outcome change_at(struct cloud *cloud, const struct gcp_place *place, build_fn *build,
                              struct cloud_operation *operation, struct error *err)
{
    OWNED(gcp_call_done) struct gcp_call call = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    struct gcp_operation begun;
    build(&cloud->account, place, &call);
    TRY(gcp_compute(cloud, &call, &answer, err));
    TRY(read_begun(&answer, place->zone, &begun, err));
    keep(&begun, operation);
    return OK;
}

/* Of what has another name only the number is sure: without it nothing else is touched. */
static enum outcome change(struct cloud *cloud, const char *ref, const char *machine_id,
                           build_fn *build, struct cloud_operation *operation, struct error *err)
{
    struct gcp_place place;
    struct sighting renamed;
    if (operation != NULL)
        *operation = (struct cloud_operation){0};
    TRY(gcp_place_parse(ref, &place, err));
    enum outcome outcome = change_at(cloud, &place, build, operation, err);
    if (outcome != ERR_NOT_FOUND || !is_known(machine_id))
        return outcome;
    TRY(find_renamed(cloud, &place, machine_id, &renamed, err));
    TRY(gcp_place_parse(renamed.ref, &place, err));
    return change_at(cloud, &place, build, operation, err);
}

static void build_stop(const struct account *account, const struct gcp_place *place,
                       struct gcp_call *out)
{
    gcp_act(account, place, "stop", out);
}

static void build_start(const struct account *account, const struct gcp_place *place,
                        struct gcp_call *out)
{
    gcp_act(account, place, "start", out);
}

static void build_maintain(const struct account *account, const struct gcp_place *place,
                           struct gcp_call *out)
{
    gcp_act(account, place, "performMaintenance", out);
}

static enum outcome gcp_stop(struct cloud *cloud, const char *ref,
                             struct cloud_operation *operation, struct error *err)
{
    return change(cloud, ref, NULL, build_stop, operation, err);
}

static enum outcome gcp_start(struct cloud *cloud, const char *ref,
                              struct cloud_operation *operation, struct error *err)
{
    return change(cloud, ref, NULL, build_start, operation, err);
}

static enum outcome gcp_terminate(struct cloud *cloud, const char *ref, const char *machine_id,
                                  struct cloud_operation *operation, struct error *err)
{
    return change(cloud, ref, machine_id, gcp_delete, operation, err);
}

static enum outcome gcp_maintain_anyway(struct cloud *cloud, const char *ref,
                                        struct cloud_operation *operation, struct error *err)
{
    return change(cloud, ref, NULL, build_maintain, operation, err);
}

/* Only maintenance that Google lets us choose the time of. */
static enum outcome gcp_maintain(struct cloud *cloud, const char *ref,
                                 struct cloud_operation *operation, struct error *err)
{
    OWNED(notice_list_done) struct notice_list notices = {0};
    struct gcp_place place;
    struct sighting seen;
    TRY(gcp_place_parse(ref, &place, err));
    TRY(get_machine(cloud, &place, &seen, &notices, err));
    if (notices.count == 0 || !notices.at[0].is_ours_to_time)
        return cloud_fail(err, CLOUD_STATE_CONFLICT, "%s has no maintenance that is ours to time",
                          ref);
    return gcp_maintain_anyway(cloud, ref, operation, err);
}

const struct driver gcp_driver = {
    .id = DRIVER_GCP,
    .limits = &gcp_limits,
    .open = gcp_open,
    .close = gcp_close,
    .identify = gcp_identify,
    .turn = gcp_turn,
    .launch = gcp_launch,
    .follow = gcp_follow,
    .find = gcp_find,
    .find_token = gcp_find_token,
    .list = gcp_list_ours,
    .stop = gcp_stop,
    .start = gcp_start,
    .terminate = gcp_terminate,
    .maintain = gcp_maintain,
    .maintain_anyway = gcp_maintain_anyway,
    .offers = gcp_offers,
    .leftovers = gcp_leftovers,
    .discard = gcp_discard_left,
    .read = gcp_read,
};
