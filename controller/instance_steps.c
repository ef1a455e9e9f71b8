#include "controller/instance_steps.h"

#include <string.h>
#include <strings.h>

#include "controller/brake.h"
#include "controller/instance_inside.h"
#include "db/fleet_store.h"
#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"

enum {
    LOOK_END_SECONDS = 30,  /* at a machine that is being ended: the watch sees it go */
    LOOK_IDLE_SECONDS = 600 /* at what nobody waits for */
};

static enum outcome leave_it(struct worker *w, struct instance *row, struct error *err)
{
    return row_look_later(w, row, LOOK_IDLE_SECONDS, err);
}

/* ---- ending ------------------------------------------------------------------------------- */

static enum outcome gone(struct worker *w, const struct instance *row, struct error *err)
{
    LOG(INFO, "instance.gone", TEXT("instance", uuid_text(&row->id).at),
        TEXT("ref", row->cloud_ref));
    TRY(row_advance(w, row, (struct instance_step){.event = EVENT_GONE}, err));
    return fleet_store_touch(w->db, row->project, row->fleet, err);
}

/* Where its account's list is not believed, this is not either. */
static enum outcome not_found(struct worker *w, const struct instance *row, struct error *err)
{
    struct account_place place;
    bool held;
    TRY(text_copy(place.project, sizeof place.project, row->project, "project", err));
    TRY(text_copy(place.name, sizeof place.name, row->account, "account", err));
    TRY(brake_is_on(w, &place, &held, err));
    return held ? row_look_later(w, row, LOOK_END_SECONDS, err) : gone(w, row, err);
}

/* A launch was begun and nobody knows how it ended. */
static enum outcome end_unseen(struct worker *w, const struct open_cloud *open,
                               struct instance *row, struct error *err)
{
    OWNED(sighting_list_done) struct sighting_list seen = {0};
    TRY(row_sightings(open, row, &seen, err));
    if (seen.count > 0) {
        TRY(row_look_later(w, row, 0, err));
        return instance_store_adopt(w->db, &row->id, seen.at[0].ref, seen.at[0].machine_id,
                                    w->holder, err);
    }
    if (row_seconds_since(w, row, row->phase_since) < SETTLE_SECONDS)
        return row_look_later(w, row, LOOK_SECONDS, err);
    return not_found(w, row, err);
}

static bool is_over(const struct sighting *seen)
{
    return seen->state == MACHINE_GONE || (seen->state == MACHINE_FAILED && seen->is_over);
}

/* Its name is another machine's now. */
static bool is_another(const struct instance *row, const struct sighting *seen)
{
    return row->machine_id[0] != '\0' && seen->machine_id[0] != '\0' &&
           strcasecmp(row->machine_id, seen->machine_id) != 0;
}

/* On its way out, by whoever's order: from now on "not found" means that it is gone. */
static enum outcome settle(struct worker *w, const struct instance *row, struct error *err)
{
    return moment_is_none(row->settled_at) ? instance_store_settle(w->db, row, err) : OK;
}

/* Has it come to its end? Where nobody knows whether the order was `taken`, not being shown says as
 * little as a lost answer; and one that is shown as before may need the order again. */
static enum outcome look_at_end(struct worker *w, const struct open_cloud *open,
                                const struct instance *row, bool taken, struct error *err)
{
    struct sighting seen = {0};
    struct error why = {0};
    enum outcome outcome =
        open->driver->find(open->cloud, row->cloud_ref, row->machine_id, &seen, &why);
    cloud_called(outcome);
    if (outcome == OK && (is_over(&seen) || is_another(row, &seen)))
        return gone(w, row, err);
    if (outcome == ERR_NOT_FOUND)
        return taken ? not_found(w, row, err) : row_look_later(w, row, LOOK_SECONDS, err);
    if (outcome != OK) {
        *err = why;
        return outcome;
    }
    const bool ends = seen.state == MACHINE_DELETING;
    if (ends && !taken)
        TRY(settle(w, row, err));
    return row_look_later(w, row, ends && taken ? LOOK_END_SECONDS : LOOK_SECONDS, err);
}

