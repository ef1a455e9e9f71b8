/* Whoever holds the controller, its database and its credentials asks the keeper for what it should
 * not give (trust.md section 1). Each is refused, with a code of its own. R6, R32, R46, R74, R112.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keeper/claims.h"
#include "lib/base/file.h"
#include "lib/crypto/random.h"
#include "lib/model/keeper_state.h"
#include "tests/support/deployment.h"
#include "tests/support/scratch.h"
#include "tests/support/simulator.h"
#include "tests/support/test.h"

static void attest(struct deployment *d, struct guest *g)
{
    struct error err = {0};
    assert_ok(guest_attest(d, g, &err));
}

static void verdict_is(const struct guest *g, const char *verdict, const char *reason)
{
    const json_t *claims = g->verdict.claims;
    assert_string_equal(json_string_value(json_object_get(claims, "verdict")), verdict);
    assert_string_equal(json_string_value(json_object_get(claims, "reason")), reason);
}

static void claim_is(const struct guest *g, const char *name, const char *value)
{
    assert_string_equal(json_string_value(json_object_get(g->verdict.claims, name)), value);
}

static void make(struct deployment *d, const char *grant, const struct guest *owner,
                 struct stored *out)
{
    struct error err = {0};
    assert_ok(stored_make(d, grant, owner, out, &err));
}

static void refused(struct deployment *d, const struct release_wish *wish, const char *code)
{
    struct error err = {0};
    struct release_reply reply = {0};
    assert_fails(release_ask(d, wish, &reply, &err), ERR_DENIED, code);
    assert_null(reply.envelope.at);
}

static void released(struct deployment *d, const struct release_wish *wish)
{
    struct error err = {0};
    struct release_reply reply = {0};
    assert_ok(release_ask(d, wish, &reply, &err));
    record_done(&release_reply_record, &reply);
}

/* ---- the honest way ----------------------------------------------------------------------- */

static void a_guest_that_proves_itself_gets_its_secret_and_nobody_else_can_read_it(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    OWNED(guest_done) struct guest other = guest_make(PSP_DIRECT_BOOT, 6);
    OWNED(stored_done) struct stored s = {0};
    OWNED(locked_done) struct locked plain = {0};
    struct release_reply reply = {0};
    struct seal_header header;
    uint8_t check[SHA256_SIZE];
    attest(d, &g);
    attest(d, &other);
    verdict_is(&g, "trusted", "ok");
    claim_is(&g, "software", "hardware");
    claim_is(&g, "identity", "hardware");
    make(d, "proven", NULL, &s);
    struct release_wish wish = release_wish_of(&g, &s);
    assert_ok(release_ask(d, &wish, &reply, &err));
    assert_ok(guest_open(d, &g, bytes_span(&reply.envelope), &header, &plain, &err));
    assert_int_equal(plain.len, 32);
    assert_string_equal(header.name, "web-key");
    assert_string_equal(header.grant, "proven");
    assert_int_equal(header.version, 1);
    seal_check(SPAN_OF(header.salt), locked_span(&plain), check);
    assert_memory_equal(check, s.reply.check, sizeof check);
    assert_memory_equal(check, reply.check, sizeof check);
    assert_fails(guest_open(d, &other, bytes_span(&reply.envelope), &header, &plain, &err),
                 ERR_DENIED, "envelope-not-ours");
    assert_null(memmem(s.reply.record.at, s.reply.record.len, plain.at, plain.len));
    record_done(&release_reply_record, &reply);
}

static void plain_cloud_evidence_is_l1_and_says_why(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    attest(d, &g);
    verdict_is(&g, "trusted", "ok");
    claim_is(&g, "level", "L1");
    claim_is(&g, "hardware", "hardware");
    claim_is(&g, "software", "none");
    claim_is(&g, "identity", "none");
    claim_is(&g, "region", "us-east-2");
    assert_true(json_is_true(json_object_get(g.verdict.claims, "simulated")));
    assert_null(json_object_get(g.verdict.claims, "anchor"));
}

static void a_host_key_is_made_for_one_machine_with_its_public_half(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    OWNED(stored_done) struct stored s = {0};
    OWNED(locked_done) struct locked plain = {0};
    struct release_reply reply = {0};
    struct seal_header header;
    attest(d, &g);
    make(d, "host", &g, &s);
    assert_memory_equal(s.reply.public, "ssh-ed25519 AAAA", 16);
    struct release_wish wish = release_wish_of(&g, &s);
    assert_ok(release_ask(d, &wish, &reply, &err));
    assert_ok(guest_open(d, &g, bytes_span(&reply.envelope), &header, &plain, &err));
    assert_memory_equal(plain.at, "-----BEGIN OPENSSH PRIVATE KEY-----\n", 36);
    assert_string_equal(header.kind, "ssh-host-key");
    record_done(&release_reply_record, &reply);
}

/* ---- secrets for the wrong machine -------------------------------------------------------- */

static void a_secret_of_one_machine_is_refused_to_another_anchor(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest owner = guest_make(PSP_DIRECT_BOOT, 5);
    OWNED(guest_done) struct guest thief = guest_make(PSP_DIRECT_BOOT, 6);
    OWNED(stored_done) struct stored s = {0};
    attest(d, &owner);
    attest(d, &thief);
    make(d, "host", &owner, &s);
    struct release_wish wish = release_wish_of(&thief, &s);
    refused(d, &wish, "anchor-mismatch");
}

