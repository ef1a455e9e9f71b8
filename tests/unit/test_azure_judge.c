/* Each check of Azure's evidence against a made-up paravisor that differs in one thing only:
 * report, claims, key and quote hang together (R31, R61). */
#include "lib/attest/azure_judge.h"

#include <string.h>

#include "lib/attest/hcl_report.h"
#include "tests/support/cases.h"
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

static void try_wish(const struct paravisor_wish *wish, const char *reason, const char *test)
{
    OWNED(paravisor_done) struct paravisor p;
    paravisor_make(psp, roots, wish, &p);
    case_words(reason_of(&p.input), reason, test);
}

#define assert_wish(wish, reason) try_wish((wish), (reason), __func__)

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
    case_is(reason_of(&p.input), "quote-bad-signature");
    p.signature.at[0] ^= 1;
    p.input.signature.len--;
    case_is(reason_of(&p.input), "quote-bad-signature");
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
    case_is(reason_of(&p.input), "nonce-mismatch");
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
    case_is(reason_of(&p.input), "pcr-mismatch");
}

static void registers_must_be_24_values(void **state)
{
    (void)state;
    const struct paravisor_wish wish = paravisor_wish();
    OWNED(paravisor_done) struct paravisor p;
    paravisor_make(psp, roots, &wish, &p);
    json_array_set_new(p.pcrs, 3, json_integer(3));
    case_is(reason_of(&p.input), "malformed");
    json_array_set_new(p.pcrs, 3, json_string("00"));
    case_is(reason_of(&p.input), "malformed");
    json_array_remove(p.pcrs, 3);
    case_is(reason_of(&p.input), "malformed");
}

static void a_register_that_the_quote_leaves_out_proves_nothing(void **state)
{
    (void)state;
    struct error err = {0};
    struct paravisor_wish wish = paravisor_wish();
    OWNED(mem_drop) struct policy *policy = NEW(struct policy);
    OWNED(paravisor_done) struct paravisor whole, part, other;
    static const char pinned[] =
        "{\"azure\":{\"pcrs\":{\"4\":"
        "\"0404040404040404040404040404040404040404040404040404040404040404\"}}}";
    assert_ok(policy_parse(span_of_text(pinned), POLICY_EXPECT, policy, &err));
    paravisor_make(psp, roots, &wish, &whole);
    whole.input.policy = policy;
    case_is(reason_of(&whole.input), "ok");
    wish.quote_registers = 0xffffef; /* all but 4 */
    paravisor_make(psp, roots, &wish, &part);
    part.input.policy = policy;
    case_is(reason_of(&part.input), "policy-pcr");
    wish = paravisor_wish();
    wish.other_register = 1;
    paravisor_make(psp, roots, &wish, &other);
    other.input.policy = policy;
    case_is(reason_of(&other.input), "policy-pcr");
    whole.input.pcrs = NULL;
    case_is(reason_of(&whole.input), "policy-pcr");
}

/* Registers and log of another made-up machine, quoted by this one. */
struct booted {
    struct made_vtpm_wish boot;
    uint32_t quoted; /* registers */
    struct span log; /* instead of its own */
    struct span odd; /* its first byte in the log is another */
    bool loaders_only;
};

static struct booted booted(void)
{
    return (struct booted){.boot = made_vtpm_wish(VOUCH_NOBODY), .quoted = 0xffffff};
}

static void boot_policy(const struct booted *b, struct policy *out)
{
    struct error err = {0};
    OWNED(text_done) struct text json = {0};
    text_addf(&json,
              "{\"azure\":{\"require_secure_boot\":%s,\"boot_components\":{\"loader\":\"%s\"}}}",
              b->loaders_only ? "false" : "true", made_vtpm_loader());
    assert_ok(policy_parse(text_span(&json), POLICY_EXPECT, out, &err));
}

