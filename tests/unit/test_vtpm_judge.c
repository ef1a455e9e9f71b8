/* What a vTPM stands on: each check of who vouches for it against a made-up machine that differs in
 * one thing only. Quote, registers and log are test_vtpm_boot. */
#include "lib/attest/vtpm_judge.h"

#include <string.h>

#include "tests/support/cases.h"
#include "tests/support/test.h"
#include "tests/support/vtpm_judged.h"

static bool keeps(const struct verdict *v, enum residual what)
{
    return (v->residuals >> what & 1) != 0;
}

static bool lacks(const struct verdict *v, enum missing what)
{
    return (v->missing >> what & 1) != 0;
}

/* ---- what each word is worth ---------------------------------------------------------------- */

static void an_svsms_word_is_the_hardwares(void **state)
{
    (void)state;
    OWNED(mem_drop) struct policy *policy = vtpm_whole_policy("");
    for (int on_p256 = 0; on_p256 < 2; on_p256++) {
        struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
        OWNED(verdict_done) struct verdict v = {0};
        wish.on_p256 = on_p256 != 0;
        vtpm_judge_wish(&wish, policy, &v);
        assert_int_equal(v.reason, REASON_OK);
        assert_int_equal(v.hardware, SOURCE_HARDWARE);
        assert_int_equal(v.software, SOURCE_HARDWARE);
        assert_int_equal(v.identity, SOURCE_HARDWARE);
        assert_int_equal(v.anchor, ANCHOR_VTPM);
        assert_false(keeps(&v, RESIDUAL_VTPM_UNROOTED));
        assert_false(keeps(&v, RESIDUAL_PROVIDER_FIRMWARE));
    }
}

static void a_providers_word_is_the_providers(void **state)
{
    (void)state;
    static const enum made_vouch words[] = {VOUCH_AUTHORITY, VOUCH_DOCUMENT};
    OWNED(mem_drop) struct policy *policy = vtpm_whole_policy("");
    for (size_t i = 0; i < countof(words); i++)
        for (int on_p256 = 0; on_p256 < 2; on_p256++) {
            struct made_vtpm_wish wish = made_vtpm_wish(words[i]);
            OWNED(verdict_done) struct verdict v = {0};
            wish.on_p256 = on_p256 != 0;
            vtpm_judge_wish(&wish, policy, &v);
            assert_int_equal(v.reason, REASON_OK);
            assert_int_equal(v.hardware, SOURCE_HARDWARE);
            assert_int_equal(v.software, SOURCE_PROVIDER);
            assert_int_equal(v.identity, SOURCE_PROVIDER);
            assert_int_equal(v.anchor, ANCHOR_VTPM);
            assert_true(lacks(&v, MISSING_SOFTWARE_HARDWARE));
            assert_true(keeps(&v, RESIDUAL_PROVIDER_FIRMWARE));
        }
}

/* All its parts are right, and root can make every one of them. */
static void a_software_tpm_that_root_invents_is_shown_and_never_counted(void **state)
{
    (void)state;
    OWNED(mem_drop) struct policy *policy = vtpm_whole_policy("");
    struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_NOBODY);
    OWNED(made_vtpm_done) struct made_vtpm t;
    OWNED(verdict_done) struct verdict v = {0};
    made_vtpm_make(simulator.psp, simulator.roots, &wish, NULL, &t);
    t.input.policy = policy;
    t.input.standing = (struct standing){.disk_encrypted = true,
                                         .transit_encrypted = true,
                                         .endpoint_keys = true,
                                         .custody_outside = true};
    vtpm_judge(&t.input, &v);
    assert_int_equal(v.reason, REASON_OK);
    assert_int_equal(v.hardware, SOURCE_HARDWARE);
    assert_int_equal(v.software, SOURCE_NONE);
    assert_int_equal(v.anchor, ANCHOR_NONE);
    assert_int_equal(v.level, LEVEL_1);
    assert_true(keeps(&v, RESIDUAL_VTPM_UNROOTED));
    assert_true(span_is_zero(SPAN_OF(v.named[0])));
}

