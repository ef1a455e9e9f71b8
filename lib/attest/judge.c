#include "lib/attest/judge.h"

#include <string.h>

#include "lib/attest/judge_policy.h"
#include "lib/attest/validity.h"

/* What the checks share. `report` is only looked at when `readable`. */
struct hearing {
    const struct judge_input *in;
    const struct snp_endorsements *e;
    struct verdict *out;
    bool readable; /* 1184 bytes of a known version */
    struct snp_report report;
};

static void note(struct hearing *h, const char *name, const struct finding *finding,
                 const char *fine)
{
    if (finding->reason == REASON_OK)
        verdict_pass(h->out, name, finding->detail[0] != '\0' ? finding->detail : fine);
    else
        verdict_refuse(h->out, name, finding->reason, finding->detail);
}

/* Where a policy pins registers, a bare report must not be the way around them. */
static bool asks_for_quote(const struct hearing *h)
{
    const struct policy *policy = h->in->policy;
    return !h->in->wrapped && policy != NULL && (policy->has_azure || policy->has_vtpm) &&
           policy->snp.mode == POLICY_WHOLE;
}

static void check_kind(struct hearing *h)
{
    static const char name[] = "evidence-kind";
    const enum evidence_kind kind = h->in->kind;
    const char *word = name_of(&evidence_kind_names, (int)kind);
    if (kind != EVIDENCE_SNP && kind != EVIDENCE_SIMULATED)
        verdict_refuse(h->out, name, REASON_UNSUPPORTED_EVIDENCE, word);
    else if (kind == EVIDENCE_SIMULATED && !h->in->simulation_realm)
        verdict_refuse(h->out, name, REASON_WRONG_REALM,
                       "simulated evidence outside the simulation realm");
    else if (h->in->policy != NULL && !h->in->policy->has_snp &&
             h->in->policy->snp.mode == POLICY_WHOLE)
        verdict_refuse(h->out, name, REASON_UNSUPPORTED_EVIDENCE, "the policy does not name snp");
    else if (asks_for_quote(h))
        verdict_refuse(h->out, name, REASON_UNSUPPORTED_EVIDENCE,
                       "the policy asks for a quote beside it");
    else
        verdict_pass(h->out, name, word);
}

/* Reports of other technologies, by their size and first bytes: NULL when it is none of them. */
static const char *foreign_report(struct span in)
{
    enum { SEV_SIZE = 208, SEV_POLICY_AT = 48, SEV_POLICY_ES = 4 };
    enum { TD_REPORT_SIZE = 1024, TD_TYPE = 0x81, QUOTE_HEAD = 8, QUOTE_4 = 4, QUOTE_5 = 5 };
    const uint8_t *at = in.at;
    if (in.len == SEV_SIZE)
        return (at[SEV_POLICY_AT] & SEV_POLICY_ES) != 0 ? "a report of SEV-ES, without SNP"
                                                        : "a report of plain SEV, without SNP";
    if (in.len == TD_REPORT_SIZE && at[0] == TD_TYPE)
        return "a report of TDX";
    if (in.len >= QUOTE_HEAD && (at[0] == QUOTE_4 || at[0] == QUOTE_5) && at[1] == 0 &&
        at[4] == TD_TYPE && at[5] == 0 && at[6] == 0 && at[7] == 0)
        return "a quote of TDX";
    return NULL;
}

static void check_report(struct hearing *h)
{
    static const char name[] = "report-format";
    struct error why = {0};
    const char *foreign = foreign_report(h->in->report);
    if (foreign != NULL) {
        verdict_refuse(h->out, name, REASON_UNSUPPORTED_REPORT_TYPE, foreign);
        return;
    }
    if (snp_report_read(h->in->report, &h->report, &why) != OK) {
        verdict_refuse(h->out, name, REASON_MALFORMED, why.text);
        return;
    }
    const char *what = NULL;
    const enum reason fault = snp_report_fault(&h->report, &what);
    h->readable = fault != REASON_UNSUPPORTED_VERSION;
    if (fault != REASON_OK)
        verdict_refuse(h->out, name, fault, what);
    else
        verdict_add(h->out, name, CHECK_PASS, REASON_OK, "version %u", h->report.version);
}

static void check_certificate(struct hearing *h)
{
    note(h, "endorsements-format", &h->e->format, "all that came can be read");
    if (h->e->ek == NULL)
        verdict_refuse(h->out, "certificate-present", REASON_CERT_MISSING,
                       "no VCEK or VLEK was given");
    else
        verdict_pass(h->out, "certificate-present", x509_subject(h->e->ek));
}

