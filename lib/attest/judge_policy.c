#include "lib/attest/judge_policy.h"

#include <stdio.h>
#include <string.h>

#include "lib/attest/anchor.h"
#include "lib/base/text.h"

/* One condition of a policy: asked for or not, met or not. */
static void condition(struct verdict *out, enum reason reason, bool asked, bool met,
                      const char *detail)
{
    const char *name = name_of(&reason_names, (int)reason);
    if (!asked)
        verdict_add(out, name, CHECK_SKIP, REASON_OK, "not asked for");
    else if (met)
        verdict_add(out, name, CHECK_PASS, REASON_OK, "%s", detail);
    else
        verdict_add(out, name, CHECK_FAIL, reason, "%s", detail);
}

static bool has_policy_bit(const struct policy_hearing *p, uint64_t bit)
{
    return (p->report->policy & bit) != 0;
}

static void check_guest_policy(const struct policy_hearing *p, struct verdict *out)
{
    const bool debug = has_policy_bit(p, SNP_POLICY_DEBUG);
    const bool agent = has_policy_bit(p, SNP_POLICY_MIGRATE_MA);
    const bool smt = has_policy_bit(p, SNP_POLICY_SMT);
    condition(out, REASON_POLICY_DEBUG, p->policy != NULL && !policy_allows_debug(p->policy),
              !debug, debug ? "the guest policy allows debugging" : "debugging is off");
    condition(out, REASON_POLICY_MIGRATION,
              p->policy != NULL && !policy_allows_migration(p->policy), !agent,
              agent ? "the guest policy allows a migration agent" : "no migration agent");
    condition(out, REASON_POLICY_SMT, p->policy != NULL && !policy_allows_smt(p->policy), !smt,
              smt ? "the guest policy allows threads to share a core" : "no shared cores");
}

/* A report the host asked for says nothing about the guest, whatever the policy is. */
static void check_vmpl(const struct policy_hearing *p, struct verdict *out)
{
    const char *name = name_of(&reason_names, REASON_POLICY_VMPL);
    const uint32_t vmpl = p->report->vmpl;
    if (vmpl == SNP_VMPL_HOST)
        verdict_add(out, name, CHECK_FAIL, REASON_POLICY_VMPL, "the host asked for this report");
    else if (p->policy == NULL || (p->policy->mode == POLICY_EXPECT && p->policy->max_vmpl < 0))
        verdict_add(out, name, CHECK_SKIP, REASON_OK, "not asked for");
    else
        verdict_add(out, name,
                    vmpl <= (uint32_t)policy_max_vmpl(p->policy) ? CHECK_PASS : CHECK_FAIL,
                    REASON_POLICY_VMPL, "VMPL %u, at most %d", vmpl, policy_max_vmpl(p->policy));
}

static void check_signer(const struct policy_hearing *p, struct verdict *out)
{
    const uint8_t key = p->report->signing_key;
    const bool known = key < SIGNER_COUNT;
    condition(out, REASON_POLICY_SIGNING_KEY, p->policy != NULL && p->policy->signing_keys != 0,
              known && p->policy != NULL && (p->policy->signing_keys >> key & 1) != 0,
              known ? name_of(&snp_signer_names, key) : "neither VCEK nor VLEK");
}

/* Names the provider of a VLEK; a VCEK has none and is left to signing_keys. */
static void check_csp(const struct policy_hearing *p, struct verdict *out)
{
    const bool vlek = p->ek != NULL && p->ek->signer == SIGNER_VLEK;
    const bool asked = p->policy != NULL && p->policy->csp_count > 0 &&
                       (vlek || p->report->signing_key == SIGNER_VLEK);
    bool met = false;
    for (size_t i = 0; asked && vlek && i < p->policy->csp_count; i++)
        met = met || strcmp(p->policy->vlek_csp_id[i], p->ek->csp_id) == 0;
    condition(out, REASON_POLICY_CSP, asked, met, vlek ? p->ek->csp_id : "no VLEK");
}

static void check_floor(const struct policy_hearing *p, struct verdict *out)
{
    const char *name = name_of(&reason_names, REASON_POLICY_TCB);
    if (p->policy == NULL || !p->policy->has_min_tcb) {
        verdict_add(out, name, CHECK_SKIP, REASON_OK, "not asked for");
        return;
    }
    if (p->product == PRODUCT_UNKNOWN || !p->policy->has_floor[p->product]) {
        verdict_add(out, name, CHECK_FAIL, REASON_POLICY_TCB, "the policy has no floor for %s",
                    name_of(&snp_product_names, (int)p->product));
        return;
    }
    const struct snp_tcb reported = snp_tcb_split(p->report->reported_tcb, p->line);
    const struct snp_tcb least = tcb_floor_at(&p->policy->min_tcb[p->product], p->rules_at);
    const enum tcb_part low = snp_tcb_below(&reported, &least);
    if (low == TCB_PART_COUNT)
        verdict_add(out, name, CHECK_PASS, REASON_OK, "at or above the floor of %s",
                    name_of(&snp_product_names, (int)p->product));
    else
        verdict_add(out, name, CHECK_FAIL, REASON_POLICY_TCB, "%s is %u, at least %u",
                    name_of(&tcb_part_names, (int)low), reported.part[low], least.part[low]);
}

