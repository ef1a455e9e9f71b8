/* What a page of notices costs, counted in rows that PostgreSQL looks at: no more than the page,
 * wherever it begins, and however many others there are. */
#include "db/notice_store.h"

#include <string.h>

#include "tests/support/rows_read.h"
#include "tests/support/stage.h"
#include "tests/support/test.h"

enum { CROWD = 20 * 1000 };

static void run(const char *script)
{
    struct error err = {0};
    assert_ok(db_script(stage.db, script, &err));
}

/* Two machines of a small fleet, whose notices begin last, in the middle of a crowd's. */
static int open_crowd(void **state)
{
    int failed = stage_open(state);
    OWNED(text_done) struct text script = {0};
    text_addf(&script,
              "INSERT INTO instances (id, project, fleet, account, image, size, policy, phase, "
              "client_token, cloud_ref) SELECT gen_random_uuid(), 'default', "
              "CASE WHEN n <= 2 THEN 'rare' ELSE 'web' END, 'cloud', 'image', 'm6a.large', 'web', "
              "'running', 't-' || n, 'i-' || n FROM generate_series(1, %d) AS n;",
              CROWD);
    text_add(&script,
             "INSERT INTO notices (id, project, fleet, account, instance, event, kind, not_before) "
             "SELECT gen_random_uuid(), project, fleet, account, id, 'event-1', 'instance-stop', "
             "now() + CASE fleet WHEN 'rare' THEN interval '9 days' ELSE interval '1 day' END "
             "FROM instances; ANALYZE instances; ANALYZE notices");
    run(text_str(&script));
    return failed;
}

#define CROWDED(test) cmocka_unit_test_setup_teardown(test, open_crowd, stage_close)

static void assert_page(const struct notice_filter *filter, size_t count, int64_t looked_at,
                        char out_cursor[static NOTICE_CURSOR_SIZE])
{
    struct error err = {0};
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(notice_row_list_done) struct notice_row_list list = {0};
    assert_ok(transaction_begin(stage.db, &tx, &err));
    rows_read_begin(stage.db);
    assert_ok(notice_store_list(stage.db, filter, &list, out_cursor, &err));
    assert_int_equal(list.count, count);
    assert_rows_read(stage.db, looked_at);
}

/* After some executions PostgreSQL plans without looking at what is asked for. */
enum { OFTEN = 8 };

static void a_small_fleets_notices_are_found_without_walking_everybodys(void **state)
{
    (void)state;
    char cursor[NOTICE_CURSOR_SIZE];
    const struct notice_filter of_fleet = {
        .project = PROJECT_DEFAULT, .fleet = "rare", .limit = 100};
    const struct notice_filter of_other = {
        .project = PROJECT_DEFAULT, .account = "other", .limit = 100};
    for (int i = 0; i < OFTEN; i++) {
        assert_page(&of_fleet, 2, 20, cursor);
        assert_page(&of_other, 0, 20, cursor);
    }
    OWNED(notice_row_list_done) struct notice_row_list list = {0};
    struct error err = {0};
    assert_ok(notice_store_list(stage.db, &of_fleet, &list, cursor, &err));
    const struct notice_filter of_one = {
        .project = PROJECT_DEFAULT, .instance = list.at[0].instance, .limit = 100};
    for (int i = 0; i < OFTEN; i++)
        assert_page(&of_one, 1, 20, cursor);
}

static void what_stands_is_found_behind_all_that_ended(void **state)
{
    (void)state;
    char cursor[NOTICE_CURSOR_SIZE];
    run("UPDATE notices SET ended = now() WHERE fleet <> 'rare'; ANALYZE notices");
    const struct notice_filter standing_ones = {.project = PROJECT_DEFAULT, .limit = 100};
    const struct notice_filter of_account = {
        .project = PROJECT_DEFAULT, .account = "cloud", .limit = 100};
    struct notice_filter all = {.project = PROJECT_DEFAULT, .with_ended = true, .limit = 100};
    for (int i = 0; i < OFTEN; i++) {
        assert_page(&standing_ones, 2, 20, cursor);
        assert_page(&of_account, 2, 20, cursor);
        assert_page(&all, 100, 400, cursor);
    }
}

static void the_last_page_costs_what_the_first_does(void **state)
{
    (void)state;
    char cursor[NOTICE_CURSOR_SIZE] = "";
    size_t pages = 0;
    struct notice_filter filter = {.project = PROJECT_DEFAULT, .limit = 1000};
    do {
        char next[NOTICE_CURSOR_SIZE];
        filter.cursor = cursor;
        assert_page(&filter, 1000, 2100, next);
        memcpy(cursor, next, sizeof next);
    } while (++pages < CROWD / 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CROWDED(a_small_fleets_notices_are_found_without_walking_everybodys),
        CROWDED(what_stands_is_found_behind_all_that_ended),
        CROWDED(the_last_page_costs_what_the_first_does),
    };
    return cmocka_run_group_tests_name("pages of notices", tests, NULL, NULL);
}
