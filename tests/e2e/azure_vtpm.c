/* The agent's evidence of an Azure machine: a real TPM, in software, made up as Azure's is, the
 * shipping driver, and the keeper's judge at the other end (trust.md section 4). What the TPM, its
 * registers and its indices may do to the agent meanwhile. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "agent/tpm.h"
#include "lib/base/file.h"
#include "tests/support/agent_world.h"
#include "tests/support/azure_machine.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

static const struct evidence_binding asked = {.digest = {1, 2, 3}, .nonce = {4, 5, 6}};

static void prove(struct tee *tee, struct evidence *out)
{
    struct error err = {0};
    assert_ok(tee_prove(tee, &asked, out, &err));
}

/* ---- the honest way -------------------------------------------------------------------------- */

static void what_the_agent_makes_of_the_vtpm_a_keeper_trusts(void **state)
{
    (void)state;
    OWNED(tee_drop) struct tee *tee = azure_machine_open();
    OWNED(evidence_done) struct evidence e = {0};
    assert_int_equal(tee_kind(tee), EVIDENCE_SNP_AZURE);
    prove(tee, &e);
    assert_string_equal(azure_machine_judge(&e, &asked), "ok");
    struct evidence_binding other = asked;
    other.digest[63] ^= 1;
    assert_string_equal(azure_machine_judge(&e, &other), "nonce-mismatch");
    e.signature.at[0] ^= 1;
    assert_string_equal(azure_machine_judge(&e, &asked), "quote-bad-signature");
}

static void it_is_made_again_and_again(void **state)
{
    (void)state;
    OWNED(tee_drop) struct tee *tee = azure_machine_open();
    for (int i = 0; i < 5; i++) {
        OWNED(evidence_done) struct evidence e = {0};
        prove(tee, &e);
        assert_string_equal(azure_machine_judge(&e, &asked), "ok");
    }
}

static void registers_that_change_after_the_quote_are_quoted_again(void **state)
{
    (void)state;
    OWNED(tee_drop) struct tee *tee = azure_machine_open();
    OWNED(evidence_done) struct evidence e = {0};
    const int before = soft_tpm_heard(azure_machine.tpm, SOFT_TPM_QUOTE);
    soft_tpm_plan(azure_machine.tpm, SOFT_TPM_QUOTE, SOFT_TPM_EXTENDED, 2);
    prove(tee, &e);
    assert_int_equal(soft_tpm_heard(azure_machine.tpm, SOFT_TPM_QUOTE) - before, 3);
    assert_string_equal(azure_machine_judge(&e, &asked), "ok");
}

static void registers_that_never_rest_are_given_up(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(tee_drop) struct tee *tee = azure_machine_open();
    OWNED(evidence_done) struct evidence e = {0};
    const int before = soft_tpm_heard(azure_machine.tpm, SOFT_TPM_QUOTE);
    soft_tpm_plan(azure_machine.tpm, SOFT_TPM_QUOTE, SOFT_TPM_EXTENDED, 1000);
    assert_fails(tee_prove(tee, &asked, &e, &err), ERR_CONFLICT, "tpm-disturbed");
    assert_int_equal(soft_tpm_heard(azure_machine.tpm, SOFT_TPM_QUOTE) - before, TPM_ATTEMPTS);
    assert_int_equal(e.quote.len, 0);
    assert_false(tee_is_lost(tee));
}

static void the_program_makes_it_as_its_settings_say(void **state)
{
    (void)state;
    void *world = NULL;
    OWNED(evidence_done) struct evidence e = {0};
    OWNED(text_done) struct text settings = {0};
    struct evidence_binding binding = {0};
    assert_int_equal(agent_set_up(&world), 0);
    struct agent_world *w = world;
    agent_put(w, "log", "log");
    text_addf(&settings, "tee = azure\ntpm = %s\nevent-log = %s/log\nthim-url =\n",
              azure_machine.places.tpm, w->folder);
    agent_put_hardware(w, text_str(&settings));
    agent_start(w);
    agent_take_hello(w);
    agent_challenge(w, w->root.cert);
    agent_take_evidence(w, &e);
    agent_binding(w, &e, w->root.cert, binding.digest);
    assert_true(span_equal(bytes_span(&e.event_log), span_of_text("log")));
    bytes_done(&e.event_log); /* it leads nowhere */
    const char *said = azure_machine_judge(&e, &binding);
    assert_int_equal(agent_stop(w, SIGTERM), 0);
    assert_string_equal(said, "ok");
    assert_int_equal(agent_tear_down(&world), 0);
}

