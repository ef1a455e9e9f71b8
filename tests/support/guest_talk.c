#include "tests/support/guest_talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/crypto/random.h"
#include "tests/support/test.h"

/* ---- the hardware and the wire --------------------------------------------------------------- */

static enum outcome fake_prove(void *self, const struct evidence_binding *asked,
                               struct evidence *out, struct error *err)
{
    struct talk *w = self;
    w->reports++;
    if (w->tee_fails != NULL)
        return fail_code(err, ERR_DENIED, w->tee_fails, "as the test wants");
    memcpy(w->report_data, asked->digest, BINDING_SIZE);
    bytes_add_room(&out->report, TEE_REPORT_SIZE);
    memcpy(out->report.at + 0x50, asked->digest, BINDING_SIZE);
    bytes_add_room(&out->cert_table, w->certs_size);
    return OK;
}

static void fake_close(void *self)
{
    (void)self;
}

static const struct tee_driver fake_tee = {
    .name = "fake",
    .kind = EVIDENCE_SIMULATED,
    .close = fake_close,
    .report_size = TEE_REPORT_SIZE,
    .prove = fake_prove,
};

static enum outcome wire_send(void *context, uint8_t type, uint64_t id, struct span body,
                              struct error *err)
{
    struct talk *w = context;
    if (type == FRAME_NOTE && !w->hears_heartbeats)
        return OK;
    if (w->sent_count == TALK_FRAMES_MAX)
        return fail_code(err, ERR_THROTTLED, "not-reading", "the test did not look");
    w->sent[w->sent_count++] = (struct talk_frame){type, id, bytes_copy(body)};
    return OK;
}

static void wire_hang_up(void *context, const char *why)
{
    struct talk *w = context;
    snprintf(w->hung_up, sizeof w->hung_up, "%s", why);
}

static void wire_passport(void *context, uint64_t ticket, const struct passport_result *result)
{
    struct talk *w = context;
    OWNED(text_done) struct text token = {0};
    w->passports++;
    w->passport_ticket = ticket;
    w->passport_outcome = result->outcome;
    w->passport_why = result->why;
    mem_drop(&w->passport);
    mem_drop(&w->passport_proof);
    if (result->outcome != OK)
        return;
    text_addf(&token, "%.*s", (int)result->token.len, (const char *)result->token.at);
    w->passport = text_take(&token);
    if (result->proof != NULL)
        w->passport_proof = mem_text(result->proof);
}

int talk_open(void **state)
{
    struct error err = {0};
    struct talk *w = NEW(struct talk);
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
    const struct session_wire wire = {w, wire_send, wire_hang_up, wire_passport};
    w->session = session_new(&plan, &wire);
    *state = w;
    return 0;
}