static void check_signing_key(struct hearing *h)
{
    static const char name[] = "signing-key";
    const struct snp_ek *ek = &h->e->facts;
    if (h->e->ek == NULL)
        verdict_skip(h->out, name, "no certificate");
    else if (!ek->signer_known)
        verdict_refuse(h->out, name, REASON_SIGNING_KEY_MISMATCH,
                       "the certificate is neither VCEK nor VLEK");
    else if (!h->readable)
        verdict_skip(h->out, name, "no report");
    else if (h->report.signing_key != (uint8_t)ek->signer)
        verdict_add(h->out, name, CHECK_FAIL, REASON_SIGNING_KEY_MISMATCH,
                    "the report names key %u, the certificate is a %s", h->report.signing_key,
                    name_of(&snp_signer_names, (int)ek->signer));
    else
        verdict_pass(h->out, name, name_of(&snp_signer_names, (int)ek->signer));
}

static void check_chain(struct hearing *h)
{
    if (h->e->ek == NULL || !h->e->facts.signer_known)
        verdict_skip(h->out, "chain", "no certificate to start from");
    else
        note(h, "chain", &h->e->chain, "");
}

static void note_end(struct hearing *h, struct x509 *const *certs, size_t count)
{
    struct moment *end = &h->out->endorsed_until;
    for (size_t i = 0; i < count && certs[i] != NULL; i++) {
        const struct moment to = x509_not_after(certs[i]);
        if (moment_is_none(*end) || to.us < end->us)
            *end = to;
    }
}

static void check_dates(struct hearing *h)
{
    struct x509 *const certs[] = {h->e->ek, h->e->ca, h->e->ark};
    note_end(h, certs, countof(certs));
    if (h->e->ek == NULL)
        verdict_skip(h->out, "validity", "no certificate");
    else
        validity_check(h->out, "validity", certs, countof(certs), h->in->at,
                       JUDGE_CLOCK_SLACK_SECONDS,
                       h->e->ark != NULL ? "every certificate" : "the key's certificate only");
}

static bool wants_crl(const struct hearing *h)
{
    return h->in->policy != NULL && h->in->policy->has_snp && h->in->policy->snp.require_crl;
}

/* A list that never names the next one would count for ever. */
static bool crl_is_current(const struct hearing *h)
{
    return !moment_is_none(h->e->crl_next_update) && h->in->at.us <= h->e->crl_next_update.us;
}

static void check_good_crl(struct hearing *h, const char *name)
{
    const struct moment early = moment_add_seconds(h->in->at, JUDGE_CLOCK_SLACK_SECONDS);
    if (h->e->revoked)
        verdict_refuse(h->out, name, REASON_REVOKED,
                       "the root's list names a certificate of this chain");
    else if (h->e->crl_this_update.us > early.us)
        verdict_refuse(h->out, name, REASON_CRL_UNTRUSTED, "the list is from the future");
    else if (crl_is_current(h))
        verdict_pass(h->out, name, "not on the root's current list");
    else if (wants_crl(h))
        verdict_add(h->out, name, CHECK_FAIL, REASON_CRL_EXPIRED, "an update was due at %s",
                    moment_text(h->e->crl_next_update).at);
    else
        verdict_skip(h->out, name, "not on the root's list, but that list is past its next update");
}

/* A list that was given counts; only a policy can demand one. */
static void check_revocation(struct hearing *h)
{
    static const char name[] = "revocation";
    if (h->e->ark == NULL) {
        verdict_skip(h->out, name, "no chain");
        return;
    }
    switch (h->e->crl_state) {
    case CRL_NONE:
        if (wants_crl(h))
            verdict_refuse(h->out, name, REASON_CRL_MISSING, "the policy demands a list");
        else
            verdict_skip(h->out, name, "no list was given");
        return;
    case CRL_FOREIGN:
        if (wants_crl(h))
            verdict_refuse(h->out, name, REASON_CRL_UNTRUSTED, h->e->crl_detail);
        else
            verdict_skip(h->out, name, h->e->crl_detail);
        return;
    case CRL_BROKEN:
        verdict_refuse(h->out, name, REASON_CRL_UNTRUSTED, h->e->crl_detail);
        return;
    case CRL_GOOD:
        check_good_crl(h, name);
        return;
    }
}

