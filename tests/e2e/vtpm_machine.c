/* The agent's evidence of a machine with a vTPM beside the chip's report: a real TPM, in software,
 * configfs-tsm as plain files over the simulated processor, the shipping driver, and the keeper's
 * judge at the other end (trust.md sections 2 and 4; doc/decisions/0011). */
#include <string.h>

#include "agent/tee.h"
#include "agent/tee_vtpm.h"
#include "lib/attest/tpm_key.h"
#include "tests/support/fake_tsm.h"
#include "tests/support/made_vtpm.h"
#include "tests/support/nitro_tpm.h"
#include "tests/support/soft_tpm.h"
#include "tests/support/test.h"

enum { INDEX_TEMPLATE = 0x01c10001, INDEX_CERT = 0x01c10000 };

static const struct evidence_binding asked = {.digest = {1, 2, 3}, .nonce = {4, 5, 6}};

static char no_log[] = "";
static struct {
    struct soft_tpm *tpm;
    struct vtpm vtpm;
    struct psp_wish wish;
} machine;

/* The processor's; an SVSM hashes what it is asked together with its manifest. */
static void make_report(struct span data, struct bytes *report, struct bytes *certs)
{
    struct psp_wish wish = machine.wish;
    struct digest_run run;
    memcpy(wish.report_data, data.at, data.len);
    if (fake_tsm.service_provider[0] != '\0') {
        digest_start(&run, DIGEST_SHA512);
        digest_more(&run, data);
        digest_more(&run, fake_tsm.manifest);
        digest_end(&run, wish.report_data);
    }
    struct simulated s = simulator_evidence(simulator.psp, &wish);
    *report = s.report;
    *certs = s.table;
}

static int set_up(void **state)
{
    if (fake_tsm_set_up(state) != 0)
        return 1;
    fake_tsm.make = make_report;
    machine.tpm = soft_tpm_start();
    machine.wish = psp_wish(PSP_DIRECT_BOOT);
    machine.vtpm = (struct vtpm){.files = &fake_tsm_files,
                                 .tsm_path = fake_tsm.tree,
                                 .tpm = (char *)(uintptr_t)soft_tpm_tcti(machine.tpm),
                                 .document_tpm = no_log,
                                 .event_log = no_log,
                                 .privlevel = -1,
                                 .key = {TPM_KEY_MADE, 0}};
    return 0;
}

static int tear_down(void **state)
{
    soft_tpm_stop(machine.tpm);
    return fake_tsm_tear_down(state);
}

static void prove(struct evidence *out)
{
    struct error err = {0};
    *out = (struct evidence){.kind = EVIDENCE_SNP_VTPM};
    assert_ok(vtpm_prove(&machine.vtpm, &asked, out, &err));
}

/* As it arrives: printed and read again. */
static const char *judge_under(const char *rules, const struct evidence *sent,
                               const struct evidence_binding *binding)
{
    struct error err = {0};
    OWNED(mem_drop) char *text = evidence_print(sent);
    OWNED(evidence_done) struct evidence e = {0};
    OWNED(mem_drop) struct policy *policy = NEW(struct policy);
    OWNED(snp_cache_drop) struct snp_cache *cache = snp_cache_new(simulator.roots, 2);
    OWNED(verdict_done) struct verdict v = {0};
    struct nitro_roots nitro = {0};
    assert_ok(nitro_roots_add(&nitro, nsm_root(0), &err));
    assert_ok(evidence_parse(span_of_text(text), &e, &err));
    assert_ok(policy_parse(span_of_text(rules), POLICY_EXPECT, policy, &err));
    const struct evidence_terms terms = {.chains = cache,
                                         .nitro_roots = &nitro,
                                         .policy = policy,
                                         .binding = binding,
                                         .at = clock_at_seconds(SIMULATOR_TODAY)};
    evidence_judge(&e, &terms, &v);
    return name_of(&reason_names, (int)v.reason);
}

