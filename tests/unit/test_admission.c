/* Who may prove itself when: the rules one by one, and then thousands of machines that come at
 * once, on a virtual clock. */
#include "lib/model/admission.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"

static void key_of(struct applicant *who, uint64_t number)
{
    memcpy(who->key, &number, sizeof number);
}

static struct applicant applicant(enum applicant_class class, uint64_t number)
{
    struct applicant who = {.class = class};
    key_of(&who, number);
    return who;
}

/* ---- one by one ------------------------------------------------------------------------------ */

static const struct admission_limits one = {.at_once = 1};

static void as_many_as_there_is_room_for_are_admitted_at_once(void **state)
{
    (void)state;
    int64_t after;
    const struct admission_limits three = {.at_once = 3};
    struct applicant all[4];
    struct admission *a = admission_new(&three);
    for (size_t i = 0; i < 4; i++) {
        all[i] = applicant(APPLICANT_FIRST, i + 1);
        assert_int_equal(admission_ask(a, &all[i], 0, &after),
                         i < 3 ? APPLICANT_ADMITTED : APPLICANT_HELD);
    }
    assert_null(admission_next(a, 10));
    admission_end(a, &all[1], 10);
    assert_ptr_equal(admission_next(a, 10), &all[3]);
    assert_int_equal(admission_under_way(a), 3);
    admission_free(a);
}

static void the_most_pressing_comes_first(void **state)
{
    (void)state;
    int64_t after;
    struct admission *a = admission_new(&one);
    struct applicant busy = applicant(APPLICANT_FIRST, 1);
    struct applicant later = applicant(APPLICANT_RENEWAL, 2);
    struct applicant sooner = applicant(APPLICANT_RENEWAL, 3);
    struct applicant boot = applicant(APPLICANT_FIRST, 4);
    struct applicant demanded = applicant(APPLICANT_DEMANDED, 5);
    later.good_until_ms = 600000;
    sooner.good_until_ms = 500000;
    struct applicant *const asking[] = {&later, &sooner, &boot, &demanded};
    struct applicant *const wanted[] = {&demanded, &boot, &sooner, &later};
    assert_int_equal(admission_ask(a, &busy, 0, &after), APPLICANT_ADMITTED);
    for (size_t i = 0; i < countof(asking); i++)
        assert_int_equal(admission_ask(a, asking[i], 1, &after), APPLICANT_HELD);
    struct applicant *before = &busy;
    for (size_t i = 0; i < countof(wanted); i++) {
        admission_end(a, before, 2);
        before = admission_next(a, 2);
        assert_ptr_equal(before, wanted[i]);
    }
    admission_free(a);
}

static void a_renewal_that_is_about_to_end_goes_before_a_first_boot(void **state)
{
    (void)state;
    int64_t after;
    struct admission *a = admission_new(&one);
    struct applicant busy = applicant(APPLICANT_FIRST, 1), boot = applicant(APPLICANT_FIRST, 2);
    struct applicant ending = applicant(APPLICANT_RENEWAL, 3);
    struct applicant stale = applicant(APPLICANT_RENEWAL, 4);
    ending.good_until_ms = 80000;
    stale.good_until_ms = 50;
    assert_int_equal(admission_ask(a, &busy, 100, &after), APPLICANT_ADMITTED);
    assert_int_equal(admission_ask(a, &boot, 100, &after), APPLICANT_HELD);
    assert_int_equal(admission_ask(a, &stale, 100, &after), APPLICANT_HELD);
    assert_int_equal(admission_ask(a, &ending, 100, &after), APPLICANT_HELD);
    admission_end(a, &busy, 200);
    assert_ptr_equal(admission_next(a, 200), &ending);
    admission_end(a, &ending, 300);
    assert_ptr_equal(admission_next(a, 300), &boot); /* what is stale already cannot get worse */
    admission_free(a);
}

