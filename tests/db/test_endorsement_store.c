#include "db/endorsement_store.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/database.h"
#include "tests/support/test.h"

enum { DAY = 86400 };

static struct db *db;

static struct moment day(int64_t days)
{
    return clock_at_seconds(1795478400 + days * DAY);
}

/* A row about nothing genuine: what is in it was checked before. */
static struct endorsement row_of(const char *name, const char *what, const char *content)
{
    struct endorsement e = {.source = FROM_SERVICE, .line = "Milan"};
    snprintf(e.name, sizeof e.name, "%s", name);
    snprintf(e.what, sizeof e.what, "%s", what);
    bytes_add(&e.content, span_of_text(content));
    return e;
}

static void keep(struct endorsement *e, int64_t days)
{
    struct error err = {0};
    assert_ok(endorsement_store_keep(db, e, day(days), &err));
    endorsement_done(e);
}

static void keep_crl(const char *content, int64_t this_day, int64_t now_day)
{
    struct endorsement crl = row_of("Milan-crl", "crl", content);
    crl.this_update = day(this_day);
    crl.next_update = day(this_day + 365);
    keep(&crl, now_day);
}

static void content_is(const char *name, const char *content)
{
    struct error err = {0};
    OWNED(endorsement_done) struct endorsement found = {0};
    assert_ok(endorsement_store_find(db, name, &found, &err));
    assert_true(span_equal(bytes_span(&found.content), span_of_text(content)));
}

static int empty(void **state)
{
    (void)state;
    struct error err = {0};
    assert_ok(db_script(db,
                        "TRUNCATE endorsements, endorsement_misses;"
                        "UPDATE endorsement_turns SET full_at = 'epoch'",
                        &err));
    return 0;
}

static void a_vcek_is_kept_for_ever_as_it_came(void **state)
{
    (void)state;
    struct error err = {0};
    bool there = true;
    assert_ok(endorsement_store_has(db, "Milan-vcek-ab-01", &there, &err));
    assert_false(there);
    struct endorsement first = row_of("Milan-vcek-ab-01", "vcek", "first");
    keep(&first, 0);
    struct endorsement second = row_of("Milan-vcek-ab-01", "vcek", "second");
    second.source = FROM_IMPORT;
    keep(&second, 1);
    content_is("Milan-vcek-ab-01", "first");
    OWNED(endorsement_done) struct endorsement found = {0};
    assert_ok(endorsement_store_find(db, "Milan-vcek-ab-01", &found, &err));
    assert_int_equal(found.source, FROM_SERVICE);
    assert_int_equal(found.created.us, day(0).us);
    assert_int_equal(found.checked.us, day(1).us);
    assert_int_not_equal(db_script(db, "UPDATE endorsements SET content = 'x'", &err), OK);
}

static void a_list_is_replaced_by_a_later_one_only(void **state)
{
    (void)state;
    struct error err = {0};
    keep_crl("of day 5", 5, 5);
    keep_crl("of day 3", 3, 6);
    content_is("Milan-crl", "of day 5");
    keep_crl("of day 7", 7, 7);
    content_is("Milan-crl", "of day 7");
    OWNED(endorsement_done) struct endorsement found = {0};
    assert_ok(endorsement_store_find(db, "Milan-crl", &found, &err));
    assert_int_equal(found.this_update.us, day(7).us);
    assert_int_equal(found.next_update.us, day(7 + 365).us);
    assert_int_equal(found.checked.us, day(7).us);
}

static void what_was_missed_is_missed_until_then_or_until_it_comes(void **state)
{
    (void)state;
    struct error err = {0};
    char code[ERROR_CODE_SIZE];
    assert_fails(endorsement_store_missed(db, "Milan-crl", day(0), code, &err), ERR_NOT_FOUND,
                 "not-found");
    assert_ok(
        endorsement_store_miss(db, "Milan-crl", "endorsement-missing", day(0), DAY, DAY, &err));
    assert_ok(endorsement_store_missed(db, "Milan-crl", day(0), code, &err));
    assert_string_equal(code, "endorsement-missing");
    assert_fails(endorsement_store_missed(db, "Milan-crl", day(1), code, &err), ERR_NOT_FOUND,
                 "not-found");
    assert_ok(endorsement_store_miss(db, "Milan-crl", "endorsement-wrong", day(0), 9 * DAY, 9 * DAY,
                                     &err));
    keep_crl("here it is", 0, 1);
    assert_fails(endorsement_store_missed(db, "Milan-crl", day(1), code, &err), ERR_NOT_FOUND,
                 "not-found");
}

static bool is_missed_at(int64_t seconds)
{
    struct error err = {0};
    char code[ERROR_CODE_SIZE];
    return endorsement_store_missed(db, "Milan-crl", moment_add_seconds(day(0), seconds), code,
                                    &err) == OK;
}

/* The first time it may have been the service that was wrong. */
static void what_is_missed_again_and_again_is_asked_for_less_and_less(void **state)
{
    (void)state;
    struct error err = {0};
    static const int64_t holds[] = {300, 600, 1200, 2000, 2000};
    for (size_t i = 0; i < countof(holds); i++) {
        assert_ok(endorsement_store_miss(db, "Milan-crl", "endorsement-missing", day(0), 300, 2000,
                                         &err));
        assert_true(is_missed_at(holds[i] - 1));
        assert_false(is_missed_at(holds[i]));
    }
    assert_ok(
        endorsement_store_miss(db, "Milan-crl", "endorsement-wrong", day(0), 300, 2000, &err));
    assert_false(is_missed_at(300)); /* said for the first time */
}

