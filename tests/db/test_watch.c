/* What the watch sees: machines without rows, rows without machines, agents that fell silent.
 * Promises I2, I9 and I10 of the design. */
#include "controller/watch.h"

#include <stdio.h>
#include <string.h>

#include "db/orphan_store.h"
#include "lib/base/metrics.h"
#include "lib/crypto/random.h"
#include "tests/support/fake_cloud.h"
#include "tests/support/stage.h"
#include "tests/support/test.h"

/* ---- machines -------------------------------------------------------------------------------- */

static bool stage_orphans(int64_t wanted)
{
    return metric_get(METRIC_ORPHANS) == wanted;
}

static void a_machine_that_vanished_is_replaced(void **state)
{
    (void)state;
    stage_start();
    stage_fleet(2);
    stage_await(booting, 2);
    fake_cloud_break(0);
    stage_await(terminated, 1);
    stage_await(booting, 2);
    assert_one_machine_a_row(2);
}

static void a_machine_whose_row_is_over_is_ended(void **state)
{
    (void)state;
    stage_start();
    stage_fleet(1);
    stage_await(booting, 1);
    stage_scale(0);
    stage_await(terminated, 1);
    OWNED(instance_list_done) struct instance_list list = stage_rows("terminated", true);
    fake_cloud_plant(&list.at[0].id, list.at[0].client_token);
    stage_await(machines, 0);
}

/* Of another order for that row. */
static int plant_other(const struct instance *row)
{
    char token[CLIENT_TOKEN_SIZE];
    instance_client_token(&row->id, row->attempt + 1, token);
    return fake_cloud_plant(&row->id, token);
}

static void a_second_machine_for_one_row_is_ended_and_the_first_stays(void **state)
{
    (void)state;
    stage_start();
    stage_fleet(1);
    stage_await(booting, 1);
    OWNED(instance_list_done) struct instance_list list = stage_rows("booting", false);
    plant_other(&list.at[0]);
    assert_int_equal(fake_cloud_launches(), 2);
    stage_await(machines, 1);
    assert_one_machine_a_row(1);
}

/* Whoever may write tags may put ours on any machine; what launched it nobody can write. */
static void a_machine_that_we_did_not_launch_is_not_ended_by_its_tags(void **state)
{
    (void)state;
    stage_start();
    stage_fleet(2);
    stage_await(booting, 2);
    stage_scale(1);
    stage_await(terminated, 1);
    OWNED(instance_list_done) struct instance_list over = stage_rows("terminated", true);
    OWNED(instance_list_done) struct instance_list alive = stage_rows("booting", false);
    fake_cloud_plant(&over.at[0].id, "somebody's own");
    fake_cloud_plant(&alive.at[0].id, "");
    stage_await(orphans, 2);
    assert_int_equal(fake_cloud_machines(), 3);
}

/* An order that came late, of a controller that stood still: its row waits for room meanwhile, and
 * looks for another one. */
static void a_machine_of_an_earlier_order_is_ended_while_its_row_waits(void **state)
{
    (void)state;
    struct error err = {0};
    char token[CLIENT_TOKEN_SIZE];
    fake_cloud_fill("cloud", CLOUD_CAPACITY, 0);
    stage_start();
    stage_fleet(1);
    stage_await(failed, 1);
    OWNED(instance_list_done) struct instance_list list = stage_rows("failed", false);
    assert_ok(db_script(stage.db, "UPDATE instances SET attempt = attempt + 1", &err));
    instance_client_token(&list.at[0].id, list.at[0].attempt, token);
    const int number = fake_cloud_plant(&list.at[0].id, token);
    fake_cloud_machine(number)->seen.generation = list.at[0].attempt;
    stage_await(machines, 0);
}

/* Whoever copies a machine in its cloud's console copies its tags too: that is no second launch. */
static void a_machine_with_copied_tags_is_shown_and_left_alone(void **state)
{
    (void)state;
    stage_start();
    stage_fleet(1);
    stage_await(booting, 1);
    OWNED(instance_list_done) struct instance_list list = stage_rows("booting", false);
    stage_stop();
    const int number = fake_cloud_plant(&list.at[0].id, list.at[0].client_token);
    fake_cloud_machine(number)->seen.is_copy = true;
    stage_start();
    stage_await(orphans, 1);
    assert_int_equal(fake_cloud_machines(), 2);
    stage_scale(0);
    stage_await(terminated, 1);
    stage_await(machines, 1);
    stage_await(orphans, 1);
    assert_int_equal(fake_cloud_machine(number)->seen.state, MACHINE_RUNNING);
}

