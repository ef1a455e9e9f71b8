/* What clouds say that they will do to hosts: written down once, changed with a history, ended only
 * by a list that is whole, and bounded whatever is said. */
#include "controller/notices.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "db/alarm_store.h"
#include "db/notice_store.h"
#include "db/retention.h"
#include "lib/base/metrics.h"
#include "tests/support/database.h"
#include "tests/support/stage.h"
#include "tests/support/test.h"

enum { HOUR = 3600, DAY = 24 * HOUR };

static struct sighting_list seen;

static void run(const char *script)
{
    struct error err = {0};
    assert_ok(db_script(stage.db, script, &err));
}

static int open_stage(void **state)
{
    int failed = stage_open(state);
    run("DROP TABLE IF EXISTS trail_before; CREATE TEMP TABLE trail_before AS "
        "SELECT coalesce(max(id), 0) AS id FROM audit");
    return failed;
}

static int close_stage(void **state)
{
    sighting_list_done(&seen);
    return stage_close(state);
}

#define HEARD(test) cmocka_unit_test_setup_teardown(test, open_stage, close_stage)

/* Machines "i-1" and on, that run. */
static void machines(int count)
{
    char script[512];
    snprintf(script, sizeof script,
             "INSERT INTO instances (id, project, fleet, account, image, size, policy, phase, "
             "client_token, cloud_ref) SELECT gen_random_uuid(), 'default', 'web', 'cloud', "
             "'image', 'm6a.large', 'web', 'running', 't-' || n, 'i-' || n "
             "FROM generate_series(1, %d) AS n",
             count);
    run(script);
}

static struct moment in(int64_t seconds)
{
    return clock_at_seconds(moment_seconds(clock_now()) + seconds);
}

static struct notice *say(const char *ref, const char *event, struct moment not_before)
{
    struct notice *said = notice_list_add(&seen.notices);
    *said = (struct notice){.kind = "instance-stop", .not_before = not_before};
    snprintf(said->ref, sizeof said->ref, "%s", ref);
    snprintf(said->event, sizeof said->event, "%s", event);
    return said;
}

static void say_nothing(void)
{
    seen.notices.count = 0;
}

static void look(void)
{
    struct error err = {0};
    struct crew crew = {.settings = &stage.settings};
    struct worker watch = {.crew = &crew, .db = stage.db, .holder = "watch:test"};
    const struct account_place place = {.project = PROJECT_DEFAULT, .name = "cloud"};
    assert_ok(notices_look(&watch, &place, &seen, &err));
    assert_ok(notices_count(&watch, &err));
}

static struct notice_row_list stored(bool with_ended)
{
    struct error err = {0};
    struct notice_row_list list = {0};
    char cursor[NOTICE_CURSOR_SIZE];
    const struct notice_filter filter = {
        .project = PROJECT_DEFAULT, .with_ended = with_ended, .limit = 1000};
    assert_ok(notice_store_list(stage.db, &filter, &list, cursor, &err));
    return list;
}

static size_t standing(void)
{
    OWNED(notice_row_list_done) struct notice_row_list list = stored(false);
    return list.count;
}

static struct notice_row the_only(void)
{
    OWNED(notice_row_list_done) struct notice_row_list list = stored(true);
    assert_int_equal(list.count, 1);
    return list.at[0];
}

static void assert_sql(const char *condition)
{
    OWNED(text_done) struct text script = {0};
    text_addf(&script, "DO $$ BEGIN ASSERT %s; END $$", condition);
    run(text_str(&script));
}

/* Every change has one entry in the trail and one row of history, tied to it. */
static void assert_told(const char *change, int times)
{
    OWNED(text_done) struct text condition = {0};
    text_addf(
        &condition,
        "(SELECT count(*) FROM audit WHERE verb = 'notice.%s' AND actor = 'watch:test' AND id "
        "> (SELECT id FROM trail_before)) = %d AND (SELECT count(*) FROM notice_history h "
        "JOIN audit a ON a.id = h.audit WHERE h.change = '%s' AND a.object = 'notice:' || "
        "h.notice) = %d",
        change, times, change, times);
    assert_sql(text_str(&condition));
}

