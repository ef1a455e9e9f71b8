/* What a peer may do while it is a stranger, while it proves itself and when it is ready, how long
 * it may take and how it is taken leave of (design.md section 5). */
#include "lib/net/link.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/net/link_replies.h"
#include "tests/support/link_party.h"
#include "tests/support/test.h"

/* A controller whose events the test takes itself, and one guest. */
struct pair {
    struct root root;
    struct queue *events;
    struct link_identity *identity;
    struct link *link;
    struct link_peer *peer; /* the guest as the controller sees it */
    char url[32];
    struct caller guest;
};

static struct link_event *next_of(struct pair *pair)
{
    struct link_event *event = link_event_next(pair->events, EVENT_WAIT_MS);
    assert_non_null(event);
    return event;
}

static void pair_open(struct pair *pair, const struct link_settings *settings)
{
    struct error err = {0};
    *pair = (struct pair){.root = root_make(), .events = queue_new(PARTY_QUEUE_ROOM)};
    pair->identity = identity_make(&pair->root, ROLE_CONTROLLER);
    assert_ok(link_listen(settings, pair->identity, pair->events, &pair->link, &err));
    struct link_settings to = *settings;
    snprintf(pair->url, sizeof pair->url, "127.0.0.1:%d", link_port(pair->link));
    to.urls[0] = pair->url;
    pair->guest = caller_open(&to, identity_make(&pair->root, ROLE_GUEST));
    caller_opened(&pair->guest);
    OWNED(link_event_drop) struct link_event *opened = next_of(pair);
    assert_int_equal(opened->kind, LINK_OPENED);
    pair->peer = link_peer_share(opened->peer);
}

static void pair_close(struct pair *pair)
{
    caller_close(&pair->guest);
    link_peer_free(pair->peer);
    assert_true(link_close(pair->link, EVENT_WAIT_MS));
    for (struct link_event *event; (event = queue_pop(pair->events, 0)) != NULL;)
        link_event_free(event);
    queue_free(pair->events);
    link_identity_free(pair->identity);
    root_done(&pair->root);
}

static void send_sized(struct pair *pair, size_t len)
{
    OWNED(bytes_done) struct bytes body = {0};
    bytes_add_room(&body, len);
    struct error err;
    error_ignore(link_send(pair->guest.peer, TYPE_PUSH, 1, bytes_span(&body), &err));
}

static void expect_frame(struct pair *pair, size_t len)
{
    OWNED(link_event_drop) struct link_event *event = next_of(pair);
    if (event->kind == LINK_CLOSED)
        fail_msg("closed: %s", event->why.code);
    assert_int_equal(event->kind, LINK_FRAME);
    assert_int_equal(event->body.len, len);
}

static void expect_closed(struct pair *pair, const char *why)
{
    struct link_event *event = next_of(pair);
    while (event->kind == LINK_FRAME) {
        link_event_free(event);
        event = next_of(pair);
    }
    assert_int_equal(event->kind, LINK_CLOSED);
    assert_string_equal(event->why.code, why);
    link_event_free(event);
}

static void each_state_has_its_largest_frame(void **state)
{
    (void)state;
    const struct {
        enum link_state state;
        size_t most;
    } cases[] = {{LINK_STRANGER, LINK_STRANGER_FRAME_MAX}, {LINK_PROVING, LINK_PROVING_FRAME_MAX}};
    for (size_t i = 0; i < countof(cases); i++) {
        struct pair pair;
        struct link_settings settings = desk_settings();
        pair_open(&pair, &settings);
        link_peer_admit(pair.peer, cases[i].state);
        assert_int_equal(link_peer_state(pair.peer), cases[i].state);
        send_sized(&pair, cases[i].most);
        expect_frame(&pair, cases[i].most);
        send_sized(&pair, cases[i].most + 1);
        expect_closed(&pair, "frame-too-large");
        pair_close(&pair);
    }
}