static bool ek_is_known(const struct hearing *h)
{
    return h->e->ek != NULL && h->e->facts.signer_known && h->e->facts.line != LINE_UNKNOWN;
}

static void check_extensions(struct hearing *h)
{
    if (!ek_is_known(h))
        verdict_skip(h->out, "extensions", "no certificate of a known line");
    else
        note(h, "extensions", &h->e->extensions, "all there, once each");
}

/* Chain, certificate and report must all speak of one product. */
static void check_product(struct hearing *h)
{
    static const char name[] = "product";
    const struct snp_ek *ek = &h->e->facts;
    if (!ek_is_known(h)) {
        verdict_skip(h->out, name, "no certificate of a known line");
        return;
    }
    const char *line = name_of(&snp_line_names, (int)ek->line);
    const enum snp_product product = snp_report_product(&h->report);
    if (snp_ek_product_line(ek) != ek->line)
        verdict_add(h->out, name, CHECK_FAIL, REASON_PRODUCT_MISMATCH,
                    "the certificate says %s under the chain of %s", ek->product_name, line);
    else if (!h->readable || !snp_report_has_product(&h->report))
        verdict_add(h->out, name, CHECK_PASS, REASON_OK, "%s, by the certificate alone", line);
    else if (snp_product_line(product) != ek->line)
        verdict_add(h->out, name, CHECK_FAIL, REASON_PRODUCT_MISMATCH,
                    "the report is from %s (family 0x%02x model 0x%02x), the chain is %s",
                    name_of(&snp_product_names, (int)product), h->report.cpuid_family,
                    h->report.cpuid_model, line);
    else
        verdict_pass(h->out, name, name_of(&snp_product_names, (int)product));
}

static void check_chip_id(struct hearing *h)
{
    static const char name[] = "chip-id";
    const struct snp_ek *ek = &h->e->facts;
    if (!ek_is_known(h) || !h->readable) {
        verdict_skip(h->out, name, "nothing to compare");
        return;
    }
    if (ek->signer == SIGNER_VLEK) {
        verdict_skip(h->out, name, "a VLEK names no chip");
        return;
    }
    if (ek->hwid_len == 0) {
        verdict_skip(h->out, name, "the certificate names no chip");
        return;
    }
    const struct span id = SPAN_OF(h->report.chip_id);
    const bool same = span_equal(span_part(id, 0, ek->hwid_len), SPAN(ek->hwid, ek->hwid_len)) &&
                      span_is_zero(span_part(id, ek->hwid_len, id.len));
    if (same)
        verdict_pass(h->out, name, "the certificate's chip");
    else
        verdict_refuse(h->out, name, REASON_CHIP_ID_MISMATCH, "the certificate is of another chip");
}

/* The key is derived from the reported TCB: equal in every part, not at least. */
static void check_tcb(struct hearing *h)
{
    static const char name[] = "tcb";
    const struct snp_ek *ek = &h->e->facts;
    if (!ek_is_known(h) || !h->readable || h->e->extensions.reason != REASON_OK) {
        verdict_skip(h->out, name, "nothing to compare");
        return;
    }
    const struct snp_tcb tcb = snp_tcb_split(h->report.reported_tcb, ek->line);
    for (int i = 0; i < TCB_PART_COUNT; i++)
        if (ek->spl[i] != tcb.part[i]) {
            verdict_add(h->out, name, CHECK_FAIL, REASON_TCB_MISMATCH,
                        "%s is %u in the report and %u in the certificate",
                        name_of(&tcb_part_names, i), tcb.part[i], ek->spl[i]);
            return;
        }
    if (snp_tcb_reserved(h->report.reported_tcb, ek->line) != 0)
        verdict_refuse(h->out, name, REASON_TCB_MISMATCH,
                       "a reserved part is set, which no certificate has");
    else
        verdict_pass(h->out, name, "equal to the certificate's in every part");
}

