/* Azure's evidence and the keeper: what an honest machine gets, and what everybody gets who shows
 * the quote, the keys or the nonce of somebody else (trust.md sections 2 and 4). */
#include <string.h>

#include "lib/attest/evidence.h"
#include "tests/support/deployment.h"
#include "tests/support/paravisor.h"
#include "tests/support/spoil.h"
#include "tests/support/test.h"

enum { MEASURED_PARAVISOR = 0x44 };
static const char id_key[] = "333333333333333333333333333333333333333333333333333333333333333333333"
                             "333333333333333333333333333";
static const char register_4[] = "0404040404040404040404040404040404040404040404040404040404040404";

static void write_policy(struct deployment *d, const char *name, json_t *measurement)
{
    json_object_set_new(json_object_get(d->charter, "references"), name,
                        json_pack("{s:o,s:b,s:s,s:s}", "measurement", measurement, "measured_boot",
                                  1, "anchor", "vtpm", "provider_execution", "off"));
    json_object_set_new(json_object_get(d->charter, "policies"), name,
                        json_pack("{s:{s:s},s:{s:{s:s}},s:[s],s:i}", "snp", "id_key_digest", id_key,
                                  "azure", "pcrs", "4", register_4, "references", name,
                                  "valid_seconds", 7200));
}

/* Policies "azure" and grant "vm", for secrets of one machine whose software is proven. */
static void write_charter(struct deployment *d)
{
    struct error err = {0};
    write_policy(d, "azure", json_string("any"));
    json_t *grant = json_deep_copy(deployment_at(d, "grants", "host"));
    json_object_set_new(grant, "policies", json_pack("[s]", "azure"));
    json_object_set_new(json_object_get(d->charter, "grants"), "vm", grant);
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
}

static int set_up(void **state)
{
    assert_int_equal(deployment_open(state), 0);
    write_charter(*state);
    return 0;
}

static struct guest guest(void)
{
    struct guest g = guest_make(PSP_DIRECT_BOOT, 0);
    g.kind = EVIDENCE_SNP_AZURE;
    g.policy = "azure";
    return g;
}

static struct paravisor_wish machine(int which)
{
    struct paravisor_wish wish = paravisor_wish();
    wish.machine = which;
    wish.measurement = MEASURED_PARAVISOR;
    return wish;
}

/* What the guest must answer with, by its own knowledge. */
static void answer_of(const struct guest *g, const struct challenge *c,
                      uint8_t out[static SHA256_SIZE])
{
    uint8_t whole[BINDING_SIZE];
    struct binding b = {.kind = g->kind, .instance = g->instance, .rest = bytes_span(&g->rest)};
    memcpy(b.nonce, c->nonce, sizeof b.nonce);
    memcpy(b.root_key, c->root_key, sizeof b.root_key);
    key_fingerprint(g->link_key, b.link_key);
    key_fingerprint(g->sealing_key, b.sealing_key);
    binding_digest(&b, whole);
    digest(DIGEST_SHA256, SPAN_OF(whole), out);
}

static void print_evidence(struct deployment *d, const struct guest *g,
                           const struct paravisor_wish *wish, struct bytes *out)
{
    OWNED(paravisor_done) struct paravisor p;
    OWNED(evidence_done) struct evidence e = {.kind = EVIDENCE_SNP_AZURE};
    OWNED(snp_roots_drop) struct snp_roots *roots = simulator_roots(d->psp);
    paravisor_make(d->psp, roots, wish, &p);
    bytes_add(&e.hcl, bytes_span(&p.hcl));
    bytes_add(&e.quote, bytes_span(&p.quote));
    bytes_add(&e.signature, bytes_span(&p.signature));
    bytes_add(&e.cert_table, bytes_span(&p.table));
    bytes_add(&e.rest, bytes_span(&g->rest));
    e.pcrs = json_incref(p.pcrs);
    OWNED(mem_drop) char *text = evidence_print(&e);
    bytes_done(out);
    bytes_add(out, span_of_text(text));
}

static void make_evidence(struct deployment *d, const struct guest *g, const struct challenge *c,
                          const struct paravisor_wish *wish, struct bytes *out)
{
    uint8_t answer[SHA256_SIZE];
    struct paravisor_wish answering = *wish;
    answer_of(g, c, answer);
    answering.answer = SPAN_OF(answer);
    print_evidence(d, g, &answering, out);
}