/* Not ours to end: somebody else's Muster may share the account. */
static void a_machine_without_a_row_is_shown_and_left_alone(void **state)
{
    (void)state;
    struct uuid stranger = uuid_new();
    fake_cloud_plant(&stranger, "stranger");
    stage_start();
    stage_await(orphans, 1);
    assert_int_equal(fake_cloud_machines(), 1);
}

static enum outcome no_driver(const struct account *account, const struct driver **out,
                              struct error *err)
{
    (void)account;
    (void)out;
    return fail_code(err, ERR_UNREACHABLE, "told-to", "told to");
}

static void looks(struct worker *watch, int64_t orphans, int64_t told)
{
    struct error err = {0};
    struct watch_counts counts;
    assert_ok(watch_clouds(watch, &counts, &err));
    assert_int_equal(counts.orphans, orphans);
    assert_int_equal(counts.told, told);
    assert_int_equal(metric_get(METRIC_ORPHANS), orphans);
}

static void an_orphan_is_told_of_once_until_it_changes(void **state)
{
    (void)state;
    struct uuid stranger = uuid_new();
    struct crew crew = {.settings = &stage.settings};
    struct worker watch = {.crew = &crew,
                           .db = stage.db,
                           .clouds = {.drivers = fake_driver_of},
                           .holder = "watch:test"};
    pthread_mutex_init(&crew.lock, NULL);
    int number = fake_cloud_plant(&stranger, "stranger");
    looks(&watch, 1, 1);
    looks(&watch, 1, 0);
    fake_cloud_machine(number)->seen.state = MACHINE_STOPPED;
    looks(&watch, 1, 1);
    looks(&watch, 1, 0);
    /* What cannot be looked at has not gone away. */
    clouds_done(&watch.clouds);
    watch.clouds.drivers = no_driver;
    looks(&watch, 1, 0);
    watch.clouds.drivers = fake_driver_of;
    fake_cloud_break(number);
    looks(&watch, 0, 0);
    clouds_done(&watch.clouds);
    orphans_done(&watch.orphans);
    pthread_mutex_destroy(&crew.lock);
}

static int64_t ends(struct worker *watch)
{
    struct error err = {0};
    struct watch_counts counts;
    assert_ok(watch_clouds(watch, &counts, &err));
    return counts.ended + counts.vanished;
}

/* One look of a watch of our own, while nobody else is at work. */
static int64_t look_alone(void)
{
    struct crew crew = {.settings = &stage.settings};
    struct worker watch = {.crew = &crew,
                           .db = stage.db,
                           .clouds = {.drivers = fake_driver_of},
                           .holder = "watch:test"};
    pthread_mutex_init(&crew.lock, NULL);
    const int64_t ended = ends(&watch);
    clouds_done(&watch.clouds);
    orphans_done(&watch.orphans);
    pthread_mutex_destroy(&crew.lock);
    return ended;
}

/* A list may still lack it, whatever our clock says of its age. */
static void a_clock_that_is_ahead_makes_no_machine_old(void **state)
{
    (void)state;
    stage_start();
    stage_fleet(1);
    stage_await(booting, 1);
    stage_stop();
    fake_cloud_hide(true);
    clock_freeze(moment_add_seconds(clock_now(), 3600));
    const int64_t ended = look_alone();
    clock_thaw();
    assert_int_equal(ended, 0);
    assert_true(stage_booting(1));
}

/* Only what its worker asks after says whether it was for want of room. */
static void a_machine_that_is_gone_before_its_launch_is_over_is_left_to_its_worker(void **state)
{
    (void)state;
    fake_cloud_operations(1000, NULL);
    stage_start();
    stage_fleet(1);
    stage_await(booting, 1);
    stage_stop();
    fake_cloud_break(0);
    assert_int_equal(look_alone(), 0);
    assert_true(stage_booting(1));
}

