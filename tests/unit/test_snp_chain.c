/* Chains, extensions and revocation, made wrong in one thing each under a root that is pinned (R75,
 * R77, R107). */
#include "lib/attest/snp_chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/crypto/x509_make.h"
#include "tests/support/cases.h"
#include "tests/support/simulator.h"
#include "tests/support/test.h"

#define AMD_OID "1.3.6.1.4.1.3704.1."

static struct maker *ask;
static struct key *chip_key;

static struct maker *open_maker(const char *name)
{
    struct error err = {0};
    OWNED(bytes_wipe) struct bytes pem = {0};
    struct maker *maker = NULL;
    char path[512];
    const char *build = getenv("MUSTER_BUILD");
    snprintf(path, sizeof path, "%s/tests/simulator-state/%s", build != NULL ? build : ".", name);
    assert_ok(file_read(path, 65536, &pem, &err));
    assert_ok(maker_from_pem(bytes_span(&pem), &maker, &err));
    return maker;
}

static int open_simulator(void **state)
{
    struct error err = {0};
    simulator_set_up(state);
    ask = open_maker("ask.key");
    assert_ok(key_generate(KEY_P384, &chip_key, &err));
    return 0;
}

static int close_simulator(void **state)
{
    key_free(chip_key);
    maker_free(ask);
    return simulator_tear_down(state);
}

/* The extensions of a good Milan VCEK; a case changes one. */
enum { EXTENSIONS = 9 };
struct card {
    struct x509_wish wish;
    struct bytes values[EXTENSIONS];
};

static void card_done(struct card *card)
{
    for (size_t i = 0; i < EXTENSIONS; i++)
        bytes_done(&card->values[i]);
}

static void card_fill(struct card *card)
{
    static const char *const oids[EXTENSIONS] = {AMD_OID "1",   AMD_OID "2",   AMD_OID "3.1",
                                                 AMD_OID "3.2", AMD_OID "3.3", AMD_OID "3.4",
                                                 AMD_OID "3.8", AMD_OID "4",   AMD_OID "9.9"};
    card->wish = (struct x509_wish){
        .subject = "SEV-VCEK",
        .issuer = "SEV-Milan",
        .organisation = "Muster simulator, not AMD",
        .from = clock_at_seconds(SIMULATOR_TODAY - 3600),
        .to = clock_at_seconds(SIMULATOR_TODAY + 86400),
        .extra_count = EXTENSIONS,
    };
    der_add_integer(&card->values[0], 0);
    der_add_ia5(&card->values[1], "Milan-B0");
    der_add_integer(&card->values[2], 4);
    der_add_integer(&card->values[3], 0);
    der_add_integer(&card->values[4], 27);
    der_add_integer(&card->values[5], 0);
    der_add_integer(&card->values[6], 222);
    bytes_add_room(&card->values[7], 64);
    der_add_integer(&card->values[8], 1); /* unknown to everyone: not ours to refuse */
    for (size_t i = 0; i < EXTENSIONS; i++)
        card->wish.extras[i].oid = oids[i];
}

static void set_value(struct card *card, int which, struct span value)
{
    bytes_done(&card->values[which]);
    bytes_add(&card->values[which], value);
}

static struct snp_endorsements *endorse(struct card *card)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes der = {0};
    for (size_t i = 0; i < EXTENSIONS; i++)
        card->wish.extras[i].value = bytes_span(&card->values[i]);
    assert_ok(x509_make_for_key(ask, chip_key, &card->wish, &der, &err));
    const struct snp_bundle bundle = {
        .ek = bytes_span(&der),
        .ca_count = 2,
        .ca = {psp_ca(simulator.psp, LINE_MILAN, SIGNER_VCEK), psp_ark(simulator.psp, LINE_MILAN)}};
    return snp_endorse(&bundle, simulator.roots);
}

static void assert_extensions(struct card *card, enum reason reason)
{
    OWNED(snp_endorsements_drop) struct snp_endorsements *e = endorse(card);
    assert_int_equal(e->chain.reason, REASON_OK);
    assert_string_equal(name_of(&reason_names, (int)e->extensions.reason),
                        name_of(&reason_names, (int)reason));
}

