/* The workers on a real PostgreSQL and a cloud in shared memory. R: exactly-once cloud actions;
 * promises I1, I2, I5 and I10 of the design. */
#include "controller/watch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/userdata.h"
#include "db/account_store.h"
#include "db/audit_store.h"
#include "db/fleet_store.h"
#include "db/image_store.h"
#include "db/instance_store.h"
#include "lib/base/file.h"
#include "lib/base/metrics.h"
#include "lib/crypto/random.h"
#include "tests/support/database.h"
#include "tests/support/fake_cloud.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

enum { WAIT_MS = 30000, STOP_MS = 20000, LOOK_MS = 50 };

/* ---- the stage ---------------------------------------------------------------------------- */

struct stage {
    char *folder, *key_file, *root_file;
    struct db *db;
    struct service_settings settings;
    struct workers *workers;
};

static struct stage stage;

static void write_file(const char *path, const char *content)
{
    struct error err = {0};
    assert_ok(file_write(path, span_of_text(content), 0600, &err));
}

static void read_json(const char *text, json_t **out)
{
    struct error err = {0};
    assert_ok(json_parse(span_of_text(text), 65536, out, &err));
}

static void add_account_and_image(void)
{
    struct error err = {0};
    OWNED(json_drop) json_t *account_json = NULL;
    OWNED(json_drop) json_t *image_json = NULL;
    OWNED(account_done) struct account account = {0};
    OWNED(image_done) struct image image = {0};
    read_json("{\"name\":\"cloud\",\"driver\":\"aws\",\"region\":\"us-east-2\",\"owner\":\"test\","
              "\"credentials\":{\"source\":\"environment\"}}",
              &account_json);
    read_json("{\"name\":\"image\",\"driver\":\"aws\",\"ref\":\"ami-1\"}", &image_json);
    assert_ok(account_from_json(account_json, "", &account, &err));
    assert_ok(image_from_json(image_json, &image, &err));
    assert_ok(account_store_add(stage.db, PROJECT_DEFAULT, &account, "token:test", &err));
    assert_ok(image_store_add(stage.db, PROJECT_DEFAULT, &image, "token:test", &err));
}

static int stage_open(void **state)
{
    struct error err = {0};
    void *folder = NULL;
    (void)state;
    scratch_open(&folder);
    stage = (struct stage){.folder = folder};
    stage.key_file = scratch_path(stage.folder, "key.pem");
    stage.root_file = scratch_path(stage.folder, "root.pem");
    write_file(stage.key_file, "the controller's key");
    write_file(stage.root_file, "the root");
    stage.db = database_open();
    assert_ok(db_listen(stage.db, &err));
    assert_ok(db_script(stage.db, "TRUNCATE instances, fleets, images, accounts CASCADE", &err));
    fake_cloud_reset();
    add_account_and_image();
    stage.settings = (struct service_settings){
        .database = database_url(),
        .link_url = "tls+tcp://127.0.0.1:4711",
        .key_file = stage.key_file,
        .root_file = stage.root_file,
        .project = PROJECT_DEFAULT,
        .heartbeat_seconds = 30,
        .workers = 2,
        .lease_seconds = 2,
        .watch_seconds = 1,
    };
    return 0;
}

static int stage_close(void **state)
{
    (void)state;
    void *folder = stage.folder;
    assert_true(workers_stop(stage.workers, STOP_MS));
    db_close(stage.db);
    free(stage.key_file);
    free(stage.root_file);
    return scratch_close(&folder);
}

static void start(void)
{
    struct error err = {0};
    assert_ok(workers_start_with(&stage.settings, fake_driver_of, &stage.workers, &err));
}

static void add_fleet(int64_t desired)
{
    struct error err = {0};
    OWNED(fleet_done)
    struct fleet fleet = {.name = "web",
                          .desired = desired,
                          .account = "cloud",
                          .image = "image",
                          .size = "m6a.large",
                          .policy = "web",
                          .secrets = json_array()};
    assert_ok(fleet_store_add(stage.db, PROJECT_DEFAULT, &fleet, "token:test", &err));
}

