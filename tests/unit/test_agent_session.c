/* One guest's talk with its controller, with the test as controller and the clock in its hand
 * (doc/protocol.md; trust.md sections 4, 7, 9). */
#include "agent/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/attest/evidence.h"
#include "lib/crypto/random.h"
#include "lib/crypto/seal.h"
#include "tests/support/test.h"

enum { FRAMES_MAX = 64 };

struct frame {
    uint8_t type;
    uint64_t id;
    struct bytes body;
};

struct world {
    char base[64];
    char folder[96];
    struct key *root_key, *link_key, *signer;
    struct cert *root, *signer_cert;
    struct key *sealing; /* what the guest named in its last attest-begin */
    struct tee *tee;
    size_t certs_size;
    const char *tee_fails; /* a code */
    int reports;
    uint8_t report_data[BINDING_SIZE];
    struct appraisal_guest guest;
    struct secrets *secrets;
    struct session *session;
    struct frame sent[FRAMES_MAX];
    size_t sent_count, seen; /* frames that the test has looked at */
    bool hears_heartbeats;
    char hung_up[ERROR_CODE_SIZE];
    uint8_t nonce[NONCE_SIZE];
};

/* ---- the hardware and the wire --------------------------------------------------------------- */

static enum outcome fake_report(void *self, const uint8_t report_data[static BINDING_SIZE],
                                struct tee_report *out, struct error *err)
{
    struct world *w = self;
    w->reports++;
    if (w->tee_fails != NULL)
        return fail_code(err, ERR_DENIED, w->tee_fails, "as the test wants");
    memcpy(w->report_data, report_data, BINDING_SIZE);
    bytes_add_room(&out->report, TEE_REPORT_SIZE);
    memcpy(out->report.at + 0x50, report_data, BINDING_SIZE);
    bytes_add_room(&out->cert_table, w->certs_size);
    return OK;
}

static void fake_close(void *self)
{
    (void)self;
}

static const struct tee_driver fake_tee = {
    .name = "fake", .kind = EVIDENCE_SIMULATED, .close = fake_close, .report = fake_report};

static enum outcome wire_send(void *context, uint8_t type, uint64_t id, struct span body,
                              struct error *err)
{
    struct world *w = context;
    if (type == FRAME_NOTE && !w->hears_heartbeats)
        return OK;
    if (w->sent_count == FRAMES_MAX)
        return fail_code(err, ERR_THROTTLED, "not-reading", "the test did not look");
    w->sent[w->sent_count++] = (struct frame){type, id, bytes_copy(body)};
    return OK;
}

static void wire_hang_up(void *context, const char *why)
{
    struct world *w = context;
    snprintf(w->hung_up, sizeof w->hung_up, "%s", why);
}

static int set_up(void **state)
{
    struct error err = {0};
    struct world *w = NEW(struct world);
    clock_freeze(clock_at_seconds(1795435200));
    snprintf(w->base, sizeof w->base, "/tmp/muster-session-XXXXXX");
    assert_non_null(mkdtemp(w->base));
    snprintf(w->folder, sizeof w->folder, "%s/secrets", w->base);
    assert_ok(key_generate(KEY_P384, &w->root_key, &err));
    assert_ok(cert_make_root(w->root_key, REALM_SIMULATION, clock_now(), &w->root, &err));
    assert_ok(key_generate(KEY_P256, &w->signer, &err));
    assert_ok(cert_make_role(w->root_key, w->root, w->signer, ROLE_KEEPER_SIGN, NULL, 0,
                             clock_now(), 30, &w->signer_cert, &err));
    assert_ok(key_generate(KEY_P256, &w->link_key, &err));
    w->certs_size = 4096;
    w->tee = tee_new(&fake_tee, w);
    w->guest = (struct appraisal_guest){
        .instance = uuid_new(),
        .link_key = w->link_key,
        .roots = &w->root,
        .root_count = 1,
        .tee = w->tee,
        .boot = 7,
        .retry_first_seconds = 5,
        .retry_most_seconds = 60,
    };
    const struct secrets_places places = {
        .folder = w->folder, .allow_non_tmpfs = true, .hooks_dir = w->base, .hook_seconds = 10};
    const struct secrets_guest guest = {
        .instance = w->guest.instance, .roots = &w->root, .root_count = 1};
    assert_ok(secrets_open(&places, &guest, &w->secrets, &err));
    const struct session_plan plan = {
        .guest = &w->guest, .ticket = "TICKET", .secrets = w->secrets, .answer_seconds = 60};
    const struct session_wire wire = {w, wire_send, wire_hang_up};
    w->session = session_new(&plan, &wire);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    clock_thaw();
    session_free(w->session);
    secrets_close(w->secrets);
    tee_close(w->tee);
    key_free(w->root_key);
    key_free(w->link_key);
    key_free(w->signer);
    key_free(w->sealing);
    cert_free(w->root);
    cert_free(w->signer_cert);
    for (size_t i = 0; i < w->sent_count; i++)
        bytes_done(&w->sent[i].body);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", w->base);
    free(w);
    return system(command);
}

