/* A keeper's standing probes around the clock: when they run and what they are made of, that no
 * controller stops or feeds them, and what happens when one is accepted (trust.md section 10). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keeper/inside.h"
#include "lib/base/file.h"
#include "lib/model/resume_order.h"
#include "tests/support/guest_azure.h"
#include "tests/support/guest_nitro.h"
#include "tests/support/guest_vtpm.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

enum { EVERY_SECONDS = 60 };

struct watch {
    struct deployment *d;
    struct key *second, *stranger; /* beside the deployment's own */
    struct guest guest;
    struct stored secret;
    struct resume_order order; /* to change, sign and give */
};

/* ---- scenery -------------------------------------------------------------------------------- */

static void pin_two(struct watch *w)
{
    struct error err = {0};
    OWNED(json_drop) json_t *json = json_object();
    json_t *keys = json_array();
    const struct key *all[] = {w->d->charter_key, w->second};
    for (size_t i = 0; i < countof(all); i++) {
        OWNED(bytes_done) struct bytes pem = {0};
        assert_ok(key_to_public_pem(all[i], &pem, &err));
        json_add_new(keys, json_stringn((const char *)pem.at, pem.len));
    }
    json_put_int(json, "threshold", 1);
    json_put_new(json, "keys", keys);
    OWNED(mem_drop) char *text = json_print(json);
    OWNED(mem_drop) char *path = scratch_path(w->d->keeper_folder, "signers.json");
    assert_ok(file_write(path, span_of_text(text), 0644, &err));
}

static void restart(struct watch *w)
{
    deployment_stop_keeper(w->d);
    deployment_start_keeper(w->d);
}

static int set_up(void **state)
{
    struct error err = {0};
    struct watch *w = NEW(struct watch);
    void *d = NULL;
    assert_int_equal(deployment_open(&d), 0);
    w->d = d;
    assert_ok(key_generate(KEY_P256, &w->second, &err));
    assert_ok(key_generate(KEY_P256, &w->stranger, &err));
    pin_two(w);
    restart(w);
    w->guest = guest_make(PSP_DIRECT_BOOT, 5);
    guest_attested(d, &w->guest);
    stored_made(d, "for-all", NULL, &w->secret);
    w->order = (struct resume_order){
        .releases_resume = 1,
        .realm = REALM_SIMULATION,
        .halt = 1,
        .issued = clock_now(),
        .expires = moment_add_seconds(clock_now(), 86400),
    };
    memcpy(w->order.keeper, w->d->keeper->signer_key, SHA256_SIZE);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct watch *w = *state;
    void *d = w->d;
    guest_done(&w->guest);
    stored_done(&w->secret);
    key_free(w->second);
    key_free(w->stranger);
    free(w);
    return deployment_close(&d);
}

static struct keeper_status status_of(struct watch *w)
{
    struct error err = {0};
    struct keeper_status status = {0};
    assert_ok(deployment_ask(w->d, VERB_STATUS, NULL, NULL, &keeper_status_record, &status, &err));
    return status;
}

static int64_t probes_run(struct watch *w)
{
    const struct keeper_status s = status_of(w);
    return s.probes_held + s.probes_wrong + s.probes_accepted;
}

/* What comes due in an interval, whenever that is. */
static void an_interval_later(struct watch *w)
{
    clock_advance_ms(INT64_C(1250) * EVERY_SECONDS + 1);
    keeper_probe(w->d->keeper, EVERY_SECONDS);
}

static void release_is_refused(struct watch *w, const char *code)
{
    const struct release_wish wish = release_wish_of(&w->guest, &w->secret);
    assert_refused(w->d, &wish, code);
}

static void release_goes_out(struct watch *w)
{
    const struct release_wish wish = release_wish_of(&w->guest, &w->secret);
    assert_released(w->d, &wish);
}

/* ---- around the clock ----------------------------------------------------------------------- */

