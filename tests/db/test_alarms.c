/* Alarms are drawn from the rows: each begins with its cause, ends with it, and is told to whom it
 * concerns. */
#include "controller/alarms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/audit_store.h"
#include "lib/base/metrics.h"
#include "tests/support/ask.h"
#include "tests/support/test.h"

static void sql(const char *text)
{
    struct error err = {0};
    assert_ok(db_script(ask_db, text, &err));
}

static int calm(void **state)
{
    int64_t sealed = 0;
    struct error err = {0};
    assert_ok(audit_store_seal(ask_db, &sealed, &err));
    sql("TRUNCATE instances, keepers, charters, endorsements CASCADE");
    return ask_quiet(state);
}

/* The one alarm that stands, as the API tells it. */
static struct told sole(const char *code, const char *severity, const char *object)
{
    struct told told = ask_as(CALLER_VIEWER, "GET", "/v1/alarms", NULL);
    assert_told(told, 200);
    const json_t *alarm = json_array_get(json_object_get(told.body, "items"), 0);
    assert_int_equal(json_integer_value(json_object_get(told.body, "total")), 1);
    assert_string_equal(told_member(alarm, "code"), code);
    assert_string_equal(told_member(alarm, "severity"), severity);
    assert_string_equal(told_member(alarm, "object"), object);
    assert_true(strlen(told_member(alarm, "since")) > 0);
    return told;
}

static void stands(const char *code, const char *severity, const char *object)
{
    struct told told = sole(code, severity, object);
    told_done(&told);
}

static void none_stands(void)
{
    OWNED(told_done) struct told told = ask("GET", "/v1/alarms", NULL);
    assert_told(told, 200);
    assert_int_equal(json_array_size(json_object_get(told.body, "items")), 0);
    assert_int_equal(json_integer_value(json_object_get(told.body, "total")), 0);
}

/* ---- one by one ------------------------------------------------------------------------------ */

#define KEEPER(boot, certificate, seconds)                                                         \
    "INSERT INTO keepers (boot_id, name, realm, certificate, interval_seconds, last_seen) "        \
    "VALUES ('\\x" boot "', 'k" certificate "', 'simulation', sha256('" certificate "'), 10, "     \
    "clock_timestamp() - interval '" seconds " seconds')"

static void a_keeper_is_silent_after_two_of_its_intervals(void **state)
{
    (void)state;
    sql(KEEPER("0000000000000001", "a", "18"));
    none_stands();
    sql("UPDATE keepers SET last_seen = last_seen - interval '3 seconds'");
    stands("keeper-silent", "warning", "keeper:ka");
    sql(KEEPER("0000000000000002", "a", "0")); /* started anew */
    none_stands();
}

static void without_any_keeper_instances_wait(void **state)
{
    (void)state;
    none_stands();
    ask_instance("web");
    stands("no-keeper", "critical", "keepers");
    sql(KEEPER("0000000000000001", "a", "0"));
    none_stands();
    sql("UPDATE keepers SET last_seen = last_seen - interval '21 seconds'");
    OWNED(told_done) struct told both = ask("GET", "/v1/alarms", NULL);
    const json_t *items = json_object_get(both.body, "items");
    assert_int_equal(json_array_size(items), 2);
    assert_string_equal(told_member(json_array_get(items, 0), "code"), "no-keeper");
    assert_string_equal(told_member(json_array_get(items, 1), "code"), "keeper-silent");
    sql("UPDATE instances SET phase = 'terminated'");
    stands("keeper-silent", "warning", "keeper:ka");
}

#define CHARTER(project, serial, rest)                                                             \
    "INSERT INTO charters (id, project, serial, realm, issued, expires, jws, active) VALUES "      \
    "(gen_random_uuid(), '" project "', " serial ", 'simulation', clock_timestamp(), "             \
    "clock_timestamp() + interval '" rest "', '', true)"

static void a_charter_is_told_of_before_and_after_its_end(void **state)
{
    (void)state;
    sql(CHARTER("default", "7", "8 days"));
    none_stands();
    sql("UPDATE charters SET expires = expires - interval '2 days'");
    stands("charter-expiring", "warning", "charter:7");
    sql("UPDATE charters SET expires = expires - interval '7 days'");
    stands("charter-expired", "critical", "charter:7");
    sql("UPDATE charters SET active = false");
    sql(CHARTER("default", "8", "30 days"));
    none_stands();
}

#define ENDORSEMENT(name, what, age, dates)                                                        \
    "INSERT INTO endorsements (name, what, line, source, content, created, checked, "              \
    "this_update, next_update) VALUES ('" name "', '" what "', 'Milan', 'import', 'x', "           \
    "clock_timestamp() - interval '" age "', clock_timestamp(), " dates ")"

