/* Several controllers over one database share what its keepers can do. */
#include "db/controller_store.h"

#include "controller/desk.h"
#include "lib/crypto/random.h"
#include "tests/support/one_database.h"
#include "tests/support/test.h"

static int64_t seen(const char *name)
{
    int64_t count = 0;
    struct error err = {0};
    assert_ok(controller_store_seen(db, name, &count, &err));
    return count;
}

static void a_controller_counts_those_that_were_here_lately(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(seen("controller:a"), 1);
    assert_int_equal(seen("controller:b"), 2);
    assert_int_equal(seen("controller:a"), 2);
    assert_ok(db_script(db, "UPDATE controllers SET last_seen = last_seen - interval '31 seconds'",
                        &err));
    assert_int_equal(seen("controller:b"), 1);
    assert_ok(
        db_script(db, "UPDATE controllers SET last_seen = last_seen - interval '2 days'", &err));
    assert_int_equal(seen("controller:b"), 1);
}

static void slots_are_those_of_the_keepers_that_answer_divided_by_the_controllers(void **state)
{
    (void)state;
    const struct service_settings settings = {.appraisals_at_once = 10,
                                              .appraisals_per_second = 100};
    struct desk desk = {.settings = &settings};
    static const struct {
        int64_t keepers, controllers, at_once, per_second;
    } cases[] = {{0, 0, 10, 100}, {1, 1, 10, 100}, {3, 1, 30, 300}, {3, 2, 15, 150}, {1, 20, 1, 5}};
    for (size_t i = 0; i < countof(cases); i++) {
        desk.keepers_connected = cases[i].keepers;
        desk.controllers = cases[i].controllers;
        const struct admission_limits limits = slots_limits(&desk);
        assert_int_equal(limits.at_once, cases[i].at_once);
        assert_int_equal(limits.per_second, cases[i].per_second);
    }
}

static void a_keeper_that_does_not_answer_is_asked_last(void **state)
{
    (void)state;
    struct error err = {0};
    struct keeper_seat *picked = NULL;
    const int64_t now = clock_monotonic_ms();
    struct keepers keepers = {.interval_ms = 1000, .count = 2};
    keepers.seats[0] = (struct keeper_seat){.charter_serial = 7, .heard_ms = now - 3600000};
    keepers.seats[1] = (struct keeper_seat){.charter_serial = 6, .heard_ms = now};
    assert_ok(keepers_pick(&keepers, &picked, &err));
    assert_ptr_equal(picked, &keepers.seats[1]);
    keepers.seats[0].heard_ms = now; /* both answer: the higher charter */
    assert_ok(keepers_pick(&keepers, &picked, &err));
    assert_ptr_equal(picked, &keepers.seats[0]);
    keepers.seats[0].heard_ms = keepers.seats[1].heard_ms = now - 3600000; /* better than none */
    assert_ok(keepers_pick(&keepers, &picked, &err));
    assert_ptr_equal(picked, &keepers.seats[0]);
}

static void a_keeper_that_lets_guests_wait_is_asked_last_for_a_while(void **state)
{
    (void)state;
    struct error err = {0};
    struct keeper_seat *picked = NULL;
    const int64_t now = clock_monotonic_ms();
    struct keepers keepers = {.interval_ms = 1000000, .count = 2};
    keepers.seats[0] = (struct keeper_seat){.charter_serial = 7, .heard_ms = now, .boot_id = {7}};
    keepers.seats[1] = (struct keeper_seat){.charter_serial = 6, .heard_ms = now, .boot_id = {6}};
    keepers_let_wait(&keepers, keepers.seats[0].boot_id);
    assert_ok(keepers_pick(&keepers, &picked, &err));
    assert_ptr_equal(picked, &keepers.seats[1]);
    keepers_let_wait(&keepers, keepers.seats[1].boot_id); /* better than none */
    assert_ok(keepers_pick(&keepers, &picked, &err));
    assert_ptr_equal(picked, &keepers.seats[0]);
    keepers.seats[0].stuck_until_ms = now; /* it is over */
    keepers.seats[0].charter_serial = 5;
    assert_ok(keepers_pick(&keepers, &picked, &err));
    assert_ptr_equal(picked, &keepers.seats[0]);
}

static void what_was_verified_together_is_not_renewed_together(void **state)
{
    (void)state;
    enum { ALL = 10000, PARTS = 10, SOONEST = 360, LATEST = 480 };
    int parts[PARTS] = {0};
    for (int i = 0; i < ALL; i++) {
        const struct uuid id = uuid_new();
        const int64_t again = slots_renewal(&id, 600);
        assert_in_range(again, SOONEST, LATEST - 1);
        assert_int_equal(slots_renewal(&id, 600), again); /* the place is the instance's own */
        assert_in_range(slots_renewal(&id, 86400), 2700, 3600);
        assert_int_equal(slots_renewal(&id, 1), 30);
        parts[(again - SOONEST) * PARTS / (LATEST - SOONEST)]++;
    }
    for (int i = 0; i < PARTS; i++)
        assert_in_range(parts[i], ALL / PARTS * 8 / 10, ALL / PARTS * 12 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_controller_counts_those_that_were_here_lately),
        cmocka_unit_test(a_keeper_that_does_not_answer_is_asked_last),
        cmocka_unit_test(a_keeper_that_lets_guests_wait_is_asked_last_for_a_while),
        cmocka_unit_test(what_was_verified_together_is_not_renewed_together),
        cmocka_unit_test(slots_are_those_of_the_keepers_that_answer_divided_by_the_controllers),
    };
    return cmocka_run_group_tests(tests, one_database_open, one_database_close);
}