static void a_sound_keeper_holds_and_says_when(void **state)
{
    struct watch *w = *state;
    assert_int_equal(probes_run(w), 0);
    assert_true(moment_is_none(status_of(w).probed));
    keeper_probe(w->d->keeper, EVERY_SECONDS);
    const struct keeper_status s = status_of(w);
    assert_true(s.probes_held > 20);
    assert_int_equal(s.probes_wrong, 0);
    assert_int_equal(s.probes_accepted, 0);
    assert_int_equal(s.probe_samples, 1);
    assert_int_equal(s.probe_seconds, EVERY_SECONDS);
    assert_int_equal(s.probed.us, clock_now().us);
    assert_string_equal(s.fault_kind, "");
    assert_false(s.halted);
    release_goes_out(w);
}

static void probes_come_about_every_interval(void **state)
{
    struct watch *w = *state;
    keeper_probe(w->d->keeper, EVERY_SECONDS);
    const int64_t first = probes_run(w);
    clock_advance_ms(INT64_C(750) * EVERY_SECONDS - 1);
    keeper_probe(w->d->keeper, EVERY_SECONDS);
    assert_int_equal(probes_run(w), first);
    clock_advance_ms(INT64_C(500) * EVERY_SECONDS + 1);
    keeper_probe(w->d->keeper, EVERY_SECONDS);
    assert_int_equal(probes_run(w), 2 * first);
}

static void a_new_charter_is_probed_at_once(void **state)
{
    struct watch *w = *state;
    struct error err = {0};
    keeper_probe(w->d->keeper, EVERY_SECONDS);
    const int64_t first = probes_run(w);
    deployment_raise_serial(w->d);
    assert_ok(deployment_apply(w->d, &err));
    keeper_probe(w->d->keeper, EVERY_SECONDS);
    assert_int_equal(probes_run(w), 2 * first);
    assert_ok(deployment_apply(w->d, &err)); /* the same one again is no reason to work */
    keeper_probe(w->d->keeper, EVERY_SECONDS);
    assert_int_equal(probes_run(w), 2 * first);
}

/* Evidence of days ago still probes the judges, and certificates that are over since do not make
 * its answers mean less. */
static void a_sample_is_judged_as_of_its_own_time(void **state)
{
    struct watch *w = *state;
    keeper_probe(w->d->keeper, EVERY_SECONDS);
    const int64_t before = status_of(w).probes_held;
    clock_advance_ms(INT64_C(1000) * 3 * 86400);
    keeper_probe(w->d->keeper, EVERY_SECONDS);
    const struct keeper_status s = status_of(w);
    assert_true(s.probes_held > before);
    assert_int_equal(s.probes_wrong, 0);
    assert_int_equal(s.probe_samples, 1);
}

/* It passes no more, so that it is refused altered says nothing: it is not counted. */
static void a_sample_that_the_charter_no_longer_takes_is_dropped(void **state)
{
    struct watch *w = *state;
    struct error err = {0};
    json_object_set_new(json_object_get(w->d->charter, "deny"), "guest_keys",
                        json_pack("[O]", json_object_get(w->guest.verdict.claims, "link_key")));
    deployment_raise_serial(w->d);
    assert_ok(deployment_apply(w->d, &err));
    keeper_probe(w->d->keeper, EVERY_SECONDS);
    assert_int_equal(probes_run(w), 0);
    assert_int_equal(status_of(w).probe_samples, 0);
}

static void every_sample_gets_its_turn(void **state)
{
    struct watch *w = *state;
    OWNED(guest_done) struct guest other = guest_make(PSP_FIRMWARE_ONLY, 0);
    guest_attested(w->d, &other);
    assert_int_equal(status_of(w).probe_samples, 2);
    for (size_t i = 0; i < 4; i++) {
        const int64_t before = probes_run(w);
        an_interval_later(w);
        assert_true(probes_run(w) > before);
        assert_int_equal(w->d->keeper->probes.next, i % 2 + 1);
    }
}

/* ---- a controller that means harm ----------------------------------------------------------- */

