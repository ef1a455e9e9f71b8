/* One place that each call asks: what a cloud says in its headers counts, accounts that sign in
 * alike share, and a turn that is held is not taken twice. */
#include "drivers/manners.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/test.h"

/* One of each is kept back (drivers/pace.c). */
static const struct call_limit rows[] = {
    {"Create", "writes", 5, 60, ""},
    {"Create", "machines", 100, 6000, ""},
    {"Delete", "writes", 5, 60, ""},
    {"Look", "reads", 11, 600, ""},
};
static const struct call_limits limits = {rows, countof(rows)};

/* Each test is in a region of its own: what was used stays used. */
static struct manners *open_in(const char *name, const char *region)
{
    struct account account = {.driver = DRIVER_AZURE};
    snprintf(account.name, sizeof account.name, "%s", name);
    snprintf(account.region, sizeof account.region, "%s", region);
    return manners_open(&account, &limits);
}

static int64_t turns(struct manners *manners, const char *call)
{
    struct error err = {0};
    int64_t count = 0;
    while (manners_ask(manners, call, &err) == OK)
        count++;
    assert_string_equal(err.code, "paced");
    assert_true(err.retry_ms > 0);
    return count;
}

static int freeze(void **state)
{
    (void)state;
    clock_freeze(clock_at_seconds(1800000000));
    return 0;
}

static int thaw(void **state)
{
    (void)state;
    clock_thaw();
    return 0;
}

static void accounts_that_sign_in_alike_share_and_regions_do_not(void **state)
{
    (void)state;
    OWNED(manners_drop) struct manners *one = open_in("one", "r1");
    OWNED(manners_drop) struct manners *other = open_in("other", "r1");
    OWNED(manners_drop) struct manners *far = open_in("one", "r2");
    assert_int_equal(turns(one, "Create"), 4);
    assert_int_equal(turns(other, "Create"), 0);
    assert_int_equal(turns(other, "Delete"), 0); /* the same limit */
    assert_int_equal(turns(far, "Create"), 4);
    assert_int_equal(turns(one, "Look"), 10);
}

static void a_turn_that_is_held_is_not_taken_twice(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(manners_drop) struct manners *one = open_in("one", "r3");
    assert_ok(manners_hold(one, "Create", &err));
    assert_ok(manners_hold(one, "Create", &err));
    assert_int_equal(turns(one, "Create"), 4);
    assert_fails(manners_hold(one, "Create", &err), ERR_THROTTLED, "paced");
}

static void what_the_headers_say_is_left_counts(void **state)
{
    (void)state;
    OWNED(manners_drop) struct manners *one = open_in("one", "r4");
    struct http_answer answer = {.status = 200};
    http_answer_put_header(&answer, "x-ms-ratelimit-remaining-subscription-reads", "11999");
    manners_tell(one, "Look", &answer, false);
    http_answer_put_header(&answer, "X-Ms-Ratelimit-Remaining-Resource",
                           "Microsoft.Compute/GetVM3Min;3,Microsoft.Compute/GetVM30Min;1199");
    manners_tell(one, "Look", &answer, false);
    assert_int_equal(turns(one, "Look"), 3);
    http_answer_done(&answer);
}

static void retry_after_is_waited_for_and_a_throttle_tells_when(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(manners_drop) struct manners *one = open_in("one", "r5");
    struct http_answer answer = {.status = 429};
    http_answer_put_header(&answer, "Retry-After", "17");
    assert_true(manners_tell(one, "Look", &answer, true) >= 17000);
    assert_fails(manners_ask(one, "Look", &err), ERR_THROTTLED, "paced");
    assert_true(err.retry_ms >= 17000);
    assert_ok(manners_ask(one, "Create", &err)); /* another limit */
    clock_advance_ms(17000);
    assert_ok(manners_ask(one, "Look", &err));
    http_answer_done(&answer);
}

static void controllers_divide_what_there_is(void **state)
{
    (void)state;
    OWNED(manners_drop) struct manners *one = open_in("one", "r6");
    manners_share(2);
    assert_int_equal(turns(one, "Create"), 1); /* of two */
    manners_share(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_that_sign_in_alike_share_and_regions_do_not),
        cmocka_unit_test(a_turn_that_is_held_is_not_taken_twice),
        cmocka_unit_test(what_the_headers_say_is_left_counts),
        cmocka_unit_test(retry_after_is_waited_for_and_a_throttle_tells_when),
        cmocka_unit_test(controllers_divide_what_there_is),
    };
    return cmocka_run_group_tests(tests, freeze, thaw);
}
