#include "lib/attest/azure_judge.h"

#include <string.h>

#include "lib/attest/hcl_report.h"
#include "lib/attest/quote_judge.h"
#include "lib/crypto/rsa_key.h"

/* ---- what the checks share ------------------------------------------------------------------ */

struct hearing {
    const struct azure_input *in;
    struct verdict *out;
    struct verdict snp;
    bool has_hcl;
    struct hcl_report hcl;
    bool has_report;
    struct snp_report report;
    bool has_claims;
    struct hcl_claims claims;
    struct quote_input tpm_in;
    struct quote_hearing tpm;
};

static void hearing_done(struct hearing *h)
{
    verdict_done(&h->snp);
    hcl_claims_done(&h->claims);
    quote_hearing_done(&h->tpm);
}

/* ---- the wrapper and the report inside ------------------------------------------------------ */

static void check_kind(struct hearing *h)
{
    static const char name[] = "evidence-kind";
    const struct policy *policy = h->in->policy;
    if (policy != NULL && policy->azure.mode == POLICY_WHOLE &&
        (!policy->has_azure || !policy->has_snp))
        verdict_refuse(h->out, name, REASON_UNSUPPORTED_EVIDENCE,
                       "the policy does not name azure and snp");
    else
        verdict_pass(h->out, name, "snp-azure");
}

static void check_wrapper(struct hearing *h)
{
    static const char name[] = "hcl-format";
    struct error why = {0};
    h->has_hcl = hcl_report_read(h->in->hcl, &h->hcl, &why) == OK;
    if (h->has_hcl)
        verdict_add(h->out, name, CHECK_PASS, REASON_OK, "version %u", h->hcl.version);
    else if (strcmp(why.code, "unsupported-report-type") == 0)
        verdict_refuse(h->out, name, REASON_UNSUPPORTED_REPORT_TYPE, why.text);
    else
        verdict_refuse(h->out, name, REASON_MALFORMED, why.text);
}

static void check_report(struct hearing *h)
{
    const struct judge_input input = {
        .kind = EVIDENCE_SNP,
        .report = h->has_hcl ? h->hcl.hardware : (struct span){0},
        .endorsements = h->in->endorsements,
        .policy = h->in->policy != NULL && h->in->policy->has_snp ? h->in->policy : NULL,
        .at = h->in->at,
        .rules_at = h->in->rules_at,
        .asked_at = h->in->asked_at,
        .wrapped = true,
    };
    if (!h->has_hcl) {
        verdict_skip(h->out, "report-format", "no report");
        return;
    }
    judge(&input, &h->snp);
    verdict_append(h->out, &h->snp, "evidence-kind");
    h->has_report = snp_report_read(h->hcl.hardware, &h->report, NULL) == OK;
}

/* What runs above VMPL 0 could ask for reports over claims of its own. */
static void check_paravisor(struct hearing *h)
{
    static const char name[] = "paravisor-vmpl";
    if (!h->has_report)
        verdict_skip(h->out, name, "no report");
    else if (h->report.vmpl != 0)
        verdict_refuse(h->out, name, REASON_POLICY_VMPL, "the report is not the paravisor's");
    else
        verdict_pass(h->out, name, "VMPL 0");
}

/* ---- the claims ----------------------------------------------------------------------------- */

static void check_binding(struct hearing *h)
{
    static const char name[] = "runtime-data";
    if (!h->has_report)
        verdict_skip(h->out, name, "no report");
    else if (!hcl_report_binds(&h->hcl, SPAN_OF(h->report.report_data)))
        verdict_refuse(h->out, name, REASON_RUNTIME_DATA_MISMATCH,
                       "the report's data is not the digest of these claims");
    else
        verdict_pass(h->out, name, "the report's data is their digest");
}

static void check_claims(struct hearing *h)
{
    static const char name[] = "runtime-claims";
    struct error why = {0};
    if (!h->has_hcl) {
        verdict_skip(h->out, name, "no report");
        return;
    }
    h->has_claims = hcl_claims_read(h->hcl.claims, &h->claims, &why) == OK;
    if (h->has_claims)
        verdict_pass(h->out, name, "they name the vTPM's attestation key");
    else
        verdict_refuse(h->out, name, REASON_MALFORMED, why.text);
}