int talk_close(void **state)
{
    struct talk *w = *state;
    clock_thaw();
    session_free(w->session);
    mem_drop(&w->passport);
    mem_drop(&w->passport_proof);
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

const struct talk_frame *talk_next(struct talk *w)
{
    if (w->seen == w->sent_count)
        fail_msg("the guest says nothing more");
    return &w->sent[w->seen++];
}

void talk_assert_silent(struct talk *w)
{
    if (w->seen != w->sent_count)
        fail_msg("the guest says %.*s", (int)w->sent[w->seen].body.len,
                 (const char *)w->sent[w->seen].body.at);
}

const struct talk_frame *talk_next_request(struct talk *w, enum verb verb,
                                           const struct record *record, void *out)
{
    struct error err = {0};
    const struct talk_frame *frame = talk_next(w);
    OWNED(json_drop) json_t *message = NULL;
    enum verb said;
    assert_int_equal(frame->type, FRAME_REQUEST);
    assert_ok(message_parse(bytes_span(&frame->body), &said, &message, &err));
    assert_int_equal(said, verb);
    assert_ok(record_from_json(record, message, "", out, &err));
    return frame;
}

void talk_answer(struct talk *w, uint64_t id, const struct record *record, const void *object)
{
    OWNED(bytes_done) struct bytes body = {0};
    message_print_reply(record, object, &body);
    session_frame(w->session, FRAME_REPLY, id, bytes_span(&body));
    session_tick(w->session);
}

void talk_answer_problem(struct talk *w, uint64_t id, const char *code)
{
    struct error problem = {0};
    OWNED(bytes_done) struct bytes body = {0};
    error_ignore(fail_code(&problem, ERR_UNREACHABLE, code, "not now"));
    message_print_problem(&problem, &body);
    session_frame(w->session, FRAME_PROBLEM, id, bytes_span(&body));
    session_tick(w->session);
}

void talk_put_off(struct talk *w, uint64_t id, int64_t after_ms)
{
    OWNED(bytes_done) struct bytes body = {0};
    message_print_slot(after_ms, &body);
    session_frame(w->session, FRAME_PROBLEM, id, bytes_span(&body));
    session_tick(w->session);
}

void talk_welcome(struct talk *w, const char *trust, int64_t epoch)
{
    struct hello hello = {0};
    session_opened(w->session);
    uint64_t id = talk_next_request(w, VERB_HELLO, &hello_record, &hello)->id;
    record_done(&hello_record, &hello);
    struct hello_reply reply = {.epoch = epoch, .heartbeat_seconds = 10};
    snprintf(reply.trust, sizeof reply.trust, "%s", trust);
    talk_answer(w, id, &hello_reply_record, &reply);
}

uint64_t talk_take_begin(struct talk *w)
{
    struct error err = {0};
    struct attest_begin begin = {0};
    uint64_t id = talk_next_request(w, VERB_ATTEST_BEGIN, &attest_begin_record, &begin)->id;
    key_drop(&w->sealing);
    assert_int_equal(begin.kind, EVIDENCE_SIMULATED);
    assert_ok(key_from_spki(bytes_span(&begin.sealing_key), &w->sealing, &err));
    record_done(&attest_begin_record, &begin);
    return id;
}

void talk_send_challenge(struct talk *w, uint64_t id, const uint8_t root_key[SHA256_SIZE])
{
    struct challenge challenge = {.expires_seconds = 180};
    random_fill(w->nonce, sizeof w->nonce);
    memcpy(challenge.nonce, w->nonce, NONCE_SIZE);
    memcpy(challenge.root_key, root_key, SHA256_SIZE);
    talk_answer(w, id, &challenge_record, &challenge);
}

void talk_challenge(struct talk *w)
{
    uint8_t root_key[SHA256_SIZE];
    cert_spki_sha256(w->root, root_key);
    talk_send_challenge(w, talk_take_begin(w), root_key);
}

uint64_t talk_take_evidence(struct talk *w, struct evidence *out)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes whole = {0};
    uint64_t id;
    for (int64_t expected = 0, parts = 1;; expected++) {
        struct evidence_part part = {0};
        id = talk_next_request(w, VERB_EVIDENCE, &evidence_part_record, &part)->id;
        assert_memory_equal(part.nonce, w->nonce, NONCE_SIZE);
        assert_int_equal(part.part, expected);
        assert_true(part.data.len <= EVIDENCE_PART_BYTES);
        parts = part.parts;
        bytes_add(&whole, bytes_span(&part.data));
        record_done(&evidence_part_record, &part);
        if (expected + 1 == parts)
            break;
        talk_assert_silent(w);
        talk_answer(w, id, NULL, NULL);
    }
    assert_ok(evidence_parse(bytes_span(&whole), out, &err));
    return id;
}

void talk_give_verdict(struct talk *w, uint64_t id, const char *verdict, const char *reason,
                       int64_t reattest_seconds)
{
    struct verdict_notice notice = {.reattest_seconds = reattest_seconds, .level = "L1"};
    snprintf(notice.verdict, sizeof notice.verdict, "%s", verdict);
    snprintf(notice.reason, sizeof notice.reason, "%s", reason);
    talk_answer(w, id, &verdict_notice_record, &notice);
}

void talk_appraise(struct talk *w, const char *verdict, const char *reason)
{
    OWNED(evidence_done) struct evidence evidence = {0};
    talk_challenge(w);
    talk_give_verdict(w, talk_take_evidence(w, &evidence), verdict, reason, 1000);
}

void talk_advance(struct talk *w, int64_t seconds)
{
    clock_advance_ms(seconds * 1000);
    session_tick(w->session);
}

void talk_become_trusted(struct talk *w)
{
    talk_welcome(w, "unknown", 1);
    talk_appraise(w, "trusted", "ok");
    assert_true(session_is_trusted(w->session));
    talk_assert_silent(w);
}
