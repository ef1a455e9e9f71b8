/* Genuine evidence, judged a second time under a charter: it comes out as it did when it answered a
 * challenge, though nobody asks for the nonce again and an enclave's certificate is long over
 * (R25). */
#include <string.h>

#include "lib/attest/replay.h"
#include "lib/base/text.h"
#include "tests/support/charters.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

#define AZURE "azure/cases/milan-v2-peerpod/"
#define ENCLAVE "nitro/docs/evervault-prod-2023-01.cbor"

static const char pcr0[] = "[\"d265a83faa7b4fa0d73b82b6d06253e894445922937d0ee5a74fe4891da981"
                           "7611a71e71b98e5329232902de3cf419af\"]";

/* `web` takes Azure's guest by the measurement of its report, `enclave` the enclave by PCR0. */
static json_t *charter_of(struct span hcl)
{
    json_t *charter = charter_sound();
    OWNED(text_done) struct text measurement = {0};
    text_add(&measurement, "[\"");
    text_add_hex(&measurement, span_part(hcl, 0x20 + 0x90, SNP_MEASUREMENT_SIZE));
    text_add(&measurement, "\"]");
    charter_change(charter, "/tcb_floors", "{}");
    charter_change(charter, "/policies/web/snp/require_crl", "false");
    charter_change(charter, "/policies/web/azure", "{\"pcrs\":\"any\"}");
    charter_change(charter, "/references/direct/measurement", text_str(&measurement));
    charter_change(charter, "/references/direct/anchor", "\"vtpm\"");
    charter_change(charter, "/policies/enclave",
                   "{\"references\":[],\"valid_seconds\":600,\"nitro\":{}}");
    charter_change(charter, "/policies/enclave/nitro/pcrs/0", pcr0);
    return charter;
}

static char *azure_envelope(void)
{
    OWNED(evidence_done)
    struct evidence e = {
        .kind = EVIDENCE_SNP_AZURE,
        .hcl = vectors_read(AZURE "hcl.bin"),
        .quote = vectors_read(AZURE "quote.msg"),
        .signature = vectors_read(AZURE "quote.sig"),
        .pcrs = vectors_json(AZURE "pcrs.json"),
        .ek = vectors_read(AZURE "vcek.der"),
        .ca_count = 2,
        .ca = {vectors_read("azure/certs/milan/ask.der"),
               vectors_read("azure/certs/milan/ark.der")},
    };
    return evidence_print(&e);
}

static char *enclave_envelope(void)
{
    OWNED(evidence_done)
    struct evidence e = {.kind = EVIDENCE_NITRO, .document = vectors_read(ENCLAVE)};
    return evidence_print(&e);
}

static struct charter *parsed(const json_t *json)
{
    struct error err = {0};
    struct charter *charter = NULL;
    OWNED(mem_drop) char *text = json_print(json);
    assert_ok(charter_parse(span_of_text(text), &charter, &err));
    return charter;
}

/* As it stood when the challenge was answered. */
static void judge_then(const struct charter *charter, const char *policy_name, const char *envelope,
                       struct span nonce, struct moment at, struct verdict *out)
{
    struct error err = {0};
    struct evidence_facts facts;
    OWNED(evidence_done) struct evidence e = {0};
    OWNED(snp_cache_drop) struct snp_cache *chains = snp_cache_new(snp_roots_amd(), 4);
    const struct charter_policy *policy = charter_find_policy(charter, policy_name);
    assert_ok(evidence_parse(span_of_text(envelope), &e, &err));
    evidence_facts(&e, &facts);
    struct evidence_terms terms = {.chains = chains,
                                   .nitro_roots = &nitro_roots_aws,
                                   .policy = policy->policy,
                                   .given = nonce,
                                   .at = at,
                                   .standing = {.custody_outside = charter->custody_outside}};
    (void)charter_image_facts(charter, policy, e.kind, SPAN_OF(facts.measurement), at,
                              &terms.image);
    evidence_judge(&e, &terms, out);
}