/* ---- the quote ------------------------------------------------------------------------------ */

static void check_quote_signature(struct hearing *h)
{
    static const char name[] = "quote-signature";
    struct error why = {0};
    if (!h->in->has_quote || !h->has_claims) {
        verdict_skip(h->out, name, "no quote or no key");
        return;
    }
    if (rsa_key_verify(SPAN(h->claims.modulus, h->claims.modulus_len),
                       SPAN(h->claims.exponent, h->claims.exponent_len), h->in->quote,
                       h->in->signature, &why) != OK)
        verdict_refuse(h->out, name, REASON_QUOTE_BAD_SIGNATURE, why.text);
    else if (h->tpm.has_quote && h->tpm.quote.trailing > 0)
        verdict_refuse(h->out, name, REASON_MALFORMED, "bytes behind the quote");
    else
        verdict_pass(h->out, name, "by the attestation key of the claims");
}

/* ---- the verdict ---------------------------------------------------------------------------- */

static json_t *data_to_json(const struct hcl_report *hcl)
{
    json_t *out = json_object();
    json_put_int(out, "data_size", hcl->data_size);
    json_put_int(out, "version", hcl->data_version);
    json_put_int(out, "report_type", hcl->report_type);
    json_put_int(out, "hash_type", hcl->hash_type);
    json_put_int(out, "variable_data_size", (int64_t)hcl->claims.len);
    return out;
}

static void put_runtime_claims(const struct hearing *h, json_t *claims)
{
    uint8_t hash[SHA256_SIZE];
    json_t *names = json_array();
    size_t i;
    json_t *key;
    json_array_foreach (json_object_get(h->claims.json, "keys"), i, key)
        if (json_is_string(json_object_get(key, "kid")))
            json_add_new(names, json_incref(json_object_get(key, "kid")));
    digest(DIGEST_SHA256, SPAN(h->claims.modulus, h->claims.modulus_len), hash);
    json_put_new(claims, "runtime_claims_keys", names);
    json_put_hex(claims, "ak_modulus_sha256", SPAN_OF(hash));
    json_t *user_data = json_object_get(h->claims.json, "user-data");
    json_t *configuration = json_object_get(h->claims.json, "vm-configuration");
    json_put_new(claims, "user_data", user_data != NULL ? json_incref(user_data) : json_null());
    json_put_new(claims, "vm_configuration",
                 configuration != NULL ? json_incref(configuration) : json_object());
}

static void put_claims(struct hearing *h)
{
    uint8_t hash[SHA256_SIZE];
    json_t *claims = json_object();
    h->out->claims = claims;
    if (!h->has_hcl)
        return;
    digest(DIGEST_SHA256, h->hcl.claims, hash);
    json_put_int(claims, "hcl_version", h->hcl.version);
    json_put_int(claims, "hcl_report_size", h->hcl.report_size);
    json_put_int(claims, "request_type", h->hcl.request_type);
    json_put_new(claims, "data", data_to_json(&h->hcl));
    json_put_hex(claims, "runtime_claims_sha256", SPAN_OF(hash));
    json_put_bool(claims, "runtime_claims_fit", true);
    json_put_bool(claims, "runtime_claims_match", verdict_passed(h->out, "runtime-data"));
    json_put_new(claims, "snp", json_incref(verdict_claims(&h->snp)));
    if (h->has_claims)
        put_runtime_claims(h, claims);
    quote_put_claims(&h->tpm, claims);
}

/* vmUniqueId and the vTPM's key: what stays the same over moves and restarts of one machine. */
static void name_machine(struct hearing *h)
{
    OWNED(bytes_done) struct bytes parts = {0};
    if (h->claims.vm_id[0] == '\0')
        return;
    bytes_add(&parts, SPAN(h->claims.vm_id, strlen(h->claims.vm_id) + 1));
    bytes_add(&parts, SPAN(h->claims.modulus, h->claims.modulus_len));
    digest(DIGEST_SHA256, bytes_span(&parts), h->out->named[0]);
}

