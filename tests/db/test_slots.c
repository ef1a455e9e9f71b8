/* Fifty machines at the real desk at once, with room for four: never more are under way, all are
 * served, and who is told to come later does and is served too. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/fixtures.h"
#include "tests/support/front_desk.h"
#include "tests/support/test.h"

enum { MANY = 50, AT_ONCE = 4, PER_SECOND = 15, STORM_WAIT_MS = 30000 };

struct party {
    struct visitor visitor;
    uint64_t asked;   /* attest-begin, or its evidence */
    int64_t again_ms; /* when it was told to come again */
    bool proven;
};

static struct party parties[MANY];
static int under_way, most, put_offs, proven;

static int open_narrow(void **state)
{
    front_at_once = AT_ONCE;
    front_per_second = PER_SECOND;
    front_probe_seconds = 3600; /* nothing else is asked of the keeper */
    return front_open(state);
}

static int close_narrow(void **state)
{
    for (size_t i = 0; i < MANY; i++)
        visitor_done(&parties[i].visitor);
    front_at_once = front_per_second = front_probe_seconds = 0;
    return front_close(state);
}

static struct visitor *visitor_of(const struct uuid *instance)
{
    for (size_t i = 0; i < MANY; i++)
        if (uuid_equal(&parties[i].visitor.instance, instance))
            return &parties[i].visitor;
    fail_msg("nobody speaks for that instance");
    abort();
}

/* From a challenge until its verdict there is one more under way. */
static void keeper_hears(struct link_event *event)
{
    struct error err = {0};
    OWNED(json_drop) json_t *message = NULL;
    enum verb verb;
    struct span apart;
    assert_ok(message_parse_whole(bytes_span(&event->body), &verb, &message, &apart, &err));
    if (verb == VERB_CHALLENGE) {
        most = ++under_way > most ? under_way : most;
        front_keeper_challenges(event->id);
    } else if (verb == VERB_APPRAISE) {
        struct appraise_wish wish = {0};
        assert_ok(record_from_json(&appraise_wish_record, message, "", &wish, &err));
        under_way--;
        front_keeper_concludes(event->id, visitor_of(&wish.instance), true, wish.instance.at[15]);
        record_done(&appraise_wish_record, &wish);
    }
}

static void take_reply(struct party *p, struct span body)
{
    struct error err = {0};
    struct challenge challenge = {0};
    struct verdict_notice verdict = {0};
    if (message_parse_reply(body, &challenge_record, &challenge, &err) == OK) {
        p->asked = visitor_sends(&p->visitor, challenge.nonce);
        return;
    }
    assert_ok(message_parse_reply(body, &verdict_notice_record, &verdict, &err));
    assert_string_equal(verdict.verdict, "trusted");
    p->proven = true;
    proven++;
}

static void guest_hears(struct party *p, struct link_event *event)
{
    struct span body = bytes_span(&event->body);
    if (event->kind != LINK_FRAME || event->id != p->asked)
        return;
    if (event->type == FRAME_REPLY) {
        take_reply(p, body);
        return;
    }
    const int64_t after_ms = message_parse_slot(body);
    assert_true(after_ms > 0);
    put_offs++;
    p->again_ms = clock_monotonic_ms() + after_ms;
}

static void look_round(void)
{
    OWNED(link_event_drop) struct link_event *event = link_event_next(front.keeper.events, 5);
    if (event != NULL && event->kind == LINK_FRAME)
        keeper_hears(event);
    for (size_t i = 0; i < MANY; i++) {
        struct party *p = &parties[i];
        OWNED(link_event_drop)
        struct link_event *heard = link_event_next(p->visitor.caller.events, 0);
        if (heard != NULL)
            guest_hears(p, heard);
        if (p->again_ms > 0 && clock_monotonic_ms() >= p->again_ms) {
            p->again_ms = 0;
            p->asked = visitor_begins(&p->visitor);
        }
    }
}