static void scale(int64_t desired)
{
    struct error err = {0};
    OWNED(fleet_done) struct fleet fleet = {0};
    OWNED(fleet_done) struct fleet now = {0};
    assert_ok(fleet_store_find(stage.db, PROJECT_DEFAULT, "web", &fleet, &err));
    fleet.desired = desired;
    assert_ok(fleet_store_update(stage.db, PROJECT_DEFAULT, &fleet, 0, "token:test", &now, &err));
}

/* ---- looking and waiting ------------------------------------------------------------------ */

static struct instance_list rows(const char *phase, bool with_terminated)
{
    struct error err = {0};
    struct instance_list list = {0};
    char cursor[CURSOR_SIZE];
    const struct instance_filter filter = {.project = PROJECT_DEFAULT,
                                           .phase = phase,
                                           .with_terminated = with_terminated,
                                           .limit = 1000};
    assert_ok(instance_store_list(stage.db, &filter, &list, cursor, &err));
    return list;
}

static int64_t count(const char *phase)
{
    OWNED(instance_list_done) struct instance_list list = rows(phase, true);
    return (int64_t)list.count;
}

typedef bool seen_fn(int64_t wanted);

static void wait_until(seen_fn *seen, int64_t wanted, const char *what)
{
    struct error err = {0};
    int64_t until = clock_monotonic_ms() + WAIT_MS;
    while (!seen(wanted)) {
        if (clock_monotonic_ms() > until)
            fail_msg("not seen in time: %s, %lld", what, (long long)wanted);
        bool woken;
        assert_ok(db_wait(stage.db, LOOK_MS, &woken, &err));
    }
}
#define await(seen, wanted) wait_until(seen, wanted, #seen)

static bool booting(int64_t wanted)
{
    return count("booting") == wanted;
}

static bool terminated(int64_t wanted)
{
    return count("terminated") == wanted;
}

static bool failed(int64_t wanted)
{
    return count("failed") == wanted;
}

static bool machines(int64_t wanted)
{
    return fake_cloud_machines() == wanted;
}

static bool orphans(int64_t wanted)
{
    return metric_get(METRIC_ORPHANS) == wanted;
}

static bool fleets(int64_t wanted)
{
    struct error err = {0};
    OWNED(fleet_list_done) struct fleet_list list = {0};
    assert_ok(fleet_store_list(stage.db, PROJECT_DEFAULT, NULL, 10, &list, &err));
    return (int64_t)list.count == wanted;
}

/* Every row with a machine has its own, every machine has a row: nothing lost, nothing doubled. */
static void assert_one_machine_a_row(int64_t expected)
{
    OWNED(instance_list_done) struct instance_list list = rows("booting", false);
    assert_int_equal(list.count, expected);
    assert_int_equal(fake_cloud_machines(), expected);
    for (size_t i = 0; i < list.count; i++) {
        int found = 0;
        for (int m = 0; m < fake_cloud_launches(); m++) {
            const struct sighting *seen = &fake_cloud_machine(m)->seen;
            bool same = strcmp(seen->ref, list.at[i].cloud_ref) == 0;
            found += same;
            if (same) {
                assert_true(uuid_equal(&seen->instance, &list.at[i].id));
                assert_string_equal(seen->client_token, list.at[i].client_token);
            }
        }
        assert_int_equal(found, 1);
    }
}

/* ---- launching ---------------------------------------------------------------------------- */

static void a_fleet_gets_as_many_machines_as_it_wants(void **state)
{
    (void)state;
    start();
    add_fleet(5);
    await(booting, 5);
    assert_one_machine_a_row(5);
    assert_int_equal(fake_cloud_calls(), 5);
}

