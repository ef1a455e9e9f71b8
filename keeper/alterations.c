#include "keeper/alterations.h"

#include <string.h>

#include "lib/attest/cose_sign1.h"
#include "lib/crypto/random.h"

enum { AGE_SECONDS = 60, LATE_SECONDS = 3600 };

/* 2099: no certificate lives so long, and a clock might still say it. */
#define FAR_FUTURE INT64_C(4070908800)

/* ---- the binding: to whom the evidence answers ---------------------------------------------- */

static bool other_nonce(struct probe *p)
{
    p->nonce.nonce[NONCE_SIZE - 1] ^= 1;
    return true;
}

static bool other_link_key(struct probe *p)
{
    p->nonce.link_key[0] ^= 1;
    return true;
}

static bool other_sealing_key(struct probe *p)
{
    p->nonce.sealing_spki[p->nonce.sealing_spki_len - 1] ^= 1;
    return true;
}

static bool other_root(struct probe *p)
{
    p->keeper.deployment[0] ^= 1;
    return true;
}

static bool other_instance(struct probe *p)
{
    p->nonce.instance = uuid_new();
    return true;
}

static bool other_rest(struct probe *p)
{
    bytes_add_u8(&p->evidence.rest, ' ');
    return true;
}

/* ---- authenticity: who signed it, and when -------------------------------------------------- */

/* Of a part of the evidence, wherever it stands: its bytes are ours. */
static bool flip(struct span part, size_t at)
{
    if (at >= part.len)
        return false;
    ((uint8_t *)(uintptr_t)part.at)[at] ^= 1;
    return true;
}

static bool flip_signature(struct probe *p)
{
    struct cose_sign1 cose;
    if (p->evidence.kind != EVIDENCE_NITRO)
        return flip(evidence_report(&p->evidence), SNP_SIGNED_SIZE);
    return cose_sign1_read(bytes_span(&p->evidence.document), &cose, NULL) == OK &&
           flip(cose.signature, 0);
}

/* The first byte of its first number, behind two algorithms and a length. Not of the last: whoever
 * holds the key can make a signature of which s with another last bit is good as well, and so halt
 * this keeper. */
static bool flip_quote_signature(struct probe *p)
{
    enum { FIRST_NUMBER = 6 };
    return flip(bytes_span(&p->evidence.signature), FIRST_NUMBER);
}

/* A maker whose roots these are not. */
static bool other_roots(struct probe *p)
{
    struct keeper *k = &p->keeper;
    if (p->evidence.kind == EVIDENCE_NITRO) {
        k->nitro.count = 0;
        return true;
    }
    if (k->simulator == NULL)
        return false; /* there is no second maker that the keeper knows */
    struct snp_cache *amd = k->amd;
    k->amd = k->simulator;
    k->simulator = amd;
    return true;
}

static bool much_later(struct probe *p)
{
    p->question.at = clock_at_seconds(FAR_FUTURE);
    return true;
}

/* ---- realms --------------------------------------------------------------------------------- */

static bool production(struct probe *p)
{
    p->keeper.realm = REALM_PRODUCTION;
    return true;
}

static bool called_simulated(struct probe *p)
{
    p->nonce.kind = p->evidence.kind = EVIDENCE_SIMULATED;
    return p->keeper.simulator == NULL;
}

static bool called_another_kind(struct probe *p)
{
    p->nonce.kind = p->nonce.kind == EVIDENCE_NITRO ? EVIDENCE_SNP : EVIDENCE_NITRO;
    return true;
}

/* ---- the policy ----------------------------------------------------------------------------- */

static bool kind_not_named(struct probe *p)
{
    p->terms->has_nitro = p->evidence.kind != EVIDENCE_NITRO && p->terms->has_nitro;
    p->terms->has_azure = p->evidence.kind != EVIDENCE_SNP_AZURE && p->terms->has_azure;
    p->terms->has_vtpm = p->evidence.kind != EVIDENCE_SNP_VTPM && p->terms->has_vtpm;
    p->terms->has_snp = p->evidence.kind == EVIDENCE_NITRO && p->terms->has_snp;
    return true;
}

/* By one, in one part that has room for it. */
static void raise(struct snp_tcb *tcb, enum snp_line line, int64_t turn)
{
    for (int i = 0; i < TCB_PART_COUNT; i++) {
        const size_t part = (size_t)((turn + i) % TCB_PART_COUNT);
        if (tcb->part[part] == UINT8_MAX || (part == TCB_FMC && line != LINE_TURIN))
            continue;
        tcb->part[part]++;
        return;
    }
}

