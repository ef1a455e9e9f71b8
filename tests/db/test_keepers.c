/* The keepers that dial in are written down as they come, and go on being so while they are there.
 */
#include "db/keeper_store.h"

#include <stdlib.h>
#include <string.h>

#include "db/charter_store.h"
#include "lib/crypto/random.h"
#include "tests/support/front_desk.h"
#include "tests/support/test.h"

enum { WAIT_MS = 20000, LOOK_MS = 50 };

static void pause_a_while(void)
{
    bool woken;
    struct error err = {0};
    assert_ok(db_wait(front.db, LOOK_MS, &woken, &err));
}

/* The one keeper there is, as soon as it is written down. */
static struct keeper_row the_keeper(void)
{
    struct error err = {0};
    for (int64_t until = clock_monotonic_ms() + WAIT_MS; clock_monotonic_ms() < until;) {
        OWNED(keeper_row_list_done) struct keeper_row_list list = {0};
        assert_ok(keeper_store_list(front.db, &list, &err));
        if (list.count > 0)
            return list.at[0];
        pause_a_while();
    }
    fail_msg("no keeper was written down");
    abort();
}

static void a_keeper_is_written_down_as_it_says_hello(void **state)
{
    (void)state;
    front_keeper(5, "7.1");
    const struct keeper_row row = the_keeper();
    assert_memory_equal(row.boot_id, front.keeper_boot, sizeof row.boot_id);
    assert_int_equal(row.realm, REALM_SIMULATION);
    assert_int_equal(row.charter_serial, 1);
    assert_string_equal(row.version, "7.1");
    assert_int_equal(strlen(row.name), 32);
    assert_false(row.silent);
}

static void store_charter(int64_t serial)
{
    struct error err = {0};
    OWNED(charter_row_done)
    struct charter_row row = {
        .id = uuid_new(),
        .project = PROJECT_DEFAULT,
        .serial = serial,
        .realm = REALM_SIMULATION,
        .issued = clock_now(),
        .expires = moment_add_seconds(clock_now(), 3600),
        .jws = mem_text("{}"),
    };
    assert_ok(charter_store_add(front.db, &row, "test", &err));
}

static void a_keeper_that_stays_is_seen_again_and_with_the_charter_it_obeys(void **state)
{
    (void)state;
    struct error err = {0};
    store_charter(2);
    front_keeper(6, "7.1");
    assert_int_equal(the_keeper().charter_serial, 1);
    assert_ok(
        db_script(front.db, "UPDATE keepers SET last_seen = last_seen - interval '1 hour'", &err));
    assert_true(the_keeper().silent);
    front_keeper_obeys(2);
    for (int64_t until = clock_monotonic_ms() + WAIT_MS; the_keeper().silent; pause_a_while())
        assert_true(clock_monotonic_ms() < until);
    assert_int_equal(the_keeper().charter_serial, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AT_FRONT(a_keeper_is_written_down_as_it_says_hello),
        AT_FRONT(a_keeper_that_stays_is_seen_again_and_with_the_charter_it_obeys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
