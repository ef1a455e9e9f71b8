/* What a vTPM says of a boot: each check of quote, registers, log and what a policy asks of them,
 * against a made-up machine that differs in one thing only. */
#include <string.h>

#include "lib/attest/quote_judge.h"
#include "tests/support/cases.h"
#include "tests/support/test.h"
#include "tests/support/vtpm_judged.h"

static const char *answer_of(const struct verdict *v, const char *check)
{
    return name_of(&check_result_names, (int)verdict_check(v, check)->result);
}

/* ---- the quote ------------------------------------------------------------------------------ */

static void a_quote_must_have_a_quotes_form(void **state)
{
    (void)state;
    VTPM_CASE(VOUCH_SVSM, quote_magic, 0, "malformed", "quote-format");
    VTPM_CASE(VOUCH_AUTHORITY, quote_magic, 1, "malformed", "quote-format");
    VTPM_CASE(VOUCH_NOBODY, quote_magic, 2, "malformed", "quote-format");
}

static void a_quote_must_be_signed_by_the_key(void **state)
{
    (void)state;
    VTPM_CASE(VOUCH_SVSM, quote_by_other_key, true, "quote-bad-signature", "quote-signature");
    VTPM_CASE(VOUCH_AUTHORITY, quote_by_other_key, true, "quote-bad-signature", "quote-signature");
    VTPM_CASE(VOUCH_NOBODY, quote_by_other_key, true, "quote-bad-signature", "quote-signature");
    VTPM_CASE(VOUCH_DOCUMENT, quote_by_other_key, true, "quote-bad-signature", "quote-signature");
    VTPM_CASE(VOUCH_SVSM, signature_flip, 1, "quote-bad-signature", "quote-signature");
    VTPM_CASE(VOUCH_SVSM, signature_hash, 4, "quote-bad-signature", "quote-signature");
    VTPM_CASE(VOUCH_SVSM, quote_trailing, 1, "malformed", "quote-signature");
    OWNED(mem_drop) struct policy *policy = vtpm_whole_policy("");
    struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
    wish.on_p256 = true;
    wish.signature_flip = 1;
    vtpm_assert(&wish, policy, "quote-bad-signature", "quote-signature");
}

static void a_quote_must_answer_binding_and_report_together(void **state)
{
    (void)state;
    VTPM_CASE(VOUCH_SVSM, quote_answers_binding_alone, true, "nonce-mismatch", "nonce");
    VTPM_CASE(VOUCH_AUTHORITY, quote_answers_binding_alone, true, "nonce-mismatch", "nonce");
    VTPM_CASE(VOUCH_SVSM, quote_of_other_report, true, "nonce-mismatch", "nonce");
    VTPM_CASE(VOUCH_AUTHORITY, quote_of_other_report, true, "nonce-mismatch", "nonce");
    VTPM_CASE(VOUCH_NOBODY, quote_of_other_report, true, "nonce-mismatch", "nonce");
    VTPM_CASE(VOUCH_DOCUMENT, quote_of_other_report, true, "nonce-mismatch", "nonce");
    VTPM_CASE(VOUCH_SVSM, without_quote, true, "nonce-mismatch", "nonce");
    VTPM_CASE(VOUCH_AUTHORITY, without_quote, true, "nonce-mismatch", "nonce");
}

static void registers_must_be_those_of_the_quote_in_sha256(void **state)
{
    (void)state;
    VTPM_CASE(VOUCH_SVSM, quote_algorithm, 0x0004, "pcr-mismatch", "registers"); /* SHA-1's bank */
    VTPM_CASE(VOUCH_SVSM, quote_algorithm, 0x000c, "pcr-mismatch", "registers");
    VTPM_CASE(VOUCH_SVSM, quote_digest_of_others, true, "pcr-mismatch", "registers");
    OWNED(mem_drop) struct policy *policy = vtpm_whole_policy("");
    const struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
    OWNED(made_vtpm_done) struct made_vtpm t;
    OWNED(verdict_done) struct verdict swapped = {0};
    made_vtpm_make(simulator.psp, simulator.roots, &wish, NULL, &t);
    t.input.policy = policy;
    json_array_set(t.pcrs, 10, json_array_get(t.pcrs, 11));
    vtpm_judge(&t.input, &swapped);
    assert_int_equal(swapped.reason, REASON_PCR_MISMATCH);
}

