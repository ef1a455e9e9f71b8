/* The link between good parties, in process, over loopback (design.md section 5). */
#include "lib/net/link.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/link_party.h"
#include "tests/support/test.h"

static void a_frame_comes_back_as_it_was_sent(void **state)
{
    (void)state;
    struct link_settings settings = desk_settings();
    struct desk *desk = desk_open(&settings, PARTY_QUEUE_ROOM);
    struct caller caller = caller_to(desk);
    const size_t sizes[] = {0, 1, 200, 511, 512, 513, 16383, 16384, 16385, 65536, LINK_FRAME_MAX};
    for (size_t i = 0; i < countof(sizes); i++) {
        OWNED(bytes_done) struct bytes body = {0};
        bytes_add_room(&body, sizes[i]);
        for (size_t k = 0; k < sizes[i]; k++)
            body.at[k] = (uint8_t)(k * 31 + i);
        caller_echo(&caller, UINT64_MAX - i, bytes_span(&body));
    }
    caller_close(&caller);
    desk_close(desk);
}

static void answers_and_pushes_of_both_sides_cross(void **state)
{
    (void)state;
    struct error err = {0};
    struct link_settings settings = desk_settings();
    struct desk *desk = desk_open(&settings, PARTY_QUEUE_ROOM);
    struct caller caller = caller_to(desk);
    for (uint64_t id = 0; id < 2000; id++)
        assert_ok(link_send(caller.peer, TYPE_ECHO, id, span_of_text("many at once"), &err));
    for (uint64_t id = 0; id < 2000; id++) {
        OWNED(link_event_drop) struct link_event *event = caller_event(&caller);
        assert_int_equal(event->kind, LINK_FRAME);
        assert_true(event->id == id);
    }
    struct link_counts counts = desk_counts(desk);
    assert_int_equal(counts.frames_in, 2001);
    assert_int_equal(counts.frames_out, 2001);
    caller_close(&caller);
    desk_close(desk);
}

static void what_is_held_goes_out_in_its_order_when_it_is_let_go(void **state)
{
    (void)state;
    enum { HELD = 40, EACH = 1000 }; /* too little to go by itself */
    struct error err = {0};
    struct link_settings settings = desk_settings();
    struct desk *desk = desk_open(&settings, PARTY_QUEUE_ROOM);
    struct caller caller = caller_to(desk);
    struct caller other = caller_to(desk);
    OWNED(bytes_done) struct bytes body = {0};
    memset(bytes_add_room(&body, EACH), 'x', EACH);
    link_peer_hold(caller.peer);
    for (size_t i = 0; i < HELD; i++)
        assert_ok(link_send(caller.peer, TYPE_ECHO, i, bytes_span(&body), &err));
    caller_echo(&other, 1, SPAN("", 0));
    assert_int_equal(desk_counts(desk).frames_in, 3); /* of the one who waits only the first */
    link_peer_flush(caller.peer);
    for (size_t i = 0; i < HELD; i++) {
        OWNED(link_event_drop) struct link_event *event = caller_event(&caller);
        assert_true(event->id == i);
        assert_true(span_equal(bytes_span(&event->body), bytes_span(&body)));
    }
    link_peer_flush(caller.peer); /* of nothing */
    caller_echo(&caller, 1, SPAN("", 0));
    caller_close(&other);
    caller_close(&caller);
    desk_close(desk);
}

/* Else a few large answers would be more than may wait for a peer, and cost it its connection. */
static void what_is_held_does_not_grow_without_end(void **state)
{
    (void)state;
    enum { HELD = 16 };
    struct error err = {0};
    struct link_settings settings = desk_settings();
    struct desk *desk = desk_open(&settings, PARTY_QUEUE_ROOM);
    struct caller caller = caller_to(desk);
    OWNED(bytes_done) struct bytes body = {0};
    memset(bytes_add_room(&body, LINK_FRAME_MAX), 'x', LINK_FRAME_MAX);
    link_peer_hold(caller.peer);
    for (size_t i = 0; i < HELD; i++) {
        assert_ok(link_send(caller.peer, TYPE_ECHO, i, bytes_span(&body), &err));
        OWNED(link_event_drop) struct link_event *event = caller_event(&caller);
        assert_true(event->id == i);
        assert_true(span_equal(bytes_span(&event->body), bytes_span(&body)));
    }
    link_peer_flush(caller.peer);
    caller_close(&caller);
    desk_close(desk);
}