/* ---- written down ---------------------------------------------------------------------------- */

static void a_notice_is_written_down_once(void **state)
{
    (void)state;
    machines(1);
    struct notice *said = say("i-1", "event-1", in(7 * DAY));
    said->not_after = in(8 * DAY);
    said->deadline = in(14 * DAY);
    said->is_ours_to_time = true;
    snprintf(said->text, sizeof said->text, "the host is old");
    look();
    look();
    const struct notice_row row = the_only();
    assert_string_equal(row.kind, "instance-stop");
    assert_string_equal(row.event, "event-1");
    assert_string_equal(row.text, "the host is old");
    assert_string_equal(row.fleet, "web");
    assert_string_equal(row.ref, "i-1");
    assert_string_equal(row.cloud, "aws");
    assert_true(row.is_ours_to_time);
    assert_int_equal(row.not_before.us, seen.notices.at[0].not_before.us);
    assert_int_equal(row.not_after.us, seen.notices.at[0].not_after.us);
    assert_int_equal(row.deadline.us, seen.notices.at[0].deadline.us);
    assert_int_equal(row.begins.us, row.not_before.us);
    assert_true(moment_is_none(row.ended));
    assert_int_equal(row.changes, 0);
    assert_told("given", 1);
    assert_told("changed", 0);
}

static void a_moved_window_is_a_change_with_its_history(void **state)
{
    (void)state;
    struct error err = {0};
    machines(1);
    const struct moment first = in(7 * DAY), then = in(3 * DAY);
    say("i-1", "event-1", first);
    look();
    const struct notice_row before = the_only();
    seen.notices.at[0].not_before = then;
    look();
    const struct notice_row row = the_only();
    assert_int_equal(row.begins.us, then.us);
    assert_int_equal(row.changes, 1);
    assert_int_equal(row.given.us, before.given.us);
    OWNED(notice_change_list_done) struct notice_change_list history = {0};
    assert_ok(notice_store_history(stage.db, &row.id, 10, &history, &err));
    assert_int_equal(history.count, 2);
    assert_string_equal(history.at[0].change, "changed");
    assert_int_equal(history.at[0].not_before.us, then.us);
    assert_string_equal(history.at[1].change, "given");
    assert_int_equal(history.at[1].not_before.us, first.us);
    assert_told("changed", 1);
}

static void what_a_whole_list_does_not_name_has_ended_and_may_come_again(void **state)
{
    (void)state;
    machines(2);
    say("i-1", "event-1", in(7 * DAY));
    look();
    say_nothing();
    look();
    look();
    assert_int_equal(standing(), 0);
    assert_false(moment_is_none(the_only().ended));
    assert_told("ended", 1);
    say("i-1", "event-1", in(7 * DAY));
    look();
    assert_true(moment_is_none(the_only().ended));
    assert_told("given", 2);
    assert_told("changed", 0);
}

static void from_a_list_that_is_not_whole_nothing_ends(void **state)
{
    (void)state;
    machines(2);
    say("i-1", "event-1", in(7 * DAY));
    look();
    say_nothing();
    seen.partial = true;
    say("i-2", "event-2", in(7 * DAY)); /* what it does say counts */
    look();
    assert_int_equal(standing(), 2);
    seen.partial = false;
    say_nothing();
    error_fill(&seen.notices_unknown, ERR_THROTTLED, "throttle", "", "%s", "too many calls");
    look();
    assert_int_equal(standing(), 2);
    seen.notices_unknown = (struct error){0};
    look();
    assert_int_equal(standing(), 0);
}

static void a_notice_ends_with_its_machine(void **state)
{
    (void)state;
    machines(1);
    say("i-1", "event-1", in(HOUR));
    look();
    run("UPDATE instances SET phase = 'terminated'");
    look();
    assert_int_equal(standing(), 0);
}