/* ---- a report of now ------------------------------------------------------------------------- */

static void a_report_of_now_is_asked_for_over_the_binding(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(text_done) struct text claims = {0};
    text_add(&claims, ",\"user-data\":\"");
    text_add_hex(&claims, SPAN_OF(asked.digest));
    text_add(&claims, "\"");
    soft_tpm_tool(azure_machine.tpm, "tpm2_nvundefine -C o 0x%08x", AZURE_INDEX_REPORT);
    azure_machine_put_report(text_str(&claims));
    azure_machine.places.report_from = "now";
    OWNED(tee_drop) struct tee *tee = azure_machine_open();
    OWNED(evidence_done) struct evidence e = {0};
    for (int i = 0; i < 2; i++) { /* the index is defined once */
        prove(tee, &e);
        assert_string_equal(azure_machine_judge(&e, &asked), "ok");
    }
    OWNED(tpm_drop) struct tpm *tpm = NULL;
    OWNED(bytes_done) struct bytes written = {0};
    assert_ok(tpm_open(azure_machine.places.tpm, &tpm, &err));
    assert_ok(tpm_nv_read(tpm, AZURE_INDEX_USER_DATA, BINDING_SIZE, &written, &err));
    assert_true(span_equal(bytes_span(&written), SPAN_OF(asked.digest)));
}

static void a_report_that_stays_as_it_was_is_not_waited_for_forever(void **state)
{
    (void)state;
    struct error err = {0};
    azure_machine.places.report_from = "now";
    OWNED(tee_drop) struct tee *tee = azure_machine_open();
    OWNED(evidence_done) struct evidence e = {0};
    clock_freeze(clock_at_seconds(SIMULATOR_TODAY));
    soft_tpm_plan(azure_machine.tpm, SOFT_TPM_NV_READ, SOFT_TPM_LATE, 1);
    assert_fails(tee_prove(tee, &asked, &e, &err), ERR_UNREACHABLE, "no-new-report");
    clock_thaw();
}

static void a_time_of_the_report_is_boot_or_now(void **state)
{
    (void)state;
    struct error err = {0};
    struct tee *tee = NULL;
    azure_machine.places.report_from = "later";
    assert_fails(tee_open("azure", &azure_machine.places, &tee, &err), ERR_INVALID, "bad-setting");
}

/* ---- what is not as it should be ------------------------------------------------------------- */

static enum outcome open_fails(struct error *err)
{
    struct tee *tee = NULL;
    enum outcome outcome = tee_open("azure", &azure_machine.places, &tee, err);
    assert_null(tee);
    return outcome;
}

static void a_machine_without_report_or_key_says_so_at_start(void **state)
{
    (void)state;
    struct error err = {0};
    soft_tpm_tool(azure_machine.tpm, "tpm2_nvundefine -C o 0x%08x", AZURE_INDEX_REPORT);
    assert_fails(open_fails(&err), ERR_NOT_FOUND, "tpm-lacks");
    soft_tpm_tool(azure_machine.tpm, "tpm2_nvdefine 0x%08x -C o -s 64 -a 'ownerread|ownerwrite'",
                  AZURE_INDEX_REPORT);
    assert_fails(open_fails(&err), ERR_NOT_FOUND, "tpm-lacks"); /* never written */
    soft_tpm_tool(azure_machine.tpm, "tpm2_nvundefine -C o 0x%08x", AZURE_INDEX_REPORT);
    azure_machine_put_report("");
    soft_tpm_tool(azure_machine.tpm, "tpm2_evictcontrol -C o -c 0x81000003");
    assert_fails(open_fails(&err), ERR_NOT_FOUND, "tpm-lacks");
}

