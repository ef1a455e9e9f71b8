/* No input costs more than its answer is worth: the worst shapes at the limit of every parser that
 * strangers reach, and far beyond it, under 50 ms of processor and 8 MB of memory each. */
#include <stdio.h>
#include <string.h>

#include "lib/attest/azure_judge.h"
#include "lib/attest/cloud_documents.h"
#include "lib/attest/event_judge.h"
#include "lib/attest/evidence.h"
#include "lib/attest/firmware.h"
#include "lib/attest/hcl_report.h"
#include "lib/attest/identity.h"
#include "lib/attest/kds.h"
#include "lib/attest/nitro_document.h"
#include "lib/attest/thim.h"
#include "lib/attest/quote_judge.h"
#include "lib/attest/vtpm_judge.h"
#include "lib/model/charter.h"
#include "lib/model/policy.h"
#include "lib/crypto/signed_data.h"
#include "lib/crypto/x509.h"
#include "tests/support/cost.h"
#include "tests/support/hostile.h"
#include "tests/support/test.h"

enum { COST_MS_MAX = 50, COST_BYTES_MAX = 8 * MIB, HOSTILE_NOW = 1795478400 };

/* ---- who reads it --------------------------------------------------------------------------- */

typedef void feed_fn(struct span in);

static void feed_json(struct span in)
{
    OWNED(json_drop) json_t *value = NULL;
    error_ignore(json_parse(in, MIB, &value, NULL));
}

static void feed_policy(struct span in)
{
    OWNED(mem_drop) struct policy *policy = NEW(struct policy);
    error_ignore(policy_parse(in, POLICY_WHOLE, policy, NULL));
}

static void feed_charter(struct span in)
{
    OWNED(charter_drop) struct charter *charter = NULL;
    error_ignore(charter_parse(in, &charter, NULL));
}

static void feed_claims(struct span in)
{
    OWNED(hcl_claims_done) struct hcl_claims claims = {.vm_id = ""};
    error_ignore(hcl_claims_read(in, &claims, NULL));
}

static void feed_evidence(struct span in)
{
    OWNED(evidence_done) struct evidence evidence = {0};
    error_ignore(evidence_parse(in, &evidence, NULL));
}

static void feed_thim(struct span in)
{
    OWNED(thim_done) struct thim thim = {0};
    error_ignore(thim_parse(in, &thim, NULL));
}

static void feed_nitro(struct span in)
{
    OWNED(verdict_done) struct verdict v = {0};
    const struct nitro_input input = {
        .document = in, .roots = &nitro_roots_aws, .at = clock_at_seconds(HOSTILE_NOW)};
    nitro_judge(&input, &v);
    assert_false(v.trusted);
}

/* As chip key, and as every authority that evidence may bring. */
static void feed_certificates(struct span in)
{
    struct snp_bundle bundle = {.ek = in, .ca_count = EVIDENCE_CA_MAX};
    for (size_t i = 0; i < bundle.ca_count; i++)
        bundle.ca[i] = in;
    OWNED(snp_endorsements_drop)
    struct snp_endorsements *e = snp_endorse(&bundle, snp_roots_amd());
    assert_null(e->ark);
}

static void feed_list(struct span in)
{
    OWNED(x509_list_done) struct x509_list list = {0};
    error_ignore(x509_list_read(&list, in, NULL));
}

static void feed_import(struct span in)
{
    OWNED(kds_pieces_done) struct kds_pieces pieces = {0};
    error_ignore(kds_sort(in, &pieces, NULL));
}

static void feed_crl(struct span in)
{
    OWNED(crl_drop) struct crl *crl = NULL;
    char issuer[X509_NAME_SIZE];
    if (crl_from_bytes(in, &crl, NULL) == OK)
        crl_issuer(crl, issuer);
}

static void feed_table(struct span in)
{
    const struct snp_bundle bundle = {.cert_table = in};
    OWNED(snp_endorsements_drop)
    struct snp_endorsements *e = snp_endorse(&bundle, snp_roots_amd());
    assert_null(e->ark);
}

static void feed_log(struct span in)
{
    OWNED(verdict_done) struct verdict v = {0};
    event_judge(in, NULL, &v);
}

/* Of a vTPM, in each place where it may stand; nobody asked for what it must answer. */
static void judge_vtpm(struct vtpm_input *input)
{
    static const struct snp_bundle none = {0};
    OWNED(verdict_done) struct verdict v = {0};
    OWNED(snp_endorsements_drop) struct snp_endorsements *e = snp_endorse(&none, snp_roots_amd());
    input->endorsements = e;
    input->nitro_roots = &nitro_roots_aws;
    input->at = clock_at_seconds(HOSTILE_NOW);
    vtpm_judge(input, &v);
    assert_false(v.trusted);
}