/* ---- the controller's side ------------------------------------------------------------------- */

/* The next frame the guest sent; fails when there is none. */
static const struct frame *next(struct world *w)
{
    if (w->seen == w->sent_count)
        fail_msg("the guest says nothing more");
    return &w->sent[w->seen++];
}

static void assert_silent(struct world *w)
{
    if (w->seen != w->sent_count)
        fail_msg("the guest says %.*s", (int)w->sent[w->seen].body.len,
                 (const char *)w->sent[w->seen].body.at);
}

static const struct frame *next_request(struct world *w, enum verb verb,
                                        const struct record *record, void *out)
{
    struct error err = {0};
    const struct frame *frame = next(w);
    OWNED(json_drop) json_t *message = NULL;
    enum verb said;
    assert_int_equal(frame->type, FRAME_REQUEST);
    assert_ok(message_parse(bytes_span(&frame->body), &said, &message, &err));
    assert_int_equal(said, verb);
    assert_ok(record_from_json(record, message, "", out, &err));
    return frame;
}

static void answer(struct world *w, uint64_t id, const struct record *record, const void *object)
{
    OWNED(bytes_done) struct bytes body = {0};
    message_print_reply(record, object, &body);
    session_frame(w->session, FRAME_REPLY, id, bytes_span(&body));
    session_tick(w->session);
}

static void answer_problem(struct world *w, uint64_t id, const char *code)
{
    struct error problem = {0};
    OWNED(bytes_done) struct bytes body = {0};
    error_ignore(fail_code(&problem, ERR_UNREACHABLE, code, "not now"));
    message_print_problem(&problem, &body);
    session_frame(w->session, FRAME_PROBLEM, id, bytes_span(&body));
    session_tick(w->session);
}

static void welcome(struct world *w, const char *trust, int64_t epoch)
{
    struct hello hello = {0};
    session_opened(w->session);
    uint64_t id = next_request(w, VERB_HELLO, &hello_record, &hello)->id;
    record_done(&hello_record, &hello);
    struct hello_reply reply = {.epoch = epoch, .heartbeat_seconds = 10};
    snprintf(reply.trust, sizeof reply.trust, "%s", trust);
    answer(w, id, &hello_reply_record, &reply);
}

static uint64_t take_begin(struct world *w)
{
    struct error err = {0};
    struct attest_begin begin = {0};
    uint64_t id = next_request(w, VERB_ATTEST_BEGIN, &attest_begin_record, &begin)->id;
    key_drop(&w->sealing);
    assert_int_equal(begin.kind, EVIDENCE_SIMULATED);
    assert_ok(key_from_spki(bytes_span(&begin.sealing_key), &w->sealing, &err));
    record_done(&attest_begin_record, &begin);
    return id;
}

