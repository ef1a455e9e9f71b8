#include "lib/attest/evidence.h"

#include <stddef.h>
#include <string.h>

#include "lib/attest/azure_judge.h"
#include "lib/attest/cose_sign1.h"
#include "lib/attest/hcl_report.h"
#include "lib/attest/nitro_document.h"
#include "lib/attest/vtpm_judge.h"
#include "lib/crypto/sign.h"

/* ---- the envelope --------------------------------------------------------------------------- */

/* clang-format off */
enum {
    OF_NONE  = 0,
    OF_BARE  = 1u << EVIDENCE_SNP | 1u << EVIDENCE_SIMULATED,
    OF_AZURE = 1u << EVIDENCE_SNP_AZURE,
    OF_VTPM  = 1u << EVIDENCE_SNP_VTPM,
    OF_NITRO = 1u << EVIDENCE_NITRO,
    OF_TPMS  = OF_AZURE | OF_VTPM,
    OF_CHIPS = OF_BARE | OF_TPMS,
    OF_ALL   = OF_CHIPS | OF_NITRO,
};

static const struct member {
    const char *name;
    size_t at;
    size_t most;
    unsigned kinds;
    unsigned needed; /* by which of them */
} members[] = {
    {"report",     offsetof(struct evidence, report),     EVIDENCE_REPORT_MAX,    OF_BARE | OF_VTPM,  OF_BARE | OF_VTPM},
    {"hcl",        offsetof(struct evidence, hcl),        HCL_REPORT_MAX,         OF_AZURE,           OF_AZURE},
    {"quote",      offsetof(struct evidence, quote),      TPM_QUOTE_MAX,          OF_TPMS,            OF_NONE},
    {"signature",  offsetof(struct evidence, signature),  EVIDENCE_SIGNATURE_MAX, OF_TPMS,            OF_NONE},
    {"event_log",  offsetof(struct evidence, event_log),  EVIDENCE_LOG_MAX,       OF_TPMS,            OF_NONE},
    {"ak",         offsetof(struct evidence, ak),         EVIDENCE_AK_MAX,        OF_VTPM,            OF_NONE},
    {"ak_cert",    offsetof(struct evidence, ak_cert),    X509_DER_MAX,           OF_VTPM,            OF_NONE},
    {"manifest",   offsetof(struct evidence, manifest),   EVIDENCE_MANIFEST_MAX,  OF_VTPM,            OF_NONE},
    {"document",   offsetof(struct evidence, document),   NITRO_DOCUMENT_MAX,     OF_NITRO | OF_VTPM, OF_NITRO},
    {"cert_table", offsetof(struct evidence, cert_table), CERT_TABLE_SIZE_MAX,    OF_CHIPS,           OF_NONE},
    {"ek",         offsetof(struct evidence, ek),         X509_DER_MAX,           OF_CHIPS,           OF_NONE},
    {"rest",       offsetof(struct evidence, rest),       EVIDENCE_REST_MAX,      OF_ALL,             OF_NONE},
};
/* clang-format on */

static struct bytes *blob_of(struct evidence *e, const struct member *m)
{
    return (struct bytes *)(void *)((char *)e + m->at);
}

static struct span blob_span(const struct evidence *e, const struct member *m)
{
    return bytes_span((const struct bytes *)(const void *)((const char *)e + m->at));
}

static bool is_of(unsigned kinds, enum evidence_kind kind)
{
    return (kinds >> kind & 1) != 0;
}

void evidence_done(struct evidence *e)
{
    for (size_t i = 0; i < countof(members); i++)
        bytes_done(blob_of(e, &members[i]));
    for (size_t i = 0; i < e->ca_count; i++)
        bytes_done(&e->ca[i]);
    json_decref(e->pcrs);
    *e = (struct evidence){0};
}

/* Of other technologies, or of those that came before: encrypted registers at most, no integrity.
 */