static void evidence_has_a_budget_and_a_ready_peer_has_none(void **state)
{
    (void)state;
    struct pair pair;
    struct link_settings settings = desk_settings();
    pair_open(&pair, &settings);
    link_peer_admit(pair.peer, LINK_PROVING);
    int whole = LINK_PROVING_BUDGET / (LINK_PROVING_FRAME_MAX + 13);
    for (int i = 0; i < whole; i++) {
        send_sized(&pair, LINK_PROVING_FRAME_MAX);
        expect_frame(&pair, LINK_PROVING_FRAME_MAX);
    }
    link_peer_admit(pair.peer, LINK_READY);
    for (int i = 0; i < 3; i++) {
        send_sized(&pair, LINK_FRAME_MAX);
        expect_frame(&pair, LINK_FRAME_MAX);
    }
    link_peer_admit(pair.peer, LINK_PROVING); /* to be proved anew: a new budget */
    for (int i = 0; i < whole; i++) {
        send_sized(&pair, LINK_PROVING_FRAME_MAX);
        expect_frame(&pair, LINK_PROVING_FRAME_MAX);
    }
    for (int i = 0; i < 3; i++)
        send_sized(&pair, LINK_PROVING_FRAME_MAX);
    expect_closed(&pair, "budget-spent");
    pair_close(&pair);
}

static void proving_has_a_deadline(void **state)
{
    (void)state;
    clock_freeze(clock_now());
    struct pair pair;
    struct link_settings settings = desk_settings();
    pair_open(&pair, &settings);
    link_peer_admit(pair.peer, LINK_PROVING);
    clock_advance_ms(settings.proving_ms - 1);
    link_peer_extend(pair.peer); /* its turn came late */
    clock_advance_ms(settings.proving_ms - 1);
    link_sweep(pair.link);
    assert_false(link_peer_is_closed(pair.peer));
    clock_advance_ms(1);
    link_sweep(pair.link);
    expect_closed(&pair, "proving-late");
    pair_close(&pair);
    clock_thaw();
}

static void a_ready_peer_that_falls_silent_is_closed(void **state)
{
    (void)state;
    clock_freeze(clock_now());
    struct pair pair;
    struct link_settings settings = desk_settings();
    settings.ping_ms = 0;
    pair_open(&pair, &settings);
    link_peer_admit(pair.peer, LINK_READY);
    clock_advance_ms(settings.silence_ms - 1);
    send_sized(&pair, 5);
    expect_frame(&pair, 5);
    clock_advance_ms(settings.silence_ms - 1);
    link_sweep(pair.link);
    assert_false(link_peer_is_closed(pair.peer));
    clock_advance_ms(1);
    link_sweep(pair.link);
    expect_closed(&pair, "silent");
    pair_close(&pair);
    clock_thaw();
}

static int64_t heard_by(struct link *link)
{
    struct link_counts counts;
    link_count(link, &counts);
    return counts.bytes_in;
}

/* Until each has heard the other: who hears nothing while time flies gives the other up. The keep-
 * alive before may still be on its way out, and then the next look sends one. */
static void let_both_be_heard(struct pair *pair)
{
    const int64_t desk = heard_by(pair->link), guest = heard_by(pair->guest.link);
    const time_t until = time(NULL) + EVENT_WAIT_MS / 1000; /* our own clock stands still */
    while (heard_by(pair->link) == desk || heard_by(pair->guest.link) == guest) {
        assert_true(time(NULL) < until);
        link_sweep(pair->link);
        link_sweep(pair->guest.link);
        assert_null(link_event_next(pair->events, 1));
    }
}

static void keep_alives_keep_a_quiet_pair_alive_and_are_not_seen(void **state)
{
    (void)state;
    clock_freeze(clock_now());
    struct pair pair;
    struct link_settings settings = desk_settings();
    pair_open(&pair, &settings);
    link_peer_admit(pair.peer, LINK_READY);
    for (int i = 0; i < 20; i++) {
        clock_advance_ms(settings.ping_ms);
        let_both_be_heard(&pair);
    }
    assert_false(link_peer_is_closed(pair.peer));
    assert_false(link_peer_is_closed(pair.guest.peer));
    assert_int_equal(queue_length(pair.events), 0);
    assert_int_equal(queue_length(pair.guest.events), 0);
    pair_close(&pair);
    clock_thaw();
}

