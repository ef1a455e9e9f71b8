/* The agent's evidence of an Azure machine: a real TPM, in software, made up as Azure's is, the
 * shipping driver, and the keeper's judge at the other end (trust.md section 4). What the TPM, its
 * registers and its indices may do to the agent meanwhile. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "agent/tee.h"
#include "agent/tpm.h"
#include "lib/attest/hcl_report.h"
#include "lib/base/file.h"
#include "tests/support/paravisor.h"
#include "tests/support/scratch.h"
#include "tests/support/soft_tpm.h"
#include "tests/support/test.h"

enum { INDEX_REPORT = 0x01400001, INDEX_USER_DATA = 0x01400002 };

static const struct evidence_binding asked = {.digest = {1, 2, 3}, .nonce = {4, 5, 6}};

static struct machine {
    struct soft_tpm *tpm;
    char *folder;
    struct tee_places places;
    struct paravisor paravisor;
} machine;

/* ---- making an Azure machine ----------------------------------------------------------------- */

static void read_modulus(struct soft_tpm *from, struct bytes *out)
{
    struct error err = {0};
    const struct tpm_key_choice key = {TPM_KEY_PERSISTENT, 0x81000003};
    OWNED(tpm_drop) struct tpm *tpm = NULL;
    OWNED(bytes_done) struct bytes public = {0};
    assert_ok(tpm_open(soft_tpm_tcti(from), &tpm, &err));
    assert_ok(tpm_use_key(tpm, &key, &public, &err));
    bytes_add(out, SPAN(public.at + public.len - 256, 256));
}

static void put_report(const char *claims_more)
{
    OWNED(bytes_done) struct bytes modulus = {0};
    struct paravisor_wish wish = paravisor_wish();
    read_modulus(machine.tpm, &modulus);
    wish.modulus = bytes_span(&modulus);
    wish.claims_more = claims_more;
    paravisor_done(&machine.paravisor);
    paravisor_make(simulator.psp, simulator.roots, &wish, &machine.paravisor);
    soft_tpm_put(machine.tpm, INDEX_REPORT, bytes_span(&machine.paravisor.hcl));
}

static void start(void)
{
    machine.tpm = soft_tpm_start();
    machine.places = (struct tee_places){
        .tpm = soft_tpm_tcti(machine.tpm), .report_from = "boot", .event_log = ""};
}

static int set_up(void **state)
{
    void *folder = NULL;
    (void)state;
    assert_int_equal(scratch_open(&folder), 0);
    machine.folder = folder;
    start();
    soft_tpm_make_azure_key(machine.tpm);
    put_report("");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    void *folder = machine.folder;
    paravisor_done(&machine.paravisor);
    soft_tpm_stop(machine.tpm);
    scratch_close(&folder);
    memset(&machine, 0, sizeof machine);
    return 0;
}

static struct tee *open_tee(void)
{
    struct error err = {0};
    struct tee *tee = NULL;
    assert_ok(tee_open("azure", &machine.places, &tee, &err));
    return tee;
}

static void prove(struct tee *tee, struct evidence *out)
{
    struct error err = {0};
    assert_ok(tee_prove(tee, &asked, out, &err));
}

/* What a keeper with the simulator's roots says; register 4 shall be as at the TPM's start. */
static const char *judge_evidence(const struct evidence *e, const struct evidence_binding *binding)
{
    static const char rules[] =
        "{\"azure\":{\"pcrs\":{\"4\":"
        "\"0000000000000000000000000000000000000000000000000000000000000000\"}}}";
    struct error err = {0};
    OWNED(mem_drop) struct policy *policy = NEW(struct policy);
    OWNED(snp_cache_drop) struct snp_cache *cache = snp_cache_new(simulator.roots, 2);
    OWNED(verdict_done) struct verdict v = {0};
    assert_ok(policy_parse(span_of_text(rules), POLICY_EXPECT, policy, &err));
    const struct evidence_terms terms = {.chains = cache,
                                         .policy = policy,
                                         .binding = binding,
                                         .at = clock_at_seconds(SIMULATOR_TODAY)};
    evidence_judge(e, &terms, &v);
    return name_of(&reason_names, (int)v.reason);
}

