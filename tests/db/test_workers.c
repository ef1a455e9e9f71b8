/* The workers on a real PostgreSQL and a cloud in shared memory. R: exactly-once cloud actions;
 * promises I1, I2, I5 and I10 of the design. */
#include "controller/worker.h"

#include <string.h>

#include "agent/userdata.h"
#include "db/audit_store.h"
#include "db/fleet_store.h"
#include "tests/support/fake_cloud.h"
#include "tests/support/stage.h"
#include "tests/support/test.h"

static bool stage_fleets(int64_t wanted)
{
    struct error err = {0};
    OWNED(fleet_list_done) struct fleet_list list = {0};
    assert_ok(fleet_store_list(stage.db, PROJECT_DEFAULT, NULL, 10, &list, &err));
    return (int64_t)list.count == wanted;
}

/* ---- launching ------------------------------------------------------------------------------- */

static void a_fleet_gets_as_many_machines_as_it_wants(void **state)
{
    (void)state;
    stage_start();
    stage_fleet(5);
    stage_await(booting, 5);
    assert_one_machine_a_row(5);
    assert_int_equal(fake_cloud_calls(), 5);
}

static void a_machine_is_told_who_it_is_and_the_row_keeps_its_tickets_hash(void **state)
{
    (void)state;
    struct error err = {0};
    stage_start();
    stage_fleet(1);
    stage_await(booting, 1);
    OWNED(userdata_done) struct userdata told = {0};
    OWNED(instance_list_done) struct instance_list list = stage_rows("booting", false);
    assert_ok(userdata_parse(span_of_text(fake_cloud_machine(0)->user_data), &told, &err));
    assert_true(uuid_equal(&told.instance, &list.at[0].id));
    assert_string_equal(told.controllers[0], "tls+tcp://127.0.0.1:4711");
    uint8_t hash[SHA256_SIZE];
    digest(DIGEST_SHA256, span_of_text(told.ticket), hash);
    assert_memory_equal(hash, list.at[0].launch_ticket_hash, SHA256_SIZE);
}

static void a_fleet_of_parents_orders_enclaves_and_no_sev_snp(void **state)
{
    (void)state;
    struct error err = {0};
    stage_fleet(1);
    assert_ok(db_script(stage.db, "UPDATE fleets SET features = '[\"enclaves\"]'", &err));
    stage_start();
    stage_await(booting, 1);
    assert_true(fake_cloud_machine(0)->enclaves);
    assert_true(fake_cloud_machine(0)->no_snp);
}

static void a_smaller_fleet_gives_machines_back(void **state)
{
    (void)state;
    stage_start();
    stage_fleet(4);
    stage_await(booting, 4);
    stage_scale(1);
    stage_await(terminated, 3);
    assert_one_machine_a_row(1);
}

static void a_removed_fleet_leaves_nothing(void **state)
{
    (void)state;
    struct error err = {0};
    stage_start();
    stage_fleet(3);
    stage_await(booting, 3);
    assert_ok(fleet_store_remove(stage.db, PROJECT_DEFAULT, "web", 0, "token:test", &err));
    stage_await(terminated, 3);
    stage_await(machines, 0);
    stage_await(fleets, 0);
}

/* ---- ending ---------------------------------------------------------------------------------- */

/* A row that is ending and that its worker gave back, to look again later. */
static bool stage_put_off(int64_t wanted)
{
    OWNED(instance_list_done) struct instance_list list = stage_rows("terminating", false);
    int64_t count = 0;
    for (size_t i = 0; i < list.count; i++)
        count += list.at[i].lease_holder[0] == '\0' &&
                 moment_seconds_between(clock_now(), list.at[i].next_due) > 0;
    return count == wanted;
}

static void end_with_a_lost_order(void)
{
    stage_start();
    stage_fleet(1);
    stage_await(booting, 1);
    fake_cloud_mischief(MISCHIEF_LOSE_END, 0, 1);
    stage_scale(0);
    stage_await(put_off, 1);
}

static void hasten(void)
{
    struct error err = {0};
    assert_ok(db_script(stage.db,
                        "UPDATE instances SET next_due = clock_timestamp();"
                        " SELECT pg_notify('muster_work', '')",
                        &err));
}