static void a_secret_of_one_machine_is_refused_where_no_machine_is_proven(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest owner = guest_make(PSP_DIRECT_BOOT, 5);
    OWNED(guest_done) struct guest nobody = guest_make(PSP_DIRECT_BOOT, 0);
    OWNED(stored_done) struct stored s = {0};
    attest(d, &owner);
    attest(d, &nobody);
    make(d, "host", &owner, &s);
    struct release_wish wish = release_wish_of(&nobody, &s);
    refused(d, &wish, "anchor-unproven");
}

static void a_secret_of_one_machine_needs_its_anchor_and_one_of_a_fleet_has_none(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    struct stored s = {0};
    attest(d, &g);
    assert_fails(stored_make(d, "host", NULL, &s, &err), ERR_INVALID, "anchor-missing");
    assert_fails(stored_make(d, "for-all", &g, &s, &err), ERR_INVALID, "anchor-unexpected");
}

static void a_policy_that_the_grant_does_not_name_gets_nothing(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored s = {0};
    attest(d, &g);
    make(d, "direct-only", NULL, &s);
    struct release_wish wish = release_wish_of(&g, &s);
    refused(d, &wish, "grant-policy");
}

static void unproven_software_gets_nothing_unless_the_grant_says_so(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored proven = {0};
    OWNED(stored_done) struct stored unproven = {0};
    attest(d, &g);
    make(d, "proven", NULL, &proven);
    make(d, "for-all", NULL, &unproven);
    struct release_wish wish = release_wish_of(&g, &proven);
    refused(d, &wish, "software-unproven");
    struct release_wish allowed = release_wish_of(&g, &unproven);
    released(d, &allowed);
}

/* ---- the charter -------------------------------------------------------------------------- */

static void a_widened_grant_that_nobody_signed_is_refused(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(key_drop) struct key *thief = NULL;
    assert_ok(key_generate(KEY_P256, &thief, &err));
    deployment_raise_serial(d);
    json_put_bool(deployment_at(d, "grants", "proven"), "allow_unproven_software", true);
    OWNED(mem_drop) char *jws = deployment_sign(d, thief);
    struct charter_wish wish = {.jws = jws};
    struct charter_reply reply;
    assert_fails(deployment_ask(d, VERB_CHARTER, &charter_wish_record, &wish, &charter_reply_record,
                                &reply, &err),
                 ERR_DENIED, "too-few-signatures");
}

static void a_widened_grant_under_an_old_signature_is_refused(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(mem_drop) char *good = deployment_sign(d, d->charter_key);
    json_put_bool(deployment_at(d, "grants", "proven"), "allow_unproven_software", true);
    OWNED(mem_drop) char *printed = json_print(d->charter);
    OWNED(mem_drop) char *payload = base64url_of(span_of_text(printed));
    OWNED(json_drop) json_t *set = json_loads(good, 0, NULL);
    json_put_text(set, "payload", payload);
    OWNED(mem_drop) char *forged = json_print(set);
    struct charter_wish wish = {.jws = forged};
    struct charter_reply reply;
    assert_fails(deployment_ask(d, VERB_CHARTER, &charter_wish_record, &wish, &charter_reply_record,
                                &reply, &err),
                 ERR_DENIED, "bad-signature");
}

static void a_secret_cannot_be_moved_under_another_grant(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored s = {0};
    attest(d, &g);
    make(d, "proven", NULL, &s);
    uint8_t *grant = memmem(s.reply.record.at, s.reply.record.len, "proven", 6);
    assert_non_null(grant);
    memcpy(grant, "direct", 6);
    struct release_wish wish = release_wish_of(&g, &s);
    refused(d, &wish, "record-not-ours");
}

static void a_lower_charter_serial_is_refused_even_after_a_restart(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
    json_object_set_new(d->charter, "serial", json_integer(1));
    assert_fails(deployment_apply(d, &err), ERR_DENIED, "charter-serial");
    deployment_stop_keeper(d);
    deployment_start_keeper(d);
    assert_fails(deployment_apply(d, &err), ERR_DENIED, "charter-serial");
}

static void another_charter_of_the_same_serial_is_refused(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    json_put_bool(deployment_at(d, "grants", "proven"), "allow_unproven_software", true);
    assert_fails(deployment_apply(d, &err), ERR_DENIED, "charter-serial");
}

/* Printed anew, or signed by one more, it is the same charter. */
static void the_same_charter_may_come_again(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    assert_ok(deployment_apply(d, &err)); /* ECDSA: another signature each time */
    OWNED(mem_drop) char *jws = deployment_sign(d, d->charter_key);
    OWNED(json_drop) json_t *json = json_loads(jws, 0, NULL);
    OWNED(mem_drop) char *pretty = json_print_pretty(json);
    struct charter_wish wish = {.jws = pretty};
    struct charter_reply reply;
    assert_ok(deployment_ask(d, VERB_CHARTER, &charter_wish_record, &wish, &charter_reply_record,
                             &reply, &err));
    deployment_stop_keeper(d);
    deployment_start_keeper(d);
    assert_ok(deployment_apply(d, &err));
}

