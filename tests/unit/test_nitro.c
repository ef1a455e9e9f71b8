/* Nitro documents: every genuine, derived and synthetic sample gives the verdict, the reason and
 * the claims of its manifest (R22-R24, R95), and what a policy asks for decides. */
#include "lib/attest/nitro_judge.h"

#include <stdio.h>
#include <string.h>

#include "lib/attest/cbor_reader.h"
#include "lib/attest/nitro_document.h"
#include "tests/support/manifest.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

static struct bytes read_named(const json_t *test_case, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "nitro/%s", member_text(json_object_get(test_case, "files"), name));
    return vectors_read(path);
}

struct sample {
    struct bytes document;
    struct nitro_roots roots;
    struct policy *policy;
    struct nitro_input input;
};

static void sample_done(struct sample *s)
{
    bytes_done(&s->document);
    mem_drop(&s->policy);
}

static struct policy *policy_of(const json_t *nitro, enum policy_mode mode)
{
    struct error err = {0};
    struct policy *policy = NEW(struct policy);
    OWNED(json_drop) json_t *whole = json_object();
    json_put_new(whole, "nitro", json_deep_copy(nitro));
    assert_ok(policy_from_json(whole, "", mode, policy, &err));
    return policy;
}

static void read_sample(const json_t *test_case, struct sample *out)
{
    struct error err = {0};
    const json_t *policy = json_object_get(test_case, "policy");
    *out = (struct sample){.document = read_named(test_case, "document"), .roots = nitro_roots_aws};
    if (strcmp(member_text(test_case, "trust"), "aws") != 0) {
        OWNED(bytes_done) struct bytes root = read_named(test_case, "root");
        out->roots = (struct nitro_roots){0};
        assert_ok(nitro_roots_add(&out->roots, bytes_span(&root), &err));
    }
    if (policy != NULL)
        out->policy = policy_of(policy, POLICY_EXPECT);
    out->input = (struct nitro_input){
        .document = bytes_span(&out->document), .roots = &out->roots, .policy = out->policy};
    assert_ok(moment_parse(member_text(test_case, "verify_time"), &out->input.at, &err));
}

static bool case_is_right(const json_t *test_case)
{
    OWNED(sample_done) struct sample s;
    OWNED(verdict_done) struct verdict v = {0};
    read_sample(test_case, &s);
    nitro_judge(&s.input, &v);
    return case_has_verdict(test_case, REASON_ACCEPTABLE, &v);
}

static void every_sample_gives_the_verdict_reason_and_claims_of_its_manifest(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    assert_true(manifest_assert_right("nitro/manifest.json", case_is_right) >= 117);
}

static void find_sample(const char *name, struct sample *out)
{
    OWNED(json_drop) json_t *test_case = manifest_case("nitro/manifest.json", name);
    read_sample(test_case, out);
}

static void judge_under(struct sample *s, const char *nitro, enum policy_mode mode,
                        struct verdict *out)
{
    OWNED(json_drop) json_t *json = json_loads(nitro, 0, NULL);
    assert_non_null(json);
    mem_drop(&s->policy);
    s->policy = policy_of(json, mode);
    s->input.policy = s->policy;
    nitro_judge(&s->input, out);
}

static void assert_judged(struct sample *s, const char *nitro, enum policy_mode mode,
                          enum reason want)
{
    OWNED(verdict_done) struct verdict v = {0};
    judge_under(s, nitro, mode, &v);
    assert_string_equal(name_of(&reason_names, (int)v.reason), name_of(&reason_names, (int)want));
    assert_int_equal(v.trusted, want == REASON_OK);
}

static void a_whole_policy_is_default_deny(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(sample_done) struct sample s;
    find_sample("oyster-prod-2024-12", &s);
    assert_judged(&s, "{}", POLICY_WHOLE, REASON_POLICY_PCR);
    assert_judged(&s, "{\"pcrs\":{}}", POLICY_WHOLE, REASON_POLICY_PCR);
    assert_judged(&s, "{\"pcrs\":\"any\"}", POLICY_WHOLE, REASON_OK);
    assert_judged(&s, "{}", POLICY_EXPECT, REASON_OK);
    OWNED(sample_done) struct sample debug;
    find_sample("sparsity-debug-2024-08", &debug);
    assert_judged(&debug, "{\"pcrs\":\"any\"}", POLICY_WHOLE, REASON_POLICY_DEBUG);
    assert_judged(&debug, "{\"pcrs\":\"any\",\"allow_debug\":true}", POLICY_WHOLE, REASON_OK);
}

static void a_policy_for_other_evidence_refuses_a_document(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    struct error err = {0};
    OWNED(sample_done) struct sample s;
    OWNED(verdict_done) struct verdict v = {0};
    find_sample("oyster-prod-2024-12", &s);
    s.policy = NEW(struct policy);
    assert_ok(policy_parse(span_of_text("{\"snp\":{\"measurement\":\"any\"}}"), POLICY_WHOLE,
                           s.policy, &err));
    s.input.policy = s.policy;
    nitro_judge(&s.input, &v);
    assert_int_equal(v.reason, REASON_UNSUPPORTED_EVIDENCE);
}

