#include "tests/support/deployment.h"

#include <stdlib.h>
#include <string.h>

#include "cli/keeper_init.h"
#include "lib/attest/evidence.h"
#include "lib/base/file.h"
#include "lib/crypto/random.h"
#include "lib/crypto/token.h"
#include "lib/model/charter.h"
#include "tests/support/scratch.h"
#include "tests/support/simulator.h"
#include "tests/support/test.h"

enum { CHALLENGES_MOST = 64 };

/* ---- the deployment ----------------------------------------------------------------------- */

static void load_key(struct deployment *d)
{
    struct error err = {0};
    OWNED(bytes_wipe) struct bytes pem = {0};
    OWNED(mem_drop) char *path = scratch_path(d->folder, "charter/key.pem");
    assert_ok(file_read_private(path, 4096, &pem, &err));
    assert_ok(key_from_private_pem(bytes_span(&pem), &d->charter_key, &err));
}

static void load_root(struct deployment *d)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes pem = {0};
    OWNED(mem_drop) char *path = scratch_path(d->folder, "agent/root.pem");
    assert_ok(file_read(path, 4096, &pem, &err));
    assert_ok(cert_from_pem(bytes_span(&pem), &d->root, &err));
}

static void load_charter(struct deployment *d)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes text = {0};
    OWNED(mem_drop) char *path = scratch_path(d->folder, "charter/charter.json");
    assert_ok(file_read(path, CHARTER_SIZE_MAX, &text, &err));
    assert_ok(json_parse(bytes_span(&text), CHARTER_SIZE_MAX, &d->charter, &err));
}

/* Certificates of two keys that nobody keeps. */
static void add_recovery(struct deployment *d, struct argument_list *out, char *paths[static 2])
{
    static const char *const names[] = {"recovery-1.pem", "recovery-2.pem"};
    for (size_t i = 0; i < countof(names); i++) {
        struct error err = {0};
        OWNED(key_drop) struct key *key = NULL;
        OWNED(cert_drop) struct cert *cert = NULL;
        OWNED(bytes_done) struct bytes pem = {0};
        assert_ok(key_generate(KEY_P256, &key, &err));
        assert_ok(cert_make_guest(key, &cert, &err));
        assert_ok(cert_to_pem(cert, &pem, &err));
        paths[i] = scratch_path(d->folder, names[i]);
        assert_ok(file_write(paths[i], bytes_span(&pem), 0644, &err));
        out->at[out->count++] = paths[i];
    }
}

struct deployment *deployment_make(enum realm realm, bool with_simulator)
{
    struct error err = {0};
    struct deployment *d = NEW(struct deployment);
    void *folder = NULL;
    assert_int_equal(scratch_open(&folder), 0);
    d->folder = folder;
    d->psp = simulator_open();
    OWNED(mem_drop) char *pem = scratch_path(d->folder, "simulator.pem");
    assert_ok(file_write(pem, psp_roots(d->psp), 0644, &err));
    struct keeper_init init = {
        .folder = d->folder,
        .realm = realm,
        .threshold = 1,
        .simulator_root = with_simulator ? pem : NULL,
    };
    char *paths[2] = {NULL, NULL};
    if (realm == REALM_PRODUCTION)
        add_recovery(d, &init.recovery, paths);
    assert_ok(keeper_init(&init, &err));
    free(paths[0]);
    free(paths[1]);
    d->keeper_folder = scratch_path(d->folder, "keeper");
    load_key(d);
    load_root(d);
    load_charter(d);
    return d;
}

void deployment_start_keeper(struct deployment *d)
{
    struct error err = {0};
    assert_ok(keeper_open(d->keeper_folder, CHALLENGES_MOST, &d->keeper, &err));
}

void deployment_stop_keeper(struct deployment *d)
{
    keeper_close(d->keeper);
    d->keeper = NULL;
}

void deployment_free(struct deployment *d)
{
    void *folder = d->folder;
    keeper_close(d->keeper);
    psp_close(d->psp);
    json_decref(d->charter);
    key_free(d->charter_key);
    cert_free(d->root);
    free(d->keeper_folder);
    assert_int_equal(scratch_close(&folder), 0);
    free(d);
}

/* ---- the charter -------------------------------------------------------------------------- */

static char *measurement_hex(uint8_t value)
{
    uint8_t measurement[CHARTER_MEASUREMENT_SIZE];
    memset(measurement, value, sizeof measurement);
    return hex_of(SPAN_OF(measurement));
}