/* And with an SVSM's word the same reaches L3. */
static void only_the_hardwares_word_reaches_the_highest_level(void **state)
{
    (void)state;
    static const struct {
        enum made_vouch vouch;
        enum level level;
    } rows[] = {{VOUCH_SVSM, LEVEL_3},
                {VOUCH_AUTHORITY, LEVEL_2},
                {VOUCH_DOCUMENT, LEVEL_2},
                {VOUCH_NOBODY, LEVEL_1}};
    OWNED(mem_drop) struct policy *policy = vtpm_whole_policy("");
    for (size_t i = 0; i < countof(rows); i++) {
        const struct made_vtpm_wish wish = made_vtpm_wish(rows[i].vouch);
        OWNED(made_vtpm_done) struct made_vtpm t;
        OWNED(verdict_done) struct verdict v = {0};
        made_vtpm_make(simulator.psp, simulator.roots, &wish, NULL, &t);
        t.input.policy = policy;
        t.input.standing = (struct standing){.disk_encrypted = true,
                                             .transit_encrypted = true,
                                             .endpoint_keys = true,
                                             .custody_outside = true};
        vtpm_judge(&t.input, &v);
        assert_int_equal(v.level, rows[i].level);
    }
}

static void a_policy_may_take_some_words_only(void **state)
{
    (void)state;
    static const enum made_vouch words[] = {VOUCH_SVSM, VOUCH_AUTHORITY, VOUCH_DOCUMENT,
                                            VOUCH_NOBODY};
    static const char *const takes[] = {"svsm", "provider", "provider", "unrooted"};
    static const char *const roots[] = {"svsm", "provider", "unrooted"};
    for (size_t i = 0; i < countof(words); i++)
        for (size_t at = 0; at < countof(roots); at++) {
            char more[64];
            const struct made_vtpm_wish wish = made_vtpm_wish(words[i]);
            snprintf(more, sizeof more, ",\"roots\":[\"%s\"]", roots[at]);
            OWNED(mem_drop) struct policy *policy = vtpm_whole_policy(more);
            const bool taken = strcmp(takes[i], roots[at]) == 0;
            vtpm_assert(&wish, policy, taken ? "ok" : "policy-vtpm-root",
                        taken ? NULL : "policy-vtpm-root");
        }
}

static void two_words_at_once_are_refused(void **state)
{
    (void)state;
    VTPM_CASE(VOUCH_SVSM, also_certified, true, "malformed", "vtpm-root");
    VTPM_CASE(VOUCH_DOCUMENT, also_certified, true, "malformed", "vtpm-root");
    OWNED(mem_drop) struct policy *policy = vtpm_whole_policy("");
    const struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
    OWNED(made_vtpm_done) struct made_vtpm t;
    OWNED(verdict_done) struct verdict v = {0};
    made_vtpm_make(simulator.psp, simulator.roots, &wish, NULL, &t);
    t.input.policy = policy;
    t.input.document = span_of_text("x");
    vtpm_judge(&t.input, &v);
    case_is(name_of(&check_result_names, (int)verdict_check(&v, "vtpm-root")->result), "fail");
}

static void a_whole_policy_must_name_report_and_vtpm(void **state)
{
    (void)state;
    static const char *const others[] = {
        "{\"snp\":{\"measurement\":\"any\"}}",
        "{\"vtpm\":{\"pcrs\":\"any\"}}",
        "{\"snp\":{\"measurement\":\"any\"},\"azure\":{\"pcrs\":\"any\"}}",
    };
    for (size_t i = 0; i < countof(others); i++) {
        struct error err = {0};
        OWNED(mem_drop) struct policy *policy = NEW(struct policy);
        const struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_NOBODY);
        assert_ok(policy_parse(span_of_text(others[i]), POLICY_WHOLE, policy, &err));
        vtpm_assert(&wish, policy, "unsupported-evidence", "evidence-kind");
    }
}

