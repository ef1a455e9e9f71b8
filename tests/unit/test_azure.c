/* Azure confidential VMs: every sample gives the verdict, the reason and the claims of its manifest
 * (R72, R73, R105), and what a policy may ask of the paravisor's report and the vTPM's quote. */
#include "lib/attest/azure_judge.h"

#include <stdio.h>
#include <string.h>

#include "lib/attest/hcl_report.h"
#include "lib/attest/tpm_quote.h"
#include "lib/crypto/rsa_key.h"
#include "tests/support/manifest.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

static const char *path_of(const json_t *test_case, const char *name, char *room, size_t size)
{
    const char *path = member_text(json_object_get(test_case, "files"), name);
    if (path == NULL)
        return NULL;
    snprintf(room, size, "azure/%s", path);
    return room;
}

static struct bytes read_named(const json_t *test_case, const char *name)
{
    char room[256];
    const char *path = path_of(test_case, name, room, sizeof room);
    return path != NULL ? vectors_read(path) : (struct bytes){0};
}

/* ---- a sample, and what borrows from it ----------------------------------------------------- */

struct sample {
    struct bytes hcl, quote, signature, nonce, ek, ask, ark;
    json_t *pcrs;
    struct policy *policy;
    struct snp_endorsements *endorsements;
    struct azure_input input;
};

static void sample_done(struct sample *s)
{
    struct bytes *const all[] = {&s->hcl, &s->quote, &s->signature, &s->nonce,
                                 &s->ek,  &s->ask,   &s->ark};
    for (size_t i = 0; i < countof(all); i++)
        bytes_done(all[i]);
    json_decref(s->pcrs);
    mem_drop(&s->policy);
    snp_endorsements_free(s->endorsements);
}

static void endorse(struct sample *s)
{
    struct snp_bundle bundle = {.ek = bytes_span(&s->ek)};
    if (s->ask.len > 0)
        bundle.ca[bundle.ca_count++] = bytes_span(&s->ask);
    if (s->ark.len > 0)
        bundle.ca[bundle.ca_count++] = bytes_span(&s->ark);
    s->endorsements = snp_endorse(&bundle, snp_roots_amd());
}

static void take_policy(struct sample *s, json_t *azure, const char *snp, enum policy_mode mode)
{
    struct error err = {0};
    OWNED(json_drop) json_t *whole = json_object();
    if (azure != NULL)
        json_put_new(whole, "azure", json_deep_copy(azure));
    if (snp != NULL)
        json_put_new(whole, "snp", json_loads(snp, 0, NULL));
    mem_drop(&s->policy);
    s->policy = NEW(struct policy);
    assert_ok(policy_from_json(whole, "", mode, s->policy, &err));
    s->input.policy = s->policy;
}

static void read_sample(const json_t *test_case, struct sample *out)
{
    struct error err = {0};
    char room[256];
    const char *pcrs = path_of(test_case, "pcrs", room, sizeof room);
    const char *nonce = member_text(test_case, "nonce");
    const json_t *at = json_object_get(test_case, "verify_time_unix");
    *out = (struct sample){.hcl = read_named(test_case, "hcl"),
                           .quote = read_named(test_case, "quote_msg"),
                           .signature = read_named(test_case, "quote_sig"),
                           .ek = read_named(test_case, "vcek"),
                           .ask = read_named(test_case, "ask"),
                           .ark = read_named(test_case, "ark")};
    if (pcrs != NULL)
        out->pcrs = vectors_json(pcrs);
    if (nonce != NULL)
        assert_ok(hex_decode(nonce, &out->nonce, &err));
    endorse(out);
    out->input = (struct azure_input){
        .hcl = bytes_span(&out->hcl),
        .has_quote = json_object_get(json_object_get(test_case, "files"), "quote_msg") != NULL,
        .quote = bytes_span(&out->quote),
        .signature = bytes_span(&out->signature),
        .pcrs = out->pcrs,
        .has_nonce = nonce != NULL,
        .nonce = bytes_span(&out->nonce),
        .endorsements = out->endorsements,
        .at = clock_at_seconds(json_is_integer(at) ? json_integer_value(at) : 1700000000),
    };
    if (json_object_get(test_case, "policy") != NULL)
        take_policy(out, json_object_get(test_case, "policy"), NULL, POLICY_EXPECT);
}

static void find_sample(const char *name, struct sample *out)
{
    OWNED(json_drop) json_t *test_case = manifest_case("azure/manifest.json", name);
    read_sample(test_case, out);
}

/* ---- the manifest --------------------------------------------------------------------------- */

static bool case_is_right(const json_t *test_case)
{
    OWNED(sample_done) struct sample s;
    OWNED(verdict_done) struct verdict v = {0};
    read_sample(test_case, &s);
    azure_judge(&s.input, &v);
    return case_has_verdict(test_case, REASON_EXACT, &v);
}