static void good_certificate_is_good(void **state)
{
    (void)state;
    OWNED(card_done) struct card card = {0};
    card_fill(&card);
    OWNED(snp_endorsements_drop) struct snp_endorsements *e = endorse(&card);
    assert_int_equal(e->extensions.reason, REASON_OK);
    assert_int_equal(e->facts.spl[TCB_UCODE], 222); /* two bytes in DER: 00 DE */
    assert_int_equal(e->facts.hwid_len, 64);
    assert_non_null(e->verifier);
}

static void extensions_twice_missing_or_odd_are_malformed(void **state)
{
    (void)state;
    static const uint8_t negative[] = {0x02, 0x01, 0xff};
    static const uint8_t padded[] = {0x02, 0x02, 0x00, 0x04};
    static const uint8_t boolean[] = {0x01, 0x01, 0xff};
    static const uint8_t trailing[] = {0x02, 0x01, 0x04, 0x00};
    static const uint8_t huge[] = {0x02, 0x05, 0x01, 0, 0, 0, 4};
    static const struct span odd[] = {{negative, 3}, {padded, 4}, {boolean, 3},
                                      {trailing, 4}, {huge, 7},   {NULL, 0}};
    for (size_t i = 0; i < countof(odd); i++) {
        OWNED(card_done) struct card card = {0};
        card_fill(&card);
        set_value(&card, 2, odd[i]);
        assert_extensions(&card, REASON_MALFORMED);
    }
    OWNED(card_done) struct card later = {0};
    card_fill(&later);
    bytes_done(&later.values[0]);
    der_add_integer(&later.values[0], 1); /* Turin's structVersion */
    assert_extensions(&later, REASON_MALFORMED);
    for (int i = 0; i < EXTENSIONS; i++) { /* each in its turn renamed away */
        OWNED(card_done) struct card card = {0};
        card_fill(&card);
        card.wish.extras[i].oid = AMD_OID "77";
        const bool optional = i == 5 || i == 8;
        assert_extensions(&card, optional ? REASON_OK : REASON_MALFORMED);
    }
    for (int i = 0; i < EXTENSIONS - 1; i++) { /* each in its turn there twice */
        OWNED(card_done) struct card card = {0};
        card_fill(&card);
        card.wish.extras[EXTENSIONS - 1].oid = card.wish.extras[i].oid;
        set_value(&card, EXTENSIONS - 1, bytes_span(&card.values[i]));
        assert_extensions(&card, REASON_MALFORMED);
    }
}

#define TEXT_SPAN(text)                                                                            \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

static void product_names_are_short_printable_ia5_text(void **state)
{
    (void)state;
    static const struct span odd[] = {
        TEXT_SPAN("\x0c\x05Milan"),    /* UTF8String */
        TEXT_SPAN("\x16\x06Milan"),    /* longer than it is */
        TEXT_SPAN("\x16\x05Milan-B0"), /* bytes behind it */
        TEXT_SPAN("\x16\x06Milan\n"),
        TEXT_SPAN("\x16\x06Milan\x7f"),
        TEXT_SPAN("\x16\x81\x05Milan"), /* not the shortest length */
        TEXT_SPAN("\x16\x20Milan-xxxxxxxxxxxxxxxxxxxxxxxxxx"),
        TEXT_SPAN("\x16"),
    };
    for (size_t i = 0; i < countof(odd); i++) {
        OWNED(card_done) struct card card = {0};
        card_fill(&card);
        set_value(&card, 1, odd[i]);
        assert_extensions(&card, REASON_MALFORMED);
    }
}

static void fields_of_other_products_and_keys_do_not_belong(void **state)
{
    (void)state;
    static const char *const foreign[] = {AMD_OID "3.9", AMD_OID "5"}; /* fmcSPL, csp_id */
    for (size_t i = 0; i < countof(foreign); i++) {
        OWNED(card_done) struct card card = {0};
        card_fill(&card);
        card.wish.extras[EXTENSIONS - 1].oid = foreign[i];
        assert_extensions(&card, REASON_MALFORMED);
    }
    OWNED(card_done) struct card card = {0};
    card_fill(&card);
    set_value(&card, 7, SPAN("12345678", 8)); /* Turin's length under Milan */
    assert_extensions(&card, REASON_MALFORMED);
}