/* A report without its quote must not be the way around a policy that asks for one. */
static void a_bare_report_does_not_pass_where_a_vtpm_is_asked_for(void **state)
{
    (void)state;
    OWNED(mem_drop) struct policy *policy = vtpm_whole_policy("");
    const struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_NOBODY);
    OWNED(made_vtpm_done) struct made_vtpm t;
    OWNED(verdict_done) struct verdict v = {0};
    made_vtpm_make(simulator.psp, simulator.roots, &wish, NULL, &t);
    const struct judge_input input = {.kind = EVIDENCE_SNP,
                                      .report = bytes_span(&t.report),
                                      .endorsements = t.endorsements,
                                      .policy = policy,
                                      .at = t.input.at};
    judge(&input, &v);
    assert_int_equal(v.reason, REASON_UNSUPPORTED_EVIDENCE);
}

/* ---- the report ----------------------------------------------------------------------------- */

static void the_report_of_another_machine_or_challenge_is_refused(void **state)
{
    (void)state;
    static const enum made_vouch words[] = {VOUCH_SVSM, VOUCH_AUTHORITY, VOUCH_DOCUMENT,
                                            VOUCH_NOBODY};
    for (size_t i = 0; i < countof(words); i++) {
        VTPM_CASE(words[i], report_for_other_binding, true, "policy-report-data",
                  "policy-report-data");
        VTPM_CASE(words[i], report_flip, 1, "bad-signature", "signature");
        VTPM_CASE(words[i], measurement, 0x12, "policy-measurement", "policy-measurement");
        VTPM_CASE(words[i], debug, true, "policy-debug", "policy-debug");
        VTPM_CASE(words[i], vmpl, 2, "policy-vmpl", "policy-vmpl");
    }
}

/* The manifest would be nobody's if the report did not speak for it. */
static void an_svsms_report_must_speak_for_its_manifest(void **state)
{
    (void)state;
    VTPM_CASE(VOUCH_SVSM, bare_report_data, true, "policy-report-data", "policy-report-data");
    OWNED(mem_drop) struct policy *policy = vtpm_whole_policy("");
    const struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
    struct made_vtpm_wish table = wish;
    OWNED(made_vtpm_done) struct made_vtpm t, other;
    OWNED(verdict_done) struct verdict v = {0}, none = {0};
    table.manifest = MANIFEST_TABLE;
    made_vtpm_make(simulator.psp, simulator.roots, &wish, NULL, &t);
    made_vtpm_make(simulator.psp, simulator.roots, &table, NULL, &other);
    t.input.policy = policy;
    t.input.manifest = bytes_span(&other.manifest);
    vtpm_judge(&t.input, &v);
    assert_int_equal(v.reason, REASON_POLICY_REPORT_DATA);
    t.input.manifest = (struct span){0};
    vtpm_judge(&t.input, &none);
    assert_int_equal(none.reason, REASON_POLICY_REPORT_DATA);
}

static void only_vmpl_0_speaks_as_an_svsm(void **state)
{
    (void)state;
    OWNED(mem_drop)
    struct policy *lax = vtpm_expecting("{\"snp\":{\"max_vmpl\":3}}");
    for (uint32_t vmpl = 1; vmpl <= 3; vmpl++) {
        struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
        wish.vmpl = vmpl;
        vtpm_assert(&wish, lax, "policy-vmpl", "svsm-vmpl");
        wish = made_vtpm_wish(VOUCH_NOBODY);
        wish.vmpl = vmpl;
        vtpm_assert(&wish, lax, "ok", NULL);
    }
}