static void add_reference(json_t *charter, const char *name, uint8_t measured, bool direct)
{
    OWNED(mem_drop) char *hex = measurement_hex(measured);
    json_object_set_new(json_object_get(charter, "references"), name,
                        json_pack("{s:[s],s:b,s:s,s:s}", "measurement", hex, "measured_boot",
                                  (int)direct, "anchor", direct ? "host-data" : "none",
                                  "provider_execution", direct ? "off" : "on"));
    json_object_set_new(
        json_object_get(charter, "policies"), name,
        json_pack("{s:{},s:[s],s:i}", "snp", "references", name, "valid_seconds", 7200));
}

static void add_grant(json_t *charter, const char *name, json_t *policies, const char *scope,
                      const char *kind, bool unproven)
{
    json_object_set_new(json_object_get(charter, "grants"), name,
                        json_pack("{s:o,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:b}", "policies", policies,
                                  "least_level", "L1", "accounts", "any", "regions", "any",
                                  "fleets", "any", "scope", scope, "kind", kind, "origin",
                                  "generate", "max_verdict_age_seconds", 3600,
                                  "allow_unproven_software", (int)unproven));
}

void deployment_write_charter(struct deployment *d)
{
    json_t *charter = d->charter;
    add_reference(charter, "stock", MEASURED_STOCK, false);
    add_reference(charter, "direct", MEASURED_DIRECT, true);
    add_grant(charter, "for-all", json_pack("[s,s]", "stock", "direct"), "fleet", "opaque", true);
    add_grant(charter, "proven", json_pack("[s,s]", "stock", "direct"), "fleet", "opaque", false);
    add_grant(charter, "direct-only", json_pack("[s]", "direct"), "fleet", "opaque", true);
    add_grant(charter, "host", json_pack("[s]", "direct"), "instance", "ssh-host-key", false);
}

json_t *deployment_at(struct deployment *d, const char *section, const char *name)
{
    json_t *found = json_object_get(json_object_get(d->charter, section), name);
    assert_non_null(found);
    return found;
}

void deployment_raise_serial(struct deployment *d)
{
    json_int_t serial = json_integer_value(json_object_get(d->charter, "serial"));
    json_object_set_new(d->charter, "serial", json_integer(serial + 1));
}

char *deployment_sign_as(const json_t *json, const char *typ, const struct key *a,
                         const struct key *b)
{
    struct error err = {0};
    OWNED(mem_drop) char *printed = json_print(json);
    OWNED(mem_drop) char *bare = NULL;
    OWNED(mem_drop) char *once = NULL;
    char *twice = NULL;
    token_set_make(span_of_text(printed), &bare);
    assert_ok(token_set_sign(span_of_text(bare), typ, a, &once, &err));
    if (b == NULL)
        return TAKE(once);
    assert_ok(token_set_sign(span_of_text(once), typ, b, &twice, &err));
    return twice;
}

char *deployment_sign(const struct deployment *d, const struct key *key)
{
    return deployment_sign_as(d->charter, CHARTER_TYP, key, NULL);
}

enum outcome deployment_give(struct deployment *d, char *jws, struct error *err)
{
    struct charter_wish wish = {.jws = jws};
    struct charter_reply reply = {0};
    return deployment_ask(d, VERB_CHARTER, &charter_wish_record, &wish, &charter_reply_record,
                          &reply, err);
}

enum outcome deployment_apply(struct deployment *d, struct error *err)
{
    OWNED(mem_drop) char *jws = deployment_sign(d, d->charter_key);
    return deployment_give(d, jws, err);
}

struct key *deployment_signer(const struct deployment *d)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(d->keeper_folder, "sign-key.pem");
    OWNED(bytes_wipe) struct bytes pem = {0};
    struct key *signer = NULL;
    assert_ok(file_read_private(path, 4096, &pem, &err));
    assert_ok(key_from_private_pem(bytes_span(&pem), &signer, &err));
    return signer;
}

int deployment_open(void **state)
{
    struct error err = {0};
    clock_freeze(clock_at_seconds(SIMULATOR_TODAY + 3600));
    struct deployment *d = deployment_make(REALM_SIMULATION, true);
    deployment_start_keeper(d);
    deployment_write_charter(d);
    assert_ok(deployment_apply(d, &err));
    *state = d;
    return 0;
}

int deployment_close(void **state)
{
    deployment_free(*state);
    clock_thaw();
    return 0;
}

enum outcome deployment_ask(struct deployment *d, enum verb verb, const struct record *wish_record,
                            const void *wish, const struct record *reply_record, void *reply,
                            struct error *err)
{
    OWNED(bytes_done) struct bytes request = {0};
    OWNED(bytes_done) struct bytes answer = {0};
    message_print(verb, wish_record, wish, &request);
    enum frame_type type = d->ask != NULL ? d->ask(d->ask_context, bytes_span(&request), &answer)
                                          : keeper_answer(d->keeper, bytes_span(&request), &answer);
    if (type == FRAME_PROBLEM)
        return message_parse_problem(bytes_span(&answer), err);
    return message_parse_reply(bytes_span(&answer), reply_record, reply, err);
}