static bool read_report(const struct probe *p, struct snp_report *out)
{
    return snp_report_read(evidence_report(&p->evidence), out, NULL) == OK;
}

/* One above what is reported, for whichever product it is. */
static bool floor_above(struct probe *p)
{
    struct snp_report report;
    struct snp_policy *snp = &p->terms->snp;
    if (!read_report(p, &report))
        return false;
    snp->has_min_tcb = true;
    for (int product = 0; product < PRODUCT_COUNT; product++) {
        const enum snp_line line = snp_product_line((enum snp_product)product);
        struct snp_tcb least = snp_tcb_split(report.reported_tcb, line);
        raise(&least, line, p->turn);
        snp->has_floor[product] = true;
        snp->min_tcb[product] = (struct tcb_floor){.first = least};
    }
    return true;
}

/* Any but the value that is there. */
static void allow_only_other(struct value_set *set, struct span value)
{
    *set = (struct value_set){.said = true, .len = value.len, .count = 1};
    memcpy(set->at[0], value.at, value.len);
    set->at[0][0] ^= 1;
}

static void ask_other_register(struct pcr_rules *rules, size_t pcr, struct span value)
{
    rules->said = true;
    rules->any = false;
    rules->at[pcr] = (struct pcr_rule){.count = 1, .len = {value.len}};
    memcpy(rules->at[pcr].at[0], value.at, value.len);
    rules->at[pcr].at[0][0] ^= 1;
}

static bool other_measurement(struct probe *p)
{
    const struct span value = SPAN_OF(p->facts.measurement);
    if (p->evidence.kind == EVIDENCE_NITRO)
        ask_other_register(&p->terms->nitro.pcrs, 0, value);
    else
        allow_only_other(&p->terms->snp.measurement, value);
    return true;
}

/* Loaders: the register that no quote worth anything leaves out. */
static bool other_register(struct probe *p)
{
    enum { LOADERS = 4 };
    uint8_t value[SHA256_SIZE];
    const char *hex = json_string_value(json_array_get(p->evidence.pcrs, LOADERS));
    if (hex == NULL || hex_decode_exact(hex, value, sizeof value, NULL) != OK)
        return false;
    const bool azures = p->evidence.kind == EVIDENCE_SNP_AZURE;
    struct boot_rules *rules = azures ? &p->terms->azure.boot : &p->terms->vtpm.boot;
    ask_other_register(&rules->pcrs, LOADERS, SPAN_OF(value));
    return true;
}

/* What is left when the reference of this measurement is taken back. */
static bool reference_retired(struct probe *p)
{
    struct value_set *set = &p->terms->snp.measurement;
    size_t kept = 0;
    if (!set->said || set->any)
        return false;
    for (size_t i = 0; i < set->count; i++) {
        if (memcmp(set->at[i], p->facts.measurement, sizeof p->facts.measurement) == 0)
            continue;
        memmove(set->at[kept], set->at[i], sizeof set->at[i]);
        set->until[kept++] = set->until[i];
    }
    set->count = kept;
    return true;
}

static bool reference_over(struct probe *p)
{
    struct value_set *set = &p->terms->snp.measurement;
    for (size_t i = 0; i < set->count; i++)
        set->until[i] = p->question.at;
    return set->said && !set->any;
}

static bool other_provider(struct probe *p)
{
    static const char nobody[] = "CN=cc-nowhere-1.muster.invalid";
    struct snp_report report;
    if (!read_report(p, &report) || report.signing_key != SIGNER_VLEK)
        return false; /* a chip's own key names no provider */
    p->terms->snp.csp_count = 1;
    memcpy(p->terms->snp.vlek_csp_id[0], nobody, sizeof nobody);
    return true;
}

static bool other_chip(struct probe *p)
{
    allow_only_other(&p->terms->snp.chip_id, SPAN_OF(p->facts.chip));
    return true;
}

/* A floor does not see what runs and may still be rolled back; where nothing does, nothing can be
 * asked for in vain. */
static bool all_committed(struct probe *p)
{
    struct snp_report report;
    if (!read_report(p, &report) || report.committed_tcb == report.current_tcb)
        return false;
    p->terms->snp.require_committed_tcb = true;
    return true;
}

/* One of the bits that have a word of their own. */
static uint64_t worded_bit(const struct bit_word *words, int64_t turn)
{
    uint64_t bits[64];
    size_t count = 0;
    for (const struct bit_word *w = words; w->name != NULL; w++)
        if (w->bits == 1)
            bits[count++] = UINT64_C(1) << w->from;
    return bits[(size_t)turn % count];
}

