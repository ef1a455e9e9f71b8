/* A list that is not to be believed ends nothing and launches nothing: of another account of the
 * cloud, or without most of what was there. On a real PostgreSQL. */
#include "controller/brake.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "controller/watch.h"
#include "db/alarm_store.h"
#include "tests/support/fake_cloud.h"
#include "tests/support/stage.h"
#include "tests/support/test.h"

enum { FLEET = 14 };

static struct crew crew;
static struct worker watch;
static const struct account_place place = {PROJECT_DEFAULT, "cloud"};

static void sql(const char *text)
{
    struct error err = {0};
    assert_ok(db_script(stage.db, text, &err));
}

/* A fleet whose machines were all seen long ago, and nobody at work on it but our own look. */
static int settled_fleet(void **state)
{
    if (stage_open(state) != 0)
        return -1;
    stage_start();
    stage_fleet(FLEET);
    stage_await(booting, FLEET);
    stage_stop();
    sql("UPDATE instances SET launched_at = launched_at - interval '1 hour'");
    crew = (struct crew){.settings = &stage.settings};
    pthread_mutex_init(&crew.lock, NULL);
    watch = (struct worker){.crew = &crew,
                            .db = stage.db,
                            .clouds = {.drivers = fake_driver_of},
                            .holder = "watch:test"};
    return 0;
}

static int close_all(void **state)
{
    clouds_done(&watch.clouds);
    orphans_done(&watch.orphans);
    pthread_mutex_destroy(&crew.lock);
    return stage_close(state);
}

static int64_t look(void)
{
    struct error err = {0};
    struct watch_counts counts;
    assert_ok(watch_clouds(&watch, &counts, &err));
    return counts.vanished;
}

static bool has_alarm(const char *code)
{
    struct error err = {0};
    OWNED(alarm_list_done) struct alarm_list list = {0};
    assert_ok(alarm_store_list(stage.db, PROJECT_DEFAULT, NULL, &list, &err));
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.at[i].code, code) == 0 && strcmp(list.at[i].object, "account:cloud") == 0)
            return true;
    return false;
}

/* A trail is never emptied, so those of other tests are in it too: of what was held, this. */
static bool is_audited(const char *verb, const char *detail)
{
    struct error err = {0};
    char text[300];
    snprintf(text, sizeof text,
             "SELECT 1 / (CASE WHEN count(*) > 0 THEN 1 ELSE 0 END) FROM audit WHERE verb = '%s' "
             "AND object = 'account:cloud' AND detail::text LIKE '%%%s%%'",
             verb, detail);
    return db_script(stage.db, text, &err) == OK;
}

static void forget(int count)
{
    for (int i = 0; i < count; i++)
        fake_cloud_forget(i);
}

/* ---- many at once ---------------------------------------------------------------------------- */

static void most_that_are_missing_at_once_are_held(void **state)
{
    (void)state;
    forget(FLEET);
    assert_int_equal(look(), 0);
    assert_true(has_alarm("many-vanished"));
    assert_int_equal(look(), 0);
    assert_int_equal(look(), 0); /* lists enough, and not yet the time */
    assert_true(stage_booting(FLEET));
}

static void what_lasts_is_believed(void **state)
{
    (void)state;
    forget(FLEET);
    assert_int_equal(look(), 0);
    sql("UPDATE account_holds SET since = since - interval '1 hour'");
    assert_int_equal(look(), 0); /* time enough, and not yet the lists */
    assert_int_equal(look(), FLEET);
    assert_int_equal(look(), 0);
    assert_false(has_alarm("many-vanished"));
}

static void a_persons_word_ends_the_wait(void **state)
{
    (void)state;
    struct error err = {0};
    assert_fails(hold_store_believe(stage.db, &place, "token:ops", &err), ERR_CONFLICT, "not-held");
    forget(FLEET);
    assert_int_equal(look(), 0);
    assert_ok(hold_store_believe(stage.db, &place, "token:ops", &err));
    assert_int_equal(look(), FLEET);
}

