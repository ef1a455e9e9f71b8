/* Whoever holds the controller and the keeper's folder brings charters that the signers did not
 * mean for this keeper now, and a keeper of the other realm's things (trust.md sections 1 and 5).
 * R6, R32.
 */
#include <string.h>

#include "keeper/claims.h"
#include "lib/base/file.h"
#include "tests/support/deployment.h"
#include "tests/support/scratch.h"
#include "tests/support/simulator.h"
#include "tests/support/test.h"

struct forgery {
    const char *name;
    char *(*act)(struct deployment *d); /* the charter to give; NULL: `charter`, signed */
    const char *code;
};

static const struct forgery *forgery; /* of the test that runs */

static int forgery_open(void **state)
{
    forgery = *state;
    return deployment_open(state);
}

static void put_in_folder(const struct deployment *d, const char *name, struct span content)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(d->keeper_folder, name);
    assert_ok(file_write(path, content, 0600, &err));
}

/* ---- charters that are refused, after a restart too --------------------------------------- */

static void a_charter_is_refused(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(mem_drop) char *jws = forgery->act(d);
    if (jws == NULL)
        jws = deployment_sign(d, d->charter_key);
    assert_fails(deployment_give(d, jws, &err), ERR_DENIED, forgery->code);
    deployment_stop_keeper(d);
    deployment_start_keeper(d);
    assert_fails(deployment_give(d, jws, &err), ERR_DENIED, forgery->code);
}

static void widen(struct deployment *d)
{
    json_put_bool(deployment_at(d, "grants", "proven"), "allow_unproven_software", true);
}

static void lower_the_serial(struct deployment *d)
{
    json_object_set_new(d->charter, "serial", json_integer(1));
}

static char *sign_as_somebody(struct deployment *d)
{
    struct error err = {0};
    OWNED(key_drop) struct key *thief = NULL;
    assert_ok(key_generate(KEY_P256, &thief, &err));
    deployment_raise_serial(d);
    widen(d);
    return deployment_sign(d, thief);
}

static char *widen_under_an_old_signature(struct deployment *d)
{
    OWNED(mem_drop) char *good = deployment_sign(d, d->charter_key);
    widen(d);
    OWNED(mem_drop) char *printed = json_print(d->charter);
    OWNED(mem_drop) char *payload = base64url_of(span_of_text(printed));
    OWNED(json_drop) json_t *set = json_loads(good, 0, NULL);
    json_put_text(set, "payload", payload);
    return json_print(set);
}

static char *go_back(struct deployment *d)
{
    struct error err = {0};
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
    lower_the_serial(d);
    return NULL;
}

static char *keep_the_serial(struct deployment *d)
{
    widen(d);
    return NULL;
}

/* A crash after the file and before the memory: the file is ahead, and is remembered on opening. */
static char *crash_after_the_file(struct deployment *d)
{
    deployment_stop_keeper(d);
    deployment_raise_serial(d);
    OWNED(mem_drop) char *next = deployment_sign(d, d->charter_key);
    put_in_folder(d, "charter.jws", span_of_text(next));
    deployment_start_keeper(d);
    lower_the_serial(d);
    return NULL;
}

static char *name_no_keeper(struct deployment *d)
{
    deployment_raise_serial(d);
    json_object_set_new(d->charter, "keepers", json_array());
    return NULL;
}

static const struct forgery refused[] = {
    {"a_widened_grant_that_nobody_signed_is_refused", sign_as_somebody, "too-few-signatures"},
    {"a_widened_grant_under_an_old_signature_is_refused", widen_under_an_old_signature,
     "bad-signature"},
    {"a_lower_charter_serial_is_refused_even_after_a_restart", go_back, "charter-serial"},
    {"another_charter_of_the_same_serial_is_refused", keep_the_serial, "charter-serial"},
    {"a_charter_that_was_only_written_counts_after_the_crash", crash_after_the_file,
     "charter-serial"},
    {"a_charter_for_another_keeper_is_refused", name_no_keeper, "keeper-not-chartered"},
};

/* ---- folders that do not open ------------------------------------------------------------- */

static void a_folder_does_not_open(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    assert_null(forgery->act(d));
    deployment_stop_keeper(d);
    assert_fails(keeper_open(d->keeper_folder, 64, &d->keeper, &err), ERR_DENIED, forgery->code);
}

static char *put_the_old_charter_back(struct deployment *d)
{
    struct error err = {0};
    OWNED(mem_drop) char *old = deployment_sign(d, d->charter_key);
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
    put_in_folder(d, "charter.jws", span_of_text(old));
    return NULL;
}

static char *put_the_other_realms_root(struct deployment *d)
{
    struct error err = {0};
    OWNED(key_drop) struct key *key = NULL;
    OWNED(cert_drop) struct cert *next = NULL;
    OWNED(bytes_done) struct bytes pem = {0};
    assert_ok(key_generate(KEY_P384, &key, &err));
    assert_ok(cert_make_root(key, REALM_PRODUCTION, clock_now(), &next, &err));
    assert_ok(cert_to_pem(next, &pem, &err));
    put_in_folder(d, "next-root.pem", bytes_span(&pem));
    return NULL;
}