static struct replay_answer replayed(const struct charter *charter, const char *policy,
                                     const char *envelope, const char *day)
{
    struct error err = {0};
    struct moment at;
    struct replay_answer answer;
    assert_ok(moment_parse(day, &at, &err));
    OWNED(replay_drop) struct replay *replay = replay_new(charter, at);
    const struct replay_case c = {.evidence = span_of_text(envelope), .policy = policy};
    replay_judge(replay, &c, &answer);
    return answer;
}

static void replayed_is(const struct charter *charter, const char *policy, const char *envelope,
                        const char *day, bool trusted, const char *reason, enum level level)
{
    const struct replay_answer answer = replayed(charter, policy, envelope, day);
    assert_string_equal(answer.reason, reason);
    assert_int_equal(answer.trusted, trusted);
    assert_int_equal(answer.level, level);
}

static void deny_machine(json_t *charter, const struct verdict *verdict)
{
    OWNED(mem_drop) char *hex = hex_of(SPAN_OF(verdict->named[0]));
    OWNED(text_done) struct text list = {0};
    text_addf(&list, "[\"%s\"]", hex);
    charter_change(charter, "/deny/anchors", text_str(&list));
}

static void azure_evidence_comes_out_as_it_did(void **state)
{
    (void)state;
    struct error err = {0};
    struct moment then;
    if (vectors_folder() == NULL)
        skip();
    OWNED(bytes_done) struct bytes hcl = vectors_read(AZURE "hcl.bin");
    OWNED(json_drop) json_t *json = charter_of(bytes_span(&hcl));
    OWNED(charter_drop) struct charter *charter = parsed(json);
    OWNED(mem_drop) char *envelope = azure_envelope();
    OWNED(verdict_done) struct verdict verdict = {0};
    assert_ok(moment_parse("2023-05-05T12:00:00Z", &then, &err));
    judge_then(charter, "web", envelope, span_of_text("challenge"), then, &verdict);
    assert_true(verdict.trusted);
    assert_true(verdict.level > LEVEL_0);
    replayed_is(charter, "web", envelope, "2023-05-05T12:00:00Z", true, "ok", verdict.level);

    charter_change(json, "/deny/measurements", "[]");
    assert_int_equal(replayed(charter, "web", envelope, "2023-05-05T12:00:00Z").software,
                     verdict.software);

    charter_change(json, "/references/direct/retired", "true");
    OWNED(charter_drop) struct charter *candidate = parsed(json);
    replayed_is(candidate, "web", envelope, "2023-05-05T12:00:00Z", false, "policy-measurement",
                LEVEL_0);
    charter_change(json, "/references/direct/retired", NULL);
    deny_machine(json, &verdict);
    OWNED(charter_drop) struct charter *denying = parsed(json);
    replayed_is(denying, "web", envelope, "2023-05-05T12:00:00Z", false, "denied-anchor", LEVEL_0);
}

static void an_enclaves_document_is_judged_at_its_own_hour(void **state)
{
    (void)state;
    struct error err = {0};
    struct moment then;
    if (vectors_folder() == NULL)
        skip();
    OWNED(bytes_done) struct bytes hcl = vectors_read(AZURE "hcl.bin");
    OWNED(json_drop) json_t *json = charter_of(bytes_span(&hcl));
    OWNED(charter_drop) struct charter *charter = parsed(json);
    OWNED(mem_drop) char *envelope = enclave_envelope();
    OWNED(verdict_done) struct verdict verdict = {0};
    assert_ok(moment_parse("2023-01-18T13:07:19Z", &then, &err));
    judge_then(charter, "enclave", envelope, (struct span){0}, then, &verdict);
    assert_true(verdict.trusted);
    replayed_is(charter, "enclave", envelope, "2026-11-24T12:00:00Z", true, "ok", verdict.level);
    replayed_is(charter, "web", envelope, "2026-11-24T12:00:00Z", false, "unsupported-evidence",
                LEVEL_0);

    charter_change(json, "/deny/measurements", pcr0);
    OWNED(charter_drop) struct charter *denying = parsed(json);
    replayed_is(denying, "enclave", envelope, "2026-11-24T12:00:00Z", false, "denied-measurement",
                LEVEL_0);
}

