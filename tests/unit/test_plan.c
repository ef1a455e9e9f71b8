/* The planner, on hand-made situations and on seeded random histories with a virtual clock (I8,
 * I10: budgets hold, and when the faults stop the fleet converges). */
#include "lib/model/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"

enum { FAULTY_STEPS = 24, CALM_STEPS = 1000, LIVE_MAX = 64 };

/* Sanitizers are ten times slower and look for something else. */
#ifdef __SANITIZE_ADDRESS__
enum { HISTORIES = 20000 };
#else
enum { HISTORIES = 200000 };
#endif

static const struct moment epoch = {INT64_C(1795392000000000)};

/* ---- hand-made ---- */

static struct plan_instance make(uint8_t n, enum phase phase, enum trust trust, int64_t age_seconds)
{
    struct moment then = moment_add_seconds(epoch, -age_seconds);
    return (struct plan_instance){
        .id.at = {n},
        .phase = phase,
        .trust = trust,
        .has_machine = true,
        .created = then,
        .phase_since = then,
        .trust_since = then,
    };
}

static struct budgets usual(void)
{
    const struct fleet fleet = {.surge = 1, .rejected_hold_seconds = 300};
    return budgets_of(&fleet);
}

static struct plan plan_of(struct plan_instance *at, size_t count, int64_t desired)
{
    const struct budgets budgets = usual();
    const struct plan_observed observed = {.at = at, .count = count};
    struct plan out;
    plan(&observed, (struct plan_desired){.count = desired}, &budgets, epoch, &out);
    return out;
}

static void an_empty_fleet_launches_what_is_desired(void **state)
{
    (void)state;
    OWNED(plan_done) struct plan out = plan_of(NULL, 0, 6);
    assert_int_equal(out.count, 1);
    assert_int_equal(out.at[0].act, PLAN_LAUNCH);
    assert_int_equal(out.at[0].count, 6);
}

static void a_full_fleet_plans_nothing(void **state)
{
    (void)state;
    struct plan_instance at[] = {
        make(1, PHASE_RUNNING, TRUST_TRUSTED, 50),
        make(2, PHASE_BOOTING, TRUST_UNKNOWN, 5),
    };
    OWNED(plan_done) struct plan out = plan_of(at, 2, 2);
    assert_int_equal(out.count, 0);
    assert_true(moment_is_none(out.look_again));
}

static void scaling_down_takes_the_untrusted_and_the_young_first(void **state)
{
    (void)state;
    struct plan_instance at[] = {
        make(1, PHASE_RUNNING, TRUST_TRUSTED, 500), make(2, PHASE_RUNNING, TRUST_TRUSTED, 100),
        make(3, PHASE_RUNNING, TRUST_STALE, 900),   make(4, PHASE_RUNNING, TRUST_PENDING, 300),
        make(5, PHASE_REQUESTED, TRUST_UNKNOWN, 1),
    };
    OWNED(plan_done) struct plan out = plan_of(at, 5, 1);
    assert_int_equal(out.count, 4);
    const uint8_t order[] = {5, 4, 3, 2};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(out.at[i].act, PLAN_RETIRE);
        assert_int_equal(out.at[i].instance.at[0], order[i]);
    }
}

/* ---- ends over places ---- */

static void put(struct plan_instance *i, const char *account, const char *zone)
{
    snprintf(i->account, sizeof i->account, "%s", account);
    snprintf(i->zone, sizeof i->zone, "%s", zone);
}

static void placed(const char *text, struct placement *out)
{
    struct error err = {0};
    OWNED(place_list_done) struct place_list places = {0};
    OWNED(json_drop) json_t *json = json_loads(text, 0, NULL);
    assert_ok(places_from_json(json, &places, &err));
    placement_begin(&places, 0, out);
}

/* Gives whom a plan for `desired` ends, by the first byte of the id, in turn. */
static size_t ends(struct plan_instance *at, size_t count, int64_t desired,
                   const struct placement *where, uint8_t *out)
{
    const struct budgets budgets = usual();
    const struct plan_observed observed = {.at = at, .count = count, .where = where};
    OWNED(plan_done) struct plan todo = {0};
    plan(&observed, (struct plan_desired){.count = desired}, &budgets, epoch, &todo);
    for (size_t i = 0; i < todo.count; i++) {
        assert_int_equal(todo.at[i].act, PLAN_RETIRE);
        out[i] = todo.at[i].instance.at[0];
    }
    return todo.count;
}

