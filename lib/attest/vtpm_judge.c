#include "lib/attest/vtpm_judge.h"

#include <string.h>

#include "lib/attest/anchor.h"
#include "lib/attest/nitro_document.h"
#include "lib/attest/quote_judge.h"
#include "lib/attest/svsm_manifest.h"
#include "lib/attest/validity.h"
#include "lib/crypto/x509_leaf.h"

/* ---- what the checks share ------------------------------------------------------------------ */

struct hearing {
    const struct vtpm_input *in;
    const struct vtpm_policy *policy; /* NULL: none */
    struct verdict *out;
    struct verdict snp;
    enum vtpm_root root;
    bool has_report;
    struct snp_report report;
    bool has_ak; /* a key that may sign quotes, whoever vouches for it */
    struct tpm_public ak;
    struct bytes spki;     /* its own */
    struct x509 *certs[2]; /* the key's, and that of the authority above it */
    struct verdict judged; /* the document, by its own judge */
    bool has_document;
    struct cose_sign1 cose;
    struct nitro_document document;
    uint8_t report_data[SHA512_SIZE]; /* what the report must carry */
    uint8_t answer[SHA256_SIZE];      /* what the quote's extra data must be */
    struct quote_input tpm_in;
    struct quote_hearing tpm;
};

static void hearing_done(struct hearing *h)
{
    verdict_done(&h->snp);
    verdict_done(&h->judged);
    bytes_done(&h->spki);
    x509_free(h->certs[0]);
    x509_free(h->certs[1]);
    quote_hearing_done(&h->tpm);
}

static bool is_asked(const struct hearing *h)
{
    return h->in->binding.len > 0;
}

/* ---- which word it stands on ---------------------------------------------------------------- */

static void check_kind(struct hearing *h)
{
    static const char name[] = "evidence-kind";
    const struct policy *policy = h->in->policy;
    if (policy != NULL && policy->vtpm.mode == POLICY_WHOLE &&
        (!policy->has_vtpm || !policy->has_snp))
        verdict_refuse(h->out, name, REASON_UNSUPPORTED_EVIDENCE,
                       "the policy does not name vtpm and snp");
    else
        verdict_pass(h->out, name, "snp-vtpm");
}

/* By what came, never by what it says; two roots at once could be played against each other. */
static void check_root(struct hearing *h)
{
    static const char name[] = "vtpm-root";
    const bool manifest = h->in->manifest.len > 0;
    const bool cert = h->in->ak_cert.len > 0;
    const bool document = h->in->document.len > 0;
    h->root = manifest ? VTPM_SVSM : cert || document ? VTPM_PROVIDER : VTPM_UNROOTED;
    if (manifest + cert + document > 1)
        verdict_refuse(h->out, name, REASON_MALFORMED,
                       "more than one of manifest, certificate and document came");
    else if (h->root == VTPM_UNROOTED)
        verdict_pass(h->out, name, "unrooted: only the guest's own word");
    else
        verdict_pass(h->out, name, name_of(&vtpm_root_names, (int)h->root));
}

static void check_policy_root(struct hearing *h)
{
    const char *name = name_of(&reason_names, REASON_POLICY_VTPM_ROOT);
    const char *word = name_of(&vtpm_root_names, (int)h->root);
    if (h->policy == NULL || h->policy->roots == 0)
        verdict_skip(h->out, name, "not asked for");
    else if ((h->policy->roots >> h->root & 1) == 0)
        verdict_refuse(h->out, name, REASON_POLICY_VTPM_ROOT, word);
    else
        verdict_pass(h->out, name, word);
}

/* ---- the report ----------------------------------------------------------------------------- */

/* An SVSM hashes what it is asked to answer together with its manifest: doc/decisions/0011. It
 * takes 64 bytes and no others: else a part of the manifest could be the guest's own. */
static struct span expected_report_data(struct hearing *h)
{
    struct digest_run run;
    if (h->root != VTPM_SVSM || h->in->binding.len != BINDING_SIZE)
        return h->in->binding;
    digest_start(&run, DIGEST_SHA512);
    digest_more(&run, h->in->binding);
    digest_more(&run, h->in->manifest);
    digest_end(&run, h->report_data);
    return SPAN_OF(h->report_data);
}