static void every_sample_gives_the_verdict_reason_and_claims_of_its_manifest(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(json_drop) json_t *manifest = vectors_json("azure/manifest.json");
    size_t wrong = 0;
    size_t seen = 0;
    size_t i;
    json_t *test_case;
    json_array_foreach (json_object_get(manifest, "cases"), i, test_case) {
        if (json_object_get(json_object_get(test_case, "files"), "hcl") == NULL)
            continue; /* a quote or a THIM answer alone */
        seen++;
        if (!case_is_right(test_case))
            wrong++;
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(seen, 46);
}

/* A SubjectPublicKeyInfo of RSA-2048 has its modulus at a fixed place. */
static void a_genuine_quote_verifies_with_its_key_alone(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    enum { MODULUS_AT = 33 };
    static const uint8_t exponent[] = {1, 0, 1};
    struct error err = {0};
    struct tpm_quote quote;
    OWNED(bytes_done) struct bytes pem = vectors_read("azure/cases/quote-only-kinvolk/akpub.pem");
    OWNED(bytes_done)
    struct bytes message = vectors_read("azure/cases/quote-only-kinvolk/quote.msg");
    OWNED(bytes_done) struct bytes made = vectors_read("azure/cases/quote-only-kinvolk/quote.sig");
    OWNED(text_done) struct text encoded = {0};
    OWNED(bytes_done) struct bytes der = {0};
    for (char *rest = NULL, *line = strtok_r((char *)pem.at, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest))
        if (line[0] != '-')
            text_add(&encoded, line);
    assert_ok(base64_decode(text_span(&encoded), &der, &err));
    const struct span modulus = SPAN(der.at + MODULUS_AT, RSA_KEY_SIZE);
    assert_ok(tpm_quote_read(bytes_span(&message), &quote, &err));
    assert_true(span_equal(quote.extra_data, span_of_text("challenge")));
    assert_ok(
        rsa_key_verify(modulus, SPAN_OF(exponent), bytes_span(&message), bytes_span(&made), &err));
    message.at[10] ^= 1;
    assert_fails(
        rsa_key_verify(modulus, SPAN_OF(exponent), bytes_span(&message), bytes_span(&made), &err),
        ERR_DENIED, "bad-signature");
    static const uint8_t three[] = {3};
    assert_fails(
        rsa_key_verify(modulus, SPAN_OF(three), bytes_span(&message), bytes_span(&made), &err),
        ERR_INVALID, "unsupported-key");
}

/* ---- policy --------------------------------------------------------------------------------- */

static void assert_judged(struct sample *s, enum reason want, struct verdict *out)
{
    azure_judge(&s->input, out);
    assert_string_equal(name_of(&reason_names, (int)out->reason),
                        name_of(&reason_names, (int)want));
}

static void a_whole_policy_names_report_and_registers(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    static const char any[] = "{\"measurement\":\"any\"}";
    OWNED(sample_done) struct sample s;
    OWNED(json_drop) json_t *all = json_pack("{s:s}", "pcrs", "any");
    OWNED(json_drop) json_t *silent = json_object();
    OWNED(verdict_done) struct verdict first = {0}, second = {0}, third = {0};
    find_sample("milan-v3-coco-a", &s);
    take_policy(&s, NULL, any, POLICY_WHOLE);
    assert_judged(&s, REASON_UNSUPPORTED_EVIDENCE, &first);
    take_policy(&s, silent, any, POLICY_WHOLE);
    assert_judged(&s, REASON_POLICY_PCR, &second);
    take_policy(&s, all, any, POLICY_WHOLE);
    assert_judged(&s, REASON_OK, &third);
    assert_int_equal(third.hardware, SOURCE_HARDWARE);
    assert_int_equal(third.software, SOURCE_NONE); /* nothing is pinned */
}

static void pinned_registers_need_a_quote_that_covers_them(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(sample_done) struct sample s;
    OWNED(verdict_done) struct verdict with = {0}, without = {0};
    find_sample("milan-v3-coco-a", &s);
    OWNED(json_drop)
    json_t *pinned =
        json_pack("{s:{s:s}}", "pcrs", "4", json_string_value(json_array_get(s.pcrs, 4)));
    take_policy(&s, pinned, NULL, POLICY_EXPECT);
    assert_judged(&s, REASON_OK, &with);
    s.input.has_quote = false;
    s.input.has_nonce = false;
    assert_judged(&s, REASON_POLICY_PCR, &without);
}

static void pinned_machines_have_the_vtpm_as_their_anchor(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(sample_done) struct sample s;
    OWNED(verdict_done) struct verdict open = {0}, v = {0};
    find_sample("milan-v3-coco-a", &s);
    azure_judge(&s.input, &open);
    assert_int_equal(open.anchor, ANCHOR_NONE); /* anyone's paravisor */
    const char *key = member_text(json_object_get(open.claims, "snp"), "id_key_digest");
    char snp[256];
    snprintf(snp, sizeof snp, "{\"measurement\":\"any\",\"id_key_digest\":\"%s\"}", key);
    OWNED(json_drop)
    json_t *pinned =
        json_pack("{s:{s:s}}", "pcrs", "4", json_string_value(json_array_get(s.pcrs, 4)));
    take_policy(&s, pinned, snp, POLICY_WHOLE);
    s.input.image = (struct image_facts){.measured_boot = true, .provider_execution_off = true};
    assert_judged(&s, REASON_OK, &v);
    assert_int_equal(v.anchor, ANCHOR_VTPM);
    assert_int_equal(v.identity, SOURCE_HARDWARE);
    assert_int_equal(v.software, SOURCE_HARDWARE);
    assert_true((v.residuals >> RESIDUAL_PARAVISOR & 1) != 0);

    /* Register 23 is the guest's own to set, and says nothing of what booted. */
    OWNED(verdict_done) struct verdict own = {0};
    OWNED(json_drop)
    json_t *useless =
        json_pack("{s:{s:s}}", "pcrs", "23", json_string_value(json_array_get(s.pcrs, 23)));
    take_policy(&s, useless, snp, POLICY_WHOLE);
    assert_judged(&s, REASON_OK, &own);
    assert_int_equal(own.software, SOURCE_NONE);
    assert_true((own.missing >> MISSING_PINNED_MEASUREMENT & 1) != 0);
    assert_memory_equal(own.named[0], v.anchor_hash, sizeof v.anchor_hash);
}

/* "any" passes its check and still says nothing of whose paravisor it is. */
static void a_policy_that_takes_any_paravisor_proves_no_machine(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    static const char *const loose[] = {
        "{\"measurement\":\"any\"}",
        "{\"measurement\":\"any\",\"id_key_digest\":\"any\"}",
        "{\"measurement\":\"any\",\"author_key_digest\":\"any\"}",
    };
    for (size_t i = 0; i < countof(loose); i++) {
        OWNED(sample_done) struct sample s;
        OWNED(verdict_done) struct verdict v = {0};
        find_sample("milan-v3-coco-a", &s);
        OWNED(json_drop)
        json_t *pinned =
            json_pack("{s:{s:s}}", "pcrs", "4", json_string_value(json_array_get(s.pcrs, 4)));
        take_policy(&s, pinned, loose[i], POLICY_WHOLE);
        s.input.image = (struct image_facts){.measured_boot = true, .provider_execution_off = true};
        assert_judged(&s, REASON_OK, &v);
        assert_int_equal(v.anchor, ANCHOR_NONE);
        assert_int_equal(v.identity, SOURCE_NONE);
        assert_int_equal(v.software, SOURCE_NONE);
        assert_true((v.missing >> MISSING_PINNED_MEASUREMENT & 1) != 0);
    }
}

/* ---- the parsers ---------------------------------------------------------------------------- */

static void every_cut_of_blob_and_quote_ends_in_an_answer(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(sample_done) struct sample s;
    find_sample("milan-v3-coco-a", &s);
    for (size_t len = 0; len < s.quote.len; len++) {
        struct tpm_quote quote;
        struct error err = {0};
        assert_fails(tpm_quote_read(SPAN(s.quote.at, len), &quote, &err), ERR_INVALID, "malformed");
    }
    const size_t needed = 0x4d4 + 1110; /* header, report, head of the data, claims */
    for (size_t len = 0; len < needed; len++) {
        struct hcl_report hcl;
        struct error err = {0};
        assert_fails(hcl_report_read(SPAN(s.hcl.at, len), &hcl, &err), ERR_INVALID, "malformed");
    }
}

static void claims_are_read_strictly(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "{\"keys\":[]}",
        "{\"keys\":1}",
        "{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"EC\"}]}",
        "{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"n\":1,\"e\":\"AQAB\"}]}",
        "{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"n\":\"!\",\"e\":\"AQAB\"}]}",
        "{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"n\":\"AQAB\"}]}",
        "{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"},"
        "{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"n\":\"AQAC\",\"e\":\"AQAB\"}]}",
        "{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}],"
        "\"keys\":[]}",
    };
    for (size_t i = 0; i < countof(bad); i++) {
        struct error err = {0};
        OWNED(hcl_claims_done) struct hcl_claims claims = {0};
        assert_fails(hcl_claims_read(span_of_text(bad[i]), &claims, &err), ERR_INVALID,
                     "malformed");
    }
    struct error err = {0};
    OWNED(hcl_claims_done) struct hcl_claims claims = {0};
    assert_ok(hcl_claims_read(
        span_of_text("{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":"
                     "\"AQAB\"}],\"vm-configuration\":{\"vmUniqueId\":7},\"new\":true}"),
        &claims, &err));
    assert_string_equal(claims.vm_id, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_gives_the_verdict_reason_and_claims_of_its_manifest),
        cmocka_unit_test(a_genuine_quote_verifies_with_its_key_alone),
        cmocka_unit_test(a_whole_policy_names_report_and_registers),
        cmocka_unit_test(pinned_registers_need_a_quote_that_covers_them),
        cmocka_unit_test(pinned_machines_have_the_vtpm_as_their_anchor),
        cmocka_unit_test(a_policy_that_takes_any_paravisor_proves_no_machine),
        cmocka_unit_test(every_cut_of_blob_and_quote_ends_in_an_answer),
        cmocka_unit_test(claims_are_read_strictly),
    };
    return cmocka_run_group_tests_name("azure", tests, NULL, NULL);
}