/* Where there is no SVSM, the guest itself stands at VMPL 0 and writes any manifest. */
static void a_measurement_that_is_no_svsms_has_no_svsms_word(void **state)
{
    (void)state;
    static const char *const known[] = {
        "",
        ",\"svsm_measurements\":[]",
        ",\"svsm_measurements\":[\"22222222222222222222222222222222222222222222222222222222222222"
        "2222222222222222222222222222222222\"]",
    };
    const struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
    for (size_t i = 0; i < countof(known); i++) {
        struct error err = {0};
        OWNED(text_done) struct text json = {0};
        OWNED(mem_drop) struct policy *policy = NEW(struct policy);
        text_addf(&json,
                  "{\"snp\":{\"measurement\":\"" VTPM_MEASURED "\"},\"vtpm\":{\"pcrs\":\"any\"%s}}",
                  known[i]);
        assert_ok(policy_parse(text_span(&json), POLICY_WHOLE, policy, &err));
        vtpm_assert(&wish, policy, "policy-measurement", "svsm-measurement");
    }
    /* One that only expects does not ask, and then it counts for nothing. */
    OWNED(verdict_done) struct verdict v = {0};
    OWNED(mem_drop) struct policy *open = vtpm_expecting("{\"vtpm\":{\"pcrs\":\"any\"}}");
    vtpm_judge_wish(&wish, open, &v);
    assert_int_equal(v.reason, REASON_OK);
    assert_int_equal(v.software, SOURCE_NONE);
    assert_int_equal(v.identity, SOURCE_NONE);
    assert_true(lacks(&v, MISSING_PINNED_MEASUREMENT));
}

/* ---- what vouches for the key --------------------------------------------------------------- */

static void a_manifest_must_name_the_key_itself(void **state)
{
    (void)state;
    VTPM_CASE(VOUCH_SVSM, manifest, MANIFEST_TABLE, "ok", NULL);
    VTPM_CASE(VOUCH_SVSM, manifest, MANIFEST_EK_AND_KEY, "ok", NULL);
    VTPM_CASE(VOUCH_SVSM, manifest, MANIFEST_EK, "ak-untrusted", "ak-manifest");
    VTPM_CASE(VOUCH_SVSM, manifest, MANIFEST_OTHER_KEY, "ak-untrusted", "ak-manifest");
    VTPM_CASE(VOUCH_SVSM, manifest, MANIFEST_NOTHING, "malformed", "ak-manifest");
    VTPM_CASE(VOUCH_SVSM, manifest, MANIFEST_CUT, "malformed", "ak-manifest");
    VTPM_CASE(VOUCH_SVSM, manifest, MANIFEST_TABLE_WITHOUT_VTPM, "malformed", "ak-manifest");
    VTPM_CASE(VOUCH_SVSM, manifest, MANIFEST_TABLE_OF_TWO_VTPMS, "malformed", "ak-manifest");
    VTPM_CASE(VOUCH_SVSM, manifest, MANIFEST_TABLE_BEYOND, "malformed", "ak-manifest");
    VTPM_CASE(VOUCH_SVSM, manifest, MANIFEST_TABLE_LONGER, "malformed", "ak-manifest");
}

static void a_manifest_of_an_endorsement_key_alone_is_refused_by_name(void **state)
{
    (void)state;
    OWNED(mem_drop) struct policy *policy = vtpm_whole_policy("");
    struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
    OWNED(verdict_done) struct verdict v = {0};
    wish.manifest = MANIFEST_EK;
    vtpm_judge_wish(&wish, policy, &v);
    assert_non_null(strstr(verdict_check(&v, "ak-manifest")->detail, "endorsement key"));
}

