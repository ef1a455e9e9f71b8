/* What is long over loses its details, and nothing that others rest on. */
#include "db/retention.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/database.h"
#include "tests/support/fixtures.h"
#include "tests/support/test.h"

static struct db *db;

static int64_t number_of(const char *table, const char *where, const struct uuid *id)
{
    struct error err = {0};
    OWNED(text_done) struct text script = {0};
    OWNED(rows_drop) struct rows *rows = NULL;
    text_addf(&script,
              "DELETE FROM settings; INSERT INTO settings (key, value)"
              " SELECT 'n', jsonb_build_object('n', count(*)) FROM %s WHERE %s = '%s'",
              table, where, uuid_text(id).at);
    assert_ok(db_script(db, text_str(&script), &err));
    assert_ok(db_run(db, SQL_SETTING_FIND, PARAMS(p_text("n")), &rows, &err));
    OWNED(json_drop) json_t *value = rows_json(rows, 0, 0);
    return json_integer_value(json_object_get(value, "n"));
}

static void end(const struct uuid *id)
{
    struct error err = {0};
    const struct instance_step steps[] = {{.event = EVENT_TERMINATE}, {.event = EVENT_GONE}};
    for (size_t i = 0; i < countof(steps); i++)
        assert_ok(instance_store_note(db, id, &steps[i], "test", NULL, &err));
}

static void age(const struct uuid *id, int days)
{
    struct error err = {0};
    OWNED(text_done) struct text script = {0};
    text_addf(&script,
              "UPDATE instances SET terminated_at = clock_timestamp() - interval '%d days'"
              " WHERE id = '%s'",
              days, uuid_text(id).at);
    assert_ok(db_script(db, text_str(&script), &err));
}

static struct instance find(const struct uuid *id)
{
    struct error err = {0};
    struct instance row = {0};
    assert_ok(instance_store_find(db, id, &row, &err));
    return row;
}

static int64_t forget(int64_t days)
{
    struct error err = {0};
    int64_t count = 0;
    assert_ok(retention_forget(db, days, "tidier", &count, &err));
    return count;
}

static struct uuid verdict(const struct uuid *instance, uint8_t boot)
{
    OWNED(verdict_row_done)
    struct verdict_row row = fixture_verdict(db, instance, true, boot, 3600, NULL);
    return row.id;
}

static void details_of_what_is_long_over_go_and_the_row_and_the_trail_stay(void **state)
{
    (void)state;
    struct error err = {0};
    struct instance row = fixture_running(db, "old");
    struct beat beat = {.instance = row.id, .last_seen = clock_now(), .seq = 1};
    assert_ok(instance_store_beats(db, &beat, 1, &err));
    struct uuid first = verdict(&row.id, 1), last = verdict(&row.id, 1);
    end(&row.id);
    age(&row.id, 91);
    assert_int_equal(forget(90), 1);
    assert_int_equal(forget(90), 0);
    assert_int_equal(number_of("instance_history", "instance", &row.id), 0);
    assert_int_equal(number_of("heartbeats", "instance", &row.id), 0);
    assert_int_equal(number_of("verdicts", "id", &first), 0);
    assert_int_equal(number_of("verdicts", "id", &last), 1);
    assert_false(moment_is_none(find(&row.id).forgotten_at));
    /* requested, three steps to running, two verdicts, trust, two steps to the end, forgotten */
    assert_int_equal(number_of("audit", "substr(object, 10)", &row.id), 10);
}

static void evidence_goes_with_the_last_verdict_that_was_drawn_from_it(void **state)
{
    (void)state;
    struct error err = {0};
    struct instance row = fixture_running(db, "evidence");
    OWNED(verdict_row_done)
    struct verdict_row first = fixture_verdict(db, &row.id, true, 2, 3600, NULL);
    OWNED(verdict_row_done)
    struct verdict_row last = fixture_verdict(db, &row.id, true, 2, 3600, NULL);
    OWNED(bytes_done) struct bytes gone = {0}, kept = {0};
    char kind[32];
    end(&row.id);
    age(&row.id, 91);
    assert_int_equal(forget(90), 1);
    assert_fails(evidence_store_find(db, first.evidence_digest, &gone, kind, &err), ERR_NOT_FOUND,
                 "not-found");
    assert_ok(evidence_store_find(db, last.evidence_digest, &kept, kind, &err));
}