/* ---- guests ------------------------------------------------------------------------------- */

struct guest guest_make(enum psp_flavour flavour, uint8_t host)
{
    struct error err = {0};
    bool direct = flavour == PSP_DIRECT_BOOT;
    struct guest g = {
        .instance = uuid_new(),
        .kind = EVIDENCE_SIMULATED,
        .wish = psp_wish(flavour),
        .policy = direct ? "direct" : "stock",
    };
    memset(g.wish.measurement, direct ? MEASURED_DIRECT : MEASURED_STOCK,
           sizeof g.wish.measurement);
    memset(g.wish.host_data, host, sizeof g.wish.host_data);
    memset(g.wish.chip_id, 7, sizeof g.wish.chip_id);
    random_fill(g.wish.report_id, sizeof g.wish.report_id);
    assert_ok(key_generate(KEY_P256, &g.link_key, &err));
    bytes_add(&g.rest, span_of_text("{\"boot\":1,\"documents\":{}}"));
    return g;
}

void guest_claim_is(const struct guest *g, const char *name, const char *value)
{
    const char *have = json_string_value(json_object_get(g->verdict.claims, name));
    assert_string_equal(have != NULL ? have : "", value);
}

void guest_verdict_is(const struct guest *g, const char *verdict, const char *reason)
{
    guest_claim_is(g, "reason", reason);
    guest_claim_is(g, "verdict", verdict);
}

void guest_done(struct guest *g)
{
    key_free(g->link_key);
    key_free(g->sealing_key);
    bytes_done(&g->rest);
    free(g->token);
    record_done(&appraise_reply_record, &g->verdict);
}

void guest_link_fingerprint(const struct guest *g, uint8_t out[static SHA256_SIZE])
{
    key_fingerprint(g->link_key, out);
}

enum outcome guest_challenge(struct deployment *d, struct guest *g, struct challenge *out,
                             struct error *err)
{
    struct error ignored = {0};
    struct challenge_wish wish = {.kind = g->kind, .instance = g->instance};
    guest_link_fingerprint(g, wish.link_key);
    key_drop(&g->sealing_key);
    TRY(key_generate(evidence_sealing_kind(g->kind), &g->sealing_key, &ignored));
    TRY(key_to_spki(g->sealing_key, &wish.sealing_key, &ignored));
    enum outcome outcome = deployment_ask(d, VERB_CHALLENGE, &challenge_wish_record, &wish,
                                          &challenge_record, out, err);
    bytes_done(&wish.sealing_key);
    return outcome;
}

void guest_evidence(struct deployment *d, struct guest *g, const struct challenge *challenge,
                    struct bytes *out)
{
    struct error err = {0};
    OWNED(evidence_done) struct evidence evidence = {.kind = g->kind};
    struct binding binding = {
        .kind = g->kind, .instance = g->instance, .rest = bytes_span(&g->rest)};
    memcpy(binding.nonce, challenge->nonce, sizeof binding.nonce);
    memcpy(binding.root_key, challenge->root_key, sizeof binding.root_key);
    key_fingerprint(g->link_key, binding.link_key);
    key_fingerprint(g->sealing_key, binding.sealing_key);
    binding_digest(&binding, g->wish.report_data);
    assert_ok(psp_report(d->psp, &g->wish, &evidence.report, &evidence.cert_table, &err));
    bytes_add(&evidence.rest, bytes_span(&g->rest));
    OWNED(mem_drop) char *printed = evidence_print(&evidence);
    bytes_done(out);
    bytes_add(out, span_of_text(printed));
}

enum outcome guest_appraise(struct deployment *d, struct guest *g,
                            const struct challenge *challenge, const struct bytes *evidence,
                            struct error *err)
{
    struct appraise_wish wish = {.instance = g->instance, .evidence = *evidence};
    memcpy(wish.nonce, challenge->nonce, sizeof wish.nonce);
    TRY(text_copy(wish.policy, sizeof wish.policy, g->policy, "", NULL));
    TRY(text_copy(wish.declared_machine, sizeof wish.declared_machine,
                  g->declared != NULL ? g->declared : "", "", NULL));
    record_done(&appraise_reply_record, &g->verdict);
    TRY(deployment_ask(d, VERB_APPRAISE, &appraise_wish_record, &wish, &appraise_reply_record,
                       &g->verdict, err));
    free(g->token);
    g->token = mem_text(g->verdict.token);
    return OK;
}

