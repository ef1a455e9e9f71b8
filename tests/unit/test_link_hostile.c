/* The link under attack: every trap of the measurements that led to its design, each against a real
 * listener in process. What is asserted is always that a good agent still gets its answer. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/text.h"
#include "lib/crypto/random.h"
#include "lib/net/link_frame.h"
#include "tests/support/hostile_peer.h"
#include "tests/support/test.h"

static struct desk *desk;

static int start(void **state)
{
    (void)state;
    struct link_settings settings = desk_settings();
    desk = desk_open(&settings, PARTY_QUEUE_ROOM);
    return 0;
}

static int end(void **state)
{
    (void)state;
    clock_thaw();
    desk_close(desk);
    return 0;
}

static void restart(const struct link_settings *settings, size_t queue_room)
{
    desk_close(desk);
    desk = desk_open(settings, queue_room);
}

static int port(void)
{
    return link_port(desk->link);
}

static void a_good_agent_gets_in(void)
{
    struct caller good = caller_to(desk);
    caller_echo(&good, 77, span_of_text("good"));
    caller_close(&good);
}

static struct hostile guest_open(void)
{
    OWNED(credential_done) struct credential guest = credential_guest();
    return hostile_open(port(), &(struct hostile_ways){.credential = &guest});
}

/* Handshake done; admitted when `admitted`. */
static struct hostile guest_shaken(bool admitted)
{
    struct hostile guest = guest_open();
    assert_true(hostile_shake(&guest));
    char answer[FRAME_HEAD_SIZE];
    if (admitted) {
        assert_true(hostile_frame(&guest, TYPE_HELLO, 1, 0, SPAN("", 0)));
        assert_int_equal(hostile_hear(&guest, answer, sizeof answer), sizeof answer);
    }
    return guest;
}

/* ---- before TLS ---------------------------------------------------------------------------- */

