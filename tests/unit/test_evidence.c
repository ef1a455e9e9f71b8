/* The envelope of evidence: both ways, strict, bounded, and nothing of other technologies (R23);
 * and certificate tables from a hostile host. */
#include "lib/attest/evidence.h"

#include <string.h>

#include "tests/support/test.h"

static void envelope_goes_both_ways(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(evidence_done) struct evidence e = {.kind = EVIDENCE_SIMULATED, .ca_count = 2};
    bytes_add(&e.report, span_of_text("report"));
    bytes_add(&e.cert_table, span_of_text("table"));
    bytes_add(&e.ca[0], span_of_text("ask"));
    bytes_add(&e.ca[1], span_of_text("ark"));
    bytes_add(&e.rest, span_of_text("{ \"kept\" : \"as sent\" }"));
    OWNED(mem_drop) char *text = evidence_print(&e);
    OWNED(evidence_done) struct evidence again = {0};
    assert_ok(evidence_parse(span_of_text(text), &again, &err));
    assert_int_equal(again.kind, EVIDENCE_SIMULATED);
    assert_true(span_equal(bytes_span(&e.report), bytes_span(&again.report)));
    assert_true(span_equal(bytes_span(&e.rest), bytes_span(&again.rest)));
    assert_int_equal(again.ca_count, 2);
    assert_true(span_equal(bytes_span(&e.ca[1]), bytes_span(&again.ca[1])));
    assert_int_equal(again.ek.len, 0);
}

static void azures_envelope_goes_both_ways(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(evidence_done) struct evidence e = {.kind = EVIDENCE_SNP_AZURE};
    bytes_add(&e.hcl, span_of_text("wrapper"));
    bytes_add(&e.quote, span_of_text("quote"));
    bytes_add(&e.signature, span_of_text("signature"));
    bytes_add(&e.ek, span_of_text("key"));
    bytes_add(&e.rest, span_of_text("{}"));
    e.pcrs = json_pack("[s,s]", "00", "11");
    OWNED(mem_drop) char *text = evidence_print(&e);
    OWNED(evidence_done) struct evidence again = {0};
    assert_ok(evidence_parse(span_of_text(text), &again, &err));
    OWNED(mem_drop) char *same = evidence_print(&again);
    assert_string_equal(text, same);
    assert_true(json_equal(e.pcrs, again.pcrs));
}

static void a_vtpms_envelope_goes_both_ways(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(evidence_done) struct evidence e = {.kind = EVIDENCE_SNP_VTPM};
    struct bytes *const blobs[] = {&e.report,  &e.quote,    &e.signature, &e.event_log,  &e.ak,
                                   &e.ak_cert, &e.manifest, &e.document,  &e.cert_table, &e.ek};
    for (size_t i = 0; i < countof(blobs); i++)
        bytes_add_u8(blobs[i], (uint8_t)i);
    e.pcrs = json_pack("[s]", "00");
    OWNED(mem_drop) char *text = evidence_print(&e);
    OWNED(evidence_done) struct evidence again = {0};
    assert_ok(evidence_parse(span_of_text(text), &again, &err));
    OWNED(mem_drop) char *same = evidence_print(&again);
    assert_string_equal(text, same);
    assert_int_equal(again.ek.at[0], countof(blobs) - 1);
}

static void assert_refused(const char *text, const char *code)
{
    struct error err = {0};
    OWNED(evidence_done) struct evidence e = {0};
    assert_fails(evidence_parse(span_of_text(text), &e, &err), ERR_INVALID, code);
    assert_null(e.report.at);
}