/* A crash after the file and before the memory: the file is ahead, and is remembered on opening. */
static void a_charter_that_was_only_written_counts_after_the_crash(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(d->keeper_folder, "charter.jws");
    deployment_stop_keeper(d);
    deployment_raise_serial(d);
    OWNED(mem_drop) char *next = deployment_sign(d, d->charter_key);
    assert_ok(file_write(path, span_of_text(next), 0600, &err));
    deployment_start_keeper(d);
    json_object_set_new(d->charter, "serial", json_integer(1));
    assert_fails(deployment_apply(d, &err), ERR_DENIED, "charter-serial");
}

static void an_old_charter_file_put_back_does_not_open(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(d->keeper_folder, "charter.jws");
    OWNED(mem_drop) char *old = deployment_sign(d, d->charter_key);
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
    deployment_stop_keeper(d);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(old, file);
    fclose(file);
    assert_fails(keeper_open(d->keeper_folder, 64, &d->keeper, &err), ERR_DENIED, "charter-serial");
}

static void an_expired_charter_stops_everything(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge challenge;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored s = {0};
    attest(d, &g);
    make(d, "for-all", NULL, &s);
    clock_advance_ms(INT64_C(1000) * 86400 * CHARTER_DAYS_MAX);
    struct release_wish wish = release_wish_of(&g, &s);
    refused(d, &wish, "charter-expired");
    assert_fails(guest_challenge(d, &g, &challenge, &err), ERR_DENIED, "charter-expired");
    deployment_raise_serial(d); /* the same dates under a new serial are no better */
    assert_fails(deployment_apply(d, &err), ERR_DENIED, "charter-expired");
}

static void narrowing_acts_at_once(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored s = {0};
    attest(d, &g);
    make(d, "for-all", NULL, &s);
    deployment_raise_serial(d);
    json_put_bool(deployment_at(d, "references", "stock"), "retired", true);
    assert_ok(deployment_apply(d, &err));
    struct release_wish changed = release_wish_of(&g, &s);
    refused(d, &changed, "policy-changed");
    deployment_raise_serial(d);
    json_object_del(json_object_get(d->charter, "grants"), "for-all");
    assert_ok(deployment_apply(d, &err));
    struct release_wish gone = release_wish_of(&g, &s);
    refused(d, &gone, "grant-unknown");
}

static void a_charter_for_another_keeper_is_refused(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    deployment_raise_serial(d);
    json_object_set_new(d->charter, "keepers", json_array());
    assert_fails(deployment_apply(d, &err), ERR_DENIED, "keeper-not-chartered");
}

static int64_t claimed(const struct guest *g, const char *claim)
{
    const json_t *vector = json_object_get(g->verdict.claims, "trust_vector");
    assert_int_equal(json_object_size(vector), TRUST_CLAIM_COUNT);
    return json_integer_value(json_object_get(vector, claim));
}

static void what_the_charter_denies_is_not_trusted(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    OWNED(stored_done) struct stored s = {0};
    attest(d, &g);
    for (size_t i = 0; i < TRUST_CLAIM_COUNT; i++) /* it is simulated */
        assert_int_equal(claimed(&g, trust_claim_names.words[i]), TIER_NONE);
    make(d, "proven", NULL, &s);
    deployment_raise_serial(d);
    const char *anchor = json_string_value(json_object_get(g.verdict.claims, "anchor"));
    json_object_set_new(json_object_get(d->charter, "deny"), "anchors", json_pack("[s]", anchor));
    assert_ok(deployment_apply(d, &err));
    struct release_wish wish = release_wish_of(&g, &s);
    refused(d, &wish, "denied-anchor");
    attest(d, &g);
    verdict_is(&g, "rejected", "denied-anchor");
    assert_int_equal(claimed(&g, "instance-identity"), TIER_CONTRAINDICATED);
    assert_int_equal(claimed(&g, "hardware"), TIER_NONE);
    struct release_wish again = release_wish_of(&g, &s);
    refused(d, &again, "verdict-rejected");
}

/* ---- versions and records ----------------------------------------------------------------- */

static void a_lower_version_is_refused_even_after_a_restart(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored first = {0};
    OWNED(stored_done) struct stored second = {0};
    attest(d, &g);
    make(d, "for-all", NULL, &first);
    second.wish = first.wish;
    assert_ok(stored_renew(d, &second, &err));
    struct release_wish newer = release_wish_of(&g, &second);
    released(d, &newer);
    struct release_wish older = release_wish_of(&g, &first);
    refused(d, &older, "version-too-low");
    deployment_stop_keeper(d);
    deployment_start_keeper(d);
    older = release_wish_of(&g, &first);
    refused(d, &older, "version-too-low");
}

static void a_record_is_released_only_as_what_it_is(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored s = {0};
    attest(d, &g);
    make(d, "for-all", NULL, &s);
    struct release_wish other_secret = release_wish_of(&g, &s);
    other_secret.secret.at[0] ^= 1;
    refused(d, &other_secret, "record-mismatch");
    struct release_wish other_name = release_wish_of(&g, &s);
    memcpy(other_name.name, "tls-key", 8);
    refused(d, &other_name, "record-mismatch");
    struct release_wish other_version = release_wish_of(&g, &s);
    other_version.version = 2;
    refused(d, &other_version, "record-mismatch");
}

