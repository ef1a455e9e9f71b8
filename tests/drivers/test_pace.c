/* The pace of calls on a virtual clock: properties over seeded random histories, of one controller
 * and of several that share a cloud's limit. */
#include "drivers/pace.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/base.h"
#include "tests/support/test.h"

enum { HISTORIES = 60, STEPS = 4000, CALLERS = 400 };

static uint64_t seed;

static int64_t below(int64_t bound)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((seed >> 33) % (uint64_t)bound);
}

static struct call_limit some_limit(void)
{
    return (struct call_limit){
        .call = "Act", .limit = "Act", .room = 1 + below(100), .per_minute = 60 + below(2000)};
}

static struct pace fresh(const struct call_limit *limit, int64_t sharers, int64_t now_ms)
{
    struct pace pace = {.limit = limit};
    pace_share(&pace, sharers, now_ms);
    return pace;
}

/* The cloud's own bucket, by its documents; false: one call too many. */
struct cloud_bucket {
    const struct call_limit *limit;
    double tokens;
    int64_t at_ms;
};

static bool cloud_takes(struct cloud_bucket *bucket, int64_t now_ms)
{
    bucket->tokens +=
        (double)(now_ms - bucket->at_ms) * (double)bucket->limit->per_minute / 60000.0;
    bucket->at_ms = now_ms;
    if (bucket->tokens > (double)bucket->limit->room)
        bucket->tokens = (double)bucket->limit->room;
    if (bucket->tokens < 1 - 1e-6)
        return false;
    bucket->tokens -= 1;
    return true;
}

/* ---- what is never too much ------------------------------------------------------------------ */

static void the_documented_limit_is_never_exceeded(void **state)
{
    (void)state;
    for (int h = 0; h < HISTORIES; h++) {
        seed = (uint64_t)h;
        const struct call_limit limit = some_limit();
        struct cloud_bucket cloud = {&limit, (double)limit.room, 0};
        struct pace pace = fresh(&limit, 1, 0);
        int64_t now_ms = 1000;
        for (int i = 0; i < STEPS; i++) {
            now_ms += below(60);
            if (pace_wait_ms(&pace, now_ms) > 0)
                continue;
            pace_take(&pace, now_ms);
            pace_went(&pace, now_ms);
            assert_true(cloud_takes(&cloud, now_ms));
        }
    }
}