static void check_report(struct hearing *h)
{
    const struct judge_input input = {
        .kind = EVIDENCE_SNP,
        .wrapped = true,
        .report = h->in->report,
        .endorsements = h->in->endorsements,
        .policy = h->in->policy != NULL && h->in->policy->has_snp ? h->in->policy : NULL,
        .at = h->in->at,
        .rules_at = h->in->rules_at,
        .expected_report_data = expected_report_data(h),
        .asked_at = h->in->asked_at,
        .signature_known = h->in->signature_known,
        .without_claims = h->in->without_claims,
    };
    judge(&input, &h->snp);
    verdict_append(h->out, &h->snp, "evidence-kind");
    h->has_report = snp_report_read(h->in->report, &h->report, NULL) == OK;
}

/* ---- an SVSM's word ------------------------------------------------------------------------- */

/* What runs above VMPL 0 could ask for reports over a manifest of its own. */
static void check_svsm_vmpl(struct hearing *h)
{
    static const char name[] = "svsm-vmpl";
    if (h->root != VTPM_SVSM || !h->has_report)
        verdict_skip(h->out, name, "no report of an SVSM");
    else if (h->report.vmpl != 0)
        verdict_refuse(h->out, name, REASON_POLICY_VMPL, "the report is not the SVSM's");
    else
        verdict_pass(h->out, name, "VMPL 0");
}

/* Where there is no SVSM the guest itself stands at VMPL 0, and may write any manifest: what was
 * launched must be one that the policy knows for an SVSM. */
static void check_svsm_measurement(struct hearing *h)
{
    static const char name[] = "svsm-measurement";
    const struct vtpm_policy *p = h->policy;
    if (h->root != VTPM_SVSM || !h->has_report)
        verdict_skip(h->out, name, "no report of an SVSM");
    else if (p == NULL || (p->mode == POLICY_EXPECT && !p->svsm.said))
        verdict_skip(h->out, name, "not asked for");
    else if (!value_set_has(&p->svsm, SPAN_OF(h->report.measurement)))
        verdict_refuse(h->out, name, REASON_POLICY_MEASUREMENT,
                       "the policy knows no SVSM with this measurement");
    else
        verdict_pass(h->out, name, "an SVSM that the policy knows");
}

/* ---- the attestation key -------------------------------------------------------------------- */

static void check_key(struct hearing *h)
{
    static const char name[] = "ak-format";
    struct error why = {0};
    if (h->in->ak.len == 0 && h->in->quote.len == 0) {
        verdict_skip(h->out, name, "no key was given");
        return;
    }
    const bool readable = tpm_public_read(h->in->ak, &h->ak, &why) == OK &&
                          tpm_public_spki(&h->ak, &h->spki, &why) == OK;
    h->has_ak = readable && tpm_public_attests(&h->ak);
    if (!readable)
        verdict_refuse(h->out, name, REASON_MALFORMED, why.text);
    else if (!h->has_ak)
        verdict_refuse(h->out, name, REASON_AK_UNTRUSTED,
                       "the key signs what its user brings, or may leave its TPM");
    else
        verdict_pass(h->out, name, h->ak.kind == TPM_KEY_P256 ? "P-256" : "RSA-2048");
}

static void check_manifest(struct hearing *h)
{
    static const char name[] = "ak-manifest";
    struct svsm_manifest manifest;
    struct error why = {0};
    if (h->root != VTPM_SVSM)
        verdict_skip(h->out, name, "no manifest");
    else if (svsm_manifest_read(h->in->manifest, &manifest, &why) != OK)
        verdict_refuse(h->out, name, REASON_MALFORMED, why.text);
    else if (svsm_manifest_only_decrypts(&manifest))
        verdict_refuse(h->out, name, REASON_AK_UNTRUSTED,
                       "the manifest names an endorsement key only, which proves no other");
    else if (!svsm_manifest_names(&manifest, h->in->ak))
        verdict_refuse(h->out, name, REASON_AK_UNTRUSTED, "the manifest does not name this key");
    else
        verdict_pass(h->out, name, "the SVSM's manifest names it");
}