static struct plan_instance serving(uint8_t n, int64_t age, const char *account, const char *zone)
{
    struct plan_instance i = make(n, PHASE_RUNNING, TRUST_TRUSTED, age);
    put(&i, account, zone);
    return i;
}

static void scaling_down_leaves_every_place_its_share(void **state)
{
    (void)state;
    uint8_t gone[8];
    OWNED(placement_done) struct placement where = {0};
    placed("[{\"account\":\"a\",\"weight\":2},{\"account\":\"b\"}]", &where);
    struct plan_instance at[] = {
        serving(1, 900, "a", ""), serving(2, 800, "a", ""), serving(3, 700, "a", ""),
        serving(4, 600, "a", ""), serving(5, 500, "b", ""), serving(6, 400, "b", ""),
    };
    assert_int_equal(ends(at, 6, 3, &where, gone), 3);
    assert_memory_equal(gone, ((const uint8_t[]){6, 4, 3}), 3); /* 4:2, then 4:1, then 3:1 */
    assert_int_equal(ends(at, 6, 3, NULL, gone), 3);
    assert_memory_equal(gone, ((const uint8_t[]){6, 5, 4}),
                        3); /* the youngest, wherever they are */
}

static void scaling_down_keeps_the_zones_of_a_place_alike(void **state)
{
    (void)state;
    uint8_t gone[8];
    OWNED(placement_done) struct placement where = {0};
    placed("[{\"account\":\"a\",\"zones\":[\"x\",\"y\"]}]", &where);
    struct plan_instance at[] = {serving(1, 900, "a", "x"), serving(2, 800, "a", "x"),
                                 serving(3, 700, "a", "x"), serving(4, 600, "a", "y")};
    assert_int_equal(ends(at, 4, 2, &where, gone), 2);
    assert_memory_equal(gone, ((const uint8_t[]){3, 2}), 2);
}

static void who_is_no_loss_goes_first_wherever_it_is(void **state)
{
    (void)state;
    uint8_t gone[8];
    OWNED(placement_done) struct placement where = {0};
    placed("[{\"account\":\"a\"},{\"account\":\"b\"}]", &where);
    struct plan_instance at[] = {serving(1, 900, "a", ""), serving(2, 800, "a", ""),
                                 make(3, PHASE_BOOTING, TRUST_UNKNOWN, 100)};
    put(&at[2], "b", "");
    assert_int_equal(ends(at, 3, 1, &where, gone), 2);
    assert_memory_equal(gone, ((const uint8_t[]){3, 2}), 2);
}

static void who_is_where_the_fleet_is_no_more_goes_before_its_equals(void **state)
{
    (void)state;
    uint8_t gone[8];
    OWNED(placement_done) struct placement where = {0};
    placed("[{\"account\":\"a\",\"zones\":[\"x\"]}]", &where);
    struct plan_instance at[] = {serving(1, 900, "old", "x"), serving(2, 100, "a", "x"),
                                 serving(3, 50, "a", "x"), serving(4, 800, "a", "gone")};
    assert_int_equal(ends(at, 4, 1, &where, gone), 3);
    assert_memory_equal(gone, ((const uint8_t[]){4, 1, 3}), 3);
}

static void a_failed_one_with_a_machine_is_replaced_and_retired(void **state)
{
    (void)state;
    struct plan_instance at[] = {
        make(1, PHASE_RUNNING, TRUST_TRUSTED, 500),
        make(2, PHASE_FAILED, TRUST_UNKNOWN, 100),
    };
    OWNED(plan_done) struct plan out = plan_of(at, 2, 2);
    assert_int_equal(out.count, 2);
    assert_int_equal(out.at[0].act, PLAN_RETIRE);
    assert_int_equal(out.at[0].why, WHY_FAILED);
    assert_int_equal(out.at[1].act, PLAN_LAUNCH);
    assert_int_equal(out.at[1].count, 1);
}

