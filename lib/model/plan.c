#include "lib/model/plan.h"

#include <stdlib.h>
#include <string.h>

#include "lib/model/excess.h"

static const char *const act_words[] = {"launch", "retire", "retry", "wait"};
_Static_assert(countof(act_words) == PLAN_ACT_COUNT);
const struct names plan_act_names = NAMES("act", act_words);

static const char *const why_words[] = {
    "too-few", "too-many", "failed",    "rejected",     "time-came", "paused",  "backing-off",
    "brake",   "holding",  "set-apart", "on-their-way", "no-room",   "not-yet",
};
_Static_assert(countof(why_words) == WHY_COUNT);
const struct names plan_why_names = NAMES("reason", why_words);

struct budgets budgets_of(const struct fleet *fleet)
{
    return (struct budgets){
        .surge = fleet->surge,
        .launching_max = 200,
        .backoff_base_seconds = 10,
        .backoff_cap_seconds = 600,
        .rejected_hold_seconds = fleet->rejected_hold_seconds,
        .brake_percent = 20,
        .brake_least = 3,
        .brake_hold_seconds = 900,
        .apart_max = 10,
    };
}

/* ---- what is there ---- */

struct tally {
    int64_t good, trusted, coming, rejected, failed, apart;
    struct moment last_rejection;
};

static bool is_leaving(const struct plan_instance *i)
{
    return i->wanted == WANTED_GONE || i->phase == PHASE_TERMINATING ||
           i->phase == PHASE_TERMINATED;
}

static bool is_apart(const struct plan_instance *i)
{
    return !is_leaving(i) && i->trust == TRUST_QUARANTINED;
}

static bool is_failed(const struct plan_instance *i)
{
    return !is_leaving(i) && !is_apart(i) && i->phase == PHASE_FAILED;
}

static bool is_rejected(const struct plan_instance *i)
{
    return !is_leaving(i) && i->phase != PHASE_FAILED && i->trust == TRUST_REJECTED;
}

static bool is_good(const struct plan_instance *i)
{
    return !is_leaving(i) && !is_apart(i) && !is_failed(i) && !is_rejected(i);
}

/* No machine came of it: the row may be used again. */
static bool is_retryable(const struct plan_instance *i)
{
    return is_failed(i) && !i->has_machine && i->wanted == WANTED_RUN;
}

static struct tally count(const struct plan_observed *observed)
{
    struct tally t = {0};
    for (size_t n = 0; n < observed->count; n++) {
        const struct plan_instance *i = &observed->at[n];
        t.apart += is_apart(i);
        t.failed += is_failed(i);
        t.good += is_good(i);
        t.trusted += is_good(i) && (i->trust == TRUST_TRUSTED || i->trust == TRUST_STALE);
        t.coming += is_good(i) && (i->trust == TRUST_UNKNOWN || i->trust == TRUST_PENDING);
        if (is_rejected(i)) {
            t.rejected++;
            if (i->trust_since.us > t.last_rejection.us)
                t.last_rejection = i->trust_since;
        }
    }
    return t;
}

/* ---- the plan in the making ---- */

static void add(struct plan *out, struct plan_action action)
{
    if (out->count == out->room) {
        out->room = out->room == 0 ? 8 : out->room * 2;
        out->at = mem_resize(out->at, out->room, sizeof *out->at);
    }
    out->at[out->count++] = action;
}

static void wait_for(struct plan *out, enum plan_why why, int64_t missing, struct moment until)
{
    add(out, (struct plan_action){.act = PLAN_WAIT, .why = why, .count = missing, .until = until});
    bool earlier = moment_is_none(out->look_again) || until.us < out->look_again.us;
    if (!moment_is_none(until) && earlier)
        out->look_again = until;
}

void plan_done(struct plan *plan)
{
    free(plan->at);
    *plan = (struct plan){0};
}

int64_t plan_backoff_seconds(const struct budgets *budgets, int64_t bad_in_a_row)
{
    int64_t seconds = bad_in_a_row > 0 ? budgets->backoff_base_seconds : 0;
    for (int64_t i = 1; i < bad_in_a_row && seconds < budgets->backoff_cap_seconds; i++)
        seconds *= 2;
    return seconds < budgets->backoff_cap_seconds ? seconds : budgets->backoff_cap_seconds;
}