/* Bits without a word are judged by nobody: firmware adds some. */
static void check_bits(struct verdict *out, enum reason reason, const struct bit_word *words,
                       uint64_t set, uint64_t forbid, uint64_t require)
{
    const char *name = name_of(&reason_names, (int)reason);
    if ((forbid | require) == 0) {
        verdict_add(out, name, CHECK_SKIP, REASON_OK, "not asked for");
        return;
    }
    for (const struct bit_word *w = words; w->name != NULL; w++) {
        const uint64_t bit = UINT64_C(1) << w->from;
        const bool forbidden = (forbid & bit) != 0 && (set & bit) != 0;
        const bool lacking = (require & bit) != 0 && (set & bit) == 0;
        if (forbidden || lacking) {
            verdict_add(out, name, CHECK_FAIL, reason, "%s is %s", w->name,
                        forbidden ? "set" : "clear");
            return;
        }
    }
    verdict_add(out, name, CHECK_PASS, REASON_OK, "as the policy wants it");
}

static void check_platform(const struct policy_hearing *p, struct verdict *out)
{
    const struct snp_policy *asked = p->policy;
    check_bits(out, REASON_POLICY_PLATFORM_INFO, snp_platform_words, p->report->platform_info,
               asked != NULL ? asked->forbid_platform_info : 0,
               asked != NULL ? asked->require_platform_info : 0);
}

static void check_launch_policy(const struct policy_hearing *p, struct verdict *out)
{
    const struct snp_policy *asked = p->policy;
    check_bits(out, REASON_POLICY_GUEST_POLICY, snp_policy_words, p->report->policy,
               asked != NULL ? asked->forbid_guest_policy : 0,
               asked != NULL ? asked->require_guest_policy : 0);
}

/* Reports before version 5 have no vectors, and those read as zeroes: no mitigation is named. */
static void check_mitigations(const struct policy_hearing *p, struct verdict *out)
{
    const uint64_t launch = p->policy != NULL ? p->policy->require_launch_mit_vector : 0;
    const uint64_t current = p->policy != NULL ? p->policy->require_current_mit_vector : 0;
    const uint64_t unlaunched = launch & ~p->report->launch_mit_vector;
    const uint64_t lacking = current & ~p->report->current_mit_vector;
    char detail[CHECK_DETAIL_SIZE] = "all that the policy requires";
    if ((unlaunched | lacking) != 0)
        snprintf(detail, sizeof detail, "bit %d of the %s vector of a report of version %u",
                 __builtin_ctzll(unlaunched != 0 ? unlaunched : lacking),
                 unlaunched != 0 ? "launch" : "current", p->report->version);
    condition(out, REASON_POLICY_MIT_VECTOR, (launch | current) != 0, (unlaunched | lacking) == 0,
              detail);
}

static void check_committed(const struct policy_hearing *p, struct verdict *out)
{
    const bool met = p->report->committed_tcb == p->report->current_tcb;
    condition(out, REASON_POLICY_COMMITTED_TCB,
              p->policy != NULL && p->policy->require_committed_tcb, met,
              met ? "committed to all that runs" : "what runs is not committed to yet");
}

static void check_guest_svn(const struct policy_hearing *p, struct verdict *out)
{
    char detail[CHECK_DETAIL_SIZE];
    const int64_t least = p->policy != NULL ? p->policy->min_guest_svn : 0;
    snprintf(detail, sizeof detail, "%u, at least %lld", p->report->guest_svn, (long long)least);
    condition(out, REASON_POLICY_GUEST_SVN, least != 0, p->report->guest_svn >= least, detail);
}

/* A list of chips, so that what names none is on no list. */
static void check_chip(const struct policy_hearing *p, struct verdict *out)
{
    const struct span chip = SPAN_OF(p->report->chip_id);
    const bool asked = p->policy != NULL && p->policy->chip_id.said && !p->policy->chip_id.any;
    const bool named = p->report->signing_key == SIGNER_VCEK && !span_is_zero(chip);
    const bool met = asked && named && value_set_has(&p->policy->chip_id, chip);
    const char *detail = met ? "a chip of the policy" : "not a chip of the policy";
    condition(out, REASON_POLICY_CHIP_ID, asked, met, named ? detail : "nothing names the chip");
}

