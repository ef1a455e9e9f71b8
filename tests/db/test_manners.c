/* Calls to clouds are few and none goes out of turn: the workers and the watch, on a real
 * PostgreSQL. */
#include "drivers/manners.h"

#include <stdio.h>
#include <string.h>

#include "controller/tick.h"
#include "lib/base/metrics.h"
#include "lib/crypto/random.h"
#include "tests/support/fake_cloud.h"
#include "tests/support/sim_ec2.h"
#include "tests/support/stage.h"
#include "tests/support/test.h"

/* ---- waiting for a turn ---------------------------------------------------------------------- */

static bool stage_asked(int64_t wanted)
{
    return fake_cloud_turns() >= wanted;
}

/* A row that has no turn is neither held nor failed, and nothing of its launch is written down. */
static void a_row_without_a_turn_is_put_off_as_it_is(void **state)
{
    (void)state;
    fake_cloud_turn_ms(3, 3600 * 1000);
    stage_start();
    stage_fleet(8);
    stage_await(booting, 3);
    stage_await(asked, 8);
    stage_stop(); /* and every row was given back */
    OWNED(instance_list_done) struct instance_list list = stage_rows("requested", false);
    assert_int_equal(list.count, 5);
    for (size_t i = 0; i < list.count; i++) {
        assert_int_equal(list.at[i].failures, 0);
        assert_string_equal(list.at[i].client_token, "");
        assert_string_equal(list.at[i].reason, "");
    }
    assert_int_equal(fake_cloud_calls(), 3);
    assert_true(fake_cloud_turns() < 12); /* not again and again */
}

static void a_row_that_was_put_off_comes_back_for_its_turn(void **state)
{
    (void)state;
    fake_cloud_turn_ms(2, 1000);
    stage_start();
    stage_fleet(4);
    stage_await(booting, 4);
    assert_one_machine_a_row(4);
    assert_int_equal(fake_cloud_calls(), 4);
}

/* ---- how many calls -------------------------------------------------------------------------- */

static struct sim_cloud *sim;

static int open_both(void **state)
{
    struct error err = {0};
    if (stage_open(state) != 0)
        return -1;
    sim = sim_ec2_open();
    char sql[512];
    snprintf(
        sql, sizeof sql,
        "UPDATE accounts SET spec = spec || '{\"endpoint\": \"%s\", \"pace_percent\": 100000}';"
        "UPDATE images SET ref = '" SIM_EC2_IMAGE "'",
        sim_ec2_account(sim)->endpoint);
    assert_ok(db_script(stage.db, sql, &err));
    return 0;
}

static int close_both(void **state)
{
    return stage_close(state) + sim_ec2_close(sim);
}

static int64_t requests(void)
{
    return metric_get(METRIC_CLOUD_REQUESTS);
}

static void launch(struct cloud *cloud, int count)
{
    struct error err = {0};
    for (int i = 0; i < count; i++) {
        struct sighting out;
        struct cloud_operation operation;
        char token[LAUNCH_TOKEN_SIZE];
        struct launch_order order = {.instance = uuid_new(),
                                     .generation = 1,
                                     .fleet = "web",
                                     .client_token = token,
                                     .image = SIM_EC2_IMAGE,
                                     .size = "m6a.large"};
        launch_token(&order.instance, 1, token);
        assert_ok(aws_driver.launch(cloud, &order, &out, &operation, &err));
    }
}

static int64_t requests_of_a_round(struct worker *watch, int64_t machines)
{
    struct error err = {0};
    struct watch_counts counts;
    const int64_t before = requests();
    assert_ok(watch_clouds(watch, &counts, &err));
    assert_int_equal(counts.machines, machines);
    return requests() - before;
}

/* One request a page, whatever the number of machines, and one of what comes to their hosts. */
static void a_look_at_a_cloud_costs_its_pages(void **state)
{
    (void)state;
    struct error err = {0};
    struct cloud *cloud = NULL;
    struct crew crew = {.settings = &stage.settings};
    struct worker watch = {
        .crew = &crew, .db = stage.db, .clouds = {.drivers = driver_of}, .holder = "watch:test"};
    pthread_mutex_init(&crew.lock, NULL);
    struct account *account = sim_ec2_account(sim);
    snprintf(account->owner, sizeof account->owner, "test");
    assert_ok(aws_driver.open(account, &cloud, &err));
    stage.settings.catalogue_seconds = 3600;
    launch(cloud, 10);
    requests_of_a_round(&watch, 10); /* and what sizes there are, which is asked seldom */
    assert_int_equal(requests_of_a_round(&watch, 10), 2);
    launch(cloud, 190);
    assert_int_equal(requests_of_a_round(&watch, 200), 2);
    sim_ec2_page(sim, 50);
    assert_int_equal(requests_of_a_round(&watch, 200), 5);
    aws_driver.close(cloud);
    clouds_done(&watch.clouds);
    orphans_done(&watch.orphans);
    pthread_mutex_destroy(&crew.lock);
}

static void start_for_real(void)
{
    struct error err = {0};
    assert_ok(workers_start_with(&stage.settings, driver_of, &stage.workers, &err));
}

/* From nothing to all launched, and from there to all gone: per thousand instances, at most 1,300
 * requests to launch them and 3,000 to end them. What the watch asks meanwhile is by the clock. */
static void a_fleet_is_launched_and_ended_with_few_calls(void **state)
{
    (void)state;
    enum { COUNT = 60 };
    stage.settings.watch_seconds = 5;
    start_for_real();
    const int64_t before = requests();
    const int64_t began_ms = clock_monotonic_ms();
    stage_fleet(COUNT);
    stage_await(booting, COUNT);
    const int64_t launched = requests();
    stage_scale(0);
    stage_await(terminated, COUNT);
    const int64_t rounds = (clock_monotonic_ms() - began_ms) / TICK_LEAST_MS + 2;
    print_message("# requests per thousand instances: %lld to launch, %lld to end\n",
                  (long long)((launched - before) * 1000 / COUNT),
                  (long long)((requests() - launched) * 1000 / COUNT));
    assert_true((launched - before - rounds) * 10 <= COUNT * 13);
    assert_true(requests() - launched - rounds <= COUNT * 3);
    assert_int_equal(sim_ec2_count(sim, "launched"), COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(a_row_without_a_turn_is_put_off_as_it_is),
        STAGED(a_row_that_was_put_off_comes_back_for_its_turn),
        cmocka_unit_test_setup_teardown(a_look_at_a_cloud_costs_its_pages, open_both, close_both),
        cmocka_unit_test_setup_teardown(a_fleet_is_launched_and_ended_with_few_calls, open_both,
                                        close_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