static void attest_as(struct deployment *d, struct guest *g, const struct paravisor_wish *wish)
{
    struct error err = {0};
    struct challenge challenge;
    OWNED(bytes_done) struct bytes evidence = {0};
    assert_ok(guest_challenge(d, g, &challenge, &err));
    make_evidence(d, g, &challenge, wish, &evidence);
    assert_ok(guest_appraise(d, g, &challenge, &evidence, &err));
}

static void claim_is(const struct guest *g, const char *name, const char *value)
{
    const char *have = json_string_value(json_object_get(g->verdict.claims, name));
    assert_string_equal(have != NULL ? have : "", value);
}

static void verdict_is(const struct guest *g, const char *verdict, const char *reason)
{
    claim_is(g, "reason", reason);
    claim_is(g, "verdict", verdict);
}

static void assert_wish(struct deployment *d, const struct paravisor_wish *wish, const char *reason)
{
    OWNED(guest_done) struct guest g = guest();
    attest_as(d, &g, wish);
    verdict_is(&g, strcmp(reason, "ok") == 0 ? "trusted" : "rejected", reason);
}

/* ---- the honest way ------------------------------------------------------------------------- */

static void a_machine_that_proves_itself_gets_its_own_secret(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    const struct paravisor_wish wish = machine(0);
    OWNED(guest_done) struct guest g = guest();
    OWNED(stored_done) struct stored s = {0};
    OWNED(locked_done) struct locked plain = {0};
    struct release_reply reply = {0};
    struct seal_header header;
    attest_as(d, &g, &wish);
    verdict_is(&g, "trusted", "ok");
    claim_is(&g, "kind", "snp-azure");
    claim_is(&g, "software", "hardware");
    claim_is(&g, "identity", "hardware");
    assert_true(json_is_true(json_object_get(g.verdict.claims, "simulated")));
    assert_ok(stored_make(d, "vm", &g, &s, &err));
    struct release_wish release = release_wish_of(&g, &s);
    assert_ok(release_ask(d, &release, &reply, &err));
    assert_ok(guest_open(d, &g, bytes_span(&reply.envelope), &header, &plain, &err));
    record_done(&release_reply_record, &reply);
}

static void another_machine_has_another_anchor(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    const struct paravisor_wish first = machine(0);
    const struct paravisor_wish second = machine(1);
    OWNED(guest_done) struct guest owner = guest();
    OWNED(guest_done) struct guest thief = guest();
    OWNED(stored_done) struct stored s = {0};
    struct release_reply reply = {0};
    attest_as(d, &owner, &first);
    attest_as(d, &thief, &second);
    verdict_is(&thief, "trusted", "ok");
    assert_ok(stored_make(d, "vm", &owner, &s, &err));
    struct release_wish release = release_wish_of(&thief, &s);
    assert_fails(release_ask(d, &release, &reply, &err), ERR_DENIED, "anchor-mismatch");
}

static char *boot_of(const struct guest *g)
{
    return mem_text(json_string_value(json_object_get(g->verdict.claims, "report_id")));
}

static void a_boot_is_told_from_the_next_by_the_vtpm_and_not_by_the_report(void **state)
{
    struct deployment *d = *state;
    struct paravisor_wish wish = machine(0);
    OWNED(guest_done) struct guest g = guest();
    attest_as(d, &g, &wish);
    OWNED(mem_drop) char *first = boot_of(&g);
    attest_as(d, &g, &wish);
    OWNED(mem_drop) char *again = boot_of(&g);
    wish.reset_count++;
    attest_as(d, &g, &wish);
    OWNED(mem_drop) char *next = boot_of(&g);
    assert_string_equal(first, again);
    assert_string_not_equal(first, next);
}

/* ---- somebody else's quote ------------------------------------------------------------------ */

static void a_quote_of_another_machine_is_rejected(void **state)
{
    struct paravisor_wish wish = machine(0);
    wish.quote_by_other_key = true;
    assert_wish(*state, &wish, "quote-bad-signature");
}