static void a_record_of_another_deployment_is_nothing_here(void **state)
{
    struct deployment *d = *state;
    void *other_state = NULL;
    assert_int_equal(deployment_open(&other_state), 0);
    struct deployment *other = other_state;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored s = {0};
    attest(d, &g);
    make(other, "for-all", NULL, &s);
    struct release_wish wish = release_wish_of(&g, &s);
    refused(d, &wish, "record-not-ours");
    deployment_free(other);
}

/* ---- verdicts ----------------------------------------------------------------------------- */

static void a_replayed_verdict_is_refused(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored s = {0};
    attest(d, &g);
    make(d, "for-all", NULL, &s);
    OWNED(mem_drop) char *old = mem_text(g.token);
    attest(d, &g);
    struct release_wish wish = release_wish_of(&g, &s);
    wish.token = old;
    refused(d, &wish, "verdict-superseded");
}

/* Challenges are answered in the order that the controller likes; what counts is when they were
 * asked. */
static void an_older_challenge_answered_late_makes_no_newer_verdict(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge first;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(stored_done) struct stored s = {0};
    make(d, "for-all", NULL, &s);
    assert_ok(guest_challenge(d, &g, &first, &err));
    guest_evidence(d, &g, &first, &evidence);
    clock_advance_ms(10 * 1000);
    attest(d, &g);
    OWNED(mem_drop) char *newer = mem_text(g.token);
    assert_ok(guest_appraise(d, &g, &first, &evidence, &err));
    verdict_is(&g, "trusted", "ok");
    struct release_wish late = release_wish_of(&g, &s);
    refused(d, &late, "verdict-superseded");
    struct release_wish wish = release_wish_of(&g, &s);
    wish.token = newer;
    released(d, &wish);
}

/* The wall clock may be set; which of two verdicts is the later does not depend on it. */
static void setting_the_clock_back_brings_no_older_verdict_back(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored s = {0};
    make(d, "for-all", NULL, &s);
    attest(d, &g);
    OWNED(mem_drop) char *old = mem_text(g.token);
    clock_freeze(moment_add_seconds(clock_now(), -200));
    attest(d, &g);
    struct release_wish replayed = release_wish_of(&g, &s);
    replayed.token = old;
    clock_freeze(moment_add_seconds(clock_now(), 201));
    refused(d, &replayed, "verdict-superseded");
    struct release_wish wish = release_wish_of(&g, &s);
    released(d, &wish);
}

/* trust.md section 9: a claimant that fails never touches the incumbent. */
static void a_claimant_that_fails_takes_nothing_from_the_incumbent(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(guest_done) struct guest claimant = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored s = {0};
    attest(d, &g);
    make(d, "for-all", NULL, &s);
    claimant.instance = g.instance;
    claimant.wish.tamper = PSP_WRONG_MEASUREMENT;
    attest(d, &claimant);
    verdict_is(&claimant, "rejected", "policy-measurement");
    struct release_wish wish = release_wish_of(&g, &s);
    released(d, &wish);
}

static void a_replayed_release_is_refused(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored s = {0};
    attest(d, &g);
    make(d, "for-all", NULL, &s);
    struct release_wish wish = release_wish_of(&g, &s);
    released(d, &wish);
    refused(d, &wish, "sequence-replayed");
}

static void an_old_verdict_is_refused_by_the_grants_age_and_then_by_its_own(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored s = {0};
    attest(d, &g);
    make(d, "for-all", NULL, &s);
    clock_advance_ms(INT64_C(1000) * 3600);
    struct release_wish wish = release_wish_of(&g, &s);
    released(d, &wish);
    clock_advance_ms(1000);
    wish = release_wish_of(&g, &s);
    refused(d, &wish, "verdict-too-old");
    clock_advance_ms(INT64_C(1000) * 3600);
    wish = release_wish_of(&g, &s);
    refused(d, &wish, "verdict-expired");
}

static void the_age_of_a_verdict_counts_from_the_nonce(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge challenge;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(bytes_done) struct bytes evidence = {0};
    struct moment asked = clock_now();
    assert_ok(guest_challenge(d, &g, &challenge, &err));
    guest_evidence(d, &g, &challenge, &evidence);
    clock_advance_ms(120 * 1000);
    assert_ok(guest_appraise(d, &g, &challenge, &evidence, &err));
    assert_int_equal(moment_seconds(g.verdict.issued), moment_seconds(asked));
}

static void the_verdict_of_another_instance_is_refused(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(guest_done) struct guest other = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored s = {0};
    attest(d, &g);
    attest(d, &other);
    make(d, "for-all", NULL, &s);
    struct release_wish wish = release_wish_of(&g, &s);
    wish.token = other.token;
    refused(d, &wish, "verdict-instance");
}

static struct key *signer_of(const struct deployment *d)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(d->keeper_folder, "sign-key.pem");
    OWNED(bytes_wipe) struct bytes pem = {0};
    struct key *signer = NULL;
    assert_ok(file_read_private(path, 4096, &pem, &err));
    assert_ok(key_from_private_pem(bytes_span(&pem), &signer, &err));
    return signer;
}