/* As it arrives: printed, read again, and with the certificates that a controller adds. */
static const char *judge_as(const struct evidence *sent, const struct evidence_binding *binding)
{
    struct error err = {0};
    OWNED(mem_drop) char *text = evidence_print(sent);
    OWNED(evidence_done) struct evidence e = {0};
    assert_ok(evidence_parse(span_of_text(text), &e, &err));
    if (e.ek.len == 0)
        bytes_add(&e.cert_table, bytes_span(&machine.paravisor.table));
    return judge_evidence(&e, binding);
}

/* ---- the honest way -------------------------------------------------------------------------- */

static void what_the_agent_makes_of_the_vtpm_a_keeper_trusts(void **state)
{
    (void)state;
    OWNED(tee_drop) struct tee *tee = open_tee();
    OWNED(evidence_done) struct evidence e = {0};
    assert_int_equal(tee_kind(tee), EVIDENCE_SNP_AZURE);
    prove(tee, &e);
    assert_string_equal(judge_as(&e, &asked), "ok");
    struct evidence_binding other = asked;
    other.digest[63] ^= 1;
    assert_string_equal(judge_as(&e, &other), "nonce-mismatch");
    e.signature.at[0] ^= 1;
    assert_string_equal(judge_as(&e, &asked), "quote-bad-signature");
}

static void it_is_made_again_and_again(void **state)
{
    (void)state;
    OWNED(tee_drop) struct tee *tee = open_tee();
    for (int i = 0; i < 5; i++) {
        OWNED(evidence_done) struct evidence e = {0};
        prove(tee, &e);
        assert_string_equal(judge_as(&e, &asked), "ok");
    }
}

static void registers_that_change_after_the_quote_are_quoted_again(void **state)
{
    (void)state;
    OWNED(tee_drop) struct tee *tee = open_tee();
    OWNED(evidence_done) struct evidence e = {0};
    const int before = soft_tpm_heard(machine.tpm, SOFT_TPM_QUOTE);
    soft_tpm_plan(machine.tpm, SOFT_TPM_QUOTE, SOFT_TPM_EXTENDED, 2);
    prove(tee, &e);
    assert_int_equal(soft_tpm_heard(machine.tpm, SOFT_TPM_QUOTE) - before, 3);
    assert_string_equal(judge_as(&e, &asked), "ok");
}

static void registers_that_never_rest_are_given_up(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(tee_drop) struct tee *tee = open_tee();
    OWNED(evidence_done) struct evidence e = {0};
    const int before = soft_tpm_heard(machine.tpm, SOFT_TPM_QUOTE);
    soft_tpm_plan(machine.tpm, SOFT_TPM_QUOTE, SOFT_TPM_EXTENDED, 1000);
    assert_fails(tee_prove(tee, &asked, &e, &err), ERR_CONFLICT, "tpm-disturbed");
    assert_int_equal(soft_tpm_heard(machine.tpm, SOFT_TPM_QUOTE) - before, TPM_ATTEMPTS);
    assert_int_equal(e.quote.len, 0);
    assert_false(tee_is_lost(tee));
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
    soft_tpm_tool(machine.tpm, "tpm2_nvundefine -C o 0x%08x", INDEX_REPORT);
    put_report(text_str(&claims));
    machine.places.report_from = "now";
    OWNED(tee_drop) struct tee *tee = open_tee();
    OWNED(evidence_done) struct evidence e = {0};
    for (int i = 0; i < 2; i++) { /* the index is defined once */
        prove(tee, &e);
        assert_string_equal(judge_as(&e, &asked), "ok");
    }
    OWNED(tpm_drop) struct tpm *tpm = NULL;
    OWNED(bytes_done) struct bytes written = {0};
    assert_ok(tpm_open(machine.places.tpm, &tpm, &err));
    assert_ok(tpm_nv_read(tpm, INDEX_USER_DATA, BINDING_SIZE, &written, &err));
    assert_true(span_equal(bytes_span(&written), SPAN_OF(asked.digest)));
}