static void a_machine_is_told_who_it_is_and_the_row_keeps_its_tickets_hash(void **state)
{
    (void)state;
    struct error err = {0};
    start();
    add_fleet(1);
    await(booting, 1);
    OWNED(userdata_done) struct userdata told = {0};
    OWNED(instance_list_done) struct instance_list list = rows("booting", false);
    assert_ok(userdata_parse(span_of_text(fake_cloud_machine(0)->user_data), &told, &err));
    assert_true(uuid_equal(&told.instance, &list.at[0].id));
    assert_string_equal(told.controllers[0], "tls+tcp://127.0.0.1:4711");
    uint8_t hash[SHA256_SIZE];
    digest(DIGEST_SHA256, span_of_text(told.ticket), hash);
    assert_memory_equal(hash, list.at[0].launch_ticket_hash, SHA256_SIZE);
}

static void a_smaller_fleet_gives_machines_back(void **state)
{
    (void)state;
    start();
    add_fleet(4);
    await(booting, 4);
    scale(1);
    await(terminated, 3);
    assert_one_machine_a_row(1);
}

static void a_removed_fleet_leaves_nothing(void **state)
{
    (void)state;
    struct error err = {0};
    start();
    add_fleet(3);
    await(booting, 3);
    assert_ok(fleet_store_remove(stage.db, PROJECT_DEFAULT, "web", 0, "token:test", &err));
    await(terminated, 3);
    await(machines, 0);
    await(fleets, 0);
}

/* ---- when the cloud is difficult ---------------------------------------------------------- */

static void a_launch_whose_answer_was_lost_is_found_and_not_repeated(void **state)
{
    (void)state;
    fake_cloud_mischief(MISCHIEF_LOSE_ANSWER, 0, 1);
    start();
    add_fleet(1);
    await(booting, 1);
    assert_one_machine_a_row(1);
    assert_int_equal(fake_cloud_calls(), 1);
}

static void a_launch_that_never_arrived_is_repeated_under_the_same_token(void **state)
{
    (void)state;
    fake_cloud_mischief(MISCHIEF_LOSE_ORDER, 0, 1);
    start();
    add_fleet(1);
    await(booting, 1);
    assert_one_machine_a_row(1);
    OWNED(instance_list_done) struct instance_list list = rows("booting", false);
    assert_int_equal(list.at[0].attempt, 1);
    assert_int_equal(fake_cloud_calls(), 2);
}

static void a_throttled_launch_is_tried_again_later(void **state)
{
    (void)state;
    fake_cloud_mischief(MISCHIEF_REFUSE, CLOUD_THROTTLE, 2);
    start();
    add_fleet(1);
    await(booting, 1);
    assert_one_machine_a_row(1);
    OWNED(instance_list_done) struct instance_list list = rows("booting", false);
    assert_int_equal(list.at[0].attempt, 1);
}

static void a_refused_launch_says_why_and_is_tried_again_with_a_new_token(void **state)
{
    (void)state;
    fake_cloud_mischief(MISCHIEF_REFUSE, CLOUD_QUOTA, 1);
    start();
    add_fleet(1);
    await(failed, 1);
    OWNED(instance_list_done) struct instance_list list = rows("failed", false);
    if (list.count == 1)
        assert_string_equal(list.at[0].reason, "quota");
    await(booting, 1);
    OWNED(instance_list_done) struct instance_list later = rows("booting", false);
    assert_int_equal(later.at[0].attempt, 2);
    assert_one_machine_a_row(1);
}

static void a_machine_that_vanished_is_replaced(void **state)
{
    (void)state;
    start();
    add_fleet(2);
    await(booting, 2);
    fake_cloud_break(0);
    await(terminated, 1);
    await(booting, 2);
    assert_one_machine_a_row(2);
}

static void a_machine_whose_row_is_over_is_ended(void **state)
{
    (void)state;
    start();
    add_fleet(1);
    await(booting, 1);
    scale(0);
    await(terminated, 1);
    OWNED(instance_list_done) struct instance_list list = rows("terminated", true);
    fake_cloud_plant(&list.at[0].id, list.at[0].client_token);
    await(machines, 0);
}

static void a_second_machine_for_one_row_is_ended_and_the_first_stays(void **state)
{
    (void)state;
    start();
    add_fleet(1);
    await(booting, 1);
    OWNED(instance_list_done) struct instance_list list = rows("booting", false);
    fake_cloud_plant(&list.at[0].id, "an older token");
    assert_int_equal(fake_cloud_launches(), 2);
    await(machines, 1);
    assert_one_machine_a_row(1);
}

