#include "controller/userdata.h"

#include <string.h>

#include "agent/userdata.h"
#include "lib/crypto/random.h"
#include "tests/support/test.h"

static uint8_t ticket_key[SHA256_SIZE];

static void what_we_tell_is_what_the_agent_reads(void **state)
{
    (void)state;
    struct error err = {0};
    struct uuid id = uuid_new();
    struct launch_ticket ticket;
    OWNED(bytes_done) struct bytes told = {0};
    OWNED(userdata_done) struct userdata heard = {0};
    launch_ticket_make(ticket_key, &id, &ticket);
    assert_ok(userdata_make("tls+tcp://127.0.0.1:7, tls+tcp://c2.example:8",
                            span_of_text("-----BEGIN\nroot\n"), &id, &ticket, &told, &err));
    assert_ok(userdata_parse(bytes_span(&told), &heard, &err));
    assert_int_equal(heard.controller_count, 2);
    assert_string_equal(heard.controllers[1], "tls+tcp://c2.example:8");
    assert_string_equal(heard.ticket, ticket.text);
    assert_true(uuid_equal(&heard.instance, &id));
    assert_true(span_equal(bytes_span(&heard.root), span_of_text("-----BEGIN\nroot\n")));
}

/* After a crash the same launch must be said with the same bytes, or the cloud refuses its token.
 */
static void the_same_launch_is_said_with_the_same_bytes(void **state)
{
    (void)state;
    struct error err = {0};
    struct uuid id = uuid_new();
    OWNED(bytes_done) struct bytes first = {0};
    OWNED(bytes_done) struct bytes again = {0};
    struct launch_ticket ticket;
    launch_ticket_make(ticket_key, &id, &ticket);
    assert_ok(userdata_make("tls+tcp://a:1", span_of_text("r"), &id, &ticket, &first, &err));
    launch_ticket_make(ticket_key, &id, &ticket);
    assert_ok(userdata_make("tls+tcp://a:1", span_of_text("r"), &id, &ticket, &again, &err));
    assert_true(span_equal(bytes_span(&first), bytes_span(&again)));
}

static void tickets_differ_by_instance_and_by_key_and_the_row_keeps_only_a_hash(void **state)
{
    (void)state;
    struct uuid one = uuid_new(), two = uuid_new();
    struct launch_ticket a, b, c;
    uint8_t other_key[SHA256_SIZE] = {1};
    uint8_t hash[SHA256_SIZE];
    launch_ticket_make(ticket_key, &one, &a);
    launch_ticket_make(ticket_key, &two, &b);
    launch_ticket_make(other_key, &one, &c);
    assert_string_not_equal(a.text, b.text);
    assert_string_not_equal(a.text, c.text);
    digest(DIGEST_SHA256, span_of_text(a.text), hash);
    assert_memory_equal(hash, a.hash, SHA256_SIZE);
}

static void no_controller_and_too_much_of_a_root_are_refused(void **state)
{
    (void)state;
    struct error err = {0};
    struct uuid id = uuid_new();
    struct launch_ticket ticket;
    OWNED(bytes_done) struct bytes told = {0};
    launch_ticket_make(ticket_key, &id, &ticket);
    assert_fails(userdata_make("", span_of_text("r"), &id, &ticket, &told, &err), ERR_INVALID,
                 "bad-setting");
    assert_fails(userdata_make(", ,", span_of_text("r"), &id, &ticket, &told, &err), ERR_INVALID,
                 "bad-setting");
    OWNED(bytes_done) struct bytes root = {0};
    memset(bytes_add_room(&root, 20000), 'a', 20000);
    assert_fails(userdata_make("tls+tcp://a:1", bytes_span(&root), &id, &ticket, &told, &err),
                 ERR_INVALID, "too-large");
    assert_int_equal(told.len, 0);
}

static int make_key(void **state)
{
    (void)state;
    launch_ticket_key(span_of_text("a key"), ticket_key);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_we_tell_is_what_the_agent_reads),
        cmocka_unit_test(the_same_launch_is_said_with_the_same_bytes),
        cmocka_unit_test(tickets_differ_by_instance_and_by_key_and_the_row_keeps_only_a_hash),
        cmocka_unit_test(no_controller_and_too_much_of_a_root_are_refused),
    };
    return cmocka_run_group_tests(tests, make_key, NULL);
}
