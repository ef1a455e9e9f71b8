/* What is asked of the key distribution service, which answers are taken, and what a file for
 * import is sorted into. */
#include "lib/attest/kds.h"

#include <string.h>

#include "lib/attest/thim.h"
#include "lib/base/file.h"
#include "lib/crypto/x509_make.h"
#include "tests/support/simulator.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

static struct psp *psp;
static struct snp_roots *roots;

static int open_simulator(void **state)
{
    (void)state;
    psp = simulator_open();
    roots = simulator_roots(psp);
    return 0;
}

static int close_simulator(void **state)
{
    (void)state;
    snp_roots_free(roots);
    psp_close(psp);
    return 0;
}

static struct moment today(void)
{
    return clock_at_seconds(SIMULATOR_TODAY);
}

/* A chip's report, its VCEK and the item that asks for it. */
struct chip_case {
    struct kds_item item;
    struct bytes vcek;
    struct bytes chain;
};

static void chip_case_done(struct chip_case *c)
{
    bytes_done(&c->vcek);
    bytes_done(&c->chain);
}

static void add_chain(enum snp_line line, enum snp_signer signer, struct bytes *out)
{
    pem_add_certificate(out, psp_ca(psp, line, signer));
    pem_add_certificate(out, psp_ark(psp, line));
}

static struct chip_case chip_case_of(enum snp_product product)
{
    struct error err = {0};
    struct chip_case c = {0};
    struct psp_wish wish = psp_wish(PSP_DIRECT_BOOT);
    struct snp_report report;
    struct cert_table table;
    wish.product = product;
    memset(wish.chip_id, 0xc0 + (int)product, sizeof wish.chip_id);
    OWNED(simulated_done) struct simulated s = simulator_evidence(psp, &wish);
    assert_ok(snp_report_read(bytes_span(&s.report), &report, &err));
    assert_true(kds_vcek_of(&report, report.reported_tcb, &c.item));
    assert_ok(cert_table_read(bytes_span(&s.table), &table, &err));
    c.vcek = bytes_copy(cert_table_find(&table, TABLE_VCEK));
    add_chain(c.item.line, SIGNER_VCEK, &c.chain);
    return c;
}

/* ---- addresses ---------------------------------------------------------------------------- */

static void url_is(const struct kds_item *item, const char *expected)
{
    OWNED(text_done) struct text url = {0};
    kds_url(item, "https://kdsintf.amd.com", &url);
    assert_string_equal(text_str(&url), expected);
}

static void addresses_are_those_of_the_service(void **state)
{
    (void)state;
    struct kds_item item = {.what = KDS_VCEK, .line = LINE_MILAN, .hwid_len = 64};
    memset(item.hwid, 0xab, sizeof item.hwid);
    item.tcb = UINT64_C(0xd31b000000000003);
    OWNED(text_done) struct text expected = {0};
    text_add(&expected, "https://kdsintf.amd.com/vcek/v1/Milan/");
    for (int i = 0; i < 64; i++)
        text_add(&expected, "ab");
    text_add(&expected, "?blSPL=03&teeSPL=00&snpSPL=27&ucodeSPL=211");
    url_is(&item, text_str(&expected));
    item.line = LINE_TURIN;
    item.hwid_len = 8;
    const struct snp_tcb tcb = {.part = {1, 2, 3, 4, 81}};
    item.tcb = snp_tcb_join(&tcb, LINE_TURIN);
    url_is(&item, "https://kdsintf.amd.com/vcek/v1/Turin/abababababababab"
                  "?fmcSPL=01&blSPL=02&teeSPL=03&snpSPL=04&ucodeSPL=81");
    item = kds_chain_of(LINE_GENOA, SIGNER_VCEK);
    url_is(&item, "https://kdsintf.amd.com/vcek/v1/Genoa/cert_chain");
    item = kds_chain_of(LINE_GENOA, SIGNER_VLEK);
    url_is(&item, "https://kdsintf.amd.com/vlek/v1/Genoa/cert_chain");
    item = kds_crl_of(LINE_MILAN);
    url_is(&item, "https://kdsintf.amd.com/vcek/v1/Milan/crl");
}