/* Not ours to end: somebody else's Muster may share the account. */
static void a_machine_without_a_row_is_shown_and_left_alone(void **state)
{
    (void)state;
    struct uuid stranger = uuid_new();
    fake_cloud_plant(&stranger, "stranger");
    start();
    await(orphans, 1);
    assert_int_equal(fake_cloud_machines(), 1);
}

/* ---- silence ------------------------------------------------------------------------------ */

static bool running(int64_t wanted)
{
    return count("running") == wanted;
}

/* Machines whose agents spoke an hour ago and not since. */
static void silent_machines(int64_t wanted)
{
    struct error err = {0};
    start();
    add_fleet(wanted);
    await(booting, wanted);
    assert_true(workers_stop(stage.workers, STOP_MS));
    stage.workers = NULL;
    OWNED(instance_list_done) struct instance_list list = rows("booting", false);
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
}

/* After an outage of ours every agent is silent; a fleet must not be replaced for that. */
static void an_outage_of_ours_is_not_their_silence(void **state)
{
    (void)state;
    silent_machines(2);
    start();
    scale(3);
    await(booting, 1); /* so the new controller has had its rounds */
    assert_true(running(2));
    assert_int_equal(fake_cloud_launches(), 3);
}

static void an_agent_that_stays_silent_is_given_up(void **state)
{
    (void)state;
    silent_machines(2);
    rounds_of_an_old_controller();
    OWNED(instance_list_done) struct instance_list list = rows("failed", false);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.at[0].reason, "agent-silent");
}

static void many_that_fall_silent_together_are_held(void **state)
{
    (void)state;
    silent_machines(5);
    rounds_of_an_old_controller();
    assert_true(running(5));
}

/* ---- when we are killed ------------------------------------------------------------------- */