static void send_challenge(struct world *w, uint64_t id, const uint8_t root_key[SHA256_SIZE])
{
    struct challenge challenge = {.expires_seconds = 180};
    random_fill(w->nonce, sizeof w->nonce);
    memcpy(challenge.nonce, w->nonce, NONCE_SIZE);
    memcpy(challenge.root_key, root_key, SHA256_SIZE);
    answer(w, id, &challenge_record, &challenge);
}

static void challenge(struct world *w)
{
    uint8_t root_key[SHA256_SIZE];
    cert_spki_sha256(w->root, root_key);
    send_challenge(w, take_begin(w), root_key);
}

/* All parts, acknowledged but for the last, whose id comes back. */
static uint64_t take_evidence(struct world *w, struct evidence *out)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes whole = {0};
    uint64_t id;
    for (int64_t expected = 0, parts = 1;; expected++) {
        struct evidence_part part = {0};
        id = next_request(w, VERB_EVIDENCE, &evidence_part_record, &part)->id;
        assert_memory_equal(part.nonce, w->nonce, NONCE_SIZE);
        assert_int_equal(part.part, expected);
        assert_true(part.data.len <= EVIDENCE_PART_BYTES);
        parts = part.parts;
        bytes_add(&whole, bytes_span(&part.data));
        record_done(&evidence_part_record, &part);
        if (expected + 1 == parts)
            break;
        assert_silent(w);
        answer(w, id, NULL, NULL);
    }
    assert_ok(evidence_parse(bytes_span(&whole), out, &err));
    return id;
}

static void give_verdict(struct world *w, uint64_t id, const char *verdict, const char *reason,
                         int64_t reattest_seconds)
{
    struct verdict_notice notice = {.reattest_seconds = reattest_seconds, .level = "L1"};
    snprintf(notice.verdict, sizeof notice.verdict, "%s", verdict);
    snprintf(notice.reason, sizeof notice.reason, "%s", reason);
    answer(w, id, &verdict_notice_record, &notice);
}

static void appraise(struct world *w, const char *verdict, const char *reason)
{
    OWNED(evidence_done) struct evidence evidence = {0};
    challenge(w);
    give_verdict(w, take_evidence(w, &evidence), verdict, reason, 1000);
}

static void advance(struct world *w, int64_t seconds)
{
    clock_advance_ms(seconds * 1000);
    session_tick(w->session);
}

static void become_trusted(struct world *w)
{
    welcome(w, "unknown", 1);
    appraise(w, "trusted", "ok");
    assert_true(session_is_trusted(w->session));
    assert_silent(w);
}

/* ---- appraisal ------------------------------------------------------------------------------- */

static void the_first_hello_carries_the_ticket_and_later_ones_do_not(void **state)
{
    struct world *w = *state;
    struct error lost = {0};
    struct hello hello = {0};
    session_opened(w->session);
    uint64_t id = next_request(w, VERB_HELLO, &hello_record, &hello)->id;
    assert_string_equal(hello.ticket, "TICKET");
    assert_int_equal(hello.protocol, MESSAGE_PROTOCOL);
    assert_int_equal(hello.role, LINK_ROLE_AGENT);
    assert_true(uuid_equal(&hello.instance, &w->guest.instance));
    record_done(&hello_record, &hello);
    const struct hello_reply reply = {.epoch = 5, .heartbeat_seconds = 10};
    answer(w, id, &hello_reply_record, &reply);
    appraise(w, "trusted", "ok");
    session_closed(w->session, &lost);
    session_opened(w->session);
    next_request(w, VERB_HELLO, &hello_record, &hello);
    assert_string_equal(hello.ticket, "");
    assert_int_equal(hello.epoch, 5);
    record_done(&hello_record, &hello);
}

