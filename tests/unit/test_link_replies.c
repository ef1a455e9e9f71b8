#include "lib/net/link_replies.h"

#include "tests/support/test.h"

static enum link_request ask(struct link_replies *replies, uint64_t id)
{
    uint8_t type;
    struct span body;
    return link_replies_ask(replies, id, &type, &body);
}

static void a_request_is_done_once_and_its_answer_repeated(void **state)
{
    (void)state;
    OWNED(link_replies_drop) struct link_replies *replies = link_replies_new(4, 100);
    uint8_t type = 0;
    struct span body = {0};
    assert_int_equal(ask(replies, 7), REQUEST_NEW);
    assert_int_equal(ask(replies, 7), REQUEST_UNDERWAY);
    link_replies_keep(replies, 7, 3, bytes_copy(span_of_text("done")));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(link_replies_ask(replies, 7, &type, &body), REQUEST_ANSWERED);
        assert_int_equal(type, 3);
        assert_true(span_equal(body, span_of_text("done")));
    }
}

static void the_first_answer_stays(void **state)
{
    (void)state;
    OWNED(link_replies_drop) struct link_replies *replies = link_replies_new(4, 100);
    uint8_t type = 0;
    struct span body = {0};
    assert_int_equal(ask(replies, 7), REQUEST_NEW);
    link_replies_keep(replies, 7, 3, bytes_copy(span_of_text("first")));
    link_replies_keep(replies, 7, 4, bytes_copy(span_of_text("second")));
    link_replies_keep(replies, 8, 4, bytes_copy(span_of_text("never asked")));
    assert_int_equal(link_replies_ask(replies, 7, &type, &body), REQUEST_ANSWERED);
    assert_true(span_equal(body, span_of_text("first")));
    assert_int_equal(ask(replies, 8), REQUEST_NEW);
}

static void a_forgotten_request_may_come_again(void **state)
{
    (void)state;
    OWNED(link_replies_drop) struct link_replies *replies = link_replies_new(4, 100);
    assert_int_equal(ask(replies, 7), REQUEST_NEW);
    link_replies_forget(replies, 7);
    link_replies_forget(replies, 99);
    assert_int_equal(ask(replies, 7), REQUEST_NEW);
}

static void the_oldest_answered_makes_room_and_work_underway_never_does(void **state)
{
    (void)state;
    OWNED(link_replies_drop) struct link_replies *replies = link_replies_new(2, 100);
    assert_int_equal(ask(replies, 1), REQUEST_NEW);
    assert_int_equal(ask(replies, 2), REQUEST_NEW);
    assert_int_equal(ask(replies, 3), REQUEST_TOO_MANY);
    link_replies_keep(replies, 2, 1, bytes_copy(span_of_text("two")));
    assert_int_equal(ask(replies, 3), REQUEST_NEW);
    assert_int_equal(ask(replies, 1), REQUEST_UNDERWAY);
    assert_int_equal(ask(replies, 2), REQUEST_TOO_MANY);
}

static void answers_are_bounded_in_bytes(void **state)
{
    (void)state;
    OWNED(link_replies_drop) struct link_replies *replies = link_replies_new(8, 10);
    uint8_t type = 9;
    struct span body = {0};
    for (uint64_t id = 1; id <= 3; id++)
        assert_int_equal(ask(replies, id), REQUEST_NEW);
    link_replies_keep(replies, 3, 1, bytes_copy(span_of_text("123456")));
    link_replies_keep(replies, 2, 1, bytes_copy(span_of_text("12345"))); /* pushes 3 out */
    assert_int_equal(link_replies_ask(replies, 2, &type, &body), REQUEST_ANSWERED);
    assert_int_equal(body.len, 5);
    link_replies_keep(replies, 1, 1, bytes_copy(span_of_text("longer than all of it")));
    assert_int_equal(link_replies_ask(replies, 1, &type, &body), REQUEST_ANSWERED);
    assert_int_equal(type, 0);
    assert_int_equal(body.len, 0);
    assert_int_equal(ask(replies, 3), REQUEST_NEW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_done_once_and_its_answer_repeated),
        cmocka_unit_test(the_first_answer_stays),
        cmocka_unit_test(a_forgotten_request_may_come_again),
        cmocka_unit_test(the_oldest_answered_makes_room_and_work_underway_never_does),
        cmocka_unit_test(answers_are_bounded_in_bytes),
    };
    return cmocka_run_group_tests_name("link_replies", tests, NULL, NULL);
}
