/* tests/invariants.sql: silent on a world that is well, and loud on each thing that must not be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/audit_store.h"
#include "db/notice_store.h"
#include "db/retention.h"
#include "tests/support/one_database.h"
#include "tests/support/fixtures.h"
#include "tests/support/test.h"

/* Everything the file prints in a world that is changed so, and put back afterwards. */
static void run(const char *mischief, struct text *out)
{
    const char *src = getenv("MUSTER_SRC");
    setenv("MISCHIEF", mischief, 1);
    setenv("DATABASE", database_url(), 1);
    setenv("RULES", src != NULL ? src : "..", 1);
    FILE *psql = popen("psql -XAtq -v ON_ERROR_STOP=1 \"$DATABASE\" -c BEGIN"
                       " -c \"SET session_replication_role = replica\" -c \"$MISCHIEF\""
                       " -f \"$RULES/tests/invariants.sql\" -c ROLLBACK 2>&1",
                       "r");
    assert_non_null(psql);
    char line[512];
    while (fgets(line, sizeof line, psql) != NULL)
        text_add(out, line);
    if (pclose(psql) != 0)
        fail_msg("psql: %s", text_str(out));
}

static void a_world_that_is_well_breaks_no_promise(void **state)
{
    (void)state;
    OWNED(text_done) struct text said = {0};
    run("SELECT 1 WHERE false", &said);
    assert_string_equal(text_str(&said), "");
}

static const struct {
    const char *mischief;
    const char *expected;
} cases[] = {
    {"DROP INDEX instances_one_cloud_ref; UPDATE instances SET cloud_ref = 'i-same'",
     "I2|two instances claim one machine"},
    {"ALTER TABLE instances DROP CONSTRAINT instances_client_token_key;"
     "UPDATE instances SET client_token = 'same'",
     "I2|a client token was used twice"},
    {"UPDATE instances SET attempt = 0", "I2|a machine without a token"},
    {"UPDATE instances SET cloud_ref = NULL", "I2|a running instance without a machine"},
    {"UPDATE verdicts SET verdict = 'rejected'", "I3|exposed without an accepting verdict"},
    {"UPDATE verdicts SET created = clock_timestamp() + interval '1 hour'",
     "I3|exposed without an accepting verdict"},
    {"UPDATE exposures SET verdict_id = gen_random_uuid()",
     "I3|exposed without an accepting verdict"},
    {"ALTER TABLE deliveries DROP CONSTRAINT deliveries_by_verdict;"
     "UPDATE deliveries SET verdict_id = NULL",
     "I3|delivered without an accepting verdict"},
    {"UPDATE deliveries SET sealing_key = sha256('thief')", "I3|sealed to a key"},
    {"DELETE FROM exposures", "I3|delivered and not in the exposure ledger"},
    {"UPDATE instances SET launch_ticket_hash = link_key", "I3|passed without using up"},
    {"UPDATE secret_versions SET instance = gen_random_uuid()", "I3|one instance holds"},
    {"UPDATE deliveries SET loaded_check = sha256('other')", "I3|loaded with another value"},
    {"INSERT INTO deliveries SELECT gen_random_uuid(), project, instance, secret, name, 0,"
     " gen_random_uuid(), state, state_since, reason, verdict_id, sealing_key, report_id, envelope,"
     " sequence, loaded_check, failures, lease_holder, lease_until, next_due, epoch, created,"
     " sent_at, loaded_at + interval '1 hour' FROM deliveries",
     "I4|an older version was loaded"},
    {"UPDATE instance_history SET epoch = 1", "I5|two changes in one epoch"},
    {"UPDATE instances SET epoch = epoch + 5", "I5|the epoch is not that of the last change"},
    {"ALTER TABLE instances DROP CONSTRAINT instances_lease_whole;"
     "UPDATE instances SET lease_holder = 'x', lease_until = NULL",
     "I5|half a lease"},
    {"DELETE FROM audit WHERE number = 3", "I6|the chain is broken at"},
    {"UPDATE audit SET hash = sha256('x') WHERE number = 2", "I6|the chain is broken at"},
    {"DELETE FROM audit WHERE verb = 'instance.trust-changed'",
     "I6|a change of state without its audit entry"},
    {"DELETE FROM instance_history WHERE machine = 'trust'",
     "I6|an audit entry of a change that is not there"},
    {"UPDATE notices SET ended = now()", "I6|a notice that does not stand as its history"},
    {"UPDATE notices SET not_before = now()", "I6|a notice that does not stand as its history"},
    {"DELETE FROM notice_history", "I6|a notice that does not stand as its history"},
    {"UPDATE notice_history SET change = 'changed'", "I6|a change of a notice without its audit"},
    {"DELETE FROM audit WHERE verb = 'notice.given'", "I6|a change of a notice without its audit"},
    {"UPDATE instance_history SET from_state = 'stopped' WHERE from_state = 'booting'",
     "I6|a change does not begin where"},
    {"UPDATE instances SET phase = 'draining'", "I6|the row is not in the state"},
    {"DELETE FROM audit WHERE verb = 'delivery.loaded'",
     "I6|a delivery whose state nobody audited"},
    {"UPDATE instances SET verdict_id = gen_random_uuid()", "I9|trusted without an accepting"},
    {"DROP INDEX instances_link_key; UPDATE instances SET link_key = sha256('thief')",
     "I9|trusted with another key"},
    {"ALTER TABLE instance_history DROP CONSTRAINT instance_history_audit_key;"
     "UPDATE instance_history SET audit = 1",
     "I6|one audit entry for two changes"},
    {"UPDATE verdicts SET valid_until = valid_until - interval '2 hours';"
     "UPDATE instances SET valid_until = valid_until - interval '2 hours'",
     "I9|trusted although its verdict ran out"},
    {"UPDATE instances SET level = 3", "I9|a level that no verdict gave"},
    {"UPDATE instances SET simulated = false", "I9|simulated, and not shown"},
    {"ALTER TABLE deliveries DROP CONSTRAINT deliveries_envelope_gone;"
     "UPDATE deliveries SET envelope = 'x'",
     "I11|an envelope was left behind"},
    {"UPDATE secret_versions SET state = 'destroyed'", "I11|a destroyed version still"},
};

