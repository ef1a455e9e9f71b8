#include "lib/base/map.h"

#include <stdlib.h>

#include "lib/base/base.h"
#include "tests/support/test.h"

static void what_was_put_is_found_until_it_is_taken(void **state)
{
    (void)state;
    struct map *map = map_new(sizeof(uint64_t));
    uint64_t key = 7;
    int a, b;
    assert_null(map_get(map, &key));
    assert_null(map_put(map, &key, &a));
    assert_ptr_equal(map_put(map, &key, &b), &a);
    assert_int_equal(map_count(map), 1);
    assert_ptr_equal(map_take(map, &key), &b);
    assert_null(map_take(map, &key));
    assert_int_equal(map_count(map), 0);
    map_free(map);
}

/* A seeded history against an array that is right by looking at it. */
static void a_long_history_agrees_with_a_plain_array(void **state)
{
    (void)state;
    enum { KEYS = 700, ACTS = 200000 };
    static int cells[KEYS];
    static bool there[KEYS];
    struct map *map = map_new(sizeof(uint32_t));
    size_t count = 0;
    srand(4711);
    for (int i = 0; i < ACTS; i++) {
        uint32_t key = (uint32_t)(rand() % KEYS);
        bool was = there[key];
        if (rand() % 2 == 0) {
            assert_ptr_equal(map_put(map, &key, &cells[key]), was ? &cells[key] : NULL);
            there[key] = true;
            count += !was;
        } else {
            assert_ptr_equal(map_take(map, &key), was ? &cells[key] : NULL);
            there[key] = false;
            count -= was;
        }
        assert_int_equal(map_count(map), count);
    }
    for (uint32_t key = 0; key < KEYS; key++)
        assert_ptr_equal(map_get(map, &key), there[key] ? &cells[key] : NULL);
    size_t at = 0;
    size_t walked = 0;
    while (map_next(map, &at) != NULL)
        walked++;
    assert_int_equal(walked, count);
    map_free(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found_until_it_is_taken),
        cmocka_unit_test(a_long_history_agrees_with_a_plain_array),
    };
    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