static void what_comes_back_in_time_was_never_gone(void **state)
{
    (void)state;
    fake_cloud_hide(true);
    assert_int_equal(look(), 0);
    fake_cloud_hide(false);
    assert_int_equal(look(), 0);
    assert_false(has_alarm("many-vanished"));
    assert_true(stage_booting(FLEET));
    fake_cloud_hide(true); /* and what was counted then counts no more */
    sql("UPDATE account_holds SET since = since - interval '1 hour'");
    assert_int_equal(look(), 0);
    fake_cloud_hide(false);
}

/* Their tags were taken off, so no list shows them, and by name they are there. */
static void untag(int count)
{
    for (int i = 0; i < count; i++)
        snprintf(fake_cloud_machine(i)->account, sizeof fake_cloud_machine(i)->account, "nobodys");
}

/* What was believed is over with the list that it was said of. */
static void what_is_believed_of_one_list_is_not_of_the_next(void **state)
{
    (void)state;
    struct error err = {0};
    untag(FLEET - 2);
    assert_int_equal(look(), 0);
    assert_ok(hold_store_believe(stage.db, &place, "token:ops", &err));
    assert_int_equal(look(), 0); /* each was asked for by name */
    fake_cloud_hide(true);
    assert_int_equal(look(), 0);
    assert_true(has_alarm("many-vanished"));
    assert_true(stage_booting(FLEET));
    sql("UPDATE account_holds SET since = since - interval '1 hour'");
    fake_cloud_hide(false);
    assert_int_equal(look(), 0);
    assert_int_equal(look(), 0); /* it lasted, and is over too */
    fake_cloud_hide(true);
    assert_int_equal(look(), 0);
    assert_true(stage_booting(FLEET));
    fake_cloud_hide(false);
}

static void a_few_vanish_as_before(void **state)
{
    (void)state;
    forget(5);
    assert_int_equal(look(), 5);
    assert_false(has_alarm("many-vanished"));
}

/* The cloud itself shows that they ended: spot machines, a zone that was lost. */
static void many_that_are_seen_ended_are_believed(void **state)
{
    (void)state;
    for (int i = 0; i < FLEET; i++)
        fake_cloud_break(i);
    assert_int_equal(look(), FLEET);
    assert_false(has_alarm("many-vanished"));
}

static void many_that_are_to_go_are_missed_by_nobody(void **state)
{
    (void)state;
    sql("UPDATE instances SET wanted = 'gone', phase = 'terminating'");
    forget(FLEET);
    assert_int_equal(look(), FLEET);
    assert_false(has_alarm("many-vanished"));
}

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

/* "Not found" says as little as the list does: the machine would be lost with its row. */
static void an_end_that_finds_nothing_waits_while_it_is_held(void **state)
{
    (void)state;
    fake_cloud_hide(true);
    assert_int_equal(look(), 0);
    sql("UPDATE instances SET wanted = 'gone', next_due = now(), "
        "settled_at = now() - interval '1 hour' WHERE cloud_ref = 'i-00000001'");
    sql("UPDATE instances SET wanted = 'gone', next_due = now(), phase = 'terminating', "
        "phase_since = now() - interval '1 hour', cloud_ref = NULL WHERE cloud_ref = 'i-00000002'");
    stage_start();
    stage_await(put_off, 2);
    assert_int_equal(stage_count("terminated"), 0);
    fake_cloud_hide(false);
    assert_int_equal(look(), 0);
    sql("UPDATE instances SET next_due = now()");
    stage_await(terminated, 2);
    stage_await(booting, FLEET);
    assert_one_machine_a_row(FLEET);
}

static void an_end_that_finds_nothing_is_believed_with_the_list(void **state)
{
    (void)state;
    struct error err = {0};
    forget(FLEET);
    assert_int_equal(look(), 0);
    assert_ok(hold_store_believe(stage.db, &place, "token:ops", &err));
    sql("UPDATE instances SET wanted = 'gone', next_due = now(), "
        "settled_at = now() - interval '1 hour' WHERE cloud_ref = 'i-00000001'");
    stage_start();
    stage_await(terminated, FLEET);
}