static char *put_the_other_realms_charter(struct deployment *d)
{
    json_put_text(d->charter, "realm", "production");
    json_object_del(d->charter, "simulator_roots");
    OWNED(mem_drop) char *jws = deployment_sign(d, d->charter_key);
    put_in_folder(d, "charter.jws", span_of_text(jws));
    return NULL;
}

static const struct forgery unopened[] = {
    {"an_old_charter_file_put_back_does_not_open", put_the_old_charter_back, "charter-serial"},
    {"a_root_of_the_other_realm_does_not_follow_ours", put_the_other_realms_root, "realm-mismatch"},
    {"a_charter_file_of_the_other_realm_does_not_open", put_the_other_realms_charter,
     "realm-mismatch"},
};

/* ---- what counts all the same, and what never does ---------------------------------------- */

/* Printed anew, or signed by one more, it is the same charter. */
static void the_same_charter_may_come_again(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    assert_ok(deployment_apply(d, &err)); /* ECDSA: another signature each time */
    OWNED(mem_drop) char *jws = deployment_sign(d, d->charter_key);
    OWNED(json_drop) json_t *json = json_loads(jws, 0, NULL);
    OWNED(mem_drop) char *pretty = json_print_pretty(json);
    assert_ok(deployment_give(d, pretty, &err));
    deployment_stop_keeper(d);
    deployment_start_keeper(d);
    assert_ok(deployment_apply(d, &err));
}

static void a_simulator_counts_only_while_the_charter_names_its_roots(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    deployment_raise_serial(d);
    json_object_del(d->charter, "simulator_roots");
    assert_ok(deployment_apply(d, &err));
    assert_fails(guest_attest(d, &g, &err), ERR_DENIED, "simulator-not-chartered");
}

static void production_knows_no_simulation(void **state)
{
    (void)state;
    struct error err = {0};
    clock_freeze(clock_at_seconds(SIMULATOR_TODAY + 3600));
    struct deployment *d = deployment_make(REALM_PRODUCTION, false);
    deployment_start_keeper(d);
    assert_ok(deployment_apply(d, &err));
    struct challenge challenge;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    assert_fails(guest_challenge(d, &g, &challenge, &err), ERR_DENIED, "wrong-realm");

    deployment_raise_serial(d);
    json_put_text(d->charter, "realm", "simulation");
    assert_fails(deployment_apply(d, &err), ERR_DENIED, "charter-realm");

    deployment_stop_keeper(d);
    OWNED(mem_drop) char *root = scratch_path(d->keeper_folder, "simulator-root.pem");
    assert_ok(file_write(root, psp_roots(d->psp), 0644, &err));
    assert_fails(keeper_open(d->keeper_folder, 64, &d->keeper, &err), ERR_DENIED,
                 "simulator-in-production");
    deployment_free(d);
    clock_thaw();
}

static void a_simulated_verdict_is_none_in_production(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(key_drop) struct key *signer = deployment_signer(d);
    struct verdict_token token = {0};
    guest_attested(d, &g);
    assert_fails(verdict_token_read(span_of_text(g.token), signer, REALM_PRODUCTION, clock_now(),
                                    &token, &err),
                 ERR_DENIED, "verdict-simulated");
}

static void before_the_first_charter_nothing_is_done(void **state)
{
    (void)state;
    struct error err = {0};
    struct challenge challenge;
    struct stored s = {0};
    clock_freeze(clock_at_seconds(SIMULATOR_TODAY + 3600));
    struct deployment *d = deployment_make(REALM_SIMULATION, true);
    deployment_start_keeper(d);
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    assert_fails(guest_challenge(d, &g, &challenge, &err), ERR_DENIED, "no-charter");
    assert_fails(stored_make(d, "for-all", NULL, &s, &err), ERR_DENIED, "no-charter");
    deployment_free(d);
    clock_thaw();
}

/* ---- all of them -------------------------------------------------------------------------- */

#define IN(test) cmocka_unit_test_setup_teardown(test, deployment_open, deployment_close)

static void add(struct CMUnitTest *out, const struct forgery *row, CMUnitTestFunction test)
{
    *out = (struct CMUnitTest){
        .name = row->name,
        .test_func = test,
        .setup_func = forgery_open,
        .teardown_func = deployment_close,
        .initial_state = (void *)(uintptr_t)row,
    };
}

int main(void)
{
    const struct CMUnitTest others[] = {
        IN(the_same_charter_may_come_again),
        IN(a_simulator_counts_only_while_the_charter_names_its_roots),
        cmocka_unit_test(production_knows_no_simulation),
        IN(a_simulated_verdict_is_none_in_production),
        cmocka_unit_test(before_the_first_charter_nothing_is_done),
    };
    struct CMUnitTest tests[countof(refused) + countof(unopened) + countof(others)];
    struct CMUnitTest *next = tests;
    for (size_t i = 0; i < countof(refused); i++)
        add(next++, &refused[i], a_charter_is_refused);
    for (size_t i = 0; i < countof(unopened); i++)
        add(next++, &unopened[i], a_folder_does_not_open);
    memcpy(next, others, sizeof others);
    return cmocka_run_group_tests_name("forged charters", tests, NULL, NULL);
}