static void of_one_key_one_is_admitted_and_strangers_have_a_quarter(void **state)
{
    (void)state;
    int64_t after = 0;
    const struct admission_limits eight = {.at_once = 8};
    struct admission *a = admission_new(&eight);
    struct applicant first = applicant(APPLICANT_STRANGER, 1), twin = first;
    struct applicant others[2] = {applicant(APPLICANT_STRANGER, 2),
                                  applicant(APPLICANT_STRANGER, 3)};
    struct applicant boot = applicant(APPLICANT_FIRST, 4);
    assert_int_equal(admission_ask(a, &first, 0, &after), APPLICANT_ADMITTED);
    assert_int_equal(admission_ask(a, &twin, 0, &after), APPLICANT_AWAY);
    assert_in_range(after, 1000, 2000);
    assert_int_equal(admission_ask(a, &others[0], 0, &after), APPLICANT_ADMITTED);
    assert_int_equal(admission_ask(a, &others[1], 0, &after), APPLICANT_HELD);
    assert_int_equal(admission_ask(a, &boot, 0, &after), APPLICANT_ADMITTED);
    assert_null(admission_next(a, 1));
    admission_end(a, &others[0], 2);
    assert_ptr_equal(admission_next(a, 2), &others[1]);
    admission_free(a);
}

static void who_does_nothing_with_its_slot_loses_it(void **state)
{
    (void)state;
    int64_t after;
    struct admission *a = admission_new(&one);
    struct applicant idle = applicant(APPLICANT_FIRST, 1), next = applicant(APPLICANT_FIRST, 2);
    assert_int_equal(admission_ask(a, &idle, 0, &after), APPLICANT_ADMITTED);
    admission_tick(a, ADMISSION_LAPSE_MS - 1);
    assert_int_equal(admission_ask(a, &next, ADMISSION_LAPSE_MS - 1, &after), APPLICANT_HELD);
    admission_tick(a, ADMISSION_LAPSE_MS);
    assert_int_equal(idle.state, APPLICANT_IDLE);
    assert_ptr_equal(admission_next(a, ADMISSION_LAPSE_MS), &next);
    admission_free(a);
}

static void nobody_is_held_for_long_and_who_is_put_off_keeps_its_place(void **state)
{
    (void)state;
    int64_t after = 0;
    struct admission *a = admission_new(&one);
    struct applicant busy = applicant(APPLICANT_FIRST, 1), held = applicant(APPLICANT_FIRST, 2);
    struct applicant younger = applicant(APPLICANT_FIRST, 3);
    assert_int_equal(admission_ask(a, &busy, 0, &after), APPLICANT_ADMITTED);
    assert_int_equal(admission_ask(a, &held, 0, &after), APPLICANT_HELD);
    assert_null(admission_overdue(a, ADMISSION_HOLD_MS - 1, &after));
    assert_ptr_equal(admission_overdue(a, ADMISSION_HOLD_MS, &after), &held);
    assert_int_equal(after, 1000);
    assert_int_equal(admission_ask(a, &younger, 5000, &after), APPLICANT_HELD);
    assert_int_equal(admission_ask(a, &held, 5000, &after), APPLICANT_HELD);
    admission_end(a, &busy, 5001);
    assert_ptr_equal(admission_next(a, 5001), &held);
    admission_free(a);
}

static void starts_keep_to_the_pace(void **state)
{
    (void)state;
    int64_t after;
    size_t started = 0;
    const struct admission_limits paced = {.at_once = 10, .per_second = 100};
    struct admission *a = admission_new(&paced);
    static struct applicant all[2000];
    for (size_t i = 0; i < countof(all); i++) {
        all[i] = applicant(APPLICANT_FIRST, i + 1);
        int64_t now = (int64_t)i; /* a thousand a second, each done at once */
        while (admission_next(a, now) != NULL)
            started++;
        started += admission_ask(a, &all[i], now, &after) == APPLICANT_ADMITTED;
        for (size_t j = 0; j <= i; j++)
            if (all[j].state == APPLICANT_ADMITTED)
                admission_end(a, &all[j], now);
        assert_true(started <= 11 + (size_t)now / 10);
    }
    assert_in_range(started, 200, 211);
    admission_free(a);
}

/* ---- thousands at once ----------------------------------------------------------------------- */

enum { STORM_MOST = 10000, HORIZON_MS = 400000 };

struct machine {
    struct applicant applicant;
    int64_t comes_ms, served_ms;
    int asks;
    int next; /* in a list of what is due at one time */
};

static struct storm {
    struct admission *a;
    struct admission_limits limits;
    uint64_t random;
    int64_t service_ms; /* on average; half to one and a half */
    struct machine machines[STORM_MOST];
    int count;
    int due[HORIZON_MS + 1]; /* heads of lists, index + 1 */
    int64_t now_ms;
    int served;
} storm;