static void registers_must_be_24_values(void **state)
{
    (void)state;
    const struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
    OWNED(made_vtpm_done) struct made_vtpm t;
    OWNED(verdict_done) struct verdict number = {0}, shorter = {0}, fewer = {0};
    made_vtpm_make(simulator.psp, simulator.roots, &wish, NULL, &t);
    json_array_set_new(t.pcrs, 10, json_integer(10));
    vtpm_judge(&t.input, &number);
    case_is(answer_of(&number, "registers-format"), "fail");
    json_array_set_new(t.pcrs, 10, json_string("00"));
    vtpm_judge(&t.input, &shorter);
    case_is(answer_of(&shorter, "registers-format"), "fail");
    json_array_remove(t.pcrs, 10);
    vtpm_judge(&t.input, &fewer);
    case_is(answer_of(&fewer, "registers-format"), "fail");
}

static void registers_are_pinned_where_the_quote_covers_them(void **state)
{
    (void)state;
    OWNED(mem_drop)
    struct policy *policy =
        vtpm_expecting("{\"vtpm\":{\"pcrs\":{\"11\":"
                       "\"b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0\"}}}");
    OWNED(mem_drop)
    struct policy *other =
        vtpm_expecting("{\"vtpm\":{\"pcrs\":{\"11\":"
                       "\"b1b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0\"}}}");
    struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_NOBODY);
    vtpm_assert(&wish, policy, "ok", NULL);
    vtpm_assert(&wish, other, "policy-pcr", "policy-pcr");
    wish.quote_registers = 0xfff7ff; /* all but 11 */
    vtpm_assert(&wish, policy, "policy-pcr", "policy-pcr");
}

/* ---- the log -------------------------------------------------------------------------------- */

static void a_log_must_lead_to_the_firmwares_registers(void **state)
{
    (void)state;
    VTPM_CASE(VOUCH_SVSM, log_of_other_loader, true, "pcr-mismatch", "log-registers");
    VTPM_CASE(VOUCH_DOCUMENT, log_of_other_loader, true, "pcr-mismatch", "log-registers");
    VTPM_CASE(VOUCH_SVSM, loader_as_words, true, "policy-boot-component", "policy-boot-component");
    VTPM_CASE(VOUCH_SVSM, log_cut, true, "malformed", "log-format");
    VTPM_CASE(VOUCH_SVSM, kernel_left_out, true, "ok", NULL); /* what runs later writes its own */
    OWNED(mem_drop) struct policy *policy = vtpm_whole_policy("");
    const struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
    OWNED(made_vtpm_done) struct made_vtpm t;
    OWNED(verdict_done) struct verdict v = {0};
    made_vtpm_make(simulator.psp, simulator.roots, &wish, NULL, &t);
    t.input.policy = policy;
    t.input.log.len = 69; /* its header alone */
    vtpm_judge(&t.input, &v);
    case_is(name_of(&reason_names, (int)v.reason), "pcr-mismatch");
}

static void a_log_must_be_one_and_of_a_bounded_size(void **state)
{
    (void)state;
    const struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_NOBODY);
    OWNED(made_vtpm_done) struct made_vtpm t;
    OWNED(bytes_done) struct bytes large = {0};
    OWNED(verdict_done) struct verdict text = {0}, cut = {0}, much = {0};
    made_vtpm_make(simulator.psp, simulator.roots, &wish, NULL, &t);
    t.input.log = span_of_text("PCR 0 was extended");
    vtpm_judge(&t.input, &text);
    case_is(answer_of(&text, "log-format"), "fail");
    t.input.log = SPAN(t.log.at, t.log.len / 2 + 1);
    vtpm_judge(&t.input, &cut);
    case_is(answer_of(&cut, "log-format"), "fail");
    bytes_add(&large, bytes_span(&t.log));
    bytes_add_room(&large, QUOTE_LOG_MAX);
    t.input.log = bytes_span(&large);
    vtpm_judge(&t.input, &much);
    case_is(answer_of(&much, "log-format"), "fail");
}