/* What follows too little for a write waits again, in its order behind what went. */
static void what_is_held_beyond_some_writes_goes_with_the_next(void **state)
{
    (void)state;
    enum { HELD = 400, EACH = 1000 };
    struct error err = {0};
    struct link_settings settings = desk_settings();
    struct desk *desk = desk_open(&settings, PARTY_QUEUE_ROOM);
    struct caller caller = caller_to(desk);
    OWNED(bytes_done) struct bytes body = {0};
    memset(bytes_add_room(&body, EACH), 'x', EACH);
    link_peer_hold(caller.peer);
    for (size_t i = 0; i < HELD; i++)
        assert_ok(link_send(caller.peer, TYPE_ECHO, i, bytes_span(&body), &err));
    link_peer_flush(caller.peer);
    for (size_t i = 0; i < HELD; i++) {
        OWNED(link_event_drop) struct link_event *event = caller_event(&caller);
        assert_true(event->id == i);
    }
    caller_close(&caller);
    desk_close(desk);
}

static void what_cannot_be_sent_is_refused_before_it_is_queued(void **state)
{
    (void)state;
    struct error err = {0};
    struct link_settings settings = desk_settings();
    struct desk *desk = desk_open(&settings, PARTY_QUEUE_ROOM);
    struct caller caller = caller_to(desk);
    OWNED(bytes_done) struct bytes large = {0};
    bytes_add_room(&large, LINK_FRAME_MAX + 1);
    assert_fails(link_send(caller.peer, TYPE_ECHO, 1, bytes_span(&large), &err), ERR_INVALID,
                 "frame-too-large");
    assert_fails(link_send(caller.peer, 0, 1, SPAN("", 0), &err), ERR_INVALID, "invalid");
    link_peer_close(caller.peer, "tired");
    assert_true(link_peer_is_closed(caller.peer));
    assert_fails(link_send(caller.peer, TYPE_ECHO, 1, SPAN("", 0), &err), ERR_UNREACHABLE,
                 "closed");
    caller_closed(&caller, "tired");
    assert_true(desk_saw(desk, "closed-by-peer"));
    caller_close(&caller);
    desk_close(desk);
}

static void json_is_sent_as_its_one_spelling(void **state)
{
    (void)state;
    struct error err = {0};
    struct link_settings settings = desk_settings();
    struct desk *desk = desk_open(&settings, PARTY_QUEUE_ROOM);
    struct caller caller = caller_to(desk);
    OWNED(json_drop) json_t *value = json_object();
    json_put_text(value, "b", "2");
    json_put_int(value, "a", 1);
    assert_ok(link_send_json(caller.peer, TYPE_ECHO, 4, value, &err));
    OWNED(link_event_drop) struct link_event *event = caller_event(&caller);
    assert_true(span_equal(bytes_span(&event->body), span_of_text("{\"a\":1,\"b\":\"2\"}")));
    caller_close(&caller);
    desk_close(desk);
}

/* trust.md section 4 binds evidence to a key; the exporter binds it to one connection too. */
static void an_exported_value_belongs_to_one_connection(void **state)
{
    (void)state;
    struct error err = {0};
    struct root root = root_make();
    struct queue *events = queue_new(16);
    struct link *link = NULL;
    struct link_settings settings = desk_settings();
    OWNED(link_identity_drop)
    struct link_identity *identity = identity_make(&root, ROLE_CONTROLLER);
    assert_ok(link_listen(&settings, identity, events, &link, &err));
    char url[32];
    snprintf(url, sizeof url, "127.0.0.1:%d", link_port(link));
    uint8_t values[2][32];
    for (int i = 0; i < 2; i++) {
        struct link_settings to = link_settings_usual();
        to.urls[0] = url;
        struct caller caller = caller_open(&to, identity_make(&root, ROLE_GUEST));
        caller_opened(&caller);
        OWNED(link_event_drop) struct link_event *opened = link_event_next(events, EVENT_WAIT_MS);
        assert_non_null(opened);
        struct span nonce = span_of_text("a nonce");
        uint8_t theirs[32];
        uint8_t other[32];
        assert_ok(link_peer_exporter(caller.peer, "muster", nonce, values[i], &err));
        assert_ok(link_peer_exporter(opened->peer, "muster", nonce, theirs, &err));
        assert_memory_equal(values[i], theirs, 32);
        assert_ok(link_peer_exporter(opened->peer, "muster", span_of_text("more"), other, &err));
        assert_memory_not_equal(theirs, other, 32);
        caller_close(&caller);
        OWNED(link_event_drop) struct link_event *closed = link_event_next(events, EVENT_WAIT_MS);
        assert_int_equal(closed->kind, LINK_CLOSED);
        assert_int_not_equal(link_peer_exporter(closed->peer, "muster", nonce, theirs, &err), OK);
    }
    assert_memory_not_equal(values[0], values[1], 32);
    assert_true(link_close(link, EVENT_WAIT_MS));
    queue_free(events);
    root_done(&root);
}