static void what_is_not_an_envelope_is_refused(void **state)
{
    (void)state;
    assert_refused("", "malformed");
    assert_refused("{}", "missing-member");
    assert_refused("{\"kind\":\"snp\"}", "missing-member");
    assert_refused("{\"kind\":\"snp\",\"report\":\"!\"}", "wrong-type");
    assert_refused("{\"kind\":\"snp\",\"report\":\"\",\"vcek\":\"\"}", "unknown-member");
    assert_refused("{\"kind\":\"snp\",\"kind\":\"simulated\",\"report\":\"\"}", "malformed");
    assert_refused("{\"kind\":\"snp\",\"report\":\"\",\"ca\":[1]}", "wrong-type");
    assert_refused("{\"kind\":\"snp\",\"report\":\"\",\"ca\":[\"\",\"\",\"\",\"\",\"\",\"\",\"\","
                   "\"\",\"\"]}",
                   "too-long");
}

/* What belongs to another kind is no more known than what belongs to none. */
static void each_kind_has_its_own_members(void **state)
{
    (void)state;
    assert_refused("{\"kind\":\"snp-azure\"}", "missing-member");
    assert_refused("{\"kind\":\"snp-azure\",\"report\":\"\"}", "unknown-member");
    assert_refused("{\"kind\":\"snp-azure\",\"hcl\":\"\",\"report\":\"\"}", "unknown-member");
    assert_refused("{\"kind\":\"snp\",\"report\":\"\",\"hcl\":\"\"}", "unknown-member");
    assert_refused("{\"kind\":\"snp\",\"report\":\"\",\"pcrs\":[]}", "unknown-member");
    assert_refused("{\"kind\":\"snp-azure\",\"hcl\":\"\",\"ak\":\"\"}", "unknown-member");
    assert_refused("{\"kind\":\"snp-vtpm\",\"ak\":\"\"}", "missing-member");
    assert_refused("{\"kind\":\"snp-vtpm\",\"report\":\"\",\"hcl\":\"\"}", "unknown-member");
    assert_refused("{\"kind\":\"snp\",\"report\":\"\",\"event_log\":\"\"}", "unknown-member");
    assert_refused("{\"kind\":\"nitro\"}", "missing-member");
    assert_refused("{\"kind\":\"nitro\",\"document\":\"\",\"ca\":[]}", "unknown-member");
    assert_refused("{\"kind\":\"nitro\",\"document\":\"\",\"pcrs\":[]}", "unknown-member");
    assert_refused("{\"kind\":\"nitro\",\"document\":\"\",\"ek\":\"\"}", "unknown-member");
    assert_refused("{\"kind\":\"snp-azure\",\"hcl\":\"\",\"pcrs\":{}}", "wrong-type");
    assert_refused("{\"kind\":\"snp-azure\",\"hcl\":\"\",\"pcrs\":[1]}", "wrong-type");
    assert_refused("{\"kind\":\"snp-azure\",\"hcl\":\"\",\"pcrs\":[\"\",\"\",\"\",\"\",\"\",\"\","
                   "\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\","
                   "\"\",\"\",\"\",\"\",\"\"]}",
                   "too-long");
}

static void known_kinds_that_are_not_appraised_have_their_own_code(void **state)
{
    (void)state;
    assert_refused("{\"kind\":\"sgx\",\"report\":\"\"}", "unsupported-evidence");
    assert_refused("{\"kind\":\"none\",\"report\":\"\"}", "unsupported-evidence");
    assert_refused("{\"kind\":\"sev\",\"report\":\"\"}", "unsupported-evidence");
    assert_refused("{\"kind\":\"sev-es\",\"report\":\"\"}", "unsupported-evidence");
    assert_refused("{\"kind\":\"tdx\",\"report\":\"\"}", "unsupported-evidence");
    assert_refused("{\"kind\":\"sev-snp\",\"report\":\"\"}", "unknown-word");
}