static void a_report_that_stays_as_it_was_is_not_waited_for_forever(void **state)
{
    (void)state;
    struct error err = {0};
    machine.places.report_from = "now";
    OWNED(tee_drop) struct tee *tee = open_tee();
    OWNED(evidence_done) struct evidence e = {0};
    clock_freeze(clock_at_seconds(SIMULATOR_TODAY));
    soft_tpm_plan(machine.tpm, SOFT_TPM_NV_READ, SOFT_TPM_LATE, 1);
    assert_fails(tee_prove(tee, &asked, &e, &err), ERR_UNREACHABLE, "no-new-report");
    clock_thaw();
}

static void a_time_of_the_report_is_boot_or_now(void **state)
{
    (void)state;
    struct error err = {0};
    struct tee *tee = NULL;
    machine.places.report_from = "later";
    assert_fails(tee_open("azure", &machine.places, &tee, &err), ERR_INVALID, "bad-setting");
}

/* ---- what is not as it should be ------------------------------------------------------------- */

static enum outcome open_fails(struct error *err)
{
    struct tee *tee = NULL;
    enum outcome outcome = tee_open("azure", &machine.places, &tee, err);
    assert_null(tee);
    return outcome;
}

static void a_machine_without_report_or_key_says_so_at_start(void **state)
{
    (void)state;
    struct error err = {0};
    soft_tpm_tool(machine.tpm, "tpm2_nvundefine -C o 0x%08x", INDEX_REPORT);
    assert_fails(open_fails(&err), ERR_NOT_FOUND, "tpm-lacks");
    soft_tpm_tool(machine.tpm, "tpm2_nvdefine 0x%08x -C o -s 64 -a 'ownerread|ownerwrite'",
                  INDEX_REPORT);
    assert_fails(open_fails(&err), ERR_NOT_FOUND, "tpm-lacks"); /* never written */
    soft_tpm_tool(machine.tpm, "tpm2_nvundefine -C o 0x%08x", INDEX_REPORT);
    put_report("");
    soft_tpm_tool(machine.tpm, "tpm2_evictcontrol -C o -c 0x81000003");
    assert_fails(open_fails(&err), ERR_NOT_FOUND, "tpm-lacks");
}

static void a_key_of_another_kind_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    soft_tpm_tool(machine.tpm, "tpm2_evictcontrol -C o -c 0x81000003");
    soft_tpm_tool(machine.tpm,
                  "tpm2_createprimary -C e -g sha256 -G ecc256:ecdsa-sha256:null -a "
                  "'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign' -c ak");
    soft_tpm_tool(machine.tpm, "tpm2_evictcontrol -C o -c ak 0x81000003");
    soft_tpm_tool(machine.tpm, "tpm2_flushcontext -t");
    assert_fails(open_fails(&err), ERR_INVALID, "tpm-wrong-key");
}

static void an_owner_with_a_password_is_told_of(void **state)
{
    (void)state;
    struct error err = {0};
    soft_tpm_tool(machine.tpm, "tpm2_changeauth -c o secret");
    assert_fails(open_fails(&err), ERR_DENIED, "tpm-denied");
}

static void an_index_larger_than_asked_for_is_not_read(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(tpm_drop) struct tpm *tpm = NULL;
    OWNED(bytes_done) struct bytes got = {0};
    const size_t size = machine.paravisor.hcl.len;
    assert_ok(tpm_open(machine.places.tpm, &tpm, &err));
    const int before = soft_tpm_heard(machine.tpm, SOFT_TPM_NV_READ);
    assert_fails(tpm_nv_read(tpm, INDEX_REPORT, size - 1, &got, &err), ERR_INVALID,
                 "tpm-too-large");
    assert_int_equal(soft_tpm_heard(machine.tpm, SOFT_TPM_NV_READ), before);
    assert_ok(tpm_nv_read(tpm, INDEX_REPORT, size, &got, &err));
    assert_true(span_equal(bytes_span(&got), bytes_span(&machine.paravisor.hcl)));
    assert_true(soft_tpm_heard(machine.tpm, SOFT_TPM_NV_READ) > before + 1); /* in parts */
}