static void what_a_secret_was_handed_out_on_stays(void **state)
{
    (void)state;
    fixture_secret(db, "key");
    OWNED(fleet_done) struct fleet fleet = fixture_fleet_with(db, "holders", "key");
    struct instance row = fixture_running(db, "holders");
    struct uuid handed_on = verdict(&row.id, 3);
    OWNED(delivery_done) struct delivery delivery = fixture_delivery(db, &row.id, DELIVERY_LOADED);
    struct uuid between = verdict(&row.id, 3), last = verdict(&row.id, 3);
    end(&row.id);
    age(&row.id, 91);
    assert_int_equal(forget(90), 1);
    assert_int_equal(number_of("verdicts", "id", &handed_on), 1);
    assert_int_equal(number_of("verdicts", "id", &between), 0);
    assert_int_equal(number_of("verdicts", "id", &last), 1);
    assert_int_equal(number_of("exposures", "instance", &row.id), 1);
}

static void what_stands_or_ended_lately_keeps_everything(void **state)
{
    (void)state;
    struct instance lately = fixture_running(db, "lately");
    struct instance stands = fixture_running(db, "lately");
    end(&lately.id);
    age(&lately.id, 89);
    assert_int_equal(forget(90), 0);
    assert_true(number_of("instance_history", "instance", &lately.id) > 0);
    assert_true(number_of("instance_history", "instance", &stands.id) > 0);
    assert_int_equal(forget(89), 1);
}

static void many_go_batch_after_batch(void **state)
{
    (void)state;
    struct error err = {0};
    struct uuid ids[RETENTION_BATCH + 20];
    fixture_instances(db, "many", ids, countof(ids));
    assert_ok(db_script(db,
                        "UPDATE instances SET phase = 'terminated',"
                        " terminated_at = clock_timestamp() - interval '1 year'"
                        " WHERE fleet = 'many'",
                        &err));
    assert_int_equal(forget(90), RETENTION_BATCH);
    assert_int_equal(forget(90), 20);
    assert_int_equal(forget(90), 0);
}

/* ---- of what lives on ------------------------------------------------------------------------ */

static void give_long_ago(const struct uuid *verdict, int days)
{
    struct error err = {0};
    OWNED(text_done) struct text script = {0};
    text_addf(&script,
              "UPDATE verdicts SET created = clock_timestamp() - interval '%d days'"
              " WHERE id = '%s'",
              days, uuid_text(verdict).at);
    assert_ok(db_script(db, text_str(&script), &err));
}

static int64_t forget_verdicts(int64_t days)
{
    struct error err = {0};
    struct retention_walk walk = {0};
    int64_t count = 0;
    do {
        assert_ok(retention_forget_verdicts(db, days, "tidier", &walk, &err));
        count += walk.gone;
    } while (walk.looked == RETENTION_STEP);
    return count;
}

static bool has_evidence(const uint8_t digest[static SHA256_SIZE])
{
    OWNED(bytes_done) struct bytes found = {0};
    char kind[32];
    return evidence_store_find(db, digest, &found, kind, NULL) == OK;
}

static void old_verdicts_of_what_lives_go_and_the_one_it_stands_on_stays(void **state)
{
    (void)state;
    struct instance row = fixture_running(db, "living");
    OWNED(verdict_row_done)
    struct verdict_row old = fixture_verdict(db, &row.id, true, 5, 3600, NULL);
    struct uuid young = verdict(&row.id, 5), stands = verdict(&row.id, 5);
    give_long_ago(&old.id, 31);
    give_long_ago(&young, 29);
    give_long_ago(&stands, 400);
    assert_int_equal(forget_verdicts(30), 1);
    assert_int_equal(forget_verdicts(30), 0);
    assert_int_equal(number_of("verdicts", "id", &old.id), 0);
    assert_false(has_evidence(old.evidence_digest));
    assert_int_equal(number_of("verdicts", "id", &young), 1);
    assert_int_equal(number_of("verdicts", "id", &stands), 1);
}

static void what_a_secret_of_the_living_was_handed_out_on_stays(void **state)
{
    (void)state;
    fixture_secret(db, "living-key");
    OWNED(fleet_done) struct fleet fleet = fixture_fleet_with(db, "keepers-of-keys", "living-key");
    struct instance row = fixture_running(db, "keepers-of-keys");
    struct uuid handed_on = verdict(&row.id, 6);
    OWNED(delivery_done) struct delivery delivery = fixture_delivery(db, &row.id, DELIVERY_LOADED);
    struct uuid stands = verdict(&row.id, 6);
    give_long_ago(&handed_on, 400);
    assert_int_equal(forget_verdicts(30), 0);
    assert_int_equal(number_of("verdicts", "id", &handed_on), 1);
    assert_int_equal(number_of("verdicts", "id", &stands), 1);
}