static void a_key_of_another_kind_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    soft_tpm_tool(azure_machine.tpm, "tpm2_evictcontrol -C o -c 0x81000003");
    soft_tpm_tool(azure_machine.tpm,
                  "tpm2_createprimary -C e -g sha256 -G ecc256:ecdsa-sha256:null -a "
                  "'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign' -c ak");
    soft_tpm_tool(azure_machine.tpm, "tpm2_evictcontrol -C o -c ak 0x81000003");
    soft_tpm_tool(azure_machine.tpm, "tpm2_flushcontext -t");
    assert_fails(open_fails(&err), ERR_INVALID, "tpm-wrong-key");
}

static void an_owner_with_a_password_is_told_of(void **state)
{
    (void)state;
    struct error err = {0};
    soft_tpm_tool(azure_machine.tpm, "tpm2_changeauth -c o secret");
    assert_fails(open_fails(&err), ERR_DENIED, "tpm-denied");
}

static void an_index_larger_than_asked_for_is_not_read(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(tpm_drop) struct tpm *tpm = NULL;
    OWNED(bytes_done) struct bytes got = {0};
    const size_t size = azure_machine.paravisor.hcl.len;
    assert_ok(tpm_open(azure_machine.places.tpm, &tpm, &err));
    const int before = soft_tpm_heard(azure_machine.tpm, SOFT_TPM_NV_READ);
    assert_fails(tpm_nv_read(tpm, AZURE_INDEX_REPORT, size - 1, &got, &err), ERR_INVALID,
                 "tpm-too-large");
    assert_int_equal(soft_tpm_heard(azure_machine.tpm, SOFT_TPM_NV_READ), before);
    assert_ok(tpm_nv_read(tpm, AZURE_INDEX_REPORT, size, &got, &err));
    assert_true(span_equal(bytes_span(&got), bytes_span(&azure_machine.paravisor.hcl)));
    assert_true(soft_tpm_heard(azure_machine.tpm, SOFT_TPM_NV_READ) > before + 1); /* in parts */
}

/* Answers that would have the agent ask for ever. */
static void a_tpm_that_leads_nowhere_is_not_followed(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(tee_drop) struct tee *tee = azure_machine_open();
    OWNED(evidence_done) struct evidence e = {0};
    soft_tpm_plan(azure_machine.tpm, SOFT_TPM_GET_CAPABILITY, SOFT_TPM_NOUGHT, 1000);
    assert_fails(tee_prove(tee, &asked, &e, &err), ERR_INTERNAL, "tpm-failed");
    assert_non_null(strstr(err.text, "limit"));
    soft_tpm_plan(azure_machine.tpm, SOFT_TPM_PCR_READ, SOFT_TPM_REPEATS, 1000);
    assert_fails(tee_prove(tee, &asked, &e, &err), ERR_NOT_FOUND, "tpm-lacks");
    assert_int_equal(e.quote.len, 0);
}

/* At each command that evidence takes. */
static void a_tpm_that_breaks_off_is_found_anew_the_next_time(void **state)
{
    (void)state;
    static const uint32_t commands[] = {SOFT_TPM_NV_READ_PUBLIC, SOFT_TPM_NV_READ, SOFT_TPM_QUOTE,
                                        SOFT_TPM_PCR_READ};
    OWNED(tee_drop) struct tee *tee = azure_machine_open();
    for (size_t i = 0; i < countof(commands); i++) {
        struct error err = {0};
        OWNED(evidence_done) struct evidence e = {0};
        soft_tpm_plan(azure_machine.tpm, commands[i], SOFT_TPM_CUT, 1);
        assert_fails(tee_prove(tee, &asked, &e, &err), ERR_UNREACHABLE, "tpm-gone");
        assert_false(tee_is_lost(tee));
        prove(tee, &e);
        assert_string_equal(azure_machine_judge(&e, &asked), "ok");
    }
}

static void a_tpm_that_dies_is_told_of(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(tee_drop) struct tee *tee = azure_machine_open();
    OWNED(evidence_done) struct evidence e = {0};
    soft_tpm_plan(azure_machine.tpm, SOFT_TPM_QUOTE, SOFT_TPM_GONE, 1);
    assert_fails(tee_prove(tee, &asked, &e, &err), ERR_UNREACHABLE, "tpm-gone");
    assert_false(tee_is_lost(tee));
}

