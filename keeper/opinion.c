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

static enum outcome judge_it(const struct keeper *k, const struct charter *charter,
                             const struct measure *measure, const struct opinion_wish *wish,
                             const struct evidence *evidence, const struct evidence_facts *facts,
                             struct verdict *out, struct error *err)
{
    struct evidence_terms terms;
    struct evidence_binding shown;
    TRY(keeper_terms(k, charter, evidence->kind, &terms, err));
    evidence_terms_add_crl(&terms, bytes_span(&wish->crl));
    terms.given = bytes_span(&wish->nonce);
    if (wish->link_key.len > 0) {
        TRY(evidence_shown(evidence->kind, bytes_span(&wish->nonce), bytes_span(&wish->link_key),
                           &shown, err));
        terms.binding = &shown;
    }
    terms.policy = measure->chartered != NULL ? measure->chartered->policy : measure->own;
    if (measure->chartered != NULL)
        (void)charter_image_facts(charter, measure->chartered, evidence->kind,
                                  SPAN_OF(facts->measurement), terms.at, &terms.image);
    evidence_judge(evidence, &terms, out);
    return OK;
}

static enum nonce_source source_of(const struct opinion_wish *wish)
{
    if (wish->link_key.len > 0)
        return NONCE_SHOWN;
    return wish->nonce.len > 0 ? NONCE_ASKERS : NONCE_NOBODYS;
}

static void fill_claims(const struct keeper *k, const struct charter *charter,
                        const struct measure *measure, const struct opinion_wish *wish,
                        enum evidence_kind kind, const struct evidence_facts *facts,
                        const struct verdict *verdict, struct opinion_claims *out)
{
    memcpy(out->deployment, k->deployment, sizeof out->deployment);
    out->realm = k->realm;
    out->kind = kind;
    digest(DIGEST_SHA256, bytes_span(&wish->evidence), out->evidence);
    error_ignore(text_copy(out->verdict, sizeof out->verdict,
                           verdict->trusted ? "trusted" : "rejected", "", NULL));
    error_ignore(text_copy(out->reason, sizeof out->reason,
                           name_of(&reason_names, (int)verdict->reason), "", NULL));
    memcpy(out->policy, wish->policy, sizeof out->policy);
    memcpy(out->policy_digest, measure->digest, sizeof out->policy_digest);
    out->charter_serial = charter->serial;
    out->nonce_source = source_of(wish);
    bytes_add(&out->nonce, bytes_span(&wish->nonce));
    if (out->nonce_source == NONCE_SHOWN)
        digest(DIGEST_SHA256, bytes_span(&wish->link_key), out->link_key);
    out->hardware = verdict->hardware;
    out->software = verdict->software;
    out->identity = verdict->identity;
    out->level = verdict->level;
    out->missing = name_set_to_json(&missing_names, verdict->missing);
    out->residuals = name_set_to_json(&residual_names, verdict->residuals);
    memcpy(out->measurement, facts->measurement, sizeof out->measurement);
    out->simulated = verdict->simulated;
}

/* What the charter denies is not trusted here either. */
static json_t *apply_deny_lists(const struct keeper *k, const struct charter *charter,
                                const struct evidence_facts *facts, const struct verdict *verdict,
                                struct opinion_claims *claims, struct trust_vector *vector)
{
    const struct charter_case c = deny_case(facts, verdict);
    struct error err = {0};
    json_t *shown = verdict_to_json(verdict);
    if (!verdict->trusted || keeper_check_denied(k, charter, &c, vector, &err) == OK)
        return shown;
    static const char *const sources[] = {"hardware", "software", "identity"};
    error_ignore(text_copy(claims->verdict, sizeof claims->verdict, "rejected", "", NULL));
    error_ignore(text_copy(claims->reason, sizeof claims->reason, err.code, "", NULL));
    claims->hardware = claims->software = claims->identity = SOURCE_NONE;
    claims->level = LEVEL_0;
    json_put_text(shown, "verdict", claims->verdict);
    json_put_text(shown, "reason", claims->reason);
    json_put_text(shown, "level", name_of(&level_names, LEVEL_0));
    json_put_new(shown, "trust_vector", trust_vector_to_json(vector));
    for (size_t i = 0; i < countof(sources); i++)
        json_put_text(shown, sources[i], name_of(&source_names, SOURCE_NONE));
    return shown;
}

enum outcome keeper_opinion(struct keeper *k, const struct opinion_wish *wish,
                            struct opinion_reply *out, struct error *err)
{
    const struct charter *charter;
    struct evidence_facts facts;
    struct opinion_claims claims = {0};
    OWNED(evidence_done) struct evidence evidence = {0};
    OWNED(verdict_done) struct verdict verdict = {0};
    OWNED(measure_done) struct measure measure = {0};
    TRY(keeper_check_halt(k, err));
    TRY(keeper_charter(k, &charter, err));
    if (k->opinion_signer == NULL)
        return fail_code(err, ERR_DENIED, "no-opinion-key", "this keeper has no key for opinions");
    TRY(keeper_may_sign(k->opinion_cert, err));
    TRY(choose_measure(charter, wish, &measure, err));
    TRY(evidence_parse(bytes_span(&wish->evidence), &evidence, err));
    evidence_facts(&evidence, &facts);
    TRY(judge_it(k, charter, &measure, wish, &evidence, &facts, &verdict, err));
    fill_claims(k, charter, &measure, wish, evidence.kind, &facts, &verdict, &claims);
    struct trust_vector vector = verdict_vector(&verdict);
    OWNED(json_drop)
    json_t *shown = apply_deny_lists(k, charter, &facts, &verdict, &claims, &vector);
    enum outcome outcome =
        opinion_token_print(k->opinion_signer, &claims, &vector, clock_now(), &out->token, err);
    record_done(&opinion_claims_record, &claims);
    if (outcome == OK)
        out->verdict = TAKE(shown);
    return outcome;
}