/* Its worker is quicker now and then: what the watch concludes for one row is no reason to leave
 * off looking at the others. */
static void a_row_that_went_on_meanwhile_ends_no_look(void **state)
{
    (void)state;
    struct error err = {0};
    struct uuid stranger = uuid_new();
    struct crew crew = {.settings = &stage.settings};
    struct worker watch = {.crew = &crew,
                           .db = stage.db,
                           .clouds = {.drivers = fake_driver_of},
                           .holder = "watch:test"};
    pthread_mutex_init(&crew.lock, NULL);
    stage_start();
    stage_fleet(1);
    stage_await(booting, 1);
    stage_stop();
    /* No step leads from here to where the watch would have it, as when its worker went on. */
    assert_ok(db_script(stage.db,
                        "UPDATE instances SET phase = 'requested', launched_at = launched_at"
                        " - interval '1 hour'",
                        &err));
    fake_cloud_break(0);
    fake_cloud_plant(&stranger, "stranger");
    looks(&watch, 1, 1);
    clouds_done(&watch.clouds);
    orphans_done(&watch.orphans);
    pthread_mutex_destroy(&crew.lock);
}

static bool stage_settled(int64_t wanted)
{
    OWNED(instance_list_done) struct instance_list list = stage_rows("booting", false);
    int64_t count = 0;
    for (size_t i = 0; i < list.count; i++)
        count += !moment_is_none(list.at[i].settled_at);
    return count == wanted;
}

/* "Not found" says that it is gone from then on. */
static void a_machine_is_settled_when_its_cloud_lists_it(void **state)
{
    (void)state;
    fake_cloud_hide(true);
    stage_start();
    stage_fleet(2);
    stage_await(booting, 2);
    assert_true(stage_settled(0));
    fake_cloud_hide(false);
    stage_await(settled, 2);
}

/* While its row's own machine is not listed this is no second one; it may be the first, under
 * another name. */
static void a_machine_that_was_given_another_name_goes_on(void **state)
{
    (void)state;
    stage_start();
    stage_fleet(1);
    stage_await(booting, 1);
    stage_stop();
    struct crew crew = {.settings = &stage.settings};
    struct worker watch = {.crew = &crew,
                           .db = stage.db,
                           .clouds = {.drivers = fake_driver_of},
                           .holder = "watch:test"};
    pthread_mutex_init(&crew.lock, NULL);
    struct sighting *seen = &fake_cloud_machine(0)->seen;
    snprintf(seen->ref, sizeof seen->ref, "i-renamed");
    assert_int_equal(ends(&watch), 0);
    seen->is_copy = true;
    assert_int_equal(ends(&watch), 0);
    assert_int_equal(metric_get(METRIC_ORPHANS), 0);
    assert_int_equal(fake_cloud_machines(), 1);
    clouds_done(&watch.clouds);
    orphans_done(&watch.orphans);
    pthread_mutex_destroy(&crew.lock);
}

/* Its row went on to another account after an answer that was lost. */
static void move_rows_east(void)
{
    struct error err = {0};
    assert_ok(db_script(stage.db,
                        "INSERT INTO accounts (id, project, name, driver, spec) "
                        "SELECT gen_random_uuid(), project, 'east', driver, "
                        "jsonb_set(spec, '{name}', '\"east\"') FROM accounts;"
                        "UPDATE instances SET account = 'east'",
                        &err));
}

/* Whose account that is may be anybody: its rows would end what they have by that name. */
static void a_machine_in_another_account_is_not_its_rows(void **state)
{
    (void)state;
    struct error err = {0};
    stage_start();
    stage_fleet(1);
    stage_await(booting, 1);
    stage_stop();
    move_rows_east();
    assert_ok(db_script(stage.db,
                        "UPDATE instances SET wanted = 'gone', phase = 'terminating', "
                        "cloud_ref = NULL",
                        &err));
    look_alone();
    OWNED(instance_list_done) struct instance_list list = stage_rows("terminating", false);
    assert_string_equal(list.at[0].cloud_ref, "");
}