static bool is_certified(struct hearing *h, struct error *err)
{
    const struct vtpm_policy *p = h->policy;
    error_ignore(fail(err, ERR_DENIED, "the policy pins no authority for attestation keys"));
    for (size_t i = 0; p != NULL && i < p->ca_count; i++) {
        OWNED(x509_drop) struct x509 *authority = NULL;
        if (x509_from_der(SPAN(p->ca[i].der, p->ca[i].len), &authority, err) != OK ||
            x509_leaf_check(authority, h->certs[0], err) != OK)
            continue;
        h->certs[1] = TAKE(authority);
        return true;
    }
    return false;
}

static bool is_of_key(const struct hearing *h)
{
    OWNED(bytes_done) struct bytes spki = {0};
    x509_spki(h->certs[0], &spki);
    return h->has_ak && span_equal(bytes_span(&spki), bytes_span(&h->spki));
}

static void check_certified(struct hearing *h)
{
    if (!is_of_key(h))
        verdict_refuse(h->out, "ak-certified", REASON_AK_UNTRUSTED,
                       "the certificate is of another key");
    else
        verdict_pass(h->out, "ak-certified", x509_subject(h->certs[0]));
}

static void check_certificate(struct hearing *h)
{
    struct error why = {0};
    if (h->in->ak_cert.len == 0) {
        verdict_skip(h->out, "ak-chain", "no certificate");
        verdict_skip(h->out, "ak-validity", "no certificate");
        verdict_skip(h->out, "ak-certified", "no certificate");
    } else if (x509_from_der(h->in->ak_cert, &h->certs[0], &why) != OK) {
        verdict_refuse(h->out, "ak-chain", REASON_MALFORMED, why.text);
        verdict_skip(h->out, "ak-validity", "the certificate cannot be read");
        verdict_skip(h->out, "ak-certified", "the certificate cannot be read");
    } else {
        if (is_certified(h, &why))
            verdict_pass(h->out, "ak-chain", "signed by an authority that the policy pins");
        else
            verdict_refuse(h->out, "ak-chain", REASON_CHAIN_UNTRUSTED, why.text);
        validity_check(h->out, "ak-validity", h->certs, countof(h->certs), h->in->at, 0,
                       "certificate and authority");
        check_certified(h);
    }
}

/* ---- a NitroTPM's document ------------------------------------------------------------------ */

static const struct check *first_failed(const struct verdict *v)
{
    for (size_t i = 0; i < v->check_count; i++)
        if (v->checks[i].result == CHECK_FAIL)
            return &v->checks[i];
    return NULL;
}

/* The document's own judge says everything of it; here its first failure stands for all. */
static void check_document(struct hearing *h)
{
    static const char name[] = "nitrotpm-document";
    if (h->in->document.len == 0) {
        verdict_skip(h->out, name, "no document");
        return;
    }
    const struct nitro_input input = {
        .document = h->in->document,
        .of_tpm = true,
        .roots = h->in->nitro_roots,
        .has_nonce = h->in->nonce.len > 0,
        .nonce = h->in->nonce,
        .bound = is_asked(h),
        .user_data = h->in->binding,
        .at = moment_is_none(h->in->document_at) ? h->in->at : h->in->document_at,
    };
    nitro_judge(&input, &h->judged);
    const struct check *failed = first_failed(&h->judged);
    h->has_document = cose_sign1_read(h->in->document, &h->cose, NULL) == OK &&
                      nitro_document_read(h->cose.payload, &h->document, NULL) == OK;
    if (failed != NULL)
        verdict_add(h->out, name, CHECK_FAIL, failed->reason, "%s: %.150s", failed->name,
                    failed->detail);
    else
        verdict_pass(h->out, name, "under AWS's pinned root, for this challenge");
}

/* ---- the quote ------------------------------------------------------------------------------ */