static void a_key_must_sign_nothing_but_its_tpms_own(void **state)
{
    (void)state;
    enum { ALL = 0x00050072, RESTRICTED = 1 << 16, SIGN = 1 << 18, DECRYPT = 1 << 17 };
    VTPM_CASE(VOUCH_AUTHORITY, ak_attributes, ALL & ~RESTRICTED, "ak-untrusted", "ak-format");
    VTPM_CASE(VOUCH_AUTHORITY, ak_attributes, ALL & ~SIGN, "ak-untrusted", "ak-format");
    VTPM_CASE(VOUCH_AUTHORITY, ak_attributes, ALL | DECRYPT, "ak-untrusted", "ak-format");
    VTPM_CASE(VOUCH_AUTHORITY, ak_attributes, ALL & ~0x02, "ak-untrusted", "ak-format");
    VTPM_CASE(VOUCH_AUTHORITY, ak_attributes, ALL & ~0x10, "ak-untrusted", "ak-format");
    VTPM_CASE(VOUCH_AUTHORITY, ak_attributes, ALL & ~0x20, "ak-untrusted", "ak-format");
    VTPM_CASE(VOUCH_AUTHORITY, ak_bits, 1024, "malformed", "ak-format");
    VTPM_CASE(VOUCH_AUTHORITY, ak_name_hash, 4, "malformed", "ak-format");
    VTPM_CASE(VOUCH_AUTHORITY, ak_trailing, 1, "malformed", "ak-format");
    OWNED(mem_drop) struct policy *policy = vtpm_whole_policy("");
    struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_AUTHORITY);
    wish.on_p256 = true;
    wish.ak_curve = 4;
    vtpm_assert(&wish, policy, "malformed", "ak-format");
}

static void a_certificate_must_be_under_an_authority_that_the_policy_pins(void **state)
{
    (void)state;
    VTPM_CASE(VOUCH_AUTHORITY, authority, 1, "chain-untrusted", "ak-chain");
    VTPM_CASE(VOUCH_AUTHORITY, cert_by_stranger, true, "chain-untrusted", "ak-chain");
    VTPM_CASE(VOUCH_AUTHORITY, cert_is_authority, true, "chain-untrusted", "ak-chain");
    VTPM_CASE(VOUCH_AUTHORITY, cert_may_not_sign, true, "chain-untrusted", "ak-chain");
    VTPM_CASE(VOUCH_AUTHORITY, cert_sha1, true, "chain-untrusted", "ak-chain");
    VTPM_CASE(VOUCH_AUTHORITY, cert_critical_unknown, true, "chain-untrusted", "ak-chain");
    const struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_AUTHORITY);
    OWNED(mem_drop) struct policy *none = vtpm_expecting("{\"vtpm\":{\"pcrs\":\"any\"}}");
    vtpm_assert(&wish, none, "chain-untrusted", "ak-chain");
    vtpm_assert(&wish, NULL, "chain-untrusted", "ak-chain");
}

static void a_certificate_must_be_of_its_time_and_of_the_key(void **state)
{
    (void)state;
    VTPM_CASE(VOUCH_AUTHORITY, cert_to, SIMULATOR_TODAY - 1, "cert-expired", "ak-validity");
    VTPM_CASE(VOUCH_AUTHORITY, cert_to, SIMULATOR_TODAY - 3600, "cert-expired", "ak-validity");
    VTPM_CASE(VOUCH_AUTHORITY, cert_from, SIMULATOR_TODAY + 1, "cert-not-yet-valid", "ak-validity");
    VTPM_CASE(VOUCH_AUTHORITY, cert_of_other_key, true, "ak-untrusted", "ak-certified");
    OWNED(mem_drop) struct policy *policy = vtpm_whole_policy("");
    struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_AUTHORITY);
    wish.on_p256 = true;
    wish.cert_of_other_key = true;
    vtpm_assert(&wish, policy, "ak-untrusted", "ak-certified");
    OWNED(made_vtpm_done) struct made_vtpm t;
    OWNED(verdict_done) struct verdict v = {0};
    wish = made_vtpm_wish(VOUCH_AUTHORITY);
    made_vtpm_make(simulator.psp, simulator.roots, &wish, NULL, &t);
    t.input.policy = policy;
    t.input.ak = (struct span){0};
    vtpm_judge(&t.input, &v);
    case_is(name_of(&check_result_names, (int)verdict_check(&v, "ak-certified")->result), "fail");
}