static const char unrooted[] = "{\"vtpm\":{\"roots\":[\"unrooted\"],\"pcrs\":{\"4\":"
                               "\"00000000000000000000000000000000"
                               "00000000000000000000000000000000\"}}}";

/* ---- a key that nobody vouches for ------------------------------------------------------------
 */

static void report_and_quote_answer_the_binding_together(void **state)
{
    (void)state;
    OWNED(evidence_done) struct evidence e = {0};
    OWNED(evidence_done) struct evidence later = {0};
    prove(&e);
    assert_string_equal(judge_under(unrooted, &e, &asked), "ok");
    struct evidence_binding other = asked;
    other.digest[0] ^= 1;
    assert_string_equal(judge_under(unrooted, &e, &other), "policy-report-data");
    prove(&later);
    assert_true(span_equal(bytes_span(&e.ak), bytes_span(&later.ak))); /* the same key again */
    /* Another report over the same binding is not the one that the quote stands beside. */
    machine.wish.guest_svn++;
    OWNED(evidence_done) struct evidence moved = {0};
    prove(&moved);
    const struct bytes kept = moved.report;
    moved.report = e.report;
    assert_string_equal(judge_under(unrooted, &moved, &asked), "nonce-mismatch");
    moved.report = kept;
    assert_string_equal(judge_under(unrooted, &moved, &asked), "ok");
}

static void persistent_keys_and_those_of_a_template_sign_as_well(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(evidence_done) struct evidence made = {0};
    OWNED(evidence_done) struct evidence persistent = {0};
    OWNED(evidence_done) struct evidence templated = {0};
    soft_tpm_make_azure_key(machine.tpm);
    assert_ok(tpm_key_choice_parse("0x81000003", &machine.vtpm.key, &err));
    prove(&persistent);
    assert_string_equal(judge_under(unrooted, &persistent, &asked), "ok");
    /* A public area is a template too, whose number seeds another key of the same kind. */
    soft_tpm_put(machine.tpm, INDEX_TEMPLATE, bytes_span(&persistent.ak));
    assert_ok(tpm_key_choice_parse("template 0x01c10001", &machine.vtpm.key, &err));
    prove(&templated);
    assert_string_equal(judge_under(unrooted, &templated, &asked), "ok");
    assert_ok(tpm_key_choice_parse("make", &machine.vtpm.key, &err));
    prove(&made);
    assert_false(span_equal(bytes_span(&made.ak), bytes_span(&persistent.ak)));
}

static void nothing_is_left_in_the_tpm(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) { /* swtpm holds three keys at a time */
        OWNED(evidence_done) struct evidence e = {0};
        prove(&e);
    }
}

/* ---- a provider's certificate -----------------------------------------------------------------
 */

static void put_certificate(const struct evidence *e, size_t padding)
{
    struct error err = {0};
    struct tpm_public key;
    OWNED(bytes_done) struct bytes spki = {0};
    OWNED(bytes_done) struct bytes cert = {0};
    assert_ok(tpm_public_read(bytes_span(&e->ak), &key, &err));
    assert_ok(tpm_public_spki(&key, &spki, &err));
    made_vtpm_certify(bytes_span(&spki), &cert);
    bytes_add_room(&cert, padding);
    soft_tpm_put(machine.tpm, INDEX_CERT, bytes_span(&cert));
    assert_ok(tpm_index_parse("0x01c10000", &machine.vtpm.key_cert, &err));
}

static void a_key_that_its_provider_certifies_stands_on_him(void **state)
{
    (void)state;
    OWNED(evidence_done) struct evidence first = {0};
    OWNED(evidence_done) struct evidence e = {0};
    OWNED(json_drop)
    json_t *rules = json_pack("{s:{s:[s],s:[s]}}", "vtpm", "roots", "provider", "ak_ca",
                              made_vtpm_authority(0));
    OWNED(mem_drop) char *text = json_print(rules);
    prove(&first);
    put_certificate(&first, 100); /* the index is larger than the certificate */
    prove(&e);
    assert_string_equal(judge_under(text, &e, &asked), "ok");
    assert_string_equal(judge_under(text, &first, &asked), "policy-vtpm-root");
}