static void check_signature(struct hearing *h)
{
    static const char name[] = "quote-signature";
    struct error why = {0};
    if (h->in->quote.len == 0)
        verdict_skip(h->out, name, "no quote was given");
    else if (!h->has_ak)
        verdict_refuse(h->out, name, REASON_QUOTE_BAD_SIGNATURE, "no key that could have made it");
    else if (tpm_public_verify(&h->ak, h->in->quote, h->in->signature, &why) != OK)
        verdict_refuse(h->out, name, REASON_QUOTE_BAD_SIGNATURE, why.text);
    else if (h->tpm.has_quote && h->tpm.quote.trailing > 0)
        verdict_refuse(h->out, name, REASON_MALFORMED, "bytes behind the quote");
    else
        verdict_pass(h->out, name, "by the attestation key");
}

/* SHA-256 over the binding and SHA-256 of the report: so that quote and report are of one machine
 * and one challenge. A document alone has its own answer. */
static void prepare_quote(struct hearing *h)
{
    uint8_t report[SHA256_SIZE];
    struct digest_run run;
    digest(DIGEST_SHA256, h->in->report, report);
    digest_start(&run, DIGEST_SHA256);
    digest_more(&run, h->in->binding);
    digest_more(&run, SPAN_OF(report));
    digest_end(&run, h->answer);
    h->tpm_in = (struct quote_input){
        .has_quote = h->in->quote.len > 0,
        .quote = h->in->quote,
        .pcrs = h->in->pcrs,
        .has_nonce = is_asked(h) && (h->in->quote.len > 0 || h->in->document.len == 0),
        .nonce = SPAN_OF(h->answer),
        .log = h->in->log,
        .rules = h->policy != NULL ? &h->policy->boot : NULL,
        .mode = h->policy != NULL ? h->policy->mode : POLICY_EXPECT,
    };
    h->tpm = (struct quote_hearing){.in = &h->tpm_in, .out = h->out, .bank = BANK_SHA256};
}

static void check_quote(struct hearing *h)
{
    prepare_quote(h);
    quote_check_format(&h->tpm);
    check_signature(h);
    quote_check_nonce(&h->tpm);
    quote_check_registers(&h->tpm);
    if (h->has_document) /* nobody vouches for a key beside it */
        quote_take_document(&h->tpm, &h->document);
    quote_check_log(&h->tpm);
    quote_check_policy(&h->tpm);
}

/* ---- the verdict ---------------------------------------------------------------------------- */

static void put_claims(struct hearing *h)
{
    uint8_t hash[SHA256_SIZE];
    json_t *claims = json_object();
    h->out->claims = claims;
    if (h->in->without_claims)
        return;
    json_put_text(claims, "vtpm_root", name_of(&vtpm_root_names, (int)h->root));
    json_t *snp = verdict_claims(&h->snp);
    json_put_new(claims, "snp", json_incref(snp));
    if (json_object_get(snp, "ek") != NULL)
        json_put_new(claims, "ek", json_incref(json_object_get(snp, "ek")));
    if (h->has_ak) {
        digest(DIGEST_SHA256, bytes_span(&h->spki), hash);
        json_put_hex(claims, "ak_sha256", SPAN_OF(hash));
    }
    if (h->certs[0] != NULL)
        json_put_text(claims, "ak_issuer", x509_issuer(h->certs[0]));
    if (h->judged.claims != NULL)
        json_put_new(claims, "document", json_incref(h->judged.claims));
    quote_put_claims(&h->tpm, claims);
}

/* What vouches for the key names the machine by it; a document names the machine itself. */
static void name_machine(struct hearing *h)
{
    memcpy(h->out->named[1], h->snp.named[0], sizeof h->out->named[1]);
    memcpy(h->out->named[2], h->snp.named[1], sizeof h->out->named[2]);
    if (h->root == VTPM_UNROOTED)
        return;
    if (h->has_document)
        anchor_hash(ANCHOR_VTPM, h->document.module_id, h->out->named[0]);
    else if (h->has_ak)
        anchor_hash(ANCHOR_VTPM, bytes_span(&h->spki), h->out->named[0]);
}

static bool report_answers(const struct hearing *h)
{
    return is_asked(h) && verdict_passed(h->out, name_of(&reason_names, REASON_POLICY_REPORT_DATA));
}