static void each_broken_promise_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(cases); i++) {
        OWNED(text_done) struct text said = {0};
        run(cases[i].mischief, &said);
        if (strstr(text_str(&said), cases[i].expected) == NULL)
            fail_msg("%s: expected '%s', heard '%s'", cases[i].mischief, cases[i].expected,
                     text_str(&said));
    }
}

static void what_was_forgotten_breaks_no_promise(void **state)
{
    (void)state;
    struct error err = {0};
    int64_t count = 0;
    OWNED(text_done) struct text said = {0};
    OWNED(instance_list_done) struct instance_list list = {0};
    char cursor[CURSOR_SIZE];
    const struct instance_filter filter = {.project = PROJECT_DEFAULT, .limit = 1};
    const struct instance_step steps[] = {{.event = EVENT_TERMINATE}, {.event = EVENT_GONE}};
    assert_ok(instance_store_list(db, &filter, &list, cursor, &err));
    for (size_t i = 0; i < countof(steps); i++)
        assert_ok(instance_store_note(db, &list.at[0].id, &steps[i], "test", NULL, &err));
    assert_ok(db_script(db,
                        "UPDATE instances SET terminated_at = terminated_at - interval '1 year'"
                        " WHERE phase = 'terminated'",
                        &err));
    assert_ok(retention_forget(db, 90, "tidier", &count, &err));
    assert_int_equal(count, 1);
    run("SELECT 1 WHERE false", &said);
    assert_string_equal(text_str(&said), "");
}

static void give_notice(const struct instance *row)
{
    struct error err;
    struct account_place place = {.project = PROJECT_DEFAULT};
    struct notice_changes changes;
    OWNED(text_done) struct text said = {0};
    snprintf(place.name, sizeof place.name, "%s", row->account);
    text_addf(&said, "[{\"ref\": \"%s\", \"kind\": \"stop\", \"is_ours_to_time\": false}]",
              row->cloud_ref);
    const struct notice_look look = {.place = &place, .said = text_str(&said)};
    assert_ok(notice_store_look(db, &look, "watch:test", &changes, &err));
    assert_int_equal(changes.given, 1);
}

static int open_it(void **state)
{
    (void)state;
    struct error err;
    one_database_open(state);
    fixture_secret(db, "tls-key");
    struct fleet fleet = fixture_fleet_with(db, "web", "tls-key");
    fleet_done(&fleet);
    for (uint8_t i = 1; i <= 2; i++) {
        struct instance row = fixture_running(db, "web");
        OWNED(verdict_row_done)
        struct verdict_row verdict = fixture_verdict(db, &row.id, true, i, 3600, NULL);
        OWNED(delivery_done)
        struct delivery delivery = fixture_delivery(db, &row.id, DELIVERY_LOADED);
        give_notice(&row);
    }
    for (int64_t sealed = 1; sealed > 0;)
        assert_ok(audit_store_seal(db, &sealed, &err));
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_world_that_is_well_breaks_no_promise),
        cmocka_unit_test(each_broken_promise_is_found),
        cmocka_unit_test(what_was_forgotten_breaks_no_promise),
    };
    return cmocka_run_group_tests(tests, open_it, one_database_close);
}