/* As many whole events as evidence may bring. */
static void feed_vtpm_log(struct span in)
{
    struct event_log log;
    struct event event;
    struct vtpm_input input = {0};
    bool done = false;
    if (event_log_open(in, &log, NULL) == OK)
        while (event_log_next(&log, &event, &done, NULL) == OK && !done &&
               in.len - log.rest.len <= QUOTE_LOG_MAX)
            input.log = span_part(in, 0, in.len - log.rest.len);
    judge_vtpm(&input);
}

static void feed_vtpm_certificate(struct span in)
{
    struct vtpm_input input = {.ak_cert = in};
    judge_vtpm(&input);
}

static void feed_vtpm_keys(struct span in)
{
    struct vtpm_input input = {.ak = in, .manifest = in, .quote = in, .signature = in};
    judge_vtpm(&input);
}

static void feed_vtpm_document(struct span in)
{
    struct vtpm_input input = {.document = in};
    judge_vtpm(&input);
}

static void feed_quote(struct span in)
{
    struct tpm_quote quote;
    error_ignore(tpm_quote_read(in, &quote, NULL));
}

/* As the record, and as each part that may stand in one. */
static void feed_documents(struct span in)
{
    static const struct charter_clouds every = {.said = {false, true, true, true}};
    const struct identity_terms terms = {.clouds = &every, .at = clock_at_seconds(HOSTILE_NOW)};
    const struct identity_witness witness = {.csp_id = "", .vm_id = ""};
    for (int cloud = CLOUD_NONE; cloud < CLOUD_KIND_COUNT; cloud++) {
        OWNED(identity_done) struct identity identity = {0};
        OWNED(cloud_documents_done)
        struct cloud_documents parts = {.cloud = (enum cloud_kind)cloud};
        for (size_t i = 0; i < CLOUD_PARTS && cloud_part_names[cloud][i] != NULL; i++)
            bytes_add(&parts.parts[i], span_part(in, 0, CLOUD_PART_MAX));
        OWNED(mem_drop) char *record = cloud_documents_print(1, &parts);
        identity_judge(cloud == CLOUD_NONE ? in : span_of_text(record), &terms, &witness,
                       &identity);
        assert_int_not_equal(identity.state, DOCUMENTS_AGREE);
    }
}

static void feed_signed(struct span in)
{
    OWNED(signed_data_drop) struct signed_data *data = NULL;
    error_ignore(signed_data_read(in, &data, NULL));
}