/* Both halves: the chip's, and the vTPM's. */
static bool is_fresh(const struct hearing *h)
{
    const bool quoted = verdict_passed(h->out, "quote-signature") &&
                        (h->in->answered || verdict_passed(h->out, "nonce"));
    return (h->in->answered || report_answers(h)) &&
           (quoted || verdict_passed(h->out, "nitrotpm-document"));
}

static enum source source_of(const struct hearing *h)
{
    switch (h->root) {
    case VTPM_SVSM:
        return verdict_passed(h->out, "svsm-measurement") ? SOURCE_HARDWARE : SOURCE_NONE;
    case VTPM_PROVIDER:
        return SOURCE_PROVIDER;
    case VTPM_UNROOTED:
    case VTPM_ROOT_COUNT:
        break;
    }
    return SOURCE_NONE;
}

static void prove_identity(struct hearing *h, enum source source)
{
    if (source != SOURCE_NONE && !span_is_zero(SPAN_OF(h->out->named[0]))) {
        h->out->identity = source;
        h->out->anchor = ANCHOR_VTPM;
        memcpy(h->out->anchor_hash, h->out->named[0], sizeof h->out->anchor_hash);
    }
}

static unsigned residuals_of(const struct hearing *h)
{
    unsigned residuals = h->snp.residuals;
    if (h->root == VTPM_SVSM && verdict_passed(h->out, "svsm-measurement"))
        residuals &= ~(1u << RESIDUAL_PROVIDER_FIRMWARE);
    if (h->root == VTPM_UNROOTED)
        residuals |= 1u << RESIDUAL_VTPM_UNROOTED;
    return residuals;
}

/* A document's certificates live for hours and count at its own time. */
static struct moment end_of(const struct hearing *h)
{
    struct moment end = h->snp.endorsed_until;
    for (size_t i = 0; i < countof(h->certs) && h->certs[i] != NULL; i++) {
        const struct moment to = x509_not_after(h->certs[i]);
        if (moment_is_none(end) || to.us < end.us)
            end = to;
    }
    return end;
}

static void prove(struct hearing *h)
{
    if (h->out->trusted) {
        const bool debug = (h->report.policy & SNP_POLICY_DEBUG) != 0;
        const bool fresh = is_fresh(h);
        const bool pinned = quote_pins_boot(&h->tpm);
        const enum source source = fresh && !debug ? source_of(h) : SOURCE_NONE;
        h->out->hardware = SOURCE_HARDWARE;
        h->out->residuals = residuals_of(h);
        h->out->made = h->snp.made;
        h->out->endorsed_until = end_of(h);
        name_machine(h);
        if (pinned && h->in->image.measured_boot && h->in->image.provider_execution_off)
            h->out->software = source;
        prove_identity(h, source);
        verdict_miss(h->out, MISSING_DEBUG_OFF, debug);
        verdict_miss(h->out, MISSING_PROVIDER_EXECUTION, !h->in->image.provider_execution_off);
        verdict_miss(h->out, MISSING_FRESHNESS, !fresh);
        verdict_miss(h->out, MISSING_PINNED_MEASUREMENT,
                     !pinned || (h->root == VTPM_SVSM && source == SOURCE_NONE));
    }
    verdict_grade(h->out, &h->in->standing);
}

void vtpm_judge(const struct vtpm_input *input, struct verdict *out)
{
    *out = (struct verdict){.custom_roots = input->endorsements->custom_roots};
    OWNED(hearing_done) struct hearing h = {.in = input, .out = out};
    if (input->policy != NULL && input->policy->has_vtpm)
        h.policy = &input->policy->vtpm;
    check_kind(&h);
    check_root(&h);
    check_report(&h);
    check_svsm_vmpl(&h);
    check_svsm_measurement(&h);
    check_key(&h);
    check_manifest(&h);
    check_certificate(&h);
    check_document(&h);
    check_quote(&h);
    check_policy_root(&h);
    out->custom_roots = out->custom_roots || h.judged.custom_roots;
    out->trusted = out->reason == REASON_OK;
    put_claims(&h);
    prove(&h);
}
