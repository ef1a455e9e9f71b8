/* Clouds that go on after their answer, and say later whether it came to anything: on a real
 * PostgreSQL and a cloud in shared memory. Promises I1, I2 and I5 of the design. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/fake_cloud.h"
#include "tests/support/places.h"
#include "tests/support/test.h"

static int64_t operations_left(void)
{
    OWNED(instance_list_done) struct instance_list list = stage_rows(NULL, false);
    int64_t n = 0;
    for (size_t i = 0; i < list.count; i++)
        n += list.at[i].intent == INTENT_LAUNCH;
    return n;
}

static bool stage_operations(int64_t wanted)
{
    return operations_left() == wanted;
}

static void an_operation_is_asked_after_until_it_is_over(void **state)
{
    (void)state;
    fake_cloud_operations(2, NULL);
    stage_start();
    stage_fleet(3);
    stage_await(booting, 3);
    stage_await(operations, 0);
    assert_int_equal(fake_cloud_asks(), 9);
    assert_one_machine_a_row(3);
    stage_scale(0);
    stage_await(terminated, 3);
    assert_int_equal(fake_cloud_machines(), 0);
}

static void an_operation_that_fails_for_want_of_room_goes_elsewhere(void **state)
{
    (void)state;
    const enum cloud_error kind = CLOUD_CAPACITY;
    fake_cloud_operations(1, &kind);
    stage_account("east", "aws");
    stage_spread("[{\"account\":\"east\"}]", 1);
    stage_start();
    stage_await(closed, 15);
    stage_await(terminated, 1);
    fake_cloud_operations(1, NULL);
    stage_time_passes();
    stage_await(booting, 1);
    stage_await(operations, 0);
    assert_one_machine_a_row(1);
}

/* Its row says by then which zone the cloud took, and the place names none: open to the planner it
 * would be asked again at once, and again. */
static void a_place_without_zones_is_closed_by_the_zone_that_its_cloud_chose(void **state)
{
    (void)state;
    const enum cloud_error kind = CLOUD_CAPACITY;
    fake_cloud_operations(1, &kind);
    stage_spread("[{\"account\":\"cloud\"}]", 1);
    stage_start();
    stage_await(closed, 15);
    assert_int_equal(fake_cloud_calls(), 1);
}

/* That an order was taken is no room yet: each of these is, and fails when it is asked after. */
static void operations_that_fail_each_time_close_a_place_for_longer_too(void **state)
{
    (void)state;
    struct error err = {0};
    const enum cloud_error kind = CLOUD_CAPACITY;
    fake_cloud_operations(1, &kind);
    stage_spread("[{\"account\":\"cloud\",\"zones\":[\"x\"]}]", 1);
    stage_start();
    stage_await(closed, 15);
    stage_time_passes();
    stage_await(closed, 45);
    assert_int_equal(fake_cloud_calls(), 2);
    fake_cloud_operations(1, NULL);
    stage_time_passes();
    stage_await(booting, 1);
    stage_await(operations, 0);
    OWNED(placement_done) struct placement p = stage_places();
    assert_true(spot_is_open(&p, placement_spot(&p, "cloud", "x"), clock_now()));
    assert_ok(db_script(
        stage.db,
        "DO $$ BEGIN ASSERT NOT EXISTS (SELECT FROM place_closures), 'not forgotten'; END $$",
        &err));
}

/* Some clouds list no more what they could not make. Its operation alone says why. */
static void what_failed_while_nobody_looked_is_asked_after_before_it_is_missed(void **state)
{
    (void)state;
    struct error err = {0};
    const enum cloud_error kind = CLOUD_CAPACITY;
    fake_cloud_operations(1000, &kind);
    stage_spread("[{\"account\":\"cloud\"}]", 1);
    stage_start();
    stage_await(booting, 1);
    stage_stop();
    assert_ok(db_script(stage.db,
                        "UPDATE instances SET launched_at = now() - interval '1 hour',"
                        " next_due = now() + interval '4 s'",
                        &err));
    fake_cloud_forget(0);
    stage_start();
    stage_await(closed, 15);
    assert_int_equal(fake_cloud_calls(), 1);
}

