/* Freshness is what is stored, and time: no clock of a controller runs here, and yet nothing is
 * shown as trusted a moment longer than its verdict is good for (I9). A fleet's objective is
 * counted by the database, and since when it is missed is written down. */
#include "controller/alarms.h"

#include <stdlib.h>
#include <string.h>

#include "db/audit_store.h"
#include "db/fleet_store.h"
#include "tests/support/ask.h"
#include "tests/support/test.h"

static void sql(const char *text)
{
    struct error err = {0};
    assert_ok(db_script(ask_db, text, &err));
}

static int empty(void **state)
{
    sql("TRUNCATE instances, fleets, keepers CASCADE");
    return ask_quiet(state);
}

static json_int_t number(const json_t *object, const char *member)
{
    const json_t *value = json_object_get(object, member);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

static struct told see(const struct instance *instance)
{
    char path[64];
    snprintf(path, sizeof path, "/v1/instances/%s", uuid_text(&instance->id).at);
    struct told told = ask("GET", path, NULL);
    assert_told(told, 200);
    return told;
}

static size_t listed(const char *query)
{
    char path[128];
    snprintf(path, sizeof path, "/v1/instances?%s", query);
    OWNED(told_done) struct told told = ask("GET", path, NULL);
    assert_told(told, 200);
    return json_array_size(json_object_get(told.body, "items"));
}

static void the_last_verdict_is_shown_with_its_time_age_and_reason(void **state)
{
    (void)state;
    const struct instance made = ask_instance("web");
    OWNED(told_done) struct told before = see(&made);
    assert_null(json_object_get(before.body, "verdict"));
    assert_null(json_object_get(before.body, "verified_at"));
    assert_string_equal(told_member(before.body, "trust"), "unknown");
    ask_verdict(&made);
    sql("UPDATE instances SET renew_at = clock_timestamp() + interval '5 minutes'");
    OWNED(told_done) struct told after = see(&made);
    assert_string_equal(told_member(after.body, "trust"), "trusted");
    assert_string_equal(told_member(after.body, "verdict"), "trusted");
    assert_string_equal(told_member(after.body, "verdict_reason"), "ok");
    assert_true(strlen(told_member(after.body, "verified_at")) > 0);
    assert_true(strlen(told_member(after.body, "valid_until")) > 0);
    assert_true(strlen(told_member(after.body, "renew_at")) > 0);
    assert_in_range(number(after.body, "verdict_age_seconds"), 29, 90);
    assert_null(json_object_get(after.body, "stale_seconds"));
}

/* The row still says trusted: nobody has written down that it ran out. */
static void time_alone_makes_stale_although_no_clock_runs(void **state)
{
    (void)state;
    ask_does("POST", "/v1/fleets", FLEET("web", "1"), 201);
    const struct instance made = ask_instance("web");
    ask_verdict(&made);
    sql("UPDATE verdicts SET valid_until = clock_timestamp() - interval '40 seconds'");
    sql("UPDATE instances SET phase = 'running', valid_until = clock_timestamp() - interval '40 "
        "seconds', "
        "renew_at = clock_timestamp() - interval '3 minutes'");
    OWNED(told_done) struct told told = see(&made);
    assert_string_equal(told_member(told.body, "trust"), "stale");
    assert_string_equal(told_member(told.body, "trust_reason"), "verdict-expired");
    assert_string_equal(told_member(told.body, "trust_since"),
                        told_member(told.body, "valid_until"));
    assert_in_range(number(told.body, "stale_seconds"), 40, 100);
    assert_null(json_object_get(told.body, "renew_at"));
    assert_int_equal(listed("trust=trusted"), 0);
    assert_int_equal(listed("trust=stale"), 1);
    assert_int_equal(listed("reason=verdict-expired"), 1);
    OWNED(told_done) struct told fleet = ask("GET", "/v1/fleets/web/status", NULL);
    assert_told(fleet, 200);
    const json_t *trust = json_object_get(fleet.body, "trust");
    const json_t *reasons = json_object_get(json_object_get(fleet.body, "reasons"), "trust");
    assert_int_equal(number(trust, "trusted"), 0);
    assert_int_equal(number(trust, "stale"), 1);
    assert_int_equal(number(reasons, "verdict-expired"), 1);
    assert_true(json_is_null(json_object_get(fleet.body, "oldest_verdict_age_seconds")));
}

static void a_stale_one_is_never_unknown_and_says_for_how_long(void **state)
{
    (void)state;
    struct error err = {0};
    int64_t expired = 0;
    const struct instance made = ask_instance("web");
    ask_verdict(&made);
    sql("UPDATE verdicts SET valid_until = clock_timestamp() - interval '400 days'");
    sql("UPDATE instances SET valid_until = clock_timestamp() - interval '400 days'");
    assert_ok(instance_store_expire(ask_db, 10, "test", &expired, &err));
    assert_int_equal(expired, 1);
    OWNED(told_done) struct told told = see(&made);
    assert_string_equal(told_member(told.body, "trust"), "stale");
    assert_int_equal(number(told.body, "stale_seconds") / 86400, 400);
}

/* ---- objectives ------------------------------------------------------------------------------ */

#define OBJECTIVE(percent)                                                                         \
    "{\"objective\":{\"verified_percent\":" percent ",\"within_seconds\":300}}"

/* Ten that run; so many of them verified half a minute ago. */
static void ten_of(size_t verified)
{
    ask_does("POST", "/v1/fleets", FLEET("web", "10"), 201);
    for (size_t i = 0; i < 10; i++) {
        const struct instance made = ask_instance("web");
        if (i < verified)
            ask_verdict(&made);
    }
    sql("UPDATE instances SET phase = 'running'");
}

static struct told status(void)
{
    struct told told = ask("GET", "/v1/fleets/web/status", NULL);
    assert_told(told, 200);
    return told;
}

static void look(void)
{
    int64_t changed;
    struct error err = {0};
    assert_ok(fleet_store_look_at_objectives(ask_db, "clock:test", &changed, &err));
}

static void assert_objective(json_int_t verified, json_int_t of, bool met)
{
    OWNED(told_done) struct told told = status();
    const json_t *objective = json_object_get(told.body, "objective");
    assert_int_equal(number(objective, "verified"), verified);
    assert_int_equal(number(objective, "of"), of);
    assert_true(json_is_true(json_object_get(objective, "met")) == met);
}

static void a_fleet_shows_how_much_of_it_is_verified_within_its_time(void **state)
{
    (void)state;
    ten_of(9);
    OWNED(told_done) struct told none = status();
    assert_true(json_is_null(json_object_get(none.body, "objective")));
    assert_int_equal(number(none.body, "never_verified"), 1);
    ask_does("PUT", "/v1/fleets/web", OBJECTIVE("90"), 200);
    assert_objective(9, 10, true);
    ask_does("PUT", "/v1/fleets/web", OBJECTIVE("90.1"), 200);
    assert_objective(9, 10, false);
    /* What was verified too long ago counts no more, however long its verdict is good for. */
    sql("UPDATE instances SET verified_at = verified_at - interval '270 seconds' "
        "WHERE id IN (SELECT id FROM instances WHERE verdict_id IS NOT NULL ORDER BY id LIMIT 3)");
    assert_objective(6, 10, false);
    /* Nor does what is on its way, or over. */
    sql("UPDATE instances SET phase = 'booting' WHERE verdict_id IS NULL");
    sql("UPDATE instances SET phase = 'terminated' "
        "WHERE verified_at < clock_timestamp() - interval '300 seconds'");
    assert_objective(6, 6, true);
    ask_does("PUT", "/v1/fleets/web", "{\"objective\":null}", 200);
    OWNED(told_done) struct told again = status();
    assert_true(json_is_null(json_object_get(again.body, "objective")));
}

static size_t alarms_of_fleet(void)
{
    OWNED(told_done) struct told told = status();
    const json_t *alarms = json_object_get(told.body, "alarms");
    size_t i, count = 0;
    const json_t *alarm;
    json_array_foreach (alarms, i, alarm)
        count += strcmp(told_member(alarm, "code"), "freshness-objective-missed") == 0;
    return count;
}

static size_t audited(const char *verb)
{
    struct error err = {0};
    OWNED(audit_entry_list_done) struct audit_entry_list list = {0};
    size_t count = 0;
    assert_ok(audit_store_trace(ask_db, "fleet:web", 100, &list, &err));
    for (size_t i = 0; i < list.count; i++)
        count += strcmp(list.at[i].verb, verb) == 0;
    return count;
}

static void a_missed_objective_is_written_down_and_alarmed_after_a_minute(void **state)
{
    (void)state;
    size_t missed = audited("fleet.objective-missed"), met = audited("fleet.objective-met");
    ten_of(9);
    ask_does("PUT", "/v1/fleets/web", OBJECTIVE("95"), 200);
    look();
    look(); /* every controller's clock, again and again: it is missed once */
    assert_int_equal(audited("fleet.objective-missed"), missed + 1);
    assert_int_equal(alarms_of_fleet(), 0); /* it may pass */
    sql("UPDATE fleets SET objective_missed_since = objective_missed_since - interval '61 "
        "seconds'");
    look();
    assert_int_equal(alarms_of_fleet(), 1);
    OWNED(told_done) struct told told = status();
    const json_t *objective = json_object_get(told.body, "objective");
    assert_true(strlen(told_member(objective, "missed_since")) > 0);
    sql("UPDATE instances SET phase = 'terminated' WHERE verdict_id IS NULL");
    look();
    assert_int_equal(alarms_of_fleet(), 0);
    assert_int_equal(audited("fleet.objective-met"), met + 1);
    OWNED(told_done) struct told after = status();
    assert_true(
        json_is_null(json_object_get(json_object_get(after.body, "objective"), "missed_since")));
}

static void another_objective_is_missed_anew(void **state)
{
    (void)state;
    ten_of(5);
    ask_does("PUT", "/v1/fleets/web", OBJECTIVE("95"), 200);
    look();
    sql("UPDATE fleets SET objective_missed_since = objective_missed_since - interval '1 hour'");
    assert_int_equal(alarms_of_fleet(), 1);
    ask_does("PUT", "/v1/fleets/web", "{\"desired\":11}", 200);
    assert_int_equal(alarms_of_fleet(), 1);
    ask_does("PUT", "/v1/fleets/web", OBJECTIVE("96"), 200);
    assert_int_equal(alarms_of_fleet(), 0);
    look();
    assert_int_equal(alarms_of_fleet(), 0);
}

static void a_fleet_of_nothing_meets_its_objective(void **state)
{
    (void)state;
    ask_does("POST", "/v1/fleets", FLEET("web", "0"), 201);
    ask_does("PUT", "/v1/fleets/web", OBJECTIVE("100"), 200);
    look();
    assert_objective(0, 0, true);
    OWNED(told_done) struct told told = status();
    assert_true(
        json_is_null(json_object_get(json_object_get(told.body, "objective"), "missed_since")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_last_verdict_is_shown_with_its_time_age_and_reason, empty),
        cmocka_unit_test_setup(time_alone_makes_stale_although_no_clock_runs, empty),
        cmocka_unit_test_setup(a_stale_one_is_never_unknown_and_says_for_how_long, empty),
        cmocka_unit_test_setup(a_fleet_shows_how_much_of_it_is_verified_within_its_time, empty),
        cmocka_unit_test_setup(a_missed_objective_is_written_down_and_alarmed_after_a_minute,
                               empty),
        cmocka_unit_test_setup(another_objective_is_missed_anew, empty),
        cmocka_unit_test_setup(a_fleet_of_nothing_meets_its_objective, empty),
    };
    return cmocka_run_group_tests(tests, ask_open, ask_close);
}