enum outcome guest_attest(struct deployment *d, struct guest *g, struct error *err)
{
    struct challenge challenge;
    OWNED(bytes_done) struct bytes evidence = {0};
    TRY(guest_challenge(d, g, &challenge, err));
    guest_evidence(d, g, &challenge, &evidence);
    return guest_appraise(d, g, &challenge, &evidence, err);
}

/* ---- secrets ------------------------------------------------------------------------------ */

static void fill_generate(struct generate_wish *out, const struct deployment *d, const char *grant,
                          const struct guest *owner)
{
    json_t *rule = json_object_get(json_object_get(d->charter, "grants"), grant);
    const char *kind = json_string_value(json_object_get(rule, "kind"));
    const char *scope = json_string_value(json_object_get(rule, "scope"));
    *out = (struct generate_wish){.secret = uuid_new(), .name = "web-key", .version = 1};
    error_ignore(text_copy(out->kind, sizeof out->kind, kind != NULL ? kind : "opaque", "", NULL));
    error_ignore(
        text_copy(out->scope, sizeof out->scope, scope != NULL ? scope : "fleet", "", NULL));
    error_ignore(text_copy(out->grant, sizeof out->grant, grant, "", NULL));
    const char *anchor =
        owner != NULL ? json_string_value(json_object_get(owner->verdict.claims, "anchor")) : NULL;
    if (anchor != NULL)
        error_ignore(hex_decode_exact(anchor, out->anchor, sizeof out->anchor, NULL));
}

enum outcome stored_make(struct deployment *d, const char *grant, const struct guest *owner,
                         struct stored *out, struct error *err)
{
    fill_generate(&out->wish, d, grant, owner);
    return deployment_ask(d, VERB_GENERATE, &generate_wish_record, &out->wish,
                          &generate_reply_record, &out->reply, err);
}

enum outcome stored_renew(struct deployment *d, struct stored *s, struct error *err)
{
    record_done(&generate_reply_record, &s->reply);
    s->wish.version++;
    return deployment_ask(d, VERB_GENERATE, &generate_wish_record, &s->wish, &generate_reply_record,
                          &s->reply, err);
}

void stored_done(struct stored *s)
{
    record_done(&generate_reply_record, &s->reply);
}

struct release_wish release_wish_of(struct guest *g, const struct stored *s)
{
    struct release_wish wish = {
        .delivery = uuid_new(),
        .instance = g->instance,
        .secret = s->wish.secret,
        .name = "web-key",
        .version = s->wish.version,
        .sequence = ++g->sequence,
        .record = s->reply.record,
        .token = g->token,
        .fleet = "web",
    };
    return wish;
}

enum outcome release_ask(struct deployment *d, const struct release_wish *wish,
                         struct release_reply *out, struct error *err)
{
    return deployment_ask(d, VERB_RELEASE, &release_wish_record, wish, &release_reply_record, out,
                          err);
}

enum outcome guest_open(struct deployment *d, const struct guest *g, struct span envelope,
                        struct seal_header *out_header, struct locked *out, struct error *err)
{
    struct seal_expected expected = {
        .purpose = SEAL_PURPOSE_SECRET,
        .instance = g->instance,
        .roots = &d->root,
        .root_count = 1,
        .at = clock_now(),
    };
    return seal_open(envelope, g->sealing_key, &expected, out_header, out, err);
}

/* ---- what must come of it ------------------------------------------------------------------ */

void guest_attested(struct deployment *d, struct guest *g)
{
    struct error err = {0};
    assert_ok(guest_attest(d, g, &err));
}

void assert_claim(const struct guest *g, const char *name, const char *value)
{
    assert_string_equal(json_string_value(json_object_get(g->verdict.claims, name)), value);
}

void assert_verdict(const struct guest *g, const char *verdict, const char *reason)
{
    assert_claim(g, "verdict", verdict);
    assert_claim(g, "reason", reason);
}

void stored_made(struct deployment *d, const char *grant, const struct guest *owner,
                 struct stored *out)
{
    struct error err = {0};
    assert_ok(stored_make(d, grant, owner, out, &err));
}

void assert_released(struct deployment *d, const struct release_wish *wish)
{
    struct error err = {0};
    struct release_reply reply = {0};
    assert_ok(release_ask(d, wish, &reply, &err));
    record_done(&release_reply_record, &reply);
}

void assert_refused(struct deployment *d, const struct release_wish *wish, const char *code)
{
    struct error err = {0};
    struct release_reply reply = {0};
    assert_fails(release_ask(d, wish, &reply, &err), ERR_DENIED, code);
    assert_null(reply.envelope.at);
}
