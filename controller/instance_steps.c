#include "controller/instance_steps.h"

#include <stdio.h>
#include <string.h>

#include "controller/userdata.h"
#include "db/fleet_store.h"
#include "db/image_store.h"
#include "db/ticket_store.h"
#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "lib/crypto/random.h"

enum {
    LOOK_SECONDS = 5,       /* at something that the cloud said it is doing */
    LOOK_BOOT_SECONDS = 30, /* at a machine whose agent has not spoken */
    LOOK_IDLE_SECONDS = 600 /* at what nobody waits for */
};

/* ---- giving the row back ------------------------------------------------------------------ */

static enum outcome advance(struct worker *w, const struct instance *row, struct instance_step step,
                            struct error *err)
{
    return instance_store_advance(w->db, row, &step, w->holder, NULL, err);
}

static enum outcome look_later(struct worker *w, const struct instance *row, int64_t seconds,
                               struct error *err)
{
    return instance_store_defer(w->db, row, seconds, NULL, err);
}

static enum outcome fail_row(struct worker *w, const struct instance *row, const struct error *why,
                             struct error *err)
{
    LOG(WARN, "instance.failed", TEXT("instance", uuid_text(&row->id).at),
        TEXT("phase", name_of(&phase_names, row->phase)), TEXT("code", why->code),
        TEXT("text", why->text));
    TRY(advance(w, row,
                (struct instance_step){.event = EVENT_FAILED,
                                       .reason = why->code,
                                       .due_in_seconds = backoff_seconds(row->attempt)},
                err));
    return fleet_store_touch(w->db, row->project, row->fleet, err);
}

static void cloud_called(enum outcome outcome)
{
    metric_add(METRIC_CLOUD_CALLS, 1);
    if (outcome != OK)
        metric_add(METRIC_CLOUD_ERRORS, 1);
}

static enum outcome find_by_token(const struct open_cloud *open, const struct instance *row,
                                  struct sighting_list *out, struct error *err)
{
    enum outcome outcome = open->driver->find_token(open->cloud, row->client_token, out, err);
    cloud_called(outcome);
    return outcome;
}

static bool has_code(const struct error *err, enum cloud_error kind)
{
    return strcmp(err->code, name_of(&cloud_error_names, (int)kind)) == 0;
}

/* ---- launching ---------------------------------------------------------------------------- */

static enum outcome launched(struct worker *w, const struct instance *row,
                             const struct sighting *seen, struct error *err)
{
    FAULT("launch-before-commit", err);
    return advance(w, row,
                   (struct instance_step){
                       .event = EVENT_LAUNCHED,
                       .cloud_ref = seen->ref,
                       .zone = seen->zone[0] != '\0' ? seen->zone : NULL,
                       .address = seen->private_address[0] != '\0' ? seen->private_address : NULL,
                       .due_in_seconds = LOOK_BOOT_SECONDS},
                   err);
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
                                 struct error *err)
{
    OWNED(image_done) struct image image = {0};
    OWNED(bytes_wipe) struct bytes user_data = {0};
    struct launch_ticket ticket;
    TRY(image_store_find(w->db, row->project, row->image, &image, err));
    TRY(ready_ticket(w, row, &ticket, err));
    TRY(userdata_make(w->crew->settings->link_url, bytes_span(&w->crew->root_pem), &row->id,
                      &ticket, &user_data, err));
    const struct launch_order order = {
        .instance = row->id,
        .generation = row->attempt,
        .fleet = row->fleet,
        .client_token = row->client_token,
        .image = image.ref,
        .size = row->size,
        .zone = row->zone[0] != '\0' ? row->zone : NULL,
        .user_data = bytes_span(&user_data),
    };
    FAULT("launch-before-call", err);
    struct cloud_operation operation;
    enum outcome outcome = open->driver->launch(open->cloud, &order, out, &operation, err);
    cloud_called(outcome);
    if (outcome == OK)
        metric_add(METRIC_LAUNCHES, 1);
    return outcome;
}

