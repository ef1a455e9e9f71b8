/* Notices from a cloud's own words to the books: the watch's round on each of the three emulated
 * clouds. */
#include "controller/watch.h"

#include <stdio.h>
#include <string.h>

#include "db/notice_store.h"
#include "lib/crypto/random.h"
#include "tests/support/sim_host.h"
#include "tests/support/stage.h"
#include "tests/support/test.h"

static struct sim_cloud *sim;

static void run(const char *script)
{
    struct error err = {0};
    assert_ok(db_script(stage.db, script, &err));
}

/* The stage's account becomes the emulated cloud's. */
static void take_account(void)
{
    OWNED(text_done) struct text script = {0};
    struct account *account = sim_host_account(sim);
    snprintf(account->name, sizeof account->name, "cloud");
    snprintf(account->owner, sizeof account->owner, "test");
    OWNED(json_drop) json_t *spec = record_to_json(&account_record, account);
    OWNED(mem_drop) char *text = json_print(spec);
    text_addf(&script, "UPDATE accounts SET driver = '%s', spec = '%s'",
              name_of(&account_driver_names, (int)account->driver), text);
    run(text_str(&script));
}

static void machine(void)
{
    OWNED(text_done) struct text script = {0};
    const struct uuid id = uuid_new();
    const struct sighting seen = sim_host_launch(sim, &id);
    text_addf(&script,
              "INSERT INTO instances (id, project, fleet, account, image, size, policy, phase, "
              "client_token, cloud_ref, next_due) VALUES ('%s', 'default', 'web', 'cloud', 'image',"
              "'size', 'web', 'running', 't', '%s', now() + interval '1 year')",
              uuid_text(&id).at, seen.ref);
    run(text_str(&script));
}

static void look(void)
{
    struct error err = {0};
    struct watch_counts counts;
    struct crew crew = {.settings = &stage.settings};
    struct worker watch = {
        .crew = &crew, .db = stage.db, .clouds = {.drivers = driver_of}, .holder = "watch:test"};
    pthread_mutex_init(&crew.lock, NULL);
    assert_ok(watch_clouds(&watch, &counts, &err));
    clouds_done(&watch.clouds);
    orphans_done(&watch.orphans);
    pthread_mutex_destroy(&crew.lock);
}

static struct notice_row_list stored(bool with_ended)
{
    struct error err = {0};
    struct notice_row_list list = {0};
    char cursor[NOTICE_CURSOR_SIZE];
    const struct notice_filter filter = {
        .project = PROJECT_DEFAULT, .with_ended = with_ended, .limit = 10};
    assert_ok(notice_store_list(stage.db, &filter, &list, cursor, &err));
    return list;
}

static struct notice_row the_only(bool with_ended)
{
    OWNED(notice_row_list_done) struct notice_row_list list = stored(with_ended);
    assert_int_equal(list.count, 1);
    return list.at[0];
}

static void assert_none(void)
{
    OWNED(notice_row_list_done) struct notice_row_list list = stored(false);
    assert_int_equal(list.count, 0);
}

/* Given, moved, taken back; and a list that cannot be had takes nothing back. */
static void what_comes_to_a_host_is_heard(const char *kind)
{
    machine();
    look();
    assert_none();
    sim_host_announce(sim, true);
    look();
    const struct notice_row given = the_only(false);
    assert_string_equal(given.kind, kind);
    assert_true(given.is_ours_to_time);
    assert_true(moment_seconds_between(clock_now(), given.not_before) > 6 * 86400);
    sim_host_put_off(sim, 3600);
    look();
    const struct notice_row moved = the_only(false);
    assert_int_equal(moment_seconds_between(given.not_before, moved.not_before), 3600);
    assert_int_equal(moved.changes, 1);
    sim_host_announce(sim, false);
    sim_host_prank(sim, NULL, "server-error");
    look();
    assert_true(moment_is_none(the_only(false).ended));
    look();
    assert_none();
    assert_false(moment_is_none(the_only(true).ended));
}

static const struct {
    enum account_driver cloud;
    const char *kind;
} rows[] = {{DRIVER_AWS, "instance-stop"}, {DRIVER_AZURE, "Redeploy"}, {DRIVER_GCP, "SCHEDULED"}};

static void each_clouds_notices_are_heard(void **state)
{
    for (size_t i = 0; i < countof(rows); i++) {
        if (i > 0)
            stage_open(state);
        sim = sim_host_open(rows[i].cloud);
        take_account();
        what_comes_to_a_host_is_heard(rows[i].kind);
        sim_host_close(sim);
        if (i < countof(rows) - 1)
            stage_close(state);
    }
}

/* EC2 tells of events by a call of its own: without it the list still counts. */
static void a_list_without_its_events_ends_nothing(void **state)
{
    (void)state;
    sim = sim_host_open(DRIVER_AWS);
    take_account();
    machine();
    sim_host_announce(sim, true);
    look();
    sim_host_announce(sim, false);
    sim_host_prank(sim, "DescribeInstanceStatus", "server-error");
    look();
    assert_true(moment_is_none(the_only(false).ended));
    look();
    assert_none();
    sim_host_close(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(each_clouds_notices_are_heard),
        STAGED(a_list_without_its_events_ends_nothing),
    };
    return cmocka_run_group_tests_name("notices seen", tests, NULL, NULL);
}