static void check_signature(struct hearing *h)
{
    static const char name[] = "signature";
    if (h->in->report.len != SNP_REPORT_SIZE || h->e->ek == NULL) {
        verdict_skip(h->out, name, "no report or no certificate");
        return;
    }
    if (!h->e->facts.signer_known) {
        verdict_skip(h->out, name, "not a certificate for reports");
        return;
    }
    if (h->in->signature_known)
        verdict_pass(h->out, name, "verified before");
    else if (h->e->verifier == NULL)
        verdict_refuse(h->out, name, REASON_BAD_SIGNATURE, "the certificate holds no P-384 key");
    else if (!p384_verify(h->e->verifier, span_part(h->in->report, 0, SNP_SIGNED_SIZE), h->report.r,
                          h->report.s))
        verdict_refuse(h->out, name, REASON_BAD_SIGNATURE, "not made by the certificate's key");
    else
        verdict_pass(h->out, name, "ECDSA P-384 with SHA-384");
}

static enum snp_line line_of(const struct hearing *h)
{
    if (h->readable && snp_report_product(&h->report) != PRODUCT_UNKNOWN)
        return snp_product_line(snp_report_product(&h->report));
    return h->e->facts.signer_known ? h->e->facts.line : LINE_UNKNOWN;
}

/* Firmware reports at most what it has committed to, and has committed to at most what it runs. */
static void check_tcb_order(struct hearing *h)
{
    static const char name[] = "tcb-order";
    if (!h->readable) {
        verdict_skip(h->out, name, "no report");
        return;
    }
    const enum snp_line line = line_of(h);
    const struct snp_tcb reported = snp_tcb_split(h->report.reported_tcb, line);
    const struct snp_tcb committed = snp_tcb_split(h->report.committed_tcb, line);
    const struct snp_tcb current = snp_tcb_split(h->report.current_tcb, line);
    if (snp_tcb_below(&committed, &reported) != TCB_PART_COUNT)
        verdict_refuse(h->out, name, REASON_MALFORMED,
                       "the reported TCB is above the committed one");
    else if (snp_tcb_below(&current, &committed) != TCB_PART_COUNT)
        verdict_refuse(h->out, name, REASON_MALFORMED,
                       "the committed TCB is above the current one");
    else
        verdict_pass(h->out, name, "reported <= committed <= current");
}

static void check_policy(struct hearing *h)
{
    if (!h->readable) {
        judge_policy_unread(h->out);
        return;
    }
    const struct policy_hearing p = {
        .policy = h->in->policy != NULL && h->in->policy->has_snp ? &h->in->policy->snp : NULL,
        .report = &h->report,
        .ek = ek_is_known(h) ? &h->e->facts : NULL,
        .product = snp_report_has_product(&h->report) ? snp_report_product(&h->report)
                                                      : snp_line_product(line_of(h)),
        .line = line_of(h),
        .expected_report_data = h->in->expected_report_data,
        .asked_at = h->in->asked_at,
        .at = h->in->at,
        .rules_at = moment_is_none(h->in->rules_at) ? h->in->at : h->in->rules_at,
    };
    judge_policy(&p, h->out);
}

static void put_ek(const struct snp_endorsements *e, struct members *claims)
{
    OWNED(members_done) struct members ek = {0};
    snp_ek_claims(&e->facts, e->ek, &ek);
    members_object(claims, "ek", &ek);
}

static void put_claims(struct hearing *h)
{
    struct text printed = {0};
    OWNED(members_done) struct members claims = {0};
    if (h->in->report.len == SNP_REPORT_SIZE)
        snp_report_claims(&h->report, line_of(h), &claims);
    if (h->e->ek != NULL && h->e->facts.signer_known)
        put_ek(h->e, &claims);
    if (h->e->ark != NULL)
        members_text(&claims, "product_line", name_of(&snp_line_names, (int)h->e->facts.line));
    if (h->e->has_table)
        members_json(&claims, "entries", h->e->table);
    members_print(&claims, &printed);
    h->out->printed = text_take(&printed);
}

void judge(const struct judge_input *input, struct verdict *out)
{
    *out = (struct verdict){.simulated = input->kind == EVIDENCE_SIMULATED,
                            .custom_roots = input->endorsements->custom_roots};
    struct hearing h = {.in = input, .e = input->endorsements, .out = out};
    check_kind(&h);
    check_report(&h);
    check_certificate(&h);
    check_signing_key(&h);
    check_chain(&h);
    check_dates(&h);
    check_revocation(&h);
    check_extensions(&h);
    check_product(&h);
    check_chip_id(&h);
    check_tcb(&h);
    check_signature(&h);
    check_tcb_order(&h);
    check_policy(&h);
    out->trusted = out->reason == REASON_OK;
    if (!input->without_claims)
        put_claims(&h);
    judge_proof(input, h.readable ? &h.report : NULL, out);
}
