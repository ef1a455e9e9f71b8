/* What a page of instances costs, counted in rows that PostgreSQL looks at: no more than the page,
 * wherever it begins, and however many others there are or were. */
#include "db/instance_store.h"

#include <string.h>

#include "tests/support/rows_read.h"
#include "tests/support/stage.h"
#include "tests/support/test.h"

enum { CROWD = 20 * 1000, RARE = 3 };

static void run(const char *script)
{
    struct error err = {0};
    assert_ok(db_script(stage.db, script, &err));
}

/* As many that are over, then a crowd, and last a few of a small fleet in an account of its own. */
static int open_crowd(void **state)
{
    int failed = stage_open(state);
    OWNED(text_done) struct text script = {0};
    text_add(&script, "INSERT INTO accounts (id, project, name, driver, spec) "
                      "SELECT gen_random_uuid(), project, 'east', driver, spec FROM accounts;");
    text_addf(&script,
              "INSERT INTO instances (id, project, fleet, account, image, size, policy, phase, "
              "client_token, cloud_ref, terminated_at) SELECT lpad(to_hex(n), 32, '0')::uuid, "
              "'default', CASE WHEN n > %d THEN 'rare' ELSE 'web' END, "
              "CASE WHEN n > %d THEN 'east' ELSE 'cloud' END, 'image', 'm6a.large', 'web', "
              "CASE WHEN n <= %d THEN 'terminated' ELSE 'running' END, 't-' || n, 'i-' || n, "
              "CASE WHEN n <= %d THEN now() END FROM generate_series(1, %d) AS n;"
              "ANALYZE instances",
              2 * CROWD, 2 * CROWD, CROWD, CROWD, 2 * CROWD + RARE);
    run(text_str(&script));
    return failed;
}

#define CROWDED(test) cmocka_unit_test_setup_teardown(test, open_crowd, stage_close)

static void assert_page(const struct instance_filter *filter, size_t count, int64_t looked_at,
                        char out_cursor[static CURSOR_SIZE])
{
    struct error err = {0};
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(instance_list_done) struct instance_list list = {0};
    assert_ok(transaction_begin(stage.db, &tx, &err));
    rows_read_begin(stage.db);
    assert_ok(instance_store_list(stage.db, filter, &list, out_cursor, &err));
    assert_int_equal(list.count, count);
    assert_rows_read(stage.db, looked_at);
}

/* After some executions PostgreSQL plans without looking at what is asked for. */
enum { OFTEN = 8 };

static void a_small_fleet_is_found_without_walking_everybodys(void **state)
{
    (void)state;
    char cursor[CURSOR_SIZE];
    const struct instance_filter filters[] = {
        {.project = PROJECT_DEFAULT, .limit = 100, .fleet = "rare"},
        {.project = PROJECT_DEFAULT, .limit = 100, .fleet = "rare", .with_terminated = true},
        {.project = PROJECT_DEFAULT, .limit = 100, .account = "east"},
        {.project = PROJECT_DEFAULT, .limit = 100, .fleet = "rare", .account = "east"},
        {.project = PROJECT_DEFAULT, .limit = 100, .fleet = "rare", .phase = "running"},
    };
    for (int i = 0; i < OFTEN; i++)
        for (size_t f = 0; f < countof(filters); f++)
            assert_page(&filters[f], RARE, 20, cursor);
}

static void what_is_there_is_found_behind_all_that_is_over(void **state)
{
    (void)state;
    char cursor[CURSOR_SIZE];
    const struct instance_filter all = {.project = PROJECT_DEFAULT, .limit = 100};
    const struct instance_filter of_fleet = {
        .project = PROJECT_DEFAULT, .limit = 100, .fleet = "web"};
    for (int i = 0; i < OFTEN; i++) {
        assert_page(&all, 100, 400, cursor);
        assert_page(&of_fleet, 100, 400, cursor);
    }
}

static void the_last_page_costs_what_the_first_does(void **state)
{
    (void)state;
    char cursor[CURSOR_SIZE] = "";
    struct instance_filter filter = {.project = PROJECT_DEFAULT, .limit = 1000, .fleet = "web"};
    for (size_t pages = 0; pages < CROWD / 1000; pages++) {
        char next[CURSOR_SIZE];
        filter.cursor = cursor;
        assert_page(&filter, 1000, 2100, next);
        memcpy(cursor, next, sizeof next);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CROWDED(a_small_fleet_is_found_without_walking_everybodys),
        CROWDED(what_is_there_is_found_behind_all_that_is_over),
        CROWDED(the_last_page_costs_what_the_first_does),
    };
    return cmocka_run_group_tests_name("pages of instances", tests, NULL, NULL);
}
