/* How a guest proves itself, again and again: when, with which keys, and what it lets nobody do
 * (trust.md sections 4 and 8). */
#include <string.h>

#include "lib/crypto/random.h"
#include "tests/support/guest_talk.h"
#include "tests/support/test.h"

static void the_first_hello_carries_the_ticket_and_later_ones_do_not(void **state)
{
    struct talk *w = *state;
    struct error lost = {0};
    struct hello hello = {0};
    session_opened(w->session);
    uint64_t id = talk_next_request(w, VERB_HELLO, &hello_record, &hello)->id;
    assert_string_equal(hello.ticket, "TICKET");
    assert_int_equal(hello.protocol, MESSAGE_PROTOCOL);
    assert_int_equal(hello.role, LINK_ROLE_AGENT);
    assert_true(uuid_equal(&hello.instance, &w->guest.instance));
    record_done(&hello_record, &hello);
    const struct hello_reply reply = {.epoch = 5, .heartbeat_seconds = 10};
    talk_answer(w, id, &hello_reply_record, &reply);
    talk_appraise(w, "trusted", "ok");
    session_closed(w->session, &lost);
    session_opened(w->session);
    talk_next_request(w, VERB_HELLO, &hello_record, &hello);
    assert_string_equal(hello.ticket, "");
    assert_int_equal(hello.epoch, 5);
    record_done(&hello_record, &hello);
}

static void the_report_binds_nonce_both_keys_root_instance_and_rest(void **state)
{
    struct talk *w = *state;
    OWNED(evidence_done) struct evidence evidence = {0};
    talk_welcome(w, "unknown", 1);
    talk_challenge(w);
    talk_take_evidence(w, &evidence);
    struct binding binding = {.kind = EVIDENCE_SIMULATED,
                              .instance = w->guest.instance,
                              .rest = bytes_span(&evidence.rest)};
    memcpy(binding.nonce, w->nonce, NONCE_SIZE);
    key_fingerprint(w->link_key, binding.link_key);
    key_fingerprint(w->sealing, binding.sealing_key);
    cert_spki_sha256(w->root, binding.root_key);
    uint8_t expected[BINDING_SIZE];
    binding_digest(&binding, expected);
    assert_memory_equal(w->report_data, expected, BINDING_SIZE);
    assert_true(
        span_equal(bytes_span(&evidence.rest), span_of_text("{\"boot\":7,\"documents\":{}}")));
    assert_int_equal(evidence.kind, EVIDENCE_SIMULATED);
    assert_int_equal(evidence.cert_table.len, 4096);
}

static void large_evidence_travels_in_parts(void **state)
{
    struct talk *w = *state;
    OWNED(evidence_done) struct evidence evidence = {0};
    w->certs_size = TEE_CERTS_MAX;
    talk_welcome(w, "unknown", 1);
    talk_challenge(w);
    uint64_t last = talk_take_evidence(w, &evidence);
    assert_int_equal(evidence.cert_table.len, TEE_CERTS_MAX);
    talk_give_verdict(w, last, "trusted", "ok", 1000);
    assert_true(session_is_trusted(w->session));
}

static void every_appraisal_has_its_own_sealing_key(void **state)
{
    struct talk *w = *state;
    talk_become_trusted(w);
    OWNED(key_drop) struct key *first = TAKE(w->sealing);
    talk_advance(w, 1000);
    talk_appraise(w, "trusted", "ok");
    assert_false(key_equal(first, w->sealing));
}

static void trust_is_renewed_before_it_ends_and_not_at_once(void **state)
{
    struct talk *w = *state;
    talk_become_trusted(w);
    for (int i = 0; i < 79; i++)
        talk_advance(w, 10);
    talk_assert_silent(w);
    for (int i = 0; i < 21; i++)
        talk_advance(w, 10);
    talk_take_begin(w);
}

/* By a verdict that ends then, long before it has to be renewed. */
static void be_trusted_for(struct talk *w, int64_t seconds)
{
    OWNED(evidence_done) struct evidence evidence = {0};
    talk_welcome(w, "unknown", 1);
    talk_challenge(w);
    uint64_t id = talk_take_evidence(w, &evidence);
    struct verdict_notice notice = {.verdict = "trusted",
                                    .reason = "ok",
                                    .reattest_seconds = 86400,
                                    .valid_until = moment_add_seconds(clock_now(), seconds)};
    talk_answer(w, id, &verdict_notice_record, &notice);
}