static void never_more_than_there_is_room_for_and_all_are_served(void **state)
{
    (void)state;
    struct error err = {0};
    front_keeper(3, "7.1");
    for (size_t i = 0; i < MANY; i++) {
        char ticket[32];
        struct hello_reply welcome = {0};
        snprintf(ticket, sizeof ticket, "ticket-%zu", i);
        parties[i].visitor = visitor_open();
        const struct uuid id = front_instance("web", ticket);
        assert_ok(visitor_hello(&parties[i].visitor, &id, ticket, &welcome, &err));
    }
    for (size_t i = 0; i < MANY; i++)
        parties[i].asked = visitor_begins(&parties[i].visitor);
    const int64_t began = clock_monotonic_ms();
    while (proven < MANY && clock_monotonic_ms() < began + STORM_WAIT_MS)
        look_round();
    print_message("[ SLOTS ] %d in %lld ms, %d at most under way, %d put off\n", proven,
                  (long long)(clock_monotonic_ms() - began), most, put_offs);
    assert_int_equal(proven, MANY);
    assert_in_range(most, 2, AT_ONCE);
    assert_true(put_offs > 0);
    /* Not faster than the pace: after a first few, fifteen a second. */
    assert_true(clock_monotonic_ms() - began >= (MANY - AT_ONCE - 2) * 1000 / PER_SECOND);
}

/* ---- one slot ----------------------------------------------------------------------------------
 */

static int open_single(void **state)
{
    front_at_once = 1;
    front_per_second = 1000;
    return front_open(state);
}

static int close_single(void **state)
{
    front_at_once = front_per_second = 0;
    return front_close(state);
}

static struct visitor welcome(const char *ticket)
{
    struct error err = {0};
    struct hello_reply reply = {0};
    struct visitor guest = visitor_open();
    const struct uuid id = front_instance("web", ticket);
    assert_ok(visitor_hello(&guest, &id, ticket, &reply, &err));
    return guest;
}

/* A part that cannot be: whoever sends such gives its slot up. */
static void send_nonsense(struct visitor *guest, const uint8_t nonce[static NONCE_SIZE])
{
    struct error err = {0};
    struct evidence_part part = {.part = 3, .parts = 1};
    OWNED(bytes_done) struct bytes body = {0};
    memcpy(part.nonce, nonce, sizeof part.nonce);
    bytes_add_u8(&part.data, 1);
    message_print(VERB_EVIDENCE, &evidence_part_record, &part, &body);
    record_done(&evidence_part_record, &part);
    assert_ok(link_send(guest->caller.peer, FRAME_REQUEST, link_id_new(), bytes_span(&body), &err));
}

/* The one answer to `asked`; the others are not looked at. */
static void answer_to(struct visitor *guest, uint64_t asked, struct bytes *out)
{
    for (;;) {
        OWNED(link_event_drop) struct link_event *event = caller_event(&guest->caller);
        if (event->kind != LINK_FRAME || event->id != asked)
            continue;
        assert_int_equal(event->type, FRAME_REPLY);
        bytes_add(out, bytes_span(&event->body));
        return;
    }
}

static void evidence_that_comes_when_its_slot_is_another_ones_is_asked_for_again(void **state)
{
    (void)state;
    struct error err = {0};
    struct challenge first = {0}, second = {0};
    struct verdict_notice told = {0}, verdict = {0};
    OWNED(bytes_done) struct bytes reply = {0};
    front_keeper(5, "7.1");
    OWNED(visitor_done) struct visitor slow = welcome("ticket-a");
    OWNED(visitor_done) struct visitor next = welcome("ticket-b");
    assert_ok(visitor_challenge(&slow, &first, &err));
    send_nonsense(&slow, first.nonce);
    assert_ok(visitor_challenge(&next, &second, &err)); /* its turn, now that there is room */
    answer_to(&slow, visitor_sends(&slow, first.nonce), &reply);
    assert_ok(message_parse_reply(bytes_span(&reply), &verdict_notice_record, &told, &err));
    assert_string_equal(told.reason, "challenge-again");
    assert_ok(visitor_answer(&next, &second, true, 1, &verdict, &err));
    assert_string_equal(verdict.verdict, "trusted");
    assert_ok(visitor_prove(&slow, true, 2, &verdict, &err));
    assert_string_equal(verdict.verdict, "trusted");
}

/* ---- a keeper that is well and does nothing ---------------------------------------------------
 */

