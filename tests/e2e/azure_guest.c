/* Azure's evidence and the keeper: what an honest machine gets, and what everybody gets who shows
 * the quote, the keys or the nonce of somebody else (trust.md sections 2 and 4). */
#include <string.h>

#include "lib/attest/evidence.h"
#include "lib/model/charter.h"
#include "tests/support/guest_azure.h"
#include "tests/support/spoil.h"
#include "tests/support/test.h"

static int set_up(void **state)
{
    assert_int_equal(deployment_open(state), 0);
    azure_write_charter(*state);
    return 0;
}

static void assert_wish(struct deployment *d, const struct paravisor_wish *wish, const char *reason)
{
    OWNED(guest_done) struct guest g = azure_guest();
    azure_attest(d, &g, wish);
    guest_verdict_is(&g, strcmp(reason, "ok") == 0 ? "trusted" : "rejected", reason);
}

/* ---- the honest way ------------------------------------------------------------------------- */

static void a_machine_that_proves_itself_gets_its_own_secret(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    const struct paravisor_wish wish = azure_wish(0);
    OWNED(guest_done) struct guest g = azure_guest();
    OWNED(stored_done) struct stored s = {0};
    OWNED(locked_done) struct locked plain = {0};
    struct release_reply reply = {0};
    struct seal_header header;
    azure_attest(d, &g, &wish);
    guest_verdict_is(&g, "trusted", "ok");
    guest_claim_is(&g, "kind", "snp-azure");
    guest_claim_is(&g, "software", "hardware");
    guest_claim_is(&g, "identity", "hardware");
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
    const struct paravisor_wish first = azure_wish(0);
    const struct paravisor_wish second = azure_wish(1);
    OWNED(guest_done) struct guest owner = azure_guest();
    OWNED(guest_done) struct guest thief = azure_guest();
    OWNED(stored_done) struct stored s = {0};
    struct release_reply reply = {0};
    azure_attest(d, &owner, &first);
    azure_attest(d, &thief, &second);
    guest_verdict_is(&thief, "trusted", "ok");
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
    struct paravisor_wish wish = azure_wish(0);
    OWNED(guest_done) struct guest g = azure_guest();
    azure_attest(d, &g, &wish);
    OWNED(mem_drop) char *first = boot_of(&g);
    azure_attest(d, &g, &wish);
    OWNED(mem_drop) char *again = boot_of(&g);
    wish.reset_count++;
    azure_attest(d, &g, &wish);
    OWNED(mem_drop) char *next = boot_of(&g);
    assert_string_equal(first, again);
    assert_string_not_equal(first, next);
}

static char *measured_hex(void)
{
    uint8_t value[CHARTER_MEASUREMENT_SIZE];
    memset(value, MEASURED_PARAVISOR, sizeof value);
    return hex_of(SPAN_OF(value));
}

/* A reference that says nothing of vTPMs lets the image pass for longer than the one that says what
 * it proves: a verdict must not outlive that word. */
static void a_verdict_ends_with_the_word_on_its_image(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct moment end = moment_add_seconds(clock_now(), 120);
    const struct paravisor_wish wish = azure_wish(0);
    OWNED(guest_done) struct guest g = azure_guest();
    OWNED(mem_drop) char *hex = measured_hex();
    azure_policy(d, "azure", json_pack("[s]", hex));
    json_t *other = json_deep_copy(deployment_at(d, "references", "azure"));
    json_object_set_new(other, "measured_boot", json_false());
    json_object_set_new(other, "anchor", json_string("none"));
    json_object_set_new(json_object_get(d->charter, "references"), "bare", other);
    json_array_append_new(json_object_get(deployment_at(d, "policies", "azure"), "references"),
                          json_string("bare"));
    json_put_moment(deployment_at(d, "references", "azure"), "expires", end);
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
    azure_attest(d, &g, &wish);
    guest_verdict_is(&g, "trusted", "ok");
    guest_claim_is(&g, "software", "hardware");
    assert_int_equal(g.verdict.expires.us, end.us);
    clock_advance_ms(INT64_C(1000) * 120);
    azure_attest(d, &g, &wish);
    guest_verdict_is(&g, "trusted", "ok");
    guest_claim_is(&g, "software", "none");
}

/* ---- somebody else's quote ------------------------------------------------------------------ */

static void a_quote_of_another_machine_is_rejected(void **state)
{
    struct paravisor_wish wish = azure_wish(0);
    wish.quote_by_other_key = true;
    assert_wish(*state, &wish, "quote-bad-signature");
}