/* One signing key certified under two roots: a verdict of the one deployment is none in the other.
 */
static void the_verdict_of_another_deployment_is_refused(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored s = {0};
    OWNED(key_drop) struct key *signer = signer_of(d);
    OWNED(json_drop) json_t *claims = NULL;
    OWNED(mem_drop) char *other = NULL;
    attest(d, &g);
    make(d, "for-all", NULL, &s);
    assert_ok(token_verify(span_of_text(g.token), SIMULATED_VERDICT_TYP, signer, &claims, &err));
    json_put_text(json_object_get(claims, "muster"), "deployment",
                  "00000000000000000000000000000000000000000000000000000000000000aa");
    assert_ok(token_sign(signer, SIMULATED_VERDICT_TYP, claims, &other, &err));
    struct release_wish wish = release_wish_of(&g, &s);
    wish.token = other;
    refused(d, &wish, "verdict-deployment");
}

static void what_is_no_verdict_at_all_opens_nothing(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored s = {0};
    OWNED(key_drop) struct key *signer = signer_of(d);
    OWNED(json_drop) json_t *nothing = json_object();
    OWNED(mem_drop) char *empty = NULL;
    struct error err = {0};
    attest(d, &g);
    make(d, "for-all", NULL, &s);
    assert_ok(token_sign(signer, SIMULATED_VERDICT_TYP, nothing, &empty, &err));
    const char *const tokens[] = {"", "..", "a.b.c", "eyJhbGciOiJub25lIn0..", empty};
    for (size_t i = 0; i < countof(tokens); i++) {
        struct release_reply reply = {0};
        struct release_wish wish = release_wish_of(&g, &s);
        wish.token = (char *)(uintptr_t)tokens[i];
        assert_int_not_equal(release_ask(d, &wish, &reply, &err), OK);
        assert_null(reply.envelope.at);
    }
}

static void a_record_that_is_none_opens_nothing(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored s = {0};
    attest(d, &g);
    make(d, "for-all", NULL, &s);
    static const char *const records[] = {"x", "MUSTREC1", "MUSTREC1\xff\xff\xff\xff"};
    for (size_t i = 0; i < countof(records); i++) {
        struct release_reply reply = {0};
        struct release_wish wish = release_wish_of(&g, &s);
        wish.record = bytes_copy(span_of_text(records[i]));
        assert_fails(release_ask(d, &wish, &reply, &err), ERR_INVALID, "record-malformed");
        bytes_done(&wish.record);
    }
}

/* What was declared destroyed does not come back, with an old verdict or a new one. */
static void a_destroyed_machine_gets_nothing_any_more(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    OWNED(stored_done) struct stored s = {0};
    OWNED(mem_drop) char *kek_path = scratch_path(d->keeper_folder, "kek");
    OWNED(mem_drop) char *path = scratch_path(d->keeper_folder, "state");
    OWNED(kek_drop) struct kek *kek = NULL;
    OWNED(keeper_state_drop) struct keeper_state *memory = NULL;
    uint8_t anchor[SHA256_SIZE];
    attest(d, &g);
    make(d, "proven", NULL, &s);
    assert_ok(json_get_hex(g.verdict.claims, "", "anchor", anchor, sizeof anchor, &err));
    deployment_stop_keeper(d);
    assert_ok(kek_file_open(kek_path, REALM_SIMULATION, &kek, &err));
    assert_ok(keeper_state_open(path, kek, &memory, &err));
    assert_ok(keeper_state_destroy(memory, anchor, &err));
    keeper_state_drop(&memory);
    deployment_start_keeper(d);
    struct release_wish wish = release_wish_of(&g, &s);
    refused(d, &wish, "anchor-destroyed");
    attest(d, &g);
    verdict_is(&g, "rejected", "anchor-destroyed");
    claim_is(&g, "level", "L0");
}

static void a_changed_verdict_is_refused(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored s = {0};
    attest(d, &g);
    make(d, "for-all", NULL, &s);
    char *payload = strchr(g.token, '.') + 1;
    payload[40] = payload[40] == 'A' ? 'B' : 'A';
    struct release_wish wish = release_wish_of(&g, &s);
    refused(d, &wish, "bad-signature");
}

static void a_rejection_opens_nothing(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored s = {0};
    g.wish.tamper = PSP_WRONG_MEASUREMENT;
    attest(d, &g);
    verdict_is(&g, "rejected", "policy-measurement");
    make(d, "for-all", NULL, &s);
    struct release_wish wish = release_wish_of(&g, &s);
    refused(d, &wish, "verdict-rejected");
}

/* The keeper's own signature on another kind of token, or on one for another realm, is no verdict:
 * even somebody who could make it sign those would gain nothing. */
static char *token_by_keeper(struct deployment *d, const struct guest *g, const char *typ)
{
    struct error err = {0};
    OWNED(key_drop) struct key *signer = signer_of(d);
    OWNED(json_drop) json_t *claims = NULL;
    char *token = NULL;
    assert_ok(token_verify(span_of_text(g->token), SIMULATED_VERDICT_TYP, signer, &claims, &err));
    assert_ok(token_sign(signer, typ, claims, &token, &err));
    return token;
}