static enum outcome launch_it(struct worker *w, const struct open_cloud *open,
                              const struct instance *row, struct error *err)
{
    struct sighting seen = {0};
    struct error why = {0};
    enum outcome outcome = order_launch(w, open, row, &seen, &why);
    if (outcome == OK) {
        FAULT("launch-after-call", err);
        LOG(INFO, "instance.launched", TEXT("instance", uuid_text(&row->id).at),
            TEXT("ref", seen.ref), INT("attempt", row->attempt));
        return launched(w, row, &seen, err);
    }
    /* Said before with other words: so the machine is there, or will be seen soon. */
    bool look = outcome == ERR_AMBIGUOUS || has_code(&why, CLOUD_IDEMPOTENCY_MISMATCH);
    if (look || outcome_is_worth_retrying(outcome) || strcmp(why.code, "lost") == 0) {
        *err = why;
        return outcome;
    }
    return fail_row(w, row, &why, err);
}

/* Whoever had this row before may have launched it. More than one machine for a token should not
 * be possible: keep the first, the watch ends the others. */
static enum outcome adopt_or_launch(struct worker *w, struct instance *row, struct error *err)
{
    struct open_cloud *open;
    OWNED(sighting_list_done) struct sighting_list seen = {0};
    TRY(clouds_get(&w->clouds, w->db, row->project, row->account, &open, err));
    TRY(find_by_token(open, row, &seen, err));
    for (size_t i = 0; i < seen.count; i++)
        if (seen.at[i].state != MACHINE_GONE) {
            LOG(INFO, "instance.adopted", TEXT("instance", uuid_text(&row->id).at),
                TEXT("ref", seen.at[i].ref));
            return launched(w, row, &seen.at[i], err);
        }
    if (seen.count > 0) {
        struct error why;
        error_fill(&why, ERR_CONFLICT, "gone", "", "its machine is gone already");
        return fail_row(w, row, &why, err);
    }
    return launch_it(w, open, row, err);
}

static enum outcome end_it(struct worker *w, struct instance *row, struct error *err);

static enum outcome begin_end(struct worker *w, struct instance *row, struct error *err)
{
    const struct instance_step step = {
        .event = EVENT_TERMINATE,
        .reason = row->reason[0] != '\0' && row->phase != PHASE_FAILED ? row->reason : NULL,
        .intent = INTENT_TERMINATE,
        .keep_lease = true,
        .lease_seconds = w->crew->settings->lease_seconds,
    };
    struct instance now = {0};
    TRY(instance_store_advance(w->db, row, &step, w->holder, &now, err));
    FAULT("terminate-after-intent", err);
    *row = now;
    return end_it(w, row, err);
}

static enum outcome request_it(struct worker *w, struct instance *row, struct error *err)
{
    const struct instance_step step = {
        .event = EVENT_CLAIMED,
        .intent = INTENT_LAUNCH,
        .keep_lease = true,
        .lease_seconds = w->crew->settings->lease_seconds,
    };
    struct open_cloud *open;
    struct instance now = {0};
    TRY(clouds_get(&w->clouds, w->db, row->project, row->account, &open, err));
    FAULT("launch-before-intent", err);
    TRY(instance_store_advance(w->db, row, &step, w->holder, &now, err));
    FAULT("launch-after-intent", err);
    *row = now;
    return launch_it(w, open, row, err);
}

static enum outcome await_boot(struct worker *w, struct instance *row, struct error *err)
{
    int64_t waited = moment_seconds_between(row->phase_since, clock_now());
    if (waited < BOOT_SECONDS)
        return look_later(w, row, LOOK_BOOT_SECONDS, err);
    struct error why;
    error_fill(&why, ERR_UNREACHABLE, "boot-timeout", "", "its agent did not speak in %lld s",
               (long long)waited);
    return fail_row(w, row, &why, err);
}

static enum outcome leave_it(struct worker *w, struct instance *row, struct error *err)
{
    return look_later(w, row, LOOK_IDLE_SECONDS, err);
}

/* ---- ending ------------------------------------------------------------------------------- */

static enum outcome gone(struct worker *w, const struct instance *row, struct error *err)
{
    LOG(INFO, "instance.gone", TEXT("instance", uuid_text(&row->id).at),
        TEXT("ref", row->cloud_ref));
    TRY(advance(w, row, (struct instance_step){.event = EVENT_GONE}, err));
    return fleet_store_touch(w->db, row->project, row->fleet, err);
}

