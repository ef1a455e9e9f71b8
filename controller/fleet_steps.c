#include "controller/fleet_steps.h"

#include <stdlib.h>
#include <string.h>

#include "controller/userdata.h"
#include "db/fleet_store.h"
#include "db/place_store.h"
#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/crypto/random.h"

enum { LAUNCH_BATCH = 100, LOOK_AGAIN_SECONDS = 5 };

/* ---- one action --------------------------------------------------------------------------- */

/* One plan being carried out. */
struct errand {
    struct worker *worker;
    const struct fleet *fleet;
    struct placement placement;
    struct moment now;
};

static void errand_done(struct errand *errand)
{
    placement_done(&errand->placement);
}

static struct instance_place place_in(const struct errand *errand, const struct spot *spot)
{
    const struct place *place = &errand->placement.places.at[spot->place];
    return (struct instance_place){
        .account = place->account,
        .size = place->size[0] != '\0' ? place->size : errand->fleet->size,
        .region = place->region,
        .zone = spot->zone,
    };
}

static enum outcome request(const struct errand *errand, const struct instance_place *place,
                            size_t count, struct error *err)
{
    struct worker *w = errand->worker;
    const struct fleet *fleet = errand->fleet;
    struct uuid ids[LAUNCH_BATCH];
    uint8_t hashes[LAUNCH_BATCH][SHA256_SIZE];
    for (size_t i = 0; i < count; i++) {
        struct launch_ticket ticket;
        ids[i] = uuid_new();
        launch_ticket_make(w->crew->ticket_key, &ids[i], &ticket);
        memcpy(hashes[i], ticket.hash, SHA256_SIZE);
    }
    const struct instance_order order = {
        .project = fleet->project,
        .fleet = fleet->name,
        .account = place->account,
        .image = fleet->image,
        .size = place->size,
        .region = place->region,
        .zone = place->zone,
        .policy = fleet->policy,
        .ids = ids,
        .ticket_hashes = (const uint8_t(*)[SHA256_SIZE])hashes,
        .count = count,
    };
    return instance_store_add_many(w->db, &order, w->holder, err);
}

static enum outcome request_at(const struct errand *errand, const struct spot *spot, int64_t count,
                               struct error *err)
{
    const struct instance_place place = place_in(errand, spot);
    for (int64_t left = count; left > 0; left -= LAUNCH_BATCH)
        TRY(request(errand, &place, (size_t)(left < LAUNCH_BATCH ? left : LAUNCH_BATCH), err));
    return OK;
}

/* As many as there is room for; the next plan sees what is still missing. */
static enum outcome launch(struct errand *errand, const struct plan_action *action,
                           struct error *err)
{
    struct placement *p = &errand->placement;
    OWNED(mem_drop) int64_t *counts = mem_new(p->spot_count + 1, sizeof *counts);
    for (int64_t i = 0; i < action->count; i++) {
        const struct spot *spot = placement_next(p, errand->now);
        if (spot == NULL)
            break;
        counts[spot - p->spots]++;
    }
    for (size_t i = 0; i < p->spot_count; i++)
        TRY(request_at(errand, &p->spots[i], counts[i], err));
    return OK;
}

/* Somebody may have been quicker; then the next plan sees it. */
static enum outcome unless_conflict(enum outcome outcome)
{
    return outcome == ERR_CONFLICT || outcome == ERR_NOT_FOUND ? OK : outcome;
}

static enum outcome retire(struct errand *errand, const struct plan_action *action,
                           struct error *err)
{
    return instance_store_want(errand->worker->db, &action->instance, WANTED_GONE,
                               name_of(&plan_why_names, (int)action->why), errand->worker->holder,
                               err);
}

static enum outcome retry(struct errand *errand, const struct plan_action *action,
                          struct error *err)
{
    struct worker *w = errand->worker;
    const struct instance_step step = {.event = EVENT_RETRY};
    const struct spot *spot = placement_next(&errand->placement, errand->now);
    if (spot == NULL) /* it stays as it is until somewhere has room */
        return OK;
    const struct instance_place place = place_in(errand, spot);
    TRY(instance_store_note(w->db, &action->instance, &step, w->holder, NULL, err));
    /* It may have failed for what was put right since. */
    return instance_store_refit(w->db, &action->instance, errand->fleet, &place, w->holder, err);
}

