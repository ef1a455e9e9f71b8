/* Controllers that are killed at the worst moments: what the cloud was asked for is neither lost
 * nor doubled. Promises I1, I2, I5 and I10 of the design. */
#include "controller/worker.h"

#include <stdlib.h>
#include <string.h>

#include "agent/userdata.h"
#include "tests/support/fake_cloud.h"
#include "tests/support/stage.h"
#include "tests/support/test.h"

static void killed_before_the_cloud_call_nothing_is_lost(void **state)
{
    (void)state;
    stage_fleet(3);
    fake_cloud_mischief(MISCHIEF_DIE_BEFORE, 0, 1);
    stage_run_until_killed();
    stage_start();
    stage_await(booting, 3);
    assert_one_machine_a_row(3);
}

static void killed_after_the_cloud_call_nothing_is_doubled(void **state)
{
    (void)state;
    stage_fleet(3);
    fake_cloud_mischief(MISCHIEF_DIE_AFTER, 0, 1);
    stage_run_until_killed();
    assert_true(fake_cloud_launches() >= 1);
    stage_start();
    stage_await(booting, 3);
    assert_one_machine_a_row(3);
    assert_int_equal(fake_cloud_launches(), 3);
}

static void killed_after_ending_a_machine_its_row_ends_too(void **state)
{
    (void)state;
    stage_start();
    stage_fleet(2);
    stage_await(booting, 2);
    stage_stop();
    stage_scale(0);
    fake_cloud_mischief(MISCHIEF_DIE_TERMINATED, 0, 1);
    stage_run_until_killed();
    stage_start();
    stage_await(terminated, 2);
    assert_int_equal(fake_cloud_machines(), 0);
}

static void killed_again_and_again_it_converges(void **state)
{
    (void)state;
    stage_fleet(6);
    for (int i = 0; i < 4; i++) {
        fake_cloud_mischief(i % 2 == 0 ? MISCHIEF_DIE_AFTER : MISCHIEF_DIE_BEFORE, 0, 1);
        stage_run_until_killed();
    }
    stage_start();
    stage_await(booting, 6);
    assert_one_machine_a_row(6);
    assert_int_equal(fake_cloud_launches(), 6);
}

/* Another controller has another key, so its ticket differs: the row learns it before the cloud. */
static void another_controller_goes_on_with_a_launch(void **state)
{
    (void)state;
    struct error err = {0};
    stage_fleet(1);
    fake_cloud_mischief(MISCHIEF_DIE_BEFORE, 0, 1);
    stage_run_until_killed();
    stage_write(stage.key_file, "the key of another controller");
    stage_start();
    stage_await(booting, 1);
    assert_one_machine_a_row(1);
    OWNED(userdata_done) struct userdata told = {0};
    OWNED(instance_list_done) struct instance_list list = stage_rows("booting", false);
    uint8_t hash[SHA256_SIZE];
    assert_ok(userdata_parse(span_of_text(fake_cloud_machine(0)->user_data), &told, &err));
    digest(DIGEST_SHA256, span_of_text(told.ticket), hash);
    assert_memory_equal(hash, list.at[0].launch_ticket_hash, SHA256_SIZE);
}

#ifdef MUSTER_FAULTS
static void killed_at_any_fault_point_it_converges(void **state)
{
    (void)state;
    static const char *const points[] = {
        "launch-before-intent:die", "launch-after-intent:die",  "launch-before-call:die",
        "launch-after-call:die",    "launch-before-commit:die", "plan-before-commit:die",
    };
    stage_fleet(3);
    for (size_t i = 0; i < countof(points); i++) {
        stage_scale(3 + (int64_t)i);
        setenv("MUSTER_FAULT", points[i], 1);
        stage_run_until_killed();
    }
    unsetenv("MUSTER_FAULT");
    stage_start();
    stage_await(booting, 8);
    assert_one_machine_a_row(8);
    assert_int_equal(fake_cloud_launches(), 8);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(killed_before_the_cloud_call_nothing_is_lost),
        STAGED(killed_after_the_cloud_call_nothing_is_doubled),
        STAGED(killed_after_ending_a_machine_its_row_ends_too),
        STAGED(killed_again_and_again_it_converges),
        STAGED(another_controller_goes_on_with_a_launch),
#ifdef MUSTER_FAULTS
        STAGED(killed_at_any_fault_point_it_converges),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
