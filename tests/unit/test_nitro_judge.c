/* Each check of an enclave's document against a made-up security module that differs in one thing
 * only. */
#include "lib/attest/nitro_judge.h"

#include <string.h>

#include "lib/crypto/x509_path.h"
#include "tests/support/cases.h"
#include "tests/support/nsm.h"
#include "tests/support/test.h"

#define FIVES "555555555555555555555555555555555555555555555555"
#define SIXES "666666666666666666666666666666666666666666666666"
static const char whole[] = "{\"nitro\":{\"pcrs\":{\"0\":\"" FIVES FIVES "\"}}}";

/* A case is changed in one thing at a time from here. */
struct matter {
    struct nsm_wish wish;
    const char *policy;
    bool expect;
    bool pin_aws;
    int64_t later_seconds;
    struct nitro_input in;
};

static struct matter best(void)
{
    return (struct matter){.wish = nsm_wish(),
                           .policy = whole,
                           .in = {.has_nonce = true,
                                  .bound = true,
                                  .nonce = span_of_text("nonce"),
                                  .public_key = span_of_text("key"),
                                  .user_data = span_of_text("data"),
                                  .standing = {.disk_encrypted = true,
                                               .transit_encrypted = true,
                                               .endpoint_keys = true,
                                               .custody_outside = true}}};
}

static struct verdict judge_matter(struct matter *m)
{
    struct error err = {0};
    struct nitro_roots roots = {0};
    OWNED(bytes_done) struct bytes document = {0};
    OWNED(mem_drop) struct policy *policy = NEW(struct policy);
    struct verdict v;
    assert_ok(nitro_roots_add(&roots, nsm_root(0), &err));
    if (m->policy != NULL)
        assert_ok(policy_parse(span_of_text(m->policy), m->expect ? POLICY_EXPECT : POLICY_WHOLE,
                               policy, &err));
    nsm_make(&m->wish, &document);
    m->in.document = bytes_span(&document);
    m->in.roots = m->pin_aws ? &nitro_roots_aws : &roots;
    m->in.policy = m->policy != NULL ? policy : NULL;
    m->in.at = clock_at_seconds(NSM_NOW + m->later_seconds);
    nitro_judge(&m->in, &v);
    m->in.policy = NULL;
    return v;
}

static void try_matter(struct matter *m, const char *reason, const char *test)
{
    OWNED(verdict_done) struct verdict v = judge_matter(m);
    case_words(name_of(&reason_names, (int)v.reason), reason, test);
    assert_int_equal(v.trusted, v.reason == REASON_OK);
}

#define assert_matter(m, reason) try_matter((m), (reason), __func__)

#define CASE(member, wrong, word)                                                                  \
    do {                                                                                           \
        struct matter m = best();                                                                  \
        m.member = (wrong);                                                                        \
        assert_matter(&m, (word));                                                                 \
    } while (0)

static void an_honest_document_is_trusted_whatever_its_form(void **state)
{
    (void)state;
    CASE(wish.tagged, false, "ok");
    CASE(wish.tagged, true, "ok");
    CASE(wish.indefinite, false, "ok");
}

static void what_no_module_writes_is_malformed(void **state)
{
    (void)state;
    CASE(wish.module_id, "", "malformed");
    CASE(wish.digest, "SHA256", "malformed");
    CASE(wish.timestamp_ms, 0, "malformed");
    CASE(wish.without_timestamp, true, "malformed");
    CASE(wish.pcr_len, 20, "malformed");
    CASE(wish.pcr_twice, true, "malformed");
    CASE(wish.module_twice, true, "malformed");
    CASE(wish.unknown_member, true, "malformed");
    CASE(wish.unprotected, true, "malformed");
    CASE(wish.payload_trailing, 1, "malformed");
    CASE(wish.trailing, 1, "malformed");
    CASE(wish.signature_len, 95, "malformed");
    CASE(wish.signature_len, 97, "malformed");
    CASE(wish.bundle_repeated, 14, "malformed");
}