/* It gives challenges and says how it is, and evidence lies with it: the other one is asked. */
static void evidence_that_a_keeper_lets_lie_goes_to_another_one_next(void **state)
{
    (void)state;
    struct error err = {0};
    struct challenge challenge = {0};
    struct verdict_notice told = {0}, verdict = {0};
    OWNED(bytes_done) struct bytes reply = {0};
    front_keeper(5, "7.1");
    OWNED(visitor_done) struct visitor guest = welcome("ticket-a");
    assert_ok(visitor_challenge(&guest, &challenge, &err));
    struct caller idle = front.keeper;
    front.keeper = (struct caller){0};
    front_keeper(6, "7.1"); /* as good as the first, which is asked before it */
    answer_to(&guest, visitor_sends(&guest, challenge.nonce), &reply);
    assert_ok(message_parse_reply(bytes_span(&reply), &verdict_notice_record, &told, &err));
    assert_string_equal(told.reason, "challenge-again");
    assert_ok(visitor_prove(&guest, true, 1, &verdict, &err));
    assert_string_equal(verdict.verdict, "trusted");
    caller_close(&idle);
}

/* ---- what one is told ------------------------------------------------------------------------ */

static int64_t told_to_renew(const struct uuid *id, const char *ticket, uint8_t boot)
{
    struct error err = {0};
    struct hello_reply welcome = {0};
    struct verdict_notice verdict = {0};
    OWNED(visitor_done) struct visitor guest = visitor_open();
    assert_ok(visitor_hello(&guest, id, ticket, &welcome, &err));
    assert_ok(visitor_prove(&guest, true, boot, &verdict, &err));
    assert_string_equal(verdict.verdict, "trusted");
    const struct instance row = front_row(id);
    const int64_t until = moment_seconds_between(clock_now(), row.renew_at);
    assert_true(until <= verdict.reattest_seconds && verdict.reattest_seconds <= until + 5);
    return verdict.reattest_seconds;
}

static void a_renewal_is_planned_in_time_for_the_fleets_objective(void **state)
{
    (void)state;
    struct error err = {0};
    front_keeper(4, "7.1");
    const struct uuid first = front_instance("other", "ticket-a");
    assert_in_range(told_to_renew(&first, "ticket-a", 1), 350, 480); /* of ten minutes */
    OWNED(transaction_end) struct transaction tx = {0};
    assert_ok(transaction_begin(front.db, &tx, &err)); /* nobody sees it unpaused, and retires */
    OWNED(fleet_done) struct fleet fleet = fixture_fleet(front.db, "web", 0);
    assert_ok(db_script(front.db,
                        "UPDATE fleets SET paused = true, objective = "
                        "'{\"verified_percent\": 99.5, \"within_seconds\": 100}'",
                        &err));
    assert_ok(transaction_commit(&tx, &err));
    const struct uuid second = front_instance("web", "ticket-b");
    assert_in_range(told_to_renew(&second, "ticket-b", 2), 55, 80);
}

/* Ours may be wrong, and agents of ten-minute verdicts are not told to come back in an hour. */
/* Faster than its launch was written down: it is compared with that as soon as there is one. */
static void a_machine_that_nobody_had_heard_of_comes_again_at_once(void **state)
{
    (void)state;
    struct error err = {0};
    const struct uuid id = front_instance("web", "ticket-a");
    const struct uuid old = front_instance("web", "ticket-b");
    front_keeper(1, "1.0");
    front.undeclared = true;
    assert_in_range(told_to_renew(&id, "ticket-a", 1), 1, 30);
    assert_ok(db_script(
        front.db, "UPDATE instances SET phase_since = clock_timestamp() - interval '1 day'", &err));
    assert_in_range(told_to_renew(&old, "ticket-b", 2), 350, 480); /* and not for ever */
    front.undeclared = false;
}

static void a_renewal_is_planned_by_the_keepers_clock(void **state)
{
    (void)state;
    front_keeper(4, "7.1");
    const struct uuid id = front_instance("other", "ticket-a");
    front.keeper_ahead = 3600;
    assert_in_range(told_to_renew(&id, "ticket-a", 1), 350, 480);
    front.keeper_ahead = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(never_more_than_there_is_room_for_and_all_are_served,
                                        open_narrow, close_narrow),
        cmocka_unit_test_setup_teardown(
            evidence_that_comes_when_its_slot_is_another_ones_is_asked_for_again, open_single,
            close_single),
        AT_FRONT(evidence_that_a_keeper_lets_lie_goes_to_another_one_next),
        AT_FRONT(a_machine_that_nobody_had_heard_of_comes_again_at_once),
        AT_FRONT(a_renewal_is_planned_by_the_keepers_clock),
        AT_FRONT(a_renewal_is_planned_in_time_for_the_fleets_objective),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