static void an_opinion_is_not_a_verdict(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored s = {0};
    attest(d, &g);
    make(d, "for-all", NULL, &s);
    OWNED(mem_drop) char *opinion = token_by_keeper(d, &g, OPINION_TYP);
    OWNED(mem_drop) char *passport = token_by_keeper(d, &g, "muster-passport+jwt");
    OWNED(mem_drop) char *genuine = token_by_keeper(d, &g, VERDICT_TYP);
    struct release_wish wish = release_wish_of(&g, &s);
    wish.token = opinion;
    refused(d, &wish, "opinion-not-verdict");
    wish.token = passport;
    refused(d, &wish, "verdict-type");
    wish.token = genuine; /* simulated claims under a genuine verdict's type */
    refused(d, &wish, "verdict-audience");
}

static void the_verdict_of_another_keeper_is_refused(void **state)
{
    struct deployment *d = *state;
    void *other_state = NULL;
    assert_int_equal(deployment_open(&other_state), 0);
    struct deployment *other = other_state;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored s = {0};
    attest(other, &g);
    make(d, "for-all", NULL, &s);
    struct release_wish wish = release_wish_of(&g, &s);
    refused(d, &wish, "verdict-key");
    deployment_free(other);
}

/* ---- realms ------------------------------------------------------------------------------- */

static void put_in_folder(const struct deployment *d, const char *name, struct span content)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(d->keeper_folder, name);
    assert_ok(file_write(path, content, 0600, &err));
}

static void a_root_of_the_other_realm_does_not_follow_ours(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(key_drop) struct key *key = NULL;
    OWNED(cert_drop) struct cert *next = NULL;
    OWNED(bytes_done) struct bytes pem = {0};
    assert_ok(key_generate(KEY_P384, &key, &err));
    assert_ok(cert_make_root(key, REALM_PRODUCTION, clock_now(), &next, &err));
    assert_ok(cert_to_pem(next, &pem, &err));
    put_in_folder(d, "next-root.pem", bytes_span(&pem));
    deployment_stop_keeper(d);
    assert_fails(keeper_open(d->keeper_folder, 64, &d->keeper, &err), ERR_DENIED, "realm-mismatch");
}

static void a_charter_file_of_the_other_realm_does_not_open(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    deployment_stop_keeper(d);
    json_put_text(d->charter, "realm", "production");
    json_object_del(d->charter, "simulator_roots");
    OWNED(mem_drop) char *jws = deployment_sign(d, d->charter_key);
    put_in_folder(d, "charter.jws", span_of_text(jws));
    assert_fails(keeper_open(d->keeper_folder, 64, &d->keeper, &err), ERR_DENIED, "realm-mismatch");
}

/* ---- challenges and evidence -------------------------------------------------------------- */

static void a_nonce_counts_once(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge challenge;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(bytes_done) struct bytes evidence = {0};
    assert_ok(guest_challenge(d, &g, &challenge, &err));
    guest_evidence(d, &g, &challenge, &evidence);
    assert_ok(guest_appraise(d, &g, &challenge, &evidence, &err));
    assert_fails(guest_appraise(d, &g, &challenge, &evidence, &err), ERR_CONFLICT,
                 "challenge-again");
}

static void a_nonce_lives_three_minutes_and_not_over_a_restart(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge challenge;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(bytes_done) struct bytes evidence = {0};
    assert_ok(guest_challenge(d, &g, &challenge, &err));
    guest_evidence(d, &g, &challenge, &evidence);
    clock_advance_ms(180 * 1000);
    assert_fails(guest_appraise(d, &g, &challenge, &evidence, &err), ERR_CONFLICT,
                 "challenge-again");
    assert_ok(guest_challenge(d, &g, &challenge, &err));
    guest_evidence(d, &g, &challenge, &evidence);
    deployment_stop_keeper(d);
    deployment_start_keeper(d);
    assert_fails(guest_appraise(d, &g, &challenge, &evidence, &err), ERR_CONFLICT,
                 "challenge-again");
}

static void only_a_p256_key_is_challenged_for(void **state)
{
    struct deployment *d = *state;
    static const enum key_kind kinds[] = {KEY_P384, KEY_ED25519};
    struct challenge_wish wish = {.kind = EVIDENCE_SIMULATED, .instance = uuid_new()};
    struct challenge challenge;
    struct error err = {0};
    memset(wish.link_key, 1, sizeof wish.link_key);
    for (size_t i = 0; i < countof(kinds); i++) {
        OWNED(key_drop) struct key *key = NULL;
        assert_ok(key_generate(kinds[i], &key, &err));
        assert_ok(key_to_spki(key, &wish.sealing_key, &err));
        assert_fails(deployment_ask(d, VERB_CHALLENGE, &challenge_wish_record, &wish,
                                    &challenge_record, &challenge, &err),
                     ERR_INVALID, "unsupported-key");
    }
    OWNED(key_drop) struct key *good = NULL;
    assert_ok(key_generate(KEY_P256, &good, &err));
    assert_ok(key_to_spki(good, &wish.sealing_key, &err));
    wish.sealing_key.at[wish.sealing_key.len - 1] ^= 1; /* off the curve */
    assert_fails(deployment_ask(d, VERB_CHALLENGE, &challenge_wish_record, &wish, &challenge_record,
                                &challenge, &err),
                 ERR_INVALID, "unsupported-key");
    bytes_done(&wish.sealing_key);
}

