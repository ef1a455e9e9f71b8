#include "lib/attest/replay.h"

#include <stdlib.h>
#include <string.h>

#include "lib/attest/cert_table.h"
#include "lib/attest/cose_sign1.h"
#include "lib/attest/deny.h"
#include "lib/attest/evidence_lack.h"
#include "lib/attest/nitro_document.h"
#include "lib/attest/tpm_quote.h"
#include "lib/crypto/x509.h"

enum { CHAINS_KEPT = 4096, MAKERS_MAX = 8 };

/* The chip maker, or one of the simulators that the charter names. */
struct maker {
    uint8_t blob[SHA256_SIZE]; /* digest of its root as it comes with evidence; zero: AMD */
    struct snp_roots *roots;   /* NULL: AMD's */
    struct snp_cache *chains;
};

struct replay {
    const struct charter *charter;
    struct moment at;
    struct bytes lists[LINE_COUNT];
    size_t maker_count;
    struct maker makers[MAKERS_MAX];
};

struct replay *replay_new(const struct charter *candidate, struct moment at)
{
    struct replay *replay = NEW(struct replay);
    replay->charter = candidate;
    replay->at = at;
    replay->makers[replay->maker_count++].chains = snp_cache_new(snp_roots_amd(), CHAINS_KEPT);
    return replay;
}

void replay_free(struct replay *replay)
{
    if (replay == NULL)
        return;
    for (size_t i = 0; i < replay->maker_count; i++) {
        snp_cache_free(replay->makers[i].chains);
        snp_roots_free(replay->makers[i].roots);
    }
    for (size_t i = 0; i < LINE_COUNT; i++)
        bytes_done(&replay->lists[i]);
    free(replay);
}

/* ---- whose chip ----------------------------------------------------------------------------- */

static struct maker *known_maker(struct replay *replay, const uint8_t blob[static SHA256_SIZE])
{
    for (size_t i = 1; i < replay->maker_count; i++)
        if (memcmp(replay->makers[i].blob, blob, SHA256_SIZE) == 0)
            return &replay->makers[i];
    return NULL;
}

static bool is_chartered(const struct charter *charter, struct span ark)
{
    uint8_t root[SHA256_SIZE];
    OWNED(x509_list_done) struct x509_list certs = {0};
    if (x509_list_read(&certs, ark, NULL) != OK || certs.count != 1)
        return false;
    x509_sha256(certs.at[0], root);
    return charter_values_have(&charter->simulator_roots, SPAN_OF(root));
}

/* The keeper has the simulator's roots; here they come with the evidence, and count where the
 * charter names their digest. */
static struct maker *simulator_of(struct replay *replay, const struct evidence *evidence)
{
    struct cert_table table;
    uint8_t blob[SHA256_SIZE];
    if (cert_table_read(bytes_span(&evidence->cert_table), &table, NULL) != OK)
        return NULL;
    const struct span ark = cert_table_find(&table, TABLE_ARK);
    digest(DIGEST_SHA256, ark, blob);
    struct maker *maker = known_maker(replay, blob);
    if (maker != NULL || replay->maker_count == MAKERS_MAX || !is_chartered(replay->charter, ark))
        return maker;
    maker = &replay->makers[replay->maker_count];
    if (snp_roots_custom(&ark, 1, &maker->roots, NULL) != OK)
        return NULL;
    memcpy(maker->blob, blob, sizeof blob);
    maker->chains = snp_cache_new(maker->roots, CHAINS_KEPT);
    replay->maker_count++;
    return maker;
}

void replay_use_list(struct replay *replay, enum snp_line line, struct span crl)
{
    bytes_done(&replay->lists[line]);
    bytes_add(&replay->lists[line], crl);
}