static void an_order_to_end_that_was_lost_is_repeated_in_seconds(void **state)
{
    (void)state;
    end_with_a_lost_order();
    OWNED(instance_list_done) struct instance_list list = stage_rows("terminating", false);
    assert_true(moment_seconds_between(clock_now(), list.at[0].next_due) <= 5);
    assert_int_equal(fake_cloud_machines(), 1);
    hasten();
    stage_await(terminated, 1);
    assert_int_equal(fake_cloud_machines(), 0);
}

/* A look says as little as the lost answer did: only what answers to the order is believed. */
static void a_machine_that_is_not_shown_after_a_lost_order_is_not_gone(void **state)
{
    (void)state;
    fake_cloud_hide(true);
    end_with_a_lost_order();
    fake_cloud_hide(false);
    hasten();
    stage_await(terminated, 1);
    assert_int_equal(fake_cloud_machines(), 0);
}

/* ---- when our clock is wrong ----------------------------------------------------------------- */

enum { CLOCK_AHEAD_SECONDS = 3600 };

/* Looked at again, and put off: by the database's clock. */
static bool was_looked_at(const char *phase)
{
    OWNED(instance_list_done) struct instance_list list = stage_rows(phase, true);
    const struct moment now = moment_add_seconds(clock_now(), -CLOCK_AHEAD_SECONDS);
    return list.count == 1 && list.at[0].lease_holder[0] == '\0' &&
           moment_seconds_between(now, list.at[0].next_due) > 0;
}

static void work_an_hour_ahead(const char *phase)
{
    struct error err = {0};
    bool woken;
    clock_freeze(moment_add_seconds(clock_now(), CLOCK_AHEAD_SECONDS));
    hasten();
    stage_start();
    for (int i = 0; i < 100 && !was_looked_at(phase); i++)
        assert_ok(db_wait(stage.db, 20, &woken, &err));
    clock_thaw();
    stage_stop();
}

/* Else each would be ended before its agent could speak, and paid for again. */
static void a_clock_that_is_ahead_ends_no_boot(void **state)
{
    (void)state;
    stage_start();
    stage_fleet(1);
    stage_await(booting, 1);
    stage_stop();
    work_an_hour_ahead("booting");
    assert_int_equal(stage_count("booting"), 1);
    assert_int_equal(fake_cloud_launches(), 1);
}

static void a_clock_that_is_ahead_makes_not_yet_no_never(void **state)
{
    (void)state;
    stage_start();
    stage_fleet(1);
    stage_await(booting, 1);
    stage_stop();
    struct error err = {0};
    assert_ok(db_script(stage.db,
                        "UPDATE instances SET wanted = 'gone', settled_at = NULL;"
                        " UPDATE fleets SET desired = 0",
                        &err));
    fake_cloud_hide(true);
    work_an_hour_ahead("terminating");
    fake_cloud_hide(false);
    assert_int_equal(stage_count("terminating"), 1);
}

static void a_clock_that_is_ahead_gives_up_no_launch_that_nobody_saw(void **state)
{
    (void)state;
    struct error err = {0};
    fake_cloud_hide(true);
    fake_cloud_mischief(MISCHIEF_LOSE_ANSWER, 0, 1);
    stage_start();
    stage_fleet(1);
    stage_await(machines, 1);
    stage_stop();
    assert_ok(db_script(
        stage.db, "UPDATE instances SET wanted = 'gone'; UPDATE fleets SET desired = 0", &err));
    work_an_hour_ahead("terminating");
    fake_cloud_hide(false);
    assert_int_equal(stage_count("terminating"), 1);
}

/* ---- when the cloud is difficult ------------------------------------------------------------- */

static void a_launch_whose_answer_was_lost_is_found_and_not_repeated(void **state)
{
    (void)state;
    fake_cloud_mischief(MISCHIEF_LOSE_ANSWER, 0, 1);
    stage_start();
    stage_fleet(1);
    stage_await(booting, 1);
    assert_one_machine_a_row(1);
    assert_int_equal(fake_cloud_calls(), 1);
}

static void a_launch_that_never_arrived_is_repeated_under_the_same_token(void **state)
{
    (void)state;
    fake_cloud_mischief(MISCHIEF_LOSE_ORDER, 0, 1);
    stage_start();
    stage_fleet(1);
    stage_await(booting, 1);
    assert_one_machine_a_row(1);
    OWNED(instance_list_done) struct instance_list list = stage_rows("booting", false);
    assert_int_equal(list.at[0].attempt, 1);
    assert_int_equal(fake_cloud_calls(), 2);
}