static void garbage_ends_its_own_connection_only(void **state)
{
    (void)state;
    struct caller witness = caller_to(desk);
    for (int i = 0; i < 100; i++) {
        uint8_t garbage[600];
        random_fill(garbage, sizeof garbage);
        if (i % 2 == 0) /* the second half looks like the start of a handshake record */
            memcpy(garbage, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
        int fd = hostile_connect(port());
        hostile_write(fd, SPAN(garbage, 1 + (size_t)random_below(sizeof garbage)));
        if (i % 3 == 0)
            hostile_reset(fd);
        else
            close(fd);
    }
    desk_wait_peers(desk, 1);
    caller_echo(&witness, 3, span_of_text("still here"));
    caller_close(&witness);
    a_good_agent_gets_in();
}

static void a_web_browser_is_shown_the_door(void **state)
{
    (void)state;
    int fd = hostile_connect(port());
    hostile_write(fd, span_of_text("GET / HTTP/1.1\r\nHost: controller\r\n\r\n"));
    assert_true(hostile_sees_end(fd, EVENT_WAIT_MS));
    close(fd);
    a_good_agent_gets_in();
}

/* Facts: nng itself never times these out. */
static void silence_is_closed_at_the_deadline(void **state)
{
    (void)state;
    clock_freeze(clock_now());
    struct link_settings settings = desk_settings();
    restart(&settings, PARTY_QUEUE_ROOM);
    OWNED(bytes_done) struct bytes hello = hostile_client_hello();
    int silent = hostile_connect(port());
    int half_open = hostile_connect(port());
    hostile_write(half_open, span_part(bytes_span(&hello), 0, 50));
    int no_finish = hostile_connect(port());
    hostile_write(no_finish, bytes_span(&hello));
    struct hostile no_hello = guest_shaken(false);
    struct hostile good = guest_shaken(true);
    desk_wait_peers(desk, 5);
    desk_await(desk, desk_has_opened, 2);

    clock_advance_ms(settings.hello_ms - 1);
    link_sweep(desk->link);
    assert_false(hostile_sees_end(silent, 20));
    assert_int_equal(desk_counts(desk).peers, 5);

    clock_advance_ms(1);
    link_sweep(desk->link);
    assert_true(hostile_sees_end(silent, EVENT_WAIT_MS));
    assert_true(hostile_sees_end(half_open, EVENT_WAIT_MS));
    assert_true(hostile_sees_end(no_finish, EVENT_WAIT_MS));
    assert_true(desk_saw(desk, "hello-late"));
    desk_wait_peers(desk, 1);
    assert_true(hostile_frame(&good, TYPE_ECHO, 2, 0, SPAN("", 0)));
    char answer[FRAME_HEAD_SIZE];
    assert_int_equal(hostile_hear(&good, answer, sizeof answer), sizeof answer);
    close(silent);
    close(half_open);
    close(no_finish);
    hostile_close(&no_hello, false);
    hostile_close(&good, false);
}

/* Bytes do not buy time: only the owner's admission does. */
static void a_dripping_hello_is_closed_at_the_deadline(void **state)
{
    (void)state;
    clock_freeze(clock_now());
    struct link_settings settings = desk_settings();
    restart(&settings, PARTY_QUEUE_ROOM);
    struct hostile slow = guest_shaken(false);
    desk_await(desk, desk_has_opened, 1);
    uint8_t head[FRAME_HEAD_SIZE];
    frame_head(head, TYPE_HELLO, 1, 1000);
    for (int64_t spent = 0; spent < settings.hello_ms; spent += settings.hello_ms / 10) {
        assert_true(hostile_say(&slow, SPAN(head, 1)));
        assert_int_equal(desk_counts(desk).peers, 1);
        clock_advance_ms(settings.hello_ms / 10);
        link_sweep(desk->link);
    }
    assert_true(desk_saw(desk, "hello-late"));
    hostile_close(&slow, false);
}

static void reset_in_each_phase_is_survived(void **state)
{
    (void)state;
    OWNED(bytes_done) struct bytes hello = hostile_client_hello();
    struct caller witness = caller_to(desk);
    for (int round = 0; round < 20; round++) {
        hostile_reset(hostile_connect(port()));

        int fd = hostile_connect(port());
        hostile_write(fd, span_part(bytes_span(&hello), 0, 1 + (size_t)random_below(hello.len)));
        hostile_reset(fd);

        fd = hostile_connect(port());
        hostile_write(fd, bytes_span(&hello));
        char flight[64]; /* the server's answer has begun */
        error_ignore(read(fd, flight, sizeof flight) > 0 ? OK : ERR_UNREACHABLE);
        hostile_reset(fd);

        struct hostile guest = guest_shaken(false);
        hostile_close(&guest, true);

        guest = guest_shaken(false);
        hostile_frame(&guest, TYPE_HELLO, 1, 100, span_of_text("half"));
        hostile_close(&guest, true);

        guest = guest_shaken(false);
        hostile_frame(&guest, TYPE_HELLO, 1, 0, SPAN("", 0)); /* the answer meets a reset */
        hostile_close(&guest, true);

        guest = guest_shaken(true);
        hostile_frame(&guest, TYPE_ECHO, 1, 100000, span_of_text("half"));
        hostile_close(&guest, true);
    }
    caller_echo(&witness, 3, span_of_text("still here"));
    desk_wait_peers(desk, 1);
    caller_close(&witness);
    a_good_agent_gets_in();
}

/* Facts B1: after one of these an SP listener of nng 1.5.2 never accepts again. */
static void a_hundred_full_handshakes_and_resets_are_survived(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct hostile guest = guest_shaken(false);
        hostile_close(&guest, true);
    }
    desk_wait_peers(desk, 0);
    a_good_agent_gets_in();
}