static void check_measurement(const struct policy_hearing *p, struct verdict *out)
{
    const bool asked =
        p->policy != NULL && (p->policy->mode == POLICY_WHOLE || p->policy->measurement.said);
    const char *detail = "not a reference value";
    bool met = false;
    if (asked) {
        met =
            value_set_has_at(&p->policy->measurement, SPAN_OF(p->report->measurement), p->rules_at);
        if (!p->policy->measurement.said)
            detail = "the policy names no measurement";
        else if (p->policy->measurement.any)
            detail = "the policy takes any measurement";
        else if (met)
            detail = "a reference value";
    }
    condition(out, REASON_POLICY_MEASUREMENT, asked, met, detail);
}

static void check_report_data(const struct policy_hearing *p, struct verdict *out)
{
    const struct span data = SPAN_OF(p->report->report_data);
    const bool said = p->policy != NULL && p->policy->report_data.said;
    const bool bound = p->expected_report_data.len > 0;
    const bool met = (!said || value_set_has(&p->policy->report_data, data)) &&
                     (!bound || span_equal(p->expected_report_data, data));
    const char *detail = met ? "the expected binding" : "not the expected binding";
    if (said && p->policy->report_data.any && !bound)
        detail = "the policy takes any report data";
    condition(out, REASON_POLICY_REPORT_DATA, said || bound, met, detail);
}

static void check_digests(const struct policy_hearing *p, struct verdict *out)
{
    const struct snp_policy *policy = p->policy;
    const bool host = policy != NULL && policy->host_data.said;
    condition(out, REASON_POLICY_HOST_DATA, host,
              host && value_set_has(&policy->host_data, SPAN_OF(p->report->host_data)),
              "host data set at launch");
    const bool id = policy != NULL && policy->id_key_digest.said;
    const bool author = policy != NULL && policy->author_key_digest.said;
    const bool met =
        (!id || value_set_has(&policy->id_key_digest, SPAN_OF(p->report->id_key_digest))) &&
        (!author ||
         value_set_has(&policy->author_key_digest, SPAN_OF(p->report->author_key_digest)));
    condition(out, REASON_POLICY_ID_KEY, id || author, met, "signer of the ID block");
}

/* A report carries no time of its own: its age is that of the nonce in it. */
static void check_age(const struct policy_hearing *p, struct verdict *out)
{
    const char *name = name_of(&reason_names, REASON_POLICY_AGE);
    if (p->policy == NULL || p->policy->max_age_seconds == 0) {
        verdict_add(out, name, CHECK_SKIP, REASON_OK, "not asked for");
        return;
    }
    const int64_t age = moment_seconds_between(p->asked_at, p->at);
    if (moment_is_none(p->asked_at))
        verdict_add(out, name, CHECK_FAIL, REASON_POLICY_AGE,
                    "a report carries no time, and when its nonce was issued is not known");
    else
        verdict_add(out, name,
                    age >= 0 && age <= p->policy->max_age_seconds ? CHECK_PASS : CHECK_FAIL,
                    REASON_POLICY_AGE, "%lld s since the nonce, at most %lld", (long long)age,
                    (long long)p->policy->max_age_seconds);
}

void judge_policy_unread(struct verdict *out)
{
    for (int reason = REASON_POLICY_DEBUG; reason <= REASON_POLICY_AGE; reason++)
        verdict_add(out, name_of(&reason_names, reason), CHECK_SKIP, REASON_OK, "no report");
}

void judge_policy(const struct policy_hearing *p, struct verdict *out)
{
    check_guest_policy(p, out);
    check_vmpl(p, out);
    check_signer(p, out);
    check_csp(p, out);
    check_floor(p, out);
    check_platform(p, out);
    check_measurement(p, out);
    check_report_data(p, out);
    check_digests(p, out);
    check_launch_policy(p, out);
    check_mitigations(p, out);
    check_committed(p, out);
    check_guest_svn(p, out);
    check_chip(p, out);
    check_age(p, out);
}

static void set_anchor(struct verdict *out, enum anchor_kind kind, struct span value)
{
    if (span_is_zero(value))
        return; /* nobody put anything there */
    anchor_hash(kind, value, out->anchor_hash);
    out->anchor = kind;
}

/* What the host wrote at launch says which instance this is only where the digest covers what
 * boots: under firmware alone the host may boot anything beside any host data. */
static void set_id_block(const struct snp_report *report, struct verdict *out)
{
    OWNED(bytes_done) struct bytes block = {0};
    if (span_is_zero(SPAN_OF(report->id_key_digest)))
        return;
    bytes_add(&block, SPAN_OF(report->id_key_digest));
    bytes_add(&block, SPAN_OF(report->family_id));
    bytes_add(&block, SPAN_OF(report->image_id));
    set_anchor(out, ANCHOR_ID_BLOCK, bytes_span(&block));
}

