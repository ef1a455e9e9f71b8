#include "controller/http_target.h"

#include <string.h>

#include "tests/support/test.h"

static void a_target_is_decoded_into_segments_and_parameters(void **state)
{
    (void)state;
    struct error err = {0};
    struct http_target target = {0};
    assert_ok(http_target_parse("/v1/fleets/w%65b?limit=10&cursor=a%20b", &target, &err));
    assert_int_equal(target.segment_count, 3);
    assert_string_equal(target.segments[0], "v1");
    assert_string_equal(target.segments[2], "web");
    assert_string_equal(http_target_query(&target, "limit"), "10");
    assert_string_equal(http_target_query(&target, "cursor"), "a b");
    assert_null(http_target_query(&target, "absent"));
    http_target_done(&target);
}

static void the_root_has_no_segments(void **state)
{
    (void)state;
    struct error err = {0};
    struct http_target target = {0};
    assert_ok(http_target_parse("/", &target, &err));
    assert_int_equal(target.segment_count, 0);
    http_target_done(&target);
}

static void a_value_may_be_empty_and_hold_an_equals_sign(void **state)
{
    (void)state;
    struct error err = {0};
    struct http_target target = {0};
    assert_ok(http_target_parse("/?a=&b=c=d", &target, &err));
    assert_string_equal(http_target_query(&target, "a"), "");
    assert_string_equal(http_target_query(&target, "b"), "c=d");
    http_target_done(&target);
}

/* facts/link-http-database.md section C: whatever could be read two ways is refused. */
static void what_could_be_read_two_ways_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",         "*",          "v1",       "http://host/v1", "//",      "/v1//fleets",
        "/v1/",     "/..",        "/v1/../x", "/v1/%2e%2e/x",   "/.",      "/v1/%2E",
        "/a%2fb",   "/a%2Fb",     "/a%5cb",   "/a%00b",         "/a%",     "/a%4",
        "/a%zz",    "/a b",       "/a\"b",    "/a\\b",          "/a#b",    "/a\x80",
        "/a%c0%af", "/a%ff",      "/a%0a%00", "/a%01",          "/?",      "/?a",
        "/?=a",     "/?a=1&a=2",  "/?a=1&",   "/?&a=1",         "/?a=%00", "/?a=1&%61=2",
        "/a?b=c d", "/a\r\nX: y", "/a\tb",    "/a|b",           "/{a}",    "/a^b",
    };
    for (size_t i = 0; i < countof(bad); i++) {
        struct error err = {0};
        struct http_target target = {0};
        assert_fails(http_target_parse(bad[i], &target, &err), ERR_INVALID, "bad-target");
        assert_int_equal(target.segment_count, 0);
    }
}

static void too_much_of_anything_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    struct http_target target = {0};
    char *big = mem_new(HTTP_TARGET_MAX + 2, 1);
    memset(big, 'a', HTTP_TARGET_MAX + 1);
    big[0] = '/';
    assert_fails(http_target_parse(big, &target, &err), ERR_INVALID, "bad-target");
    mem_drop(&big);

    OWNED(text_done) struct text deep = {0};
    for (int i = 0; i <= HTTP_SEGMENTS_MAX; i++)
        text_add(&deep, "/a");
    assert_fails(http_target_parse(text_str(&deep), &target, &err), ERR_INVALID, "bad-target");

    OWNED(text_done) struct text wide = {0};
    text_add(&wide, "/?");
    for (int i = 0; i <= HTTP_QUERY_MAX; i++)
        text_addf(&wide, "%sp%d=1", i > 0 ? "&" : "", i);
    assert_fails(http_target_parse(text_str(&wide), &target, &err), ERR_INVALID, "bad-target");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_is_decoded_into_segments_and_parameters),
        cmocka_unit_test(the_root_has_no_segments),
        cmocka_unit_test(a_value_may_be_empty_and_hold_an_equals_sign),
        cmocka_unit_test(what_could_be_read_two_ways_is_refused),
        cmocka_unit_test(too_much_of_anything_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