static void a_throttled_launch_is_tried_again_later(void **state)
{
    (void)state;
    fake_cloud_mischief(MISCHIEF_REFUSE, CLOUD_THROTTLE, 2);
    stage_start();
    stage_fleet(1);
    stage_await(booting, 1);
    assert_one_machine_a_row(1);
    OWNED(instance_list_done) struct instance_list list = stage_rows("booting", false);
    assert_int_equal(list.at[0].attempt, 1);
}

static void a_refused_launch_says_why_and_is_tried_again_with_a_new_token(void **state)
{
    (void)state;
    struct error err = {0};
    fake_cloud_mischief(MISCHIEF_REFUSE, CLOUD_QUOTA, 1);
    stage_start();
    stage_fleet(1);
    stage_await(failed, 1);
    OWNED(instance_list_done) struct instance_list list = stage_rows("failed", false);
    if (list.count == 1)
        assert_string_equal(list.at[0].reason, "quota");
    assert_ok(db_script(stage.db, "UPDATE place_closures SET until = clock_timestamp()", &err));
    stage_await(booting, 1);
    OWNED(instance_list_done) struct instance_list later = stage_rows("booting", false);
    assert_int_equal(later.at[0].attempt, 2);
    assert_one_machine_a_row(1);
}

static bool stage_calls(int64_t wanted)
{
    return fake_cloud_calls() >= wanted;
}

static bool stage_terminating(int64_t wanted)
{
    return stage_count("terminating") == wanted;
}

/* The first order goes wrong in one way, the next is refused for `then`. */
static void launch_and_refuse(enum mischief first, enum cloud_error kind, enum cloud_error then)
{
    fake_cloud_mischief(first, kind, 1);
    stage_start();
    stage_fleet(1);
    stage_await(calls, 1);
    fake_cloud_mischief(MISCHIEF_REFUSE, then, 1);
    stage_await(calls, 2);
}

/* The refusal is of the second order: of the first it says nothing. */
static void a_refusal_after_a_lost_answer_leaves_no_machine_behind(void **state)
{
    (void)state;
    struct error err = {0};
    fake_cloud_hide(true);
    launch_and_refuse(MISCHIEF_LOSE_ANSWER, 0, CLOUD_QUOTA);
    stage_await(terminating, 1);
    assert_int_equal(fake_cloud_machines(), 1);
    fake_cloud_hide(false);
    stage_await(machines, 0);
    stage_await(terminated, 1);
    assert_ok(db_script(stage.db, "UPDATE place_closures SET until = clock_timestamp()", &err));
    stage_await(booting, 1);
    assert_one_machine_a_row(1);
}

static void a_row_that_can_be_ordered_no_more_is_looked_for_before_it_is_given_up(void **state)
{
    (void)state;
    struct error err = {0};
    fake_cloud_hide(true);
    fake_cloud_mischief(MISCHIEF_LOSE_ANSWER, 0, 1);
    stage_start();
    stage_fleet(1);
    stage_await(calls, 1);
    assert_ok(db_script(stage.db, "UPDATE images SET driver = 'azure'", &err));
    stage_await(terminating, 1);
    fake_cloud_hide(false);
    stage_await(machines, 0);
}

/* What was certain of the first order is not of the second. */
static void a_refusal_after_a_throttle_and_a_lost_answer_leaves_no_machine_either(void **state)
{
    (void)state;
    fake_cloud_hide(true);
    fake_cloud_mischief(MISCHIEF_REFUSE, CLOUD_THROTTLE, 1);
    stage_start();
    stage_fleet(1);
    stage_await(calls, 1);
    fake_cloud_mischief(MISCHIEF_LOSE_ANSWER, 0, 1);
    stage_await(calls, 2);
    fake_cloud_mischief(MISCHIEF_REFUSE, CLOUD_QUOTA, 1);
    stage_await(calls, 3);
    stage_await(terminating, 1);
    fake_cloud_hide(false);
    stage_await(machines, 0);
}

/* A throttled order was not taken: nothing need be looked for. */
static void a_refusal_after_a_throttle_fails_the_row_at_once(void **state)
{
    (void)state;
    launch_and_refuse(MISCHIEF_REFUSE, CLOUD_THROTTLE, CLOUD_QUOTA);
    stage_await(failed, 1);
    OWNED(instance_list_done) struct instance_list list = stage_rows("failed", false);
    assert_int_equal(list.at[0].attempt, 1);
}