/* A policy is the charter's or none, and the nonce is gone all the same. */
static void a_policy_that_nobody_signed_judges_nothing(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge challenge;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(bytes_done) struct bytes evidence = {0};
    assert_ok(guest_challenge(d, &g, &challenge, &err));
    guest_evidence(d, &g, &challenge, &evidence);
    g.policy = "easy";
    assert_fails(guest_appraise(d, &g, &challenge, &evidence, &err), ERR_DENIED, "policy-unknown");
    g.policy = "stock";
    assert_fails(guest_appraise(d, &g, &challenge, &evidence, &err), ERR_CONFLICT,
                 "challenge-again");
}

static void the_nonce_of_another_instance_is_refused_and_gone(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge challenge;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(bytes_done) struct bytes evidence = {0};
    assert_ok(guest_challenge(d, &g, &challenge, &err));
    guest_evidence(d, &g, &challenge, &evidence);
    struct uuid own = g.instance;
    g.instance = uuid_new();
    assert_fails(guest_appraise(d, &g, &challenge, &evidence, &err), ERR_DENIED,
                 "challenge-instance");
    g.instance = own;
    assert_fails(guest_appraise(d, &g, &challenge, &evidence, &err), ERR_CONFLICT,
                 "challenge-again");
}

static void the_evidence_of_another_guest_is_rejected(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge ours;
    struct challenge theirs;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(guest_done) struct guest other = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(bytes_done) struct bytes evidence = {0};
    assert_ok(guest_challenge(d, &g, &ours, &err));
    assert_ok(guest_challenge(d, &other, &theirs, &err));
    guest_evidence(d, &other, &theirs, &evidence);
    assert_ok(guest_appraise(d, &g, &ours, &evidence, &err));
    verdict_is(&g, "rejected", "policy-report-data");
}

enum twist { OTHER_LINK_KEY, OTHER_SEALING_KEY, OTHER_ROOT, OTHER_REST, TWIST_COUNT };

/* A guest diverted to another controller binds that one's root; a relay binds its own keys. */
static void evidence_bound_to_another_root_or_key_is_rejected(void **state)
{
    struct deployment *d = *state;
    for (int twist = 0; twist < TWIST_COUNT; twist++) {
        struct error err = {0};
        struct challenge challenge;
        OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
        OWNED(bytes_done) struct bytes evidence = {0};
        assert_ok(guest_challenge(d, &g, &challenge, &err));
        struct key **which = twist == OTHER_LINK_KEY ? &g.link_key : &g.sealing_key;
        if (twist == OTHER_LINK_KEY || twist == OTHER_SEALING_KEY) {
            key_drop(which);
            assert_ok(key_generate(KEY_P256, which, &err));
        }
        struct challenge told = challenge;
        told.root_key[0] ^= twist == OTHER_ROOT;
        guest_evidence(d, &g, &told, &evidence);
        if (twist == OTHER_REST) {
            OWNED(json_drop) json_t *json = json_loadb((char *)evidence.at, evidence.len, 0, NULL);
            OWNED(mem_drop) char *rest = base64_of(span_of_text("{\"boot\":2,\"documents\":{}}"));
            json_put_text(json, "rest", rest);
            OWNED(mem_drop) char *printed = json_print(json);
            bytes_done(&evidence);
            bytes_add(&evidence, span_of_text(printed));
        }
        assert_ok(guest_appraise(d, &g, &challenge, &evidence, &err));
        verdict_is(&g, "rejected", "policy-report-data");
    }
}

static void another_kind_than_was_challenged_is_refused(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge challenge;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(bytes_done) struct bytes evidence = {0};
    assert_ok(guest_challenge(d, &g, &challenge, &err));
    g.kind = EVIDENCE_SNP;
    guest_evidence(d, &g, &challenge, &evidence);
    assert_fails(guest_appraise(d, &g, &challenge, &evidence, &err), ERR_DENIED, "kind-mismatch");
}

static void simulated_evidence_in_the_place_of_genuine_is_rejected(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    g.kind = EVIDENCE_SNP;
    attest(d, &g);
    verdict_is(&g, "rejected", "chain-untrusted");
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
    OWNED(mem_drop) char *path = scratch_path(d->keeper_folder, "sign-key.pem");
    OWNED(bytes_wipe) struct bytes pem = {0};
    OWNED(key_drop) struct key *signer = NULL;
    struct verdict_token token = {0};
    attest(d, &g);
    assert_ok(file_read_private(path, 4096, &pem, &err));
    assert_ok(key_from_private_pem(bytes_span(&pem), &signer, &err));
    assert_fails(verdict_token_read(span_of_text(g.token), signer, REALM_PRODUCTION, clock_now(),
                                    &token, &err),
                 ERR_DENIED, "verdict-simulated");
}