/* ---- another account ------------------------------------------------------------------------- */

static void an_account_is_learned_once(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(account_done) struct account account = {0};
    int64_t epoch = 0;
    assert_ok(
        account_store_look(stage.db, place.project, place.name, false, &account, &epoch, &err));
    assert_string_equal(account.cloud_account, "fake");
    assert_int_equal(epoch, 1); /* nobody changed it */
    assert_ok(account_store_learn(stage.db, place.project, place.name, "other", "x", &err));
    account_done(&account);
    assert_ok(account_store_find(stage.db, place.project, place.name, &account, &err));
    assert_string_equal(account.cloud_account, "fake");
}

/* As after a restart: clouds are opened anew, with whatever credentials there are now. */
static void turn_to(const char *account)
{
    fake_cloud_whose(account);
    clouds_done(&watch.clouds);
}

static void nothing_is_believed_of_another_account(void **state)
{
    (void)state;
    turn_to("other");
    sql("UPDATE account_holds SET since = since - interval '1 hour'");
    for (int i = 0; i < 4; i++)
        assert_int_equal(look(), 0);
    assert_true(stage_booting(FLEET));
    assert_true(has_alarm(WRONG_CLOUD_ACCOUNT));
    assert_true(is_audited("account.held", WRONG_CLOUD_ACCOUNT));
    turn_to("fake");
    assert_int_equal(look(), 0);
    assert_false(has_alarm(WRONG_CLOUD_ACCOUNT));
    assert_true(stage_booting(FLEET));
}

/* A minute of it may be the network's; then somebody is told, with the cloud's own words. */
static void an_account_that_cannot_be_looked_at_is_alarmed(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(account_hold_list_done) struct account_hold_list holds = {0};
    fake_cloud_mischief(MISCHIEF_BLIND, CLOUD_AUTH, 2);
    assert_int_equal(look(), 0);
    assert_false(has_alarm("account-unseen"));
    sql("UPDATE account_holds SET since = since - interval '1 minute'");
    assert_int_equal(look(), 0);
    assert_true(has_alarm("account-unseen"));
    assert_ok(hold_store_list(stage.db, &place, &holds, &err));
    assert_int_equal(holds.count, 1);
    assert_int_equal(holds.at[0].kind, HOLD_UNSEEN);
    assert_int_equal(holds.at[0].looks, 2);
    assert_string_equal(holds.at[0].text, "auth: as the test asked");
    assert_true(stage_booting(FLEET));
    assert_int_equal(look(), 0);
    assert_false(has_alarm("account-unseen"));
    assert_true(stage_booting(FLEET));
}

static void who_is_another_is_not_unseen_besides(void **state)
{
    (void)state;
    fake_cloud_mischief(MISCHIEF_BLIND, CLOUD_AUTH, 1);
    look();
    sql("UPDATE account_holds SET since = since - interval '1 minute'");
    turn_to("other");
    look();
    assert_true(has_alarm(WRONG_CLOUD_ACCOUNT));
    assert_false(has_alarm("account-unseen"));
}

static bool stage_wrong(int64_t wanted)
{
    return has_alarm(WRONG_CLOUD_ACCOUNT) == (wanted != 0);
}

static bool stage_requested(int64_t wanted)
{
    return stage_count("requested") == wanted;
}

static void nothing_is_launched_or_ended_in_another_account(void **state)
{
    (void)state;
    fake_cloud_whose("other");
    stage_start();
    stage_await(wrong, 1);
    stage_scale(FLEET + 3);
    stage_await(requested, 3);
    sql("UPDATE instances SET wanted = 'gone' WHERE phase = 'booting' AND "
        "cloud_ref = (SELECT min(cloud_ref) FROM instances)");
    stage_wait(stage_requested, 4, "its replacement is wanted");
    assert_int_equal(fake_cloud_launches(), FLEET);
    assert_int_equal(fake_cloud_machines(), FLEET);
    assert_int_equal(stage_count("terminated"), 0);
    fake_cloud_whose("fake"); /* switched back while it runs */
    stage_await(wrong, 0);
    sql("UPDATE instances SET next_due = now()");
    stage_await(terminated, 1);
    stage_await(booting, FLEET + 3);
    assert_int_equal(fake_cloud_launches(), FLEET + 4);
    assert_one_machine_a_row(FLEET + 3);
}