/* Facts B1: no key at all, and it stopped both REP listeners. 3,000 in about 10 s in a campaign. */
static void a_storm_of_half_closes_leaves_the_door_open(void **state)
{
    (void)state;
    int storm = getenv("MUSTER_CAMPAIGN") != NULL ? 3000 : 300;
    OWNED(bytes_done) struct bytes hello = hostile_client_hello();
    struct caller witness = caller_to(desk);
    for (int i = 0; i < storm; i++) {
        int fd = hostile_connect(port());
        assert_true(fd >= 0);
        hostile_write(fd, bytes_span(&hello));
        shutdown(fd, SHUT_WR);
        hostile_pause(fd, 1 + i % 4); /* the storm's pace */
        hostile_reset(fd);
        if (i % 100 == 50) { /* in the midst of it */
            caller_echo(&witness, (uint64_t)i, span_of_text("still here"));
            a_good_agent_gets_in();
        }
    }
    caller_echo(&witness, 3, span_of_text("still here"));
    desk_wait_peers(desk, 1);
    caller_close(&witness);
    a_good_agent_gets_in();
}

/* ---- frames -------------------------------------------------------------------------------- */

static void a_length_over_the_bound_is_refused_at_its_head(void **state)
{
    (void)state;
    const uint32_t lengths[] = {LINK_STRANGER_FRAME_MAX + 1, 1u << 31, UINT32_MAX};
    for (size_t i = 0; i < countof(lengths); i++) {
        struct hostile guest = guest_shaken(false);
        hostile_frame(&guest, TYPE_HELLO, 1, lengths[i], SPAN("", 0));
        char waste;
        assert_int_equal(hostile_hear(&guest, &waste, 1), 0);
        hostile_close(&guest, false);
        guest = guest_shaken(true);
        hostile_frame(&guest, TYPE_ECHO, 1, lengths[i] | (LINK_FRAME_MAX + 1), SPAN("", 0));
        assert_int_equal(hostile_hear(&guest, &waste, 1), 0);
        hostile_close(&guest, false);
    }
    assert_true(desk_saw(desk, "frame-too-large"));
    desk_wait_peers(desk, 0);
    a_good_agent_gets_in();
}

static void a_stranger_cannot_feed_us_for_ever(void **state)
{
    (void)state;
    struct hostile guest = guest_shaken(false);
    bool fed = true;
    for (int i = 0; i < 200 && fed; i++) {
        OWNED(bytes_done) struct bytes body = {0};
        bytes_add_room(&body, 1000);
        fed = hostile_frame(&guest, TYPE_DEAF, 1, 1000, bytes_span(&body));
    }
    assert_true(desk_saw(desk, "budget-spent"));
    hostile_close(&guest, false);
    a_good_agent_gets_in();
}

static void torn_frames_come_together(void **state)
{
    (void)state;
    struct hostile guest = guest_shaken(true);
    OWNED(bytes_done) struct bytes all = {0};
    for (uint64_t id = 10; id < 13; id++) {
        frame_head(bytes_add_room(&all, FRAME_HEAD_SIZE), TYPE_ECHO, id, 6);
        bytes_add(&all, span_of_text("abcdef"));
    }
    for (size_t i = 0; i < all.len; i++)
        assert_true(hostile_say(&guest, SPAN(all.at + i, 1)));
    for (size_t got = 0; got < all.len;) {
        uint8_t answer[64];
        size_t n = hostile_hear(&guest, answer, sizeof answer);
        assert_true(n > 0 && got + n <= all.len);
        assert_memory_equal(answer, all.at + got, n);
        got += n;
    }
    hostile_close(&guest, false);
}

static void random_bytes_inside_tls_end_one_connection(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++) {
        struct hostile guest = guest_shaken(false);
        uint8_t noise[3000];
        random_fill(noise, sizeof noise);
        noise[0] |= 0x80; /* as a length: far over any bound */
        hostile_say(&guest, SPAN_OF(noise));
        char waste;
        assert_int_equal(hostile_hear(&guest, &waste, 1), 0);
        hostile_close(&guest, false);
    }
    a_good_agent_gets_in();
}

/* ---- a peer that costs --------------------------------------------------------------------- */

