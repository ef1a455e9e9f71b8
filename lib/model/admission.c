#include "lib/model/admission.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/base.h"

enum {
    FIRST_PATIENCE_MS = 60000, /* a first boot, or a renewal that is stale already */
    STRANGER_PATIENCE_MS = 300000,
    RENEWAL_MARGIN_MS = 30000, /* before its verdict ends */
    HOLD_SPAN_MS = 2000,       /* whoever has its turn within this is held */
    HELD_LEAST = 4,
    LATER_LEAST_MS = 1000,
    LATE_SHARE = 10, /* who was told the same comes so much of it later, each at its own moment */
    BACK_GRACE_MS = 30000, /* later still, it has lost its place */
    PACE_FIRST_US = 5000,  /* until it was measured */
    PACE_MOST_US = 10000000,
    PACE_WEIGHT = 16,
    STRANGERS_SHARE = 4,
};

/* Beside the pointer what is compared, so that looking at ten thousand walks over one array. */
struct place {
    struct applicant *who;
    int64_t due_ms;
    int64_t order;
    enum applicant_class class;
};

struct list {
    struct place *at;
    size_t count, room;
};

struct admission {
    struct admission_limits limits;
    struct list lists[APPLICANT_ADMITTED + 1]; /* by state; none of the idle */
    size_t strangers;                          /* of the admitted */
    int64_t orders;
    int64_t bucket_us;   /* start times: when the pace allows the next */
    int64_t pace_us;     /* between two ends while all slots were taken, as measured */
    int64_t last_end_ms; /* 0: there was room since */
};

struct admission *admission_new(const struct admission_limits *limits)
{
    struct admission *a = NEW(struct admission);
    a->limits = *limits;
    a->pace_us = PACE_FIRST_US;
    return a;
}

void admission_free(struct admission *a)
{
    if (a == NULL)
        return;
    for (size_t i = 0; i < countof(a->lists); i++)
        free(a->lists[i].at);
    free(a);
}

void admission_limit(struct admission *a, const struct admission_limits *limits)
{
    a->limits = *limits;
}

size_t admission_under_way(const struct admission *a)
{
    return a->lists[APPLICANT_ADMITTED].count;
}

size_t admission_waiting(const struct admission *a)
{
    return a->lists[APPLICANT_HELD].count + a->lists[APPLICANT_AWAY].count;
}

/* ---- lists --------------------------------------------------------------------------------- */

static void leave(struct admission *a, struct applicant *who)
{
    struct list *list = &a->lists[who->state];
    if (who->state == APPLICANT_IDLE)
        return;
    if (who->state == APPLICANT_ADMITTED && list->at[who->at].class == APPLICANT_STRANGER)
        a->strangers--;
    list->at[who->at] = list->at[--list->count];
    list->at[who->at].who->at = who->at;
    who->state = APPLICANT_IDLE;
}

static void enter(struct admission *a, struct applicant *who, enum applicant_state state,
                  int64_t since_ms)
{
    struct list *list = &a->lists[state];
    leave(a, who);
    if (list->count == list->room) {
        list->room = list->room > 0 ? 2 * list->room : 64;
        list->at = mem_resize(list->at, list->room, sizeof *list->at);
    }
    if (state == APPLICANT_ADMITTED && who->class == APPLICANT_STRANGER)
        a->strangers++;
    who->at = list->count;
    who->state = state;
    who->since_ms = since_ms;
    list->at[list->count++] = (struct place){who, who->due_ms, who->order, who->class};
}

/* ---- order --------------------------------------------------------------------------------- */

static bool is_before(const struct place *a, const struct place *b)
{
    const bool demanded = a->class == APPLICANT_DEMANDED;
    if (demanded != (b->class == APPLICANT_DEMANDED))
        return demanded;
    if (a->due_ms != b->due_ms)
        return a->due_ms < b->due_ms;
    return a->order < b->order;
}

static int64_t due_of(const struct applicant *who, int64_t now_ms)
{
    switch (who->class) {
    case APPLICANT_DEMANDED:
        return who->asked_ms;
    case APPLICANT_FIRST:
        return who->asked_ms + FIRST_PATIENCE_MS;
    case APPLICANT_RENEWAL:
        return who->good_until_ms > now_ms ? who->good_until_ms - RENEWAL_MARGIN_MS
                                           : who->asked_ms + FIRST_PATIENCE_MS;
    case APPLICANT_STRANGER:
        return who->asked_ms + STRANGER_PATIENCE_MS;
    }
    abort();
}

static size_t count_before(const struct list *list, const struct place *place)
{
    size_t before = 0;
    for (size_t i = 0; i < list->count; i++)
        before += list->at[i].who != place->who && is_before(&list->at[i], place);
    return before;
}

/* ---- room ---------------------------------------------------------------------------------- */

static bool may_stranger(const struct admission *a)
{
    const int64_t most = a->limits.at_once / STRANGERS_SHARE;
    return (int64_t)a->strangers < (most > 0 ? most : 1);
}

static int64_t spacing_us(const struct admission *a)
{
    return a->limits.per_second > 0 ? 1000000 / a->limits.per_second : 0;
}

static bool has_room(const struct admission *a, int64_t now_ms)
{
    return (int64_t)admission_under_way(a) < a->limits.at_once &&
           a->bucket_us - a->limits.at_once * spacing_us(a) <= now_ms * 1000;
}

static void admit(struct admission *a, struct applicant *who, int64_t now_ms)
{
    const int64_t now_us = now_ms * 1000;
    a->bucket_us = (a->bucket_us > now_us ? a->bucket_us : now_us) + spacing_us(a);
    enter(a, who, APPLICANT_ADMITTED, now_ms);
}

