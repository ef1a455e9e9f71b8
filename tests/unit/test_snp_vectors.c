/* Every genuine, derived and synthetic SNP sample gives the verdict, the reason and the claims of
 * its manifest, the manifest's word being the word (R30,
 * R72, R73, R77, R78, R104). */
#include "lib/attest/evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/manifest.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

struct sample {
    struct bytes report, ek, table;
    struct bytes ca[4];
    struct bytes crl;
    struct snp_bundle bundle;
    struct snp_roots *roots;
    struct policy policy;
};

static void sample_done(struct sample *s)
{
    bytes_done(&s->report);
    bytes_done(&s->ek);
    bytes_done(&s->table);
    bytes_done(&s->crl);
    for (size_t i = 0; i < countof(s->ca); i++)
        bytes_done(&s->ca[i]);
    snp_roots_free(s->roots);
    *s = (struct sample){0};
}

static struct bytes read_named(const json_t *files, const char *name)
{
    const char *path = json_string_value(json_object_get(files, name));
    char whole[512];
    if (path == NULL)
        return (struct bytes){0};
    snprintf(whole, sizeof whole, "snp/%s", path);
    return vectors_read(whole);
}

static void read_roots(const char *trust, struct sample *out)
{
    struct error err = {0};
    if (trust == NULL || strncmp(trust, "synthetic/", 10) != 0)
        return;
    const bool milan = strcmp(trust, "synthetic/Milan") == 0;
    OWNED(bytes_done)
    struct bytes ark = vectors_read(milan ? "snp/synthetic/certs/milan/ark.der"
                                          : "snp/synthetic/certs/turin/ark.der");
    const struct span blob = bytes_span(&ark);
    assert_ok(snp_roots_custom(&blob, 1, &out->roots, &err));
}

static void read_sample(const json_t *test_case, struct sample *out)
{
    static const char *const names[] = {"ark", "ask", "asvk"};
    struct error err = {0};
    const json_t *files = json_object_get(test_case, "files");
    *out = (struct sample){.report = read_named(files, "report"),
                           .ek = read_named(files, "ek"),
                           .table = read_named(files, "cert_table"),
                           .crl = read_named(files, "crl")};
    for (size_t i = 0; i < countof(names); i++)
        out->ca[i] = read_named(files, names[i]);
    out->bundle.ek = bytes_span(&out->ek);
    out->bundle.cert_table = bytes_span(&out->table);
    for (size_t i = 0; i < countof(names); i++)
        if (out->ca[i].len > 0)
            out->bundle.ca[out->bundle.ca_count++] = bytes_span(&out->ca[i]);
    if (out->crl.len > 0)
        out->bundle.crl[out->bundle.crl_count++] = bytes_span(&out->crl);
    read_roots(json_string_value(json_object_get(test_case, "trust")), out);
    const json_t *policy = json_object_get(test_case, "policy");
    if (policy != NULL) {
        OWNED(json_drop) json_t *whole = json_object();
        json_put_new(whole, "snp", json_deep_copy(policy));
        assert_ok(policy_from_json(whole, "", POLICY_EXPECT, &out->policy, &err));
    }
}

static struct verdict judge_sample(const struct sample *s, const json_t *test_case)
{
    OWNED(snp_endorsements_drop)
    struct snp_endorsements *e =
        snp_endorse(&s->bundle, s->roots != NULL ? s->roots : snp_roots_amd());
    const json_t *at = json_object_get(test_case, "verify_time_unix");
    const struct judge_input in = {
        .kind = EVIDENCE_SNP,
        .report = bytes_span(&s->report),
        .endorsements = e,
        .policy = s->policy.has_snp ? &s->policy : NULL,
        .at = clock_at_seconds(json_is_integer(at) ? json_integer_value(at) : 1700000000),
    };
    struct verdict v;
    judge(&in, &v);
    return v;
}

static bool case_is_right(const json_t *test_case)
{
    OWNED(sample_done) struct sample s = {0};
    read_sample(test_case, &s);
    OWNED(verdict_done) struct verdict v = judge_sample(&s, test_case);
    return case_has_verdict(test_case, REASON_EXACT, &v);
}

static void every_sample_gives_the_verdict_reason_and_claims_of_its_manifest(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    assert_true(manifest_assert_right("snp/manifest.json", case_is_right) >= 200);
}