static struct span list_for(const struct replay *replay, const struct evidence *evidence)
{
    struct snp_report report;
    struct evidence_lack lack = {.known = false};
    enum snp_line line = LINE_UNKNOWN;
    if (snp_report_read(evidence_report(evidence), &report, NULL) == OK &&
        snp_report_has_product(&report))
        line = snp_product_line(snp_report_product(&report));
    else
        evidence_lack_find(evidence, &lack);
    if (lack.known)
        line = lack.crl.line;
    return line < LINE_UNKNOWN ? bytes_span(&replay->lists[line]) : (struct span){0};
}

/* ---- whose signature ------------------------------------------------------------------------ */

struct whose {
    struct snp_cache *chains;
    struct nitro_roots enclaves;
    struct moment at; /* of a document, whose certificates live for hours */
    bool simulated;
};

/* A simulator stands for AWS too, where the charter names the root that came. */
static bool whose_enclave(const struct replay *replay, const struct evidence *evidence,
                          struct whose *out)
{
    struct cose_sign1 cose;
    struct nitro_document document;
    uint8_t root[SHA256_SIZE];
    out->enclaves = nitro_roots_aws;
    if (cose_sign1_read(bytes_span(&evidence->document), &cose, NULL) != OK ||
        nitro_document_read(cose.payload, &document, NULL) != OK)
        return true;
    if (document.timestamp_ms / 1000 <= UINT32_MAX) /* nobody has vouched for it yet */
        out->at = clock_at_seconds((int64_t)(document.timestamp_ms / 1000));
    if (replay->charter->realm != REALM_SIMULATION || document.bundle_count == 0)
        return true;
    digest(DIGEST_SHA256, document.bundle[0], root);
    if (memcmp(root, nitro_roots_aws.sha256[0], sizeof root) == 0)
        return true;
    out->simulated = true;
    out->enclaves = (struct nitro_roots){0};
    return charter_values_have(&replay->charter->simulator_roots, SPAN_OF(root)) &&
           nitro_roots_add(&out->enclaves, document.bundle[0], NULL) == OK;
}

static bool whose_chip(struct replay *replay, const struct evidence *evidence, struct whose *out)
{
    struct maker *maker = &replay->makers[0];
    const bool may_be_simulated =
        evidence->kind == EVIDENCE_SIMULATED ||
        (evidence->kind != EVIDENCE_SNP && replay->charter->realm == REALM_SIMULATION);
    if (may_be_simulated)
        maker = simulator_of(replay, evidence);
    if (maker == NULL && evidence->kind == EVIDENCE_SIMULATED)
        return false;
    out->simulated = out->simulated || (maker != NULL && may_be_simulated);
    out->chains = maker != NULL ? maker->chains : replay->makers[0].chains;
    return true;
}

/* False: a simulator's that the charter does not name. */
static bool whose_signature(struct replay *replay, const struct evidence *evidence,
                            struct whose *out)
{
    *out = (struct whose){.at = replay->at};
    if (evidence->document.len > 0 && !whose_enclave(replay, evidence, out))
        return false;
    return evidence->kind == EVIDENCE_NITRO || whose_chip(replay, evidence, out);
}

/* ---- judging -------------------------------------------------------------------------------- */

static void refuse(struct replay_answer *out, const char *reason)
{
    error_ignore(text_copy(out->reason, sizeof out->reason, reason, "", NULL));
}

static void refuse_all(struct replay_answer *out, const char *reason)
{
    out->trusted = false;
    out->level = LEVEL_0;
    out->software = SOURCE_NONE;
    out->documents = DOCUMENTS_NONE;
    refuse(out, reason);
}

/* What the keeper does after the judgement, with the same words. */
static void apply_deny_lists(const struct charter *charter, const struct replay_case *c,
                             const struct evidence_facts *facts, const struct verdict *verdict,
                             struct replay_answer *out)
{
    struct charter_case denied = deny_case(facts, verdict);
    struct error why = {0};
    memcpy(denied.link_key, c->link_key, sizeof denied.link_key);
    if (!out->trusted || charter_check_denied(charter, &denied, &why) == OK)
        return;
    refuse_all(out, why.code);
}

