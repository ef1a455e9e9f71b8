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

static int64_t count_now(struct bucket bucket, int64_t now_ms)
{
    int64_t count = 0;
    for (; bucket_wait_ms(&bucket, now_ms) == 0; count++)
        bucket_take(&bucket, now_ms);
    return count;
}

static void another_pace_keeps_what_is_in_it(void **state)
{
    (void)state;
    struct bucket bucket = {.room = 10, .every_ms = 100};
    for (int i = 0; i < 4; i++)
        bucket_take(&bucket, 1000);
    bucket_retune(&bucket, 10, 200, 1000);
    assert_int_equal(count_now(bucket, 1000), 6);
    assert_int_equal(count_now(bucket, 1200), 7);
    bucket_retune(&bucket, 5, 400, 1000);
    assert_int_equal(count_now(bucket, 1000), 5);
    bucket_retune(&bucket, 10, 100, 1000);
    assert_int_equal(count_now(bucket, 1000), 5);
    for (int i = 0; i < 7; i++) /* two more than there were */
        bucket_take(&bucket, 1000);
    bucket_retune(&bucket, 10, 1000, 1000);
    assert_int_equal(bucket_wait_ms(&bucket, 1000), 3000);
}

static void what_others_took_is_not_in_it(void **state)
{
    (void)state;
    struct bucket bucket = {.room = 10, .every_ms = 100};
    bucket_limit(&bucket, 3, 1000);
    assert_int_equal(count_now(bucket, 1000), 3);
    bucket_limit(&bucket, 7, 1000); /* it only takes away */
    assert_int_equal(count_now(bucket, 1000), 3);
    bucket_limit(&bucket, 0, 1000);
    assert_int_equal(bucket_wait_ms(&bucket, 1000), 100);
    bucket_limit(&bucket, 12000, 2000000);
    assert_int_equal(count_now(bucket, 2000000), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_bucket_gives_its_room_at_once_then_one_at_a_time),
        cmocka_unit_test(a_rest_fills_it_and_not_above_its_room),
        cmocka_unit_test(taking_what_is_not_there_makes_the_next_wait_longer),
        cmocka_unit_test(another_pace_keeps_what_is_in_it),
        cmocka_unit_test(what_others_took_is_not_in_it),
    };
    return cmocka_run_group_tests_name("bucket", tests, NULL, NULL);
}