/* ---- who goes first ---- */

/* Oldest trouble first. */
static int by_trouble(const void *a, const void *b)
{
    const struct plan_instance *x = *(const struct plan_instance *const *)a;
    const struct plan_instance *y = *(const struct plan_instance *const *)b;
    if (x->created.us != y->created.us)
        return x->created.us < y->created.us ? -1 : 1;
    return memcmp(x->id.at, y->id.at, sizeof x->id.at);
}

typedef bool (*which_fn)(const struct plan_instance *);

/* Those of one kind, in order; the caller frees the array. */
static const struct plan_instance **pick(const struct plan_observed *observed, which_fn is,
                                         int (*order)(const void *, const void *), size_t *out)
{
    const struct plan_instance **list = mem_new(observed->count + 1, sizeof *list);
    *out = 0;
    for (size_t n = 0; n < observed->count; n++)
        if (is(&observed->at[n]))
            list[(*out)++] = &observed->at[n];
    qsort(list, *out, sizeof(*list), order);
    return list;
}

static void retire(struct plan *out, const struct plan_instance *i, enum plan_why why)
{
    add(out, (struct plan_action){.act = PLAN_RETIRE, .why = why, .instance = i->id});
}

/* ---- the rules ---- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool brake_is_on(const struct tally *t, const struct budgets *b, struct moment now)
{
    int64_t judged = t->trusted + t->rejected;
    return t->rejected >= b->brake_least && t->rejected * 100 > b->brake_percent * judged &&
           now.us < moment_add_seconds(t->last_rejection, b->brake_hold_seconds).us;
}

/* Rejected ones go when they were looked at for long enough; at once when nobody needs the place
 * they hold or there are too many good ones already. */
static int64_t retire_rejected(const struct plan_observed *observed, const struct budgets *b,
                               bool all, bool brake, struct moment now, struct plan *out)
{
    size_t count = 0;
    int64_t retired = 0;
    struct moment soonest = {0};
    OWNED(mem_drop)
    const struct plan_instance **list = pick(observed, is_rejected, by_trouble, &count);
    for (size_t n = 0; n < count; n++) {
        struct moment free_at = moment_add_seconds(list[n]->trust_since, b->rejected_hold_seconds);
        if (all || (!brake && now.us >= free_at.us)) {
            retire(out, list[n], WHY_REJECTED);
            retired++;
        } else if (moment_is_none(soonest) || free_at.us < soonest.us) {
            soonest = free_at;
        }
    }
    if ((int64_t)count > retired && !brake)
        wait_for(out, WHY_HOLDING, (int64_t)count - retired, soonest);
    return retired;
}

/* Failed ones with a machine go; without one they are kept as places to try again, as far as
 * places are needed. Gives how many are kept. */
static int64_t retire_failed(const struct plan_observed *observed, int64_t needed, struct plan *out)
{
    size_t count = 0;
    int64_t kept = 0;
    OWNED(mem_drop)
    const struct plan_instance **list = pick(observed, is_failed, by_trouble, &count);
    for (size_t n = 0; n < count; n++) {
        if (is_retryable(list[n]) && kept < needed)
            kept++;
        else
            retire(out, list[n], WHY_FAILED);
    }
    return kept;
}

static void retire_excess(const struct plan_observed *observed, int64_t excess, struct plan *out)
{
    size_t count = 0;
    OWNED(mem_drop)
    const struct plan_instance **list = pick(observed, is_good, excess_by_worth, &count);
    if (observed->where != NULL && excess > 0)
        excess_spread(list, count, (size_t)excess, observed->where);
    for (size_t n = 0; n < count && (int64_t)n < excess; n++)
        retire(out, list[n], WHY_TOO_MANY);
}

/* Use kept places whose time came; gives how many. Those retired above are not among them: the
 * same order, the same first `kept`. */
