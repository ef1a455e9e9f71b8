/* EC2 at its worst: pages that are empty or have no end, answers to something else, floods. */
#include <string.h>

#include "tests/support/far_ec2.h"
#include "tests/support/test.h"

#define REF "i-0123456789abcdef0"
#define PAGE(machines, token)                                                                      \
    "<DescribeInstancesResponse><reservationSet>" machines "</reservationSet><nextToken>" token    \
    "</nextToken></DescribeInstancesResponse>"
#define MACHINE(ref)                                                                               \
    "<item><instancesSet><item><instanceId>" ref                                                   \
    "</instanceId><instanceState><name>running</name>"                                             \
    "</instanceState></item></instancesSet></item>"

/* "Not there" for a machine that is there would be a machine nobody pays attention to. */
static void a_machine_behind_an_empty_page_is_found(void **state)
{
    struct far_ec2 *w = *state;
    struct error err = {0};
    struct sighting seen;
    fake_http_say(w->ec2, 200, PAGE("", "two"));
    fake_http_say(w->ec2, 200, PAGE(MACHINE(REF), ""));
    assert_ok(aws_driver.find(w->cloud, REF, &seen, &err));
    assert_int_equal(seen.state, MACHINE_RUNNING);
    assert_non_null(strstr(fake_http_heard(w->ec2, 1), "NextToken=two"));
}

static void a_list_goes_on_over_empty_pages(void **state)
{
    struct far_ec2 *w = *state;
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    fake_http_say(w->ec2, 200, PAGE(MACHINE("i-0a"), "two"));
    fake_http_say(w->ec2, 200, PAGE("", "three"));
    fake_http_say(w->ec2, 200, PAGE(MACHINE("i-0b"), ""));
    assert_ok(aws_driver.list(w->cloud, &list, &err));
    assert_int_equal(list.count, 2);
}

static void pages_that_go_in_a_circle_are_left(void **state)
{
    struct far_ec2 *w = *state;
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    fake_http_say(w->ec2, 200, PAGE(MACHINE("i-0a"), "two"));
    fake_http_say(w->ec2, 200, PAGE(MACHINE("i-0a"), "two"));
    assert_fails(aws_driver.list(w->cloud, &list, &err), ERR_UNREACHABLE, "server-error");
    assert_int_equal(list.count, 0);
    assert_null(fake_http_heard(w->ec2, 2));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, far_ec2_open, far_ec2_close)
    const struct CMUnitTest tests[] = {
        T(a_machine_behind_an_empty_page_is_found),
        T(a_list_goes_on_over_empty_pages),
        T(pages_that_go_in_a_circle_are_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