/* A controller that is killed while it is so leaves it so. */
static void a_kill_in_the_middle_leaves_it_so(void **state)
{
    (void)state;
    fake_cloud_whose("other");
    for (int i = 0; i < 2; i++) {
        fflush(NULL);
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct error err = {0};
            struct workers *workers = NULL;
            if (workers_start_with(&stage.settings, fake_driver_of, &workers, &err) != OK)
                _exit(1);
            for (;;)
                pause();
        }
        stage_await(wrong, 1);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_true(stage_booting(FLEET));
    }
    assert_int_equal(fake_cloud_launches(), FLEET);
    turn_to("fake");
    assert_int_equal(look(), 0);
    assert_true(stage_wrong(0));
    assert_one_machine_a_row(FLEET);
}

static void a_change_of_account_is_a_persons_act(void **state)
{
    (void)state;
    struct error err = {0};
    int64_t epoch = 0;
    OWNED(account_done) struct account account = {0};
    turn_to("other");
    assert_ok(account_store_find(stage.db, place.project, place.name, &account, &err));
    snprintf(account.cloud_account, sizeof account.cloud_account, "other");
    assert_fails(
        account_store_update(stage.db, place.project, &account, 0, "token:ops", &epoch, &err),
        ERR_CONFLICT, "in-use");
    assert_ok(account_store_confirm(stage.db, place.project, place.name, "other", "token:ops",
                                    &epoch, &err));
    assert_int_equal(epoch, 2);
    assert_true(is_audited("account.confirmed", "\"was\""));
    assert_true(is_audited("account.identified", "fake"));
    assert_int_equal(look(), 0); /* its list is believed, and lacks them all: the brake */
    assert_false(has_alarm(WRONG_CLOUD_ACCOUNT));
    assert_true(has_alarm("many-vanished"));
    assert_true(stage_booting(FLEET));
}

static void an_empty_account_may_be_given_another(void **state)
{
    (void)state;
    struct error err = {0};
    int64_t epoch = 0;
    OWNED(account_done) struct account account = {0};
    sql("UPDATE instances SET phase = 'terminated', cloud_ref = NULL");
    assert_ok(account_store_find(stage.db, place.project, place.name, &account, &err));
    account.cloud_account[0] = '\0';
    assert_ok(
        account_store_update(stage.db, place.project, &account, 0, "token:ops", &epoch, &err));
    turn_to("other");
    look();
    account_done(&account);
    assert_ok(account_store_find(stage.db, place.project, place.name, &account, &err));
    assert_string_equal(account.cloud_account, "other");
}

#define SETTLED(test) cmocka_unit_test_setup_teardown(test, settled_fleet, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SETTLED(most_that_are_missing_at_once_are_held),
        SETTLED(what_lasts_is_believed),
        SETTLED(a_persons_word_ends_the_wait),
        SETTLED(what_comes_back_in_time_was_never_gone),
        SETTLED(what_is_believed_of_one_list_is_not_of_the_next),
        SETTLED(a_few_vanish_as_before),
        SETTLED(many_that_are_seen_ended_are_believed),
        SETTLED(many_that_are_to_go_are_missed_by_nobody),
        SETTLED(an_end_that_finds_nothing_waits_while_it_is_held),
        SETTLED(an_end_that_finds_nothing_is_believed_with_the_list),
        SETTLED(an_account_is_learned_once),
        SETTLED(nothing_is_believed_of_another_account),
        SETTLED(an_account_that_cannot_be_looked_at_is_alarmed),
        SETTLED(who_is_another_is_not_unseen_besides),
        SETTLED(nothing_is_launched_or_ended_in_another_account),
        SETTLED(a_kill_in_the_middle_leaves_it_so),
        SETTLED(a_change_of_account_is_a_persons_act),
        SETTLED(an_empty_account_may_be_given_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
