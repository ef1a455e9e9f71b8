/* GET /v1/verdicts/{id}/bundle: who gets one, when there is none yet, and that what was written
 * down of a real appraisal is genuine to a third party. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/audit_store.h"
#include "db/charter_store.h"
#include "db/verdict_store.h"
#include "lib/crypto/random.h"
#include "tests/support/ask.h"
#include "tests/support/bundled.h"
#include "tests/support/simulator.h"
#include "tests/support/test.h"

static struct bundled b;

/* As the controller writes down what the keeper answered. */
static struct verdict_row row_of(const struct instance *instance, struct guest *g, struct span list)
{
    struct verdict_row row = {
        .instance = instance->id,
        .project = "default",
        .kind = "simulated",
        .level = LEVEL_1,
        .hardware = SOURCE_HARDWARE,
        .simulated = true,
        .policy = "direct",
        .charter_serial = json_integer_value(json_object_get(g->verdict.claims, "charter_serial")),
        .keeper = "0102030405060708",
        .nonce_issued = g->verdict.issued,
        .valid_until = moment_add_seconds(clock_now(), 600)};
    strcpy(row.verdict, json_string_value(json_object_get(g->verdict.claims, "verdict")));
    strcpy(row.reason, json_string_value(json_object_get(g->verdict.claims, "reason")));
    row.id = (struct uuid){0};
    struct error err = {0};
    assert_ok(json_get_uuid(g->verdict.claims, "", "id", &row.id, &err));
    row.claims = json_deep_copy(g->verdict.claims);
    row.checks = json_deep_copy(g->verdict.checks);
    row.token = mem_text(g->token);
    guest_link_fingerprint(g, row.link_key);
    memset(row.sealing_key, 2, sizeof row.sealing_key);
    if (g->verdict.testimony != NULL) {
        row.testimony = mem_text(g->verdict.testimony);
        row.testimony_cert = bytes_copy(bytes_span(&g->verdict.testimony_cert));
    }
    row.crl = list;
    return row;
}

static struct uuid appraised(struct guest *g, struct span list)
{
    struct error err = {0};
    struct challenge c;
    const struct instance instance = ask_instance("bundles");
    OWNED(bytes_done) struct bytes evidence = {0};
    g->instance = instance.id;
    assert_ok(guest_challenge(b.d, g, &c, &err));
    guest_evidence(b.d, g, &c, &evidence);
    struct appraise_wish wish = {.instance = g->instance,
                                 .evidence = evidence,
                                 .crl = {.at = (uint8_t *)(uintptr_t)list.at, .len = list.len},
                                 .policy = "direct"};
    memcpy(wish.nonce, c.nonce, sizeof wish.nonce);
    assert_ok(deployment_ask(b.d, VERB_APPRAISE, &appraise_wish_record, &wish,
                             &appraise_reply_record, &g->verdict, &err));
    g->token = mem_text(g->verdict.token);
    OWNED(verdict_row_done) struct verdict_row row = row_of(&instance, g, list);
    assert_ok(
        verdict_store_record(ask_db, &row, bytes_span(&evidence), "controller:test", NULL, &err));
    return row.id;
}

static void keep_charter(void)
{
    struct error err = {0};
    OWNED(charter_row_done)
    struct charter_row row = {
        .id = uuid_new(),
        .project = "default",
        .serial = json_integer_value(json_object_get(b.d->charter, "serial")),
        .realm = REALM_SIMULATION,
        .issued = clock_now(),
        .expires = moment_add_seconds(clock_now(), 86400),
        .jws = mem_text(b.charter),
    };
    assert_ok(charter_store_add(ask_db, &row, "test", &err));
}

static void seal_trail(void)
{
    struct error err = {0};
    for (int64_t sealed = 1; sealed > 0;)
        assert_ok(audit_store_seal(ask_db, &sealed, &err));
}

static struct told get(enum caller_role role, const struct uuid *verdict)
{
    char target[128];
    snprintf(target, sizeof target, "/v1/verdicts/%s/bundle", uuid_text(verdict).at);
    return ask_as(role, "GET", target, NULL);
}