static int64_t turn_wait_ms(int64_t second)
{
    struct error err = {0};
    int64_t wait_ms = -1;
    assert_ok(endorsement_store_turn(db, moment_add_seconds(day(0), second), &wait_ms, &err));
    return wait_ms;
}

static void all_controllers_take_turns_from_one_bucket(void **state)
{
    (void)state;
    struct error err = {0};
    for (int i = 0; i < ENDORSEMENT_TURNS; i++)
        assert_int_equal(turn_wait_ms(0), 0);
    assert_int_equal(turn_wait_ms(0), ENDORSEMENT_TURN_MS);
    assert_int_equal(turn_wait_ms(1), ENDORSEMENT_TURN_MS - 1000);
    assert_int_equal(turn_wait_ms(3), 0);
    assert_int_equal(turn_wait_ms(3), 2 * ENDORSEMENT_TURN_MS - 3000);
    assert_ok(endorsement_store_rest(db, moment_add_seconds(day(0), 600), &err));
    assert_int_equal(turn_wait_ms(60), 540 * 1000);
    assert_int_equal(turn_wait_ms(600), 0);
    assert_int_equal(turn_wait_ms(600), ENDORSEMENT_TURN_MS);
}

static void a_controller_whose_clock_is_wrong_holds_nobody_up(void **state)
{
    (void)state;
    struct error err = {0};
    static const int64_t ahead[] = {9 * DAY, 2 * 3600};
    for (size_t k = 0; k < countof(ahead); k++) {
        assert_int_equal(empty(state), 0);
        for (int i = 0; i < ENDORSEMENT_TURNS; i++)
            assert_int_equal(turn_wait_ms(ahead[k]), 0);
        assert_int_equal(turn_wait_ms(0), 0);
    }
    assert_ok(endorsement_store_rest(db, moment_add_seconds(day(0), 3600), &err)); /* the longest */
    assert_int_equal(turn_wait_ms(0), 3600 * 1000);
}

static void lists_go_by_name_and_hold_no_content(void **state)
{
    (void)state;
    struct error err = {0};
    struct endorsement vcek = row_of("Milan-vcek-ab-01", "vcek", "certificate");
    struct endorsement chain = row_of("Milan-vcek-chain", "chain", "two");
    keep(&vcek, 0);
    keep(&chain, 0);
    keep_crl("list", 0, 0);
    OWNED(endorsement_list_done) struct endorsement_list all = {0};
    OWNED(endorsement_list_done) struct endorsement_list rest = {0};
    OWNED(endorsement_list_done) struct endorsement_list dated = {0};
    assert_ok(endorsement_store_list(db, NULL, 2, &all, &err));
    assert_int_equal(all.count, 2);
    assert_string_equal(all.at[0].name, "Milan-crl");
    assert_int_equal(all.at[0].size, 4);
    assert_null(all.at[0].content.at);
    assert_ok(endorsement_store_list(db, all.at[1].name, 2, &rest, &err));
    assert_int_equal(rest.count, 1);
    assert_ok(endorsement_store_dated(db, &dated, &err));
    assert_int_equal(dated.count, 2);
    OWNED(json_drop) json_t *shown = record_to_json(&endorsement_record, &all.at[0]);
    assert_null(json_object_get(shown, "content"));
}

static void rows_that_break_a_rule_are_refused(void **state)
{
    (void)state;
    struct error err = {0};
    struct endorsement no_date = row_of("Milan-crl", "crl", "list");
    struct endorsement no_line = row_of("Milan-crl", "vcek", "x");
    struct endorsement no_name = row_of("../etc", "vcek", "x");
    snprintf(no_line.line, sizeof no_line.line, "Naples");
    struct endorsement *const bad[] = {&no_date, &no_line, &no_name};
    for (size_t i = 0; i < countof(bad); i++) {
        assert_fails(endorsement_store_keep(db, bad[i], day(0), &err), ERR_INVALID, "bad-value");
        endorsement_done(bad[i]);
    }
}

static int open_db(void **state)
{
    (void)state;
    db = database_open();
    return 0;
}

static int close_db(void **state)
{
    (void)state;
    db_close(db);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_vcek_is_kept_for_ever_as_it_came, empty),
        cmocka_unit_test_setup(a_list_is_replaced_by_a_later_one_only, empty),
        cmocka_unit_test_setup(what_was_missed_is_missed_until_then_or_until_it_comes, empty),
        cmocka_unit_test_setup(what_is_missed_again_and_again_is_asked_for_less_and_less, empty),
        cmocka_unit_test_setup(all_controllers_take_turns_from_one_bucket, empty),
        cmocka_unit_test_setup(a_controller_whose_clock_is_wrong_holds_nobody_up, empty),
        cmocka_unit_test_setup(lists_go_by_name_and_hold_no_content, empty),
        cmocka_unit_test_setup(rows_that_break_a_rule_are_refused, empty),
    };
    return cmocka_run_group_tests_name("endorsement_store", tests, open_db, close_db);
}