static uint64_t random_of(struct storm *s, uint64_t below)
{
    uint64_t z = s->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

static void at(struct storm *s, int machine, int64_t ms)
{
    if (ms > HORIZON_MS)
        ms = HORIZON_MS;
    s->machines[machine].next = s->due[ms];
    s->due[ms] = machine + 1;
}

static void serve(struct storm *s, int machine)
{
    const int64_t half = s->service_ms / 2;
    at(s, machine, s->now_ms + half + (int64_t)random_of(s, (uint64_t)s->service_ms) + 1);
    assert_true((int64_t)admission_under_way(s->a) <= s->limits.at_once);
}

/* As the agent does it: a little later than it was told. */
static void come_later(struct storm *s, int machine, int64_t after_ms)
{
    assert_in_range(after_ms, 1, ADMISSION_LATER_MOST_MS);
    at(s, machine, s->now_ms + after_ms + (int64_t)random_of(s, (uint64_t)after_ms / 10 + 1));
}

static void happen(struct storm *s, int machine)
{
    struct machine *m = &s->machines[machine];
    int64_t after_ms = 0;
    if (m->applicant.state == APPLICANT_ADMITTED) {
        admission_end(s->a, &m->applicant, s->now_ms);
        m->served_ms = s->now_ms;
        s->served++;
        return;
    }
    m->asks++;
    switch (admission_ask(s->a, &m->applicant, s->now_ms, &after_ms)) {
    case APPLICANT_ADMITTED:
        serve(s, machine);
        return;
    case APPLICANT_AWAY:
        come_later(s, machine, after_ms);
        return;
    case APPLICANT_HELD:
    case APPLICANT_IDLE:
        return;
    }
}

static int index_of(const struct storm *s, const struct applicant *who)
{
    return (int)((const struct machine *)who - s->machines);
}

static void run_to(struct storm *s, int64_t end_ms)
{
    int64_t after_ms;
    for (; s->now_ms < end_ms && s->served < s->count; s->now_ms++) {
        for (int i; (i = s->due[s->now_ms]) != 0;) {
            s->due[s->now_ms] = s->machines[i - 1].next;
            happen(s, i - 1);
        }
        for (struct applicant *who; (who = admission_next(s->a, s->now_ms)) != NULL;)
            serve(s, index_of(s, who));
        for (struct applicant *who; (who = admission_overdue(s->a, s->now_ms, &after_ms)) != NULL;)
            come_later(s, index_of(s, who), after_ms);
        if (s->now_ms % 1000 == 0)
            admission_tick(s->a, s->now_ms);
    }
}

static void begin(struct storm *s, int64_t at_once, int64_t service_ms, uint64_t seed)
{
    memset(s, 0, sizeof *s);
    s->limits = (struct admission_limits){.at_once = at_once};
    s->a = admission_new(&s->limits);
    s->service_ms = service_ms;
    s->random = seed;
}

static struct machine *add(struct storm *s, enum applicant_class class, int64_t comes_ms)
{
    struct machine *m = &s->machines[s->count];
    m->applicant.class = class;
    m->comes_ms = comes_ms;
    key_of(&m->applicant, (uint64_t)s->count + 1);
    at(s, s->count++, comes_ms);
    return m;
}

static int64_t last_served(const struct storm *s, enum applicant_class class)
{
    int64_t last = 0;
    for (int i = 0; i < s->count; i++)
        if (s->machines[i].applicant.class == class && s->machines[i].served_ms > last)
            last = s->machines[i].served_ms;
    return last;
}

static void ten_thousand_that_come_at_once_are_all_served_in_the_time_it_takes(void **state)
{
    (void)state;
    struct storm *s = &storm;
    begin(s, 32, 100, 7);
    for (int i = 0; i < STORM_MOST; i++)
        add(s, APPLICANT_FIRST, 0);
    run_to(s, HORIZON_MS);
    const int64_t ideal_ms = STORM_MOST * 100 / 32;
    int asks = 0, most = 0;
    for (int i = 0; i < s->count; i++) {
        asks += s->machines[i].asks;
        most = s->machines[i].asks > most ? s->machines[i].asks : most;
    }
    print_message("[ STORM ] %d served in %lld ms, ideal %lld; %d.%d asks each, %d at most\n",
                  s->served, (long long)s->now_ms, (long long)ideal_ms, asks / s->count,
                  asks * 10 / s->count % 10, most);
    assert_int_equal(s->served, STORM_MOST);
    assert_true(s->now_ms <= ideal_ms * 11 / 10);
    assert_true(asks <= 6 * s->count);
    assert_int_equal(admission_under_way(s->a), 0);
    assert_int_equal(admission_waiting(s->a), 0);
    admission_free(s->a);
}

static void first_boots_are_served_before_renewals(void **state)
{
    (void)state;
    struct storm *s = &storm;
    begin(s, 32, 100, 8);
    for (int i = 0; i < STORM_MOST; i++)
        if (i % 2 == 0)
            add(s, APPLICANT_FIRST, 0);
        else
            add(s, APPLICANT_RENEWAL, 0)->applicant.good_until_ms = 300000;
    run_to(s, HORIZON_MS);
    const int64_t boots_done = last_served(s, APPLICANT_FIRST);
    int before = 0;
    for (int i = 0; i < s->count; i++)
        before += s->machines[i].applicant.class == APPLICANT_RENEWAL &&
                  s->machines[i].served_ms < boots_done;
    assert_int_equal(s->served, STORM_MOST);
    print_message("[ STORM ] %d of 5000 renewals before the last first boot\n", before);
    assert_true(before < 5000 / 20);
    admission_free(s->a);
}

static void no_renewal_is_late_while_the_capacity_suffices(void **state)
{
    (void)state;
    struct storm *s = &storm;
    begin(s, 16, 100, 9);          /* 160 a second */
    for (int i = 0; i < 4000; i++) /* half of it is first boots, all the time */
        add(s, APPLICANT_FIRST, i * 1000 / 80);
    for (int i = 0; i < 3000; i++)
        add(s, APPLICANT_RENEWAL, 0)->applicant.good_until_ms =
            75000 + (int64_t)random_of(s, 100000);
    run_to(s, HORIZON_MS);
    assert_int_equal(s->served, s->count);
    for (int i = 0; i < s->count; i++)
        if (s->machines[i].applicant.class == APPLICANT_RENEWAL)
            assert_true(s->machines[i].served_ms < s->machines[i].applicant.good_until_ms);
    admission_free(s->a);
}

static void nobody_starves_under_more_than_can_be_served(void **state)
{
    (void)state;
    struct storm *s = &storm;
    begin(s, 8, 100, 10); /* 80 a second, and 100 come */
    for (int i = 0; i < 9000; i++)
        add(s, APPLICANT_FIRST, i * 10);
    struct machine *renewal = add(s, APPLICANT_RENEWAL, 20000);
    struct machine *stranger = add(s, APPLICANT_STRANGER, 0);
    renewal->applicant.good_until_ms = 70000;
    run_to(s, HORIZON_MS);
    assert_int_equal(s->served, s->count);
    assert_in_range(renewal->served_ms, 20000, 70000);
    assert_true(stranger->served_ms > 0);
    admission_free(s->a);
}

static void who_leaves_is_forgotten(void **state)
{
    (void)state;
    struct storm *s = &storm;
    begin(s, 4, 100, 11);
    for (int i = 0; i < 5000; i++)
        add(s, APPLICANT_FIRST, 0);
    run_to(s, 2000);
    for (int i = 0; i < s->count; i++)
        admission_end(s->a, &s->machines[i].applicant, 2000);
    assert_int_equal(admission_under_way(s->a), 0);
    assert_int_equal(admission_waiting(s->a), 0);
    admission_free(s->a);
}

/* ---- who wants to harm others ---------------------------------------------------------------- */

/* One machine with two connections is enough: one of them is always away, as the other has the
 * slot, so that somebody always waits; and in a quiet hour ends are far between. */
static void wait_in_a_quiet_hour(struct storm *s, int64_t until_ms)
{
    int64_t after;
    struct applicant mate = applicant(APPLICANT_RENEWAL, 1000001), twin = mate;
    struct applicant passing = applicant(APPLICANT_RENEWAL, 1000002);
    for (int64_t now = 1000; now < until_ms; now += 5000) {
        admission_ask(s->a, &mate, now, &after);
        assert_int_equal(admission_ask(s->a, &twin, now, &after), APPLICANT_AWAY);
        assert_int_equal(admission_ask(s->a, &passing, now, &after), APPLICANT_ADMITTED);
        admission_end(s->a, &passing, now + 100);
        admission_tick(s->a, now + 1000);
    }
    admission_end(s->a, &mate, until_ms);
    admission_end(s->a, &twin, until_ms);
    s->now_ms = until_ms;
}

static void one_that_waits_in_a_quiet_hour_makes_no_renewal_late(void **state)
{
    (void)state;
    struct storm *s = &storm;
    begin(s, 32, 100, 12); /* 320 a second */
    wait_in_a_quiet_hour(s, 200000);
    for (int i = 0; i < STORM_MOST; i++)
        add(s, APPLICANT_RENEWAL, 200000)->applicant.good_until_ms = 275000;
    run_to(s, HORIZON_MS);
    assert_int_equal(s->served, s->count);
    for (int i = 0; i < s->count; i++)
        assert_true(s->machines[i].served_ms < s->machines[i].applicant.good_until_ms);
    admission_free(s->a);
}

/* As many as there are slots, and each keeps one for as long as it may; then they are gone. */
static void who_hoards_slots_makes_others_wait_no_longer_than_it_is_there(void **state)
{
    (void)state;
    enum { HOARDERS = 8, GONE_MS = 130000 };
    struct storm *s = &storm;
    struct applicant hoarders[HOARDERS];
    int64_t after;
    begin(s, HOARDERS, 20, 13); /* 400 a second without them */
    for (int i = 0; i < 2000; i++)
        add(s, APPLICANT_RENEWAL, 2000)->applicant.good_until_ms = 180000;
    for (int i = 0; i < HOARDERS; i++)
        hoarders[i] = applicant(APPLICANT_DEMANDED, 1000001 + (uint64_t)i);
    for (int64_t ms = 1000; ms < GONE_MS; ms += 1000) {
        for (int i = 0; i < HOARDERS; i++)
            if (ms % 10000 == 1000 * (i + 1)) /* each begins anew: an end, and nobody was served */
                (void)admission_ask(s->a, &hoarders[i], ms, &after);
        run_to(s, ms);
    }
    for (int i = 0; i < HOARDERS; i++)
        admission_end(s->a, &hoarders[i], GONE_MS);
    run_to(s, HORIZON_MS);
    assert_int_equal(s->served, s->count);
    for (int i = 0; i < s->count; i++)
        assert_true(s->machines[i].served_ms < s->machines[i].applicant.good_until_ms);
    admission_free(s->a);
}

/* Agents come up to a tenth later than they were told. */
static void who_comes_back_as_late_as_an_agent_may_keeps_its_place(void **state)
{
    (void)state;
    int64_t after = 0, now = 0;
    struct admission *a = admission_new(&one);
    struct applicant busy = applicant(APPLICANT_DEMANDED, 1);
    static struct applicant crowd[2000];
    for (; now < 300000; now += 2000) { /* one is served in two seconds */
        assert_int_equal(admission_ask(a, &busy, now, &after), APPLICANT_ADMITTED);
        for (size_t i = 0; now % 20000 == 0 && i < countof(crowd); i++) {
            crowd[i] =
                crowd[i].state == APPLICANT_IDLE ? applicant(APPLICANT_FIRST, 10 + i) : crowd[i];
            (void)admission_ask(a, &crowd[i], now, &after);
        }
    }
    assert_int_equal(after, ADMISSION_LATER_MOST_MS);
    const int64_t asked_ms = crowd[countof(crowd) - 1].asked_ms;
    now += after + after / 10 - 2000;
    admission_tick(a, now);
    (void)admission_ask(a, &crowd[countof(crowd) - 1], now, &after);
    assert_int_equal(crowd[countof(crowd) - 1].asked_ms, asked_ms);
    admission_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_as_there_is_room_for_are_admitted_at_once),
        cmocka_unit_test(the_most_pressing_comes_first),
        cmocka_unit_test(a_renewal_that_is_about_to_end_goes_before_a_first_boot),
        cmocka_unit_test(of_one_key_one_is_admitted_and_strangers_have_a_quarter),
        cmocka_unit_test(who_does_nothing_with_its_slot_loses_it),
        cmocka_unit_test(nobody_is_held_for_long_and_who_is_put_off_keeps_its_place),
        cmocka_unit_test(starts_keep_to_the_pace),
        cmocka_unit_test(ten_thousand_that_come_at_once_are_all_served_in_the_time_it_takes),
        cmocka_unit_test(first_boots_are_served_before_renewals),
        cmocka_unit_test(no_renewal_is_late_while_the_capacity_suffices),
        cmocka_unit_test(nobody_starves_under_more_than_can_be_served),
        cmocka_unit_test(who_leaves_is_forgotten),
        cmocka_unit_test(one_that_waits_in_a_quiet_hour_makes_no_renewal_late),
        cmocka_unit_test(who_hoards_slots_makes_others_wait_no_longer_than_it_is_there),
        cmocka_unit_test(who_comes_back_as_late_as_an_agent_may_keeps_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