static void a_verdict_that_ends_sooner_is_renewed_sooner(void **state)
{
    struct talk *w = *state;
    be_trusted_for(w, 100);
    talk_advance(w, 100);
    talk_take_begin(w);
}

static void a_reconnect_under_a_fresh_verdict_needs_no_new_one(void **state)
{
    struct talk *w = *state;
    struct error lost = {0};
    talk_become_trusted(w);
    session_closed(w->session, &lost);
    talk_welcome(w, "trusted", 1);
    talk_assert_silent(w);
    session_closed(w->session, &lost);
    talk_welcome(w, "stale", 1);
    talk_take_begin(w);
}

static void a_rejected_guest_waits_longer_each_time(void **state)
{
    struct talk *w = *state;
    talk_welcome(w, "unknown", 1);
    OWNED(evidence_done) struct evidence evidence = {0};
    talk_challenge(w);
    talk_give_verdict(w, talk_take_evidence(w, &evidence), "rejected", "policy-measurement", 30);
    assert_false(session_is_trusted(w->session));
    talk_advance(w, 29);
    talk_assert_silent(w);
    for (int i = 0; i < 12; i++)
        talk_advance(w, 5);
    talk_take_begin(w);
}

static void challenge_again_is_no_rejection_but_not_without_end(void **state)
{
    struct talk *w = *state;
    talk_become_trusted(w);
    talk_advance(w, 1000);
    for (int i = 0; i < 4; i++)
        talk_appraise(w, "rejected", "challenge-again");
    assert_true(session_is_trusted(w->session));
    talk_assert_silent(w);
    talk_advance(w, 5);
    talk_take_begin(w);
}

static void a_challenge_of_another_root_gets_no_evidence(void **state)
{
    struct talk *w = *state;
    uint8_t other[SHA256_SIZE];
    random_fill(other, sizeof other);
    talk_welcome(w, "unknown", 1);
    talk_send_challenge(w, talk_take_begin(w), other);
    assert_int_equal(w->reports, 0);
    talk_assert_silent(w);
}

static void junk_for_a_challenge_or_a_verdict_only_costs_time(void **state)
{
    struct talk *w = *state;
    OWNED(evidence_done) struct evidence evidence = {0};
    talk_welcome(w, "unknown", 1);
    uint64_t id = talk_take_begin(w);
    session_frame(w->session, FRAME_REPLY, id, span_of_text("{\"nonce\":\"00\"}"));
    session_tick(w->session);
    talk_assert_silent(w);
    talk_advance(w, 6);
    talk_challenge(w);
    talk_give_verdict(w, talk_take_evidence(w, &evidence), "fine", "ok", 1000);
    assert_false(session_is_trusted(w->session));
    talk_assert_silent(w);
}

static void silence_is_given_up_on_and_tried_again(void **state)
{
    struct talk *w = *state;
    talk_welcome(w, "unknown", 1);
    uint64_t late = talk_take_begin(w);
    talk_advance(w, 60);
    talk_assert_silent(w);
    uint8_t root_key[SHA256_SIZE];
    cert_spki_sha256(w->root, root_key);
    talk_send_challenge(w, late, root_key);
    assert_int_equal(w->reports, 0);
    talk_advance(w, 6);
    talk_challenge(w);
    assert_int_equal(w->reports, 1);
}

static void a_controller_without_a_keeper_is_asked_again_later(void **state)
{
    struct talk *w = *state;
    talk_welcome(w, "unknown", 1);
    talk_answer_problem(w, talk_take_begin(w), "no-keeper");
    talk_assert_silent(w);
    talk_advance(w, 6);
    talk_take_begin(w);
}

static void a_guest_comes_again_when_it_was_told_to_and_keeps_what_it_holds(void **state)
{
    struct talk *w = *state;
    talk_become_trusted(w);
    talk_advance(w, 1000);
    for (int i = 0; i < 5; i++) { /* however often: it is no failure */
        talk_put_off(w, talk_take_begin(w), 40000);
        assert_true(session_is_trusted(w->session));
        talk_advance(w, 39);
        talk_assert_silent(w);
        talk_advance(w, 5); /* a tenth more at most */
    }
    talk_challenge(w);
}

static void lost_hardware_is_not_asked_again(void **state)
{
    struct talk *w = *state;
    w->tee_fails = "vmpck-disabled";
    talk_welcome(w, "unknown", 1);
    talk_challenge(w);
    for (int i = 0; i < 50; i++)
        talk_advance(w, 60);
    talk_assert_silent(w);
    assert_int_equal(w->reports, 1);
}