static void names_are_one_to_one(void **state)
{
    (void)state;
    char name[KDS_NAME_SIZE];
    OWNED(chip_case_done) struct chip_case c = chip_case_of(PRODUCT_TURIN);
    struct kds_item item = kds_chain_of(LINE_MILAN, SIGNER_VLEK);
    kds_name(&item, name);
    assert_string_equal(name, "Milan-vlek-chain");
    item = kds_crl_of(LINE_TURIN);
    kds_name(&item, name);
    assert_string_equal(name, "Turin-crl");
    kds_name(&c.item, name);
    assert_memory_equal(name, "Turin-vcek-c4c4c4c4c4c4c4c4-", 28);
    assert_int_equal(strlen(name), 28 + 16);
}

static void a_vlek_a_masked_chip_and_an_unknown_line_ask_for_no_vcek(void **state)
{
    (void)state;
    struct error err = {0};
    struct kds_item item;
    struct snp_report report;
    struct psp_wish wish = psp_wish(PSP_FIRMWARE_ONLY);
    OWNED(simulated_done) struct simulated vlek = simulator_evidence(psp, &wish);
    assert_ok(snp_report_read(bytes_span(&vlek.report), &report, &err));
    assert_false(kds_vcek_of(&report, report.reported_tcb, &item));
    wish = psp_wish(PSP_DIRECT_BOOT);
    memset(wish.chip_id, 1, sizeof wish.chip_id);
    OWNED(simulated_done) struct simulated vcek = simulator_evidence(psp, &wish);
    assert_ok(snp_report_read(bytes_span(&vcek.report), &report, &err));
    assert_true(kds_vcek_of(&report, report.reported_tcb, &item));
    memset(report.chip_id, 0, sizeof report.chip_id);
    assert_false(kds_vcek_of(&report, report.reported_tcb, &item));
    memset(report.chip_id, 1, sizeof report.chip_id);
    report.version = 2;
    assert_false(kds_vcek_of(&report, report.reported_tcb, &item));
    report.version = 3;
    assert_false(kds_vcek_of(&report, report.reported_tcb | UINT64_C(0x10000), &item));
}

/* ---- answers ------------------------------------------------------------------------------ */

static void check_fails(const struct kds_item *item, struct span in, struct span chain,
                        enum outcome outcome, const char *code)
{
    struct error err = {0};
    struct kds_content content = {0};
    assert_fails(kds_check(item, in, chain, roots, today(), &content, &err), outcome, code);
    assert_null(content.bytes.at);
}

static void a_vcek_is_taken_for_its_own_chip_and_tcb_only(void **state)
{
    (void)state;
    for (int product = PRODUCT_MILAN; product < PRODUCT_COUNT; product++) {
        struct error err = {0};
        OWNED(kds_content_done) struct kds_content content = {0};
        OWNED(chip_case_done) struct chip_case c = chip_case_of((enum snp_product)product);
        const struct span vcek = bytes_span(&c.vcek), chain = bytes_span(&c.chain);
        assert_ok(kds_check(&c.item, vcek, chain, roots, today(), &content, &err));
        assert_true(span_equal(bytes_span(&content.bytes), vcek));
        struct kds_item other = c.item;
        other.tcb++;
        check_fails(&other, vcek, chain, ERR_DENIED, "endorsement-wrong");
        other = c.item;
        other.hwid[0] ^= 1;
        check_fails(&other, vcek, chain, ERR_DENIED, "endorsement-wrong");
        other = c.item;
        other.line = c.item.line == LINE_MILAN ? LINE_GENOA : LINE_MILAN;
        check_fails(&other, vcek, chain, ERR_DENIED, "endorsement-wrong");
        c.vcek.at[c.vcek.len - 1] ^= 1; /* in the signature */
        check_fails(&c.item, vcek, chain, ERR_DENIED, "endorsement-untrusted");
    }
}

static void a_vcek_under_no_chain_or_a_foreign_root_is_not_taken(void **state)
{
    (void)state;
    struct error err = {0};
    struct kds_content content = {0};
    OWNED(chip_case_done) struct chip_case c = chip_case_of(PRODUCT_MILAN);
    OWNED(bytes_done) struct bytes other = {0};
    add_chain(LINE_GENOA, SIGNER_VCEK, &other);
    const struct span vcek = bytes_span(&c.vcek);
    check_fails(&c.item, vcek, SPAN(NULL, 0), ERR_DENIED, "endorsement-untrusted");
    check_fails(&c.item, vcek, bytes_span(&other), ERR_DENIED, "endorsement-untrusted");
    assert_fails(
        kds_check(&c.item, vcek, bytes_span(&c.chain), snp_roots_amd(), today(), &content, &err),
        ERR_DENIED, "endorsement-untrusted");
}