/* Of its extensions alone: no ASVK signs it here. */
static enum reason extensions_of_vlek(const char *csp_oid, bool with_chip)
{
    OWNED(card_done) struct card card = {0};
    card_fill(&card);
    card.wish.subject = "SEV-VLEK";
    card.wish.issuer = "SEV-VLEK-Milan";
    card.wish.extras[7].oid = with_chip ? AMD_OID "4" : AMD_OID "77";
    card.wish.extras[8].oid = csp_oid;
    bytes_done(&card.values[8]);
    der_add_ia5(&card.values[8], "CN=cc-us-east-2.amazonaws.com");
    OWNED(snp_endorsements_drop) struct snp_endorsements *e = endorse(&card);
    assert_int_equal(e->facts.signer, SIGNER_VLEK);
    return e->extensions.reason;
}

static void vlek_names_a_provider_and_no_chip(void **state)
{
    (void)state;
    assert_int_equal(extensions_of_vlek(AMD_OID "5", false), REASON_OK);
    assert_int_equal(extensions_of_vlek(AMD_OID "5", true), REASON_MALFORMED);
    assert_int_equal(extensions_of_vlek(AMD_OID "78", false), REASON_MALFORMED);
}

/* A report signed by the card's own key, so that any byte of it can be chosen. */
static struct bytes report_of_card(void)
{
    struct error err = {0};
    struct bytes report = {0};
    struct psp_wish wish = psp_wish(PSP_DIRECT_BOOT);
    wish.tcb = (struct snp_tcb){.part = {[TCB_BL] = 4, [TCB_SNP] = 27, [TCB_UCODE] = 222}};
    memset(wish.chip_id, 0, sizeof wish.chip_id);
    assert_ok(psp_report(simulator.psp, &wish, &report, NULL, &err));
    return report;
}

static void sign_report(struct bytes *report)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes signature = {0};
    assert_ok(
        key_sign(chip_key, span_part(bytes_span(report), 0, SNP_SIGNED_SIZE), &signature, &err));
    assert_int_equal(signature.len, 96);
    for (size_t i = 0; i < 48; i++) { /* little-endian there */
        report->at[0x2a0 + i] = signature.at[47 - i];
        report->at[0x2e8 + i] = signature.at[95 - i];
    }
}

static void try_judged(struct card *card, struct bytes *report, enum reason reason,
                       const char *test)
{
    sign_report(report);
    OWNED(snp_endorsements_drop) struct snp_endorsements *e = endorse(card);
    const struct judge_input input = {.kind = EVIDENCE_SIMULATED,
                                      .simulation_realm = true,
                                      .report = bytes_span(report),
                                      .endorsements = e,
                                      .at = clock_at_seconds(SIMULATOR_TODAY)};
    OWNED(verdict_done) struct verdict v = {0};
    judge(&input, &v);
    case_words(name_of(&reason_names, (int)v.reason), name_of(&reason_names, (int)reason), test);
    assert_int_equal(verdict_check(&v, "signature")->result, CHECK_PASS);
}

#define assert_judged(card, report, reason) try_judged((card), (report), (reason), __func__)

enum { AT_CURRENT = 0x38, AT_REPORTED = 0x180, AT_COMMITTED = 0x1e0 };

/* Genuine hosts run more than they have committed to; nothing else is possible. */
static void tcb_is_reported_at_most_as_committed_and_committed_at_most_as_it_runs(void **state)
{
    (void)state;
    static const int parts[] = {0, 1, 6, 7}; /* boot loader, TEE, SNP, microcode */
    OWNED(card_done) struct card card = {0};
    card_fill(&card);
    for (size_t i = 0; i < countof(parts); i++) {
        OWNED(bytes_done) struct bytes report = report_of_card();
        assert_judged(&card, &report, REASON_OK);
        report.at[AT_CURRENT + parts[i]]++;
        assert_judged(&card, &report, REASON_OK);
        report.at[AT_COMMITTED + parts[i]]++;
        assert_judged(&card, &report, REASON_OK);
        report.at[AT_CURRENT + parts[i]]--;
        assert_judged(&card, &report, REASON_MALFORMED); /* committed to what it does not run */
        report.at[AT_COMMITTED + parts[i]]--;
        report.at[AT_REPORTED + parts[i]]++;
        assert_judged(&card, &report, REASON_TCB_MISMATCH);
    }
    OWNED(bytes_done) struct bytes report = report_of_card();
    report.at[AT_COMMITTED]--;
    assert_judged(&card, &report, REASON_MALFORMED); /* reports what it has not committed to */
}