static void what_a_document_proves_rests_on_the_provider(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(sample_done) struct sample s;
    OWNED(verdict_done) struct verdict v = {0};
    find_sample("oyster-prod-2024-12", &s);
    judge_under(&s, "{\"pcrs\":\"any\"}", POLICY_WHOLE, &v);
    assert_int_equal(v.hardware, SOURCE_PROVIDER);
    assert_int_equal(v.identity, SOURCE_PROVIDER);
    assert_int_equal(v.software, SOURCE_NONE); /* any image: nothing is said of what runs */
}

static void a_document_at_its_limits_of_age_is_still_fresh(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(sample_done) struct sample s;
    OWNED(verdict_done) struct verdict first = {0};
    find_sample("oyster-prod-2024-12", &s);
    nitro_judge(&s.input, &first);
    const int64_t made_ms = json_integer_value(json_object_get(first.claims, "timestamp_ms"));
    static const struct {
        int64_t later_ms;
        enum reason want;
    } cases[] = {{60000, REASON_OK},
                 {60001, REASON_POLICY_AGE},
                 {-300000, REASON_OK},
                 {-300001, REASON_POLICY_AGE}};
    for (size_t i = 0; i < countof(cases); i++) {
        s.input.at.us = (made_ms + cases[i].later_ms) * 1000;
        assert_judged(&s, "{\"max_age_seconds\":60}", POLICY_EXPECT, cases[i].want);
    }
}

static void every_byte_of_a_document_counts(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(sample_done) struct sample s;
    find_sample("oyster-prod-2024-12", &s);
    for (size_t i = 0; i < s.document.len; i++) {
        OWNED(verdict_done) struct verdict v = {0};
        s.document.at[i] ^= (uint8_t)(1u << i % 8);
        nitro_judge(&s.input, &v);
        if (v.trusted)
            fail_msg("a flipped bit of byte %zu changes nothing", i);
        s.document.at[i] ^= (uint8_t)(1u << i % 8);
    }
}

static void every_cut_of_a_document_is_malformed(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(sample_done) struct sample s;
    find_sample("dstack-prod-2025-12-a", &s);
    for (size_t len = 0; len < s.document.len; len++) {
        OWNED(verdict_done) struct verdict v = {0};
        s.input.document = SPAN(s.document.at, len);
        nitro_judge(&s.input, &v);
        assert_int_equal(v.reason, REASON_MALFORMED);
    }
}

/* ---- CBOR ----------------------------------------------------------------------------------- */

static void a_declared_length_is_compared_and_never_believed(void **state)
{
    (void)state;
    static const uint8_t huge[][9] = {
        {0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, /* bytes */
        {0x7b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, /* text */
        {0x5b, 0x00, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x00},
    };
    struct cbor_item item;
    for (size_t i = 0; i < countof(huge); i++) {
        struct span in = SPAN_OF(huge[i]);
        assert_false(cbor_next(&in, &item));
    }
    /* A list may claim what it likes: its items are read one by one. */
    static const uint8_t list[] = {0x9b, 0x00, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x00};
    struct span in = SPAN_OF(list);
    assert_true(cbor_expect(&in, CBOR_LIST, &item));
    assert_int_equal(item.value, 0x40000000);
    assert_int_equal(in.len, 0);
    struct cbor_item next;
    assert_false(cbor_next(&in, &next));
}

static void lists_end_where_they_say_or_at_a_break(void **state)
{
    (void)state;
    static const uint8_t two[] = {0x82, 0x01, 0x18, 0x02};
    static const uint8_t open[] = {0x9f, 0x01, 0x02, 0xff};
    const struct span all[] = {SPAN_OF(two), SPAN_OF(open)};
    for (size_t i = 0; i < countof(all); i++) {
        struct span in = all[i];
        struct cbor_item head, item;
        uint64_t done = 0;
        uint64_t sum = 0;
        assert_true(cbor_expect(&in, CBOR_LIST, &head));
        while (cbor_more(&in, &head, &done)) {
            assert_true(cbor_expect(&in, CBOR_UNSIGNED, &item));
            sum += item.value;
        }
        assert_int_equal(sum, 3);
        assert_int_equal(in.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_gives_the_verdict_reason_and_claims_of_its_manifest),
        cmocka_unit_test(a_whole_policy_is_default_deny),
        cmocka_unit_test(a_policy_for_other_evidence_refuses_a_document),
        cmocka_unit_test(what_a_document_proves_rests_on_the_provider),
        cmocka_unit_test(a_document_at_its_limits_of_age_is_still_fresh),
        cmocka_unit_test(every_byte_of_a_document_counts),
        cmocka_unit_test(every_cut_of_a_document_is_malformed),
        cmocka_unit_test(a_declared_length_is_compared_and_never_believed),
        cmocka_unit_test(lists_end_where_they_say_or_at_a_break),
    };
    return cmocka_run_group_tests_name("nitro", tests, NULL, NULL);
}