static void what_is_no_certificate_is_not_taken(void **state)
{
    (void)state;
    OWNED(chip_case_done) struct chip_case c = chip_case_of(PRODUCT_MILAN);
    OWNED(bytes_done) struct bytes two = {0};
    OWNED(bytes_done) struct bytes huge = {0};
    const struct span chain = bytes_span(&c.chain), vcek = bytes_span(&c.vcek);
    const struct kds_item items[] = {c.item, kds_chain_of(LINE_MILAN, SIGNER_VCEK),
                                     kds_crl_of(LINE_MILAN)};
    pem_add_certificate(&two, vcek);
    pem_add_certificate(&two, vcek);
    bytes_add_room(&huge, KDS_ANSWER_MAX + 1);
    for (size_t i = 0; i < countof(items); i++) {
        static const char html[] = "<html><body>Request throttled</body></html>";
        check_fails(&items[i], SPAN("", 0), chain, ERR_INVALID, "endorsement-malformed");
        check_fails(&items[i], span_of_text(html), chain, ERR_INVALID, "endorsement-malformed");
        check_fails(&items[i], bytes_span(&huge), chain, ERR_INVALID, "endorsement-malformed");
    }
    check_fails(&c.item, span_part(vcek, 0, vcek.len - 1), chain, ERR_INVALID,
                "endorsement-malformed");
    check_fails(&c.item, bytes_span(&two), chain, ERR_INVALID, "endorsement-malformed");
    check_fails(&c.item, psp_ark(psp, LINE_MILAN), chain, ERR_DENIED, "endorsement-wrong");
}

static void with_crlf(struct span in, struct bytes *out)
{
    for (size_t i = 0; i < in.len; i++) {
        if (in.at[i] == '\n')
            bytes_add_u8(out, '\r');
        bytes_add_u8(out, in.at[i]);
    }
}

static void a_chain_is_two_certificates_to_a_pinned_root_whatever_the_line_ends(void **state)
{
    (void)state;
    for (int signer = 0; signer < SIGNER_COUNT; signer++) {
        struct error err = {0};
        OWNED(kds_content_done) struct kds_content content = {0};
        OWNED(kds_content_done) struct kds_content again = {0};
        OWNED(bytes_done) struct bytes pem = {0};
        OWNED(bytes_done) struct bytes crlf = {0};
        OWNED(bytes_done) struct bytes half = {0};
        const struct kds_item item = kds_chain_of(LINE_TURIN, (enum snp_signer)signer);
        struct kds_item other = item;
        add_chain(LINE_TURIN, item.signer, &pem);
        with_crlf(bytes_span(&pem), &crlf);
        assert_ok(
            kds_check(&item, bytes_span(&pem), SPAN(NULL, 0), roots, today(), &content, &err));
        assert_ok(kds_check(&item, bytes_span(&crlf), SPAN(NULL, 0), roots, today(), &again, &err));
        assert_true(span_equal(bytes_span(&content.bytes), bytes_span(&again.bytes)));
        other.signer = item.signer == SIGNER_VLEK ? SIGNER_VCEK : SIGNER_VLEK;
        check_fails(&other, bytes_span(&pem), SPAN(NULL, 0), ERR_DENIED, "endorsement-untrusted");
        other = item;
        other.line = LINE_MILAN;
        check_fails(&other, bytes_span(&pem), SPAN(NULL, 0), ERR_DENIED, "endorsement-untrusted");
        pem_add_certificate(&half, psp_ca(psp, LINE_TURIN, item.signer));
        check_fails(&item, bytes_span(&half), SPAN(NULL, 0), ERR_INVALID, "endorsement-malformed");
        add_chain(LINE_TURIN, item.signer, &half);
        check_fails(&item, bytes_span(&half), SPAN(NULL, 0), ERR_INVALID, "endorsement-malformed");
    }
}

