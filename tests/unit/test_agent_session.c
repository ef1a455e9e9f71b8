/* A guest's session with its controller: hello, heartbeats, orders and secrets (doc/protocol.md;
 * trust.md sections 7 and 9). */
#include "agent/session.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/crypto/random.h"
#include "lib/crypto/seal.h"
#include "tests/support/guest_talk.h"
#include "tests/support/test.h"

/* ---- the session itself ---------------------------------------------------------------------- */

static void heartbeats_come_at_the_pace_the_controller_set(void **state)
{
    struct talk *w = *state;
    struct error err = {0};
    w->hears_heartbeats = true;
    talk_become_trusted(w);
    for (int64_t seq = 1; seq <= 3; seq++) {
        struct heartbeat heartbeat = {0};
        OWNED(json_drop) json_t *message = NULL;
        enum verb verb;
        talk_advance(w, 9);
        talk_assert_silent(w);
        talk_advance(w, 1);
        const struct talk_frame *frame = talk_next(w);
        assert_int_equal(frame->type, FRAME_NOTE);
        assert_ok(message_parse(bytes_span(&frame->body), &verb, &message, &err));
        assert_int_equal(verb, VERB_HEARTBEAT);
        assert_ok(record_from_json(&heartbeat_record, message, "", &heartbeat, &err));
        assert_int_equal(heartbeat.seq, seq);
        talk_assert_silent(w);
    }
}

static void a_controller_of_an_older_epoch_is_left(void **state)
{
    struct talk *w = *state;
    struct error lost = {0};
    talk_welcome(w, "trusted", 9);
    w->seen = w->sent_count;
    session_closed(w->session, &lost);
    talk_welcome(w, "trusted", 8);
    assert_string_equal(w->hung_up, "old-epoch");
    session_closed(w->session, &lost);
    talk_welcome(w, "trusted", 2000);
    assert_string_equal(w->hung_up, "epoch-too-far");
    session_closed(w->session, &lost);
    w->hung_up[0] = '\0';
    talk_welcome(w, "trusted", 10);
    assert_string_equal(w->hung_up, "");
}

/* What a controller's hello with this epoch comes to: "" when it is obeyed. */
static const char *hears(struct talk *w, int64_t epoch)
{
    struct error lost = {0};
    w->hung_up[0] = '\0';
    talk_welcome(w, "trusted", epoch);
    w->seen = w->sent_count;
    session_closed(w->session, &lost);
    return w->hung_up;
}

/* A thief with the controller says a number that no honest one will ever reach. */
static void an_epoch_beyond_all_reason_is_not_taken_even_as_the_first(void **state)
{
    struct talk *w = *state;
    assert_string_equal(hears(w, INT64_MAX), "epoch-too-far");
    assert_string_equal(hears(w, 1000 * 1000 + 1), "epoch-too-far");
    assert_string_equal(hears(w, 5), "");
    assert_string_equal(hears(w, 1005), "");
    assert_string_equal(hears(w, INT64_MAX), "epoch-too-far");
    assert_string_equal(hears(w, 2006), "epoch-too-far");
    assert_string_equal(hears(w, 1006), "");
}

/* By steps he gets as far as he likes, but not for ever. */
static void a_raised_epoch_shuts_honest_controllers_out_for_ten_minutes_only(void **state)
{
    struct talk *w = *state;
    assert_string_equal(hears(w, 1000 * 1000), "");
    assert_string_equal(hears(w, 1000 * 1000 + 1000), "");
    assert_string_equal(hears(w, 5), "old-epoch");
    talk_advance(w, 599);
    assert_string_equal(hears(w, 5), "old-epoch");
    talk_advance(w, 1);
    assert_string_equal(hears(w, 6), "");
    assert_string_equal(hears(w, 5), "old-epoch");
}

/* An old copy of the database is not obeyed while the newer one answers now and then. */
static void an_older_controller_stays_shut_out_while_the_newer_one_answers(void **state)
{
    struct talk *w = *state;
    assert_string_equal(hears(w, 9), "");
    for (int i = 0; i < 4; i++) {
        assert_string_equal(hears(w, 8), "old-epoch");
        talk_advance(w, 400);
        assert_string_equal(hears(w, 9), "");
        talk_advance(w, 400);
    }
    assert_string_equal(hears(w, 8), "old-epoch");
}

static void a_refused_hello_ends_the_connection(void **state)
{
    struct talk *w = *state;
    struct hello hello = {0};
    session_opened(w->session);
    uint64_t id = talk_next_request(w, VERB_HELLO, &hello_record, &hello)->id;
    record_done(&hello_record, &hello);
    talk_answer_problem(w, id, "ticket-spent");
    assert_string_equal(w->hung_up, "ticket-spent");
    talk_assert_silent(w);
}

static void unknown_frames_end_the_connection_and_unknown_verbs_are_refused(void **state)
{
    struct talk *w = *state;
    struct error err = {0};
    talk_become_trusted(w);
    static const char *const bodies[] = {
        "",    "{}", "[]", "{\"do\":\"reboot\"}", "{\"do\":\"appraise\"}", "{\"do\":\"secret\"}",
        "\xff"};
    for (size_t i = 0; i < countof(bodies); i++) {
        session_frame(w->session, FRAME_REQUEST, 100 + i, span_of_text(bodies[i]));
        const struct talk_frame *frame = talk_next(w);
        assert_int_equal(frame->type, FRAME_PROBLEM);
        assert_int_equal(frame->id, 100 + i);
        assert_int_equal(message_parse_problem(bytes_span(&frame->body), &err), ERR_INVALID);
    }
    session_frame(w->session, FRAME_NOTE, 0, span_of_text("{\"do\":\"secret\"}"));
    session_frame(w->session, FRAME_NOTE, 0, span_of_text("junk"));
    talk_assert_silent(w);
    session_frame(w->session, 9, 0, span_of_text("{}"));
    assert_string_equal(w->hung_up, "unknown-frame");
}