static void assert_named(struct span report, enum reason reason, const char *name)
{
    OWNED(evidence_done) struct evidence e = {.kind = EVIDENCE_SNP};
    OWNED(verdict_done) struct verdict v = {0};
    OWNED(snp_cache_drop) struct snp_cache *cache = snp_cache_new(snp_roots_amd(), 2);
    const struct evidence_terms terms = {.chains = cache, .at = clock_at_seconds(1795478400)};
    bytes_add(&e.report, report);
    evidence_judge(&e, &terms, &v);
    assert_string_equal(name_of(&reason_names, (int)v.reason), name_of(&reason_names, (int)reason));
    assert_non_null(strstr(verdict_check(&v, "report-format")->detail, name));
}

/* A blob of another technology under snp's name is told apart from one that is broken. */
static void reports_of_other_technologies_are_refused_by_name(void **state)
{
    (void)state;
    uint8_t sev[208] = {0};
    uint8_t td_report[1024] = {0x81};
    uint8_t quote[632] = {4, 0, 2, 0, 0x81};
    assert_named(SPAN_OF(sev), REASON_UNSUPPORTED_REPORT_TYPE, "plain SEV");
    sev[48] = 4;
    assert_named(SPAN_OF(sev), REASON_UNSUPPORTED_REPORT_TYPE, "SEV-ES");
    assert_named(SPAN_OF(td_report), REASON_UNSUPPORTED_REPORT_TYPE, "report of TDX");
    assert_named(SPAN_OF(quote), REASON_UNSUPPORTED_REPORT_TYPE, "quote of TDX");
    quote[0] = 5;
    assert_named(SPAN_OF(quote), REASON_UNSUPPORTED_REPORT_TYPE, "quote of TDX");
    quote[4] = 0; /* SGX's */
    assert_named(SPAN_OF(quote), REASON_MALFORMED, "");
}

static void blobs_are_bounded(void **state)
{
    (void)state;
    OWNED(evidence_done) struct evidence e = {.kind = EVIDENCE_SNP};
    bytes_add_room(&e.report, EVIDENCE_REPORT_MAX + 1);
    OWNED(mem_drop) char *text = evidence_print(&e);
    assert_refused(text, "too-long");
}

static void assert_table(const struct bytes *table, bool fine)
{
    struct error err = {0};
    struct cert_table read;
    if (fine)
        assert_ok(cert_table_read(bytes_span(table), &read, &err));
    else
        assert_fails(cert_table_read(bytes_span(table), &read, &err), ERR_INVALID, "malformed");
}

static void add_entry(struct bytes *table, uint8_t guid, uint32_t offset, uint32_t length)
{
    memset(bytes_add_room(table, GUID_SIZE), guid, GUID_SIZE);
    bytes_add_u32le(table, offset);
    bytes_add_u32le(table, length);
}

static void tables_whose_blobs_lie_elsewhere_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint32_t offset, length;
        bool fine;
    } cases[] = {
        {48, 16, true},          {63, 1, true},           {48, 17, false},
        {64, 0, false},          {47, 1, false},          {0, 24, false},
        {0xfffffff0, 32, false}, {48, 0xffffffff, false}, {64, 1, false},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        OWNED(bytes_done) struct bytes table = {0};
        add_entry(&table, 1, cases[i].offset, cases[i].length);
        add_entry(&table, 0, 0, 0);
        bytes_add_room(&table, 16);
        assert_table(&table, cases[i].fine);
    }
}

static void tables_without_end_with_twins_or_too_many_are_refused(void **state)
{
    (void)state;
    OWNED(bytes_done) struct bytes endless = {0};
    add_entry(&endless, 1, 48, 1);
    assert_table(&endless, false);
    OWNED(bytes_done) struct bytes twins = {0};
    add_entry(&twins, 1, 80, 1);
    add_entry(&twins, 1, 80, 1);
    add_entry(&twins, 0, 0, 0);
    bytes_add_room(&twins, 100);
    assert_table(&twins, false);
    OWNED(bytes_done) struct bytes many = {0};
    for (int i = 1; i <= CERT_TABLE_ENTRIES_MAX + 1; i++)
        add_entry(&many, (uint8_t)i, 1000, 1);
    bytes_add_room(&many, 1000);
    assert_table(&many, false);
    OWNED(bytes_done) struct bytes none = {0};
    assert_table(&none, false);
}