static void only_an_enclaves_own_document_is_taken(void **state)
{
    (void)state;
    CASE(wish.of_tpm, true, "unsupported-report-type");
    CASE(in.of_tpm, true, "unsupported-report-type");
    struct matter m = best();
    m.wish.of_tpm = m.wish.tagged = true;
    assert_matter(&m, "unsupported-report-type");
    m.in.of_tpm = true;
    assert_matter(&m, "ok");
}

static void only_es384_is_taken(void **state)
{
    (void)state;
    CASE(wish.algorithm, 6, "unsupported-algorithm");
    CASE(wish.algorithm, 33, "unsupported-algorithm");
    CASE(wish.algorithm, 35, "unsupported-algorithm");
    CASE(wish.algorithm, 36, "unsupported-algorithm");
}

static void the_path_starts_at_the_pinned_root(void **state)
{
    (void)state;
    CASE(wish.root, 1, "chain-untrusted");
    CASE(pin_aws, true, "chain-untrusted");
    CASE(wish.root_last, true, "chain-untrusted");
    CASE(wish.certs[NSM_ROOT].from, NSM_NOW - 2, "chain-untrusted"); /* same key and name */
}

static void every_certificate_follows_from_the_one_before(void **state)
{
    (void)state;
    CASE(wish.without_region, true, "chain-untrusted");
    CASE(wish.bundle_repeated, 1, "chain-untrusted");
    for (int i = NSM_REGION; i <= NSM_LEAF; i++) {
        CASE(wish.certs[i].by_other_key, true, "chain-untrusted");
        CASE(wish.certs[i].sha256, true, "chain-untrusted");
        CASE(wish.certs[i].critical_unknown, true, "chain-untrusted");
    }
}

static void certificates_are_used_for_what_they_are_for(void **state)
{
    (void)state;
    CASE(wish.certs[NSM_REGION].ca, false, "chain-untrusted");
    CASE(wish.certs[NSM_INSTANCE].ca, false, "chain-untrusted");
    CASE(wish.certs[NSM_INSTANCE].may_sign, false, "chain-untrusted");
    CASE(wish.certs[NSM_LEAF].ca, true, "chain-untrusted");
    CASE(wish.certs[NSM_LEAF].may_sign, false, "chain-untrusted");
    struct matter all = best(); /* a leaf that others would trust, and that may sign documents */
    all.wish.certs[NSM_LEAF].signs_all = true;
    assert_matter(&all, "ok");
    all.wish.certs[NSM_LEAF].ca = true;
    assert_matter(&all, "chain-untrusted");
    CASE(wish.certs[NSM_INSTANCE].curve, NSM_P256, "chain-untrusted");
    CASE(wish.certs[NSM_LEAF].curve, NSM_P256, "chain-untrusted");
}

static void a_root_alone_is_no_path(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(x509_drop) struct x509 *root = NULL;
    assert_ok(x509_from_der(nsm_root(0), &root, &err));
    assert_fails(x509_path_check(&root, 1, &err), ERR_DENIED, "chain-untrusted");
    assert_non_null(strstr(err.text, "a path needs a root and a leaf"));
}

static void every_certificate_is_valid_now(void **state)
{
    (void)state;
    for (int i = NSM_REGION; i <= NSM_LEAF; i++) {
        CASE(wish.certs[i].to, NSM_NOW - 1, "cert-expired");
        CASE(wish.certs[i].from, NSM_NOW + 1, "cert-not-yet-valid");
        CASE(wish.certs[i].to, NSM_NOW, "ok");
    }
    CASE(later_seconds, 86401, "cert-expired");
    CASE(later_seconds, -86401, "cert-not-yet-valid");
}

static void the_leaf_signs_what_is_there(void **state)
{
    (void)state;
    CASE(wish.signed_by_other, true, "bad-signature");
    CASE(wish.signature_flip, 1, "bad-signature");
    CASE(wish.signature_flip, 0x80, "bad-signature");
    CASE(wish.module_flip, 1, "bad-signature");
}

