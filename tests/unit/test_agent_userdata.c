/* R11: what the host says is a hint from an enemy. */
#include "agent/userdata.h"

#include <string.h>

#include "tests/support/test.h"

#define INSTANCE "\"instance\":\"0190c0de-0000-7000-8000-000000000001\""
#define WHERE "\"controllers\":[\"tls+tcp://muster.example:7443\"]"
#define TICKET "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static enum outcome parse(const char *text, struct userdata *out, struct error *err)
{
    return userdata_parse(span_of_text(text), out, err);
}

static void what_the_controller_writes_is_understood(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(userdata_done) struct userdata u = {0};
    assert_ok(parse("{\"muster\":1,\"controllers\":[\"tls+tcp://[::1]:7443\","
                    "\"tls+tcp://c2.example:1\"],\"root\":\"PEM\"," INSTANCE ",\"ticket\":\"" TICKET
                    "\",\"later\":true}",
                    &u, &err));
    assert_int_equal(u.controller_count, 2);
    assert_string_equal(u.controllers[1], "tls+tcp://c2.example:1");
    assert_true(span_equal(bytes_span(&u.root), span_of_text("PEM")));
    assert_string_equal(u.ticket, TICKET);
    assert_string_equal(uuid_text(&u.instance).at, "0190c0de-0000-7000-8000-000000000001");
}

static void root_and_ticket_may_be_absent(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(userdata_done) struct userdata u = {0};
    assert_ok(parse("{\"muster\":1," WHERE "," INSTANCE "}", &u, &err));
    assert_int_equal(u.root.len, 0);
    assert_string_equal(u.ticket, "");
}

static void hostile_user_data_is_refused_whole(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "#cloud-config\nruncmd: [reboot]\n",
        "[]",
        "null",
        "{}",
        "{\"muster\":2," WHERE "," INSTANCE "}",
        "{\"muster\":1," INSTANCE "}",
        "{\"muster\":1,\"controllers\":[]," INSTANCE "}",
        "{\"muster\":1,\"controllers\":\"tls+tcp://a:1\"," INSTANCE "}",
        "{\"muster\":1,\"controllers\":[7]," INSTANCE "}",
        "{\"muster\":1,\"controllers\":[\"tcp://a:1\"]," INSTANCE "}",
        "{\"muster\":1,\"controllers\":[\"tls+tcp://a\"]," INSTANCE "}",
        "{\"muster\":1,\"controllers\":[\"tls+tcp://:1\"]," INSTANCE "}",
        "{\"muster\":1,\"controllers\":[\"tls+tcp://a:0\"]," INSTANCE "}",
        "{\"muster\":1,\"controllers\":[\"tls+tcp://a:65536\"]," INSTANCE "}",
        "{\"muster\":1,\"controllers\":[\"tls+tcp://a b:1\"]," INSTANCE "}",
        "{\"muster\":1,\"controllers\":[\"tls+tcp://a/../:1\"]," INSTANCE "}",
        "{\"muster\":1," WHERE "}",
        "{\"muster\":1," WHERE ",\"instance\":\"me\"}",
        "{\"muster\":1," WHERE ",\"instance\":\"00000000-0000-0000-0000-000000000000\"}",
        "{\"muster\":1," WHERE "," INSTANCE ",\"ticket\":\"short\"}",
        "{\"muster\":1," WHERE "," INSTANCE ",\"ticket\":\"" TICKET "\\n\"}",
        "{\"muster\":1," WHERE "," INSTANCE ",\"root\":7}",
        "{\"muster\":1," WHERE "," INSTANCE "," INSTANCE "}",
        "{\"muster\":1," WHERE "," INSTANCE "} {}",
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct error err = {0};
        OWNED(userdata_done) struct userdata u = {0};
        if (parse(cases[i], &u, &err) != ERR_INVALID)
            fail_msg("taken: %s", cases[i]);
        assert_int_equal(u.controller_count, 0);
    }
}

static void endless_user_data_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes much = {0};
    OWNED(userdata_done) struct userdata u = {0};
    bytes_add_room(&much, USERDATA_MAX + 1);
    memset(much.at, ' ', much.len);
    assert_int_equal(userdata_parse(bytes_span(&much), &u, &err), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_controller_writes_is_understood),
        cmocka_unit_test(root_and_ticket_may_be_absent),
        cmocka_unit_test(hostile_user_data_is_refused_whole),
        cmocka_unit_test(endless_user_data_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