static void where_there_is_no_tpm_the_agent_says_so_at_start(void **state)
{
    (void)state;
    struct error err = {0};
    azure_machine.places.tpm = "device:/nonexistent";
    assert_fails(open_fails(&err), ERR_NOT_FOUND, "tpm-missing");
    azure_machine.places.tpm = "nothing-of-that-name:x";
    assert_fails(open_fails(&err), ERR_NOT_FOUND, "tpm-missing");
}

static void what_the_tpm_refuses_is_told_by_its_own_code(void **state)
{
    (void)state;
    static const struct {
        uint32_t answer;
        enum outcome outcome;
        const char *code;
    } cases[] = {
        {0x921, ERR_THROTTLED, "tpm-lockout"}, {0x922, ERR_THROTTLED, "tpm-busy"},
        {0x923, ERR_THROTTLED, "tpm-busy"},    {0x149, ERR_DENIED, "tpm-denied"},
        {0x98e, ERR_DENIED, "tpm-denied"},     {0x9a2, ERR_DENIED, "tpm-denied"},
        {0x18b, ERR_NOT_FOUND, "tpm-lacks"},   {0x101, ERR_INTERNAL, "tpm-failed"},
        {0x143, ERR_NOT_FOUND, "tpm-lacks"},
    };
    OWNED(tee_drop) struct tee *tee = azure_machine_open();
    for (size_t i = 0; i < countof(cases); i++) {
        struct error err = {0};
        OWNED(evidence_done) struct evidence e = {0};
        soft_tpm_plan_answer(azure_machine.tpm, SOFT_TPM_QUOTE, cases[i].answer, 1000);
        assert_fails(tee_prove(tee, &asked, &e, &err), cases[i].outcome, cases[i].code);
        assert_false(tee_is_lost(tee));
    }
}

/* ---- the log of measured boot ---------------------------------------------------------------- */

static void a_log_goes_along_and_one_without_end_does_not(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(azure_machine.folder, "log");
    OWNED(evidence_done) struct evidence e = {0};
    azure_machine.places.event_log = path;
    OWNED(tee_drop) struct tee *tee = azure_machine_open();
    prove(tee, &e);
    assert_int_equal(e.event_log.len, 0); /* not there */
    assert_ok(file_write(path, span_of_text("log"), 0600, &err));
    prove(tee, &e);
    assert_true(span_equal(bytes_span(&e.event_log), span_of_text("log")));
    assert_int_equal(truncate(path, (off_t)4 << 30), 0);
    prove(tee, &e);
    assert_int_equal(e.event_log.len, 0);
    assert_string_equal(azure_machine_judge(&e, &asked), "ok");
}

#define T(test) cmocka_unit_test_setup_teardown(test, azure_machine_set_up, azure_machine_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_the_agent_makes_of_the_vtpm_a_keeper_trusts),
        T(it_is_made_again_and_again),
        T(registers_that_change_after_the_quote_are_quoted_again),
        T(registers_that_never_rest_are_given_up),
        T(the_program_makes_it_as_its_settings_say),
        T(a_report_of_now_is_asked_for_over_the_binding),
        T(a_report_that_stays_as_it_was_is_not_waited_for_forever),
        T(a_time_of_the_report_is_boot_or_now),
        T(a_machine_without_report_or_key_says_so_at_start),
        T(a_key_of_another_kind_is_refused),
        T(an_owner_with_a_password_is_told_of),
        T(an_index_larger_than_asked_for_is_not_read),
        T(a_tpm_that_leads_nowhere_is_not_followed),
        T(a_tpm_that_breaks_off_is_found_anew_the_next_time),
        T(a_tpm_that_dies_is_told_of),
        T(where_there_is_no_tpm_the_agent_says_so_at_start),
        T(what_the_tpm_refuses_is_told_by_its_own_code),
        T(a_log_goes_along_and_one_without_end_does_not),
    };
    return cmocka_run_group_tests_name("azure vtpm", tests, simulator_set_up, simulator_tear_down);
}
