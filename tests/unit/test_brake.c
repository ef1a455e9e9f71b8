/* When many that are missing at once are believed: by hand, and over every small case. */
#include "lib/model/brake.h"

#include "tests/support/test.h"

static struct vanishing seen(int64_t settled, int64_t missing)
{
    return (struct vanishing){.settled = settled, .missing = missing, .looks = 1};
}

static void few_may_always_vanish(void **state)
{
    (void)state;
    for (int64_t settled = 0; settled < 3000; settled++)
        for (int64_t missing = 0; missing <= settled && missing <= BRAKE_LEAST; missing++) {
            const struct vanishing v = seen(settled, missing);
            assert_false(vanishing_is_held(&v));
        }
}

static void half_of_them_may_and_more_may_not(void **state)
{
    (void)state;
    for (int64_t settled = 2 * BRAKE_LEAST + 2; settled < 3000; settled++) {
        const struct vanishing half = seen(settled, settled / 2);
        const struct vanishing more = seen(settled, settled / 2 + 1);
        const struct vanishing all = seen(settled, settled);
        assert_false(vanishing_is_held(&half));
        assert_true(vanishing_is_held(&more));
        assert_true(vanishing_is_held(&all));
    }
}

static void eleven_of_eleven_are_held(void **state)
{
    (void)state;
    const struct vanishing v = seen(11, 11);
    assert_true(vanishing_is_held(&v));
}

/* Neither lists without time nor time without lists. */
static void what_lasts_is_believed_at_last(void **state)
{
    (void)state;
    for (int64_t looks = 1; looks < 10; looks++)
        for (int64_t seconds = 0; seconds < 2 * BRAKE_SECONDS; seconds += 10) {
            struct vanishing v = seen(100, 100);
            v.looks = looks;
            v.held_seconds = seconds;
            assert_int_equal(vanishing_is_held(&v), looks < BRAKE_LOOKS || seconds < BRAKE_SECONDS);
            v.hold_seconds = 30;
            assert_int_equal(vanishing_is_held(&v), looks < BRAKE_LOOKS || seconds < 30);
        }
}

static void a_persons_word_is_enough(void **state)
{
    (void)state;
    struct vanishing v = seen(100, 100);
    v.believed = true;
    assert_false(vanishing_is_held(&v));
    assert_true(vanishing_is_mass(&v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_may_always_vanish),
        cmocka_unit_test(half_of_them_may_and_more_may_not),
        cmocka_unit_test(eleven_of_eleven_are_held),
        cmocka_unit_test(what_lasts_is_believed_at_last),
        cmocka_unit_test(a_persons_word_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