static void the_report_binds_nonce_both_keys_root_instance_and_rest(void **state)
{
    struct world *w = *state;
    OWNED(evidence_done) struct evidence evidence = {0};
    welcome(w, "unknown", 1);
    challenge(w);
    take_evidence(w, &evidence);
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
    struct world *w = *state;
    OWNED(evidence_done) struct evidence evidence = {0};
    w->certs_size = TEE_CERTS_MAX;
    welcome(w, "unknown", 1);
    challenge(w);
    uint64_t last = take_evidence(w, &evidence);
    assert_int_equal(evidence.cert_table.len, TEE_CERTS_MAX);
    give_verdict(w, last, "trusted", "ok", 1000);
    assert_true(session_is_trusted(w->session));
}

static void every_appraisal_has_its_own_sealing_key(void **state)
{
    struct world *w = *state;
    become_trusted(w);
    OWNED(key_drop) struct key *first = TAKE(w->sealing);
    advance(w, 1000);
    appraise(w, "trusted", "ok");
    assert_false(key_equal(first, w->sealing));
}

static void trust_is_renewed_before_it_ends_and_not_at_once(void **state)
{
    struct world *w = *state;
    become_trusted(w);
    for (int i = 0; i < 79; i++)
        advance(w, 10);
    assert_silent(w);
    for (int i = 0; i < 21; i++)
        advance(w, 10);
    take_begin(w);
}

static void a_verdict_that_ends_sooner_is_renewed_sooner(void **state)
{
    struct world *w = *state;
    OWNED(evidence_done) struct evidence evidence = {0};
    welcome(w, "unknown", 1);
    challenge(w);
    uint64_t id = take_evidence(w, &evidence);
    struct verdict_notice notice = {.verdict = "trusted",
                                    .reason = "ok",
                                    .reattest_seconds = 86400,
                                    .valid_until = moment_add_seconds(clock_now(), 100)};
    answer(w, id, &verdict_notice_record, &notice);
    advance(w, 100);
    take_begin(w);
}

static void a_reconnect_under_a_fresh_verdict_needs_no_new_one(void **state)
{
    struct world *w = *state;
    struct error lost = {0};
    become_trusted(w);
    session_closed(w->session, &lost);
    welcome(w, "trusted", 1);
    assert_silent(w);
    session_closed(w->session, &lost);
    welcome(w, "stale", 1);
    take_begin(w);
}

static void a_rejected_guest_waits_longer_each_time(void **state)
{
    struct world *w = *state;
    welcome(w, "unknown", 1);
    OWNED(evidence_done) struct evidence evidence = {0};
    challenge(w);
    give_verdict(w, take_evidence(w, &evidence), "rejected", "policy-measurement", 30);
    assert_false(session_is_trusted(w->session));
    advance(w, 29);
    assert_silent(w);
    for (int i = 0; i < 12; i++)
        advance(w, 5);
    take_begin(w);
}

static void challenge_again_is_no_rejection_but_not_without_end(void **state)
{
    struct world *w = *state;
    become_trusted(w);
    advance(w, 1000);
    for (int i = 0; i < 4; i++)
        appraise(w, "rejected", "challenge-again");
    assert_true(session_is_trusted(w->session));
    assert_silent(w);
    advance(w, 5);
    take_begin(w);
}

static void a_challenge_of_another_root_gets_no_evidence(void **state)
{
    struct world *w = *state;
    uint8_t other[SHA256_SIZE];
    random_fill(other, sizeof other);
    welcome(w, "unknown", 1);
    send_challenge(w, take_begin(w), other);
    assert_int_equal(w->reports, 0);
    assert_silent(w);
}

static void junk_for_a_challenge_or_a_verdict_only_costs_time(void **state)
{
    struct world *w = *state;
    OWNED(evidence_done) struct evidence evidence = {0};
    welcome(w, "unknown", 1);
    uint64_t id = take_begin(w);
    session_frame(w->session, FRAME_REPLY, id, span_of_text("{\"nonce\":\"00\"}"));
    session_tick(w->session);
    assert_silent(w);
    advance(w, 6);
    challenge(w);
    give_verdict(w, take_evidence(w, &evidence), "fine", "ok", 1000);
    assert_false(session_is_trusted(w->session));
    assert_silent(w);
}

