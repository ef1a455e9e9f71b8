/* The agent's session and the keeper's desk, the real ones, with the test carrying what they say
 * and nothing else: evidence to verdict to sealed secret, and what an attacker in between gets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/session.h"
#include "lib/base/file.h"
#include "lib/crypto/random.h"
#include "tests/support/deployment.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

/* The guest's last frame, and what became of it. */
struct world {
    struct deployment *d;
    struct guest g;
    struct tee *tee;
    struct appraisal_guest about;
    struct secrets *secrets;
    struct session *session;
    uint8_t type;
    uint64_t id;
    struct bytes body;
    char *folder;
};

static enum outcome prove(void *self, const struct evidence_binding *asked, struct evidence *out,
                          struct error *err)
{
    struct world *w = self;
    memcpy(w->g.wish.report_data, asked->digest, BINDING_SIZE);
    return psp_report(w->d->psp, &w->g.wish, &out->report, &out->cert_table, err);
}

static void close_nothing(void *self)
{
    (void)self;
}

static const struct tee_driver driver = {
    .name = "psp",
    .kind = EVIDENCE_SIMULATED,
    .close = close_nothing,
    .report_size = TEE_REPORT_SIZE,
    .prove = prove,
};

static enum outcome hear(void *context, uint8_t type, uint64_t id, struct span body,
                         struct error *err)
{
    struct world *w = context;
    (void)err;
    if (type == FRAME_NOTE)
        return OK;
    w->type = type;
    w->id = id;
    bytes_done(&w->body);
    bytes_add(&w->body, body);
    return OK;
}

static void hang_up(void *context, const char *why)
{
    (void)context;
    fail_msg("hung up: %s", why);
}

static void open_guest(struct world *w, enum psp_flavour flavour)
{
    struct error err = {0};
    w->g = guest_make(flavour, 9);
    w->tee = tee_new(&driver, w);
    w->about = (struct appraisal_guest){
        .instance = w->g.instance,
        .link_key = w->g.link_key,
        .roots = &w->d->root,
        .root_count = 1,
        .tee = w->tee,
        .boot = 3,
        .retry_first_seconds = 5,
        .retry_most_seconds = 60,
    };
    w->folder = scratch_path(w->d->folder, "guest-secrets");
    const struct secrets_places places = {.folder = w->folder,
                                          .allow_non_tmpfs = true,
                                          .hooks_dir = w->d->folder,
                                          .hook_seconds = 10};
    const struct secrets_guest holder = {
        .instance = w->g.instance, .roots = &w->d->root, .root_count = 1};
    assert_ok(secrets_open(&places, &holder, &w->secrets, &err));
    const struct session_plan plan = {
        .guest = &w->about, .ticket = "", .secrets = w->secrets, .answer_seconds = 60};
    const struct session_wire wire = {w, hear, hang_up};
    w->session = session_new(&plan, &wire);
}

static int set_up(void **state)
{
    void *d = NULL;
    assert_int_equal(deployment_open(&d), 0);
    struct world *w = NEW(struct world);
    w->d = d;
    open_guest(w, PSP_FIRMWARE_ONLY);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    session_free(w->session);
    secrets_close(w->secrets);
    tee_close(w->tee);
    guest_done(&w->g);
    bytes_done(&w->body);
    free(w->folder);
    void *d = w->d;
    free(w);
    return deployment_close(&d);
}

/* ---- carrying -------------------------------------------------------------------------------- */

static void take(struct world *w, enum verb verb, const struct record *record, void *out)
{
    struct error err = {0};
    OWNED(json_drop) json_t *message = NULL;
    enum verb said;
    assert_int_equal(w->type, FRAME_REQUEST);
    assert_ok(message_parse(bytes_span(&w->body), &said, &message, &err));
    assert_int_equal(said, verb);
    assert_ok(record_from_json(record, message, "", out, &err));
}

static void give(struct world *w, const struct record *record, const void *object)
{
    OWNED(bytes_done) struct bytes body = {0};
    message_print_reply(record, object, &body);
    w->type = 0;
    session_frame(w->session, FRAME_REPLY, w->id, bytes_span(&body));
    session_tick(w->session);
}

