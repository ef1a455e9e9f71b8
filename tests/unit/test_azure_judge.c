/* Each check of Azure's evidence against a made-up paravisor that differs in one thing only:
 * report, claims, key and quote hang together (R31, R61). */
#include "lib/attest/azure_judge.h"

#include <string.h>

#include "lib/attest/hcl_report.h"
#include "tests/support/made_vtpm.h"
#include "tests/support/paravisor.h"
#include "tests/support/test.h"

static struct psp *psp;
static struct snp_roots *roots;

static int open_simulator(void **state)
{
    (void)state;
    psp = simulator_open();
    roots = simulator_roots(psp);
    return 0;
}

static int close_simulator(void **state)
{
    (void)state;
    snp_roots_free(roots);
    psp_close(psp);
    return 0;
}

static const char *reason_of(const struct azure_input *input)
{
    OWNED(verdict_done) struct verdict v = {0};
    azure_judge(input, &v);
    assert_int_equal(v.trusted, v.reason == REASON_OK);
    return name_of(&reason_names, (int)v.reason);
}

static void assert_wish(const struct paravisor_wish *wish, const char *reason)
{
    OWNED(paravisor_done) struct paravisor p;
    paravisor_make(psp, roots, wish, &p);
    assert_string_equal(reason_of(&p.input), reason);
}

static void an_honest_paravisor_is_trusted(void **state)
{
    (void)state;
    const struct paravisor_wish wish = paravisor_wish();
    assert_wish(&wish, "ok");
}

/* Each row sets one member; three rows a check where three are to be had. */
#define CASE(member, wrong, word)                                                                  \
    do {                                                                                           \
        struct paravisor_wish wish = paravisor_wish();                                             \
        wish.member = (wrong);                                                                     \
        assert_wish(&wish, (word));                                                                \
    } while (0)

static void a_wrapper_that_no_paravisor_writes_is_malformed(void **state)
{
    (void)state;
    CASE(hcl_version, 0, "malformed");
    CASE(hcl_version, 3, "malformed");
    CASE(request_type, 1, "malformed");
    CASE(report_type, 1, "malformed");
    CASE(report_type, 4, "malformed");
    CASE(hash_type, 0, "malformed");
    CASE(hash_type, 4, "malformed");
}

static void only_the_paravisor_itself_speaks_for_the_claims(void **state)
{
    (void)state;
    CASE(vmpl, 1, "policy-vmpl");
    CASE(vmpl, 2, "policy-vmpl");
    CASE(vmpl, 3, "policy-vmpl");
}

static void the_report_must_carry_the_digest_of_the_claims(void **state)
{
    (void)state;
    CASE(report_over_other_claims, true, "runtime-data-mismatch");
    CASE(report_data_tail, 1, "runtime-data-mismatch");
    CASE(hash_type, 2, "runtime-data-mismatch");
    CASE(hash_type, 3, "runtime-data-mismatch");
}

static void claims_must_name_one_attestation_key(void **state)
{
    (void)state;
    CASE(claims_key, "HCLEkPub", "malformed");
    CASE(claims_key, "", "malformed");
    CASE(claims_more, ",\"keys\":[]", "malformed");
    CASE(claims_more, ",", "malformed");
    CASE(claims_more, ",\"new\":[1]", "ok");
}

static void a_quote_must_have_a_quotes_form(void **state)
{
    (void)state;
    CASE(quote_magic, 0, "malformed");
    CASE(quote_type, 0x8017, "malformed");
    CASE(quote_trailing, 1, "malformed");
}

static void a_quote_must_be_signed_by_the_key_of_the_claims(void **state)
{
    (void)state;
    CASE(quote_by_other_key, true, "quote-bad-signature");
    const struct paravisor_wish wish = paravisor_wish();
    OWNED(paravisor_done) struct paravisor p;
    paravisor_make(psp, roots, &wish, &p);
    p.signature.at[0] ^= 1;
    assert_string_equal(reason_of(&p.input), "quote-bad-signature");
    p.signature.at[0] ^= 1;
    p.input.signature.len--;
    assert_string_equal(reason_of(&p.input), "quote-bad-signature");
}

static void a_quote_must_answer_our_challenge(void **state)
{
    (void)state;
    CASE(nonce, "challengE", "nonce-mismatch");
    CASE(nonce, "challenge ", "nonce-mismatch");
    CASE(nonce, "", "nonce-mismatch");
    const struct paravisor_wish wish = paravisor_wish();
    OWNED(paravisor_done) struct paravisor p;
    paravisor_make(psp, roots, &wish, &p);
    p.input.has_quote = false;
    assert_string_equal(reason_of(&p.input), "nonce-mismatch");
}

static void registers_must_be_those_of_the_quote(void **state)
{
    (void)state;
    CASE(quote_digest_of_others, true, "pcr-mismatch");
    CASE(quote_algorithm, 0x0004, "pcr-mismatch");
    const struct paravisor_wish wish = paravisor_wish();
    OWNED(paravisor_done) struct paravisor p;
    paravisor_make(psp, roots, &wish, &p);
    json_array_set(p.pcrs, 23, json_array_get(p.pcrs, 22));
    assert_string_equal(reason_of(&p.input), "pcr-mismatch");
}