static void registers_are_those_of_the_policy(void **state)
{
    struct paravisor_wish wish = machine(0);
    wish.other_register = 1;
    assert_wish(*state, &wish, "policy-pcr");
    wish = machine(0);
    wish.quote_registers &= ~(1u << 4);
    assert_wish(*state, &wish, "policy-pcr");
    wish = machine(0);
    wish.vmpl = 1;
    assert_wish(*state, &wish, "policy-vmpl");
}

/* The quote is made over one thing that is not what was challenged for. */
static void a_quote_over_anything_but_the_binding_is_rejected(void **state)
{
    struct deployment *d = *state;
    static spoil_fn *const ways[] = {spoil_nonce, spoil_root,     spoil_sealing,
                                     spoil_link,  spoil_instance, spoil_kind};
    for (size_t i = 0; i < countof(ways); i++) {
        struct error err = {0};
        struct challenge asked;
        OWNED(bytes_done) struct bytes evidence = {0};
        OWNED(guest_done) struct guest g = guest();
        const struct paravisor_wish wish = machine(0);
        assert_ok(guest_challenge(d, &g, &asked, &err));
        struct challenge spoiled = asked;
        const struct uuid own = g.instance;
        ways[i](&g, &spoiled);
        make_evidence(d, &g, &spoiled, &wish, &evidence);
        g.instance = own;
        g.kind = EVIDENCE_SNP_AZURE;
        assert_ok(guest_appraise(d, &g, &asked, &evidence, &err));
        verdict_is(&g, "rejected", "nonce-mismatch");
    }
}

static void another_record_of_the_boot_is_rejected(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge asked;
    uint8_t answer[SHA256_SIZE];
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(guest_done) struct guest g = guest();
    struct paravisor_wish wish = machine(0);
    assert_ok(guest_challenge(d, &g, &asked, &err));
    answer_of(&g, &asked, answer);
    wish.answer = SPAN_OF(answer);
    bytes_add_u8(&g.rest, ' ');
    print_evidence(d, &g, &wish, &evidence);
    assert_ok(guest_appraise(d, &g, &asked, &evidence, &err));
    verdict_is(&g, "rejected", "nonce-mismatch");
}

static void the_nonce_alone_is_no_answer(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge asked;
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(guest_done) struct guest g = guest();
    struct paravisor_wish wish = machine(0);
    assert_ok(guest_challenge(d, &g, &asked, &err));
    wish.answer = SPAN_OF(asked.nonce);
    print_evidence(d, &g, &wish, &evidence);
    assert_ok(guest_appraise(d, &g, &asked, &evidence, &err));
    verdict_is(&g, "rejected", "nonce-mismatch");
}

static void evidence_counts_once(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge first, second;
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(guest_done) struct guest g = guest();
    const struct paravisor_wish wish = machine(0);
    assert_ok(guest_challenge(d, &g, &first, &err));
    make_evidence(d, &g, &first, &wish, &evidence);
    assert_ok(guest_appraise(d, &g, &first, &evidence, &err));
    verdict_is(&g, "trusted", "ok");
    assert_fails(guest_appraise(d, &g, &first, &evidence, &err), ERR_CONFLICT, "challenge-again");
    assert_ok(guest_challenge(d, &g, &second, &err));
    assert_ok(guest_appraise(d, &g, &second, &evidence, &err));
    verdict_is(&g, "rejected", "nonce-mismatch");
}

static void a_wrapper_without_a_quote_is_rejected(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge asked;
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(guest_done) struct guest g = guest();
    const struct paravisor_wish wish = machine(0);
    assert_ok(guest_challenge(d, &g, &asked, &err));
    make_evidence(d, &g, &asked, &wish, &evidence);
    OWNED(json_drop) json_t *json = NULL;
    assert_ok(json_parse(bytes_span(&evidence), EVIDENCE_JSON_MAX, &json, &err));
    json_object_del(json, "quote");
    json_object_del(json, "signature");
    OWNED(mem_drop) char *text = json_print(json);
    OWNED(bytes_done) struct bytes bare = {0};
    bytes_add(&bare, span_of_text(text));
    assert_ok(guest_appraise(d, &g, &asked, &bare, &err));
    verdict_is(&g, "rejected", "nonce-mismatch");
}

/* ---- policies ------------------------------------------------------------------------------- */