static void who_does_not_read_loses_its_own_connection(void **state)
{
    (void)state;
    struct link_settings settings = desk_settings();
    settings.tx_bytes_most = 256 * 1024;
    restart(&settings, PARTY_QUEUE_ROOM);
    struct caller witness = caller_to(desk);
    struct hostile deaf = guest_shaken(true);
    OWNED(bytes_done) struct bytes body = {0};
    bytes_add_room(&body, 32 * 1024);
    bool alive = true;
    for (uint64_t i = 0; i < 2000 && alive; i++) {
        alive = hostile_frame(&deaf, TYPE_ECHO, i, (uint32_t)body.len, bytes_span(&body));
        if (i % 50 == 0)
            caller_echo(&witness, i, span_of_text("not my trouble"));
    }
    assert_true(desk_saw(desk, "not-reading"));
    caller_echo(&witness, 1, span_of_text("still here"));
    hostile_close(&deaf, false);
    caller_close(&witness);
}

/* One peer's flood waits in its own socket: the owner's queue keeps room for the others. */
static void a_flood_waits_for_the_owner_and_nobody_else_does(void **state)
{
    (void)state;
    struct link_settings settings = desk_settings();
    settings.inbox_most = 4;
    restart(&settings, 64);
    struct caller witness = caller_to(desk);
    struct caller flood = caller_to(desk);
    struct error err = {0};
    desk_sleep(desk);
    for (uint64_t id = 0; id < 500; id++)
        assert_ok(link_send(flood.peer, TYPE_ECHO, id, span_of_text("flood"), &err));
    assert_ok(link_send(witness.peer, TYPE_ECHO, 7, span_of_text("me too"), &err));
    desk_rouse(desk);
    struct link_event *event = caller_event(&witness);
    assert_int_equal(event->kind, LINK_FRAME);
    assert_true(event->id == 7);
    link_event_free(event);
    for (uint64_t id = 0; id < 500; id++) {
        event = caller_event(&flood);
        assert_int_equal(event->kind, LINK_FRAME);
        assert_true(event->id == id);
        link_event_free(event);
    }
    assert_int_equal(desk->closed, 0);
    caller_close(&flood);
    caller_close(&witness);
}

static void who_overruns_the_owners_queue_is_dropped_as_busy(void **state)
{
    (void)state;
    struct link_settings settings = desk_settings();
    settings.inbox_most = 1000;
    restart(&settings, 16);
    struct caller witness = caller_to(desk);
    struct hostile flood = guest_shaken(true);
    desk_sleep(desk);
    for (uint64_t id = 0; id < 64; id++)
        hostile_frame(&flood, TYPE_DEAF, id, 0, SPAN("", 0));
    desk_await(desk, desk_has_heard, 17);
    desk_rouse(desk);
    assert_true(desk_saw(desk, "busy"));
    caller_echo(&witness, 9, span_of_text("still here"));
    hostile_close(&flood, false);
    caller_close(&witness);
}

static void one_address_has_so_many_connections_and_no_more(void **state)
{
    (void)state;
    struct link_settings settings = desk_settings();
    settings.per_address_most = 5;
    restart(&settings, PARTY_QUEUE_ROOM);
    int fds[8];
    for (size_t i = 0; i < 5; i++)
        fds[i] = hostile_connect(port());
    desk_wait_peers(desk, 5);
    for (size_t i = 5; i < countof(fds); i++) {
        fds[i] = hostile_connect(port());
        assert_true(hostile_sees_end(fds[i], EVENT_WAIT_MS));
    }
    assert_int_equal(desk_counts(desk).peers, 5);
    assert_int_equal(desk_counts(desk).refused, 3);
    for (size_t i = 0; i < countof(fds); i++)
        close(fds[i]);
    desk_wait_peers(desk, 0);
    a_good_agent_gets_in();
}