static void notices_go_with_the_details_of_their_instance(void **state)
{
    (void)state;
    struct error err = {0};
    int64_t count = 0;
    machines(2);
    say("i-1", "event-1", in(HOUR));
    say("i-2", "event-1", in(HOUR));
    look();
    run("UPDATE instances SET phase = 'terminated', terminated_at = now() - interval '91 days' "
        "WHERE cloud_ref = 'i-1'");
    assert_ok(retention_forget(stage.db, 90, "tidier", &count, &err));
    assert_int_equal(count, 1);
    assert_string_equal(the_only().ref, "i-2");
}

/* ---- whose ----------------------------------------------------------------------------------- */

static void notices_of_machines_without_a_row_are_left_aside(void **state)
{
    (void)state;
    machines(1);
    say("i-2", "event-1", in(HOUR));
    say("", "event-1", in(HOUR));
    look();
    OWNED(notice_row_list_done) struct notice_row_list list = stored(true);
    assert_int_equal(list.count, 0);
}

static void a_machine_of_another_account_is_another_machine(void **state)
{
    (void)state;
    machines(1);
    run("INSERT INTO accounts (id, project, name, driver, spec) SELECT gen_random_uuid(), project, "
        "'east', driver, jsonb_set(spec, '{name}', '\"east\"') FROM accounts;"
        "UPDATE instances SET account = 'east'");
    say("i-1", "event-1", in(HOUR));
    look();
    assert_int_equal(standing(), 0);
    run("UPDATE instances SET account = 'cloud'");
    look();
    run("UPDATE notices SET account = 'east'");
    say_nothing();
    look(); /* and what another account's list names is not for this one to end */
    assert_int_equal(standing(), 1);
}

static void one_event_of_two_machines_is_two_notices(void **state)
{
    (void)state;
    machines(2);
    say("i-1", "event-1", in(HOUR));
    say("i-2", "event-1", in(2 * HOUR));
    look();
    assert_int_equal(standing(), 2);
}

static void of_one_event_said_twice_the_earlier_date_counts(void **state)
{
    (void)state;
    machines(1);
    const struct moment earlier = in(HOUR);
    say("i-1", "event-1", in(2 * HOUR));
    say("i-1", "event-1", earlier);
    say("i-1", "event-1", in(3 * HOUR));
    look();
    look();
    assert_int_equal(the_only().begins.us, earlier.us);
    assert_int_equal(the_only().changes, 0);
}

/* An older release beside this one writes down no fleet. */
static void a_notice_without_its_fleet_gets_it_with_the_next_look(void **state)
{
    (void)state;
    machines(1);
    say("i-1", "event-1", in(HOUR));
    look();
    run("UPDATE notices SET fleet = ''");
    look();
    assert_string_equal(the_only().fleet, "web");
    assert_told("given", 1);
}

/* ---- at once --------------------------------------------------------------------------------- */

enum { LOOKERS = 4, LOOKS = 10 };

static void *look_often(void *error)
{
    struct error *err = error;
    OWNED(db_drop) struct db *db = NULL;
    struct crew crew = {.settings = &stage.settings};
    const struct account_place place = {.project = PROJECT_DEFAULT, .name = "cloud"};
    enum outcome outcome = db_open(database_url(), &db, err);
    struct worker watch = {.crew = &crew, .db = db, .holder = "watch:test"};
    for (int i = 0; i < LOOKS && outcome == OK; i++)
        outcome = notices_look(&watch, &place, &seen, err);
    return NULL;
}