static void set_anchor(struct hearing *h)
{
    if (span_is_zero(SPAN_OF(h->out->named[0])))
        return;
    h->out->anchor = ANCHOR_VTPM;
    memcpy(h->out->anchor_hash, h->out->named[0], sizeof h->out->anchor_hash);
}

static bool names_values(const struct value_set *set)
{
    return set->said && !set->any;
}

/* Nobody can predict the paravisor's digest: who signed it is what can be pinned. A policy that
 * takes any pins nothing, although its check passes. */
static bool is_pinned(const struct hearing *h)
{
    if (h->in->policy == NULL || !h->in->policy->has_snp)
        return false;
    const struct snp_policy *p = &h->in->policy->snp;
    const bool signer = names_values(&p->id_key_digest) || names_values(&p->author_key_digest);
    return (signer && verdict_passed(h->out, name_of(&reason_names, REASON_POLICY_ID_KEY))) ||
           (names_values(&p->measurement) &&
            verdict_passed(h->out, name_of(&reason_names, REASON_POLICY_MEASUREMENT)));
}

static void prove(struct hearing *h)
{
    const bool quoted =
        verdict_passed(h->out, "quote-signature") && verdict_passed(h->out, "nonce");
    const bool registers = quote_pins_boot(&h->tpm);
    const bool pinned = is_pinned(h);
    const bool debug = h->has_report && (h->report.policy & SNP_POLICY_DEBUG) != 0;
    if (h->out->trusted) {
        h->out->hardware = SOURCE_HARDWARE;
        h->out->residuals = h->snp.residuals | 1u << RESIDUAL_PARAVISOR;
        name_machine(h);
        h->out->made = h->snp.made;
        h->out->endorsed_until = h->snp.endorsed_until;
        if (quoted && registers && pinned && !debug && h->in->image.measured_boot &&
            h->in->image.provider_execution_off)
            h->out->software = SOURCE_HARDWARE;
        if (quoted && pinned && !debug)
            set_anchor(h);
        if (h->out->anchor != ANCHOR_NONE)
            h->out->identity = SOURCE_HARDWARE;
        verdict_miss(h->out, MISSING_DEBUG_OFF, debug);
        verdict_miss(h->out, MISSING_PROVIDER_EXECUTION, !h->in->image.provider_execution_off);
        verdict_miss(h->out, MISSING_FRESHNESS, !quoted);
        verdict_miss(h->out, MISSING_PINNED_MEASUREMENT, !pinned || !registers);
    }
    verdict_grade(h->out, &h->in->standing);
}

static struct quote_input quote_of(const struct azure_input *in, const struct azure_policy *policy)
{
    return (struct quote_input){
        .has_quote = in->has_quote,
        .quote = in->quote,
        .pcrs = in->pcrs,
        .has_nonce = in->has_nonce,
        .nonce = in->nonce,
        .log = in->log,
        .rules = policy != NULL ? &policy->boot : NULL,
        .mode = policy != NULL ? policy->mode : POLICY_EXPECT,
    };
}

void azure_judge(const struct azure_input *input, struct verdict *out)
{
    *out = (struct verdict){.custom_roots = input->endorsements->custom_roots};
    const struct azure_policy *policy =
        input->policy != NULL && input->policy->has_azure ? &input->policy->azure : NULL;
    OWNED(hearing_done)
    struct hearing h = {.in = input,
                        .out = out,
                        .claims = {.vm_id = ""},
                        .tpm_in = quote_of(input, policy),
                        .tpm = {.out = out, .bank = BANK_SHA256}};
    h.tpm.in = &h.tpm_in;
    check_kind(&h);
    check_wrapper(&h);
    check_report(&h);
    check_paravisor(&h);
    check_binding(&h);
    check_claims(&h);
    quote_check_format(&h.tpm);
    check_quote_signature(&h);
    quote_check_nonce(&h.tpm);
    quote_check_registers(&h.tpm);
    quote_check_log(&h.tpm);
    quote_check_policy(&h.tpm);
    out->trusted = out->reason == REASON_OK;
    put_claims(&h);
    prove(&h);
}