/* ---- secrets --------------------------------------------------------------------------------- */

static void send_secret(struct talk *w, uint64_t id, int64_t sequence)
{
    struct error err = {0};
    struct seal_header header = {
        .purpose = SEAL_PURPOSE_SECRET,
        .instance = w->guest.instance,
        .delivery = uuid_new(),
        .secret = uuid_new(),
        .name = "web-key",
        .kind = "opaque",
        .version = 1,
        .grant = "web",
        .verdict = uuid_new(),
        .sequence = sequence,
    };
    cert_spki_sha256(w->root, header.deployment);
    key_fingerprint(w->sealing, header.sealing_key);
    random_fill(header.salt, sizeof header.salt);
    struct secret_delivery delivery = {.delivery = header.delivery, .secret = "web-key"};
    assert_ok(seal_to(w->sealing, &header, span_of_text("hunter2"), w->signer, w->signer_cert,
                      &delivery.envelope, &err));
    OWNED(bytes_done) struct bytes body = {0};
    message_print(VERB_SECRET, &secret_delivery_record, &delivery, &body);
    record_done(&secret_delivery_record, &delivery);
    session_frame(w->session, FRAME_REQUEST, id, bytes_span(&body));
    session_frame(w->session, FRAME_REQUEST, id, bytes_span(&body));
}

static void a_secret_is_loaded_once_and_a_repeated_request_answered_from_memory(void **state)
{
    struct talk *w = *state;
    struct error err = {0};
    talk_become_trusted(w);
    send_secret(w, 77, 1);
    for (int i = 0; i < 2; i++) {
        struct secret_loaded loaded = {0};
        const struct talk_frame *frame = talk_next(w);
        assert_int_equal(frame->type, FRAME_REPLY);
        assert_int_equal(frame->id, 77);
        assert_ok(
            message_parse_reply(bytes_span(&frame->body), &secret_loaded_record, &loaded, &err));
        assert_true(loaded.loaded);
    }
    talk_assert_silent(w);
}

/* Two hooks of one name would run side by side, and the first would be said to use the second's. */
static void one_secret_is_worked_on_once_at_a_time(void **state)
{
    struct talk *w = *state;
    struct error err = {0};
    char hook[96];
    snprintf(hook, sizeof hook, "%s/web-key", w->base);
    assert_ok(
        file_write(hook, span_of_text("#!/bin/sh\nexec sleep 60 >/dev/null 2>&1\n"), 0700, &err));
    talk_become_trusted(w);
    send_secret(w, 81, 1);
    talk_assert_silent(w);
    send_secret(w, 82, 2);
    const struct talk_frame *frame = talk_next(w);
    assert_int_equal(frame->id, 82);
    assert_int_equal(message_parse_problem(bytes_span(&frame->body), &err), ERR_CONFLICT);
    assert_string_equal(err.code, "underway");
}

static void nothing_is_opened_before_hello_and_nothing_after_a_rejection(void **state)
{
    struct talk *w = *state;
    struct error err = {0};
    talk_become_trusted(w);
    talk_advance(w, 1000);
    OWNED(key_drop) struct key *old = key_share(w->sealing);
    talk_appraise(w, "rejected", "policy-tcb");
    key_drop(&w->sealing);
    w->sealing = TAKE(old);
    send_secret(w, 78, 1);
    const struct talk_frame *frame = talk_next(w);
    assert_int_equal(frame->type, FRAME_PROBLEM);
    assert_int_equal(message_parse_problem(bytes_span(&frame->body), &err), ERR_DENIED);
    assert_string_equal(err.code, "envelope-not-ours");
    assert_int_equal(talk_next(w)->type, FRAME_PROBLEM);
    session_closed(w->session, &err);
    session_opened(w->session);
    w->seen = w->sent_count;
    send_secret(w, 79, 2);
    assert_int_equal(message_parse_problem(bytes_span(&talk_next(w)->body), &err), ERR_CONFLICT);
    assert_string_equal(err.code, "not-welcome");
}

static void while_a_new_appraisal_runs_the_old_key_still_opens(void **state)
{
    struct talk *w = *state;
    talk_become_trusted(w);
    OWNED(key_drop) struct key *old = key_share(w->sealing);
    talk_advance(w, 1000);
    talk_challenge(w);
    w->seen = w->sent_count;
    key_drop(&w->sealing);
    w->sealing = TAKE(old);
    send_secret(w, 80, 1);
    assert_int_equal(talk_next(w)->type, FRAME_REPLY);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, talk_open, talk_close)
    const struct CMUnitTest tests[] = {
        T(heartbeats_come_at_the_pace_the_controller_set),
        T(a_controller_of_an_older_epoch_is_left),
        T(an_epoch_beyond_all_reason_is_not_taken_even_as_the_first),
        T(a_raised_epoch_shuts_honest_controllers_out_for_ten_minutes_only),
        T(an_older_controller_stays_shut_out_while_the_newer_one_answers),
        T(a_refused_hello_ends_the_connection),
        T(unknown_frames_end_the_connection_and_unknown_verbs_are_refused),
        T(a_secret_is_loaded_once_and_a_repeated_request_answered_from_memory),
        T(one_secret_is_worked_on_once_at_a_time),
        T(nothing_is_opened_before_hello_and_nothing_after_a_rejection),
        T(while_a_new_appraisal_runs_the_old_key_still_opens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