static void controllers_that_look_at_once_tell_it_once(void **state)
{
    (void)state;
    enum { COUNT = 200 };
    pthread_t lookers[LOOKERS];
    struct error errors[LOOKERS] = {0};
    machines(COUNT);
    for (int i = 1; i <= COUNT; i++) {
        char ref[32];
        snprintf(ref, sizeof ref, "i-%d", i);
        say(ref, "event-1", in(DAY));
    }
    for (size_t i = 0; i < LOOKERS; i++)
        assert_int_equal(pthread_create(&lookers[i], NULL, look_often, &errors[i]), 0);
    for (size_t i = 0; i < LOOKERS; i++) {
        pthread_join(lookers[i], NULL);
        assert_string_equal(errors[i].code, "");
    }
    assert_int_equal(standing(), COUNT);
    assert_told("given", COUNT);
    assert_told("changed", 0);
}

/* ---- hostile --------------------------------------------------------------------------------- */

static void fill(char *field, size_t size, const char *letter)
{
    memset(field, 0, size);
    for (size_t at = 0; at + strlen(letter) < size; at += strlen(letter))
        memcpy(field + at, letter, strlen(letter));
}

static void texts_of_any_length_and_letters_are_kept(void **state)
{
    (void)state;
    machines(1);
    static const char *const letters[] = {"x",        "\xe2\x82\xac",     "\"", "\\", "\x01", "\n",
                                          "\xc2\x85", "\xf0\x9f\x94\xa5", "'",  "%",  "}"};
    for (size_t i = 0; i < countof(letters); i++) {
        struct notice *said = say("i-1", "", in(HOUR));
        fill(said->event, sizeof said->event, letters[i]);
        fill(said->kind, sizeof said->kind, letters[i]);
        fill(said->status, sizeof said->status, letters[i]);
        fill(said->text, sizeof said->text, letters[i]);
    }
    look();
    look();
    OWNED(notice_row_list_done) struct notice_row_list list = stored(true);
    /* Three of the letters are control characters, of which two are one byte wide. */
    assert_int_equal(list.count, countof(letters) - 1);
    for (size_t i = 0; i < list.count; i++) {
        assert_int_equal(list.at[i].changes, 0);
        assert_true(text_is_clean(span_of_text(list.at[i].text)));
    }
}

static void dates_of_any_year_are_kept_or_say_nothing(void **state)
{
    (void)state;
    machines(1);
    static const struct {
        struct moment said, kept;
    } rows[] = {
        {{1}, {1}},
        {{-1}, {0}},
        {{INT64_MIN}, {0}},
        {{NOTICE_LATEST * 1000000}, {NOTICE_LATEST * 1000000}},
        {{(NOTICE_LATEST + 1) * 1000000}, {NOTICE_LATEST * 1000000}},
        {{INT64_MAX}, {NOTICE_LATEST * 1000000}},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        say_nothing();
        struct notice *said = say("i-1", "event-1", rows[i].said);
        said->not_after = said->deadline = rows[i].said;
        look();
        const struct notice_row row = the_only();
        assert_int_equal(row.not_before.us, rows[i].kept.us);
        assert_int_equal(row.not_after.us, rows[i].kept.us);
        assert_int_equal(row.deadline.us, rows[i].kept.us);
        if (rows[i].kept.us == 0)
            assert_int_equal(row.begins.us, row.first_seen.us);
    }
}

/* The measured 100,000 take their time: this is enough to see that a look does not ask one by one,
 * and that nothing grows with the square of it. */
static void notices_of_a_whole_region_are_heard_and_then_nothing_is_written(void **state)
{
    (void)state;
    enum { COUNT = 20 * 1000 };
    const struct moment when = in(7 * DAY);
    machines(COUNT);
    for (int i = 1; i <= COUNT; i++) {
        char ref[32];
        snprintf(ref, sizeof ref, "i-%d", i);
        say(ref, "event-1", when);
    }
    look();
    assert_int_equal(metric_get(METRIC_NOTICES), COUNT);
    assert_told("given", COUNT);
    run("CREATE TEMP TABLE as_written AS SELECT id, xmin::text AS writer, xmax::text AS locker "
        "FROM notices");
    look();
    assert_sql("NOT EXISTS (SELECT FROM notices n JOIN as_written w USING (id) WHERE "
               "(n.xmin::text, n.xmax::text) <> (w.writer, w.locker))");
    run("DROP TABLE as_written");
    say_nothing();
    look();
    assert_int_equal(metric_get(METRIC_NOTICES), 0);
}