static void silence_is_given_up_on_and_tried_again(void **state)
{
    struct world *w = *state;
    welcome(w, "unknown", 1);
    uint64_t late = take_begin(w);
    advance(w, 60);
    assert_silent(w);
    uint8_t root_key[SHA256_SIZE];
    cert_spki_sha256(w->root, root_key);
    send_challenge(w, late, root_key);
    assert_int_equal(w->reports, 0);
    advance(w, 6);
    challenge(w);
    assert_int_equal(w->reports, 1);
}

static void a_controller_without_a_keeper_is_asked_again_later(void **state)
{
    struct world *w = *state;
    welcome(w, "unknown", 1);
    answer_problem(w, take_begin(w), "no-keeper");
    assert_silent(w);
    advance(w, 6);
    take_begin(w);
}

static void lost_hardware_is_not_asked_again(void **state)
{
    struct world *w = *state;
    w->tee_fails = "vmpck-disabled";
    welcome(w, "unknown", 1);
    challenge(w);
    for (int i = 0; i < 50; i++)
        advance(w, 60);
    assert_silent(w);
    assert_int_equal(w->reports, 1);
}

static void a_lost_connection_begins_anew_on_the_next(void **state)
{
    struct world *w = *state;
    struct error lost = {0};
    welcome(w, "unknown", 1);
    challenge(w);
    w->seen = w->sent_count;
    session_closed(w->session, &lost);
    welcome(w, "unknown", 1);
    appraise(w, "trusted", "ok");
    assert_true(session_is_trusted(w->session));
}

static void a_controllers_wish_starts_an_appraisal_at_once(void **state)
{
    struct world *w = *state;
    become_trusted(w);
    session_frame(w->session, FRAME_NOTE, 0,
                  span_of_text("{\"do\":\"attest\",\"why\":\"policy-changed\"}"));
    session_tick(w->session);
    take_begin(w);
}

/* ---- the session itself ---------------------------------------------------------------------- */

static void heartbeats_come_at_the_pace_the_controller_set(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    w->hears_heartbeats = true;
    become_trusted(w);
    for (int64_t seq = 1; seq <= 3; seq++) {
        struct heartbeat heartbeat = {0};
        OWNED(json_drop) json_t *message = NULL;
        enum verb verb;
        advance(w, 9);
        assert_silent(w);
        advance(w, 1);
        const struct frame *frame = next(w);
        assert_int_equal(frame->type, FRAME_NOTE);
        assert_ok(message_parse(bytes_span(&frame->body), &verb, &message, &err));
        assert_int_equal(verb, VERB_HEARTBEAT);
        assert_ok(record_from_json(&heartbeat_record, message, "", &heartbeat, &err));
        assert_int_equal(heartbeat.seq, seq);
        assert_silent(w);
    }
}

static void a_controller_of_an_older_epoch_is_left(void **state)
{
    struct world *w = *state;
    struct error lost = {0};
    welcome(w, "trusted", 9);
    w->seen = w->sent_count;
    session_closed(w->session, &lost);
    welcome(w, "trusted", 8);
    assert_string_equal(w->hung_up, "old-epoch");
    session_closed(w->session, &lost);
    welcome(w, "trusted", 2000);
    assert_string_equal(w->hung_up, "epoch-too-far");
    session_closed(w->session, &lost);
    w->hung_up[0] = '\0';
    welcome(w, "trusted", 10);
    assert_string_equal(w->hung_up, "");
}

static void a_refused_hello_ends_the_connection(void **state)
{
    struct world *w = *state;
    struct hello hello = {0};
    session_opened(w->session);
    uint64_t id = next_request(w, VERB_HELLO, &hello_record, &hello)->id;
    record_done(&hello_record, &hello);
    answer_problem(w, id, "ticket-spent");
    assert_string_equal(w->hung_up, "ticket-spent");
    assert_silent(w);
}