/* A keeper was sent the list; so is the replay. */
static void the_list_of_its_line_counts(void **state)
{
    (void)state;
    struct error err = {0};
    struct moment at;
    struct replay_answer answer;
    if (vectors_folder() == NULL)
        skip();
    OWNED(bytes_done) struct bytes hcl = vectors_read(AZURE "hcl.bin");
    OWNED(bytes_done) struct bytes crl = vectors_read("snp/crl/milan.der");
    OWNED(json_drop) json_t *json = charter_of(bytes_span(&hcl));
    charter_change(json, "/policies/web/snp/require_crl", "true");
    OWNED(charter_drop) struct charter *charter = parsed(json);
    OWNED(mem_drop) char *envelope = azure_envelope();
    replayed_is(charter, "web", envelope, "2023-05-05T12:00:00Z", false, "crl-missing", LEVEL_0);
    assert_ok(moment_parse("2023-05-05T12:00:00Z", &at, &err));
    OWNED(replay_drop) struct replay *replay = replay_new(charter, at);
    const struct replay_case c = {.evidence = span_of_text(envelope), .policy = "web"};
    replay_use_list(replay, LINE_GENOA, bytes_span(&crl));
    replay_judge(replay, &c, &answer);
    assert_string_equal(answer.reason, "crl-missing");
    replay_use_list(replay, LINE_MILAN, bytes_span(&crl));
    replay_judge(replay, &c, &answer);
    assert_string_not_equal(answer.reason, "crl-missing");
}

static void an_enclave_may_lie_about_the_hour(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    static const uint64_t hours[] = {UINT64_MAX, UINT64_C(1) << 63, UINT64_C(253402300800000)};
    OWNED(bytes_done) struct bytes hcl = vectors_read(AZURE "hcl.bin");
    OWNED(json_drop) json_t *json = charter_of(bytes_span(&hcl));
    OWNED(charter_drop) struct charter *charter = parsed(json);
    for (size_t i = 0; i < countof(hours); i++) {
        OWNED(evidence_done)
        struct evidence e = {.kind = EVIDENCE_NITRO, .document = vectors_read(ENCLAVE)};
        uint8_t *at = memmem(e.document.at, e.document.len, "timestamp", 9);
        assert_non_null(at);
        for (int byte = 0; byte < 8; byte++)
            at[10 + byte] = (uint8_t)(hours[i] >> (56 - 8 * byte));
        OWNED(mem_drop) char *envelope = evidence_print(&e);
        assert_false(replayed(charter, "enclave", envelope, "2026-11-24T12:00:00Z").trusted);
    }
}

static void what_cannot_be_read_is_an_answer_too(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *json = charter_sound();
    OWNED(charter_drop) struct charter *charter = parsed(json);
    static const char nothing[] = "{\"kind\":\"nitro\",\"document\":\"\",\"rest\":\"\"}";
    replayed_is(charter, "web", "{", "2026-11-24T12:00:00Z", false, "malformed", LEVEL_0);
    replayed_is(charter, "nobody", nothing, "2026-11-24T12:00:00Z", false, "policy-unknown",
                LEVEL_0);
    replayed_is(charter, "web", nothing, "2026-11-24T12:00:00Z", false, "unsupported-evidence",
                LEVEL_0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(azure_evidence_comes_out_as_it_did),
        cmocka_unit_test(an_enclaves_document_is_judged_at_its_own_hour),
        cmocka_unit_test(the_list_of_its_line_counts),
        cmocka_unit_test(an_enclave_may_lie_about_the_hour),
        cmocka_unit_test(what_cannot_be_read_is_an_answer_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