/* A launch was begun and nobody knows how it ended. */
static enum outcome end_unseen(struct worker *w, const struct open_cloud *open,
                               struct instance *row, struct error *err)
{
    OWNED(sighting_list_done) struct sighting_list seen = {0};
    TRY(find_by_token(open, row, &seen, err));
    if (seen.count > 0) {
        TRY(look_later(w, row, 0, err));
        return instance_store_adopt(w->db, &row->id, seen.at[0].ref, w->holder, err);
    }
    if (moment_seconds_between(row->phase_since, clock_now()) < SETTLE_SECONDS)
        return look_later(w, row, LOOK_SECONDS, err);
    return gone(w, row, err);
}

static enum outcome end_machine(struct worker *w, const struct open_cloud *open,
                                const struct instance *row, struct error *err)
{
    struct sighting seen = {0};
    struct error why = {0};
    FAULT("terminate-before-call", err);
    enum outcome outcome = open->driver->terminate(open->cloud, row->cloud_ref, NULL, &why);
    cloud_called(outcome);
    FAULT("terminate-after-call", err);
    if (outcome == OK)
        metric_add(METRIC_TERMINATIONS, 1);
    if (outcome == OK || outcome == ERR_AMBIGUOUS)
        outcome = open->driver->find(open->cloud, row->cloud_ref, &seen, &why);
    if (outcome == ERR_NOT_FOUND || (outcome == OK && seen.state == MACHINE_GONE))
        return gone(w, row, err);
    if (outcome == OK)
        return look_later(w, row, LOOK_SECONDS, err);
    *err = why;
    return outcome;
}

static enum outcome end_it(struct worker *w, struct instance *row, struct error *err)
{
    struct open_cloud *open;
    if (row->client_token[0] == '\0' && row->cloud_ref[0] == '\0')
        return gone(w, row, err);
    TRY(clouds_get(&w->clouds, w->db, row->project, row->account, &open, err));
    return row->cloud_ref[0] == '\0' ? end_unseen(w, open, row, err)
                                     : end_machine(w, open, row, err);
}

/* ---- the table ---------------------------------------------------------------------------- */

typedef enum outcome work_fn(struct worker *w, struct instance *row, struct error *err);

/* clang-format off */
static work_fn *const work[PHASE_COUNT] = {
    [PHASE_REQUESTED]   = request_it,
    [PHASE_LAUNCHING]   = adopt_or_launch,
    [PHASE_BOOTING]     = await_boot,
    [PHASE_RUNNING]     = leave_it,
    [PHASE_DRAINING]    = leave_it,
    [PHASE_STOPPING]    = leave_it,
    [PHASE_STOPPED]     = leave_it,
    [PHASE_STARTING]    = leave_it,
    [PHASE_TERMINATING] = end_it,
    [PHASE_TERMINATED]  = leave_it,
    [PHASE_FAILED]      = leave_it, /* the planner's: it is claimed only to end */
};
/* clang-format on */

enum outcome instance_work(struct worker *w, struct instance *row, struct error *err)
{
    bool ending = row->phase == PHASE_TERMINATING || row->phase == PHASE_TERMINATED;
    if (row->wanted == WANTED_GONE && !ending)
        return begin_end(w, row, err);
    return work[row->phase](w, row, err);
}

/* Whoever lost the row has nothing more to say about it. */
static enum outcome put_off(struct worker *w, const struct instance *row, const struct error *why,
                            struct error *err)
{
    metric_add(METRIC_WORKER_FAILURES, 1);
    LOG(WARN, "instance.put-off", TEXT("instance", uuid_text(&row->id).at),
        TEXT("phase", name_of(&phase_names, row->phase)), TEXT("code", why->code),
        TEXT("text", why->text));
    enum outcome outcome =
        instance_store_defer(w->db, row, backoff_seconds(row->failures), why->code, err);
    return outcome == ERR_CONFLICT ? OK : outcome;
}

enum outcome instances_work(struct worker *w, bool *out_did, struct error *err)
{
    OWNED(instance_list_done) struct instance_list due = {0};
    TRY(instance_store_claim(w->db, w->holder, w->crew->settings->lease_seconds, CLAIM_LIMIT, &due,
                             err));
    *out_did = due.count > 0;
    for (size_t i = 0; i < due.count; i++) {
        struct instance *row = &due.at[i];
        struct error why = {0};
        /* The others waited while the first was worked on. */
        if (i > 0 && instance_store_hold(w->db, row, w->crew->settings->lease_seconds, &why) != OK)
            continue;
        if (instance_work(w, row, &why) != OK && strcmp(why.code, "lost") != 0)
            TRY(put_off(w, row, &why, err));
    }
    return OK;
}
