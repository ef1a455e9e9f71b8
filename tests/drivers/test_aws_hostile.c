/* EC2 at its worst: pages that are empty or have no end, answers to something else, floods. */
#include <stdio.h>
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
    assert_ok(aws_driver.find(w->cloud, REF, NULL, &seen, &err));
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

/* Whoever may write accounts would else be handed our web identity's token, and every launch. */
static void what_we_sign_in_with_goes_to_aws_alone(void **state)
{
    (void)state;
    static const char *const strangers[] = {
        "https://ec2.example",
        "https://ec2.eu-west-1.amazonaws.com.example",
        "https://ec2.eu-west-2.amazonaws.com",
        "https://ec2.eu-west-1.amazonaws.com:8443",
        "https://abc.execute-api.eu-west-1.amazonaws.com",
        "https://vpce-0a.execute-api.eu-west-1.vpce.amazonaws.com",
        "https://vpce-0a.evil.ec2.eu-west-1.vpce.amazonaws.com",
        "https://x-ec2.eu-west-1.amazonaws.com",
    };
    static const char *const own[] = {
        "",
        "https://ec2.eu-west-1.amazonaws.com:443/",
        "https://ec2-fips.eu-west-1.amazonaws.com",
        "https://ec2.eu-west-1.api.aws",
        "https://vpce-0a-b.ec2.eu-west-1.vpce.amazonaws.com",
    };
    struct account account = {.name = "a", .driver = DRIVER_AWS, .region = "eu-west-1"};
    for (size_t i = 0; i < countof(strangers) + countof(own); i++) {
        struct error err = {0};
        struct cloud *cloud = NULL;
        const bool is_own = i >= countof(strangers);
        snprintf(account.endpoint, sizeof account.endpoint, "%s",
                 is_own ? own[i - countof(strangers)] : strangers[i]);
        if (is_own)
            assert_ok(aws_driver.open(&account, &cloud, &err));
        else
            assert_fails(aws_driver.open(&account, &cloud, &err), ERR_INVALID, "bad-endpoint");
        aws_driver.close(cloud);
    }
}

/* A tag may be taken off by hand; the token stays as it was launched with. */
static void a_machine_is_looked_for_by_the_token_itself(void **state)
{
    struct far_ec2 *w = *state;
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    fake_http_say(w->ec2, 200, PAGE(MACHINE("i-0a"), ""));
    assert_ok(aws_driver.find_token(w->cloud, "token-1", &list, &err));
    assert_int_equal(list.count, 1);
    assert_non_null(
        strstr(fake_http_heard(w->ec2, 0), "Filter.1.Name=client-token&Filter.1.Value.1=token-1"));
}

#define TAGGED(ref, launched_by, tag)                                                              \
    "<item><instancesSet><item><instanceId>" ref                                                   \
    "</instanceId><instanceState><name>running</name></instanceState><clientToken>" launched_by    \
    "</clientToken><tagSet><item><key>muster:token</key><value>" tag                               \
    "</value></item></tagSet></item></instancesSet></item>"

/* "Launch more like this" copies every tag. */
static void tags_of_another_machine_do_not_make_it_ours(void **state)
{
    struct far_ec2 *w = *state;
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    fake_http_say(w->ec2, 200, PAGE(TAGGED("i-0a", "t-1", "t-1") TAGGED("i-0b", "", "t-1"), ""));
    assert_ok(aws_driver.list(w->cloud, &list, &err));
    assert_int_equal(list.count, 2);
    assert_false(list.at[0].is_copy);
    assert_true(list.at[1].is_copy);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, far_ec2_open, far_ec2_close)
    const struct CMUnitTest tests[] = {
        T(a_machine_behind_an_empty_page_is_found),
        T(a_list_goes_on_over_empty_pages),
        T(pages_that_go_in_a_circle_are_left),
        T(what_we_sign_in_with_goes_to_aws_alone),
        T(a_machine_is_looked_for_by_the_token_itself),
        T(tags_of_another_machine_do_not_make_it_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