/* At each command that evidence takes. */
static void a_tpm_that_breaks_off_is_found_anew_the_next_time(void **state)
{
    (void)state;
    static const uint32_t commands[] = {SOFT_TPM_NV_READ_PUBLIC, SOFT_TPM_NV_READ, SOFT_TPM_QUOTE,
                                        SOFT_TPM_PCR_READ};
    OWNED(tee_drop) struct tee *tee = open_tee();
    for (size_t i = 0; i < countof(commands); i++) {
        struct error err = {0};
        OWNED(evidence_done) struct evidence e = {0};
        soft_tpm_plan(machine.tpm, commands[i], SOFT_TPM_CUT, 1);
        assert_fails(tee_prove(tee, &asked, &e, &err), ERR_UNREACHABLE, "tpm-gone");
        assert_false(tee_is_lost(tee));
        prove(tee, &e);
        assert_string_equal(judge_as(&e, &asked), "ok");
    }
}

static void a_tpm_that_dies_stays_gone(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(tee_drop) struct tee *tee = open_tee();
    OWNED(evidence_done) struct evidence e = {0};
    soft_tpm_plan(machine.tpm, SOFT_TPM_QUOTE, SOFT_TPM_GONE, 1);
    assert_fails(tee_prove(tee, &asked, &e, &err), ERR_UNREACHABLE, "tpm-gone");
    assert_int_not_equal(tee_prove(tee, &asked, &e, &err), OK);
    assert_true(strcmp(err.code, "tpm-gone") == 0 || strcmp(err.code, "tpm-missing") == 0);
}

static void where_there_is_no_tpm_the_agent_says_so_at_start(void **state)
{
    (void)state;
    struct error err = {0};
    machine.places.tpm = "device:/nonexistent";
    assert_fails(open_fails(&err), ERR_NOT_FOUND, "tpm-missing");
    machine.places.tpm = "nothing-of-that-name:x";
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
        {0x143, ERR_INTERNAL, "tpm-failed"},
    };
    OWNED(tee_drop) struct tee *tee = open_tee();
    for (size_t i = 0; i < countof(cases); i++) {
        struct error err = {0};
        OWNED(evidence_done) struct evidence e = {0};
        soft_tpm_plan_answer(machine.tpm, SOFT_TPM_QUOTE, cases[i].answer, 1000);
        assert_fails(tee_prove(tee, &asked, &e, &err), cases[i].outcome, cases[i].code);
        assert_false(tee_is_lost(tee));
    }
}

/* ---- the log of measured boot ---------------------------------------------------------------- */

static void a_log_goes_along_and_one_without_end_does_not(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(machine.folder, "log");
    OWNED(evidence_done) struct evidence e = {0};
    machine.places.event_log = path;
    OWNED(tee_drop) struct tee *tee = open_tee();
    prove(tee, &e);
    assert_int_equal(e.event_log.len, 0); /* not there */
    assert_ok(file_write(path, span_of_text("log"), 0600, &err));
    prove(tee, &e);
    assert_true(span_equal(bytes_span(&e.event_log), span_of_text("log")));
    assert_int_equal(truncate(path, (off_t)4 << 30), 0);
    prove(tee, &e);
    assert_int_equal(e.event_log.len, 0);
    assert_string_equal(judge_as(&e, &asked), "ok");
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_the_agent_makes_of_the_vtpm_a_keeper_trusts),
        T(it_is_made_again_and_again),
        T(registers_that_change_after_the_quote_are_quoted_again),
        T(registers_that_never_rest_are_given_up),
        T(a_report_of_now_is_asked_for_over_the_binding),
        T(a_report_that_stays_as_it_was_is_not_waited_for_forever),
        T(a_time_of_the_report_is_boot_or_now),
        T(a_machine_without_report_or_key_says_so_at_start),
        T(a_key_of_another_kind_is_refused),
        T(an_owner_with_a_password_is_told_of),
        T(an_index_larger_than_asked_for_is_not_read),
        T(a_tpm_that_breaks_off_is_found_anew_the_next_time),
        T(a_tpm_that_dies_stays_gone),
        T(where_there_is_no_tpm_the_agent_says_so_at_start),
        T(what_the_tpm_refuses_is_told_by_its_own_code),
        T(a_log_goes_along_and_one_without_end_does_not),
    };
    return cmocka_run_group_tests_name("azure vtpm", tests, simulator_set_up, simulator_tear_down);
}