static void welcome(struct world *w)
{
    struct hello hello = {0};
    session_opened(w->session);
    take(w, VERB_HELLO, &hello_record, &hello);
    record_done(&hello_record, &hello);
    const struct hello_reply reply = {.trust = "unknown", .epoch = 1, .heartbeat_seconds = 10};
    give(w, &hello_reply_record, &reply);
}

static void carry_challenge(struct world *w)
{
    struct error err = {0};
    struct attest_begin begin = {0};
    struct challenge challenge = {0};
    take(w, VERB_ATTEST_BEGIN, &attest_begin_record, &begin);
    struct challenge_wish wish = {.kind = begin.kind, .instance = w->g.instance};
    guest_link_fingerprint(&w->g, wish.link_key);
    wish.sealing_key = begin.sealing_key;
    assert_ok(deployment_ask(w->d, VERB_CHALLENGE, &challenge_wish_record, &wish, &challenge_record,
                             &challenge, &err));
    record_done(&attest_begin_record, &begin);
    give(w, &challenge_record, &challenge);
}

static void take_parts(struct world *w, uint8_t nonce[static NONCE_SIZE], struct bytes *out)
{
    for (;;) {
        struct evidence_part part = {0};
        take(w, VERB_EVIDENCE, &evidence_part_record, &part);
        memcpy(nonce, part.nonce, NONCE_SIZE);
        bytes_add(out, bytes_span(&part.data));
        bool last = part.part + 1 == part.parts;
        record_done(&evidence_part_record, &part);
        if (last)
            return;
        give(w, NULL, NULL);
    }
}

static void copy_claim(const struct world *w, const char *name, char *out, size_t size)
{
    const char *word = json_string_value(json_object_get(w->g.verdict.claims, name));
    assert_non_null(word);
    snprintf(out, size, "%s", word);
}

/* Both ways, as an honest controller would; gives the verdict's reason. */
static struct verdict_notice carry_appraisal(struct world *w)
{
    struct error err = {0};
    struct challenge challenge = {0};
    OWNED(bytes_done) struct bytes evidence = {0};
    struct verdict_notice notice = {.reattest_seconds = 1000};
    carry_challenge(w);
    take_parts(w, challenge.nonce, &evidence);
    assert_ok(guest_appraise(w->d, &w->g, &challenge, &evidence, &err));
    copy_claim(w, "verdict", notice.verdict, sizeof notice.verdict);
    copy_claim(w, "reason", notice.reason, sizeof notice.reason);
    copy_claim(w, "level", notice.level, sizeof notice.level);
    notice.valid_until = w->g.verdict.expires;
    give(w, &verdict_notice_record, &notice);
    return notice;
}

static void send_release(struct world *w, const struct release_wish *wish,
                         const struct release_reply *sealed)
{
    struct secret_delivery delivery = {.delivery = wish->delivery, .envelope = sealed->envelope};
    OWNED(bytes_done) struct bytes body = {0};
    uint64_t id;
    snprintf(delivery.secret, sizeof delivery.secret, "%s", wish->name);
    message_print(VERB_SECRET, &secret_delivery_record, &delivery, &body);
    random_fill(&id, sizeof id);
    w->type = 0;
    session_frame(w->session, FRAME_REQUEST, id, bytes_span(&body));
    session_tick(w->session);
    assert_int_equal(w->id, id);
}