static void what_did_not_pass_is_no_sample(void **state)
{
    struct watch *w = *state;
    OWNED(guest_done) struct guest bad = guest_make(PSP_FIRMWARE_ONLY, 0);
    bad.wish.tamper = PSP_WRONG_MEASUREMENT;
    guest_attested(w->d, &bad);
    assert_verdict(&bad, "rejected", "policy-measurement");
    assert_int_equal(status_of(w).probe_samples, 1);
}

static void add_policy(struct deployment *d, const char *name)
{
    json_object_set_new(json_object_get(d->charter, "policies"), name,
                        json_deep_copy(deployment_at(d, "policies", "stock")));
}

/* The newest of each kind and policy, and of too many policies those of late. */
static void samples_are_few_and_the_newest(void **state)
{
    struct watch *w = *state;
    struct error err = {0};
    static const char *const names[] = {"p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8",
                                        "p9", "pa", "pb", "pc", "pd", "pe", "pf", "pg", "ph"};
    for (size_t i = 0; i < countof(names); i++)
        add_policy(w->d, names[i]);
    deployment_raise_serial(w->d);
    assert_ok(deployment_apply(w->d, &err));
    for (size_t i = 0; i < 2 * countof(names); i++) {
        OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
        clock_advance_ms(1000);
        g.policy = names[i % countof(names)];
        guest_attested(w->d, &g);
        assert_verdict(&g, "trusted", "ok");
    }
    const struct probes *probes = &w->d->keeper->probes;
    assert_int_equal(probes->count, PROBE_SAMPLES_MAX);
    for (size_t i = 0; i < probes->count; i++)
        for (size_t j = i + 1; j < probes->count; j++)
            assert_string_not_equal(probes->samples[i].policy, probes->samples[j].policy);
    for (size_t i = 0; i < probes->count; i++)
        assert_true(moment_seconds_between(probes->samples[i].at, clock_now()) < 18);
}

/* Whatever it asks for in between: the turn comes, and the counts go on. */
static void requests_put_no_probe_off(void **state)
{
    struct watch *w = *state;
    keeper_probe(w->d->keeper, EVERY_SECONDS);
    const int64_t first = probes_run(w);
    for (int i = 0; i < 5 * EVERY_SECONDS; i++) {
        clock_advance_ms(250);
        (void)status_of(w);
        keeper_probe(w->d->keeper, EVERY_SECONDS);
    }
    assert_int_equal(probes_run(w), 2 * first);
}

/* ---- halted --------------------------------------------------------------------------------- */

/* As if a probe had been accepted. */
static void halt(struct watch *w)
{
    struct error err = {0};
    assert_ok(keeper_state_halt(w->d->keeper->state, &err));
}

static char *sign(const struct watch *w, const char *typ, const struct key *a, const struct key *b)
{
    OWNED(json_drop) json_t *json = record_to_json(&resume_order_record, &w->order);
    return deployment_sign_as(json, typ, a, b);
}

static enum outcome give(struct watch *w, const char *jws, struct error *err)
{
    int64_t halt_number = 0;
    return keeper_resume(w->d->keeper, span_of_text(jws), &halt_number, err);
}

static void order_is_refused(struct watch *w, enum outcome outcome, const char *code)
{
    struct error err = {0};
    OWNED(mem_drop) char *jws = sign(w, RESUME_ORDER_TYP, w->d->charter_key, w->second);
    assert_fails(give(w, jws, &err), outcome, code);
}

static void order_is_obeyed(struct watch *w)
{
    struct error err = {0};
    OWNED(mem_drop) char *jws = sign(w, RESUME_ORDER_TYP, w->d->charter_key, w->second);
    assert_ok(give(w, jws, &err));
}