static void find_anchor(const struct judge_input *in, const struct snp_report *report,
                        struct verdict *out)
{
    if (!in->image.measured_boot)
        return;
    switch (in->image.anchor) {
    case ANCHOR_HOST_DATA:
        set_anchor(out, ANCHOR_HOST_DATA, SPAN_OF(report->host_data));
        break;
    case ANCHOR_ID_BLOCK:
        set_id_block(report, out);
        break;
    case ANCHOR_VTPM: /* of other evidence, like the next */
    case ANCHOR_ENCLAVE:
    case ANCHOR_CLOUD_TOKEN:
    case ANCHOR_NONE:
    case ANCHOR_KIND_COUNT:
        break;
    }
}

static void name_machine(const struct snp_report *report, struct verdict *out)
{
    struct verdict host = {.anchor = ANCHOR_NONE};
    struct verdict block = {.anchor = ANCHOR_NONE};
    set_anchor(&host, ANCHOR_HOST_DATA, SPAN_OF(report->host_data));
    set_id_block(report, &block);
    memcpy(out->named[0], host.anchor_hash, sizeof out->named[0]);
    memcpy(out->named[1], block.anchor_hash, sizeof out->named[1]);
}

static void name_maker(const struct snp_ek *ek, const struct snp_report *report,
                       struct provenance *out)
{
    out->has_line = ek->line != LINE_UNKNOWN;
    out->line = ek->line;
    memcpy(out->csp_id, ek->csp_id, sizeof out->csp_id);
    memcpy(out->signers[0], report->id_key_digest, sizeof out->signers[0]);
    memcpy(out->signers[1], report->author_key_digest, sizeof out->signers[1]);
}

/* Any measurement, or none compared at all, proves nothing of what booted. */
static bool measurement_is_pinned(const struct judge_input *in, const struct verdict *v)
{
    return in->policy != NULL && in->policy->has_snp &&
           !policy_takes_any_measurement(&in->policy->snp) &&
           verdict_passed(v, name_of(&reason_names, REASON_POLICY_MEASUREMENT));
}

/* Any report data, or none compared at all, proves nothing of when the report was made. */
static bool report_data_is_pinned(const struct judge_input *in, const struct verdict *v)
{
    const bool named = in->policy != NULL && in->policy->has_snp &&
                       in->policy->snp.report_data.said && !in->policy->snp.report_data.any;
    return (named || in->expected_report_data.len > 0) &&
           verdict_passed(v, name_of(&reason_names, REASON_POLICY_REPORT_DATA));
}

static void add_residuals(const struct judge_input *in, const struct snp_report *report,
                          struct verdict *out)
{
    const struct snp_ek *ek = &in->endorsements->facts;
    const bool floor = in->policy != NULL && in->policy->has_snp && in->policy->snp.has_min_tcb;
    const bool facts[RESIDUAL_COUNT] = {
        [RESIDUAL_PROVIDER_FIRMWARE] = !in->image.measured_boot,
        [RESIDUAL_MILAN_ROOT_SEED] = ek->line == LINE_MILAN,
        [RESIDUAL_NO_CHIP_IDENTITY] = ek->signer == SIGNER_VLEK,
        [RESIDUAL_NO_TCB_FLOOR] = !floor,
        [RESIDUAL_NO_REVOCATION] = !verdict_passed(out, "revocation"),
        [RESIDUAL_MIGRATION_AGENT] = (report->policy & SNP_POLICY_MIGRATE_MA) != 0,
    };
    for (size_t i = 0; i < RESIDUAL_COUNT; i++)
        if (facts[i])
            out->residuals |= 1u << i;
}

void judge_proof(const struct judge_input *in, const struct snp_report *report, struct verdict *out)
{
    if (!out->trusted || report == NULL) {
        verdict_grade(out, &in->standing);
        return;
    }
    const bool debug = (report->policy & SNP_POLICY_DEBUG) != 0;
    const bool pinned = measurement_is_pinned(in, out);
    out->hardware = SOURCE_HARDWARE;
    if (debug)
        out->missing |= 1u << MISSING_DEBUG_OFF;
    if (!pinned)
        out->missing |= 1u << MISSING_PINNED_MEASUREMENT;
    if (!in->image.provider_execution_off)
        out->missing |= 1u << MISSING_PROVIDER_EXECUTION;
    if (!report_data_is_pinned(in, out))
        out->missing |= 1u << MISSING_FRESHNESS;
    if (in->image.measured_boot && in->image.provider_execution_off && pinned && !debug)
        out->software = SOURCE_HARDWARE;
    find_anchor(in, report, out);
    name_machine(report, out);
    name_maker(&in->endorsements->facts, report, &out->made);
    if (out->anchor != ANCHOR_NONE)
        out->identity = SOURCE_HARDWARE;
    add_residuals(in, report, out);
    verdict_grade(out, &in->standing);
}
