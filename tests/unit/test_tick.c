/* How often the clouds are looked at: a property over random histories, and the shape of it. */
#include "controller/tick.h"

#include <stdlib.h>

#include "tests/support/test.h"

static void it_is_quick_while_things_change_and_slow_while_nothing_does(void **state)
{
    (void)state;
    struct tick tick = {0};
    const struct watch_counts quiet = {.machines = 5}, moving = {.machines = 5, .moving = 1};
    assert_int_equal(tick_next_ms(&tick, &moving, 30000), 7500);
    assert_int_equal(tick_next_ms(&tick, &moving, 30000), 7500);
    assert_int_equal(tick_next_ms(&tick, &quiet, 30000), 15000);
    assert_int_equal(tick_next_ms(&tick, &quiet, 30000), 30000);
    assert_int_equal(tick_next_ms(&tick, &quiet, 30000), 60000);
    assert_int_equal(tick_next_ms(&tick, &quiet, 30000), 60000);
    const struct watch_counts one_less = {.machines = 4};
    assert_int_equal(tick_next_ms(&tick, &one_less, 30000), 7500);
}

static void each_thing_that_changed_makes_it_quick(void **state)
{
    (void)state;
    const struct watch_counts changes[] = {
        {.vanished = 1}, {.adopted = 1}, {.ended = 1}, {.told = 1}, {.moving = 1}, {.machines = 1},
    };
    for (size_t i = 0; i < countof(changes); i++) {
        struct tick tick = {.wait_ms = 60000};
        assert_int_equal(tick_next_ms(&tick, &changes[i], 30000), 7500);
    }
}

static void it_keeps_its_bounds(void **state)
{
    (void)state;
    srandom(1);
    for (int h = 0; h < 200; h++) {
        struct tick tick = {0};
        const int64_t usual_ms = 1000 * (1 + random() % 3600);
        for (int i = 0; i < 100; i++) {
            const struct watch_counts counts = {.machines = random() % 2, .orphans = random() % 9};
            const int64_t wait_ms = tick_next_ms(&tick, &counts, usual_ms);
            assert_true(wait_ms >= TICK_LEAST_MS && wait_ms >= usual_ms / TICK_QUICKER);
            assert_true(wait_ms <= usual_ms * TICK_SLOWER);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_quick_while_things_change_and_slow_while_nothing_does),
        cmocka_unit_test(each_thing_that_changed_makes_it_quick),
        cmocka_unit_test(it_keeps_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