/* ---- coming back --------------------------------------------------------------------------- */

static void an_agent_comes_back_when_its_controller_does(void **state)
{
    (void)state;
    struct link_settings settings = desk_settings();
    struct desk *desk = desk_open(&settings, PARTY_QUEUE_ROOM);
    struct link_settings to = caller_settings(desk);
    char url[64];
    memcpy(url, desk->url, sizeof url);
    struct caller caller = caller_open(&to, identity_make(&desk->root, ROLE_GUEST));
    caller_opened(&caller);

    struct root root = desk->root;
    struct link_identity *identity = desk->identity;
    desk->root = (struct root){0};
    desk->identity = NULL;
    desk_close(desk);
    OWNED(link_event_drop) struct link_event *lost = caller_event(&caller);
    assert_int_equal(lost->kind, LINK_CLOSED);
    struct error trouble = {0};
    int64_t until = clock_monotonic_ms() + EVENT_WAIT_MS;
    while (trouble.outcome == OK && clock_monotonic_ms() < until)
        link_trouble(caller.link, &trouble); /* nobody is there */
    assert_int_equal(trouble.outcome, ERR_UNREACHABLE);

    struct error err = {0};
    struct queue *events = queue_new(PARTY_QUEUE_ROOM);
    struct link *link = NULL;
    settings.urls[0] = url;
    assert_ok(link_listen(&settings, identity, events, &link, &err));
    caller_opened(&caller);
    link_trouble(caller.link, &trouble);
    assert_int_equal(trouble.outcome, OK);
    caller_close(&caller);
    assert_true(link_close(link, EVENT_WAIT_MS));
    for (struct link_event *event; (event = queue_pop(events, 0)) != NULL;)
        link_event_free(event);
    queue_free(events);
    link_identity_free(identity);
    root_done(&root);
}

static void the_second_address_is_tried_when_the_first_is_dead(void **state)
{
    (void)state;
    struct link_settings settings = desk_settings();
    struct desk *desk = desk_open(&settings, PARTY_QUEUE_ROOM);
    struct link_settings to = caller_settings(desk);
    to.urls[0] = "127.0.0.1:1";
    to.urls[1] = desk->url;
    for (int i = 0; i < 6; i++) { /* from a random one */
        struct caller caller = caller_open(&to, identity_make(&desk->root, ROLE_GUEST));
        caller_opened(&caller);
        caller_close(&caller);
    }
    desk_close(desk);
}

static void a_told_time_replaces_the_jitter(void **state)
{
    (void)state;
    struct link_settings settings = desk_settings();
    struct desk *desk = desk_open(&settings, PARTY_QUEUE_ROOM);
    struct link_settings to = caller_settings(desk);
    to.redial_least_ms = to.redial_first_ms = to.redial_most_ms = 3600 * 1000;
    struct caller caller = caller_open(&to, identity_make(&desk->root, ROLE_GUEST));
    caller_opened(&caller);
    link_redial_in(caller.link, 10);
    link_peer_close(caller.peer, NULL);
    caller_closed(&caller, "closed-by-us");
    caller_opened(&caller);
    caller_close(&caller);
    desk_close(desk);
}

/* ---- opening and closing ------------------------------------------------------------------- */

