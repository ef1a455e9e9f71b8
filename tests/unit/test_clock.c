#include "lib/base/clock.h"

#include "tests/support/test.h"

static void moments_print_and_parse_the_same(void **state)
{
    (void)state;
    struct error err = {0};
    static const struct {
        const char *in, *out;
        int64_t seconds;
    } cases[] = {
        {"1970-01-01T00:00:01Z", "1970-01-01T00:00:01Z", 1},
        {"2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z", 1795428000},
        {"2026-11-23T10:00:00.5+02:00", "2026-11-23T08:00:00.500000Z", 1795420800},
        {"2024-02-29t23:59:59z", "2024-02-29T23:59:59Z", 1709251199},
        {"9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z", 253402300799},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct moment m = {0};
        assert_ok(moment_parse(cases[i].in, &m, &err));
        assert_int_equal(moment_seconds(m), cases[i].seconds);
        assert_string_equal(moment_text(m).at, cases[i].out);
    }
}

static void what_is_not_a_time_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    const char *const bad[] = {"",
                               "2026-11-23",
                               "2026-11-23T10:00:00",
                               "2026-02-30T10:00:00Z",
                               "2026-13-01T10:00:00Z",
                               "2026-11-23T24:00:00Z",
                               "2026-11-23T10:00:00.Z",
                               "2026-11-23T10:00:00Zx",
                               "1969-12-31T23:59:59Z",
                               "2026-11-23 10:00:00Z",
                               "2026-11-23T10:00:00+2:00"};
    for (size_t i = 0; i < countof(bad); i++) {
        struct moment m = {0};
        assert_fails(moment_parse(bad[i], &m, &err), ERR_INVALID, "invalid");
    }
}

static void a_frozen_clock_moves_only_when_told(void **state)
{
    (void)state;
    clock_freeze(clock_at_seconds(1000));
    int64_t before = clock_monotonic_ms();
    clock_advance_ms(2500);
    assert_int_equal(clock_now().us, 1002500000);
    assert_int_equal(clock_monotonic_ms() - before, 2500);
    clock_thaw();
    assert_true(moment_seconds(clock_now()) > 1700000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_print_and_parse_the_same),
        cmocka_unit_test(what_is_not_a_time_is_refused),
        cmocka_unit_test(a_frozen_clock_moves_only_when_told),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