static void a_failed_one_without_a_machine_is_tried_again_when_its_time_came(void **state)
{
    (void)state;
    struct plan_instance at[] = {make(1, PHASE_FAILED, TRUST_UNKNOWN, 100)};
    at[0].has_machine = false;
    at[0].next_due = moment_add_seconds(epoch, -1);
    OWNED(plan_done) struct plan now = plan_of(at, 1, 1);
    assert_int_equal(now.count, 1);
    assert_int_equal(now.at[0].act, PLAN_RETRY);
    at[0].next_due = moment_add_seconds(epoch, 30);
    OWNED(plan_done) struct plan later = plan_of(at, 1, 1);
    assert_int_equal(later.at[0].act, PLAN_WAIT);
    assert_int_equal(later.at[0].why, WHY_NOT_YET);
    assert_int_equal(later.look_again.us, at[0].next_due.us);
}

static void a_rejected_one_is_held_for_people_to_look_at_and_then_retired(void **state)
{
    (void)state;
    struct plan_instance at[] = {
        make(1, PHASE_RUNNING, TRUST_TRUSTED, 500),
        make(2, PHASE_RUNNING, TRUST_REJECTED, 100),
    };
    OWNED(plan_done) struct plan held = plan_of(at, 2, 2);
    assert_int_equal(held.at[0].why, WHY_HOLDING);
    assert_int_equal(held.at[1].act, PLAN_LAUNCH); /* surge has room for its replacement */
    at[1].trust_since = moment_add_seconds(epoch, -300);
    OWNED(plan_done) struct plan due = plan_of(at, 2, 2);
    assert_int_equal(due.at[0].act, PLAN_RETIRE);
    assert_int_equal(due.at[0].why, WHY_REJECTED);
}

static void a_quarantined_one_is_left_alone_and_replaced(void **state)
{
    (void)state;
    struct plan_instance at[] = {make(1, PHASE_RUNNING, TRUST_QUARANTINED, 9000)};
    OWNED(plan_done) struct plan out = plan_of(at, 1, 1);
    assert_int_equal(out.count, 1);
    assert_int_equal(out.at[0].act, PLAN_LAUNCH);
}

/* Storm brake: when many are rejected at once it is our fault or the vendor's first. */
static void many_rejections_at_once_put_the_brake_on(void **state)
{
    (void)state;
    struct plan_instance at[10];
    for (uint8_t i = 0; i < 10; i++)
        at[i] = make(i, PHASE_RUNNING, i < 4 ? TRUST_REJECTED : TRUST_TRUSTED, 400);
    OWNED(plan_done) struct plan out = plan_of(at, 10, 10);
    assert_int_equal(out.at[0].why, WHY_BRAKE);
    for (size_t i = 0; i < out.count; i++)
        assert_int_not_equal(out.at[i].act, PLAN_RETIRE);
}

static void a_paused_fleet_only_waits(void **state)
{
    (void)state;
    const struct budgets budgets = usual();
    const struct plan_observed observed = {0};
    OWNED(plan_done) struct plan out = {0};
    plan(&observed, (struct plan_desired){.count = 3, .paused = true}, &budgets, epoch, &out);
    assert_int_equal(out.count, 1);
    assert_int_equal(out.at[0].why, WHY_PAUSED);
}

static void backing_off_doubles_up_to_its_cap(void **state)
{
    (void)state;
    const struct budgets b = usual();
    assert_int_equal(plan_backoff_seconds(&b, 0), 0);
    assert_int_equal(plan_backoff_seconds(&b, 1), 10);
    assert_int_equal(plan_backoff_seconds(&b, 2), 20);
    assert_int_equal(plan_backoff_seconds(&b, 4), 80);
    assert_int_equal(plan_backoff_seconds(&b, 7), 600);
    assert_int_equal(plan_backoff_seconds(&b, INT64_MAX), 600);
}

static void a_plan_prints_as_json(void **state)
{
    (void)state;
    OWNED(plan_done) struct plan out = plan_of(NULL, 0, 2);
    OWNED(json_drop) json_t *value = plan_to_json(&out);
    OWNED(mem_drop) char *text = json_print(value);
    assert_string_equal(text, "[{\"act\":\"launch\",\"count\":2,\"why\":\"too-few\"}]");
}

/* ---- random histories ---- */