static void registers_are_those_of_the_policy(void **state)
{
    struct paravisor_wish wish = azure_wish(0);
    wish.other_register = 1;
    assert_wish(*state, &wish, "policy-pcr");
    wish = azure_wish(0);
    wish.quote_registers &= ~(1u << 4);
    assert_wish(*state, &wish, "policy-pcr");
    wish = azure_wish(0);
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
        OWNED(guest_done) struct guest g = azure_guest();
        const struct paravisor_wish wish = azure_wish(0);
        assert_ok(guest_challenge(d, &g, &asked, &err));
        struct challenge spoiled = asked;
        const struct uuid own = g.instance;
        ways[i](&g, &spoiled);
        azure_evidence(d, &g, &spoiled, &wish, &evidence);
        g.instance = own;
        g.kind = EVIDENCE_SNP_AZURE;
        assert_ok(guest_appraise(d, &g, &asked, &evidence, &err));
        guest_verdict_is(&g, "rejected", "nonce-mismatch");
    }
}

static void another_record_of_the_boot_is_rejected(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge asked;
    uint8_t answer[SHA256_SIZE];
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(guest_done) struct guest g = azure_guest();
    struct paravisor_wish wish = azure_wish(0);
    assert_ok(guest_challenge(d, &g, &asked, &err));
    azure_answer(&g, &asked, answer);
    wish.answer = SPAN_OF(answer);
    bytes_add_u8(&g.rest, ' ');
    azure_print(d, &g, &wish, &evidence);
    assert_ok(guest_appraise(d, &g, &asked, &evidence, &err));
    guest_verdict_is(&g, "rejected", "nonce-mismatch");
}

static void the_nonce_alone_is_no_answer(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge asked;
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(guest_done) struct guest g = azure_guest();
    struct paravisor_wish wish = azure_wish(0);
    assert_ok(guest_challenge(d, &g, &asked, &err));
    wish.answer = SPAN_OF(asked.nonce);
    azure_print(d, &g, &wish, &evidence);
    assert_ok(guest_appraise(d, &g, &asked, &evidence, &err));
    guest_verdict_is(&g, "rejected", "nonce-mismatch");
}

static void evidence_counts_once(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge first, second;
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(guest_done) struct guest g = azure_guest();
    const struct paravisor_wish wish = azure_wish(0);
    assert_ok(guest_challenge(d, &g, &first, &err));
    azure_evidence(d, &g, &first, &wish, &evidence);
    assert_ok(guest_appraise(d, &g, &first, &evidence, &err));
    guest_verdict_is(&g, "trusted", "ok");
    assert_fails(guest_appraise(d, &g, &first, &evidence, &err), ERR_CONFLICT, "challenge-again");
    assert_ok(guest_challenge(d, &g, &second, &err));
    assert_ok(guest_appraise(d, &g, &second, &evidence, &err));
    guest_verdict_is(&g, "rejected", "nonce-mismatch");
}

static void a_wrapper_without_a_quote_is_rejected(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge asked;
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(guest_done) struct guest g = azure_guest();
    const struct paravisor_wish wish = azure_wish(0);
    assert_ok(guest_challenge(d, &g, &asked, &err));
    azure_evidence(d, &g, &asked, &wish, &evidence);
    OWNED(json_drop) json_t *json = NULL;
    assert_ok(json_parse(bytes_span(&evidence), EVIDENCE_JSON_MAX, &json, &err));
    json_object_del(json, "quote");
    json_object_del(json, "signature");
    OWNED(mem_drop) char *text = json_print(json);
    OWNED(bytes_done) struct bytes bare = {0};
    bytes_add(&bare, span_of_text(text));
    assert_ok(guest_appraise(d, &g, &asked, &bare, &err));
    guest_verdict_is(&g, "rejected", "nonce-mismatch");
}

/* ---- policies ------------------------------------------------------------------------------- */

static void a_policy_that_does_not_name_azure_refuses_it(void **state)
{
    struct deployment *d = *state;
    struct paravisor_wish wish = azure_wish(0);
    OWNED(guest_done) struct guest g = azure_guest();
    wish.measurement = MEASURED_DIRECT; /* which the policy takes */
    g.policy = "direct";
    azure_attest(d, &g, &wish);
    guest_verdict_is(&g, "rejected", "unsupported-evidence");
}

static void a_bare_report_is_no_way_around_the_registers(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    g.policy = "azure";
    memset(g.wish.id_key_digest, 0x33, sizeof g.wish.id_key_digest);
    assert_ok(guest_attest(d, &g, &err));
    guest_verdict_is(&g, "rejected", "unsupported-evidence");
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
    const struct paravisor_wish wish = azure_wish(0);
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
    const struct paravisor_wish wish = azure_wish(0);
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
    OWNED(guest_done) struct guest g = azure_guest();
    const struct paravisor_wish wish = azure_wish(0);
    deployment_raise_serial(d);
    json_object_del(d->charter, "simulator_roots");
    assert_ok(deployment_apply(d, &err));
    assert_ok(guest_challenge(d, &g, &asked, &err));
    azure_evidence(d, &g, &asked, &wish, &evidence);
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
    azure_write_charter(d);
    const struct paravisor_wish wish = azure_wish(0);
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
        IN(a_verdict_ends_with_the_word_on_its_image),
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