static void closing_is_bounded_with_peers_in_every_state(void **state)
{
    (void)state;
    struct link_settings settings = desk_settings();
    struct desk *desk = desk_open(&settings, PARTY_QUEUE_ROOM);
    struct caller callers[40];
    struct link_settings to = caller_settings(desk);
    for (size_t i = 0; i < countof(callers); i++)
        callers[i] = caller_open(&to, identity_make(&desk->root, ROLE_GUEST));
    for (size_t i = 0; i < countof(callers); i += 2)
        caller_opened(&callers[i]);
    struct link_peer *kept = link_peer_share(callers[0].peer);
    int64_t before = clock_monotonic_ms();
    desk_close(desk);
    for (size_t i = 0; i < countof(callers); i++)
        caller_close(&callers[i]);
    assert_true(clock_monotonic_ms() - before < 10000);
    assert_true(link_peer_is_closed(kept));
    assert_non_null(strstr(link_peer_address(kept), "127.0.0.1"));
    link_peer_free(kept);
    assert_true(link_close(NULL, 0));
}

static void a_link_closes_while_nobody_takes_its_events(void **state)
{
    (void)state;
    struct link_settings settings = desk_settings();
    struct desk *desk = desk_open(&settings, 4);
    struct caller first = caller_to(desk);
    struct caller second = caller_to(desk);
    desk_sleep(desk);
    struct error err;
    for (uint64_t i = 0; i < 20; i++)
        error_ignore(link_send(first.peer, TYPE_DEAF, i, SPAN("", 0), &err));
    link_peer_close(first.peer, NULL);
    link_peer_close(second.peer, NULL);
    assert_true(link_close(desk->link, EVENT_WAIT_MS));
    desk->link = NULL;
    caller_close(&first);
    caller_close(&second);
    desk_close(desk);
}

/* The owner hears of every end, even when its queue was full at the time. */
static void a_closed_event_waits_for_room(void **state)
{
    (void)state;
    struct link_settings settings = desk_settings();
    struct desk *desk = desk_open(&settings, 4);
    struct caller callers[8];
    struct link_settings to = caller_settings(desk);
    to.redial_least_ms = to.redial_first_ms = to.redial_most_ms = 3600 * 1000;
    for (size_t i = 0; i < countof(callers); i++) {
        callers[i] = caller_open(&to, identity_make(&desk->root, ROLE_GUEST));
        caller_opened(&callers[i]);
        caller_hello(&callers[i]);
    }
    desk_sleep(desk);
    for (size_t i = 0; i < countof(callers); i++)
        caller_close(&callers[i]);
    desk_wait_peers(desk, 0);
    desk_rouse(desk);
    assert_true(desk_saw(desk, "closed-by-peer"));
    desk_await(desk, desk_has_closed, countof(callers));
    desk_close(desk);
}

static void addresses_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    struct error err = {0};
    struct root root = root_make();
    struct queue *events = queue_new(4);
    OWNED(link_identity_drop) struct link_identity *server = identity_make(&root, ROLE_CONTROLLER);
    OWNED(link_identity_drop) struct link_identity *guest = identity_make(&root, ROLE_GUEST);
    struct link *link = NULL;
    const char *const bad[] = {"tcp://127.0.0.1:0", "http://127.0.0.1/", "127.0.0.1:notaport",
                               "ipc:///tmp/x", NULL};
    for (size_t i = 0; i < countof(bad); i++) {
        struct link_settings settings = link_settings_usual();
        settings.urls[0] = bad[i];
        assert_fails(link_listen(&settings, server, events, &link, &err), ERR_INVALID, "invalid");
        assert_fails(link_dial(&settings, guest, events, &link, &err), ERR_INVALID, "invalid");
    }
    struct link_settings settings = desk_settings();
    assert_ok(link_listen(&settings, server, events, &link, &err));
    char taken[32];
    snprintf(taken, sizeof taken, "127.0.0.1:%d", link_port(link));
    settings.urls[0] = taken;
    struct link *second = NULL;
    assert_fails(link_listen(&settings, server, events, &second, &err), ERR_CONFLICT, "conflict");
    assert_true(link_close(link, EVENT_WAIT_MS));
    queue_free(events);
    root_done(&root);
}