/* The signature is good each time: only the reading of the report can say no. */
static void what_is_reserved_in_a_report_is_zero_whoever_signs(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t bit;
        enum reason reason;
    } cases[] = {
        {0x00b, 1 << 2, REASON_MALFORMED}, /* POLICY bit 26 */
        {0x00f, 1 << 7, REASON_MALFORMED}, /* 63 */
        {0x00a, 1 << 1, REASON_MALFORMED}, /* 17, which must be set */
        {0x030, 1 << 2, REASON_MALFORMED}, /* VMPL 4 */
        {0x048, 1 << 5, REASON_MALFORMED}, /* KEY_INFO */
        {0x04b, 1 << 7, REASON_MALFORMED},
        {0x04c, 1, REASON_MALFORMED},
        {0x18b, 1, REASON_MALFORMED},
        {0x19f, 1 << 7, REASON_MALFORMED},
        {0x1eb, 1, REASON_MALFORMED},
        {0x1ef, 1, REASON_MALFORMED},
        {0x1f8, 1, REASON_MALFORMED}, /* mitigation vectors came with version 5 */
        {0x207, 1 << 7, REASON_MALFORMED},
        {0x208, 1, REASON_MALFORMED},
        {0x29f, 1 << 7, REASON_MALFORMED},
        {0x2a0 + 48, 1, REASON_MALFORMED}, /* behind R, behind S, behind both: not signed */
        {0x2e8 + 71, 1 << 7, REASON_MALFORMED},
        {0x330, 1, REASON_MALFORMED},
        {0x49f, 1 << 7, REASON_MALFORMED},
        {0x046, 1, REASON_OK},      /* PLATFORM_INFO: new firmware adds bits */
        {0x00b, 1 << 1, REASON_OK}, /* POLICY bit 25 */
        {0x048, 1 << 1, REASON_OK}, /* MASK_CHIP_KEY */
    };
    OWNED(card_done) struct card card = {0};
    card_fill(&card);
    for (size_t i = 0; i < countof(cases); i++) {
        OWNED(bytes_done) struct bytes report = report_of_card();
        report.at[cases[i].at] ^= cases[i].bit;
        assert_judged(&card, &report, cases[i].reason);
    }
}

static void reserved_parts_of_a_tcb_are_zero(void **state)
{
    (void)state;
    OWNED(card_done) struct card card = {0};
    card_fill(&card);
    for (int byte = 2; byte < 6; byte++) {
        OWNED(bytes_done) struct bytes report = report_of_card();
        report.at[AT_REPORTED + byte] = 1;
        assert_judged(&card, &report, REASON_TCB_MISMATCH);
    }
    OWNED(bytes_done) struct bytes report = report_of_card();
    bytes_done(&card.values[5]); /* spl4: the byte 2 */
    der_add_integer(&card.values[5], 1);
    assert_judged(&card, &report, REASON_MALFORMED);
    report.at[AT_REPORTED + 2] = 1; /* nor do two agree on what has no meaning */
    assert_judged(&card, &report, REASON_MALFORMED);
}

static void assert_chain(const struct snp_bundle *bundle, const struct snp_roots *under,
                         enum reason reason)
{
    OWNED(snp_endorsements_drop) struct snp_endorsements *e = snp_endorse(bundle, under);
    assert_string_equal(name_of(&reason_names, (int)e->chain.reason),
                        name_of(&reason_names, (int)reason));
    assert_true((e->ark != NULL) == (reason == REASON_OK));
}