static void the_document_answers_our_challenge(void **state)
{
    (void)state;
    CASE(wish.nonce, span_of_text("noncf"), "policy-nonce");
    CASE(wish.nonce, span_of_text("nonce2"), "policy-nonce");
    CASE(wish.nonce, span_of_text(""), "policy-nonce");
    CASE(wish.fields_null, true, "policy-nonce");
    CASE(wish.fields_absent, true, "policy-nonce");
    CASE(in.nonce, span_of_text("another"), "policy-nonce");
}

static void the_document_speaks_for_our_sealing_key(void **state)
{
    (void)state;
    CASE(wish.public_key, span_of_text("kez"), "policy-report-data");
    CASE(wish.public_key, span_of_text("key2"), "policy-report-data");
    CASE(in.public_key, span_of_text("another"), "policy-report-data");
}

static void the_user_data_is_the_binding(void **state)
{
    (void)state;
    CASE(wish.user_data, span_of_text("datb"), "policy-report-data");
    CASE(wish.user_data, span_of_text(""), "policy-report-data");
    CASE(in.user_data, span_of_text("another"), "policy-report-data");
}

static void a_debugged_enclave_is_refused(void **state)
{
    (void)state;
    static const char zero[] = "{\"nitro\":{\"pcrs\":\"any\"}}";
    struct matter m = best();
    m.policy = zero;
    assert_matter(&m, "ok");
    m.wish.image = 0;
    assert_matter(&m, "policy-debug");
    m = best();
    m.policy = zero;
    m.wish.without_image = true;
    assert_matter(&m, "policy-debug");
    m = best();
    m.wish.image = 0;
    m.policy = "{\"nitro\":{\"pcrs\":{\"0\":\"" FIVES FIVES "\"},\"allow_debug\":false}}";
    assert_matter(&m, "policy-debug");
}

static void registers_are_those_of_the_policy(void **state)
{
    (void)state;
    CASE(wish.image, 0x56, "policy-pcr");
    CASE(wish.pcr_len, 64, "policy-pcr");
    CASE(policy, "{\"nitro\":{\"pcrs\":{\"4\":\"" FIVES FIVES "\"}}}", "policy-pcr");
    CASE(policy, "{\"nitro\":{\"pcrs\":{\"16\":\"" FIVES FIVES "\"}}}", "policy-pcr");
    CASE(policy, "{\"nitro\":{}}", "policy-pcr");
}

static void a_policys_own_nonce_counts_too(void **state)
{
    (void)state;
    static const char *const wrong[] = {"{\"nitro\":{\"nonce\":\"6e6f6e6366\"}}",
                                        "{\"nitro\":{\"nonce\":\"6e6f6e63\"}}",
                                        "{\"nitro\":{\"nonce\":\"\"}}"};
    struct matter m = best();
    m.in.bound = m.in.has_nonce = false;
    m.expect = true;
    m.policy = "{\"nitro\":{\"nonce\":\"6e6f6e6365\"}}";
    assert_matter(&m, "ok");
    for (size_t i = 0; i < countof(wrong); i++) {
        m.policy = wrong[i];
        assert_matter(&m, "policy-nonce");
    }
}

static void a_document_has_an_age(void **state)
{
    (void)state;
    static const char young[] =
        "{\"nitro\":{\"pcrs\":{\"0\":\"" FIVES FIVES "\"},\"max_age_seconds\":60}}";
    static const struct {
        int64_t later_ms;
        const char *reason;
    } cases[] = {{0, "ok"},      {-60000, "ok"},         {-60001, "policy-age"},
                 {300000, "ok"}, {300001, "policy-age"}, {-86400000, "policy-age"}};
    for (size_t i = 0; i < countof(cases); i++) {
        struct matter m = best();
        m.policy = young;
        m.wish.timestamp_ms = (uint64_t)((int64_t)NSM_NOW * 1000 + cases[i].later_ms);
        assert_matter(&m, cases[i].reason);
    }
}