static void resize(const char *size)
{
    struct error err = {0};
    OWNED(fleet_done) struct fleet fleet = {0};
    OWNED(fleet_done) struct fleet now = {0};
    assert_ok(fleet_store_find(stage.db, PROJECT_DEFAULT, "web", &fleet, &err));
    strcpy(fleet.size, size);
    assert_ok(fleet_store_update(stage.db, PROJECT_DEFAULT, &fleet, 0, "token:test", &now, &err));
}

/* Else a mistake in a fleet's size or image would stay with its rows for ever. */
static void a_failed_launch_is_tried_again_as_the_fleet_is_now(void **state)
{
    (void)state;
    fake_cloud_mischief(MISCHIEF_REFUSE, CLOUD_INVALID, 1);
    stage_start();
    stage_fleet(1);
    stage_await(failed, 1);
    resize("m6a.xlarge");
    stage_await(booting, 1);
    OWNED(instance_list_done) struct instance_list list = stage_rows("booting", false);
    assert_int_equal(list.at[0].attempt, 2);
    assert_string_equal(list.at[0].size, "m6a.xlarge");
}

/* ---- many ------------------------------------------------------------------------------------ */

static void two_controllers_never_launch_for_the_same_row(void **state)
{
    (void)state;
    struct error err = {0};
    struct workers *other = NULL;
    stage_start();
    assert_ok(workers_start_with(&stage.settings, fake_driver_of, &other, &err));
    stage_fleet(40);
    stage_await(booting, 40);
    assert_one_machine_a_row(40);
    assert_int_equal(fake_cloud_calls(), 40);
    assert_true(workers_stop(other, STAGE_STOP_MS));
}

static void what_happened_is_in_the_chain(void **state)
{
    (void)state;
    struct error err = {0};
    int64_t checked = 0;
    stage_start();
    stage_fleet(2);
    stage_await(booting, 2);
    stage_stop();
    int64_t sealed = 0;
    assert_ok(audit_store_seal(stage.db, &sealed, &err));
    assert_ok(audit_store_verify(stage.db, &checked, &err));
    assert_true(checked >= 6);
}

static void stopping_takes_no_longer_than_a_round(void **state)
{
    (void)state;
    stage_start();
    int64_t from = clock_monotonic_ms();
    stage_stop();
    assert_true(clock_monotonic_ms() - from < 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(a_fleet_gets_as_many_machines_as_it_wants),
        STAGED(a_machine_is_told_who_it_is_and_the_row_keeps_its_tickets_hash),
        STAGED(a_fleet_of_parents_orders_enclaves_and_no_sev_snp),
        STAGED(a_smaller_fleet_gives_machines_back),
        STAGED(a_removed_fleet_leaves_nothing),
        STAGED(a_clock_that_is_ahead_ends_no_boot),
        STAGED(a_clock_that_is_ahead_makes_not_yet_no_never),
        STAGED(a_clock_that_is_ahead_gives_up_no_launch_that_nobody_saw),
        STAGED(an_order_to_end_that_was_lost_is_repeated_in_seconds),
        STAGED(a_machine_that_is_not_shown_after_a_lost_order_is_not_gone),
        STAGED(a_launch_whose_answer_was_lost_is_found_and_not_repeated),
        STAGED(a_launch_that_never_arrived_is_repeated_under_the_same_token),
        STAGED(a_throttled_launch_is_tried_again_later),
        STAGED(a_refused_launch_says_why_and_is_tried_again_with_a_new_token),
        STAGED(a_refusal_after_a_lost_answer_leaves_no_machine_behind),
        STAGED(a_row_that_can_be_ordered_no_more_is_looked_for_before_it_is_given_up),
        STAGED(a_refusal_after_a_throttle_and_a_lost_answer_leaves_no_machine_either),
        STAGED(a_refusal_after_a_throttle_fails_the_row_at_once),
        STAGED(a_failed_launch_is_tried_again_as_the_fleet_is_now),
        STAGED(two_controllers_never_launch_for_the_same_row),
        STAGED(what_happened_is_in_the_chain),
        STAGED(stopping_takes_no_longer_than_a_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