static void chains_end_at_a_pinned_root_or_nowhere(void **state)
{
    (void)state;
    const struct psp_wish wish = psp_wish(PSP_DIRECT_BOOT);
    OWNED(simulated_done) struct simulated s = simulator_evidence(simulator.psp, &wish);
    struct error err = {0};
    struct cert_table table;
    assert_ok(cert_table_read(bytes_span(&s.table), &table, &err));
    struct snp_bundle bundle = {.ek = table.entries[0].blob,
                                .ca_count = 2,
                                .ca = {table.entries[2].blob, table.entries[1].blob}};
    assert_chain(&bundle, simulator.roots, REASON_OK); /* any order */
    assert_chain(&bundle, snp_roots_amd(), REASON_CHAIN_UNTRUSTED);
    bundle.ca[0] = psp_ark(simulator.psp, LINE_GENOA); /* a pinned root, but not of this line */
    assert_chain(&bundle, simulator.roots, REASON_CHAIN_UNTRUSTED);
    bundle.ca_count = 1;
    bundle.ca[0] = table.entries[1].blob; /* custom roots need not come again */
    assert_chain(&bundle, simulator.roots, REASON_OK);
    bundle.ca[0] = psp_ca(simulator.psp, LINE_MILAN, SIGNER_VLEK); /* ASVK for ASK */
    assert_chain(&bundle, simulator.roots, REASON_CHAIN_UNTRUSTED);
    bundle.ca_count = 0;
    assert_chain(&bundle, simulator.roots, REASON_CHAIN_UNTRUSTED);
}

static void roots_must_be_self_signed_roots(void **state)
{
    (void)state;
    struct error err = {0};
    struct snp_roots *made = NULL;
    const struct span not_root = psp_ca(simulator.psp, LINE_MILAN, SIGNER_VCEK);
    assert_fails(snp_roots_custom(&not_root, 1, &made, &err), ERR_INVALID, "malformed");
    const struct span nothing = SPAN("nothing", 7);
    assert_fails(snp_roots_custom(&nothing, 1, &made, &err), ERR_INVALID, "malformed");
    assert_null(made);
}

/* A certificate of `ask`'s key, made by that key under any name. */
static void make_own(const char *subject, const char *issuer, bool ca, struct bytes *out)
{
    struct error err = {0};
    const struct x509_wish wish = {
        .subject = subject,
        .issuer = issuer,
        .organisation = "Muster simulator, not AMD",
        .serial = 1,
        .from = clock_at_seconds(SIMULATOR_TODAY - 3600),
        .to = clock_at_seconds(SIMULATOR_TODAY + 86400),
        .ca = ca,
    };
    assert_ok(x509_make_for_maker(ask, ask, &wish, out, &err));
}

static void roots_have_a_roots_name_and_sign_themselves(void **state)
{
    (void)state;
    static const struct {
        const char *subject, *issuer;
        bool ca, fine;
    } cases[] = {
        {"ARK-Milan", "ARK-Milan", true, true},
        {"ROOT-Milan", "ROOT-Milan", true, false},
        {"ARK-Milan", "SEV-Milan", true, false},
        {"ARK-Milan", "ARK-Milan", false, false},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct error err = {0};
        OWNED(bytes_done) struct bytes der = {0};
        OWNED(snp_roots_drop) struct snp_roots *made = NULL;
        make_own(cases[i].subject, cases[i].issuer, cases[i].ca, &der);
        const struct span blob = bytes_span(&der);
        assert_int_equal(snp_roots_custom(&blob, 1, &made, &err) == OK, cases[i].fine);
    }
}

/* The leaf is signed by the true ASK's key each time; only what stands above it is made up. */
static void lookalikes_and_loops_lead_nowhere(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(card_done) struct card card = {0};
    OWNED(bytes_done) struct bytes leaf = {0};
    OWNED(bytes_done) struct bytes lookalike = {0};
    OWNED(bytes_done) struct bytes under = {0};
    OWNED(bytes_done) struct bytes back = {0};
    OWNED(bytes_done) struct bytes itself = {0};
    card_fill(&card);
    for (size_t i = 0; i < EXTENSIONS; i++)
        card.wish.extras[i].value = bytes_span(&card.values[i]);
    assert_ok(x509_make_for_key(ask, chip_key, &card.wish, &leaf, &err));
    make_own("ARK-Milan", "ARK-Milan", true, &lookalike); /* of the root's very name */
    make_own("SEV-Milan", "ARK-Milan", true, &under);
    make_own("ARK-Milan", "SEV-Milan", true, &back); /* the root comes from the ASK: a loop */
    make_own("SEV-Milan", "SEV-Milan", true, &itself);
    const struct span tries[][3] = {
        {bytes_span(&under), bytes_span(&lookalike)},
        {bytes_span(&under), bytes_span(&back)},
        {bytes_span(&itself)},
        {bytes_span(&itself), bytes_span(&back), bytes_span(&lookalike)},
        {bytes_span(&itself), psp_ark(simulator.psp, LINE_MILAN)},
        {bytes_span(&under), psp_ark(simulator.psp, LINE_MILAN)},
        {psp_ca(simulator.psp, LINE_MILAN, SIGNER_VCEK), bytes_span(&lookalike)},
    };
    for (size_t i = 0; i < countof(tries); i++) {
        struct snp_bundle bundle = {.ek = bytes_span(&leaf)};
        while (bundle.ca_count < 3 && tries[i][bundle.ca_count].len > 0) {
            bundle.ca[bundle.ca_count] = tries[i][bundle.ca_count];
            bundle.ca_count++;
        }
        assert_chain(&bundle, simulator.roots, REASON_CHAIN_UNTRUSTED);
        assert_chain(&bundle, snp_roots_amd(), REASON_CHAIN_UNTRUSTED);
    }
}