static void only_a_policy_that_names_nitro_takes_it(void **state)
{
    (void)state;
    CASE(policy, "{\"snp\":{\"measurement\":\"any\"}}", "unsupported-evidence");
    CASE(policy, "{\"snp\":{},\"azure\":{\"pcrs\":\"any\"}}", "unsupported-evidence");
    CASE(policy, "{\"snp\":{\"measurement\":[]}}", "unsupported-evidence");
    CASE(policy, NULL, "ok");
}

/* ---- what it proves ------------------------------------------------------------------------- */

static void it_proves_what_the_provider_says(void **state)
{
    (void)state;
    struct matter m = best();
    OWNED(verdict_done) struct verdict v = judge_matter(&m);
    assert_int_equal(v.hardware, SOURCE_PROVIDER);
    assert_int_equal(v.software, SOURCE_PROVIDER);
    assert_int_equal(v.identity, SOURCE_PROVIDER);
    assert_int_equal(v.anchor, ANCHOR_ENCLAVE);
    assert_int_equal(v.level, LEVEL_2);
    m.wish.module_id = "i-0123456789abcdef0-enc0123456789abcdf";
    OWNED(verdict_done) struct verdict other = judge_matter(&m);
    assert_memory_not_equal(v.anchor_hash, other.anchor_hash, sizeof v.anchor_hash);
}

/* Which instance the enclave runs on says nothing of what runs in it. */
static void registers_that_name_no_image_prove_no_software(void **state)
{
    (void)state;
    static const struct {
        const char *policy;
        enum source software;
    } cases[] = {
        {"{\"nitro\":{\"pcrs\":{\"4\":\"" SIXES SIXES "\"}}}", SOURCE_NONE},
        {"{\"nitro\":{\"pcrs\":{\"1\":\"" FIVES FIVES "\"}}}", SOURCE_NONE},
        {"{\"nitro\":{\"pcrs\":\"any\"}}", SOURCE_NONE},
        {"{\"nitro\":{\"pcrs\":{\"1\":\"" FIVES FIVES "\",\"2\":\"" FIVES FIVES "\"}}}",
         SOURCE_PROVIDER},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct matter m = best();
        m.policy = cases[i].policy;
        OWNED(verdict_done) struct verdict v = judge_matter(&m);
        assert_true(v.trusted);
        assert_int_equal(v.software, cases[i].software);
        assert_int_equal(v.missing >> MISSING_PINNED_MEASUREMENT & 1,
                         cases[i].software == SOURCE_NONE);
    }
}

static void what_nobody_asked_for_is_not_fresh(void **state)
{
    (void)state;
    struct matter m = best();
    m.in.bound = m.in.has_nonce = false;
    OWNED(verdict_done) struct verdict v = judge_matter(&m);
    assert_true(v.trusted);
    assert_true((v.missing >> MISSING_FRESHNESS & 1) != 0);
    assert_int_equal(v.level, LEVEL_1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASES(an_honest_document_is_trusted_whatever_its_form),
        CASES(what_no_module_writes_is_malformed),
        CASES(only_an_enclaves_own_document_is_taken),
        CASES(only_es384_is_taken),
        CASES(the_path_starts_at_the_pinned_root),
        CASES(every_certificate_follows_from_the_one_before),
        CASES(certificates_are_used_for_what_they_are_for),
        cmocka_unit_test(a_root_alone_is_no_path),
        CASES(every_certificate_is_valid_now),
        CASES(the_leaf_signs_what_is_there),
        CASES(the_document_answers_our_challenge),
        CASES(the_document_speaks_for_our_sealing_key),
        CASES(the_user_data_is_the_binding),
        CASES(a_debugged_enclave_is_refused),
        CASES(registers_are_those_of_the_policy),
        CASES(a_policys_own_nonce_counts_too),
        CASES(a_document_has_an_age),
        CASES(only_a_policy_that_names_nitro_takes_it),
        cmocka_unit_test(it_proves_what_the_provider_says),
        cmocka_unit_test(registers_that_name_no_image_prove_no_software),
        cmocka_unit_test(what_nobody_asked_for_is_not_fresh),
    };
    return cmocka_run_group_tests_name("nitro_judge", tests, NULL, NULL);
}