static void a_halt_outlives_a_restart_and_only_two_people_end_it(void **state)
{
    struct watch *w = *state;
    struct error err = {0};
    halt(w);
    release_is_refused(w, "probes-accepted");
    restart(w);
    release_is_refused(w, "probes-accepted");
    assert_true(status_of(w).halted);
    assert_int_equal(status_of(w).halt, 1);
    OWNED(mem_drop) char *one = sign(w, RESUME_ORDER_TYP, w->d->charter_key, NULL);
    OWNED(mem_drop) char *other = sign(w, RESUME_ORDER_TYP, w->d->charter_key, w->stranger);
    OWNED(mem_drop) char *charter = sign(w, CHARTER_TYP, w->d->charter_key, w->second);
    assert_fails(give(w, one, &err), ERR_DENIED, "too-few-signatures");
    assert_fails(give(w, other, &err), ERR_DENIED, "too-few-signatures");
    assert_fails(give(w, charter, &err), ERR_DENIED, "token-type");
    release_is_refused(w, "probes-accepted");
    order_is_obeyed(w);
    release_goes_out(w);
    restart(w);
    assert_false(status_of(w).halted);
    release_goes_out(w);
}

static void an_order_is_for_one_halt_of_one_keeper(void **state)
{
    struct watch *w = *state;
    order_is_refused(w, ERR_CONFLICT, "not-halted");
    halt(w);
    w->order.halt = 2;
    order_is_refused(w, ERR_DENIED, "order-halt");
    w->order.halt = 1;
    w->order.keeper[0] ^= 1;
    order_is_refused(w, ERR_DENIED, "order-keeper");
    w->order.keeper[0] ^= 1;
    w->order.realm = REALM_PRODUCTION;
    order_is_refused(w, ERR_DENIED, "order-realm");
    w->order.realm = REALM_SIMULATION;
    w->order.expires = w->order.issued;
    order_is_refused(w, ERR_INVALID, "bad-order");
    w->order.expires = moment_add_seconds(w->order.issued, 60);
    clock_advance_ms(60000);
    order_is_refused(w, ERR_DENIED, "order-expired");
    w->order.expires = moment_add_seconds(w->order.issued, 86400);
    order_is_obeyed(w);
    halt(w);
    restart(w);
    order_is_refused(w, ERR_DENIED, "order-halt");
    release_is_refused(w, "probes-accepted");
}

static void a_halted_keeper_still_appraises_and_gives_others_nothing(void **state)
{
    struct watch *w = *state;
    struct error err = {0};
    struct opinion_reply reply = {0};
    struct passport_reply passport = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    guest_attested(w->d, &g);
    assert_non_null(g.verdict.testimony);
    halt(w);
    guest_attested(w->d, &g);
    assert_verdict(&g, "trusted", "ok");
    assert_null(g.verdict.testimony);
    const struct passport_wish ask = {.instance = g.instance, .token = g.token};
    assert_fails(keeper_passport(w->d->keeper, &ask, &passport, &err), ERR_DENIED,
                 "probes-accepted");
    const struct opinion_wish wish = {.evidence = w->d->keeper->probes.samples[0].evidence};
    assert_fails(deployment_ask(w->d, VERB_OPINION, &opinion_wish_record, &wish,
                                &opinion_reply_record, &reply, &err),
                 ERR_DENIED, "probes-accepted");
}

/* ---- a judge that sees nothing wrong -------------------------------------------------------- */

#ifdef MUSTER_FAULTS
static void blind(const char *check)
{
    char fault[64];
    snprintf(fault, sizeof fault, "check-%s:blind", check);
    setenv("MUSTER_FAULT", fault, 1);
}