static void a_machine_whose_row_is_in_another_account_is_ended(void **state)
{
    (void)state;
    stage_start();
    stage_fleet(1);
    stage_await(booting, 1);
    OWNED(instance_list_done) struct instance_list list = stage_rows("booting", false);
    move_rows_east();
    snprintf(fake_cloud_machine(0)->account, sizeof fake_cloud_machine(0)->account, "east");
    plant_other(&list.at[0]);
    stage_await(machines, 1);
    assert_int_equal(fake_cloud_machine(0)->seen.state, MACHINE_RUNNING);
}

/* Workers and planner drive every project, so the watch must look at every project. */
static void a_machine_of_another_project_that_vanished_is_noticed(void **state)
{
    (void)state;
    struct error err = {0};
    stage_start();
    stage_fleet(1);
    stage_await(booting, 1);
    stage_stop();
    OWNED(instance_list_done) struct instance_list list = stage_rows("booting", false);
    assert_ok(
        db_script(stage.db,
                  "INSERT INTO projects (name) VALUES ('other') ON CONFLICT DO NOTHING;"
                  "DELETE FROM fleets; UPDATE accounts SET project = 'other';"
                  "UPDATE instances SET project = 'other', next_due = now() + interval '1 year'",
                  &err));
    fake_cloud_break(0);
    struct watch_counts counts;
    struct crew crew = {.settings = &stage.settings};
    struct worker watch = {.crew = &crew,
                           .db = stage.db,
                           .clouds = {.drivers = fake_driver_of},
                           .holder = "watch:test"};
    pthread_mutex_init(&crew.lock, NULL);
    assert_ok(watch_clouds(&watch, &counts, &err));
    assert_int_equal(counts.vanished, 1);
    struct instance row = {0};
    assert_ok(instance_store_find(stage.db, &list.at[0].id, &row, &err));
    assert_int_equal(row.phase, PHASE_TERMINATED);
    clouds_done(&watch.clouds);
    orphans_done(&watch.orphans);
    pthread_mutex_destroy(&crew.lock);
}

/* ---- silence --------------------------------------------------------------------------------- */

/* Machines whose agents spoke an hour ago and not since. */
static void silent_machines(int64_t wanted)
{
    struct error err = {0};
    stage_start();
    stage_fleet(wanted);
    stage_await(booting, wanted);
    stage_stop();
    OWNED(instance_list_done) struct instance_list list = stage_rows("booting", false);
    const struct instance_step hello = {.event = EVENT_HELLO};
    for (size_t i = 0; i < list.count; i++)
        assert_ok(
            instance_store_note(stage.db, &list.at[i].id, &hello, "controller:test", NULL, &err));
    assert_ok(
        db_script(stage.db, "UPDATE instances SET phase_since = now() - interval '1 hour'", &err));
}

/* The clock's next rounds in a controller that has been up for an hour. */
static void rounds_of_an_old_controller(void)
{
    struct error err = {0};
    int64_t now = clock_monotonic_ms();
    struct crew crew = {.settings = &stage.settings,
                        .hearing = {.since_ms = now - 3600 * 1000, .last_ms = now}};
    struct worker clock = {.crew = &crew, .db = stage.db, .holder = "clock:test"};
    assert_ok(watch_time(&clock, &err));
    alarms_done(&crew.alarms);
}

/* After an outage of ours every agent is silent; a fleet must not be replaced for that. */
static void an_outage_of_ours_is_not_their_silence(void **state)
{
    (void)state;
    silent_machines(2);
    stage_start();
    stage_scale(3);
    stage_await(booting, 1); /* so the new controller has had its rounds */
    assert_true(stage_running(2));
    assert_int_equal(fake_cloud_launches(), 3);
}

static void an_agent_that_stays_silent_is_given_up(void **state)
{
    (void)state;
    silent_machines(2);
    rounds_of_an_old_controller();
    OWNED(instance_list_done) struct instance_list list = stage_rows("failed", false);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.at[0].reason, "agent-silent");
}