static enum outcome await(struct errand *errand, const struct plan_action *action,
                          struct error *err)
{
    (void)errand;
    (void)action;
    (void)err;
    return OK;
}

typedef enum outcome act_fn(struct errand *errand, const struct plan_action *action,
                            struct error *err);

static act_fn *const acts[PLAN_ACT_COUNT] = {
    [PLAN_LAUNCH] = launch,
    [PLAN_RETIRE] = retire,
    [PLAN_RETRY] = retry,
    [PLAN_WAIT] = await,
};

/* ---- the whole plan ----------------------------------------------------------------------- */

static enum outcome carry_out(struct worker *w, const struct fleet *fleet, const struct plan *todo,
                              struct error *err)
{
    OWNED(errand_done) struct errand errand = {.worker = w, .fleet = fleet, .now = clock_now()};
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(w->db, &tx, err));
    TRY(fleet_store_hold(w->db, fleet, w->holder, err));
    /* Nobody else places this fleet's meanwhile, so each share is given once. */
    TRY(place_store_look(w->db, fleet, &errand.placement, err));
    for (size_t i = 0; i < todo->count; i++)
        TRY(acts[todo->at[i].act](&errand, &todo->at[i], err));
    TRY(db_wake(w->db, err));
    FAULT("plan-before-commit", err);
    return transaction_commit(&tx, err);
}

static bool has_acts(const struct plan *todo)
{
    for (size_t i = 0; i < todo->count; i++)
        if (todo->at[i].act != PLAN_WAIT)
            return true;
    return false;
}

static int64_t seconds_until(struct moment then, struct moment now)
{
    int64_t seconds =
        moment_is_none(then) ? LOOK_AGAIN_SECONDS : moment_seconds_between(now, then) + 1;
    return seconds < 1 ? 1 : seconds > LOOK_AGAIN_SECONDS ? LOOK_AGAIN_SECONDS : seconds;
}

/* What each place is to hold, for a plan that ends some. */
static enum outcome find_where(const struct fleet *fleet, struct placement *out, struct error *err)
{
    OWNED(place_list_done) struct place_list places = {0};
    TRY(fleet_places(fleet, &places, err));
    placement_begin(&places, fleet->zone_most, out);
    return OK;
}

static enum outcome work_fleet(struct worker *w, const struct fleet *fleet, struct error *err)
{
    struct plan_observed seen = {0};
    OWNED(placement_done) struct placement where = {0};
    OWNED(plan_done) struct plan todo = {0};
    TRY(find_where(fleet, &where, err));
    TRY(fleet_store_observe(w->db, fleet, &seen, err));
    seen.where = &where;
    struct moment now = clock_now();
    struct budgets budgets = budgets_of(fleet);
    plan(&seen, (struct plan_desired){fleet->desired, fleet->paused}, &budgets, now, &todo);
    free(seen.at);
    for (size_t i = 0; i < todo.count; i++)
        LOG(DEBUG, "fleet.planned", TEXT("fleet", fleet->name),
            TEXT("act", name_of(&plan_act_names, (int)todo.at[i].act)),
            TEXT("why", name_of(&plan_why_names, (int)todo.at[i].why)),
            INT("count", todo.at[i].count));
    if (has_acts(&todo))
        TRY(unless_conflict(carry_out(w, fleet, &todo, err)));
    return fleet_store_defer(w->db, fleet, w->holder, seconds_until(todo.look_again, now), err);
}

enum outcome fleets_work(struct worker *w, bool *out_did, struct error *err)
{
    OWNED(fleet_done) struct fleet fleet = {0};
    enum outcome outcome =
        fleet_store_claim(w->db, w->holder, w->crew->settings->lease_seconds, &fleet, err);
    *out_did = outcome == OK;
    if (outcome == ERR_NOT_FOUND)
        return OK;
    if (outcome != OK)
        return outcome;
    struct error why = {0};
    outcome = work_fleet(w, &fleet, &why);
    if (outcome == OK || outcome == ERR_CONFLICT)
        return OK;
    log_error("fleet.plan-failed", &why);
    return fleet_store_defer(w->db, &fleet, w->holder, LOOK_AGAIN_SECONDS, err);
}