static void an_index_without_a_certificate_is_told_of(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(evidence_done) struct evidence without = {0};
    OWNED(evidence_done) struct evidence cut = {0};
    machine.vtpm.key_cert = INDEX_CERT;
    assert_fails(vtpm_prove(&machine.vtpm, &asked, &without, &err), ERR_NOT_FOUND, "tpm-lacks");
    soft_tpm_put(machine.tpm, INDEX_CERT, span_of_text("\x30\x82\x7f\xff short"));
    assert_fails(vtpm_prove(&machine.vtpm, &asked, &cut, &err), ERR_INVALID, "tpm-no-certificate");
}

/* ---- an SVSM's manifest -----------------------------------------------------------------------
 */

static void a_key_in_an_svsms_manifest_stands_on_the_hardware(void **state)
{
    (void)state;
    static const char rules[] = "{\"vtpm\":{\"roots\":[\"svsm\"]}}";
    OWNED(evidence_done) struct evidence first = {0};
    OWNED(evidence_done) struct evidence e = {0};
    prove(&first);
    fake_tsm.manifest = bytes_span(&first.ak);
    machine.vtpm.svsm = true;
    machine.vtpm.privlevel = 2;
    prove(&e);
    assert_string_equal(fake_tsm.service_provider, "svsm");
    assert_string_equal(fake_tsm.service_guid, "c476f1eb-0123-45a5-9641-b4e7dde5bfe3");
    assert_string_equal(fake_tsm.privlevel, "2");
    assert_true(span_equal(bytes_span(&e.manifest), fake_tsm.manifest));
    assert_string_equal(judge_under(rules, &e, &asked), "ok");
    e.manifest.len--;
    assert_string_equal(judge_under(rules, &e, &asked), "policy-report-data");
    e.manifest.len++;
}

static void a_manifest_without_end_is_cut_off(void **state)
{
    (void)state;
    struct error err = {0};
    static const uint8_t huge[EVIDENCE_MANIFEST_MAX + 1];
    OWNED(evidence_done) struct evidence e = {0};
    fake_tsm.manifest = SPAN_OF(huge);
    machine.vtpm.svsm = true;
    assert_fails(vtpm_prove(&machine.vtpm, &asked, &e, &err), ERR_INVALID, "tsm-too-large");
}

static void a_disturbed_request_is_begun_again_with_all_that_it_says(void **state)
{
    (void)state;
    OWNED(evidence_done) struct evidence e = {0};
    static const uint8_t manifest[] = {1, 2, 3};
    fake_tsm.manifest = SPAN_OF(manifest);
    fake_tsm.disturbances = 2;
    machine.vtpm.svsm = true;
    prove(&e);
    assert_int_equal(fake_tsm.folders_made, 3);
    assert_int_equal(fake_tsm.writes, 9);
}

/* ---- what is not as it should be ---------------------------------------------------------------
 */

static void trouble_of_either_side_is_told_by_its_own_code(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(evidence_done) struct evidence first = {0};
    OWNED(evidence_done) struct evidence second = {0};
    soft_tpm_plan_answer(machine.tpm, SOFT_TPM_QUOTE, 0x921, 1);
    assert_fails(vtpm_prove(&machine.vtpm, &asked, &first, &err), ERR_THROTTLED, "tpm-lockout");
    fake_tsm.provider = "tdx_guest\n";
    assert_fails(vtpm_prove(&machine.vtpm, &asked, &second, &err), ERR_INVALID,
                 "tsm-wrong-provider");
}

