#include <stdio.h>
#include <string.h>

#include "controller/instance_inside.h"
#include "controller/userdata.h"
#include "db/account_store.h"
#include "db/fleet_store.h"
#include "db/image_store.h"
#include "db/place_store.h"
#include "db/ticket_store.h"
#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"

/* What the row's image is called at its place; "" when it is not there (any more). */
static enum outcome find_image(struct worker *w, const struct open_cloud *open,
                               const struct instance *row, char out[static IMAGE_REF_SIZE],
                               struct error *err)
{
    OWNED(image_done) struct image image = {0};
    enum outcome outcome = image_store_find(w->db, row->project, row->image, &image, err);
    out[0] = '\0';
    if (outcome == ERR_NOT_FOUND)
        return OK;
    TRY(outcome);
    const char *ref = image_ref_in(&image, &open->account);
    if (ref != NULL)
        snprintf(out, IMAGE_REF_SIZE, "%s", ref);
    return OK;
}

/* With what the cloud still does for it, if it does: nothing of that is lost with us. */
static enum outcome launched(struct worker *w, const struct open_cloud *open,
                             const struct instance *row, const struct sighting *seen,
                             const struct cloud_operation *operation, bool shown, struct error *err)
{
    const bool goes_on = operation->name[0] != '\0';
    char image_ref[IMAGE_REF_SIZE];
    TRY(find_image(w, open, row, image_ref, err));
    const struct instance_step step = {
        .shown = shown,
        .event = EVENT_LAUNCHED,
        .cloud_ref = seen->ref,
        .machine_id = seen->machine_id,
        .image_ref = image_ref,
        .zone = seen->zone[0] != '\0' ? seen->zone : NULL,
        .address = seen->private_address[0] != '\0' ? seen->private_address : NULL,
        .intent = goes_on ? INTENT_LAUNCH : INTENT_NONE,
        .due_in_seconds = goes_on ? operation_wait(operation) : LOOK_BOOT_SECONDS,
    };
    OWNED(transaction_end) struct transaction tx = {0};
    FAULT("launch-before-commit", err);
    TRY(transaction_begin(w->db, &tx, err));
    TRY(place_store_taken(w->db, row, err));
    TRY(row_advance(w, row, step, err));
    TRY(operation_keep(w, row, INTENT_LAUNCH, operation, err));
    FAULT("launch-inside-commit", err);
    return transaction_commit(&tx, err);
}

/* The ticket this controller would give. Another one (or another key) may have begun the launch:
 * then the row must know ours before the cloud does. */
static enum outcome ready_ticket(struct worker *w, const struct instance *row,
                                 struct launch_ticket *ticket, struct error *err)
{
    launch_ticket_make(w->crew->ticket_key, &row->id, ticket);
    if (memcmp(ticket->hash, row->launch_ticket_hash, SHA256_SIZE) == 0)
        return OK;
    return ticket_store_set(w->db, row, ticket->hash, err);
}

static enum outcome order_launch(struct worker *w, const struct open_cloud *open,
                                 const struct instance *row, struct sighting *out,
                                 struct cloud_operation *operation, struct error *err)
{
    OWNED(fleet_done) struct fleet fleet = {0};
    OWNED(bytes_wipe) struct bytes user_data = {0};
    struct launch_ticket ticket;
    char ref[IMAGE_REF_SIZE];
    TRY(find_image(w, open, row, ref, err));
    if (ref[0] == '\0')
        return fail_code(err, ERR_INVALID, "other-cloud",
                         "image %s is not for the cloud of account %s", row->image, row->account);
    TRY(fleet_store_find(w->db, row->project, row->fleet, &fleet, err));
    TRY(ready_ticket(w, row, &ticket, err));
    TRY(userdata_make(w->crew->settings->link_url, bytes_span(&w->crew->root_pem), &row->id,
                      &ticket, &user_data, err));
    const struct launch_order order = {
        .instance = row->id,
        .generation = row->attempt,
        .fleet = row->fleet,
        .client_token = row->client_token,
        .image = ref,
        .size = row->size,
        .zone = row->zone[0] != '\0' ? row->zone : NULL,
        .user_data = bytes_span(&user_data),
        .no_snp = !fleet_has(&fleet, FEATURE_SNP),
        .enclaves = fleet_has(&fleet, FEATURE_ENCLAVES),
    };
    FAULT("launch-before-call", err);
    enum outcome outcome = open->driver->launch(open->cloud, &order, out, operation, err);
    cloud_called(outcome);
    if (outcome == OK)
        metric_add(METRIC_LAUNCHES, 1);
    return outcome;
}