/* The guest was launched with one of them as it must not be. */
static bool other_launch(struct probe *p)
{
    struct snp_report report;
    struct snp_policy *snp = &p->terms->snp;
    const uint64_t bit = worded_bit(snp_policy_words, p->turn);
    if (!read_report(p, &report))
        return false;
    if ((report.policy & bit) != 0)
        snp->forbid_guest_policy |= bit;
    else
        snp->require_guest_policy |= bit;
    return true;
}

static bool newer_guest(struct probe *p)
{
    struct snp_report report;
    if (!read_report(p, &report))
        return false;
    p->terms->snp.min_guest_svn = (int64_t)report.guest_svn + 1;
    return true;
}

/* One that is not named: not at launch in one round, not now in the next. */
static bool more_mitigations(struct probe *p)
{
    struct snp_report report;
    struct snp_policy *snp = &p->terms->snp;
    if (!read_report(p, &report))
        return false;
    const bool now = p->turn % 2 != 0;
    const uint64_t named = now ? report.current_mit_vector : report.launch_mit_vector;
    uint64_t *asked = now ? &snp->require_current_mit_vector : &snp->require_launch_mit_vector;
    for (int i = 0; i < 64; i++) {
        const uint64_t bit = UINT64_C(1) << ((p->turn / 2 + i) % 64);
        if ((named & bit) != 0)
            continue;
        *asked |= bit;
        return true;
    }
    return false;
}

static bool too_old(struct probe *p)
{
    p->terms->snp.max_age_seconds = AGE_SECONDS;
    p->nonce.issued = moment_add_seconds(p->question.at, -LATE_SECONDS);
    return true;
}

/* ---- deny lists ----------------------------------------------------------------------------- */

/* Values of zero are not looked for: there is nothing to deny. */
static bool deny(struct probe *p, struct charter_values *list, struct span value)
{
    if (span_is_zero(value))
        return false;
    bytes_add(&p->denied, value);
    *list = (struct charter_values){.len = value.len, .at = p->denied};
    return true;
}

static bool deny_chip(struct probe *p)
{
    return deny(p, &p->charter.denied_chips, SPAN_OF(p->facts.chip));
}

static bool deny_measurement(struct probe *p)
{
    return deny(p, &p->charter.denied_measurements, SPAN_OF(p->facts.measurement));
}

static bool deny_guest_key(struct probe *p)
{
    return deny(p, &p->charter.denied_guest_keys, SPAN_OF(p->nonce.link_key));
}

static bool deny_anchor(struct probe *p)
{
    for (size_t i = 0; i < VERDICT_NAMED; i++)
        if (deny(p, &p->charter.denied_anchors, SPAN_OF(p->sample->named[i])))
            return true;
    return false;
}

static bool deny_product(struct probe *p)
{
    const struct provenance *made = &p->sample->made;
    if (made->has_line)
        p->charter.denied_lines[made->line] = true;
    return made->has_line;
}

static bool deny_region(struct probe *p)
{
    memcpy(p->denied_region[0], p->sample->made.csp_id, sizeof p->denied_region[0]);
    p->charter.denied_regions = p->denied_region;
    p->charter.denied_region_count = 1;
    return p->sample->made.csp_id[0] != '\0';
}

static bool deny_signer(struct probe *p)
{
    for (size_t i = 0; i < VERDICT_SIGNERS; i++)
        if (deny(p, &p->charter.denied_signers, SPAN_OF(p->sample->made.signers[i])))
            return true;
    return false;
}

/* ---- the table ------------------------------------------------------------------------------ */

/* clang-format off */
#define BARE(code)  [EVIDENCE_SNP] = (code), [EVIDENCE_SIMULATED] = (code)
#define AZURE(code) [EVIDENCE_SNP_AZURE] = (code)
#define NITRO(code) [EVIDENCE_NITRO] = (code)
#define VTPM(code)  [EVIDENCE_SNP_VTPM] = (code)
#define TPMS(code)  AZURE(code), VTPM(code)
#define CHIPS(code) BARE(code), TPMS(code)
#define ALL(code)   CHIPS(code), NITRO(code)
#define BOUND       BARE("policy-report-data"), VTPM("policy-report-data")