static void try_boot(const struct booted *b, const char *reason, const char *test)
{
    struct paravisor_wish wish = paravisor_wish();
    OWNED(mem_drop) struct policy *policy = NEW(struct policy);
    OWNED(paravisor_done) struct paravisor p;
    OWNED(made_vtpm_done) struct made_vtpm t;
    boot_policy(b, policy);
    made_vtpm_make(psp, roots, &b->boot, NULL, &t);
    wish.registers = t.pcrs;
    wish.quote_registers = b->quoted;
    paravisor_make(psp, roots, &wish, &p);
    p.input.policy = policy;
    p.input.log = b->log.len > 0 ? b->log : bytes_span(&t.log);
    if (b->odd.len > 0) {
        uint8_t *at = memmem(t.log.at, t.log.len, b->odd.at, b->odd.len);
        assert_non_null(at);
        *at ^= 1;
    }
    case_words(reason_of(&p.input), reason, test);
}

#define BOOT(member, wrong, word)                                                                  \
    do {                                                                                           \
        struct booted b = booted();                                                                \
        b.member = (wrong);                                                                        \
        try_boot(&b, (word), __func__);                                                            \
    } while (0)

static void a_log_beside_the_quote_must_be_one(void **state)
{
    (void)state;
    BOOT(loaders_only, false, "ok");
    BOOT(boot.log_cut, true, "malformed");
    BOOT(log, span_of_text("PCR 0 was extended"), "malformed");
    BOOT(odd, span_of_text("Spec ID Event03"), "malformed");
}

static void a_log_must_lead_to_the_firmwares_registers(void **state)
{
    (void)state;
    uint8_t hash[SHA256_SIZE];
    BOOT(boot.log_of_other_loader, true, "pcr-mismatch");
    digest(DIGEST_SHA256, span_of_text("1"), hash); /* of the firmware's version, in register 0 */
    BOOT(odd, SPAN_OF(hash), "pcr-mismatch");
    digest(DIGEST_SHA256, span_of_text("a loader's code"), hash);
    BOOT(odd, SPAN_OF(hash), "pcr-mismatch");
}

/* The digests stay, so that the log still leads to the registers. */
static void what_a_log_says_wrongly_is_refused(void **state)
{
    (void)state;
    static const uint8_t vendor[] = {0x61, 0xdf, 0xe4, 0x8b}, variable[] = {'S', 0, 'e', 0, 'c'};
    BOOT(boot.secure_boot_relabelled, true, "event-digest-mismatch");
    BOOT(odd, SPAN_OF(vendor), "event-digest-mismatch");
    BOOT(odd, SPAN_OF(variable), "event-digest-mismatch");
    BOOT(odd, span_of_text("Calling EFI"), "event-digest-mismatch");
}

static void secure_boot_is_proven_by_a_log_beside_the_quote(void **state)
{
    (void)state;
    BOOT(boot.secure_boot_off, true, "policy-secure-boot");
    BOOT(boot.without_log, true, "policy-secure-boot");
    BOOT(quoted, 0xffff7f, "policy-secure-boot"); /* all but 7 */
}

static void loaders_are_proven_by_a_log_beside_the_quote(void **state)
{
    (void)state;
    BOOT(boot.loader_as_words, true, "policy-boot-component");
    BOOT(quoted, 0xffffef, "policy-boot-component"); /* all but 4 */
    struct booted bare = booted();
    bare.loaders_only = true;
    try_boot(&bare, "ok", __func__);
    bare.boot.without_log = true;
    try_boot(&bare, "policy-boot-component", __func__);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASES(an_honest_paravisor_is_trusted),
        CASES(a_wrapper_that_no_paravisor_writes_is_malformed),
        CASES(only_the_paravisor_itself_speaks_for_the_claims),
        CASES(the_report_must_carry_the_digest_of_the_claims),
        CASES(claims_must_name_one_attestation_key),
        CASES(a_quote_must_have_a_quotes_form),
        CASES(a_quote_must_be_signed_by_the_key_of_the_claims),
        CASES(a_quote_must_answer_our_challenge),
        CASES(registers_must_be_those_of_the_quote),
        CASES(registers_must_be_24_values),
        CASES(a_register_that_the_quote_leaves_out_proves_nothing),
        CASES(a_log_beside_the_quote_must_be_one),
        CASES(a_log_must_lead_to_the_firmwares_registers),
        CASES(what_a_log_says_wrongly_is_refused),
        CASES(secure_boot_is_proven_by_a_log_beside_the_quote),
        CASES(loaders_are_proven_by_a_log_beside_the_quote),
    };
    return cmocka_run_group_tests_name("azure_judge", tests, open_simulator, close_simulator);
}