/* `maybe_made`: an order before this one may have been carried out. */
static enum outcome launch_it(struct worker *w, const struct open_cloud *open,
                              const struct instance *row, bool maybe_made, struct error *err)
{
    struct sighting seen = {0};
    struct cloud_operation operation = {0};
    struct error why = {0};
    enum outcome outcome = order_launch(w, open, row, &seen, &operation, &why);
    if (outcome == OK) {
        FAULT("launch-after-call", err);
        LOG(INFO, "instance.launched", TEXT("instance", uuid_text(&row->id).at),
            TEXT("ref", seen.ref), INT("attempt", row->attempt));
        return launched(w, open, row, &seen, &operation, false, err);
    }
    /* Said before with other words: so the machine is there, or will be seen soon. */
    bool look = outcome == ERR_AMBIGUOUS || error_is(&why, CLOUD_IDEMPOTENCY_MISMATCH) ||
                error_is(&why, CLOUD_EXISTS);
    if (outcome == ERR_THROTTLED && !maybe_made) /* nothing was done, now or before */
        TRY(instance_store_settle(w->db, row, err));
    if (look || outcome_is_worth_retrying(outcome) || strcmp(why.code, "lost") == 0) {
        *err = why;
        return outcome;
    }
    return maybe_made ? row_give_up(w, row, &why, err) : row_fail(w, row, &why, err);
}

/* Whoever had this row before may have launched it. More than one machine for a token should not
 * be possible: keep the first, the watch ends the others. */
enum outcome adopt_or_launch(struct worker *w, struct instance *row, struct error *err)
{
    struct open_cloud *open;
    OWNED(sighting_list_done) struct sighting_list seen = {0};
    TRY(clouds_get(&w->clouds, w->db, row->project, row->account, &open, err));
    TRY(row_sightings(open, row, &seen, err));
    for (size_t i = 0; i < seen.count; i++)
        if (seen.at[i].state != MACHINE_GONE) {
            LOG(INFO, "instance.adopted", TEXT("instance", uuid_text(&row->id).at),
                TEXT("ref", seen.at[i].ref));
            return launched(w, open, row, &seen.at[i], &(struct cloud_operation){0}, true, err);
        }
    if (seen.count > 0) {
        struct error why;
        error_fill(&why, ERR_CONFLICT, "gone", "", "its machine is gone already");
        return row_fail(w, row, &why, err);
    }
    const bool maybe_made = moment_is_none(row->settled_at);
    if (!maybe_made) /* from here on nobody knows again */
        TRY(instance_store_unsettle(w->db, row, err));
    return launch_it(w, open, row, maybe_made, err);
}

/* Closed since it was to go there: it is not even asked. */
static enum outcome turn_away(struct worker *w, const struct instance *row,
                              const struct closure *closed, struct error *err)
{
    struct error why;
    error_fill(&why, ERR_CONFLICT, closed->code, "", "%s", closed->text);
    return row_turn_away(w, row, &why, err);
}

enum outcome request_it(struct worker *w, struct instance *row, struct error *err)
{
    const struct instance_step step = {
        .event = EVENT_CLAIMED,
        .intent = INTENT_LAUNCH,
        .keep_lease = true,
        .lease_seconds = w->crew->settings->lease_seconds,
    };
    struct open_cloud *open;
    struct instance now = {0};
    struct closure closed = {0};
    enum outcome outcome = place_store_closed(w->db, row, &closed, err);
    if (outcome != ERR_NOT_FOUND)
        return outcome == OK ? turn_away(w, row, &closed, err) : outcome;
    TRY(clouds_get(&w->clouds, w->db, row->project, row->account, &open, err));
    /* Before the intent: after it, every look at the row would ask the cloud for its machine. */
    if (open->driver->turn != NULL)
        TRY(open->driver->turn(open->cloud, err));
    FAULT("launch-before-intent", err);
    TRY(instance_store_advance(w->db, row, &step, w->holder, &now, err));
    FAULT("launch-after-intent", err);
    *row = now;
    return launch_it(w, open, row, false, err);
}

static enum outcome follow_launch(struct worker *w, const struct instance *row,
                                  struct following *out, struct error *err)
{
    struct open_cloud *open;
    TRY(clouds_get(&w->clouds, w->db, row->project, row->account, &open, err));
    TRY(operation_follow(w, open, row, INTENT_LAUNCH, out, err));
    if (out->state == FOLLOW_GOES_ON || out->state == FOLLOW_FAILED)
        return OK;
    OWNED(transaction_end) struct transaction tx = {0};
    out->seconds = LOOK_BOOT_SECONDS;
    TRY(transaction_begin(w->db, &tx, err));
    TRY(operation_store_end(w->db, row, err));
    TRY(place_store_opened(w->db, row, err));
    return transaction_commit(&tx, err);
}

/* What its cloud still does for it comes first: it may yet fail, and says so. */
enum outcome await_boot(struct worker *w, struct instance *row, struct error *err)
{
    int64_t waited = row_seconds_since(w, row, row->phase_since);
    struct following launch = {.state = FOLLOW_NOTHING, .seconds = LOOK_BOOT_SECONDS};
    struct error why = {0};
    enum outcome outcome = OK;
    if (row_is_followed(row))
        outcome = follow_launch(w, row, &launch, &why);
    if (outcome == OK && launch.state == FOLLOW_FAILED)
        return row_fail(w, row, &launch.why, err);
    if (waited < BOOT_SECONDS) {
        *err = why;
        return outcome != OK ? outcome : row_look_later(w, row, launch.seconds, err);
    }
    error_fill(&why, ERR_UNREACHABLE, "boot-timeout", "", "its agent did not speak in %lld s",
               (long long)waited);
    return row_fail(w, row, &why, err);
}