static void a_list_is_taken_from_its_own_root_and_not_from_the_future(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes chain = {0};
    OWNED(bytes_done) struct bytes other = {0};
    OWNED(bytes_done) struct bytes crl = {0};
    OWNED(bytes_done) struct bytes late = {0};
    OWNED(kds_content_done) struct kds_content content = {0};
    const struct kds_item item = kds_crl_of(LINE_MILAN);
    const struct kds_item genoa = kds_crl_of(LINE_GENOA);
    add_chain(LINE_MILAN, SIGNER_VCEK, &chain);
    add_chain(LINE_GENOA, SIGNER_VCEK, &other);
    const struct moment from = moment_add_seconds(today(), -86400);
    const struct moment to = moment_add_seconds(today(), 86400);
    assert_ok(psp_crl(psp, LINE_MILAN, false, from, to, &crl, &err));
    assert_ok(
        kds_check(&item, bytes_span(&crl), bytes_span(&chain), roots, today(), &content, &err));
    assert_int_equal(content.this_update.us, from.us);
    assert_int_equal(content.next_update.us, to.us);
    check_fails(&genoa, bytes_span(&crl), bytes_span(&other), ERR_DENIED, "endorsement-wrong");
    check_fails(&item, bytes_span(&crl), SPAN(NULL, 0), ERR_DENIED, "endorsement-untrusted");
    assert_ok(psp_crl(psp, LINE_MILAN, false, to, moment_add_seconds(to, 86400), &late, &err));
    check_fails(&item, bytes_span(&late), bytes_span(&chain), ERR_DENIED, "endorsement-untrusted");
    crl.at[crl.len - 1] ^= 1;
    check_fails(&item, bytes_span(&crl), bytes_span(&chain), ERR_DENIED, "endorsement-untrusted");
}

/* ---- sorting ------------------------------------------------------------------------------ */

static void a_file_is_sorted_by_what_it_holds(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(chip_case_done) struct chip_case c = chip_case_of(PRODUCT_GENOA);
    OWNED(kds_pieces_done) struct kds_pieces one = {0};
    OWNED(kds_pieces_done) struct kds_pieces all = {0};
    OWNED(kds_pieces_done) struct kds_pieces list = {0};
    OWNED(bytes_done) struct bytes pem = {0};
    OWNED(bytes_done) struct bytes crl = {0};
    char name[KDS_NAME_SIZE], expected[KDS_NAME_SIZE];
    kds_name(&c.item, expected);
    assert_ok(kds_sort(bytes_span(&c.vcek), &one, &err));
    assert_int_equal(one.count, 1);
    kds_name(&one.at[0].item, name);
    assert_string_equal(name, expected);
    pem_add_certificate(&pem, bytes_span(&c.vcek));
    bytes_add(&pem, bytes_span(&c.chain));
    assert_ok(kds_sort(bytes_span(&pem), &all, &err));
    assert_int_equal(all.count, 2);
    assert_int_equal(all.at[0].item.what, KDS_CHAIN);
    assert_int_equal(all.at[1].item.what, KDS_VCEK);
    assert_ok(psp_crl(psp, LINE_TURIN, false, today(), today(), &crl, &err));
    assert_ok(kds_sort(bytes_span(&crl), &list, &err));
    assert_int_equal(list.at[0].item.what, KDS_CRL);
    assert_int_equal(list.at[0].item.line, LINE_TURIN);
}

static void a_file_that_holds_none_of_it_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    struct kds_pieces pieces = {0};
    OWNED(bytes_done) struct bytes many = {0};
    OWNED(chip_case_done) struct chip_case c = chip_case_of(PRODUCT_MILAN);
    static const char *const texts[] = {
        "",
        "notes",
        "{}",
        "{\"vcekCert\":1}",
        "[",
        "-----BEGIN CERTIFICATE-----\nAAAA\n",
        "{\"vcekCert\":\"x\",\"certificateChain\":\"y\",\"tcbm\":\"0000000000000000\"}"};
    for (size_t i = 0; i < countof(texts); i++)
        assert_fails(kds_sort(span_of_text(texts[i]), &pieces, &err), ERR_INVALID,
                     "endorsement-malformed");
    assert_fails(kds_sort(psp_ark(psp, LINE_MILAN), &pieces, &err), ERR_INVALID,
                 "endorsement-malformed");
    for (int i = 0; i <= KDS_PIECES_MAX; i++)
        pem_add_certificate(&many, bytes_span(&c.vcek));
    assert_fails(kds_sort(bytes_span(&many), &pieces, &err), ERR_INVALID, "endorsement-malformed");
    assert_int_equal(pieces.count, 0);
}