static void an_authority_counts_until_its_own_end(void **state)
{
    (void)state;
    struct error err = {0};
    struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_AUTHORITY);
    OWNED(mem_drop) struct policy *policy = NEW(struct policy);
    OWNED(json_drop)
    json_t *json =
        json_pack("{s:{s:[s]}}", "vtpm", "ak_ca", made_vtpm_authority(MADE_VTPM_AUTHORITY_OVER));
    assert_ok(policy_from_json(json, "", POLICY_EXPECT, policy, &err));
    wish.authority = MADE_VTPM_AUTHORITY_OVER;
    vtpm_assert(&wish, policy, "cert-expired", "ak-validity");
}

/* The SVSM takes 64 bytes. With fewer asked for, the guest's own could stand before the manifest.
 */
static void an_svsm_answers_64_bytes_and_no_others(void **state)
{
    (void)state;
    static const size_t lens[] = {1, 32, 63};
    const struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
    OWNED(made_vtpm_done) struct made_vtpm t;
    made_vtpm_make(simulator.psp, simulator.roots, &wish, NULL, &t);
    for (size_t i = 0; i < countof(lens); i++) {
        OWNED(verdict_done) struct verdict v = {0};
        OWNED(bytes_done) struct bytes longer = {0};
        bytes_add(&longer, span_part(SPAN_OF(t.binding), lens[i], BINDING_SIZE));
        bytes_add(&longer, bytes_span(&t.manifest));
        t.input.binding = SPAN(t.binding, lens[i]);
        t.input.manifest = bytes_span(&longer);
        vtpm_judge(&t.input, &v);
        assert_int_equal(v.reason, REASON_POLICY_REPORT_DATA);
    }
}

static void a_document_must_be_a_nitrotpms_and_answer_the_challenge(void **state)
{
    (void)state;
    VTPM_CASE(VOUCH_DOCUMENT, document_of_enclave, true, "unsupported-report-type",
              "nitrotpm-document");
    VTPM_CASE(VOUCH_DOCUMENT, document_without_binding, true, "policy-report-data",
              "nitrotpm-document");
    VTPM_CASE(VOUCH_DOCUMENT, document.root, 1, "chain-untrusted", "nitrotpm-document");
    VTPM_CASE(VOUCH_DOCUMENT, document.signature_flip, 1, "bad-signature", "nitrotpm-document");
    VTPM_CASE(VOUCH_DOCUMENT, document.fields_absent, true, "policy-nonce", "nitrotpm-document");
    VTPM_CASE(VOUCH_DOCUMENT, document.certs[NSM_LEAF].to, NSM_NOW - 1, "cert-expired",
              "nitrotpm-document");
    VTPM_CASE(VOUCH_DOCUMENT, document.trailing, 1, "malformed", "nitrotpm-document");
    VTPM_CASE(VOUCH_DOCUMENT, without_quote, true, "ok", NULL);
}

static void a_nitrotpms_document_is_no_enclaves(void **state)
{
    (void)state;
    const struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_DOCUMENT);
    OWNED(made_vtpm_done) struct made_vtpm t;
    OWNED(verdict_done) struct verdict v = {0}, right = {0};
    made_vtpm_make(simulator.psp, simulator.roots, &wish, NULL, &t);
    struct nitro_input input = {
        .document = bytes_span(&t.document), .roots = &t.nitro_roots, .at = t.input.at};
    nitro_judge(&input, &v);
    assert_int_equal(v.reason, REASON_UNSUPPORTED_REPORT_TYPE);
    assert_int_equal(verdict_check(&v, "document-kind")->result, CHECK_FAIL);
    input.of_tpm = true;
    nitro_judge(&input, &right);
    assert_int_equal(right.reason, REASON_OK);
}