/* ---- shown to others ------------------------------------------------------------------------- */

static void key_in_spki(enum key_kind kind, struct bytes *out)
{
    struct error err = {0};
    OWNED(key_drop) struct key *key = NULL;
    assert_ok(key_generate(kind, &key, &err));
    assert_ok(key_to_spki(key, out, &err));
}

static void is_not_shown(struct span nonce, struct span link_key, const char *where)
{
    struct error err = {0};
    struct evidence_binding binding;
    assert_fails(evidence_shown(EVIDENCE_SNP, nonce, link_key, &binding, &err), ERR_INVALID,
                 "wrong-value");
    assert_string_equal(err.where, where);
}

static void what_is_shown_answers_a_nonce_of_some_length_for_a_guests_key(void **state)
{
    (void)state;
    static const uint8_t nonce[SHOWN_NONCE_MOST + 1];
    struct error err = {0};
    struct evidence_binding binding;
    OWNED(bytes_done) struct bytes key = {0};
    OWNED(bytes_done) struct bytes roots_kind = {0};
    key_in_spki(KEY_P256, &key);
    key_in_spki(KEY_P384, &roots_kind);
    const struct span fine = SPAN(nonce, SHOWN_NONCE_LEAST);
    assert_ok(evidence_shown(EVIDENCE_SNP, fine, bytes_span(&key), &binding, &err));
    assert_ok(evidence_shown(EVIDENCE_SNP, SPAN(nonce, SHOWN_NONCE_MOST), bytes_span(&key),
                             &binding, &err));
    is_not_shown(SPAN(nonce, SHOWN_NONCE_LEAST - 1), bytes_span(&key), "/nonce");
    is_not_shown(SPAN(nonce, SHOWN_NONCE_MOST + 1), bytes_span(&key), "/nonce");
    is_not_shown(fine, bytes_span(&roots_kind), "/link_key");
    is_not_shown(fine, span_part(bytes_span(&key), 0, key.len - 1), "/link_key");
    is_not_shown(fine, (struct span){0}, "/link_key");
    bytes_add_room(&key, SHOWN_KEY_MAX);
    is_not_shown(fine, bytes_span(&key), "/link_key");
}

/* ---- tables ---------------------------------------------------------------------------------- */

static void tables_are_bounded(void **state)
{
    (void)state;
    struct error err = {0};
    struct cert_table table;
    OWNED(bytes_done) struct bytes padding = {0}; /* no entry, and zeroes to the end */
    bytes_add_room(&padding, CERT_TABLE_SIZE_MAX);
    assert_ok(cert_table_read(bytes_span(&padding), &table, &err));
    assert_int_equal(table.count, 0);
    bytes_add_u8(&padding, 0);
    assert_fails(cert_table_read(bytes_span(&padding), &table, &err), ERR_INVALID, "malformed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(envelope_goes_both_ways),
        cmocka_unit_test(azures_envelope_goes_both_ways),
        cmocka_unit_test(a_vtpms_envelope_goes_both_ways),
        cmocka_unit_test(each_kind_has_its_own_members),
        cmocka_unit_test(what_is_not_an_envelope_is_refused),
        cmocka_unit_test(known_kinds_that_are_not_appraised_have_their_own_code),
        cmocka_unit_test(reports_of_other_technologies_are_refused_by_name),
        cmocka_unit_test(blobs_are_bounded),
        cmocka_unit_test(tables_whose_blobs_lie_elsewhere_are_refused),
        cmocka_unit_test(what_is_shown_answers_a_nonce_of_some_length_for_a_guests_key),
        cmocka_unit_test(tables_are_bounded),
        cmocka_unit_test(tables_without_end_with_twins_or_too_many_are_refused),
    };
    return cmocka_run_group_tests_name("evidence", tests, NULL, NULL);
}