/* As keepers, opinions and replays hear it: in an envelope, by the one door for all kinds. */
static struct verdict judge_in_envelope(const struct sample *s, const json_t *test_case)
{
    struct error err = {0};
    const json_t *at = json_object_get(test_case, "verify_time_unix");
    OWNED(snp_cache_drop)
    struct snp_cache *chains = snp_cache_new(s->roots != NULL ? s->roots : snp_roots_amd(), 1);
    struct evidence_terms terms = {
        .chains = chains,
        .policy = s->policy.has_snp ? &s->policy : NULL,
        .at = clock_at_seconds(json_is_integer(at) ? json_integer_value(at) : 1700000000),
    };
    evidence_terms_add_crl(&terms, bytes_span(&s->crl));
    OWNED(evidence_done)
    struct evidence sent = {.kind = EVIDENCE_SNP,
                            .report = bytes_copy(bytes_span(&s->report)),
                            .ek = bytes_copy(bytes_span(&s->ek)),
                            .cert_table = bytes_copy(bytes_span(&s->table))};
    for (size_t i = 0; i < s->bundle.ca_count; i++)
        sent.ca[sent.ca_count++] = bytes_copy(s->bundle.ca[i]);
    OWNED(mem_drop) char *text = evidence_print(&sent);
    OWNED(evidence_done) struct evidence came = {0};
    assert_ok(evidence_parse(span_of_text(text), &came, &err));
    struct verdict v = {0};
    evidence_judge(&came, &terms, &v);
    return v;
}

static bool case_is_right_in_an_envelope(const json_t *test_case)
{
    OWNED(sample_done) struct sample s = {0};
    read_sample(test_case, &s);
    OWNED(verdict_done) struct verdict v = judge_in_envelope(&s, test_case);
    return case_has_verdict(test_case, REASON_EXACT, &v);
}

/* veraison/services PR 418, attestation-rs PR 67: a check that one entry point made and another did
 * not. */
static void every_sample_is_judged_alike_by_every_door(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    assert_true(manifest_assert_right("snp/manifest.json", case_is_right_in_an_envelope) >= 200);
}

static void check_ek_fields(const json_t *want, const struct snp_ek *ek)
{
    static const struct {
        const char *name;
        enum tcb_part part;
    } spls[] = {
        {"blSPL", TCB_BL}, {"teeSPL", TCB_TEE}, {"snpSPL", TCB_SNP}, {"ucodeSPL", TCB_UCODE}};
    for (size_t i = 0; i < countof(spls); i++)
        assert_int_equal(ek->spl[spls[i].part],
                         json_integer_value(json_object_get(want, spls[i].name)));
    assert_string_equal(ek->product_name, json_string_value(json_object_get(want, "productName")));
    OWNED(mem_drop) char *hwid = hex_of(SPAN(ek->hwid, ek->hwid_len));
    assert_string_equal(hwid, json_string_value(json_object_get(want, "hwid")));
    const char *encoding = json_string_value(json_object_get(want, "hwid_enc"));
    assert_string_equal(ek->hwid_wrapped ? "octet" : "raw", encoding);
}

static void both_encodings_of_the_chip_id_in_a_certificate_are_read(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(json_drop) json_t *manifest = vectors_json("snp/manifest.json");
    size_t seen = 0;
    size_t i;
    json_t *test_case;
    json_array_foreach (json_object_get(manifest, "cases"), i, test_case) {
        const json_t *want = json_object_get(test_case, "ek_fields");
        if (want == NULL)
            continue;
        struct error err = {0};
        OWNED(bytes_done)
        struct bytes der = read_named(json_object_get(test_case, "files"), "ek");
        OWNED(x509_drop) struct x509 *cert = NULL;
        assert_ok(x509_from_der(bytes_span(&der), &cert, &err));
        struct snp_ek ek;
        struct finding finding;
        snp_ek_read(cert, &ek, &finding);
        check_ek_fields(want, &ek);
        seen++;
    }
    assert_int_equal(seen, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_gives_the_verdict_reason_and_claims_of_its_manifest),
        cmocka_unit_test(every_sample_is_judged_alike_by_every_door),
        cmocka_unit_test(both_encodings_of_the_chip_id_in_a_certificate_are_read),
    };
    return cmocka_run_group_tests_name("snp_vectors", tests, NULL, NULL);
}