static void secure_boot_counts_where_its_event_is_proven(void **state)
{
    (void)state;
    OWNED(mem_drop) struct policy *policy = vtpm_whole_policy(",\"require_secure_boot\":true");
    static const enum made_vouch words[] = {VOUCH_SVSM, VOUCH_AUTHORITY, VOUCH_DOCUMENT,
                                            VOUCH_NOBODY};
    for (size_t i = 0; i < countof(words); i++) {
        struct made_vtpm_wish wish = made_vtpm_wish(words[i]);
        vtpm_assert(&wish, policy, "ok", NULL);
        wish.secure_boot_off = true;
        vtpm_assert(&wish, policy, "policy-secure-boot", "policy-secure-boot");
        wish = made_vtpm_wish(words[i]);
        wish.secure_boot_relabelled = true;
        vtpm_assert(&wish, policy, "event-digest-mismatch", "policy-secure-boot");
        wish = made_vtpm_wish(words[i]);
        wish.without_log = true;
        vtpm_assert(&wish, policy, "policy-secure-boot", "policy-secure-boot");
    }
}

/* The log leads there, but register 7 is not among those that the quote covers. */
static void secure_boot_is_unknown_where_no_quote_covers_its_register(void **state)
{
    (void)state;
    OWNED(mem_drop) struct policy *policy = vtpm_whole_policy(",\"require_secure_boot\":true");
    struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
    wish.quote_registers = 0xffff7f;
    vtpm_assert(&wish, policy, "policy-secure-boot", "policy-secure-boot");
    wish = made_vtpm_wish(VOUCH_SVSM);
    wish.quote_registers = 0xffffef; /* all but 4 */
    vtpm_assert(&wish, policy, "policy-boot-component", "policy-boot-component");
}

static void what_a_log_says_wrongly_is_refused(void **state)
{
    (void)state;
    VTPM_CASE(VOUCH_SVSM, secure_boot_relabelled, true, "event-digest-mismatch", "event-data");
    VTPM_CASE(VOUCH_AUTHORITY, secure_boot_relabelled, true, "event-digest-mismatch", "event-data");
    VTPM_CASE(VOUCH_DOCUMENT, secure_boot_relabelled, true, "event-digest-mismatch", "event-data");
}

static void every_loader_must_be_one_that_the_policy_names(void **state)
{
    (void)state;
    VTPM_CASE(VOUCH_SVSM, without_log, true, "policy-boot-component", "policy-boot-component");
    VTPM_CASE(VOUCH_DOCUMENT, loader_as_words, true, "policy-boot-component",
              "policy-boot-component");
    VTPM_CASE(VOUCH_NOBODY, loader_as_words, true, "policy-boot-component",
              "policy-boot-component");
    OWNED(mem_drop) struct policy *policy = vtpm_whole_policy("");
    const struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
    OWNED(verdict_done) struct verdict v = {0};
    vtpm_judge_wish(&wish, policy, &v);
    const json_t *loaders = json_object_get(json_object_get(v.claims, "boot"), "loaders");
    assert_int_equal(json_array_size(loaders), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(loaders, 0), "name")),
                        "loader");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASES(a_quote_must_have_a_quotes_form),
        CASES(a_quote_must_be_signed_by_the_key),
        CASES(a_quote_must_answer_binding_and_report_together),
        CASES(registers_must_be_those_of_the_quote_in_sha256),
        CASES(registers_must_be_24_values),
        CASES(registers_are_pinned_where_the_quote_covers_them),
        CASES(a_log_must_lead_to_the_firmwares_registers),
        CASES(a_log_must_be_one_and_of_a_bounded_size),
        CASES(secure_boot_counts_where_its_event_is_proven),
        CASES(secure_boot_is_unknown_where_no_quote_covers_its_register),
        CASES(what_a_log_says_wrongly_is_refused),
        CASES(every_loader_must_be_one_that_the_policy_names),
    };
    return cmocka_run_group_tests_name("vtpm_boot", tests, simulator_set_up, simulator_tear_down);
}