static void list_that_was_given_counts_even_when_nobody_demands_it(void **state)
{
    (void)state;
    struct error err = {0};
    const struct psp_wish wish = psp_wish(PSP_DIRECT_BOOT);
    const struct moment today = clock_at_seconds(SIMULATOR_TODAY);
    OWNED(simulated_done) struct simulated s = simulator_evidence(simulator.psp, &wish);
    OWNED(bytes_done) struct bytes milan = {0};
    OWNED(bytes_done) struct bytes genoa = {0};
    assert_ok(psp_crl(simulator.psp, LINE_MILAN, true, today, moment_add_seconds(today, 60), &milan,
                      &err));
    assert_ok(psp_crl(simulator.psp, LINE_GENOA, true, today, moment_add_seconds(today, 60), &genoa,
                      &err));
    struct snp_bundle bundle = {
        .cert_table = bytes_span(&s.table), .crl_count = 1, .crl = {bytes_span(&genoa)}};
    OWNED(snp_endorsements_drop)
    struct snp_endorsements *foreign = snp_endorse(&bundle, simulator.roots);
    assert_int_equal(foreign->crl_state, CRL_FOREIGN);
    bundle.crl[bundle.crl_count++] = bytes_span(&milan);
    OWNED(snp_endorsements_drop)
    struct snp_endorsements *both = snp_endorse(&bundle, simulator.roots);
    assert_int_equal(both->crl_state, CRL_GOOD);
    assert_true(both->revoked);
    bundle.crl[0] = bytes_span(&milan); /* and the other way round */
    bundle.crl[1] = bytes_span(&genoa);
    OWNED(snp_endorsements_drop)
    struct snp_endorsements *again = snp_endorse(&bundle, simulator.roots);
    assert_int_equal(again->crl_state, CRL_GOOD);
    assert_true(again->revoked);
    milan.at[milan.len - 1] ^= 1;
    OWNED(snp_endorsements_drop)
    struct snp_endorsements *broken = snp_endorse(&bundle, simulator.roots);
    assert_int_equal(broken->crl_state, CRL_BROKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_certificate_is_good),
        cmocka_unit_test(extensions_twice_missing_or_odd_are_malformed),
        cmocka_unit_test(product_names_are_short_printable_ia5_text),
        cmocka_unit_test(fields_of_other_products_and_keys_do_not_belong),
        cmocka_unit_test(vlek_names_a_provider_and_no_chip),
        CASES(tcb_is_reported_at_most_as_committed_and_committed_at_most_as_it_runs),
        CASES(what_is_reserved_in_a_report_is_zero_whoever_signs),
        CASES(reserved_parts_of_a_tcb_are_zero),
        cmocka_unit_test(chains_end_at_a_pinned_root_or_nowhere),
        cmocka_unit_test(roots_must_be_self_signed_roots),
        cmocka_unit_test(roots_have_a_roots_name_and_sign_themselves),
        cmocka_unit_test(lookalikes_and_loops_lead_nowhere),
        cmocka_unit_test(list_that_was_given_counts_even_when_nobody_demands_it),
    };
    return cmocka_run_group_tests_name("snp_chain", tests, open_simulator, close_simulator);
}