/* The registers of a document count, never those of a key that nobody vouches for. */
static void a_quote_beside_a_document_adds_no_registers(void **state)
{
    (void)state;
    OWNED(mem_drop)
    struct policy *policy =
        vtpm_expecting("{\"vtpm\":{\"pcrs\":{\"11\":"
                       "\"b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0\"}}}");
    const struct made_vtpm_wish unrooted = made_vtpm_wish(VOUCH_NOBODY);
    const struct made_vtpm_wish document = made_vtpm_wish(VOUCH_DOCUMENT);
    vtpm_assert(&unrooted, policy, "ok", NULL);
    vtpm_assert(&document, policy, "policy-pcr", "policy-pcr");
}

/* ---- what is counted ------------------------------------------------------------------------ */

static void software_needs_a_pinned_boot_a_measured_image_and_an_answer(void **state)
{
    (void)state;
    OWNED(mem_drop) struct policy *policy = vtpm_whole_policy("");
    OWNED(mem_drop)
    struct policy *any = vtpm_expecting("{\"vtpm\":{\"pcrs\":\"any\",\"svsm_measurements\":"
                                        "\"" VTPM_MEASURED "\"}}");
    const struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
    for (int i = 0; i < 5; i++) {
        OWNED(made_vtpm_done) struct made_vtpm t;
        OWNED(verdict_done) struct verdict v = {0};
        made_vtpm_make(simulator.psp, simulator.roots, &wish, NULL, &t);
        t.input.policy = i == 1 ? any : policy;
        t.input.image.measured_boot = i != 2;
        t.input.image.provider_execution_off = i != 3;
        if (i == 4)
            t.input.binding = (struct span){0};
        vtpm_judge(&t.input, &v);
        assert_int_equal(v.reason, REASON_OK);
        assert_int_equal(v.software, i == 0 ? SOURCE_HARDWARE : SOURCE_NONE);
        assert_int_equal(lacks(&v, MISSING_FRESHNESS), i == 4);
        assert_int_equal(v.anchor, i == 4 ? ANCHOR_NONE : ANCHOR_VTPM);
    }
}

/* What is pinned to the value that the machine has. */
static void assert_pins_nothing(const struct made_vtpm_wish *wish, size_t pcr)
{
    OWNED(text_done) struct text json = {0};
    OWNED(made_vtpm_done) struct made_vtpm t;
    OWNED(verdict_done) struct verdict v = {0};
    made_vtpm_make(simulator.psp, simulator.roots, wish, NULL, &t);
    text_addf(&json,
              "{\"vtpm\":{\"pcrs\":{\"%zu\":\"%s\"},\"svsm_measurements\":"
              "\"" VTPM_MEASURED "\"}}",
              pcr, json_string_value(json_array_get(t.pcrs, pcr)));
    OWNED(mem_drop) struct policy *policy = vtpm_expecting(text_str(&json));
    t.input.policy = policy;
    vtpm_judge(&t.input, &v);
    assert_int_equal(v.reason, REASON_OK);
    assert_int_equal(v.software, SOURCE_NONE);
    assert_true(lacks(&v, MISSING_PINNED_MEASUREMENT));
}

/* Whoever boots what measures nothing there extends them himself, to whatever is pinned. */
static void registers_that_what_runs_can_bring_about_itself_pin_no_boot(void **state)
{
    (void)state;
    const struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
    assert_pins_nothing(&wish, 9);
    assert_pins_nothing(&wish, 11);
}

/* Where the firmware measures nothing, whatever boots has this value. */
static void a_register_that_nobody_extended_pins_no_boot(void **state)
{
    (void)state;
    struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
    wish.loader_unmeasured = true;
    wish.without_log = true;
    assert_pins_nothing(&wish, 4);
}

