/* The agent's session and the keeper's desk, the real ones, with the test carrying what they say
 * and nothing else: evidence to verdict to sealed secret, and what an attacker in between gets. */
#include <stdlib.h>
#include <string.h>

#include "lib/crypto/random.h"
#include "tests/support/carried_guest.h"
#include "tests/support/test.h"

/* The hardware is the deployment's own processor. */
static enum outcome prove(void *self, const struct evidence_binding *asked, struct evidence *out,
                          struct error *err)
{
    struct carried *w = self;
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

static int set_up(void **state)
{
    void *d = NULL;
    assert_int_equal(deployment_open(&d), 0);
    struct carried *w = NEW(struct carried);
    carried_open(w, d, guest_make(PSP_FIRMWARE_ONLY, 9), tee_new(&driver, w));
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct carried *w = *state;
    void *d = w->d;
    carried_done(w);
    free(w);
    return deployment_close(&d);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void evidence_becomes_a_verdict_and_a_verdict_a_secret(void **state)
{
    struct carried *w = *state;
    struct error err = {0};
    carried_welcome(w);
    struct verdict_notice notice = carried_appraise(w);
    assert_string_equal(notice.verdict, "trusted");
    assert_string_equal(notice.level, "L1");
    assert_true(session_is_trusted(w->session));

    struct stored stored = {0};
    struct release_reply sealed = {0};
    struct secret_loaded loaded = {0};
    assert_ok(stored_make(w->d, "for-all", NULL, &stored, &err));
    struct release_wish wish = release_wish_of(&w->g, &stored);
    assert_ok(release_ask(w->d, &wish, &sealed, &err));
    carried_release(w, &wish, &sealed);
    assert_int_equal(w->type, FRAME_REPLY);
    assert_ok(message_parse_reply(bytes_span(&w->body), &secret_loaded_record, &loaded, &err));
    assert_true(loaded.loaded);
    assert_memory_equal(loaded.check, stored.reply.check, SHA256_SIZE);
    record_done(&release_reply_record, &sealed);
    stored_done(&stored);
}

static void a_tampered_machine_is_refused_and_gets_nothing(void **state)
{
    struct carried *w = *state;
    struct error err = {0};
    w->g.wish.tamper = PSP_ALTER_MEASUREMENT;
    carried_welcome(w);
    struct verdict_notice notice = carried_appraise(w);
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
    struct carried *w = *state;
    struct error err = {0};
    carried_welcome(w);
    carried_appraise(w);
    struct stored stored = {0};
    struct release_reply sealed = {0};
    assert_ok(stored_make(w->d, "for-all", NULL, &stored, &err));
    struct release_wish wish = release_wish_of(&w->g, &stored);
    assert_ok(release_ask(w->d, &wish, &sealed, &err));
    carried_advance(w, 1000);
    carried_appraise(w);
    carried_release(w, &wish, &sealed);
    assert_int_equal(w->type, FRAME_PROBLEM);
    assert_int_equal(message_parse_problem(bytes_span(&w->body), &err), ERR_DENIED);
    assert_string_equal(err.code, "envelope-not-ours");
    record_done(&release_reply_record, &sealed);
    stored_done(&stored);
}

static void a_delivery_replayed_or_held_back_is_refused(void **state)
{
    struct carried *w = *state;
    struct error err = {0};
    struct stored old = {0};
    struct release_reply sealed[2] = {0};
    struct release_wish wishes[2];
    carried_welcome(w);
    carried_appraise(w);
    assert_ok(stored_make(w->d, "for-all", NULL, &old, &err));
    for (size_t i = 0; i < 2; i++) {
        wishes[i] = release_wish_of(&w->g, &old);
        assert_ok(release_ask(w->d, &wishes[i], &sealed[i], &err));
    }
    carried_release(w, &wishes[1], &sealed[1]);
    assert_int_equal(w->type, FRAME_REPLY);
    carried_release(w, &wishes[0], &sealed[0]);
    assert_int_equal(w->type, FRAME_PROBLEM);
    assert_int_equal(message_parse_problem(bytes_span(&w->body), &err), ERR_DENIED);
    assert_string_equal(err.code, "old-sequence");
    for (size_t i = 0; i < 2; i++)
        record_done(&release_reply_record, &sealed[i]);
    stored_done(&old);
}

static void evidence_under_another_nonce_or_for_another_instance_is_no_pass(void **state)
{
    struct carried *w = *state;
    struct error err = {0};
    struct challenge challenge = {0};
    OWNED(bytes_done) struct bytes evidence = {0};
    carried_welcome(w);
    carried_challenge(w);
    carried_evidence(w, challenge.nonce, &evidence);
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