static void a_bundle_waits_for_charter_and_chain_and_is_genuine_then(void **state)
{
    (void)state;
    struct error err = {0};
    const struct moment from = clock_at_seconds(SIMULATOR_TODAY);
    OWNED(bytes_done) struct bytes list = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 9);
    assert_ok(
        psp_crl(b.d->psp, LINE_MILAN, false, from, moment_add_seconds(from, 86400), &list, &err));
    const struct uuid id = appraised(&g, bytes_span(&list));
    OWNED(told_done) struct told early = get(CALLER_AUDITOR, &id);
    assert_problem(early, 409, "charter-not-kept");
    keep_charter();
    OWNED(told_done) struct told unsealed = get(CALLER_AUDITOR, &id);
    assert_problem(unsealed, 409, "audit-unsealed");
    seal_trail();
    OWNED(told_done) struct told told = get(CALLER_AUDITOR, &id);
    assert_told(told, 200);
    assert_string_equal(told.reply.content_type, "application/octet-stream");
    OWNED(bundle_answer_done)
    struct bundle_answer answer = bundled_judge(&b, bytes_span(&told.reply.body));
    assert_string_equal(answer.reason, "ok");
    assert_memory_equal(&answer.testimony.verdict_id, &id, sizeof id);
    assert_false(span_is_zero(SPAN_OF(answer.testimony.crl_digest)));
}

static void only_who_may_audit_gets_one(void **state)
{
    (void)state;
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 9);
    const struct uuid id = appraised(&g, (struct span){0});
    static const enum caller_role others[] = {CALLER_VIEWER, CALLER_OPERATOR, CALLER_APPROVER};
    for (size_t i = 0; i < countof(others); i++) {
        OWNED(told_done) struct told told = get(others[i], &id);
        assert_problem(told, 403, "role-missing");
    }
    const struct uuid nobodys = uuid_new();
    OWNED(told_done) struct told none = get(CALLER_AUDITOR, &nobodys);
    assert_problem(none, 404, "not-found");
}

static void a_verdict_without_testimony_has_none(void **state)
{
    (void)state;
    const struct instance instance = ask_instance("bundles");
    const struct uuid id = ask_verdict(&instance);
    OWNED(told_done) struct told told = get(CALLER_AUDITOR, &id);
    assert_problem(told, 409, "no-testimony");
}

/* Not even with the id: what others stand on is their own business. */
static void another_projects_verdict_is_not_there(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 9);
    const struct uuid id = appraised(&g, (struct span){0});
    OWNED(text_done) struct text script = {0};
    text_addf(&script,
              "INSERT INTO projects (name) VALUES ('other') ON CONFLICT DO NOTHING;"
              "UPDATE verdicts SET project = 'other' WHERE id = '%s'",
              uuid_text(&id).at);
    assert_ok(db_script(ask_db, text_str(&script), &err));
    seal_trail();
    OWNED(told_done) struct told told = get(CALLER_AUDITOR, &id);
    assert_problem(told, 404, "not-found");
}

static int open_it(void **state)
{
    void *d = NULL;
    assert_int_equal(deployment_open(&d), 0);
    assert_int_equal(ask_open(state), 0);
    bundled_open(d, &b);
    ask_seal_with(b.controller_key, b.controller_cert);
    return 0;
}

static int close_it(void **state)
{
    void *d = b.d;
    assert_int_equal(ask_close(state), 0);
    bundled_done(&b);
    return deployment_close(&d);
}

#define QUIET(test) cmocka_unit_test_setup(test, ask_quiet)

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUIET(a_bundle_waits_for_charter_and_chain_and_is_genuine_then),
        QUIET(only_who_may_audit_gets_one),
        QUIET(a_verdict_without_testimony_has_none),
        QUIET(another_projects_verdict_is_not_there),
    };
    return cmocka_run_group_tests_name("api_bundle", tests, open_it, close_it);
}
