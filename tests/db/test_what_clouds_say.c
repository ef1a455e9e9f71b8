/* What clouds say of our machines beyond their state: which machine stands under a name, and what
 * it booted. */
#include "controller/watch.h"

#include <string.h>

#include "db/alarm_store.h"
#include "tests/support/fake_cloud.h"
#include "tests/support/stage.h"
#include "tests/support/test.h"

static struct sighting *shown(int number)
{
    return &fake_cloud_machine(number)->seen;
}

static void show(char *field, size_t size, const char *text)
{
    memset(field, 0, size);
    memcpy(field, text, strlen(text));
}

#define SHOW(number, member, text) show(shown(number)->member, sizeof shown(number)->member, (text))

static void look(void)
{
    struct error err = {0};
    struct watch_counts counts;
    struct crew crew = {.settings = &stage.settings};
    struct worker watch = {.crew = &crew,
                           .db = stage.db,
                           .clouds = {.drivers = fake_driver_of},
                           .holder = "watch:test"};
    pthread_mutex_init(&crew.lock, NULL);
    assert_ok(watch_clouds(&watch, &counts, &err));
    clouds_done(&watch.clouds);
    orphans_done(&watch.orphans);
    pthread_mutex_destroy(&crew.lock);
}

/* One machine of fleet "web" boots; the workers have gone. */
static void one_machine(void)
{
    stage_start();
    stage_fleet(1);
    stage_await(booting, 1);
    stage_stop();
}

static struct instance row_now(void)
{
    OWNED(instance_list_done) struct instance_list list = stage_rows("booting", false);
    assert_int_equal(list.count, 1);
    return list.at[0];
}

static int64_t alarms(const char *code)
{
    struct error err = {0};
    int64_t count = 0;
    OWNED(alarm_list_done) struct alarm_list list = {0};
    assert_ok(alarm_store_list(stage.db, PROJECT_DEFAULT, "web", &list, &err));
    for (size_t i = 0; i < list.count; i++)
        count += strcmp(list.at[i].code, code) == 0;
    return count;
}

/* ---- doubts ---------------------------------------------------------------------------------- */

static void a_machines_number_is_learned_and_stays_with_its_row(void **state)
{
    (void)state;
    one_machine();
    SHOW(0, machine_id, "4711");
    look();
    assert_string_equal(row_now().machine_id, "4711");
    assert_string_equal(instance_machine(&(struct instance){.cloud_ref = "i-1"}), "i-1");
    assert_int_equal(row_now().doubt, DOUBT_NONE);
}

static void another_machine_under_the_same_name_is_told(void **state)
{
    (void)state;
    one_machine();
    SHOW(0, machine_id, "4711");
    look();
    SHOW(0, machine_id, "4712");
    look();
    const struct instance doubted = row_now();
    assert_int_equal(doubted.doubt, DOUBT_OTHER_MACHINE);
    assert_string_equal(doubted.machine_id, "4711"); /* that which was launched */
    assert_string_equal(instance_machine(&doubted), "4711");
    assert_int_equal(alarms("machine-doubted"), 1);
    look();
    assert_int_equal(moment_seconds_between(row_now().doubt_since, doubted.doubt_since), 0);
    SHOW(0, machine_id, "4711");
    look();
    assert_int_equal(row_now().doubt, DOUBT_NONE);
    assert_int_equal(alarms("machine-doubted"), 0);
}

static void retire(void)
{
    struct error err = {0};
    const struct instance row = row_now();
    stage_scale(0);
    assert_ok(instance_store_want(stage.db, &row.id, WANTED_GONE, "test", "token:test", &err));
    stage_start();
}

/* Its machine has gone, and somebody made another under its name, which has no tag of ours. */
static void another_machine_under_the_same_name_is_not_ended_in_its_place(void **state)
{
    (void)state;
    one_machine();
    SHOW(0, machine_id, "4711");
    look();
    SHOW(0, machine_id, "4712");
    look();
    assert_int_equal(row_now().doubt, DOUBT_OTHER_MACHINE);
    shown(0)->instance = (struct uuid){0};
    SHOW(0, client_token, "");
    retire();
    stage_await(terminated, 1);
    assert_int_equal(shown(0)->state, MACHINE_RUNNING);
}

static void a_doubt_that_is_over_hinders_no_ending(void **state)
{
    (void)state;
    one_machine();
    SHOW(0, machine_id, "4711");
    look();
    SHOW(0, machine_id, "4712");
    look();
    SHOW(0, machine_id, "4711");
    retire();
    stage_await(terminated, 1);
    assert_int_equal(shown(0)->state, MACHINE_GONE);
}

/* An ending that its cloud took and does not carry out, while the name becomes another's. */
static void what_is_being_ended_is_over_when_its_name_is_anothers(void **state)
{
    (void)state;
    one_machine();
    SHOW(0, machine_id, "4711");
    look();
    SHOW(0, machine_id, "4712");
    fake_cloud_keep(CLOUD_STATE_CONFLICT, 1000);
    retire();
    stage_await(terminated, 1);
}

static void another_image_than_ordered_is_told(void **state)
{
    (void)state;
    one_machine();
    assert_string_equal(row_now().image_ref, fake_cloud_machine(0)->image);
    SHOW(0, image, fake_cloud_machine(0)->image);
    look();
    assert_int_equal(row_now().doubt, DOUBT_NONE);
    SHOW(0, image, "ami-0bad");
    look();
    assert_int_equal(row_now().doubt, DOUBT_OTHER_IMAGE);
    assert_int_equal(alarms("machine-doubted"), 1);
    SHOW(0, image, "");
    look(); /* what is not said is not held against it */
    assert_int_equal(row_now().doubt, DOUBT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(a_machines_number_is_learned_and_stays_with_its_row),
        STAGED(another_machine_under_the_same_name_is_told),
        STAGED(another_machine_under_the_same_name_is_not_ended_in_its_place),
        STAGED(a_doubt_that_is_over_hinders_no_ending),
        STAGED(what_is_being_ended_is_over_when_its_name_is_anothers),
        STAGED(another_image_than_ordered_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