/* A controller in a process of its own, as kill -9 finds it. */
static void run_until_killed(void)
{
    stage.settings.lease_seconds = 1; /* what a dead one held is free again so soon */
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct error err = {0};
        struct workers *workers = NULL;
        if (workers_start_with(&stage.settings, fake_driver_of, &workers, &err) != OK)
            _exit(1);
        for (;;)
            pause();
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void killed_before_the_cloud_call_nothing_is_lost(void **state)
{
    (void)state;
    add_fleet(3);
    fake_cloud_mischief(MISCHIEF_DIE_BEFORE, 0, 1);
    run_until_killed();
    start();
    await(booting, 3);
    assert_one_machine_a_row(3);
}

static void killed_after_the_cloud_call_nothing_is_doubled(void **state)
{
    (void)state;
    add_fleet(3);
    fake_cloud_mischief(MISCHIEF_DIE_AFTER, 0, 1);
    run_until_killed();
    assert_true(fake_cloud_launches() >= 1);
    start();
    await(booting, 3);
    assert_one_machine_a_row(3);
    assert_int_equal(fake_cloud_launches(), 3);
}

static void killed_after_ending_a_machine_its_row_ends_too(void **state)
{
    (void)state;
    start();
    add_fleet(2);
    await(booting, 2);
    assert_true(workers_stop(stage.workers, STOP_MS));
    stage.workers = NULL;
    scale(0);
    fake_cloud_mischief(MISCHIEF_DIE_TERMINATED, 0, 1);
    run_until_killed();
    start();
    await(terminated, 2);
    assert_int_equal(fake_cloud_machines(), 0);
}

static void killed_again_and_again_it_converges(void **state)
{
    (void)state;
    add_fleet(6);
    for (int i = 0; i < 4; i++) {
        fake_cloud_mischief(i % 2 == 0 ? MISCHIEF_DIE_AFTER : MISCHIEF_DIE_BEFORE, 0, 1);
        run_until_killed();
    }
    start();
    await(booting, 6);
    assert_one_machine_a_row(6);
    assert_int_equal(fake_cloud_launches(), 6);
}

/* Another controller has another key, so its ticket differs: the row learns it before the cloud. */
static void another_controller_goes_on_with_a_launch(void **state)
{
    (void)state;
    struct error err = {0};
    add_fleet(1);
    fake_cloud_mischief(MISCHIEF_DIE_BEFORE, 0, 1);
    run_until_killed();
    write_file(stage.key_file, "the key of another controller");
    start();
    await(booting, 1);
    assert_one_machine_a_row(1);
    OWNED(userdata_done) struct userdata told = {0};
    OWNED(instance_list_done) struct instance_list list = rows("booting", false);
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
    add_fleet(3);
    for (size_t i = 0; i < countof(points); i++) {
        scale(3 + (int64_t)i);
        setenv("MUSTER_FAULT", points[i], 1);
        run_until_killed();
    }
    unsetenv("MUSTER_FAULT");
    start();
    await(booting, 8);
    assert_one_machine_a_row(8);
    assert_int_equal(fake_cloud_launches(), 8);
}
#endif

/* ---- many ---------------------------------------------------------------------------------- */

static void two_controllers_never_launch_for_the_same_row(void **state)
{
    (void)state;
    struct error err = {0};
    struct workers *other = NULL;
    start();
    assert_ok(workers_start_with(&stage.settings, fake_driver_of, &other, &err));
    add_fleet(40);
    await(booting, 40);
    assert_one_machine_a_row(40);
    assert_int_equal(fake_cloud_calls(), 40);
    assert_true(workers_stop(other, STOP_MS));
}

static void what_happened_is_in_the_chain(void **state)
{
    (void)state;
    struct error err = {0};
    int64_t checked = 0;
    start();
    add_fleet(2);
    await(booting, 2);
    assert_true(workers_stop(stage.workers, STOP_MS));
    stage.workers = NULL;
    int64_t sealed = 0;
    assert_ok(audit_store_seal(stage.db, &sealed, &err));
    assert_ok(audit_store_verify(stage.db, &checked, &err));
    assert_true(checked >= 6);
}

static void stopping_takes_no_longer_than_a_round(void **state)
{
    (void)state;
    start();
    int64_t from = clock_monotonic_ms();
    assert_true(workers_stop(stage.workers, STOP_MS));
    stage.workers = NULL;
    assert_true(clock_monotonic_ms() - from < 5000);
}

#define STAGED(test) cmocka_unit_test_setup_teardown(test, stage_open, stage_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(a_fleet_gets_as_many_machines_as_it_wants),
        STAGED(a_machine_is_told_who_it_is_and_the_row_keeps_its_tickets_hash),
        STAGED(a_smaller_fleet_gives_machines_back),
        STAGED(a_removed_fleet_leaves_nothing),
        STAGED(a_launch_whose_answer_was_lost_is_found_and_not_repeated),
        STAGED(a_launch_that_never_arrived_is_repeated_under_the_same_token),
        STAGED(a_throttled_launch_is_tried_again_later),
        STAGED(a_refused_launch_says_why_and_is_tried_again_with_a_new_token),
        STAGED(a_machine_that_vanished_is_replaced),
        STAGED(a_machine_whose_row_is_over_is_ended),
        STAGED(a_second_machine_for_one_row_is_ended_and_the_first_stays),
        STAGED(a_machine_without_a_row_is_shown_and_left_alone),
        STAGED(an_outage_of_ours_is_not_their_silence),
        STAGED(an_agent_that_stays_silent_is_given_up),
        STAGED(many_that_fall_silent_together_are_held),
        STAGED(killed_before_the_cloud_call_nothing_is_lost),
        STAGED(killed_after_the_cloud_call_nothing_is_doubled),
        STAGED(killed_after_ending_a_machine_its_row_ends_too),
        STAGED(killed_again_and_again_it_converges),
        STAGED(another_controller_goes_on_with_a_launch),
#ifdef MUSTER_FAULTS
        STAGED(killed_at_any_fault_point_it_converges),
#endif
        STAGED(two_controllers_never_launch_for_the_same_row),
        STAGED(what_happened_is_in_the_chain),
        STAGED(stopping_takes_no_longer_than_a_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
