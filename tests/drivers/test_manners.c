/* One place that each call asks: what a cloud says in its headers counts, accounts that sign in
 * alike share, and a turn that is held is not taken twice. */
#include "drivers/manners.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/test.h"

/* One of each is kept back (drivers/pace.c). */
static const struct call_limit rows[] = {
    {"Create", "writes", 5, 60, ""}, {"Create", "machines", 100, 6000, ""},
    {"Delete", "writes", 5, 60, ""}, {"Look", "reads", 11, 600, ""},
    {"Make", "writes", 5, 60, ""},   {"Make", "Some.Provider/Make", 4, 60, ""},
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

/* Two buckets, and each header speaks of one of them. */
static void what_is_left_of_a_providers_limit_is_not_the_managers(void **state)
{
    (void)state;
    OWNED(manners_drop) struct manners *one = open_in("one", "r8");
    struct http_answer answer = {.status = 200};
    http_answer_put_header(&answer, "x-ms-ratelimit-remaining-resource", "Some.Provider/Make;1");
    manners_tell(one, "Make", &answer, false);
    assert_int_equal(turns(one, "Make"), 1);
    assert_int_equal(turns(one, "Create"), 3); /* of four, and one was taken */
    http_answer_done(&answer);
    OWNED(manners_drop) struct manners *far = open_in("one", "r9");
    answer = (struct http_answer){.status = 200};
    http_answer_put_header(&answer, "x-ms-ratelimit-remaining-subscription-writes", "0");
    manners_tell(far, "Make", &answer, false);
    assert_int_equal(turns(far, "Create"), 0);
    clock_advance_ms(4000); /* the manager's come back; the provider's were there all the time */
    assert_int_equal(turns(far, "Make"), 3);
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

/* ---- silence --------------------------------------------------------------------------------- */

static void wait_for_nothing(struct manners *manners, int64_t ms)
{
    struct error err = {0};
    assert_ok(manners_reach(manners, &err));
    clock_advance_ms(ms);
    assert_int_equal(manners_reached(manners, ERR_AMBIGUOUS), ERR_AMBIGUOUS);
}

static int64_t left_alone(struct manners *manners)
{
    struct error err = {0};
    assert_fails(manners_reach(manners, &err), ERR_THROTTLED, "paced");
    return err.retry_ms;
}

static void an_account_that_says_nothing_holds_up_one_thread_alone(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(manners_drop) struct manners *one = open_in("one", "s1");
    OWNED(manners_drop) struct manners *other = open_in("one", "s1");
    OWNED(manners_drop) struct manners *elsewhere = open_in("one", "s2");
    wait_for_nothing(one, 30000);
    assert_int_equal(left_alone(one), SILENT_FIRST_MS);
    assert_int_equal(left_alone(other), SILENT_FIRST_MS);
    assert_fails(manners_hold(other, "Create", &err), ERR_THROTTLED, "paced");
    assert_ok(manners_reach(elsewhere, &err));
    clock_advance_ms(SILENT_FIRST_MS);
    assert_ok(manners_reach(other, &err)); /* it tries */
    assert_true(left_alone(one) > 0);
    assert_int_equal(manners_reached(other, OK), OK);
    assert_ok(manners_reach(one, &err));
}

static void an_account_that_stays_silent_is_tried_once_a_minute(void **state)
{
    (void)state;
    OWNED(manners_drop) struct manners *one = open_in("one", "s3");
    static const int64_t waits[] = {5000, 10000, 20000, 40000, 60000, 60000};
    for (size_t i = 0; i < countof(waits); i++) {
        wait_for_nothing(one, 30000);
        assert_int_equal(left_alone(one), waits[i]);
        clock_advance_ms(waits[i]);
    }
}

static void what_was_under_way_together_is_one_silence(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(manners_drop) struct manners *one = open_in("one", "s6");
    OWNED(manners_drop) struct manners *other = open_in("one", "s6");
    assert_ok(manners_reach(one, &err));
    assert_ok(manners_reach(other, &err));
    clock_advance_ms(30000);
    assert_int_equal(manners_reached(one, ERR_AMBIGUOUS), ERR_AMBIGUOUS);
    assert_int_equal(manners_reached(other, ERR_AMBIGUOUS), ERR_AMBIGUOUS);
    assert_int_equal(left_alone(one), SILENT_FIRST_MS);
}

/* A refused connection holds up nobody, and whoever is paced was not even sent. */
static void only_what_took_long_counts_as_silence(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(manners_drop) struct manners *one = open_in("one", "s4");
    wait_for_nothing(one, SILENT_MS - 1);
    assert_ok(manners_reach(one, &err));
    clock_advance_ms(SILENT_MS);
    assert_int_equal(manners_reached(one, ERR_THROTTLED), ERR_THROTTLED);
    assert_ok(manners_reach(one, &err));
}

static void whoever_tries_and_is_never_heard_of_is_not_waited_for(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(manners_drop) struct manners *one = open_in("one", "s5");
    OWNED(manners_drop) struct manners *other = open_in("one", "s5");
    wait_for_nothing(one, 30000);
    clock_advance_ms(SILENT_FIRST_MS);
    assert_ok(manners_reach(other, &err));
    assert_int_equal(left_alone(one), SILENT_TRY_MS);
    clock_advance_ms(SILENT_TRY_MS);
    assert_ok(manners_reach(one, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_that_sign_in_alike_share_and_regions_do_not),
        cmocka_unit_test(a_turn_that_is_held_is_not_taken_twice),
        cmocka_unit_test(what_the_headers_say_is_left_counts),
        cmocka_unit_test(what_is_left_of_a_providers_limit_is_not_the_managers),
        cmocka_unit_test(retry_after_is_waited_for_and_a_throttle_tells_when),
        cmocka_unit_test(controllers_divide_what_there_is),
        cmocka_unit_test(an_account_that_says_nothing_holds_up_one_thread_alone),
        cmocka_unit_test(an_account_that_stays_silent_is_tried_once_a_minute),
        cmocka_unit_test(what_was_under_way_together_is_one_silence),
        cmocka_unit_test(only_what_took_long_counts_as_silence),
        cmocka_unit_test(whoever_tries_and_is_never_heard_of_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, freeze, thaw);
}