static void a_blinded_judge_is_caught_within_an_interval_and_stays_stopped(void **state)
{
    struct watch *w = *state;
    keeper_probe(w->d->keeper, EVERY_SECONDS);
    release_goes_out(w);
    blind("policy-report-data");
    an_interval_later(w);
    unsetenv("MUSTER_FAULT");
    struct keeper_status s = status_of(w);
    assert_true(s.probes_accepted > 0);
    assert_string_equal(s.fault_kind, "simulated");
    assert_string_equal(s.fault_alteration, "nonce");
    assert_string_equal(s.fault_code, "ok");
    assert_int_equal(s.fault_at.us, clock_now().us);
    assert_true(s.halted);
    assert_int_equal(s.halt, 1);
    release_is_refused(w, "probes-accepted");
    an_interval_later(w); /* it sees again, and that is not enough */
    release_is_refused(w, "probes-accepted");
    restart(w);
    release_is_refused(w, "probes-accepted");
    order_is_obeyed(w);
    release_goes_out(w);
    guest_attested(w->d, &w->guest);
    blind("policy-report-data");
    an_interval_later(w);
    unsetenv("MUSTER_FAULT");
    release_is_refused(w, "probes-accepted");
    order_is_refused(w, ERR_DENIED, "order-halt");
    w->order.halt = 2;
    order_is_obeyed(w);
}

/* Which probe sees each check that only one stands for. */
struct blindness {
    const char *check, *alteration;
};

static void assert_seen(struct watch *w, const struct blindness *b)
{
    struct probes *probes = &w->d->keeper->probes;
    probes->accepted = probes->wrong = 0;
    probes->fault = (struct probe_fault){.code = ""};
    blind(b->check);
    an_interval_later(w);
    unsetenv("MUSTER_FAULT");
    if (probes->accepted == 0)
        fail_msg("no probe was accepted without %s", b->check);
    assert_string_equal(probes->fault.alteration, b->alteration);
}

static void assert_all_seen(struct watch *w, const struct blindness *checks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_seen(w, &checks[i]);
}

static void every_blinded_check_of_a_report_is_seen(void **state)
{
    static const struct blindness checks[] = {
        {"policy-report-data", "nonce"}, {"signature", "signature"},
        {"validity", "much-later"},      {"evidence-kind", "realm"},
        {"policy-tcb", "tcb-floor"},     {"policy-measurement", "measurement"},
        {"policy-age", "age"},           {"chain", "roots"},
    };
    assert_all_seen(*state, checks, countof(checks));
}

static void every_blinded_deny_list_is_seen(void **state)
{
    static const char *const lists[] = {"denied-chip", "denied-measurement", "denied-anchor",
                                        "denied-guest-key", "denied-product"};
    for (size_t i = 0; i < countof(lists); i++) {
        const struct blindness list = {lists[i], lists[i]};
        assert_seen(*state, &list);
    }
}

static void every_blinded_check_of_a_vtpm_is_seen(void **state)
{
    struct watch *w = *state;
    static const struct blindness checks[] = {{"quote-signature", "quote-signature"},
                                              {"policy-pcr", "register"},
                                              {"policy-tcb", "tcb-floor"}};
    probes_done(&w->d->keeper->probes);
    vtpm_write_charter(w->d);
    OWNED(guest_done) struct guest g = vtpm_guest();
    const struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_AUTHORITY);
    vtpm_attest(w->d, &g, &wish);
    assert_all_seen(w, checks, countof(checks));
}

static void every_blinded_check_of_a_providers_key_is_seen(void **state)
{
    struct watch *w = *state;
    static const struct blindness checks[] = {
        {"policy-csp", "provider"},
        {"policy-chip-id", "chip"},
        {"policy-committed-tcb", "committed-tcb"},
        {"policy-guest-policy", "guest-policy"},
        {"policy-guest-svn", "guest-svn"},
        {"policy-mit-vector", "mitigations"},
    };
    probes_done(&w->d->keeper->probes);
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    g.wish.provisional = 1;
    guest_attested(w->d, &g);
    assert_all_seen(w, checks, countof(checks));
}

static void every_blinded_check_of_azures_evidence_is_seen(void **state)
{
    struct watch *w = *state;
    static const struct blindness checks[] = {
        {"nonce", "nonce"},
        {"quote-signature", "quote-signature"},
        {"policy-pcr", "register"},
        {"policy-measurement", "measurement"},
        {"policy-tcb", "tcb-floor"},
        {"signature", "signature"},
        {"evidence-kind", "kind-not-named"},
    };
    probes_done(&w->d->keeper->probes);
    azure_write_charter(w->d);
    OWNED(guest_done) struct guest g = azure_guest();
    const struct paravisor_wish wish = azure_wish(0);
    azure_attest(w->d, &g, &wish);
    assert_all_seen(w, checks, countof(checks));
}