/* ---- the table ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct {
    const char *name;
    make_fn *make;
    feed_fn *feed;
} rows[] = {
#define ROW(make, feed) {#make, make, feed}
    ROW(json_nested_a_million_deep, feed_json),
    ROW(json_of_numbers, feed_json),
    ROW(json_of_objects, feed_json),
    ROW(json_of_members, feed_json),
    ROW(json_of_as_many_numbers_as_are_taken, feed_json),
    ROW(json_of_as_many_strings_as_are_taken, feed_json),
    ROW(json_of_as_many_objects_as_are_taken, feed_json),
    ROW(json_of_as_many_full_objects_as_are_taken, feed_json),
    ROW(json_of_as_many_lists_as_are_taken, feed_json),
    ROW(json_of_as_many_members_as_are_taken, feed_json),
    ROW(json_of_one_member_again_and_again, feed_json),
    ROW(json_of_one_long_string, feed_json),
    ROW(json_of_one_long_number, feed_json),
    ROW(policy_of_sets, feed_policy),
    ROW(policy_of_members, feed_policy),
    ROW(charter_of_policies, feed_charter),
    ROW(claims_of_keys, feed_claims),
    ROW(evidence_of_certificates, feed_evidence),
    ROW(thim_of_members, feed_thim),
    ROW(cbor_nested_a_million_deep, feed_nitro),
    ROW(cbor_that_declares_two_to_the_30th, feed_nitro),
    ROW(document_nested_as_deep_as_it_goes, feed_nitro),
    ROW(document_of_registers_without_end, feed_nitro),
    ROW(document_with_two_to_the_30th_registers, feed_nitro),
    ROW(certificate_with_a_giant_serial_number, feed_certificates),
    ROW(certificate_with_a_giant_key, feed_certificates),
    ROW(certificate_with_names_without_end, feed_certificates),
    ROW(certificate_with_a_huge_oid, feed_certificates),
    ROW(certificate_with_one_extension_again_and_again, feed_certificates),
    ROW(certificate_with_one_huge_extension, feed_certificates),
    ROW(der_nested_as_deep_as_it_goes, feed_certificates),
    ROW(der_of_a_certificate_of_4_gib, feed_certificates),
    ROW(pem_of_ten_thousand_certificates, feed_list),
    ROW(pem_of_certificates_with_names_without_end, feed_list),
    ROW(pem_that_never_begins, feed_list),
    ROW(pem_of_ten_thousand_certificates, feed_import),
    ROW(pem_of_certificates_with_names_without_end, feed_import),
    ROW(list_of_revocations_as_long_as_it_may_be, feed_import),
    ROW(list_of_revocations_as_long_as_it_may_be, feed_crl),
    ROW(list_of_a_hundred_thousand_revocations, feed_crl),
    ROW(table_of_ten_thousand_certificates, feed_table),
    ROW(table_whose_blobs_are_all_the_same, feed_table),
    ROW(table_of_certificates_in_pem, feed_table),
    ROW(log_of_many_tiny_events, feed_log),
    ROW(log_of_many_events_with_many_digests, feed_log),
    ROW(log_of_events_without_digests, feed_log),
    ROW(log_of_as_many_types_as_events, feed_log),
    ROW(log_of_one_huge_event, feed_log),
    ROW(log_of_huge_kernel_words, feed_log),
    ROW(log_that_claims_4_gb, feed_log),
    ROW(cbor_nested_a_million_deep, feed_quote),
    ROW(log_of_many_tiny_events, feed_vtpm_log),
    ROW(log_of_many_events_with_many_digests, feed_vtpm_log),
    ROW(log_of_events_without_digests, feed_vtpm_log),
    ROW(log_of_as_many_types_as_events, feed_vtpm_log),
    ROW(log_of_huge_kernel_words, feed_vtpm_log),
    ROW(certificate_with_a_giant_key, feed_vtpm_certificate),
    ROW(certificate_with_names_without_end, feed_vtpm_certificate),
    ROW(certificate_with_one_huge_extension, feed_vtpm_certificate),
    ROW(document_of_registers_without_end, feed_vtpm_document),
    ROW(cbor_nested_a_million_deep, feed_vtpm_keys),
    ROW(json_nested_a_million_deep, feed_documents),
    ROW(json_of_as_many_members_as_are_taken, feed_documents),
    ROW(json_of_as_many_objects_as_are_taken, feed_documents),
    ROW(json_of_one_long_string, feed_documents),
    ROW(pem_that_never_begins, feed_documents),
    ROW(certificate_with_a_giant_key, feed_signed),
    ROW(certificate_with_one_extension_again_and_again, feed_signed),
    ROW(der_nested_as_deep_as_it_goes, feed_signed),
    ROW(der_of_a_certificate_of_4_gib, feed_signed),
#undef ROW
};
/* clang-format on */

struct feeding {
    feed_fn *feed;
    struct span in;
};

static void feed_it(void *context)
{
    const struct feeding *f = context;
    f->feed(f->in);
}

static bool is_cheap(size_t row)
{
    OWNED(bytes_done) struct bytes in = {0};
    rows[row].make(&in);
    struct feeding feeding = {rows[row].feed, bytes_span(&in)};
    const struct cost cost = cost_of(feed_it, &feeding);
    print_message("%-50s %8zu bytes: %6.1f ms, %7.1f KB\n", rows[row].name, in.len, cost.cpu_ms,
                  (double)cost.peak_bytes / 1024);
    return !cost_is_measurable() || (cost.cpu_ms < COST_MS_MAX && cost.peak_bytes < COST_BYTES_MAX);
}

static void no_input_costs_50_ms_or_8_mb(void **state)
{
    (void)state;
    size_t dear = 0;
    for (size_t i = 0; i < countof(rows); i++)
        if (!is_cheap(i)) {
            print_error("%s costs too much\n", rows[i].name);
            dear++;
        }
    assert_int_equal(dear, 0);
}

/* Pages that nobody touches cost nothing, so a gigabyte here is zeroes. */
static void a_gigabyte_is_refused_by_its_size(void **state)
{
    (void)state;
    OWNED(bytes_done) struct bytes in = {0};
    json_of_a_gigabyte(&in);
    for (size_t i = 0; i < countof(rows); i++) {
        struct feeding feeding = {rows[i].feed, bytes_span(&in)};
        const struct cost cost = cost_of(feed_it, &feeding);
        if (cost_is_measurable() &&
            (cost.cpu_ms >= COST_MS_MAX || cost.peak_bytes >= COST_BYTES_MAX))
            fail_msg("%s: %.1f ms, %zu bytes", rows[i].name, cost.cpu_ms, cost.peak_bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_input_costs_50_ms_or_8_mb),
        cmocka_unit_test(a_gigabyte_is_refused_by_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