static void a_line_in_use_has_a_list_that_is_not_due(void **state)
{
    (void)state;
    sql(ENDORSEMENT("Milan-vcek-chain", "chain", "9 minutes", "NULL, NULL"));
    none_stands(); /* its list is being fetched */
    sql("UPDATE endorsements SET created = created - interval '2 minutes'");
    stands("revocation-list-old", "warning", "endorsement:Milan-crl");
    sql(ENDORSEMENT("Milan-crl", "crl", "0 s",
                    "clock_timestamp(), clock_timestamp() + interval '1 minute'"));
    none_stands();
    sql("UPDATE endorsements SET next_update = clock_timestamp() WHERE what = 'crl'");
    stands("revocation-list-old", "warning", "endorsement:Milan-crl");
}

static void the_audit_trail_is_chained_within_a_minute(void **state)
{
    (void)state;
    sql("INSERT INTO audit (at, actor, verb, object) VALUES "
        "(clock_timestamp() - interval '59 seconds', 'test', 'test.done', 'x')");
    none_stands();
    calm(state);
    sql("INSERT INTO audit (at, actor, verb, object) VALUES "
        "(clock_timestamp() - interval '61 seconds', 'test', 'test.done', 'x')");
    stands("audit-behind", "warning", "audit");
    calm(state);
    none_stands();
}

/* ---- all of them ----------------------------------------------------------------------------- */

static void what_is_another_projects_is_not_told(void **state)
{
    (void)state;
    sql("INSERT INTO projects (name) VALUES ('other') ON CONFLICT DO NOTHING");
    sql(CHARTER("other", "7", "1 hour"));
    none_stands();
    sql(CHARTER("default", "9", "1 hour"));
    stands("charter-expiring", "warning", "charter:9");
}

static void no_code_hides_another_and_the_number_is_told(void **state)
{
    (void)state;
    sql("INSERT INTO keepers (boot_id, name, realm, certificate, last_seen) "
        "SELECT substr(sha256(n::text::bytea), 1, 8), 'k' || n, 'simulation', "
        "sha256(n::text::bytea), "
        "'2020-01-01' FROM generate_series(1, 300) n");
    sql(CHARTER("default", "7", "1 hour"));
    OWNED(told_done) struct told told = ask("GET", "/v1/alarms", NULL);
    const json_t *items = json_object_get(told.body, "items");
    size_t charters = 0, i;
    const json_t *item;
    json_array_foreach (items, i, item)
        charters += strcmp(told_member(item, "code"), "charter-expiring") == 0;
    assert_int_equal(json_array_size(items), ALARMS_MOST);
    assert_int_equal(charters, 1);
    assert_int_equal(json_integer_value(json_object_get(told.body, "total")), 301);
}

static void a_fleets_status_tells_what_is_everybodys(void **state)
{
    (void)state;
    ask_does("POST", "/v1/fleets", FLEET("web", "1"), 201);
    sql(CHARTER("default", "7", "1 hour"));
    OWNED(told_done) struct told told = ask("GET", "/v1/fleets/web/status", NULL);
    assert_told(told, 200);
    assert_int_equal(json_array_size(json_object_get(told.body, "alarms")), 1);
}

static bool metrics_say(const char *line)
{
    OWNED(text_done) struct text page = {0};
    metrics_print(&page);
    return strstr(text_str(&page), line) != NULL;
}

static void the_clock_tells_of_each_as_it_begins_and_ends(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(alarms_done) struct alarm_watch watch = {0};
    sql(CHARTER("default", "7", "1 hour"));
    assert_ok(alarms_look(&watch, ask_db, "test:clock", &err));
    assert_true(metrics_say("muster_alarms{code=\"charter-expiring\"} 1\n"));
    assert_int_equal(watch.told.count, 1);
    sql("TRUNCATE charters");
    assert_ok(alarms_look(&watch, ask_db, "test:clock", &err));
    assert_true(metrics_say("muster_alarms{code=\"charter-expiring\"} 1\n")); /* not so soon */
    watch.next_ms = 0;
    assert_ok(alarms_look(&watch, ask_db, "test:clock", &err));
    assert_true(metrics_say("muster_alarms{code=\"charter-expiring\"} 0\n"));
    assert_int_equal(watch.told.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_keeper_is_silent_after_two_of_its_intervals, calm),
        cmocka_unit_test_setup(without_any_keeper_instances_wait, calm),
        cmocka_unit_test_setup(a_charter_is_told_of_before_and_after_its_end, calm),
        cmocka_unit_test_setup(a_line_in_use_has_a_list_that_is_not_due, calm),
        cmocka_unit_test_setup(the_audit_trail_is_chained_within_a_minute, calm),
        cmocka_unit_test_setup(what_is_another_projects_is_not_told, calm),
        cmocka_unit_test_setup(no_code_hides_another_and_the_number_is_told, calm),
        cmocka_unit_test_setup(a_fleets_status_tells_what_is_everybodys, calm),
        cmocka_unit_test_setup(the_clock_tells_of_each_as_it_begins_and_ends, calm),
    };
    return cmocka_run_group_tests(tests, ask_open, ask_close);
}