/* What is beyond the bound may only have been cut off. */
static void from_a_list_longer_than_is_heard_nothing_ends(void **state)
{
    (void)state;
    machines(1);
    say("i-1", "event-1", in(DAY));
    look();
    say_nothing();
    for (int i = 0; i < NOTICES_MOST; i++)
        say("i-of-somebody", "event-1", in(DAY));
    say("i-1", "event-1", in(DAY));
    look();
    assert_int_equal(standing(), 1);
    assert_int_equal(the_only().changes, 0); /* for it was not heard */
    seen.notices.count--;
    look();
    assert_int_equal(standing(), 0);
}

static void of_one_machine_only_so_many_are_heard_and_kept(void **state)
{
    (void)state;
    machines(1);
    for (int round = 0; round < 4; round++) {
        say_nothing();
        for (int i = 0; i < 1000; i++) {
            char event[32];
            snprintf(event, sizeof event, "event-%d-%d", round, i);
            say("i-1", event, in(HOUR + i));
        }
        look();
        assert_int_equal(standing(), NOTICES_OF_MACHINE);
    }
    say_nothing();
    look();
    OWNED(notice_row_list_done) struct notice_row_list list = stored(true);
    assert_int_equal(list.count, NOTICES_OF_MACHINE);
}

static void a_cloud_that_keeps_changing_its_mind_is_heard_once_an_hour(void **state)
{
    (void)state;
    machines(1);
    for (int i = 0; i < 100; i++) {
        say_nothing();
        say("i-1", "event-1", in(DAY + i));
        look();
    }
    assert_int_equal(the_only().changes, NOTICE_CHANGES);
    assert_told("changed", NOTICE_CHANGES);
    run("UPDATE notices SET changed = changed - interval '61 minutes'");
    look();
    assert_int_equal(the_only().changes, NOTICE_CHANGES + 1);
    assert_int_equal(the_only().begins.us, seen.notices.at[0].not_before.us);
}

/* One that comes and goes stands: to believe that it is over is the worse mistake. */
static void a_notice_that_comes_and_goes_stands_meanwhile(void **state)
{
    (void)state;
    machines(1);
    for (int i = 0; i < 100; i++) {
        say_nothing();
        if (i % 2 == 0)
            say("i-1", "event-1", in(DAY));
        look();
    }
    assert_int_equal(standing(), 1);
    assert_told("ended", NOTICE_CHANGES / 2);
    run("UPDATE notices SET changed = changed - interval '61 minutes'");
    look();
    assert_int_equal(standing(), 0);
}

/* ---- told ------------------------------------------------------------------------------------ */

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

static void assert_alarms(int64_t near, int64_t begins)
{
    assert_int_equal(alarms("maintenance-near"), near);
    assert_int_equal(alarms("maintenance-begins"), begins);
    assert_int_equal(metric_get(METRIC_NOTICES_NEAR), near + begins);
}

static void assert_rungs(int64_t planned, int64_t week, int64_t near, int64_t begins)
{
    assert_int_equal(alarms("maintenance-planned"), planned);
    assert_int_equal(alarms("maintenance-week"), week);
    assert_alarms(near, begins);
}

/* R167: fourteen days, seven, two, four hours; one rung at a time. */
static void the_alarm_gets_louder_as_maintenance_comes_nearer(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds, planned, week, near, begins;
    } rows[] = {
        {14 * DAY + HOUR, 0, 0, 0, 0}, {14 * DAY - HOUR, 1, 0, 0, 0}, {7 * DAY + HOUR, 1, 0, 0, 0},
        {7 * DAY - HOUR, 0, 1, 0, 0},  {49 * HOUR, 0, 1, 0, 0},       {47 * HOUR, 0, 0, 1, 0},
        {5 * HOUR, 0, 0, 1, 0},        {3 * HOUR, 0, 0, 0, 1},        {-DAY, 0, 0, 0, 1},
        {-1000 * DAY, 0, 0, 0, 1},
    };
    machines(1);
    for (size_t i = 0; i < countof(rows); i++) {
        say_nothing();
        say("i-1", "event-1", in(rows[i].seconds));
        look();
        assert_rungs(rows[i].planned, rows[i].week, rows[i].near, rows[i].begins);
        run("DELETE FROM notices"); /* whose changes are heard so often only */
    }
    say_nothing();
    say("i-1", "event-1", (struct moment){0}); /* without a date it may begin now */
    look();
    assert_alarms(0, 1);
}