static void every_blinded_check_of_an_enclaves_document_is_seen(void **state)
{
    struct watch *w = *state;
    static const struct blindness checks[] = {
        {"bound-data", "link-key"},          {"signature", "signature"},
        {"policy-pcr", "measurement"},       {"validity", "much-later"},
        {"evidence-kind", "kind-not-named"}, {"chain", "roots"},
    };
    nitro_set_up(w->d);
    OWNED(guest_done) struct guest g = nitro_guest();
    const struct nsm_wish wish = nsm_wish();
    nitro_attest(w->d, &g, &wish);
    assert_all_seen(w, checks, countof(checks));
}

/* The nonce of a document is in its user data too: refused all the same, so nothing is stopped. */
static void another_code_than_the_altered_ones_warns_and_stops_nothing(void **state)
{
    struct watch *w = *state;
    nitro_set_up(w->d);
    OWNED(guest_done) struct guest g = nitro_guest();
    const struct nsm_wish wish = nsm_wish();
    nitro_attest(w->d, &g, &wish);
    blind("bound-nonce");
    an_interval_later(w);
    unsetenv("MUSTER_FAULT");
    const struct keeper_status s = status_of(w);
    assert_int_equal(s.probes_accepted, 0);
    assert_int_equal(s.probes_wrong, 1);
    assert_string_equal(s.fault_alteration, "nonce");
    assert_string_equal(s.fault_code, "policy-report-data");
    assert_false(s.halted);
    guest_attested(w->d, &w->guest); /* the charter is another since */
    release_goes_out(w);
}
#else
/* The seam itself is not in such a build: nothing that the environment says blinds a judge. */
static void in_a_shipped_build_nothing_blinds_a_judge(void **state)
{
    struct watch *w = *state;
    setenv("MUSTER_FAULT", "check-policy-report-data:blind", 1);
    an_interval_later(w);
    unsetenv("MUSTER_FAULT");
    assert_int_equal(status_of(w).probes_accepted, 0);
    release_goes_out(w);
}
#endif

#define WATCHED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WATCHED(a_sound_keeper_holds_and_says_when),
        WATCHED(probes_come_about_every_interval),
        WATCHED(a_new_charter_is_probed_at_once),
        WATCHED(a_sample_is_judged_as_of_its_own_time),
        WATCHED(a_sample_that_the_charter_no_longer_takes_is_dropped),
        WATCHED(every_sample_gets_its_turn),
        WATCHED(what_did_not_pass_is_no_sample),
        WATCHED(samples_are_few_and_the_newest),
        WATCHED(requests_put_no_probe_off),
        WATCHED(a_halt_outlives_a_restart_and_only_two_people_end_it),
        WATCHED(an_order_is_for_one_halt_of_one_keeper),
        WATCHED(a_halted_keeper_still_appraises_and_gives_others_nothing),
#ifdef MUSTER_FAULTS
        WATCHED(a_blinded_judge_is_caught_within_an_interval_and_stays_stopped),
        WATCHED(every_blinded_check_of_a_report_is_seen),
        WATCHED(every_blinded_check_of_a_providers_key_is_seen),
        WATCHED(every_blinded_deny_list_is_seen),
        WATCHED(every_blinded_check_of_a_vtpm_is_seen),
        WATCHED(every_blinded_check_of_azures_evidence_is_seen),
        WATCHED(every_blinded_check_of_an_enclaves_document_is_seen),
        WATCHED(another_code_than_the_altered_ones_warns_and_stops_nothing),
#else
        WATCHED(in_a_shipped_build_nothing_blinds_a_judge),
#endif
    };
    return cmocka_run_group_tests_name("probes", tests, NULL, NULL);
}