const struct alteration alterations[] = {
    {"nonce",              other_nonce,
     {BOUND, AZURE("nonce-mismatch"), NITRO("policy-nonce")}},
    {"link-key",           other_link_key,
     {BOUND, AZURE("nonce-mismatch"), NITRO("policy-report-data")}},
    {"sealing-key",        other_sealing_key,
     {BOUND, AZURE("nonce-mismatch"), NITRO("policy-report-data")}},
    {"root",               other_root,
     {BOUND, AZURE("nonce-mismatch"), NITRO("policy-report-data")}},
    {"instance",           other_instance,
     {BOUND, AZURE("nonce-mismatch"), NITRO("policy-report-data")}},
    {"rest",               other_rest,
     {BOUND, AZURE("nonce-mismatch"), NITRO("policy-report-data")}},
    {"signature",          flip_signature,       {ALL("bad-signature")}},
    {"quote-signature",    flip_quote_signature, {TPMS("quote-bad-signature")}},
    {"roots",              other_roots,          {ALL("chain-untrusted")}},
    {"much-later",         much_later,           {ALL("cert-expired")}},
    {"realm",              production,           {[EVIDENCE_SIMULATED] = "wrong-realm"}},
    {"called-simulated",   called_simulated,     {[EVIDENCE_SNP] = "simulator-not-chartered"}},
    {"called-another",     called_another_kind,  {ALL("kind-mismatch")}},
    {"kind-not-named",     kind_not_named,       {ALL("unsupported-evidence")}},
    {"tcb-floor",          floor_above,          {CHIPS("policy-tcb")}},
    {"measurement",        other_measurement,    {CHIPS("policy-measurement"), NITRO("policy-pcr")}},
    {"register",           other_register,       {TPMS("policy-pcr")}},
    {"retired-reference",  reference_retired,    {CHIPS("policy-measurement")}},
    {"expired-reference",  reference_over,       {CHIPS("policy-measurement")}},
    {"provider",           other_provider,       {CHIPS("policy-csp")}},
    {"chip",               other_chip,           {CHIPS("policy-chip-id")}},
    {"committed-tcb",      all_committed,        {CHIPS("policy-committed-tcb")}},
    {"guest-policy",       other_launch,         {CHIPS("policy-guest-policy")}},
    {"guest-svn",          newer_guest,          {CHIPS("policy-guest-svn")}},
    {"mitigations",        more_mitigations,     {CHIPS("policy-mit-vector")}},
    {"age",                too_old,              {CHIPS("policy-age")}},
    {"denied-chip",        deny_chip,            {ALL("denied-chip")}},
    {"denied-measurement", deny_measurement,     {ALL("denied-measurement")}},
    {"denied-anchor",      deny_anchor,          {ALL("denied-anchor")}},
    {"denied-guest-key",   deny_guest_key,       {ALL("denied-guest-key")}},
    {"denied-product",     deny_product,         {ALL("denied-product")}},
    {"denied-region",      deny_region,          {ALL("denied-region")}},
    {"denied-signer",      deny_signer,          {ALL("denied-signer")}},
};
/* clang-format on */
const size_t alteration_count = countof(alterations);

/* ---- asking --------------------------------------------------------------------------------- */

enum outcome probe_prepare(const struct keeper *keeper, const struct charter *charter,
                           const struct probe_sample *sample, struct probe *p, struct error *err)
{
    const struct charter_policy *policy = charter_find_policy(charter, sample->policy);
    if (policy == NULL)
        return fail_code(err, ERR_DENIED, "policy-unknown", "the charter has no policy %s",
                         sample->policy);
    TRY(evidence_parse(bytes_span(&sample->evidence), &p->evidence, err));
    evidence_facts(&p->evidence, &p->facts);
    p->sample = sample;
    p->keeper = *keeper;
    p->charter = *charter;
    p->policy = *policy;
    p->terms = NEW(struct policy);
    *p->terms = *policy->policy;
    p->policy.policy = p->terms;
    p->nonce = sample->nonce;
    p->question = (struct question){
        .charter = &p->charter,
        .policy = &p->policy,
        .nonce = &p->nonce,
        .evidence = &p->evidence,
        .declared = &sample->declared,
        .crl = bytes_span(&sample->crl),
        .at = sample->at,
    };
    return OK;
}

void probe_done(struct probe *p)
{
    evidence_done(&p->evidence);
    bytes_done(&p->denied);
    mem_drop(&p->terms);
}

bool probe_passes(const struct probe *p, char out_code[static ERROR_CODE_SIZE])
{
    struct error err = {0};
    OWNED(verdict_done) struct verdict verdict = {0};
    OWNED(verdict_token_done) struct verdict_token token = {0};
    const bool judged = keeper_judge(&p->keeper, &p->question, &verdict, &token, &err) == OK;
    const char *code = judged ? token.claims.reason : err.code;
    error_ignore(text_copy(out_code, ERROR_CODE_SIZE, code, "", NULL));
    return judged && strcmp(token.claims.verdict, "trusted") == 0;
}