static int64_t retry(const struct plan_observed *observed, int64_t kept, int64_t most,
                     struct moment now, int64_t *out_early, struct plan *out)
{
    size_t count = 0;
    int64_t used = 0, seen = 0, early = 0;
    struct moment soonest = {0};
    OWNED(mem_drop)
    const struct plan_instance **list = pick(observed, is_retryable, by_trouble, &count);
    for (size_t n = 0; n < count && seen < kept; n++, seen++) {
        if (now.us < list[n]->next_due.us) {
            early++;
            if (moment_is_none(soonest) || list[n]->next_due.us < soonest.us)
                soonest = list[n]->next_due;
        } else if (used < most) {
            add(out, (struct plan_action){
                         .act = PLAN_RETRY, .why = WHY_TIME_CAME, .instance = list[n]->id});
            used++;
        }
    }
    if (early > 0)
        wait_for(out, WHY_NOT_YET, early, soonest);
    *out_early = early;
    return used;
}

/* How many may start now: fewer at once the more went bad in a row, one under the brake. */
static int64_t starting_room(const struct plan_observed *observed, const struct tally *t,
                             const struct budgets *b, bool brake)
{
    int64_t bad = least(observed->bad_in_a_row, 16);
    int64_t at_once = brake ? 1 : b->launching_max >> bad;
    if (at_once < 1)
        at_once = 1;
    return at_once > t->coming ? at_once - t->coming : 0;
}

static void start_more(const struct plan_observed *observed, const struct tally *t,
                       const struct budgets *b, int64_t missing, int64_t kept, int64_t room,
                       bool brake, struct moment now, struct plan *out)
{
    struct moment not_before =
        moment_add_seconds(observed->last_bad, plan_backoff_seconds(b, observed->bad_in_a_row));
    if (t->apart > b->apart_max)
        return wait_for(out, WHY_APART, missing, (struct moment){0});
    if (observed->bad_in_a_row > 0 && now.us < not_before.us)
        return wait_for(out, WHY_BACKING_OFF, missing, not_before);
    int64_t may = least(missing, starting_room(observed, t, b, brake));
    int64_t early = 0;
    int64_t used = retry(observed, kept, may, now, &early, out);
    /* Places that are kept will be used: only the rest is launched anew. */
    int64_t wanted = missing - kept;
    int64_t fresh = least(wanted, least(may - used, room > 0 ? room : 0));
    if (fresh > 0)
        add(out, (struct plan_action){.act = PLAN_LAUNCH, .why = WHY_TOO_FEW, .count = fresh});
    int64_t left = missing - used - fresh - early;
    if (left > 0)
        wait_for(out, fresh >= room && may - used > fresh ? WHY_NO_ROOM : WHY_ON_THEIR_WAY, left,
                 (struct moment){0});
}

void plan(const struct plan_observed *observed, struct plan_desired desired,
          const struct budgets *budgets, struct moment now, struct plan *out)
{
    *out = (struct plan){0};
    struct tally t = count(observed);
    int64_t missing = desired.count > t.good ? desired.count - t.good : 0;
    int64_t excess = t.good > desired.count ? t.good - desired.count : 0;
    if (desired.paused)
        return wait_for(out, WHY_PAUSED, missing, (struct moment){0});
    bool brake = brake_is_on(&t, budgets, now) && excess == 0;
    if (brake)
        wait_for(out, WHY_BRAKE, t.rejected,
                 moment_add_seconds(t.last_rejection, budgets->brake_hold_seconds));
    int64_t gone = retire_rejected(observed, budgets, excess > 0, brake, now, out);
    int64_t standing = t.good + t.rejected - gone;
    int64_t room = desired.count + budgets->surge - standing;
    int64_t kept = retire_failed(observed, room > 0 ? least(missing, room) : 0, out);
    retire_excess(observed, excess, out);
    if (missing > 0)
        start_more(observed, &t, budgets, missing, kept, room - kept, brake, now, out);
}

json_t *plan_to_json(const struct plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_action *action = &plan->at[i];
        json_t *item = json_object();
        json_put_text(item, "act", name_of(&plan_act_names, action->act));
        json_put_text(item, "why", name_of(&plan_why_names, action->why));
        if (action->count > 0)
            json_put_int(item, "count", action->count);
        if (!uuid_is_zero(&action->instance))
            json_put_uuid(item, "instance", &action->instance);
        if (!moment_is_none(action->until))
            json_put_moment(item, "until", action->until);
        json_add_new(list, item);
    }
    return list;
}