static void answers_of_the_host_that_break_a_rule_are_refused(void **state)
{
    (void)state;
    struct error err = {0};
    static const struct {
        const char *text;
        const char *code;
    } rows[] = {
        {"{\"certificateChain\":\"a\",\"tcbm\":\"00\"}", "missing-member"},
        {"{\"vcekCert\":\"a\",\"certificateChain\":\"a\",\"tcbm\":\"00\"}", "malformed"},
        {"{\"vcekCert\":[],\"certificateChain\":\"a\",\"tcbm\":\"0000000000000000\"}",
         "wrong-type"},
        {"{\"vcekCert\":\"a\",\"vcekCert\":\"b\"}", "malformed"},
        {"{\"vcekCert\":\"a\",\"certificateChain\":\"a\",\"tcbm\":\"0000000000000000\","
         "\"cacheControl\":\"soon\"}",
         "malformed"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct thim thim = {0};
        assert_int_equal(thim_parse(span_of_text(rows[i].text), &thim, &err), ERR_INVALID);
        assert_null(thim.ek.at);
        assert_null(thim.ca.at);
    }
    OWNED(thim_done) struct thim thim = {0};
    assert_ok(thim_parse(span_of_text("{\"vcekCert\":\"a\",\"certificateChain\":\"b\",\"new\":1,"
                                      "\"tcbm\":\"d31b000000000003\"}"),
                         &thim, &err));
    assert_true(thim.tcb == UINT64_C(0xd31b000000000003));
    assert_int_equal(thim.cache_seconds, 0);
}

/* ---- genuine ------------------------------------------------------------------------------ */

static void genuine_answers_are_taken_under_the_pinned_roots(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        enum snp_line line;
        enum snp_signer signer;
    } chains[] = {
        {"snp/certs/milan/vcek_cert_chain.pem", LINE_MILAN, SIGNER_VCEK},
        {"snp/certs/milan/vlek_cert_chain.pem", LINE_MILAN, SIGNER_VLEK},
        {"snp/certs/genoa/vcek_cert_chain.pem", LINE_GENOA, SIGNER_VCEK},
        {"snp/certs/genoa/vlek_cert_chain.pem", LINE_GENOA, SIGNER_VLEK},
        {"snp/certs/turin/vcek_cert_chain.crlf.pem", LINE_TURIN, SIGNER_VCEK},
        {"snp/certs/turin/vlek_cert_chain.pem", LINE_TURIN, SIGNER_VLEK},
    };
    struct error err = {0};
    if (vectors_folder() == NULL)
        skip();
    for (size_t i = 0; i < countof(chains); i++) {
        OWNED(kds_content_done) struct kds_content content = {0};
        OWNED(bytes_done) struct bytes pem = vectors_read(chains[i].file);
        const struct kds_item item = kds_chain_of(chains[i].line, chains[i].signer);
        assert_ok(kds_check(&item, bytes_span(&pem), SPAN(NULL, 0), snp_roots_amd(), today(),
                            &content, &err));
    }
    OWNED(bytes_done) struct bytes chain = vectors_read("snp/certs/genoa/vcek_cert_chain.pem");
    OWNED(bytes_done) struct bytes crl = vectors_read("snp/crl/genoa.der");
    OWNED(bytes_done) struct bytes damaged = vectors_read("snp/neg/crl-genoa-sig-flip.crl");
    OWNED(kds_content_done) struct kds_content content = {0};
    struct kds_content none = {0};
    const struct kds_item list = kds_crl_of(LINE_GENOA);
    assert_ok(kds_check(&list, bytes_span(&crl), bytes_span(&chain), snp_roots_amd(), today(),
                        &content, &err));
    assert_memory_equal(moment_text(content.next_update).at, "2025-11-03T", 11);
    assert_fails(kds_check(&list, bytes_span(&damaged), bytes_span(&chain), snp_roots_amd(),
                           today(), &none, &err),
                 ERR_DENIED, "endorsement-untrusted");
}

