#include <string.h>

#include "controller/instance_inside.h"
#include "db/fleet_store.h"
#include "db/place_store.h"
#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"

/* ---- giving the row back ------------------------------------------------------------------ */

enum outcome row_advance(struct worker *w, const struct instance *row, struct instance_step step,
                         struct error *err)
{
    return instance_store_advance(w->db, row, &step, w->holder, NULL, err);
}

enum outcome row_look_later(struct worker *w, const struct instance *row, int64_t seconds,
                            struct error *err)
{
    return instance_store_defer(w->db, row, seconds, NULL, err);
}

bool error_is(const struct error *err, enum cloud_error kind)
{
    return strcmp(err->code, name_of(&cloud_error_names, (int)kind)) == 0;
}

bool row_is_followed(const struct instance *row)
{
    return row->phase == PHASE_BOOTING && row->intent == INTENT_LAUNCH;
}

enum failing {
    FAILING,
    FAILING_FOR_GOOD,
    FAILING_UNASKED, /* its cloud said nothing of it */
};

static enum outcome note_place(struct worker *w, const struct instance *row,
                               const struct error *why, enum failing how, struct error *err)
{
    return how == FAILING_UNASKED
               ? place_store_turned_away(w->db, row, why->code, err)
               : place_store_close(w->db, row, why->code, why->text, w->holder, err);
}

static enum outcome fail_it(struct worker *w, const struct instance *row, const struct error *why,
                            enum failing how, struct error *err)
{
    const bool of_place = refusal_of(why->code) != NULL;
    OWNED(transaction_end) struct transaction tx = {0};
    LOG(WARN, "instance.failed", TEXT("instance", uuid_text(&row->id).at),
        TEXT("phase", name_of(&phase_names, row->phase)), TEXT("code", why->code),
        TEXT("text", why->text));
    TRY(transaction_begin(w->db, &tx, err));
    if (row_is_followed(row))
        TRY(operation_store_end(w->db, row, err)); /* whatever its cloud goes on with */
    if (of_place)
        TRY(note_place(w, row, why, how, err));
    if (how == FAILING_FOR_GOOD)
        TRY(instance_store_want(w->db, &row->id, WANTED_GONE, why->code, w->holder, err));
    TRY(row_advance(
        w, row,
        (struct instance_step){.event = EVENT_FAILED,
                               .reason = why->code,
                               .no_fault = of_place,
                               .due_in_seconds = of_place ? 0 : backoff_seconds(row->attempt)},
        err));
    FAULT("fail-before-commit", err);
    TRY(transaction_commit(&tx, err));
    return fleet_store_touch(w->db, row->project, row->fleet, err);
}

enum outcome row_fail(struct worker *w, const struct instance *row, const struct error *why,
                      struct error *err)
{
    return fail_it(w, row, why, FAILING, err);
}

enum outcome row_give_up(struct worker *w, const struct instance *row, const struct error *why,
                         struct error *err)
{
    return fail_it(w, row, why, FAILING_FOR_GOOD, err);
}

enum outcome row_turn_away(struct worker *w, const struct instance *row, const struct error *why,
                           struct error *err)
{
    return fail_it(w, row, why, FAILING_UNASKED, err);
}

/* ---- asking clouds ------------------------------------------------------------------------ */

void cloud_called(enum outcome outcome)
{
    metric_add(METRIC_CLOUD_CALLS, 1);
    if (outcome != OK)
        metric_add(METRIC_CLOUD_ERRORS, 1);
}

enum outcome row_sightings(const struct open_cloud *open, const struct instance *row,
                           struct sighting_list *out, struct error *err)
{
    enum outcome outcome = open->driver->find_token(open->cloud, row->client_token, out, err);
    cloud_called(outcome);
    TRY(outcome);
    size_t count = 0;
    for (size_t i = 0; i < out->count; i++)
        if (!out->at[i].is_copy)
            out->at[count++] = out->at[i];
    out->count = count;
    return OK;
}

int64_t row_seconds_since(const struct worker *w, const struct instance *row, struct moment since)
{
    const int64_t lease_seconds = w->crew->settings->lease_seconds;
    return moment_seconds_between(since, moment_add_seconds(row->lease_until, -lease_seconds));
}

bool row_is_fresh(const struct worker *w, const struct instance *row)
{
    return moment_is_none(row->settled_at) && !moment_is_none(row->launched_at) &&
           row_seconds_since(w, row, row->launched_at) < UNSEEN_SECONDS;
}

/* ---- what clouds go on with --------------------------------------------------------------- */

int64_t operation_wait(const struct cloud_operation *operation)
{
    return operation->poll_seconds > 0 ? operation->poll_seconds : LOOK_SECONDS;
}

enum outcome operation_keep(struct worker *w, const struct instance *row, enum intent intent,
                            const struct cloud_operation *operation, struct error *err)
{
    if (operation->name[0] == '\0')
        return OK;
    return operation_store_put(w->db, &row->id, intent, operation->name, operation->poll_seconds,
                               err);
}

/* The rest may be said of the question as well as of what it asks after: ask again. */
static bool is_final(const struct error *err)
{
    static const enum cloud_error kinds[] = {
        CLOUD_CAPACITY,       CLOUD_QUOTA,        CLOUD_INVALID,
        CLOUD_UNSUPPORTED,    CLOUD_EXISTS,       CLOUD_IDEMPOTENCY_MISMATCH,
        CLOUD_STATE_CONFLICT, CLOUD_SPOT_RECLAIM,
    };
    for (size_t i = 0; i < countof(kinds); i++)
        if (error_is(err, kinds[i]))
            return true;
    return false;
}

static enum outcome ask_after(const struct open_cloud *open, const struct instance_operation *kept,
                              struct cloud_operation *out, struct error *err)
{
    memcpy(out->name, kept->name, sizeof kept->name);
    out->poll_seconds = kept->poll_seconds;
    FAULT("follow-before-call", err);
    enum outcome outcome = open->driver->follow(open->cloud, out, err);
    cloud_called(outcome);
    return outcome;
}

enum outcome operation_follow(struct worker *w, const struct open_cloud *open,
                              const struct instance *row, enum intent intent, struct following *out,
                              struct error *err)
{
    struct instance_operation kept;
    struct cloud_operation operation = {0};
    struct error why = {0};
    _Static_assert(sizeof kept.name <= sizeof operation.name);
    *out = (struct following){.state = FOLLOW_NOTHING};
    if (open->driver->follow == NULL)
        return OK;
    enum outcome outcome = operation_store_find(w->db, &row->id, &kept, err);
    if (outcome == ERR_NOT_FOUND || (outcome == OK && kept.intent != intent))
        return OK;
    TRY(outcome);
    outcome = ask_after(open, &kept, &operation, &why);
    const bool goes_on = operation.name[0] != '\0';
    if (outcome == OK && goes_on) {
        *out = (struct following){.state = FOLLOW_GOES_ON, .seconds = operation_wait(&operation)};
        return operation_keep(w, row, kept.intent, &operation, err);
    }
    const bool forgotten = goes_on && outcome == ERR_NOT_FOUND;
    if (outcome != OK && goes_on && !forgotten && !is_final(&why)) {
        *err = why;
        return outcome;
    }
    FAULT("follow-after-call", err);
    out->state = FOLLOW_DONE;
    /* What did not end well and may have been done all the same is looked at. */
    if (outcome != OK && !forgotten && outcome != ERR_AMBIGUOUS)
        *out = (struct following){.state = FOLLOW_FAILED, .why = why};
    return OK;
}