static void without_its_memory_the_keeper_appraises_and_releases_nothing(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored s = {0};
    struct stored more = {0};
    make(d, "for-all", NULL, &s);
    deployment_stop_keeper(d);
    OWNED(mem_drop) char *path = scratch_path(d->keeper_folder, "state");
    assert_int_equal(unlink(path), 0);
    deployment_start_keeper(d);
    attest(d, &g);
    verdict_is(&g, "trusted", "ok");
    struct release_wish wish = release_wish_of(&g, &s);
    refused(d, &wish, "state-missing");
    assert_fails(stored_make(d, "for-all", NULL, &more, &err), ERR_DENIED, "state-missing");
    deployment_raise_serial(d);
    assert_fails(deployment_apply(d, &err), ERR_DENIED, "state-missing");
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

static void requests_of_others_and_of_nobody_are_refused(void **state)
{
    struct deployment *d = *state;
    static const struct {
        const char *request, *code;
    } bad[] = {
        {"{\"do\":\"heartbeat\",\"seq\":1,\"load\":1}", "unknown-verb"},
        {"{\"do\":\"status\",\"more\":1}", "unknown-member"},
        {"{\"do\":\"release\"}", "missing-member"},
    };
    for (size_t i = 0; i < countof(bad); i++) {
        struct error err = {0};
        OWNED(bytes_done) struct bytes answer = {0};
        assert_int_equal(keeper_answer(d->keeper, span_of_text(bad[i].request), &answer),
                         FRAME_PROBLEM);
        error_ignore(message_parse_problem(bytes_span(&answer), &err));
        assert_string_equal(err.code, bad[i].code);
    }
}

#define IN(test) cmocka_unit_test_setup_teardown(test, deployment_open, deployment_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(a_guest_that_proves_itself_gets_its_secret_and_nobody_else_can_read_it),
        IN(plain_cloud_evidence_is_l1_and_says_why),
        IN(a_host_key_is_made_for_one_machine_with_its_public_half),
        IN(a_secret_of_one_machine_is_refused_to_another_anchor),
        IN(a_secret_of_one_machine_is_refused_where_no_machine_is_proven),
        IN(a_secret_of_one_machine_needs_its_anchor_and_one_of_a_fleet_has_none),
        IN(a_policy_that_the_grant_does_not_name_gets_nothing),
        IN(unproven_software_gets_nothing_unless_the_grant_says_so),
        IN(a_widened_grant_that_nobody_signed_is_refused),
        IN(a_widened_grant_under_an_old_signature_is_refused),
        IN(a_secret_cannot_be_moved_under_another_grant),
        IN(a_lower_charter_serial_is_refused_even_after_a_restart),
        IN(another_charter_of_the_same_serial_is_refused),
        IN(the_same_charter_may_come_again),
        IN(a_charter_that_was_only_written_counts_after_the_crash),
        IN(an_old_charter_file_put_back_does_not_open),
        IN(an_expired_charter_stops_everything),
        IN(narrowing_acts_at_once),
        IN(a_charter_for_another_keeper_is_refused),
        IN(what_the_charter_denies_is_not_trusted),
        IN(a_lower_version_is_refused_even_after_a_restart),
        IN(a_record_is_released_only_as_what_it_is),
        IN(a_record_of_another_deployment_is_nothing_here),
        IN(a_replayed_verdict_is_refused),
        IN(an_older_challenge_answered_late_makes_no_newer_verdict),
        IN(setting_the_clock_back_brings_no_older_verdict_back),
        IN(a_claimant_that_fails_takes_nothing_from_the_incumbent),
        IN(a_replayed_release_is_refused),
        IN(an_old_verdict_is_refused_by_the_grants_age_and_then_by_its_own),
        IN(the_age_of_a_verdict_counts_from_the_nonce),
        IN(the_verdict_of_another_instance_is_refused),
        IN(the_verdict_of_another_deployment_is_refused),
        IN(what_is_no_verdict_at_all_opens_nothing),
        IN(a_record_that_is_none_opens_nothing),
        IN(a_destroyed_machine_gets_nothing_any_more),
        IN(a_changed_verdict_is_refused),
        IN(a_rejection_opens_nothing),
        IN(an_opinion_is_not_a_verdict),
        IN(the_verdict_of_another_keeper_is_refused),
        IN(a_root_of_the_other_realm_does_not_follow_ours),
        IN(a_charter_file_of_the_other_realm_does_not_open),
        IN(only_a_p256_key_is_challenged_for),
        IN(a_policy_that_nobody_signed_judges_nothing),
        IN(a_nonce_counts_once),
        IN(a_nonce_lives_three_minutes_and_not_over_a_restart),
        IN(the_nonce_of_another_instance_is_refused_and_gone),
        IN(the_evidence_of_another_guest_is_rejected),
        IN(evidence_bound_to_another_root_or_key_is_rejected),
        IN(another_kind_than_was_challenged_is_refused),
        IN(simulated_evidence_in_the_place_of_genuine_is_rejected),
        IN(a_simulator_counts_only_while_the_charter_names_its_roots),
        cmocka_unit_test(production_knows_no_simulation),
        IN(a_simulated_verdict_is_none_in_production),
        IN(without_its_memory_the_keeper_appraises_and_releases_nothing),
        cmocka_unit_test(before_the_first_charter_nothing_is_done),
        IN(requests_of_others_and_of_nobody_are_refused),
    };
    return cmocka_run_group_tests_name("stolen controller", tests, NULL, NULL);
}