static void a_lost_connection_begins_anew_on_the_next(void **state)
{
    struct talk *w = *state;
    struct error lost = {0};
    talk_welcome(w, "unknown", 1);
    talk_challenge(w);
    w->seen = w->sent_count;
    session_closed(w->session, &lost);
    talk_welcome(w, "unknown", 1);
    talk_appraise(w, "trusted", "ok");
    assert_true(session_is_trusted(w->session));
}

static void wish(struct talk *w)
{
    session_frame(w->session, FRAME_NOTE, 0,
                  span_of_text("{\"do\":\"attest\",\"why\":\"policy-changed\"}"));
    session_tick(w->session);
}

static void a_wish_ends_a_wait_for_a_slot(void **state)
{
    struct talk *w = *state;
    talk_welcome(w, "unknown", 1);
    talk_put_off(w, talk_take_begin(w), INT64_MAX);
    talk_advance(w, 300);
    talk_assert_silent(w);
    wish(w);
    talk_take_begin(w);
    talk_put_off(w, w->sent[w->sent_count - 1].id, INT64_MAX);
    talk_advance(w, SLOT_MOST_MS / 1000 * 11 / 10); /* no controller puts it off for longer */
    talk_take_begin(w);
}

static void a_controllers_wish_starts_an_appraisal_at_once(void **state)
{
    struct talk *w = *state;
    talk_become_trusted(w);
    talk_advance(w, 1);
    wish(w);
    talk_take_begin(w);
}

/* The verdict under way may have been given before what the wish is about. */
static void a_wish_during_an_appraisal_is_not_forgotten(void **state)
{
    struct talk *w = *state;
    OWNED(evidence_done) struct evidence evidence = {0};
    talk_welcome(w, "unknown", 1);
    talk_challenge(w);
    uint64_t id = talk_take_evidence(w, &evidence);
    wish(w);
    talk_assert_silent(w);
    talk_advance(w, 1);
    talk_give_verdict(w, id, "trusted", "ok", 1000);
    talk_take_begin(w);
}

static void a_flood_of_wishes_costs_one_appraisal_a_second(void **state)
{
    struct talk *w = *state;
    talk_become_trusted(w);
    for (int second = 0; second < 3; second++) {
        for (int i = 0; i < 100; i++)
            wish(w);
        talk_assert_silent(w);
        talk_advance(w, 1);
        talk_appraise(w, "trusted", "ok");
    }
    talk_advance(w, 1);
    talk_assert_silent(w);
}

/* The clock is the host's: set just before each verdict's end it must not make us ask without end.
 */
static void a_verdict_that_seems_to_end_at_once_does_not_make_us_hurry(void **state)
{
    struct talk *w = *state;
    be_trusted_for(w, 1);
    talk_advance(w, 7);
    talk_assert_silent(w);
    talk_advance(w, 3);
    talk_take_begin(w);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, talk_open, talk_close)
    const struct CMUnitTest tests[] = {
        T(the_first_hello_carries_the_ticket_and_later_ones_do_not),
        T(the_report_binds_nonce_both_keys_root_instance_and_rest),
        T(large_evidence_travels_in_parts),
        T(every_appraisal_has_its_own_sealing_key),
        T(trust_is_renewed_before_it_ends_and_not_at_once),
        T(a_verdict_that_ends_sooner_is_renewed_sooner),
        T(a_reconnect_under_a_fresh_verdict_needs_no_new_one),
        T(a_rejected_guest_waits_longer_each_time),
        T(challenge_again_is_no_rejection_but_not_without_end),
        T(a_challenge_of_another_root_gets_no_evidence),
        T(junk_for_a_challenge_or_a_verdict_only_costs_time),
        T(silence_is_given_up_on_and_tried_again),
        T(a_controller_without_a_keeper_is_asked_again_later),
        T(a_guest_comes_again_when_it_was_told_to_and_keeps_what_it_holds),
        T(a_wish_ends_a_wait_for_a_slot),
        T(lost_hardware_is_not_asked_again),
        T(a_lost_connection_begins_anew_on_the_next),
        T(a_controllers_wish_starts_an_appraisal_at_once),
        T(a_wish_during_an_appraisal_is_not_forgotten),
        T(a_flood_of_wishes_costs_one_appraisal_a_second),
        T(a_verdict_that_seems_to_end_at_once_does_not_make_us_hurry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