static void genuine_chip_keys_are_those_of_their_reports(void **state)
{
    (void)state;
    static const struct {
        const char *report;
        const char *ek;
        const char *chain;
    } rows[] = {
        {"snp/reports/milan-v3-oak-a.bin", "snp/ek/milan-v3-oak-a.der",
         "snp/certs/milan/vcek_cert_chain.pem"},
        {"snp/reports/genoa-v5-yaxi.bin", "snp/ek/genoa-v5-yaxi.der",
         "snp/certs/genoa/vcek_cert_chain.pem"},
        {"snp/reports/turin-v5-oak.bin", "snp/ek/turin-v5-oak.der",
         "snp/certs/turin/vcek_cert_chain.pem"},
    };
    struct error err = {0};
    if (vectors_folder() == NULL)
        skip();
    for (size_t i = 0; i < countof(rows); i++) {
        struct snp_report report;
        struct kds_item item;
        OWNED(kds_content_done) struct kds_content content = {0};
        OWNED(bytes_done) struct bytes raw = vectors_read(rows[i].report);
        OWNED(bytes_done) struct bytes ek = vectors_read(rows[i].ek);
        OWNED(bytes_done) struct bytes chain = vectors_read(rows[i].chain);
        assert_ok(snp_report_read(bytes_span(&raw), &report, &err));
        assert_true(kds_vcek_of(&report, report.reported_tcb, &item));
        assert_ok(kds_check(&item, bytes_span(&ek), bytes_span(&chain), snp_roots_amd(), today(),
                            &content, &err));
    }
}

static void the_genuine_answer_of_azure_is_a_chain_and_a_chip_key(void **state)
{
    (void)state;
    struct error err = {0};
    if (vectors_folder() == NULL)
        skip();
    OWNED(bytes_done)
    struct bytes answer = vectors_read("azure/thim/uvm_host_amd_certificate.json");
    OWNED(thim_done) struct thim thim = {0};
    OWNED(kds_pieces_done) struct kds_pieces pieces = {0};
    OWNED(kds_content_done) struct kds_content chain = {0};
    OWNED(kds_content_done) struct kds_content vcek = {0};
    assert_ok(thim_parse(bytes_span(&answer), &thim, &err));
    assert_int_equal(thim.cache_seconds, 86400);
    assert_ok(kds_sort(bytes_span(&answer), &pieces, &err));
    assert_int_equal(pieces.count, 2);
    assert_true(pieces.at[1].item.tcb == thim.tcb);
    assert_ok(kds_check(&pieces.at[0].item, bytes_span(&pieces.at[0].bytes), SPAN(NULL, 0),
                        snp_roots_amd(), today(), &chain, &err));
    assert_ok(kds_check(&pieces.at[1].item, bytes_span(&pieces.at[1].bytes),
                        bytes_span(&chain.bytes), snp_roots_amd(), today(), &vcek, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_those_of_the_service),
        cmocka_unit_test(names_are_one_to_one),
        cmocka_unit_test(a_vlek_a_masked_chip_and_an_unknown_line_ask_for_no_vcek),
        cmocka_unit_test(a_vcek_is_taken_for_its_own_chip_and_tcb_only),
        cmocka_unit_test(a_vcek_under_no_chain_or_a_foreign_root_is_not_taken),
        cmocka_unit_test(what_is_no_certificate_is_not_taken),
        cmocka_unit_test(a_chain_is_two_certificates_to_a_pinned_root_whatever_the_line_ends),
        cmocka_unit_test(a_list_is_taken_from_its_own_root_and_not_from_the_future),
        cmocka_unit_test(a_file_is_sorted_by_what_it_holds),
        cmocka_unit_test(a_file_that_holds_none_of_it_is_refused),
        cmocka_unit_test(answers_of_the_host_that_break_a_rule_are_refused),
        cmocka_unit_test(genuine_answers_are_taken_under_the_pinned_roots),
        cmocka_unit_test(genuine_chip_keys_are_those_of_their_reports),
        cmocka_unit_test(the_genuine_answer_of_azure_is_a_chain_and_a_chip_key),
    };
    return cmocka_run_group_tests_name("kds", tests, open_simulator, close_simulator);
}