/* Many verdicts were judged with one list. */
static void a_list_goes_with_the_last_verdict_that_was_judged_with_it(void **state)
{
    (void)state;
    struct error err = {0};
    struct instance row = fixture_running(db, "listed");
    struct verdict_row rows[3] = {0};
    for (size_t i = 0; i < countof(rows); i++) {
        OWNED(verdict_row_done)
        struct verdict_row given = fixture_verdict(db, &row.id, true, 7, 3600, NULL);
        rows[i] = given;
        given = (struct verdict_row){0};
        rows[i].id = (struct uuid){0};
        rows[i].crl = span_of_text("a list");
        assert_ok(verdict_store_record(db, &rows[i], span_of_text("the same evidence"), "test",
                                       NULL, &err));
    }
    give_long_ago(&rows[0].id, 31);
    assert_int_equal(forget_verdicts(30), 1);
    assert_true(has_evidence(rows[0].crl_digest));
    assert_true(has_evidence(rows[0].evidence_digest));
    assert_memory_equal(rows[0].crl_digest, rows[1].crl_digest, SHA256_SIZE);
    end(&row.id);
    age(&row.id, 91);
    assert_int_equal(forget(90), 1);
    assert_true(has_evidence(rows[2].crl_digest)); /* the last word on the instance stays */
    for (size_t i = 0; i < countof(rows); i++)
        verdict_row_done(&rows[i]);
}

/* A fleet that was handed secrets for years has more verdicts that stay than anybody may walk over
 * every few minutes. */
static void what_has_to_stay_is_walked_over_once(void **state)
{
    (void)state;
    struct error err = {0};
    enum { MANY = RETENTION_STEP + 20 };
    struct uuid ids[MANY], last = {0};
    struct retention_walk walk = {0};
    fixture_instances(db, "staying", ids, MANY);
    for (size_t i = 0; i < MANY; i++)
        last = verdict(&ids[i], 8);
    assert_ok(db_script(db,
                        "UPDATE verdicts SET created = clock_timestamp() - interval '1 year'"
                        " WHERE instance IN (SELECT id FROM instances WHERE fleet = 'staying')",
                        &err));
    assert_ok(retention_forget_verdicts(db, 30, "tidier", &walk, &err));
    assert_int_equal(walk.looked, RETENTION_STEP);
    assert_ok(retention_forget_verdicts(db, 30, "tidier", &walk, &err));
    assert_true(walk.looked >= 20 && walk.looked < RETENTION_STEP);
    assert_ok(retention_forget_verdicts(db, 30, "tidier", &walk, &err));
    assert_int_equal(walk.looked, 0);
    struct uuid young = verdict(&ids[MANY - 1], 8);
    give_long_ago(&last, 31);
    assert_ok(retention_forget_verdicts(db, 30, "tidier", &walk, &err));
    assert_int_equal(walk.looked, 1);
    assert_int_equal(walk.gone, 1);
    assert_int_equal(number_of("verdicts", "id", &young), 1);
}

/* retain-days says how long, whatever retain-verdicts-days does. */
static void what_is_over_keeps_its_verdicts_until_its_own_time(void **state)
{
    (void)state;
    struct instance row = fixture_running(db, "over");
    struct uuid old = verdict(&row.id, 9), last = verdict(&row.id, 9);
    give_long_ago(&old, 100);
    give_long_ago(&last, 100);
    end(&row.id);
    age(&row.id, 99);
    assert_int_equal(forget_verdicts(30), 0);
    assert_int_equal(number_of("verdicts", "id", &old), 1);
    assert_int_equal(forget(98), 1);
    assert_int_equal(number_of("verdicts", "id", &old), 0);
    assert_int_equal(number_of("verdicts", "id", &last), 1);
}

static int open_it(void **state)
{
    (void)state;
    db = database_open();
    OWNED(fleet_done) struct fleet fleet = fixture_fleet(db, "old", 1);
    return 0;
}

static int close_it(void **state)
{
    (void)state;
    db_close(db);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(details_of_what_is_long_over_go_and_the_row_and_the_trail_stay),
        cmocka_unit_test(evidence_goes_with_the_last_verdict_that_was_drawn_from_it),
        cmocka_unit_test(what_a_secret_was_handed_out_on_stays),
        cmocka_unit_test(what_stands_or_ended_lately_keeps_everything),
        cmocka_unit_test(many_go_batch_after_batch),
        cmocka_unit_test(old_verdicts_of_what_lives_go_and_the_one_it_stands_on_stays),
        cmocka_unit_test(what_a_secret_of_the_living_was_handed_out_on_stays),
        cmocka_unit_test(a_list_goes_with_the_last_verdict_that_was_judged_with_it),
        cmocka_unit_test(what_has_to_stay_is_walked_over_once),
        cmocka_unit_test(what_is_over_keeps_its_verdicts_until_its_own_time),
    };
    return cmocka_run_group_tests(tests, open_it, close_it);
}