/* A machine that runs on while its row asks after what failed long ago is paid for, and for
 * nothing. */
static void an_end_that_its_cloud_could_not_finish_is_begun_again(void **state)
{
    (void)state;
    static const enum cloud_error kinds[] = {CLOUD_SERVER_ERROR, CLOUD_THROTTLE, CLOUD_AUTH};
    fake_cloud_operations(1, NULL);
    stage_start();
    stage_fleet(1);
    for (size_t i = 0; i < countof(kinds); i++) {
        stage_scale(1);
        stage_await(booting, 1);
        stage_await(operations, 0);
        fake_cloud_keep(kinds[i], 1);
        stage_scale(0);
        stage_await(terminated, (int64_t)i + 1);
        assert_int_equal(fake_cloud_machines(), 0);
    }
}

static void killed_while_asking_after_an_operation_nothing_is_lost(void **state)
{
    (void)state;
    fake_cloud_operations(1, NULL);
    stage_fleet(2);
    fake_cloud_mischief(MISCHIEF_DIE_FOLLOWING, 0, 1);
    stage_run_until_killed();
    stage_start();
    stage_await(operations, 0);
    stage_await(booting, 2);
    assert_one_machine_a_row(2);
    assert_int_equal(fake_cloud_launches(), 2);
}

#ifdef MUSTER_FAULTS
static void killed_at_any_fault_point_of_an_operation_it_converges(void **state)
{
    (void)state;
    static const char *const points[] = {
        "launch-inside-commit:die",
        "follow-before-call:die",
        "follow-after-call:die",
        "fail-before-commit:die",
    };
    stage_account("east", "aws");
    fake_cloud_operations(1, NULL);
    fake_cloud_fill("east", CLOUD_CAPACITY, 0);
    stage_spread("[{\"account\":\"cloud\"}, {\"account\":\"east\"}]", 4);
    for (size_t i = 0; i < countof(points); i++) {
        setenv("MUSTER_FAULT", points[i], 1);
        stage_run_until_killed();
        stage_time_passes();
        stage_scale(4 + 2 * (int64_t)i);
    }
    unsetenv("MUSTER_FAULT");
    stage_start();
    stage_await(booting, 10);
    stage_await(operations, 0);
    assert_one_machine_a_row(10);
    assert_int_equal(fake_cloud_launches(), 10);
}

/* Its machine is gone by then: a look at the cloud must not find a row that waits for nothing. */
static void killed_when_an_operation_has_failed_its_place_is_closed_all_the_same(void **state)
{
    (void)state;
    const enum cloud_error kind = CLOUD_CAPACITY;
    fake_cloud_operations(1, &kind);
    stage_spread("[{\"account\":\"cloud\"}]", 1);
    setenv("MUSTER_FAULT", "fail-before-commit:die", 1);
    stage_run_until_killed();
    unsetenv("MUSTER_FAULT");
    stage_start();
    stage_await(closed, 15);
    assert_int_equal(fake_cloud_calls(), 1);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(an_operation_is_asked_after_until_it_is_over),
        STAGED(an_operation_that_fails_for_want_of_room_goes_elsewhere),
        STAGED(a_place_without_zones_is_closed_by_the_zone_that_its_cloud_chose),
        STAGED(operations_that_fail_each_time_close_a_place_for_longer_too),
        STAGED(what_failed_while_nobody_looked_is_asked_after_before_it_is_missed),
        STAGED(an_end_that_its_cloud_could_not_finish_is_begun_again),
        STAGED(killed_while_asking_after_an_operation_nothing_is_lost),
#ifdef MUSTER_FAULTS
        STAGED(killed_at_any_fault_point_of_an_operation_it_converges),
        STAGED(killed_when_an_operation_has_failed_its_place_is_closed_all_the_same),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