static void keys_are_named_in_one_of_three_ways(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "0x",
                                      "81000003",
                                      "0x8100000g",
                                      "0x810000031",
                                      "0x01c10000",
                                      "0x80000000",
                                      "template ",
                                      "template make",
                                      "makes",
                                      "template 0x81000003",
                                      "0x 8100003",
                                      "0x-1000003"};
    for (size_t i = 0; i < countof(bad); i++) {
        struct error err = {0};
        struct tpm_key_choice choice;
        uint32_t index;
        assert_fails(tpm_key_choice_parse(bad[i], &choice, &err), ERR_INVALID, "bad-setting");
        if (bad[i][0] != '\0' && strcmp(bad[i], "0x01c10000") != 0)
            assert_fails(tpm_index_parse(bad[i], &index, &err), ERR_INVALID, "bad-setting");
    }
}

/* ---- a NitroTPM's document ------------------------------------------------------------------- */

static const char documented[] = "{\"vtpm\":{\"roots\":[\"provider\"],\"pcrs\":{\"4\":"
                                 "\"040404040404040404040404040404040404040404040404"
                                 "040404040404040404040404040404040404040404040404\"}}}";

static void be_nitro(void)
{
    machine.vtpm.document_tpm = machine.vtpm.tpm;
    nitro_tpm_set_up(machine.tpm);
}

static enum outcome try_it(struct error *err)
{
    OWNED(evidence_done) struct evidence e = {.kind = EVIDENCE_SNP_VTPM};
    return vtpm_prove(&machine.vtpm, &asked, &e, err);
}

static void a_nitrotpms_document_stands_in_the_quotes_place(void **state)
{
    (void)state;
    OWNED(evidence_done) struct evidence e = {0};
    be_nitro();
    prove(&e);
    assert_int_equal(e.quote.len, 0);
    assert_string_equal(judge_under(documented, &e, &asked), "ok");
    struct evidence_binding other = asked;
    other.nonce[0] ^= 1;
    assert_string_equal(judge_under(documented, &e, &other), "policy-nonce");
    other = asked;
    other.digest[0] ^= 1;
    assert_string_equal(judge_under(documented, &e, &other), "policy-report-data");
    nitro_tpm.wish.registers = NULL;
    nitro_tpm.wish.of_tpm = false; /* an enclave's, which no TPM makes */
    OWNED(evidence_done) struct evidence enclaves = {0};
    prove(&enclaves);
    assert_string_equal(judge_under(documented, &enclaves, &asked), "unsupported-report-type");
    nitro_tpm_tear_down();
}

/* As AWS's tool and others send it: index twice, and the empty password. */
static void the_command_is_the_makers_own(void **state)
{
    (void)state;
    static const uint8_t wanted[] = {0x80, 0x02, 0,    0,    0,    31,   0x20, 0, 0, 0x01, 0x01,
                                     0x80, 0x4d, 0x55, 0x01, 0x80, 0x4d, 0x55, 0, 0, 0,    9,
                                     0x40, 0,    0,    0x09, 0,    0,    0,    0, 0};
    struct error err = {0};
    be_nitro();
    assert_ok(try_it(&err));
    assert_int_equal(nitro_tpm.command.len, sizeof wanted);
    assert_memory_equal(nitro_tpm.command.at, wanted, sizeof wanted);
    static const char no_key[] = "\x6apublic_key\xf6"; /* null */
    assert_non_null(memmem(nitro_tpm.heard.at, nitro_tpm.heard.len, no_key, sizeof no_key - 1));
    nitro_tpm_tear_down();
}

static void the_room_for_a_document_is_gone_afterwards(void **state)
{
    (void)state;
    be_nitro();
    for (int i = 1; i <= 3; i++) {
        struct error err = {0};
        assert_ok(try_it(&err));
        assert_false(nitro_tpm.defined);
        assert_int_equal(nitro_tpm.definitions, i);
    }
    nitro_tpm.refuses = 0x143; /* also when it comes to nothing */
    assert_int_not_equal(try_it(NULL), OK);
    assert_false(nitro_tpm.defined);
    nitro_tpm_tear_down();
}