static void a_last_word_is_heard_before_the_end(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct error err = {0};
        struct pair pair;
        struct link_settings settings = desk_settings();
        settings.redial_least_ms = 60000;
        pair_open(&pair, &settings);
        send_sized(&pair, 10000); /* what is not read any more must not cut the last word off */
        assert_ok(link_send(pair.peer, TYPE_PUSH, 9, span_of_text("because"), &err));
        link_peer_finish(pair.peer, "refused");
        assert_fails(link_send(pair.peer, TYPE_PUSH, 10, span_of_text("more"), &err),
                     ERR_UNREACHABLE, "closed");
        struct link_event *event = caller_event(&pair.guest);
        assert_int_equal(event->kind, LINK_FRAME);
        assert_true(span_equal(bytes_span(&event->body), span_of_text("because")));
        link_event_free(event);
        link_peer_close(pair.guest.peer, NULL);
        expect_closed(&pair, "refused");
        pair_close(&pair);
    }
}

static void who_hears_a_last_word_and_stays_is_closed(void **state)
{
    (void)state;
    clock_freeze(clock_now());
    struct pair pair;
    struct link_settings settings = desk_settings();
    pair_open(&pair, &settings);
    link_peer_finish(pair.peer, "refused");
    clock_advance_ms(2000);
    link_sweep(pair.link);
    expect_closed(&pair, "refused");
    pair_close(&pair);
    clock_thaw();
}

/* Two connections: the end of one and the beginning of the other come in either order. */
static void expect_reopened(struct pair *pair)
{
    bool opened = false;
    bool closed = false;
    while (!opened || !closed) {
        OWNED(link_event_drop) struct link_event *event = next_of(pair);
        assert_int_not_equal(event->kind, LINK_FRAME);
        opened = opened || event->kind == LINK_OPENED;
        closed = closed || event->kind == LINK_CLOSED;
        if (event->kind == LINK_CLOSED)
            assert_string_equal(event->why.code, "closed-by-peer");
    }
}

/* Requests carry ids: the same one on a second connection is answered, not done again. */
static void a_duplicate_is_answered_from_memory(void **state)
{
    (void)state;
    struct error err = {0};
    struct pair pair;
    struct link_settings settings = desk_settings();
    settings.redial_least_ms = settings.redial_first_ms = settings.redial_most_ms = 5;
    pair_open(&pair, &settings);
    OWNED(link_replies_drop) struct link_replies *replies = link_replies_new(16, 65536);
    uint64_t id = link_id_new();
    int done = 0;
    for (int round = 0; round < 3; round++) {
        assert_ok(link_send(pair.guest.peer, TYPE_ECHO, id, span_of_text("launch"), &err));
        OWNED(link_event_drop) struct link_event *event = next_of(&pair);
        assert_int_equal(event->kind, LINK_FRAME);
        uint8_t type = 0;
        struct span body = {0};
        if (link_replies_ask(replies, event->id, &type, &body) == REQUEST_NEW) {
            char answer[32];
            snprintf(answer, sizeof answer, "done %d", ++done);
            link_replies_keep(replies, event->id, TYPE_PUSH, bytes_copy(span_of_text(answer)));
            assert_int_equal(link_replies_ask(replies, event->id, &type, &body), REQUEST_ANSWERED);
        }
        assert_ok(link_send(event->peer, type, event->id, body, &err));
        OWNED(link_event_drop) struct link_event *answer = caller_event(&pair.guest);
        assert_true(answer->id == id);
        assert_true(span_equal(bytes_span(&answer->body), span_of_text("done 1")));
        if (round == 1)
            continue;
        link_peer_close(pair.guest.peer, NULL); /* and it asks again on a new connection */
        caller_closed(&pair.guest, "closed-by-us");
        caller_opened(&pair.guest);
        expect_reopened(&pair);
    }
    assert_int_equal(done, 1);
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_state_has_its_largest_frame),
        cmocka_unit_test(evidence_has_a_budget_and_a_ready_peer_has_none),
        cmocka_unit_test(proving_has_a_deadline),
        cmocka_unit_test(a_ready_peer_that_falls_silent_is_closed),
        cmocka_unit_test(keep_alives_keep_a_quiet_pair_alive_and_are_not_seen),
        cmocka_unit_test(a_last_word_is_heard_before_the_end),
        cmocka_unit_test(who_hears_a_last_word_and_stays_is_closed),
        cmocka_unit_test(a_duplicate_is_answered_from_memory),
    };
    return cmocka_run_group_tests_name("link_states", tests, NULL, NULL);
}