/* Its last heartbeat is of before it was given up, and its first is still to come. */
static void an_agent_that_has_just_come_back_is_not_given_up_for_its_past(void **state)
{
    (void)state;
    struct error err = {0};
    silent_machines(2);
    assert_ok(db_script(stage.db,
                        "INSERT INTO heartbeats (instance, last_seen, seq, load)"
                        " SELECT id, now() - interval '1 hour', 1, 0 FROM instances;"
                        "UPDATE instances SET phase_since = now() WHERE id = (SELECT "
                        "min(id::text)::uuid FROM instances)",
                        &err));
    rounds_of_an_old_controller();
    assert_int_equal(stage_count("running"), 1);
    assert_int_equal(stage_count("failed"), 1);
}

static void many_that_fall_silent_together_are_held(void **state)
{
    (void)state;
    silent_machines(5);
    rounds_of_an_old_controller();
    assert_true(stage_running(5));
}

static struct orphan_row_list orphans_stored(void)
{
    struct error err = {0};
    struct orphan_row_list list = {0};
    assert_ok(orphan_store_list(stage.db, PROJECT_DEFAULT, 10, &list, &err));
    return list;
}

static bool stage_stored(int64_t wanted)
{
    OWNED(orphan_row_list_done) struct orphan_row_list list = orphans_stored();
    return (int64_t)list.count == wanted;
}

static bool stage_begun(int64_t wanted)
{
    OWNED(orphan_row_list_done) struct orphan_row_list list = orphans_stored();
    return (int64_t)list.count == wanted && list.at[0].removal == REMOVAL_BEGUN;
}

static void an_orphan_is_stored_and_removed_by_hand_only(void **state)
{
    (void)state;
    struct error err = {0};
    struct uuid stranger = uuid_new();
    struct orphan_row asked;
    stage_start();
    fake_cloud_plant(&stranger, "a-token");
    stage_await(stored, 1);
    assert_int_equal(fake_cloud_machines(), 1);
    OWNED(orphan_row_list_done) struct orphan_row_list list = orphans_stored();
    const struct uuid id = list.at[0].id;
    assert_string_equal(list.at[0].owner, "test");
    assert_int_equal(list.at[0].removal, REMOVAL_NONE);
    assert_int_equal(
        orphan_store_ask(stage.db, PROJECT_DEFAULT, &id, "i-other", "token:ops", &asked, &err),
        ERR_CONFLICT);
    assert_ok(orphan_store_ask(stage.db, PROJECT_DEFAULT, &id, list.at[0].ref, "token:ops", &asked,
                               &err));
    stage_await(machines, 0);
    stage_await(begun, 1);
    assert_ok(
        db_script(stage.db, "UPDATE orphans SET last_seen = last_seen - interval '1 hour'", &err));
    stage_await(stored, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(a_machine_that_vanished_is_replaced),
        STAGED(a_machine_whose_row_is_over_is_ended),
        STAGED(a_second_machine_for_one_row_is_ended_and_the_first_stays),
        STAGED(a_machine_that_we_did_not_launch_is_not_ended_by_its_tags),
        STAGED(a_machine_of_an_earlier_order_is_ended_while_its_row_waits),
        STAGED(a_machine_with_copied_tags_is_shown_and_left_alone),
        STAGED(a_machine_without_a_row_is_shown_and_left_alone),
        STAGED(an_orphan_is_told_of_once_until_it_changes),
        STAGED(a_clock_that_is_ahead_makes_no_machine_old),
        STAGED(a_machine_that_is_gone_before_its_launch_is_over_is_left_to_its_worker),
        STAGED(a_row_that_went_on_meanwhile_ends_no_look),
        STAGED(a_machine_is_settled_when_its_cloud_lists_it),
        STAGED(a_machine_that_was_given_another_name_goes_on),
        STAGED(a_machine_in_another_account_is_not_its_rows),
        STAGED(a_machine_whose_row_is_in_another_account_is_ended),
        STAGED(a_machine_of_another_project_that_vanished_is_noticed),
        STAGED(an_outage_of_ours_is_not_their_silence),
        STAGED(an_agent_that_stays_silent_is_given_up),
        STAGED(an_agent_that_has_just_come_back_is_not_given_up_for_its_past),
        STAGED(many_that_fall_silent_together_are_held),
        STAGED(an_orphan_is_stored_and_removed_by_hand_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
