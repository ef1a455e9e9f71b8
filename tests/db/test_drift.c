/* The catalogue against what a cloud says itself: compared in time, by one controller, told as an
 * alarm, and never forgotten because a cloud did not answer. */
#include "controller/drift.h"

#include <string.h>

#include "db/alarm_store.h"
#include "db/catalogue_store.h"
#include "tests/support/fake_cloud.h"
#include "tests/support/stage.h"
#include "tests/support/test.h"

static struct catalogue_look_list looks(void)
{
    struct error err = {0};
    struct catalogue_look_list list = {0};
    assert_ok(catalogue_store_looks(stage.db, PROJECT_DEFAULT, NULL, 10, &list, &err));
    return list;
}

static bool stage_looked(int64_t differences)
{
    OWNED(catalogue_look_list_done) struct catalogue_look_list list = looks();
    return list.count == 1 && !moment_is_none(list.at[0].looked) &&
           (int64_t)json_array_size(list.at[0].drift) == differences;
}

static bool stage_failed_to_ask(int64_t wanted)
{
    (void)wanted;
    OWNED(catalogue_look_list_done) struct catalogue_look_list list = looks();
    return list.count == 1 && strcmp(list.at[0].failure, "throttle") == 0;
}

static bool stage_by_seed(int64_t wanted)
{
    (void)wanted;
    OWNED(catalogue_look_list_done) struct catalogue_look_list list = looks();
    return list.count == 1 && strcmp(list.at[0].edition, "seed-2025") == 0;
}

static size_t alarms(void)
{
    struct error err = {0};
    size_t n = 0;
    OWNED(alarm_list_done) struct alarm_list list = {0};
    assert_ok(alarm_store_list(stage.db, PROJECT_DEFAULT, NULL, &list, &err));
    for (size_t i = 0; i < list.count; i++)
        n += strcmp(list.at[i].code, "catalogue-drift") == 0 &&
             strcmp(list.at[i].object, "account:cloud") == 0;
    return n;
}

/* Of the sixteen sizes fifteen are not offered. */
static void what_a_cloud_does_not_have_is_drift_and_an_alarm(void **state)
{
    (void)state;
    fake_cloud_offer("m6a.large");
    assert_int_equal(alarms(), 0);
    stage_start();
    stage_await(looked, 15);
    OWNED(catalogue_look_list_done) struct catalogue_look_list list = looks();
    assert_string_equal(list.at[0].edition, "current");
    assert_false(moment_is_none(list.at[0].drifted_since));
    assert_int_equal(alarms(), 1);
}

static void a_cloud_is_asked_once_in_a_while_whatever_the_rounds(void **state)
{
    (void)state;
    struct error err = {0};
    bool again = true;
    fake_cloud_offer("m7a.large");
    stage_start();
    stage_await(looked, 17);
    assert_ok(catalogue_store_claim_look(stage.db, PROJECT_DEFAULT, "cloud", 3600, &again, &err));
    assert_false(again);
    assert_int_equal(fake_cloud_asked(), 1);
}

/* Another edition is in force: what stands is compared with it at once. */
static void a_choice_makes_it_due(void **state)
{
    (void)state;
    struct error err = {0};
    fake_cloud_offer("m6a.large");
    stage_start();
    stage_await(looked, 15);
    assert_ok(catalogue_store_choose(stage.db, PROJECT_DEFAULT, "seed-2025", "token:test", &err));
    stage_await(by_seed, 0);
    assert_ok(catalogue_store_choose(stage.db, PROJECT_DEFAULT, "current", "token:test", &err));
}

static void a_cloud_that_does_not_answer_keeps_what_was_found(void **state)
{
    (void)state;
    struct error err = {0};
    fake_cloud_offer("m6a.large");
    stage_start();
    stage_await(looked, 15);
    fake_cloud_offer(NULL);
    assert_ok(db_script(stage.db, "UPDATE catalogue_looks SET due = clock_timestamp()", &err));
    stage_await(failed_to_ask, 0);
    assert_true(stage_looked(15));
    assert_int_equal(alarms(), 1);
}

static void an_account_that_goes_takes_its_drift_with_it(void **state)
{
    (void)state;
    struct error err = {0};
    fake_cloud_offer("m6a.large");
    stage_start();
    stage_await(looked, 15);
    stage_stop();
    assert_ok(db_script(stage.db, "DELETE FROM accounts", &err));
    assert_int_equal(alarms(), 0);
    OWNED(catalogue_look_list_done) struct catalogue_look_list list = looks();
    assert_int_equal(list.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(what_a_cloud_does_not_have_is_drift_and_an_alarm),
        STAGED(a_cloud_is_asked_once_in_a_while_whatever_the_rounds),
        STAGED(a_choice_makes_it_due),
        STAGED(a_cloud_that_does_not_answer_keeps_what_was_found),
        STAGED(an_account_that_goes_takes_its_drift_with_it),
    };
    return cmocka_run_group_tests_name("drift", tests, NULL, NULL);
}
