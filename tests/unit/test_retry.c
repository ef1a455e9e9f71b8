#include "lib/net/retry.h"

#include "lib/base/clock.h"
#include "tests/support/test.h"

static const struct retry_policy policy = {
    .least_ms = 100, .first_ms = 1000, .most_ms = 8000, .attempts = 4, .total_ms = 60000};

static void waits_stay_between_least_and_a_doubling_ceiling(void **state)
{
    (void)state;
    const int64_t ceilings[] = {1000, 2000, 4000, 8000, 8000, 8000};
    for (size_t i = 0; i < countof(ceilings); i++)
        for (int n = 0; n < 500; n++) {
            int64_t wait = retry_wait_ms(&policy, (int)i + 1);
            assert_in_range(wait, policy.least_ms, ceilings[i]);
        }
}

static void waits_have_full_jitter(void **state)
{
    (void)state;
    int low = 0;
    int high = 0;
    for (int n = 0; n < 1000; n++) {
        int64_t wait = retry_wait_ms(&policy, 4);
        low += wait < 2000;
        high += wait > 6000;
    }
    assert_in_range(low, 100, 500);
    assert_in_range(high, 100, 500);
}

static void a_high_attempt_does_not_overflow(void **state)
{
    (void)state;
    assert_in_range(retry_wait_ms(&policy, 2000000000), 100, 8000);
    const struct retry_policy flat = {.least_ms = 50, .first_ms = 10, .most_ms = 10};
    assert_int_equal(retry_wait_ms(&flat, 3), 50);
}

static void only_what_may_pass_is_tried_again(void **state)
{
    (void)state;
    for (enum outcome outcome = OK; outcome < OUTCOME_COUNT; outcome++) {
        struct retry retry;
        int64_t wait;
        retry_start(&retry, &policy);
        bool again = retry_again(&retry, outcome, 0, &wait);
        assert_int_equal(again, outcome == ERR_THROTTLED || outcome == ERR_UNREACHABLE);
    }
}

static void attempts_are_counted(void **state)
{
    (void)state;
    struct retry retry;
    int64_t wait;
    retry_start(&retry, &policy);
    for (int i = 1; i < policy.attempts; i++)
        assert_true(retry_again(&retry, ERR_THROTTLED, 0, &wait));
    assert_false(retry_again(&retry, ERR_THROTTLED, 0, &wait));
}

static void a_wait_that_ends_after_the_budget_is_not_begun(void **state)
{
    (void)state;
    struct retry retry;
    int64_t wait;
    clock_freeze(clock_at_seconds(1800000000));
    retry_start(&retry, &policy);
    assert_true(retry_again(&retry, ERR_UNREACHABLE, 0, &wait));
    clock_advance_ms(59950);
    assert_false(retry_again(&retry, ERR_UNREACHABLE, 0, &wait));
    clock_thaw();
}

static void what_the_other_side_asked_for_is_waited(void **state)
{
    (void)state;
    struct retry retry;
    int64_t wait = 0;
    retry_start(&retry, &policy);
    assert_true(retry_again(&retry, ERR_THROTTLED, 30000, &wait));
    assert_int_equal(wait, 30000);
    assert_false(retry_again(&retry, ERR_THROTTLED, 3600000, &wait));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_stay_between_least_and_a_doubling_ceiling),
        cmocka_unit_test(waits_have_full_jitter),
        cmocka_unit_test(a_high_attempt_does_not_overflow),
        cmocka_unit_test(only_what_may_pass_is_tried_again),
        cmocka_unit_test(attempts_are_counted),
        cmocka_unit_test(a_wait_that_ends_after_the_budget_is_not_begun),
        cmocka_unit_test(what_the_other_side_asked_for_is_waited),
    };
    return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