static int earlier(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void calls_that_are_late_on_their_way_exceed_nothing(void **state)
{
    (void)state;
    static int64_t arrivals[STEPS];
    for (int h = 0; h < HISTORIES; h++) {
        seed = (uint64_t)h;
        struct call_limit limit = some_limit();
        limit.room++;
        const int64_t late_most_ms = 60000 / limit.per_minute;
        struct pace pace = fresh(&limit, 1, 0);
        size_t count = 0;
        for (int64_t now_ms = 1000; count < countof(arrivals); now_ms += below(60)) {
            if (pace_wait_ms(&pace, now_ms) > 0)
                continue;
            pace_take(&pace, now_ms);
            arrivals[count++] = now_ms + below(late_most_ms + 1);
        }
        qsort(arrivals, count, sizeof arrivals[0], earlier);
        struct cloud_bucket cloud = {&limit, (double)limit.room, 0};
        for (size_t i = 0; i < count; i++)
            assert_true(cloud_takes(&cloud, arrivals[i]));
    }
}

static void controllers_that_share_a_limit_keep_it_together(void **state)
{
    (void)state;
    enum { MOST = 5 };
    for (int h = 0; h < HISTORIES; h++) {
        seed = (uint64_t)h;
        struct call_limit limit = some_limit();
        const int64_t sharers = 2 + below(MOST - 1);
        limit.room += sharers; /* one each at least */
        struct cloud_bucket cloud = {&limit, (double)limit.room, 0};
        struct pace paces[MOST];
        int64_t now_ms = 1000;
        for (int c = 0; c < sharers; c++)
            paces[c] = fresh(&limit, sharers, 0);
        for (int i = 0; i < STEPS; i++) {
            now_ms += below(20);
            struct pace *pace = &paces[below(sharers)];
            if (pace_wait_ms(pace, now_ms) > 0)
                continue;
            pace_take(pace, now_ms);
            assert_true(cloud_takes(&cloud, now_ms));
        }
    }
}

static void one_more_controller_takes_its_share_at_once(void **state)
{
    (void)state;
    const struct call_limit limit = {"Act", "Act", 100, 1200, ""};
    struct pace pace = fresh(&limit, 1, 0);
    pace_share(&pace, 4, 1000);
    int64_t at_once = 0;
    for (; pace_wait_ms(&pace, 1000) == 0; at_once++)
        pace_take(&pace, 1000);
    assert_int_equal(at_once, 24); /* and the twenty-fifth for what is late on its way */
    assert_int_equal(pace_wait_ms(&pace, 1000), 200);
    pace_share(&pace, 1, 1000);
    assert_int_equal(pace_wait_ms(&pace, 1000), 50);
}

/* ---- waiting --------------------------------------------------------------------------------- */

/* Many want to call at once; who has no turn comes back when told. */
struct crowd {
    int64_t due_ms[CALLERS];
    bool done[CALLERS];
    int64_t left;
    int64_t asked;
    int64_t last_ms;
};

static void crowd_run(struct crowd *crowd, struct pace *pace, int64_t count)
{
    *crowd = (struct crowd){.left = count};
    for (int64_t now_ms = 1000; crowd->left > 0; now_ms += 25)
        for (int64_t i = 0; i < count; i++) {
            if (crowd->done[i] || crowd->due_ms[i] > now_ms)
                continue;
            crowd->asked++;
            if (pace_wait_ms(pace, now_ms) > 0) {
                const int64_t wait_ms = pace_promise_ms(pace, now_ms);
                assert_true(wait_ms > 0);
                assert_true(wait_ms <= PACE_PROMISE_MS);
                crowd->due_ms[i] = now_ms + wait_ms;
                continue;
            }
            pace_take(pace, now_ms);
            crowd->done[i] = true;
            crowd->left--;
            crowd->last_ms = now_ms;
        }
}

static void who_waits_comes_back_few_times_and_no_turn_is_lost(void **state)
{
    (void)state;
    for (int h = 0; h < HISTORIES; h++) {
        seed = (uint64_t)h;
        struct call_limit limit = some_limit();
        limit.room += 4; /* what comes while nobody looks is kept */
        const int64_t count = limit.room + 20 + below(CALLERS - limit.room - 20);
        struct pace pace = fresh(&limit, 1, 0);
        struct crowd crowd;
        crowd_run(&crowd, &pace, count);
        const int64_t needed_ms = (count - limit.room) * 60000 / limit.per_minute;
        /* As fast as the limit allows, but for a tenth; the end of a long queue may be late. */
        const int64_t late_ms = needed_ms > PACE_PROMISE_LEAST_MS ? PACE_PROMISE_LEAST_MS : 100;
        assert_true(crowd.last_ms - 1000 <= needed_ms * 11 / 10 + late_ms);
        /* Once, and once more for each minute of the queue. */
        assert_true(crowd.asked <= count * (2 + needed_ms / PACE_PROMISE_LEAST_MS));
    }
}

/* ---- too much -------------------------------------------------------------------------------- */

static void nothing_goes_out_before_the_time_that_the_cloud_asked_for(void **state)
{
    (void)state;
    const struct call_limit limit = {"Act", "Act", 100, 6000, ""};
    struct pace pace = fresh(&limit, 1, 0);
    pace_throttled(&pace, 7000, 1000);
    assert_int_equal(pace_wait_ms(&pace, 1000), 7000);
    assert_int_equal(pace_wait_ms(&pace, 7999), 1);
    assert_int_equal(pace_wait_ms(&pace, 8000), 0);
    assert_true(pace_promise_ms(&pace, 1000) >= 7000);
    pace_shut(&pace, 3000, 9000);
    assert_int_equal(pace_wait_ms(&pace, 9000), 3000);
    assert_int_equal(pace.percent, 50); /* a server in need is no word on our rate */
}

/* A header of a day, by a mistake or by somebody between, must not stop an account for one. */
static void nobody_is_shut_out_for_longer_than_five_minutes(void **state)
{
    (void)state;
    const struct call_limit limit = {"Act", "Act", 100, 6000, ""};
    struct pace throttled = fresh(&limit, 1, 0), shut = fresh(&limit, 1, 0);
    pace_throttled(&throttled, 86400 * 1000, 1000);
    pace_shut(&shut, 86400 * 1000, 1000);
    assert_int_equal(pace_wait_ms(&throttled, 1000), PACE_TOLD_MOST_MS);
    assert_int_equal(pace_wait_ms(&shut, 1000), PACE_TOLD_MOST_MS);
}

static void a_throttle_halves_the_rate_and_success_brings_it_back(void **state)
{
    (void)state;
    const struct call_limit limit = {"Act", "Act", 10, 6000, ""};
    struct pace pace = fresh(&limit, 1, 0);
    int64_t now_ms = 1000, least = 100;
    for (int i = 0; i < 10; i++) {
        pace_throttled(&pace, 1, now_ms);
        pace_throttled(&pace, 1, now_ms + 1); /* was out with the other: the same news */
        assert_int_equal(pace.percent,
                         least / 2 > PACE_LEAST_PERCENT ? least / 2 : PACE_LEAST_PERCENT);
        least = pace.percent;
        now_ms += 5000;
    }
    int64_t seconds = 0;
    for (; pace.percent < 100; seconds++) {
        for (int i = 0; i < 5; i++)
            pace_went(&pace, now_ms + i);
        now_ms += 1000;
    }
    assert_int_equal(seconds,
                     (100 - PACE_LEAST_PERCENT + PACE_GROWTH_PERCENT - 1) / PACE_GROWTH_PERCENT);
    pace_take(&pace, now_ms); /* and then it is as documented */
    assert_int_equal(pace.bucket.every_ms, 10);
}

static void the_back_off_is_random_and_grows_to_twenty_seconds(void **state)
{
    (void)state;
    const struct call_limit limit = {"Act", "Act", 1000, 60000, ""};
    int64_t most[12] = {0};
    for (int h = 0; h < 200; h++) {
        struct pace pace = fresh(&limit, 1, 0);
        int64_t now_ms = 1000;
        for (size_t i = 0; i < countof(most); i++) {
            pace_throttled(&pace, 0, now_ms);
            const int64_t wait_ms = pace.shut_ms > now_ms ? pace.shut_ms - now_ms : 0;
            most[i] = wait_ms > most[i] ? wait_ms : most[i];
            now_ms += 30000;
        }
    }
    for (size_t i = 0; i < countof(most); i++) {
        const int64_t ceiling = i < 5 ? INT64_C(1000) << i : 20000;
        assert_true(most[i] <= ceiling);
        assert_true(most[i] > ceiling * 3 / 4);
    }
}

/* The cloud's limit is lower than its documents say, and others use it too: we come to rest near
 * what is left for us, and few calls are refused. */
static void a_lower_limit_than_documented_is_found(void **state)
{
    (void)state;
    for (int h = 0; h < HISTORIES; h++) {
        seed = (uint64_t)h;
        const struct call_limit documented = {"Act", "Act", 50, 1200, ""};
        const struct call_limit real = {"Act", "Act", 10, 240 + below(480), ""};
        struct cloud_bucket cloud = {&real, 10, 0};
        struct pace pace = fresh(&documented, 1, 0);
        int64_t well = 0, refused = 0, now_ms = 1000;
        for (; now_ms < 600000; now_ms += 10) {
            if (pace_wait_ms(&pace, now_ms) > 0)
                continue;
            pace_take(&pace, now_ms);
            if (cloud_takes(&cloud, now_ms)) {
                pace_went(&pace, now_ms);
                well++;
            } else {
                pace_throttled(&pace, 0, now_ms);
                refused++;
            }
        }
        assert_true(well * 100 > real.per_minute * 10 * 60); /* 60 % of what there is */
        assert_true(refused * 10 < well);
    }
}

static void what_the_cloud_says_is_left_is_all_there_is(void **state)
{
    (void)state;
    const struct call_limit limit = {"Act", "Act", 200, 600, ""};
    struct pace pace = fresh(&limit, 2, 0);
    pace_left(&pace, 5, 1000); /* two of five are ours */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pace_wait_ms(&pace, 1000), 0);
        pace_take(&pace, 1000);
    }
    assert_int_equal(pace_wait_ms(&pace, 1000), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_documented_limit_is_never_exceeded),
        cmocka_unit_test(calls_that_are_late_on_their_way_exceed_nothing),
        cmocka_unit_test(controllers_that_share_a_limit_keep_it_together),
        cmocka_unit_test(one_more_controller_takes_its_share_at_once),
        cmocka_unit_test(who_waits_comes_back_few_times_and_no_turn_is_lost),
        cmocka_unit_test(nothing_goes_out_before_the_time_that_the_cloud_asked_for),
        cmocka_unit_test(nobody_is_shut_out_for_longer_than_five_minutes),
        cmocka_unit_test(a_throttle_halves_the_rate_and_success_brings_it_back),
        cmocka_unit_test(the_back_off_is_random_and_grows_to_twenty_seconds),
        cmocka_unit_test(a_lower_limit_than_documented_is_found),
        cmocka_unit_test(what_the_cloud_says_is_left_is_all_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