struct world {
    uint64_t seed;
    uint64_t random;
    struct moment now;
    struct budgets budgets;
    struct plan_instance at[LIVE_MAX];
    size_t count;
    int64_t desired;
    int64_t bad_in_a_row;
    struct moment last_bad;
    uint32_t next_id;
    int64_t launches;
    bool faulty;
    bool all_rejected;
};

static uint64_t draw(struct world *w)
{
    uint64_t z = w->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static bool chance(struct world *w, unsigned percent)
{
    return draw(w) % 100 < percent;
}

static bool fault(struct world *w, unsigned percent)
{
    return w->faulty && chance(w, percent);
}

static void spoil(struct world *w)
{
    w->bad_in_a_row++;
    w->last_bad = w->now;
}

static void to_phase(struct world *w, struct plan_instance *i, enum phase phase)
{
    i->phase = phase;
    i->phase_since = w->now;
    if (phase == PHASE_FAILED)
        spoil(w);
}

static void to_trust(struct world *w, struct plan_instance *i, enum trust trust)
{
    i->trust = trust;
    i->trust_since = w->now;
    if (trust == TRUST_REJECTED)
        spoil(w);
    if (trust == TRUST_TRUSTED)
        w->bad_in_a_row = 0;
}

static void judge(struct world *w, struct plan_instance *i)
{
    bool bad = w->all_rejected || fault(w, 25);
    to_trust(w, i, bad ? TRUST_REJECTED : TRUST_TRUSTED);
}

static void trouble(struct world *w, struct plan_instance *i)
{
    switch (draw(w) % 5) {
    case 0:
        return to_phase(w, i, PHASE_FAILED);
    case 1:
        return to_phase(w, i, PHASE_TERMINATED);
    case 2:
        return to_trust(w, i, TRUST_REJECTED);
    case 3:
        return to_trust(w, i, TRUST_STALE);
    default:
        return to_trust(w, i, TRUST_QUARANTINED);
    }
}

/* What clouds, agents and keepers do to one instance meanwhile. */
static void live_on(struct world *w, struct plan_instance *i)
{
    if (i->wanted == WANTED_GONE)
        return to_phase(w, i, i->phase == PHASE_TERMINATING ? PHASE_TERMINATED : PHASE_TERMINATING);
    if (i->phase == PHASE_REQUESTED)
        return to_phase(w, i, PHASE_LAUNCHING);
    if (i->phase == PHASE_LAUNCHING && fault(w, 20)) {
        i->has_machine = chance(w, 20);
        i->next_due = moment_add_seconds(w->now, (int64_t)(draw(w) % 120));
        return to_phase(w, i, PHASE_FAILED);
    }
    if (i->phase == PHASE_LAUNCHING) {
        i->has_machine = true;
        return to_phase(w, i, PHASE_BOOTING);
    }
    if (i->phase == PHASE_BOOTING)
        return to_phase(w, i, fault(w, 10) ? PHASE_FAILED : PHASE_RUNNING);
    if (i->phase != PHASE_RUNNING)
        return;
    if (i->trust == TRUST_UNKNOWN)
        return to_trust(w, i, TRUST_PENDING);
    if (i->trust == TRUST_PENDING || i->trust == TRUST_STALE)
        return judge(w, i);
    if (i->trust == TRUST_QUARANTINED && !w->faulty)
        return to_trust(w, i, TRUST_UNKNOWN); /* a person let it back */
    if (i->trust == TRUST_TRUSTED && fault(w, 8))
        trouble(w, i);
}

static void pass_time(struct world *w, int64_t seconds)
{
    w->now = moment_add_seconds(w->now, seconds);
    for (size_t n = 0; n < w->count; n++)
        if (chance(w, 70))
            live_on(w, &w->at[n]);
    size_t left = 0;
    for (size_t n = 0; n < w->count; n++)
        if (w->at[n].phase != PHASE_TERMINATED)
            w->at[left++] = w->at[n];
    w->count = left;
}

static bool counts(const struct plan_instance *i)
{
    return i->wanted != WANTED_GONE && i->trust != TRUST_QUARANTINED &&
           i->phase != PHASE_TERMINATING;
}

static bool is_bad(const struct plan_instance *i)
{
    return counts(i) && (i->phase == PHASE_FAILED || i->trust == TRUST_REJECTED);
}

static int64_t standing(const struct world *w, bool good_only)
{
    int64_t n = 0;
    for (size_t i = 0; i < w->count; i++)
        n += counts(&w->at[i]) && !(good_only && is_bad(&w->at[i]));
    return n;
}

#define CHECK(w, condition)                                                                        \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("history %llu: " #condition, (unsigned long long)(w)->seed);                  \
    } while (0)