static struct moment at_of(const struct replay *replay, const struct replay_case *c)
{
    return moment_is_none(c->at) ? replay->at : c->at;
}

/* What ends between the replay's day and the time that is asked about. */
static void apply_end(struct moment at, struct replay_answer *out)
{
    const struct moment end = out->endorsed_until;
    if (out->trusted && !moment_is_none(end) && end.us < at.us)
        refuse_all(out, name_of(&reason_names, REASON_CERT_EXPIRED));
}

static void judge_it(struct replay *replay, const struct replay_case *c,
                     const struct charter_policy *policy, const struct evidence *evidence,
                     const struct whose *whose, struct replay_answer *out)
{
    OWNED(verdict_done) struct verdict verdict = {0};
    struct evidence_facts facts;
    struct tpm_quote quote;
    struct evidence_terms terms = {
        .chains = whose->chains,
        .nitro_roots = &whose->enclaves,
        .simulation_realm = replay->charter->realm == REALM_SIMULATION,
        .simulated = whose->simulated,
        .policy = policy->policy,
        .at = replay->at,
        .rules_at = at_of(replay, c),
        .asked_at = replay->at,
        .signature_known = c->signature_known,
        .without_claims = true,
        .answered = true,
        .documents_then = c->documents_then,
        .standing = {.custody_outside = replay->charter->custody_outside},
        .clouds = &replay->charter->clouds,
        .declared = c->declared,
    };
    evidence_terms_add_crl(&terms, list_for(replay, evidence));
    evidence_facts(evidence, &facts);
    if (evidence->kind == EVIDENCE_NITRO)
        terms.at = whose->at;
    if (evidence->document.len > 0)
        terms.document_at = whose->at;
    if (evidence->kind == EVIDENCE_SNP_AZURE &&
        tpm_quote_read(bytes_span(&evidence->quote), &quote, NULL) == OK)
        terms.given = quote.extra_data; /* it was the answer then */
    memcpy(out->measurement, facts.measurement, sizeof out->measurement);
    (void)charter_image_facts(replay->charter, policy, evidence->kind, SPAN_OF(facts.measurement),
                              terms.rules_at, &terms.image);
    evidence_judge(evidence, &terms, &verdict);
    out->trusted = verdict.trusted;
    out->level = verdict.level;
    out->software = verdict.software;
    out->documents = verdict.where.documents;
    refuse(out,
           name_of(&reason_names, (int)(out->documents == DOCUMENTS_SUSPECT ? verdict.where.reason
                                                                            : verdict.reason)));
    out->endorsed_until = verdict.endorsed_until;
    apply_deny_lists(replay->charter, c, &facts, &verdict, out);
    apply_end(terms.rules_at, out);
}

static void read_product(const struct evidence *evidence, struct replay_answer *out)
{
    struct snp_report report;
    out->product = PRODUCT_UNKNOWN;
    if (snp_report_read(evidence_report(evidence), &report, NULL) == OK)
        out->product = snp_report_product(&report);
}

void replay_judge(struct replay *replay, const struct replay_case *c, struct replay_answer *out)
{
    OWNED(evidence_done) struct evidence evidence = {0};
    struct whose whose;
    const struct charter_policy *policy = charter_find_policy(replay->charter, c->policy);
    *out = (struct replay_answer){.product = PRODUCT_UNKNOWN};
    if (evidence_parse(c->evidence, &evidence, NULL) != OK) {
        refuse(out, name_of(&reason_names, REASON_MALFORMED));
        return;
    }
    read_product(&evidence, out);
    if (policy == NULL)
        refuse(out, "policy-unknown");
    else if (!whose_signature(replay, &evidence, &whose))
        refuse(out, "simulator-not-chartered");
    else
        judge_it(replay, c, policy, &evidence, &whose, out);
}