/* A doubt is looked into before anything is ended: who has the name now may not be ours. */
static enum outcome check_doubt(const struct open_cloud *open, const struct instance *row,
                                bool *out_another, struct error *err)
{
    struct sighting seen = {0};
    *out_another = false;
    if (row->doubt != DOUBT_OTHER_MACHINE)
        return OK;
    enum outcome outcome =
        open->driver->find(open->cloud, row->cloud_ref, row->machine_id, &seen, err);
    cloud_called(outcome);
    *out_another = outcome == OK && is_another(row, &seen);
    return outcome == ERR_NOT_FOUND ? OK : outcome;
}

static enum outcome end_machine(struct worker *w, const struct open_cloud *open,
                                const struct instance *row, struct error *err)
{
    struct cloud_operation operation = {0};
    struct error why = {0};
    bool another;
    TRY(check_doubt(open, row, &another, err));
    if (another)
        return gone(w, row, err);
    FAULT("terminate-before-call", err);
    enum outcome outcome =
        open->driver->terminate(open->cloud, row->cloud_ref, row->machine_id, &operation, &why);
    cloud_called(outcome);
    FAULT("terminate-after-call", err);
    if (outcome == ERR_NOT_FOUND && row_is_fresh(w, row))
        return row_look_later(w, row, LOOK_SECONDS, err);
    if (outcome == ERR_NOT_FOUND)
        return not_found(w, row, err);
    if (outcome != OK && outcome != ERR_AMBIGUOUS) {
        *err = why;
        return outcome;
    }
    if (outcome == OK) {
        metric_add(METRIC_TERMINATIONS, 1);
        TRY(settle(w, row, err));
        TRY(operation_keep(w, row, INTENT_TERMINATE, &operation, err));
    }
    return operation.name[0] != '\0' ? row_look_later(w, row, operation_wait(&operation), err)
                                     : look_at_end(w, open, row, outcome == OK, err);
}

/* While the cloud goes on with it nothing more need be said. */
static enum outcome follow_end(struct worker *w, const struct open_cloud *open,
                               const struct instance *row, struct error *err)
{
    struct following end;
    TRY(operation_follow(w, open, row, INTENT_TERMINATE, &end, err));
    if (end.state == FOLLOW_NOTHING)
        return end_machine(w, open, row, err);
    if (end.state == FOLLOW_GOES_ON)
        return row_look_later(w, row, end.seconds, err);
    TRY(operation_store_end(w->db, row, err));
    if (end.state == FOLLOW_DONE)
        return look_at_end(w, open, row, true, err);
    *err = end.why;
    return end.why.outcome;
}

static enum outcome end_it(struct worker *w, struct instance *row, struct error *err)
{
    struct open_cloud *open;
    if (row->client_token[0] == '\0' && row->cloud_ref[0] == '\0')
        return gone(w, row, err);
    TRY(clouds_get(&w->clouds, w->db, row->project, row->account, &open, err));
    if (row->cloud_ref[0] == '\0')
        return end_unseen(w, open, row, err);
    return follow_end(w, open, row, err);
}

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
    if (strcmp(why->code, WRONG_CLOUD_ACCOUNT) == 0)
        clouds_forget(&w->clouds, row->project, row->account);
    LOG(WARN, "instance.put-off", TEXT("instance", uuid_text(&row->id).at),
        TEXT("phase", name_of(&phase_names, row->phase)), TEXT("code", why->code),
        TEXT("text", why->text));
    /* A throttled call says when the account's calls may go out again. */
    const int64_t seconds =
        why->retry_ms > 0 ? (why->retry_ms + 999) / 1000 : backoff_seconds(row->failures);
    enum outcome outcome = instance_store_defer(w->db, row, seconds, why->code, err);
    return outcome == ERR_CONFLICT ? OK : outcome;
}

/* Nothing was sent and nothing failed: its turn is then. */
static enum outcome await_turn(struct worker *w, const struct instance *row,
                               const struct error *why, struct error *err)
{
    enum outcome outcome =
        instance_store_defer(w->db, row, (why->retry_ms + 999) / 1000, NULL, err);
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
        if (instance_work(w, row, &why) == OK || strcmp(why.code, "lost") == 0)
            continue;
        TRY(strcmp(why.code, "paced") == 0 ? await_turn(w, row, &why, err)
                                           : put_off(w, row, &why, err));
    }
    return OK;
}