static void one_address_has_so_many_bytes_a_minute(void **state)
{
    (void)state;
    struct link_settings settings = desk_settings();
    settings.per_address_bytes = 5000;
    restart(&settings, PARTY_QUEUE_ROOM);
    OWNED(bytes_done) struct bytes body = {0};
    bytes_add_room(&body, 3000);
    struct hostile first = guest_shaken(false);
    hostile_frame(&first, TYPE_DEAF, 1, 3000, bytes_span(&body));
    desk_await(desk, desk_has_heard, 1);
    struct hostile second = guest_shaken(false);
    hostile_frame(&second, TYPE_DEAF, 1, 3000, bytes_span(&body));
    assert_true(desk_saw(desk, "budget-spent"));
    hostile_close(&first, false);
    hostile_close(&second, false);
}

/* A thousand idle sockets must not keep agents out for fifteen seconds. */
static void the_oldest_without_a_handshake_makes_room(void **state)
{
    (void)state;
    clock_freeze(clock_now());
    struct link_settings settings = desk_settings();
    settings.strangers_most = 4;
    restart(&settings, PARTY_QUEUE_ROOM);
    int fds[4];
    for (size_t i = 0; i < countof(fds); i++) {
        fds[i] = hostile_connect(port());
        desk_wait_peers(desk, (int64_t)i + 1);
    }
    int refused = hostile_connect(port()); /* the others are as young as an honest handshake */
    assert_true(hostile_sees_end(refused, EVENT_WAIT_MS));
    clock_advance_ms(600);
    a_good_agent_gets_in();
    assert_true(hostile_sees_end(fds[0], EVENT_WAIT_MS));
    assert_false(hostile_sees_end(fds[1], 20));
    for (size_t i = 0; i < countof(fds); i++)
        close(fds[i]);
    close(refused);
}

/* A handshake costs a stranger little, and anybody can make a guest's certificate. */
static void who_shakes_hands_and_says_nothing_makes_room(void **state)
{
    (void)state;
    clock_freeze(clock_now());
    struct link_settings settings = desk_settings();
    settings.strangers_most = 4;
    restart(&settings, PARTY_QUEUE_ROOM);
    struct hostile quiet[4];
    for (size_t i = 0; i < countof(quiet); i++)
        quiet[i] = guest_shaken(false);
    desk_await(desk, desk_has_handshakes, 0);
    hostile_frame(&quiet[0], TYPE_DEAF, 1, 0,
                  SPAN("", 0)); /* has spoken: its hello is being read */
    desk_await(desk, desk_has_heard, 1);
    int refused = hostile_connect(port()); /* the others may be about to speak */
    assert_true(hostile_sees_end(refused, EVENT_WAIT_MS));
    clock_advance_ms(2100);
    a_good_agent_gets_in();
    assert_true(desk_saw(desk, "too-many"));
    assert_true(hostile_sees_end(quiet[1].fd, EVENT_WAIT_MS));
    assert_false(hostile_sees_end(quiet[0].fd, 20));
    assert_false(hostile_sees_end(quiet[2].fd, 20));
    for (size_t i = 0; i < countof(quiet); i++)
        hostile_close(&quiet[i], true);
    close(refused);
}

/* ---- descriptors --------------------------------------------------------------------------- */

static void running_out_of_descriptors_is_a_pause_and_not_the_end(void **state)
{
    (void)state;
    struct rlimit usual;
    getrlimit(RLIMIT_NOFILE, &usual);
    a_good_agent_gets_in(); /* what is opened once is open now */
    desk_wait_peers(desk, 0);
    int fds[3];
    struct rlimit tight = usual;
    int highest = 0;
    for (size_t i = 0; i < countof(fds); i++) {
        fds[i] = dup(0);
        highest = fds[i] > highest ? fds[i] : highest;
    }
    /* One descriptor is left to connect with, none to accept with. */
    close(fds[2]);
    tight.rlim_cur = (rlim_t)highest + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    int fd = hostile_connect(port());
    assert_true(fd >= 0);
    assert_false(hostile_sees_end(fd, 250)); /* two pauses long */
    setrlimit(RLIMIT_NOFILE, &usual);
    desk_wait_peers(desk, 1); /* it was still waiting in the backlog */
    close(fd);
    close(fds[0]);
    close(fds[1]);
    a_good_agent_gets_in();
}