static void registers_must_be_24_values(void **state)
{
    (void)state;
    const struct paravisor_wish wish = paravisor_wish();
    OWNED(paravisor_done) struct paravisor p;
    paravisor_make(psp, roots, &wish, &p);
    json_array_set_new(p.pcrs, 3, json_integer(3));
    assert_string_equal(reason_of(&p.input), "malformed");
    json_array_set_new(p.pcrs, 3, json_string("00"));
    assert_string_equal(reason_of(&p.input), "malformed");
    json_array_remove(p.pcrs, 3);
    assert_string_equal(reason_of(&p.input), "malformed");
}

static void a_register_that_the_quote_leaves_out_proves_nothing(void **state)
{
    (void)state;
    struct error err = {0};
    struct paravisor_wish wish = paravisor_wish();
    OWNED(mem_drop) struct policy *policy = NEW(struct policy);
    OWNED(paravisor_done) struct paravisor whole, part;
    static const char pinned[] =
        "{\"azure\":{\"pcrs\":{\"4\":"
        "\"0404040404040404040404040404040404040404040404040404040404040404\"}}}";
    assert_ok(policy_parse(span_of_text(pinned), POLICY_EXPECT, policy, &err));
    paravisor_make(psp, roots, &wish, &whole);
    whole.input.policy = policy;
    assert_string_equal(reason_of(&whole.input), "ok");
    wish.quote_registers = 0xffffef; /* all but 4 */
    paravisor_make(psp, roots, &wish, &part);
    part.input.policy = policy;
    assert_string_equal(reason_of(&part.input), "policy-pcr");
}

/* Registers and log of another made-up machine, quoted by this one. */
static void assert_boot(const struct made_vtpm_wish *boot, bool with_log, const char *reason)
{
    struct error err = {0};
    struct paravisor_wish wish = paravisor_wish();
    OWNED(mem_drop) struct policy *policy = NEW(struct policy);
    OWNED(text_done) struct text json = {0};
    OWNED(paravisor_done) struct paravisor p;
    OWNED(made_vtpm_done) struct made_vtpm t;
    made_vtpm_make(psp, roots, boot, NULL, &t);
    text_addf(&json,
              "{\"azure\":{\"require_secure_boot\":true,\"boot_components\":{\"loader\":\"%s\"}}}",
              made_vtpm_loader());
    assert_ok(policy_parse(text_span(&json), POLICY_EXPECT, policy, &err));
    wish.registers = t.pcrs;
    paravisor_make(psp, roots, &wish, &p);
    p.input.policy = policy;
    if (with_log)
        p.input.log = bytes_span(&t.log);
    assert_string_equal(reason_of(&p.input), reason);
}

static void secure_boot_and_loaders_are_proven_by_a_log_beside_the_quote(void **state)
{
    (void)state;
    struct made_vtpm_wish boot = made_vtpm_wish(VOUCH_NOBODY);
    assert_boot(&boot, true, "ok");
    assert_boot(&boot, false, "policy-secure-boot");
    boot.log_of_other_loader = true;
    assert_boot(&boot, true, "pcr-mismatch");
    boot = made_vtpm_wish(VOUCH_NOBODY);
    boot.secure_boot_off = true;
    assert_boot(&boot, true, "policy-secure-boot");
    boot = made_vtpm_wish(VOUCH_NOBODY);
    boot.secure_boot_relabelled = true;
    assert_boot(&boot, true, "event-digest-mismatch");
    boot = made_vtpm_wish(VOUCH_NOBODY);
    boot.loader_as_words = true;
    assert_boot(&boot, true, "policy-boot-component");
    boot = made_vtpm_wish(VOUCH_NOBODY);
    boot.log_cut = true;
    assert_boot(&boot, true, "malformed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_paravisor_is_trusted),
        cmocka_unit_test(a_wrapper_that_no_paravisor_writes_is_malformed),
        cmocka_unit_test(only_the_paravisor_itself_speaks_for_the_claims),
        cmocka_unit_test(the_report_must_carry_the_digest_of_the_claims),
        cmocka_unit_test(claims_must_name_one_attestation_key),
        cmocka_unit_test(a_quote_must_have_a_quotes_form),
        cmocka_unit_test(a_quote_must_be_signed_by_the_key_of_the_claims),
        cmocka_unit_test(a_quote_must_answer_our_challenge),
        cmocka_unit_test(registers_must_be_those_of_the_quote),
        cmocka_unit_test(registers_must_be_24_values),
        cmocka_unit_test(a_register_that_the_quote_leaves_out_proves_nothing),
        cmocka_unit_test(secure_boot_and_loaders_are_proven_by_a_log_beside_the_quote),
    };
    return cmocka_run_group_tests_name("azure_judge", tests, open_simulator, close_simulator);
}
