/* Opinions: what the keeper thinks of evidence that anybody shows it (trust.md section 6). Nobody
 * was challenged, so an opinion opens nothing; it has a type, an audience and a key of its own. */
#include <string.h>

#include "keeper/inside.h"
#include "lib/attest/deny.h"

/* By which policy: one of the charter's, one that the asker wrote, or none. */
struct measure {
    const struct charter_policy *chartered;
    struct policy *own;
    uint8_t digest[SHA256_SIZE];
};

static void measure_done(struct measure *m)
{
    mem_drop(&m->own);
}

static enum outcome read_own(const json_t *json, struct measure *out, struct error *err)
{
    OWNED(mem_drop) char *printed = json_print(json);
    out->own = NEW(struct policy);
    digest(DIGEST_SHA256, span_of_text(printed), out->digest);
    return policy_from_json(json, "/appraisal", POLICY_WHOLE, out->own, err);
}

static enum outcome choose_measure(const struct charter *charter, const struct opinion_wish *wish,
                                   struct measure *out, struct error *err)
{
    if (wish->policy[0] != '\0' && wish->appraisal != NULL)
        return fail_at(err, ERR_INVALID, "wrong-value", "/appraisal",
                       "a policy by name, or one of the asker's own");
    if (wish->appraisal != NULL)
        return read_own(wish->appraisal, out, err);
    if (wish->policy[0] == '\0')
        return OK;
    out->chartered = charter_find_policy(charter, wish->policy);
    if (out->chartered == NULL)
        return fail_code(err, ERR_DENIED, "policy-unknown", "the charter has no policy %s",
                         wish->policy);
    memcpy(out->digest, out->chartered->digest, sizeof out->digest);
    return OK;
}

/* One wish, and what comes of it. */
struct hearing {
    const struct charter *charter;
    const struct opinion_wish *wish;
    struct measure measure;
    struct evidence evidence;
    struct evidence_facts facts;
    struct verdict verdict;
    struct charter_case about;
    struct conclusion said;
};

static void hearing_done(struct hearing *h)
{
    measure_done(&h->measure);
    evidence_done(&h->evidence);
    verdict_done(&h->verdict);
}

static enum outcome judge_it(const struct keeper *k, struct hearing *h, struct error *err)
{
    const struct charter_policy *chartered = h->measure.chartered;
    const enum evidence_kind kind = h->evidence.kind;
    struct evidence_terms terms;
    struct evidence_binding shown;
    TRY(keeper_terms(k, h->charter, kind, &terms, err));
    evidence_terms_add_crl(&terms, bytes_span(&h->wish->crl));
    terms.given = bytes_span(&h->wish->nonce);
    if (h->wish->link_key.len > 0) {
        TRY(evidence_shown(kind, bytes_span(&h->wish->nonce), bytes_span(&h->wish->link_key),
                           &shown, err));
        terms.binding = &shown;
    }
    terms.policy = chartered != NULL ? chartered->policy : h->measure.own;
    if (chartered != NULL)
        (void)charter_image_facts(h->charter, chartered, kind, SPAN_OF(h->facts.measurement),
                                  terms.at, &terms.image);
    evidence_judge(&h->evidence, &terms, &h->verdict);
    return OK;
}

/* What the charter denies is not trusted here either; a key, where the guest showed it. */
static void conclude(const struct keeper *k, struct hearing *h)
{
    h->about = deny_case(&h->facts, &h->verdict);
    if (h->wish->link_key.len > 0)
        digest(DIGEST_SHA256, bytes_span(&h->wish->link_key), h->about.link_key);
    keeper_conclude(k, h->charter, &h->about, &h->verdict, &h->said);
}

static enum nonce_source source_of(const struct opinion_wish *wish)
{
    if (wish->link_key.len > 0)
        return NONCE_SHOWN;
    return wish->nonce.len > 0 ? NONCE_ASKERS : NONCE_NOBODYS;
}

static void fill_claims(const struct keeper *k, const struct hearing *h, struct opinion_claims *out)
{
    const struct conclusion *said = &h->said;
    memcpy(out->deployment, k->deployment, sizeof out->deployment);
    out->realm = k->realm;
    out->kind = h->evidence.kind;
    digest(DIGEST_SHA256, bytes_span(&h->wish->evidence), out->evidence);
    memcpy(out->verdict, said->verdict, sizeof out->verdict);
    memcpy(out->reason, said->reason, sizeof out->reason);
    memcpy(out->policy, h->wish->policy, sizeof out->policy);
    memcpy(out->policy_digest, h->measure.digest, sizeof out->policy_digest);
    out->charter_serial = h->charter->serial;
    out->nonce_source = source_of(h->wish);
    bytes_add(&out->nonce, bytes_span(&h->wish->nonce));
    memcpy(out->link_key, h->about.link_key, sizeof out->link_key);
    out->hardware = said->hardware;
    out->software = said->software;
    out->identity = said->identity;
    out->level = said->level;
    out->missing = name_set_to_json(&missing_names, h->verdict.missing);
    out->residuals = name_set_to_json(&residual_names, h->verdict.residuals);
    memcpy(out->measurement, h->facts.measurement, sizeof out->measurement);
    out->simulated = h->verdict.simulated;
}

/* Whole, and as it was concluded. */
static json_t *verdict_shown(const struct hearing *h)
{
    const struct conclusion *said = &h->said;
    json_t *out = verdict_to_json(&h->verdict);
    json_put_text(out, "verdict", said->verdict);
    json_put_text(out, "reason", said->reason);
    json_put_text(out, "level", name_of(&level_names, (int)said->level));
    json_put_new(out, "trust_vector", trust_vector_to_json(&said->vector));
    json_put_text(out, "hardware", name_of(&source_names, (int)said->hardware));
    json_put_text(out, "software", name_of(&source_names, (int)said->software));
    json_put_text(out, "identity", name_of(&source_names, (int)said->identity));
    return out;
}

static enum outcome sign(const struct keeper *k, const struct hearing *h, struct opinion_reply *out,
                         struct error *err)
{
    struct opinion_claims claims = {0};
    fill_claims(k, h, &claims);
    enum outcome outcome = opinion_token_print(k->opinion_signer, &claims, &h->said.vector,
                                               clock_now(), &out->token, err);
    record_done(&opinion_claims_record, &claims);
    TRY(outcome);
    out->verdict = verdict_shown(h);
    return OK;
}

enum outcome keeper_opinion(struct keeper *k, const struct opinion_wish *wish,
                            struct opinion_reply *out, struct error *err)
{
    OWNED(hearing_done) struct hearing h = {.wish = wish};
    TRY(keeper_check_halt(k, err));
    TRY(keeper_charter(k, &h.charter, err));
    if (k->opinion_signer == NULL)
        return fail_code(err, ERR_DENIED, "no-opinion-key", "this keeper has no key for opinions");
    TRY(keeper_may_sign(k->opinion_cert, err));
    TRY(choose_measure(h.charter, wish, &h.measure, err));
    TRY(evidence_parse(bytes_span(&wish->evidence), &h.evidence, err));
    evidence_facts(&h.evidence, &h.facts);
    TRY(judge_it(k, &h, err));
    conclude(k, &h);
    return sign(k, &h, out, err);
}