/* Left by an agent that died in the middle, or somebody else's. */
static void a_room_that_was_left_is_taken_up_and_anothers_is_not(void **state)
{
    (void)state;
    struct error err = {0};
    be_nitro();
    soft_tpm_plan(machine.tpm, SOFT_TPM_NV_READ, SOFT_TPM_CUT, 1);
    assert_fails(try_it(&err), ERR_UNREACHABLE, "tpm-gone");
    assert_true(nitro_tpm.defined);
    assert_ok(try_it(&err));
    assert_false(nitro_tpm.defined);
    assert_int_equal(nitro_tpm.definitions, 1);
    nitro_tpm.defined = true;
    nitro_tpm.size = 64;
    assert_fails(try_it(&err), ERR_CONFLICT, "tpm-index-taken");
    assert_true(nitro_tpm.defined);
    nitro_tpm_tear_down();
}

static void what_a_nitrotpm_does_not_give_is_told_by_its_own_code(void **state)
{
    (void)state;
    struct error err = {0};
    be_nitro();
    nitro_tpm.refuses = 0x143; /* no such command */
    assert_fails(try_it(&err), ERR_NOT_FOUND, "tpm-lacks");
    nitro_tpm.refuses = 0x922; /* again, please */
    assert_fails(try_it(&err), ERR_THROTTLED, "tpm-busy");
    nitro_tpm.refuses = 0;
    nitro_tpm.says = "a1654572726f726c496e7465726e616c4572726f72"; /* {"Error": "InternalError"} */
    assert_fails(try_it(&err), ERR_DENIED, "nsm-refused");
    static const char *const nonsense[] = {
        "ff", "a1", "a16b4174746573746174696f6ea0",
        "a16b4174746573746174696f6ea168646f63756d656e7440",
        "a16b4174746573746174696f6ea168646f63756d656e745a7fffffff"};
    for (size_t i = 0; i < countof(nonsense); i++) {
        nitro_tpm.says = nonsense[i];
        assert_fails(try_it(&err), ERR_INVALID, "nsm-bad-answer");
    }
    nitro_tpm_tear_down();
}

static void what_is_no_such_machine_says_so_at_start(void **state)
{
    (void)state;
    struct error err = {0};
    struct tee *tee = NULL;
    struct tee_places places = {.tsm_path = "/nonexistent",
                                .privlevel = -1,
                                .tpm = soft_tpm_tcti(machine.tpm),
                                .tpm_key = "make",
                                .tpm_key_cert = "",
                                .tpm_document = "",
                                .event_log = ""};
    assert_fails(tee_open("vtpm", &places, &tee, &err), ERR_NOT_FOUND, "tsm-missing");
    places.tpm_key = "none";
    assert_fails(tee_open("vtpm", &places, &tee, &err), ERR_INVALID, "bad-setting");
    assert_null(tee);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(report_and_quote_answer_the_binding_together),
        T(persistent_keys_and_those_of_a_template_sign_as_well),
        T(nothing_is_left_in_the_tpm),
        T(a_key_that_its_provider_certifies_stands_on_him),
        T(an_index_without_a_certificate_is_told_of),
        T(a_key_in_an_svsms_manifest_stands_on_the_hardware),
        T(a_manifest_without_end_is_cut_off),
        T(a_disturbed_request_is_begun_again_with_all_that_it_says),
        T(trouble_of_either_side_is_told_by_its_own_code),
        T(keys_are_named_in_one_of_three_ways),
        T(a_nitrotpms_document_stands_in_the_quotes_place),
        T(the_command_is_the_makers_own),
        T(the_room_for_a_document_is_gone_afterwards),
        T(a_room_that_was_left_is_taken_up_and_anothers_is_not),
        T(what_a_nitrotpm_does_not_give_is_told_by_its_own_code),
        T(what_is_no_such_machine_says_so_at_start),
    };
    return cmocka_run_group_tests_name("vtpm machine", tests, simulator_set_up,
                                       simulator_tear_down);
}