static struct plan_instance *find(struct world *w, const struct uuid *id)
{
    for (size_t n = 0; n < w->count; n++)
        if (uuid_equal(&w->at[n].id, id))
            return &w->at[n];
    return NULL;
}

static void launch(struct world *w)
{
    CHECK(w, w->count < LIVE_MAX);
    struct plan_instance *i = &w->at[w->count++];
    *i = (struct plan_instance){.created = w->now, .phase_since = w->now, .trust_since = w->now};
    memcpy(i->id.at, &w->next_id, sizeof w->next_id);
    w->next_id++;
    w->launches++;
}

static void carry_out_one(struct world *w, const struct plan_action *action)
{
    struct plan_instance *i = find(w, &action->instance);
    switch (action->act) {
    case PLAN_LAUNCH:
        for (int64_t n = 0; n < action->count; n++)
            launch(w);
        return;
    case PLAN_RETIRE:
        CHECK(w, i != NULL && i->wanted != WANTED_GONE && i->trust != TRUST_QUARANTINED);
        i->wanted = WANTED_GONE;
        return;
    case PLAN_RETRY:
        CHECK(w, i != NULL && i->phase == PHASE_FAILED && !i->has_machine);
        CHECK(w, i->wanted == WANTED_RUN && w->now.us >= i->next_due.us);
        i->phase = PHASE_REQUESTED;
        w->launches++;
        return;
    case PLAN_WAIT:
    case PLAN_ACT_COUNT:
        return;
    }
}

static struct plan plan_world(struct world *w)
{
    const struct plan_observed observed = {
        .at = w->at,
        .count = w->count,
        .bad_in_a_row = w->bad_in_a_row,
        .last_bad = w->last_bad,
    };
    struct plan out;
    plan(&observed, (struct plan_desired){.count = w->desired}, &w->budgets, w->now, &out);
    return out;
}

static bool same_plan(const struct plan *a, const struct plan *b)
{
    if (a->count != b->count || a->look_again.us != b->look_again.us)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->at[i].act != b->at[i].act || a->at[i].why != b->at[i].why ||
            a->at[i].count != b->at[i].count || a->at[i].until.us != b->at[i].until.us ||
            !uuid_equal(&a->at[i].instance, &b->at[i].instance))
            return false;
    return true;
}

static void shuffle(struct world *w)
{
    for (size_t n = w->count; n > 1; n--) {
        size_t other = draw(w) % n;
        struct plan_instance moved = w->at[n - 1];
        w->at[n - 1] = w->at[other];
        w->at[other] = moved;
    }
}

/* What any plan must keep to, and what the world looks like after it. */
static void carry_out(struct world *w, const struct plan *it)
{
    int64_t good_before = standing(w, true);
    bool starts = false, retires_excess = false, retires_trusted = false;
    for (size_t n = 0; n < it->count; n++) {
        const struct plan_instance *i = find(w, &it->at[n].instance);
        starts |= it->at[n].act == PLAN_LAUNCH || it->at[n].act == PLAN_RETRY;
        retires_excess |= it->at[n].why == WHY_TOO_MANY;
        retires_trusted |=
            it->at[n].act == PLAN_RETIRE && i->trust == TRUST_TRUSTED && i->phase == PHASE_RUNNING;
        carry_out_one(w, &it->at[n]);
    }
    int64_t good = standing(w, true), all = standing(w, false);
    CHECK(w, !(starts && retires_excess)); /* no oscillation */
    CHECK(w, !starts || all <= w->desired + w->budgets.surge);
    CHECK(w, good <= (good_before > w->desired ? good_before : w->desired));
    CHECK(w, good >= (good_before < w->desired ? good_before : w->desired));
    CHECK(w, !retires_trusted || all == good); /* never a trusted one while a bad one stands */
    int64_t pause = plan_backoff_seconds(&w->budgets, w->bad_in_a_row);
    CHECK(w, !starts || w->bad_in_a_row == 0 || w->now.us >= w->last_bad.us + pause * SECONDS_US);
}