static void advance(struct world *w, int64_t seconds)
{
    clock_advance_ms(seconds * 1000);
    session_tick(w->session);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void evidence_becomes_a_verdict_and_a_verdict_a_secret(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    welcome(w);
    struct verdict_notice notice = carry_appraisal(w);
    assert_string_equal(notice.verdict, "trusted");
    assert_string_equal(notice.level, "L1");
    assert_true(session_is_trusted(w->session));

    struct stored stored = {0};
    struct release_reply sealed = {0};
    struct secret_loaded loaded = {0};
    assert_ok(stored_make(w->d, "for-all", NULL, &stored, &err));
    struct release_wish wish = release_wish_of(&w->g, &stored);
    assert_ok(release_ask(w->d, &wish, &sealed, &err));
    send_release(w, &wish, &sealed);
    assert_int_equal(w->type, FRAME_REPLY);
    assert_ok(message_parse_reply(bytes_span(&w->body), &secret_loaded_record, &loaded, &err));
    assert_true(loaded.loaded);
    assert_memory_equal(loaded.check, stored.reply.check, SHA256_SIZE);
    record_done(&release_reply_record, &sealed);
    stored_done(&stored);
}

static void a_tampered_machine_is_refused_and_gets_nothing(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    w->g.wish.tamper = PSP_ALTER_MEASUREMENT;
    welcome(w);
    struct verdict_notice notice = carry_appraisal(w);
    assert_string_equal(notice.verdict, "rejected");
    assert_string_equal(notice.reason, "bad-signature");
    assert_false(session_is_trusted(w->session));
    struct stored stored = {0};
    struct release_reply sealed = {0};
    assert_ok(stored_make(w->d, "for-all", NULL, &stored, &err));
    struct release_wish wish = release_wish_of(&w->g, &stored);
    assert_int_equal(release_ask(w->d, &wish, &sealed, &err), ERR_DENIED);
    stored_done(&stored);
}

static void an_envelope_of_an_earlier_appraisal_no_longer_opens(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    welcome(w);
    carry_appraisal(w);
    struct stored stored = {0};
    struct release_reply sealed = {0};
    assert_ok(stored_make(w->d, "for-all", NULL, &stored, &err));
    struct release_wish wish = release_wish_of(&w->g, &stored);
    assert_ok(release_ask(w->d, &wish, &sealed, &err));
    advance(w, 1000);
    carry_appraisal(w);
    send_release(w, &wish, &sealed);
    assert_int_equal(w->type, FRAME_PROBLEM);
    assert_int_equal(message_parse_problem(bytes_span(&w->body), &err), ERR_DENIED);
    assert_string_equal(err.code, "envelope-not-ours");
    record_done(&release_reply_record, &sealed);
    stored_done(&stored);
}

static void a_delivery_replayed_or_held_back_is_refused(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct stored old = {0};
    struct release_reply sealed[2] = {0};
    struct release_wish wishes[2];
    welcome(w);
    carry_appraisal(w);
    assert_ok(stored_make(w->d, "for-all", NULL, &old, &err));
    for (size_t i = 0; i < 2; i++) {
        wishes[i] = release_wish_of(&w->g, &old);
        assert_ok(release_ask(w->d, &wishes[i], &sealed[i], &err));
    }
    send_release(w, &wishes[1], &sealed[1]);
    assert_int_equal(w->type, FRAME_REPLY);
    send_release(w, &wishes[0], &sealed[0]);
    assert_int_equal(w->type, FRAME_PROBLEM);
    assert_int_equal(message_parse_problem(bytes_span(&w->body), &err), ERR_DENIED);
    assert_string_equal(err.code, "old-sequence");
    for (size_t i = 0; i < 2; i++)
        record_done(&release_reply_record, &sealed[i]);
    stored_done(&old);
}

static void evidence_under_another_nonce_or_for_another_instance_is_no_pass(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct challenge challenge = {0};
    OWNED(bytes_done) struct bytes evidence = {0};
    welcome(w);
    carry_challenge(w);
    take_parts(w, challenge.nonce, &evidence);
    struct uuid own = w->g.instance;
    w->g.instance = uuid_new();
    enum outcome outcome = guest_appraise(w->d, &w->g, &challenge, &evidence, &err);
    w->g.instance = own;
    if (outcome == OK)
        assert_string_not_equal(json_string_value(json_object_get(w->g.verdict.claims, "verdict")),
                                "trusted");
    random_fill(challenge.nonce, sizeof challenge.nonce);
    assert_true(guest_appraise(w->d, &w->g, &challenge, &evidence, &err) != OK);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(evidence_becomes_a_verdict_and_a_verdict_a_secret),
        T(a_tampered_machine_is_refused_and_gets_nothing),
        T(an_envelope_of_an_earlier_appraisal_no_longer_opens),
        T(a_delivery_replayed_or_held_back_is_refused),
        T(evidence_under_another_nonce_or_for_another_instance_is_no_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