/* The held one that comes next, among those that may now. */
static struct place *first_held(const struct admission *a)
{
    const struct list *held = &a->lists[APPLICANT_HELD];
    struct place *first = NULL;
    for (size_t i = 0; i < held->count; i++) {
        struct place *place = &held->at[i];
        if (place->class == APPLICANT_STRANGER && !may_stranger(a))
            continue;
        if (first == NULL || is_before(place, first))
            first = place;
    }
    return first;
}

static int64_t pace_us(const struct admission *a)
{
    return a->pace_us > spacing_us(a) ? a->pace_us : spacing_us(a);
}

/* When half of the wait is over that all before it would take: early enough when they are served
 * twice as fast as thought, and so a few questions for a long wait. But by the time until which it
 * had better be served it is back in any case, for thoughts may be wrong. */
static int64_t away_ms(const struct applicant *who, size_t before, int64_t pace_us, int64_t now_ms)
{
    int64_t after_ms = (int64_t)before * pace_us / 2000;
    if (who->due_ms > now_ms && after_ms > who->due_ms - now_ms)
        after_ms = who->due_ms - now_ms;
    if (after_ms < LATER_LEAST_MS)
        after_ms = LATER_LEAST_MS;
    return after_ms < ADMISSION_LATER_MOST_MS ? after_ms : ADMISSION_LATER_MOST_MS;
}

static int64_t send_away(struct admission *a, struct applicant *who, int64_t now_ms)
{
    const struct place place = {who, who->due_ms, who->order, who->class};
    const size_t before = count_before(&a->lists[APPLICANT_HELD], &place) +
                          count_before(&a->lists[APPLICANT_AWAY], &place);
    const int64_t after_ms = away_ms(who, before, pace_us(a), now_ms);
    enter(a, who, APPLICANT_AWAY, now_ms + after_ms + after_ms / LATE_SHARE);
    return after_ms;
}

/* ---- asking -------------------------------------------------------------------------------- */

static bool has_key(const struct list *list, const struct applicant *who)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->at[i].who != who &&
            memcmp(list->at[i].who->key, who->key, APPLICANT_KEY_SIZE) == 0)
            return true;
    return false;
}

static bool is_held_soon(const struct admission *a, const struct place *place)
{
    const size_t before = count_before(&a->lists[APPLICANT_HELD], place);
    return before < HELD_LEAST || (int64_t)before * pace_us(a) <= HOLD_SPAN_MS * 1000;
}

enum applicant_state admission_ask(struct admission *a, struct applicant *who, int64_t now_ms,
                                   int64_t *out_after_ms)
{
    if (who->state == APPLICANT_ADMITTED)
        admission_end(a, who, now_ms); /* it begins anew, behind those who wait */
    if (who->state == APPLICANT_IDLE) {
        who->asked_ms = now_ms;
        who->order = ++a->orders;
    }
    leave(a, who);
    who->due_ms = due_of(who, now_ms);
    const struct place place = {who, who->due_ms, who->order, who->class};
    if (has_key(&a->lists[APPLICANT_ADMITTED], who) || has_key(&a->lists[APPLICANT_HELD], who)) {
        *out_after_ms = send_away(a, who, now_ms);
        return APPLICANT_AWAY;
    }
    const struct place *first = first_held(a);
    const bool may = who->class != APPLICANT_STRANGER || may_stranger(a);
    if (may && has_room(a, now_ms) && (first == NULL || is_before(&place, first)))
        admit(a, who, now_ms);
    else if (is_held_soon(a, &place))
        enter(a, who, APPLICANT_HELD, now_ms);
    else
        *out_after_ms = send_away(a, who, now_ms);
    return who->state;
}

struct applicant *admission_next(struct admission *a, int64_t now_ms)
{
    const struct place *first = has_room(a, now_ms) ? first_held(a) : NULL;
    if (first == NULL)
        return NULL;
    struct applicant *who = first->who;
    admit(a, who, now_ms);
    return who;
}

struct applicant *admission_overdue(struct admission *a, int64_t now_ms, int64_t *out_after_ms)
{
    const struct list *held = &a->lists[APPLICANT_HELD];
    for (size_t i = 0; i < held->count; i++) {
        struct applicant *who = held->at[i].who;
        if (now_ms - who->since_ms < ADMISSION_HOLD_MS)
            continue;
        *out_after_ms = send_away(a, who, now_ms);
        return who;
    }
    return NULL;
}

/* ---- ending -------------------------------------------------------------------------------- */

/* Only while somebody is held for want of a slot do ends tell how many could be served: who is away
 * may be so for other reasons. */
static void measure(struct admission *a, int64_t now_ms)
{
    const bool measured = a->last_end_ms > 0;
    const int64_t took_us = (now_ms - a->last_end_ms) * 1000;
    a->last_end_ms = first_held(a) != NULL ? now_ms : 0;
    if (!measured)
        return;
    a->pace_us += (took_us - a->pace_us) / PACE_WEIGHT;
    if (a->pace_us > PACE_MOST_US)
        a->pace_us = PACE_MOST_US;
}

void admission_end(struct admission *a, struct applicant *who, int64_t now_ms)
{
    if (who->state == APPLICANT_ADMITTED)
        measure(a, now_ms);
    leave(a, who);
}

void admission_tick(struct admission *a, int64_t now_ms)
{
    const struct list *admitted = &a->lists[APPLICANT_ADMITTED];
    const struct list *away = &a->lists[APPLICANT_AWAY];
    for (size_t i = admitted->count; i-- > 0;)
        if (now_ms - admitted->at[i].who->since_ms >= ADMISSION_LAPSE_MS)
            leave(a, admitted->at[i].who);
    for (size_t i = away->count; i-- > 0;)
        if (now_ms - away->at[i].who->since_ms >= BACK_GRACE_MS)
            leave(a, away->at[i].who);
}