static void a_policy_that_does_not_name_azure_refuses_it(void **state)
{
    struct deployment *d = *state;
    struct paravisor_wish wish = machine(0);
    OWNED(guest_done) struct guest g = guest();
    wish.measurement = MEASURED_DIRECT; /* which the policy takes */
    g.policy = "direct";
    attest_as(d, &g, &wish);
    verdict_is(&g, "rejected", "unsupported-evidence");
}

static void a_bare_report_is_no_way_around_the_registers(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    g.policy = "azure";
    memset(g.wish.id_key_digest, 0x33, sizeof g.wish.id_key_digest);
    assert_ok(guest_attest(d, &g, &err));
    verdict_is(&g, "rejected", "unsupported-evidence");
}

static void a_machine_of_another_paravisor_is_rejected(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    json_t *policy = json_object_get(deployment_at(d, "policies", "azure"), "snp");
    json_put_text(policy, "id_key_digest",
                  "44444444444444444444444444444444444444444444444444444444"
                  "4444444444444444444444444444444444444444");
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
    const struct paravisor_wish wish = machine(0);
    assert_wish(d, &wish, "policy-id-key");
}

/* Denied by name although it proves itself: measurement of the report within. */
static void what_the_charter_denies_is_not_trusted(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    uint8_t measurement[SNP_MEASUREMENT_SIZE];
    memset(measurement, MEASURED_PARAVISOR, sizeof measurement);
    OWNED(mem_drop) char *hex = hex_of(SPAN_OF(measurement));
    json_object_set_new(json_object_get(d->charter, "deny"), "measurements", json_pack("[s]", hex));
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
    const struct paravisor_wish wish = machine(0);
    assert_wish(d, &wish, "denied-measurement");
}

static void azure_stands_beside_snp_and_never_alone(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    json_object_del(deployment_at(d, "policies", "azure"), "snp");
    deployment_raise_serial(d);
    assert_fails(deployment_apply(d, &err), ERR_INVALID, "bad-charter");
}

/* ---- whose simulator ------------------------------------------------------------------------ */

static void an_imitation_counts_only_while_the_charter_names_its_roots(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge asked;
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(guest_done) struct guest g = guest();
    const struct paravisor_wish wish = machine(0);
    deployment_raise_serial(d);
    json_object_del(d->charter, "simulator_roots");
    assert_ok(deployment_apply(d, &err));
    assert_ok(guest_challenge(d, &g, &asked, &err));
    make_evidence(d, &g, &asked, &wish, &evidence);
    assert_fails(guest_appraise(d, &g, &asked, &evidence, &err), ERR_DENIED,
                 "simulator-not-chartered");
}

static void production_takes_no_imitation(void **state)
{
    (void)state;
    clock_freeze(clock_at_seconds(SIMULATOR_TODAY + 3600));
    struct deployment *d = deployment_make(REALM_PRODUCTION, false);
    deployment_start_keeper(d);
    deployment_write_charter(d);
    write_charter(d);
    const struct paravisor_wish wish = machine(0);
    assert_wish(d, &wish, "chain-untrusted");
    deployment_free(d);
    clock_thaw();
}

#define IN(test) cmocka_unit_test_setup_teardown(test, set_up, deployment_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(a_machine_that_proves_itself_gets_its_own_secret),
        IN(another_machine_has_another_anchor),
        IN(a_boot_is_told_from_the_next_by_the_vtpm_and_not_by_the_report),
        IN(a_quote_of_another_machine_is_rejected),
        IN(registers_are_those_of_the_policy),
        IN(a_quote_over_anything_but_the_binding_is_rejected),
        IN(another_record_of_the_boot_is_rejected),
        IN(the_nonce_alone_is_no_answer),
        IN(evidence_counts_once),
        IN(a_wrapper_without_a_quote_is_rejected),
        IN(a_policy_that_does_not_name_azure_refuses_it),
        IN(a_bare_report_is_no_way_around_the_registers),
        IN(a_machine_of_another_paravisor_is_rejected),
        IN(what_the_charter_denies_is_not_trusted),
        IN(azure_stands_beside_snp_and_never_alone),
        IN(an_imitation_counts_only_while_the_charter_names_its_roots),
        cmocka_unit_test(production_takes_no_imitation),
    };
    return cmocka_run_group_tests_name("azure guest", tests, NULL, NULL);
}
