#include "controller/fleet_steps.h"

#include <stdlib.h>
#include <string.h>

#include "controller/userdata.h"
#include "db/fleet_store.h"
#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/crypto/random.h"

enum { LAUNCH_BATCH = 100, LOOK_AGAIN_SECONDS = 5 };

/* ---- one action --------------------------------------------------------------------------- */

static enum outcome request(struct worker *w, const struct fleet *fleet, size_t count,
                            struct error *err)
{
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
        .account = fleet->account,
        .image = fleet->image,
        .size = fleet->size,
        .policy = fleet->policy,
        .ids = ids,
        .ticket_hashes = (const uint8_t(*)[SHA256_SIZE])hashes,
        .count = count,
    };
    return instance_store_add_many(w->db, &order, w->holder, err);
}

static enum outcome launch(struct worker *w, const struct fleet *fleet,
                           const struct plan_action *action, struct error *err)
{
    for (int64_t left = action->count; left > 0; left -= LAUNCH_BATCH)
        TRY(request(w, fleet, (size_t)(left < LAUNCH_BATCH ? left : LAUNCH_BATCH), err));
    return OK;
}

/* Somebody may have been quicker; then the next plan sees it. */
static enum outcome unless_conflict(enum outcome outcome)
{
    return outcome == ERR_CONFLICT || outcome == ERR_NOT_FOUND ? OK : outcome;
}

static enum outcome retire(struct worker *w, const struct fleet *fleet,
                           const struct plan_action *action, struct error *err)
{
    (void)fleet;
    return instance_store_want(w->db, &action->instance, WANTED_GONE,
                               name_of(&plan_why_names, (int)action->why), w->holder, err);
}

static enum outcome retry(struct worker *w, const struct fleet *fleet,
                          const struct plan_action *action, struct error *err)
{
    const struct instance_step step = {.event = EVENT_RETRY};
    TRY(instance_store_note(w->db, &action->instance, &step, w->holder, NULL, err));
    /* It may have failed for what was put right since. */
    return instance_store_refit(w->db, &action->instance, fleet, w->holder, err);
}

static enum outcome await(struct worker *w, const struct fleet *fleet,
                          const struct plan_action *action, struct error *err)
{
    (void)w;
    (void)fleet;
    (void)action;
    (void)err;
    return OK;
}

typedef enum outcome act_fn(struct worker *w, const struct fleet *fleet,
                            const struct plan_action *action, struct error *err);

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
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(w->db, &tx, err));
    TRY(fleet_store_hold(w->db, fleet, w->holder, err));
    for (size_t i = 0; i < todo->count; i++)
        TRY(acts[todo->at[i].act](w, fleet, &todo->at[i], err));
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

static enum outcome work_fleet(struct worker *w, const struct fleet *fleet, struct error *err)
{
    struct plan_observed seen = {0};
    OWNED(plan_done) struct plan todo = {0};
    TRY(fleet_store_observe(w->db, fleet, &seen, err));
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