static bool has_descriptors(struct desk *unused, int64_t most)
{
    (void)unused;
    return open_descriptors() <= most;
}

static void a_thousand_connections_leave_no_descriptor(void **state)
{
    (void)state;
    int churn = getenv("MUSTER_CAMPAIGN") != NULL ? 12000 : 1000;
    a_good_agent_gets_in();
    desk_wait_peers(desk, 0);
    int before = open_descriptors();
    OWNED(credential_done) struct credential guest = credential_guest();
    for (int i = 0; i < churn; i++) {
        struct hostile peer = hostile_open(port(), &(struct hostile_ways){.credential = &guest});
        assert_true(hostile_shake(&peer));
        if (i % 4 == 1)
            hostile_frame(&peer, TYPE_HELLO, 1, 0, SPAN("", 0));
        hostile_close(&peer, i % 2 == 0);
    }
    desk_wait_peers(desk, 0);
    a_good_agent_gets_in();
    desk_wait_peers(desk, 0);
    desk_await(desk, has_descriptors, before); /* nng closes sockets on a thread of its own */
    assert_true(open_descriptors() <= before);
    struct link_counts counts = desk_counts(desk);
    assert_int_equal(counts.accepted, counts.closed);
    assert_int_equal(counts.strangers, 0);
    assert_int_equal(counts.handshakes, 0);
}

/* When TCP breaks between two receives, nng finishes nothing: the sweep has to find it. */
static void a_frame_and_at_once_a_reset_is_noticed(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct hostile guest = guest_shaken(false);
        hostile_frame(&guest, TYPE_HELLO, 1, 0, SPAN("", 0));
        hostile_frame(&guest, TYPE_DEAF, 1, 0, SPAN("", 0));
        hostile_close(&guest, i % 2 == 0);
    }
    desk_wait_peers(desk, 0);
    a_good_agent_gets_in();
}

#define UNDER_ATTACK(test) cmocka_unit_test_setup_teardown(test, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNDER_ATTACK(garbage_ends_its_own_connection_only),
        UNDER_ATTACK(a_web_browser_is_shown_the_door),
        UNDER_ATTACK(silence_is_closed_at_the_deadline),
        UNDER_ATTACK(a_dripping_hello_is_closed_at_the_deadline),
        UNDER_ATTACK(reset_in_each_phase_is_survived),
        UNDER_ATTACK(a_hundred_full_handshakes_and_resets_are_survived),
        UNDER_ATTACK(a_storm_of_half_closes_leaves_the_door_open),
        UNDER_ATTACK(a_length_over_the_bound_is_refused_at_its_head),
        UNDER_ATTACK(a_stranger_cannot_feed_us_for_ever),
        UNDER_ATTACK(torn_frames_come_together),
        UNDER_ATTACK(random_bytes_inside_tls_end_one_connection),
        UNDER_ATTACK(who_does_not_read_loses_its_own_connection),
        UNDER_ATTACK(a_flood_waits_for_the_owner_and_nobody_else_does),
        UNDER_ATTACK(who_overruns_the_owners_queue_is_dropped_as_busy),
        UNDER_ATTACK(one_address_has_so_many_connections_and_no_more),
        UNDER_ATTACK(one_address_has_so_many_bytes_a_minute),
        UNDER_ATTACK(the_oldest_without_a_handshake_makes_room),
        UNDER_ATTACK(who_shakes_hands_and_says_nothing_makes_room),
        UNDER_ATTACK(running_out_of_descriptors_is_a_pause_and_not_the_end),
        UNDER_ATTACK(a_thousand_connections_leave_no_descriptor),
        UNDER_ATTACK(a_frame_and_at_once_a_reset_is_noticed),
    };
    signal(SIGPIPE, SIG_IGN); /* plain OpenSSL writes without MSG_NOSIGNAL */
    return cmocka_run_group_tests_name("link_hostile", tests, NULL, NULL);
}