static void unknown_frames_end_the_connection_and_unknown_verbs_are_refused(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    become_trusted(w);
    static const char *const bodies[] = {
        "",    "{}", "[]", "{\"do\":\"reboot\"}", "{\"do\":\"appraise\"}", "{\"do\":\"secret\"}",
        "\xff"};
    for (size_t i = 0; i < countof(bodies); i++) {
        session_frame(w->session, FRAME_REQUEST, 100 + i, span_of_text(bodies[i]));
        const struct frame *frame = next(w);
        assert_int_equal(frame->type, FRAME_PROBLEM);
        assert_int_equal(frame->id, 100 + i);
        assert_int_equal(message_parse_problem(bytes_span(&frame->body), &err), ERR_INVALID);
    }
    session_frame(w->session, FRAME_NOTE, 0, span_of_text("{\"do\":\"secret\"}"));
    session_frame(w->session, FRAME_NOTE, 0, span_of_text("junk"));
    assert_silent(w);
    session_frame(w->session, 9, 0, span_of_text("{}"));
    assert_string_equal(w->hung_up, "unknown-frame");
}

/* ---- secrets --------------------------------------------------------------------------------- */

static void send_secret(struct world *w, uint64_t id, int64_t sequence)
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
    struct world *w = *state;
    struct error err = {0};
    become_trusted(w);
    send_secret(w, 77, 1);
    for (int i = 0; i < 2; i++) {
        struct secret_loaded loaded = {0};
        const struct frame *frame = next(w);
        assert_int_equal(frame->type, FRAME_REPLY);
        assert_int_equal(frame->id, 77);
        assert_ok(
            message_parse_reply(bytes_span(&frame->body), &secret_loaded_record, &loaded, &err));
        assert_true(loaded.loaded);
    }
    assert_silent(w);
}

static void nothing_is_opened_before_hello_and_nothing_after_a_rejection(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    become_trusted(w);
    advance(w, 1000);
    OWNED(key_drop) struct key *old = key_share(w->sealing);
    appraise(w, "rejected", "policy-tcb");
    key_drop(&w->sealing);
    w->sealing = TAKE(old);
    send_secret(w, 78, 1);
    const struct frame *frame = next(w);
    assert_int_equal(frame->type, FRAME_PROBLEM);
    assert_int_equal(message_parse_problem(bytes_span(&frame->body), &err), ERR_DENIED);
    assert_string_equal(err.code, "envelope-not-ours");
    assert_int_equal(next(w)->type, FRAME_PROBLEM);
    session_closed(w->session, &err);
    session_opened(w->session);
    w->seen = w->sent_count;
    send_secret(w, 79, 2);
    assert_int_equal(message_parse_problem(bytes_span(&next(w)->body), &err), ERR_CONFLICT);
    assert_string_equal(err.code, "not-welcome");
}

static void while_a_new_appraisal_runs_the_old_key_still_opens(void **state)
{
    struct world *w = *state;
    become_trusted(w);
    OWNED(key_drop) struct key *old = key_share(w->sealing);
    advance(w, 1000);
    challenge(w);
    w->seen = w->sent_count;
    key_drop(&w->sealing);
    w->sealing = TAKE(old);
    send_secret(w, 80, 1);
    assert_int_equal(next(w)->type, FRAME_REPLY);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
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
        T(lost_hardware_is_not_asked_again),
        T(a_lost_connection_begins_anew_on_the_next),
        T(a_controllers_wish_starts_an_appraisal_at_once),
        T(heartbeats_come_at_the_pace_the_controller_set),
        T(a_controller_of_an_older_epoch_is_left),
        T(a_refused_hello_ends_the_connection),
        T(unknown_frames_end_the_connection_and_unknown_verbs_are_refused),
        T(a_secret_is_loaded_once_and_a_repeated_request_answered_from_memory),
        T(nothing_is_opened_before_hello_and_nothing_after_a_rejection),
        T(while_a_new_appraisal_runs_the_old_key_still_opens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
