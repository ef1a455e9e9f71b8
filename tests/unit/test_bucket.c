#include "lib/base/bucket.h"

#include "tests/support/test.h"

static void a_full_bucket_gives_its_room_at_once_then_one_at_a_time(void **state)
{
    (void)state;
    struct bucket bucket = {.room = 3, .every_ms = 1000};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(bucket_wait_ms(&bucket, 5000), 0);
        bucket_take(&bucket, 5000);
    }
    assert_int_equal(bucket_wait_ms(&bucket, 5000), 1000);
    assert_int_equal(bucket_wait_ms(&bucket, 5400), 600);
    assert_int_equal(bucket_wait_ms(&bucket, 6000), 0);
    bucket_take(&bucket, 6000);
    assert_int_equal(bucket_wait_ms(&bucket, 6000), 1000);
}

static void a_rest_fills_it_and_not_above_its_room(void **state)
{
    (void)state;
    struct bucket bucket = {.room = 2, .every_ms = 1000};
    bucket_take(&bucket, 1000);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(bucket_wait_ms(&bucket, 900000), 0);
        bucket_take(&bucket, 900000);
    }
    assert_int_equal(bucket_wait_ms(&bucket, 900000), 1000);
}

static void taking_what_is_not_there_makes_the_next_wait_longer(void **state)
{
    (void)state;
    struct bucket bucket = {.room = 1, .every_ms = 1000};
    bucket_take(&bucket, 100);
    bucket_take(&bucket, 100);
    assert_int_equal(bucket_wait_ms(&bucket, 100), 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_bucket_gives_its_room_at_once_then_one_at_a_time),
        cmocka_unit_test(a_rest_fills_it_and_not_above_its_room),
        cmocka_unit_test(taking_what_is_not_there_makes_the_next_wait_longer),
    };
    return cmocka_run_group_tests_name("bucket", tests, NULL, NULL);
}