static bool is_foreign(const char *word)
{
    static const char *const words[] = {"sev", "sev-es", "tdx", "sgx", "cca"};
    for (size_t i = 0; i < countof(words); i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

static enum outcome get_kind(const json_t *object, enum evidence_kind *out, struct error *err)
{
    const char *word = NULL;
    int kind = 0;
    TRY(json_get_text(object, "", "kind", 32, &word, err));
    if (!is_foreign(word))
        TRY(name_parse(&evidence_kind_names, word, &kind, err));
    if (!is_of(OF_ALL, (enum evidence_kind)kind))
        return fail_at(err, ERR_INVALID, "unsupported-evidence", "/kind",
                       "evidence of kind %s is not appraised here", word);
    *out = (enum evidence_kind)kind;
    return OK;
}

static enum outcome get_ca(const json_t *object, struct evidence *out, struct error *err)
{
    if (json_object_get(object, "ca") == NULL)
        return OK;
    json_t *list = NULL;
    TRY(json_get_array(object, "", "ca", EVIDENCE_CA_MAX, &list, err));
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        const char *text = json_string_value(item);
        struct bytes *blob = &out->ca[i];
        out->ca_count = i + 1;
        if (text == NULL || base64_decode(span_of_text(text), blob, NULL) != OK ||
            blob->len > X509_DER_MAX)
            return fail_at(err, ERR_INVALID, "wrong-type", "/ca", "/ca: not certificates");
    }
    return OK;
}

/* Whether they are values of registers is for the judge to say. */
static enum outcome get_pcrs(const json_t *object, struct evidence *out, struct error *err)
{
    json_t *list = NULL;
    size_t i;
    json_t *item;
    if (json_object_get(object, "pcrs") == NULL)
        return OK;
    TRY(json_get_array(object, "", "pcrs", PCR_COUNT, &list, err));
    json_array_foreach (list, i, item)
        if (!json_is_string(item) || json_string_length(item) > 2 * (size_t)SHA256_SIZE)
            return fail_at(err, ERR_INVALID, "wrong-type", "/pcrs", "/pcrs: not registers");
    out->pcrs = json_incref(list);
    return OK;
}

static enum outcome only_of_kind(const json_t *object, enum evidence_kind kind, struct error *err)
{
    const char *names[countof(members) + 4] = {"kind"};
    size_t count = 1;
    for (size_t i = 0; i < countof(members); i++)
        if (is_of(members[i].kinds, kind))
            names[count++] = members[i].name;
    if (is_of(OF_CHIPS, kind))
        names[count++] = "ca";
    if (is_of(OF_TPMS, kind))
        names[count] = "pcrs";
    return json_only(object, "", names, err);
}

static enum outcome read_members(const json_t *object, struct evidence *out, struct error *err)
{
    TRY(get_kind(object, &out->kind, err));
    TRY(only_of_kind(object, out->kind, err));
    for (size_t i = 0; i < countof(members); i++) {
        const struct member *m = &members[i];
        const bool there = json_object_get(object, m->name) != NULL;
        if (there || is_of(m->needed, out->kind))
            TRY(json_get_base64(object, "", m->name, m->most, blob_of(out, m), err));
    }
    TRY(get_pcrs(object, out, err));
    return get_ca(object, out, err);
}

enum outcome evidence_parse(struct span in, struct evidence *out, struct error *err)
{
    OWNED(json_drop) json_t *object = NULL;
    TRY(json_parse(in, EVIDENCE_JSON_MAX, &object, err));
    enum outcome outcome = read_members(object, out, err);
    if (outcome != OK)
        evidence_done(out);
    return outcome;
}

json_t *evidence_to_json(const struct evidence *e)
{
    json_t *out = json_object();
    json_put_text(out, "kind", name_of(&evidence_kind_names, (int)e->kind));
    for (size_t i = 0; i < countof(members); i++) {
        const struct span blob = blob_span(e, &members[i]);
        if (blob.len > 0 || is_of(members[i].needed, e->kind))
            json_put_base64(out, members[i].name, blob);
    }
    if (e->pcrs != NULL)
        json_put_new(out, "pcrs", json_incref(e->pcrs));
    if (e->ca_count == 0)
        return out;
    json_t *list = json_array();
    for (size_t i = 0; i < e->ca_count; i++) {
        OWNED(mem_drop) char *text = base64_of(bytes_span(&e->ca[i]));
        json_add_new(list, json_string(text));
    }
    json_put_new(out, "ca", list);
    return out;
}

char *evidence_print(const struct evidence *e)
{
    OWNED(json_drop) json_t *object = evidence_to_json(e);
    return json_print(object);
}

/* ---- shown to others ------------------------------------------------------------------------ */

static enum outcome check_link_key(struct span spki, struct error *err)
{
    OWNED(key_drop) struct key *key = NULL;
    if (spki.len > SHOWN_KEY_MAX || key_from_spki(spki, &key, NULL) != OK ||
        key_kind_of(key) != KEY_P256)
        return fail_at(err, ERR_INVALID, "wrong-value", "/link_key", "/link_key: no guest's key");
    return OK;
}

/* A nonce stands by itself in some evidence: so that it is never one of somebody's choice, it is
 * the digest's own hash there. */
enum outcome evidence_shown(enum evidence_kind kind, struct span nonce, struct span link_key,
                            struct evidence_binding *out, struct error *err)
{
    struct shown shown = {.kind = kind, .nonce = nonce};
    if (nonce.len < SHOWN_NONCE_LEAST || nonce.len > SHOWN_NONCE_MOST)
        return fail_at(err, ERR_INVALID, "wrong-value", "/nonce", "/nonce: %zu bytes, not %d to %d",
                       nonce.len, SHOWN_NONCE_LEAST, SHOWN_NONCE_MOST);
    TRY(check_link_key(link_key, err));
    digest(DIGEST_SHA256, link_key, shown.link_key);
    *out = (struct evidence_binding){.sealing_key = link_key};
    shown_digest(&shown, out->digest);
    digest(DIGEST_SHA256, SPAN_OF(out->digest), out->nonce);
    return OK;
}

/* ---- judging -------------------------------------------------------------------------------- */

struct span evidence_report(const struct evidence *e)
{
    struct hcl_report hcl;
    if (e->kind != EVIDENCE_SNP_AZURE)
        return bytes_span(&e->report);
    return hcl_report_read(bytes_span(&e->hcl), &hcl, NULL) == OK ? hcl.hardware : (struct span){0};
}

void evidence_terms_add_crl(struct evidence_terms *terms, struct span crl)
{
    if (crl.len > 0 && terms->crl_count < SNP_CRLS_MAX)
        terms->crl[terms->crl_count++] = crl;
}

static struct snp_endorsements *endorse(const struct evidence *e, const struct evidence_terms *t)
{
    struct snp_report report;
    struct snp_bundle bundle = {.ek = bytes_span(&e->ek),
                                .cert_table = bytes_span(&e->cert_table),
                                .ca_count = e->ca_count};
    for (size_t i = 0; i < e->ca_count; i++)
        bundle.ca[i] = bytes_span(&e->ca[i]);
    if (snp_report_read(evidence_report(e), &report, NULL) == OK &&
        report.signing_key == SIGNER_VLEK)
        bundle.wanted = SIGNER_VLEK;
    bundle.crl_count = t->crl_count;
    for (size_t i = 0; i < t->crl_count; i++)
        bundle.crl[i] = t->crl[i];
    return snp_cache_get(t->chains, &bundle);
}

/* Report data is the binding. */
static void judge_bare(const struct evidence *e, const struct evidence_terms *t,
                       struct verdict *out)
{
    OWNED(snp_endorsements_drop) struct snp_endorsements *endorsements = endorse(e, t);
    const struct judge_input input = {
        .kind = e->kind,
        .simulation_realm = t->simulation_realm,
        .report = bytes_span(&e->report),
        .endorsements = endorsements,
        .policy = t->policy,
        .at = t->at,
        .rules_at = t->rules_at,
        .expected_report_data = t->binding != NULL ? SPAN_OF(t->binding->digest) : t->given,
        .asked_at = t->asked_at,
        .signature_known = t->signature_known,
        .without_claims = t->without_claims,
        .image = t->image,
        .standing = t->standing,
    };
    judge(&input, out);
}

/* The quote's extra data is SHA-256 of the binding: genuine ones have no room for all of it. */
static void judge_azure(const struct evidence *e, const struct evidence_terms *t,
                        struct verdict *out)
{
    OWNED(snp_endorsements_drop) struct snp_endorsements *endorsements = endorse(e, t);
    uint8_t nonce[SHA256_SIZE] = {0};
    if (t->binding != NULL)
        digest(DIGEST_SHA256, SPAN_OF(t->binding->digest), nonce);
    const struct azure_input input = {
        .hcl = bytes_span(&e->hcl),
        .has_quote = e->quote.len > 0,
        .quote = bytes_span(&e->quote),
        .signature = bytes_span(&e->signature),
        .pcrs = e->pcrs,
        .log = bytes_span(&e->event_log),
        .has_nonce = t->binding != NULL || t->given.len > 0,
        .nonce = t->binding != NULL ? SPAN_OF(nonce) : t->given,
        .endorsements = endorsements,
        .policy = t->policy,
        .at = t->at,
        .rules_at = t->rules_at,
        .asked_at = t->asked_at,
        .image = t->image,
        .standing = t->standing,
    };
    azure_judge(&input, out);
}

/* The nonce itself, the sealing key itself, and the binding as user data. */
static void judge_nitro(const struct evidence *e, const struct evidence_terms *t,
                        struct verdict *out)
{
    struct nitro_input input = {
        .document = bytes_span(&e->document),
        .roots = t->nitro_roots,
        .policy = t->policy,
        .has_nonce = t->binding != NULL || t->given.len > 0,
        .nonce = t->given,
        .at = t->at,
        .standing = t->standing,
    };
    if (t->binding != NULL) {
        input.bound = true;
        input.nonce = SPAN_OF(t->binding->nonce);
        input.public_key = t->binding->sealing_key;
        input.user_data = SPAN_OF(t->binding->digest);
    }
    nitro_judge(&input, out);
}

/* Report data is the binding, by itself or with an SVSM's manifest; quote and document answer it
 * too.
 */
static void judge_vtpm(const struct evidence *e, const struct evidence_terms *t,
                       struct verdict *out)
{
    OWNED(snp_endorsements_drop) struct snp_endorsements *endorsements = endorse(e, t);
    const struct vtpm_input input = {
        .report = bytes_span(&e->report),
        .quote = bytes_span(&e->quote),
        .signature = bytes_span(&e->signature),
        .pcrs = e->pcrs,
        .log = bytes_span(&e->event_log),
        .ak = bytes_span(&e->ak),
        .ak_cert = bytes_span(&e->ak_cert),
        .manifest = bytes_span(&e->manifest),
        .document = bytes_span(&e->document),
        .binding = t->binding != NULL ? SPAN_OF(t->binding->digest) : t->given,
        .nonce = t->binding != NULL ? SPAN_OF(t->binding->nonce) : (struct span){0},
        .answered = t->answered,
        .document_at = t->document_at,
        .nitro_roots = t->nitro_roots,
        .endorsements = endorsements,
        .policy = t->policy,
        .at = t->at,
        .rules_at = t->rules_at,
        .asked_at = t->asked_at,
        .signature_known = t->signature_known,
        .without_claims = t->without_claims,
        .image = t->image,
        .standing = t->standing,
    };
    vtpm_judge(&input, out);
}

typedef void judge_fn(const struct evidence *, const struct evidence_terms *, struct verdict *);
static judge_fn *const judges[EVIDENCE_KIND_COUNT] = {
    [EVIDENCE_SNP] = judge_bare,        [EVIDENCE_SIMULATED] = judge_bare,
    [EVIDENCE_SNP_AZURE] = judge_azure, [EVIDENCE_SNP_VTPM] = judge_vtpm,
    [EVIDENCE_NITRO] = judge_nitro,
};

/* Read anew from evidence that is good. */
static void witness_of(const struct evidence *e, const struct verdict *v, struct hcl_claims *hcl,
                       struct nitro_document *document, struct identity_witness *out)
{
    struct hcl_report report;
    struct cose_sign1 cose;
    *out = (struct identity_witness){
        .csp_id = v->made.csp_id, .vm_id = "", .imitated = e->kind == EVIDENCE_SIMULATED};
    if (e->kind == EVIDENCE_SNP_AZURE &&
        hcl_report_read(bytes_span(&e->hcl), &report, NULL) == OK &&
        hcl_claims_read(report.claims, hcl, NULL) == OK)
        out->vm_id = hcl->vm_id;
    if (e->kind == EVIDENCE_NITRO && cose_sign1_read(bytes_span(&e->document), &cose, NULL) == OK &&
        nitro_document_read(cose.payload, document, NULL) == OK)
        out->enclave = document->module_id;
}

static void judge_documents(const struct evidence *e, const struct evidence_terms *t,
                            struct verdict *out)
{
    OWNED(hcl_claims_done) struct hcl_claims hcl = {.vm_id = ""};
    OWNED(identity_done) struct identity identity = {0};
    struct nitro_document document;
    struct identity_witness witness;
    const struct identity_terms terms = {
        .clouds = t->clouds,
        .declared = t->declared,
        .nonce = t->binding != NULL ? t->binding->nonce : NULL,
        .then = t->answered ? &t->documents_then : NULL,
        .at = t->at,
    };
    witness_of(e, out, &hcl, &document, &witness);
    identity_judge(bytes_span(&e->rest), &terms, &witness, &identity);
    identity_prove(&identity, e->kind, &t->standing, out);
}

void evidence_judge(const struct evidence *e, const struct evidence_terms *terms,
                    struct verdict *out)
{
    judges[e->kind](e, terms, out);
    out->simulated = out->simulated || terms->simulated;
    if (terms->clouds != NULL && out->trusted)
        judge_documents(e, terms, out);
}

/* ---- what is remembered --------------------------------------------------------------------- */

/* Azure's report is that of the boot and so is not made anew: the vTPM's key and its counts of
 * resets and restarts tell one boot from the next. */
static void azure_boot(const struct evidence *e, uint8_t out[static SHA256_SIZE])
{
    struct hcl_report hcl;
    struct tpm_quote quote;
    OWNED(hcl_claims_done) struct hcl_claims claims = {.vm_id = ""};
    OWNED(bytes_done) struct bytes parts = {0};
    if (hcl_report_read(bytes_span(&e->hcl), &hcl, NULL) != OK ||
        hcl_claims_read(hcl.claims, &claims, NULL) != OK ||
        tpm_quote_read(bytes_span(&e->quote), &quote, NULL) != OK)
        return;
    bytes_add_u32be(&parts, quote.reset_count);
    bytes_add_u32be(&parts, quote.restart_count);
    bytes_add(&parts, SPAN(claims.modulus, claims.modulus_len));
    digest(DIGEST_SHA256, bytes_span(&parts), out);
}

/* A reboot is a new launch, with another report id; a vTPM that is started anew beside the same
 * guest shows in its counts or in its key. */
static void vtpm_boot(const struct evidence *e, const struct snp_report *report,
                      uint8_t out[static SHA256_SIZE])
{
    struct tpm_quote quote;
    OWNED(bytes_done) struct bytes parts = {0};
    bytes_add(&parts, SPAN_OF(report->report_id));
    if (tpm_quote_read(bytes_span(&e->quote), &quote, NULL) == OK) {
        bytes_add_u32be(&parts, quote.reset_count);
        bytes_add_u32be(&parts, quote.restart_count);
    }
    bytes_add(&parts, bytes_span(&e->ak));
    digest(DIGEST_SHA256, bytes_span(&parts), out);
}

static void chip_facts(const struct evidence *e, struct evidence_facts *out)
{
    struct snp_report report;
    if (snp_report_read(evidence_report(e), &report, NULL) != OK)
        return;
    memcpy(out->measurement, report.measurement, sizeof out->measurement);
    memcpy(out->chip, report.chip_id, sizeof out->chip);
    if (e->kind == EVIDENCE_SNP_AZURE)
        azure_boot(e, out->boot);
    else if (e->kind == EVIDENCE_SNP_VTPM)
        vtpm_boot(e, &report, out->boot);
    else
        memcpy(out->boot, report.report_id, sizeof out->boot);
}

/* The image for a measurement; an enclave's id is another at its next start. */
static void enclave_facts(const struct evidence *e, struct evidence_facts *out)
{
    struct cose_sign1 cose;
    struct nitro_document document;
    if (cose_sign1_read(bytes_span(&e->document), &cose, NULL) != OK ||
        nitro_document_read(cose.payload, &document, NULL) != OK)
        return;
    if (document.pcrs[0].len == sizeof out->measurement)
        memcpy(out->measurement, document.pcrs[0].value, sizeof out->measurement);
    digest(DIGEST_SHA256, document.module_id, out->boot);
}

void evidence_facts(const struct evidence *e, struct evidence_facts *out)
{
    *out = (struct evidence_facts){0};
    if (e->kind == EVIDENCE_NITRO)
        enclave_facts(e, out);
    else
        chip_facts(e, out);
}