static void machines_that_are_no_longer_there_raise_no_alarm(void **state)
{
    (void)state;
    machines(1);
    say("i-1", "event-1", in(47 * HOUR));
    look();
    assert_alarms(1, 0);
    static const char *const away[] = {
        "UPDATE instances SET wanted = 'gone'",
        "UPDATE instances SET wanted = 'run', phase = 'stopped'",
        "UPDATE instances SET phase = 'stopping'",
        "UPDATE instances SET phase = 'terminating'",
        "UPDATE instances SET phase = 'running'; UPDATE notices SET not_after = now()",
    };
    for (size_t i = 0; i < countof(away); i++) {
        seen.partial = true;
        run(away[i]);
        if (i == countof(away) - 1)
            seen.notices.at[0].not_after = in(-HOUR);
        look();
        assert_alarms(0, 0);
    }
    seen.partial = false;
}

static void a_fleets_sum_names_the_next(void **state)
{
    (void)state;
    struct error err = {0};
    struct notice_sum sum;
    machines(3);
    const struct moment next = in(DAY);
    say("i-1", "event-1", in(2 * DAY));
    say("i-2", "event-1", next);
    say("i-2", "event-2", in(3 * DAY));
    look();
    assert_ok(notice_store_of_fleet(stage.db, PROJECT_DEFAULT, "web", &sum, &err));
    assert_int_equal(sum.count, 3);
    assert_int_equal(sum.instances, 2);
    assert_int_equal(sum.next.us, next.us);
    assert_ok(notice_store_of_fleet(stage.db, PROJECT_DEFAULT, "other", &sum, &err));
    assert_int_equal(sum.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEARD(a_notice_is_written_down_once),
        HEARD(a_moved_window_is_a_change_with_its_history),
        HEARD(what_a_whole_list_does_not_name_has_ended_and_may_come_again),
        HEARD(from_a_list_that_is_not_whole_nothing_ends),
        HEARD(a_notice_ends_with_its_machine),
        HEARD(notices_go_with_the_details_of_their_instance),
        HEARD(notices_of_machines_without_a_row_are_left_aside),
        HEARD(a_machine_of_another_account_is_another_machine),
        HEARD(one_event_of_two_machines_is_two_notices),
        HEARD(a_notice_without_its_fleet_gets_it_with_the_next_look),
        HEARD(of_one_event_said_twice_the_earlier_date_counts),
        HEARD(texts_of_any_length_and_letters_are_kept),
        HEARD(dates_of_any_year_are_kept_or_say_nothing),
        HEARD(notices_of_a_whole_region_are_heard_and_then_nothing_is_written),
        HEARD(from_a_list_longer_than_is_heard_nothing_ends),
        HEARD(of_one_machine_only_so_many_are_heard_and_kept),
        HEARD(a_cloud_that_keeps_changing_its_mind_is_heard_once_an_hour),
        HEARD(a_notice_that_comes_and_goes_stands_meanwhile),
        HEARD(controllers_that_look_at_once_tell_it_once),
        HEARD(the_alarm_gets_louder_as_maintenance_comes_nearer),
        HEARD(machines_that_are_no_longer_there_raise_no_alarm),
        HEARD(a_fleets_sum_names_the_next),
    };
    return cmocka_run_group_tests_name("notices", tests, NULL, NULL);
}