static void a_verdict_rests_on_the_keys_certificate_too(void **state)
{
    (void)state;
    OWNED(mem_drop) struct policy *policy = vtpm_whole_policy("");
    OWNED(verdict_done) struct verdict v = {0};
    struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_AUTHORITY);
    wish.cert_to = SIMULATOR_TODAY + 3600;
    vtpm_judge_wish(&wish, policy, &v);
    assert_int_equal(v.reason, REASON_OK);
    assert_int_equal(moment_seconds(v.endorsed_until), SIMULATOR_TODAY + 3600);
}

static void a_machine_is_named_by_its_key_or_by_its_document(void **state)
{
    (void)state;
    OWNED(mem_drop) struct policy *policy = vtpm_whole_policy("");
    OWNED(verdict_done) struct verdict svsm = {0}, certified = {0}, document = {0}, other = {0};
    struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_SVSM);
    vtpm_judge_wish(&wish, policy, &svsm);
    wish.on_p256 = true;
    vtpm_judge_wish(&wish, policy, &other);
    wish = made_vtpm_wish(VOUCH_AUTHORITY);
    vtpm_judge_wish(&wish, policy, &certified);
    wish = made_vtpm_wish(VOUCH_DOCUMENT);
    vtpm_judge_wish(&wish, policy, &document);
    assert_memory_equal(svsm.anchor_hash, certified.anchor_hash, sizeof svsm.anchor_hash);
    assert_memory_not_equal(svsm.anchor_hash, other.anchor_hash, sizeof svsm.anchor_hash);
    assert_memory_not_equal(svsm.anchor_hash, document.anchor_hash, sizeof svsm.anchor_hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_svsms_word_is_the_hardwares),
        cmocka_unit_test(a_providers_word_is_the_providers),
        cmocka_unit_test(a_software_tpm_that_root_invents_is_shown_and_never_counted),
        cmocka_unit_test(only_the_hardwares_word_reaches_the_highest_level),
        CASES(a_policy_may_take_some_words_only),
        CASES(two_words_at_once_are_refused),
        CASES(a_whole_policy_must_name_report_and_vtpm),
        cmocka_unit_test(a_bare_report_does_not_pass_where_a_vtpm_is_asked_for),
        CASES(the_report_of_another_machine_or_challenge_is_refused),
        CASES(an_svsms_report_must_speak_for_its_manifest),
        CASES(only_vmpl_0_speaks_as_an_svsm),
        CASES(a_measurement_that_is_no_svsms_has_no_svsms_word),
        CASES(a_manifest_must_name_the_key_itself),
        cmocka_unit_test(a_manifest_of_an_endorsement_key_alone_is_refused_by_name),
        CASES(a_key_must_sign_nothing_but_its_tpms_own),
        CASES(a_certificate_must_be_under_an_authority_that_the_policy_pins),
        CASES(a_certificate_must_be_of_its_time_and_of_the_key),
        CASES(an_authority_counts_until_its_own_end),
        cmocka_unit_test(an_svsm_answers_64_bytes_and_no_others),
        CASES(a_document_must_be_a_nitrotpms_and_answer_the_challenge),
        cmocka_unit_test(a_nitrotpms_document_is_no_enclaves),
        CASES(a_quote_beside_a_document_adds_no_registers),
        cmocka_unit_test(software_needs_a_pinned_boot_a_measured_image_and_an_answer),
        cmocka_unit_test(a_verdict_rests_on_the_keys_certificate_too),
        cmocka_unit_test(registers_that_what_runs_can_bring_about_itself_pin_no_boot),
        cmocka_unit_test(a_register_that_nobody_extended_pins_no_boot),
        cmocka_unit_test(a_machine_is_named_by_its_key_or_by_its_document),
    };
    return cmocka_run_group_tests_name("vtpm_judge", tests, simulator_set_up, simulator_tear_down);
}
