/* EC2 at its worst: pages that are empty or have no end, answers to something else, floods. */
#include <stdlib.h>
#include <string.h>

#include "drivers/driver.h"
#include "tests/support/fake_http.h"
#include "tests/support/test.h"

#define REF "i-0123456789abcdef0"
#define PAGE(machines, token)                                                                      \
    "<DescribeInstancesResponse><reservationSet>" machines "</reservationSet><nextToken>" token    \
    "</nextToken></DescribeInstancesResponse>"
#define MACHINE(ref)                                                                               \
    "<item><instancesSet><item><instanceId>" ref                                                   \
    "</instanceId><instanceState><name>running</name>"                                             \
    "</instanceState></item></instancesSet></item>"

struct world {
    struct fake_http *ec2;
    struct account account;
    struct cloud *cloud;
};

static int set_up(void **state)
{
    struct error err = {0};
    struct world *w = NEW(struct world);
    w->ec2 = fake_http_start();
    w->account = (struct account){
        .name = "bad", .driver = DRIVER_AWS, .region = "us-east-2", .owner = "tests"};
    snprintf(w->account.endpoint, sizeof w->account.endpoint, "%s", fake_http_url(w->ec2));
    setenv("AWS_ACCESS_KEY_ID", "AKIATEST", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    unsetenv("AWS_SESSION_TOKEN");
    assert_ok(aws_driver.open(&w->account, &w->cloud, &err));
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    aws_driver.close(w->cloud);
    fake_http_stop(w->ec2);
    free(w);
    return 0;
}

/* "Not there" for a machine that is there would be a machine nobody pays attention to. */
static void a_machine_behind_an_empty_page_is_found(void **state)
{
    struct world *w = *state;
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
    struct world *w = *state;
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
    struct world *w = *state;
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
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_machine_behind_an_empty_page_is_found),
        T(a_list_goes_on_over_empty_pages),
        T(pages_that_go_in_a_circle_are_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