static void plan_and_carry_out(struct world *w)
{
    OWNED(plan_done) struct plan it = plan_world(w);
    if (w->seed % 16 == 0) {
        shuffle(w);
        OWNED(plan_done) struct plan other = plan_world(w);
        CHECK(w, same_plan(&it, &other));
    }
    carry_out(w, &it);
    OWNED(plan_done) struct plan again = plan_world(w);
    for (size_t n = 0; n < again.count; n++)
        CHECK(w, again.at[n].act == PLAN_WAIT);
}

static bool is_well(const struct world *w)
{
    for (size_t n = 0; n < w->count; n++)
        if (w->at[n].phase != PHASE_RUNNING || w->at[n].trust != TRUST_TRUSTED ||
            w->at[n].wanted != WANTED_RUN)
            return false;
    return (int64_t)w->count == w->desired;
}

static struct world world_of(uint64_t seed)
{
    struct world w = {.seed = seed, .random = seed, .now = epoch, .faulty = true, .next_id = 1};
    w.budgets = usual();
    w.budgets.surge = (int64_t)(draw(&w) % 3);
    w.budgets.launching_max = 1 + (int64_t)(draw(&w) % 6);
    w.desired = (int64_t)(draw(&w) % 7);
    return w;
}

static void a_fleet_converges_when_the_faults_stop_and_keeps_its_budgets_before(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
        struct world w = world_of(seed);
        for (int step = 0; step < FAULTY_STEPS; step++) {
            if (chance(&w, 5))
                w.desired = (int64_t)(draw(&w) % 7);
            plan_and_carry_out(&w);
            pass_time(&w, 1 + (int64_t)(draw(&w) % 60));
        }
        w.faulty = false;
        int step = 0;
        for (; step < CALM_STEPS && !is_well(&w); step++) {
            plan_and_carry_out(&w);
            pass_time(&w, 60);
        }
        CHECK(&w, is_well(&w));
        OWNED(plan_done) struct plan nothing = plan_world(&w);
        CHECK(&w, nothing.count == 0);
    }
}

static void an_image_that_is_always_rejected_is_tried_ever_more_slowly(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct world w = world_of(seed);
        w.desired = 1 + (int64_t)(seed % 6);
        w.faulty = false;
        w.all_rejected = true;
        struct moment day = moment_add_seconds(epoch, 86400);
        while (w.now.us < day.us) {
            plan_and_carry_out(&w);
            pass_time(&w, 5);
        }
        /* At first what was wanted, then no faster than the cap allows. */
        CHECK(&w, w.launches <= w.desired + w.budgets.surge + 10 + 86400 / 600);
        CHECK(&w, w.launches >= 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_fleet_launches_what_is_desired),
        cmocka_unit_test(a_full_fleet_plans_nothing),
        cmocka_unit_test(scaling_down_takes_the_untrusted_and_the_young_first),
        cmocka_unit_test(scaling_down_leaves_every_place_its_share),
        cmocka_unit_test(scaling_down_keeps_the_zones_of_a_place_alike),
        cmocka_unit_test(who_is_no_loss_goes_first_wherever_it_is),
        cmocka_unit_test(who_is_where_the_fleet_is_no_more_goes_before_its_equals),
        cmocka_unit_test(a_failed_one_with_a_machine_is_replaced_and_retired),
        cmocka_unit_test(a_failed_one_without_a_machine_is_tried_again_when_its_time_came),
        cmocka_unit_test(a_rejected_one_is_held_for_people_to_look_at_and_then_retired),
        cmocka_unit_test(a_quarantined_one_is_left_alone_and_replaced),
        cmocka_unit_test(many_rejections_at_once_put_the_brake_on),
        cmocka_unit_test(a_paused_fleet_only_waits),
        cmocka_unit_test(backing_off_doubles_up_to_its_cap),
        cmocka_unit_test(a_plan_prints_as_json),
        cmocka_unit_test(a_fleet_converges_when_the_faults_stop_and_keeps_its_budgets_before),
        cmocka_unit_test(an_image_that_is_always_rejected_is_tried_ever_more_slowly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