static void names_and_ipv6_addresses_are_dialled(void **state)
{
    (void)state;
    const struct {
        const char *listen, *dial, *shown;
    } cases[] = {{"127.0.0.1:0", "localhost:%d", "127.0.0.1:"},
                 {"0.0.0.0:0", "tls+tcp://127.0.0.1:%d", "127.0.0.1:"},
                 {"[::1]:0", "[::1]:%d", "[::1]:"},
                 {"[::1]:0", "localhost:%d", "[::1]:"}};
    struct addrinfo *found = NULL, six = {.ai_family = AF_INET6};
    bool has_six = getaddrinfo("localhost", NULL, &six, &found) == 0;
    if (has_six)
        freeaddrinfo(found);
    for (size_t i = 0; i < countof(cases) - !has_six; i++) {
        struct error err = {0};
        struct root root = root_make();
        struct queue *events = queue_new(16);
        OWNED(link_identity_drop)
        struct link_identity *identity = identity_make(&root, ROLE_CONTROLLER);
        struct link_settings settings = link_settings_usual();
        settings.urls[0] = cases[i].listen;
        struct link *link = NULL;
        if (link_listen(&settings, identity, events, &link, &err) == OK) {
            char port[8];
            snprintf(port, sizeof port, "%d", link_port(link));
            OWNED(text_done) struct text url = {0};
            size_t stem = strlen(cases[i].dial) - strlen("%d");
            text_add_span(&url, SPAN(cases[i].dial, stem));
            text_add(&url, port);
            settings.urls[0] = text_str(&url);
            struct caller caller = caller_open(&settings, identity_make(&root, ROLE_GUEST));
            caller_opened(&caller);
            OWNED(link_event_drop) struct link_event *opened = link_event_next(events, 10000);
            assert_non_null(strstr(link_peer_address(opened->peer), cases[i].shown));
            caller_close(&caller);
        } else {
            print_message("# no %s here: %s\n", cases[i].listen, err.text);
        }
        assert_true(link_close(link, EVENT_WAIT_MS));
        for (struct link_event *event; (event = queue_pop(events, 0)) != NULL;)
            link_event_free(event);
        queue_free(events);
        root_done(&root);
    }
}

static void request_ids_do_not_repeat(void **state)
{
    (void)state;
    uint64_t last = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t id = link_id_new();
        assert_true(id != 0 && id != last);
        last = id;
    }
}

static void an_owner_finds_its_own_again(void **state)
{
    (void)state;
    struct link_settings settings = desk_settings();
    struct desk *desk = desk_open(&settings, PARTY_QUEUE_ROOM);
    struct caller caller = caller_to(desk);
    int mine = 5;
    assert_null(link_peer_owner(caller.peer));
    link_peer_set_owner(caller.peer, &mine);
    assert_ptr_equal(link_peer_owner(caller.peer), &mine);
    assert_true(link_peer_number(caller.peer) > 0);
    caller_close(&caller);
    desk_close(desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_comes_back_as_it_was_sent),
        cmocka_unit_test(answers_and_pushes_of_both_sides_cross),
        cmocka_unit_test(what_is_held_goes_out_in_its_order_when_it_is_let_go),
        cmocka_unit_test(what_is_held_does_not_grow_without_end),
        cmocka_unit_test(what_is_held_beyond_some_writes_goes_with_the_next),
        cmocka_unit_test(what_cannot_be_sent_is_refused_before_it_is_queued),
        cmocka_unit_test(json_is_sent_as_its_one_spelling),
        cmocka_unit_test(an_exported_value_belongs_to_one_connection),
        cmocka_unit_test(an_agent_comes_back_when_its_controller_does),
        cmocka_unit_test(the_second_address_is_tried_when_the_first_is_dead),
        cmocka_unit_test(a_told_time_replaces_the_jitter),
        cmocka_unit_test(closing_is_bounded_with_peers_in_every_state),
        cmocka_unit_test(a_link_closes_while_nobody_takes_its_events),
        cmocka_unit_test(a_closed_event_waits_for_room),
        cmocka_unit_test(addresses_that_make_no_sense_are_refused),
        cmocka_unit_test(names_and_ipv6_addresses_are_dialled),
        cmocka_unit_test(request_ids_do_not_repeat),
        cmocka_unit_test(an_owner_finds_its_own_again),
    };
    return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
