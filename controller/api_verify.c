/* POST /v1/verify: what is to be thought of any evidence. A keeper signs an opinion; without one
 * the controller judges by itself and signs nothing (trust.md section 6). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/api.h"
#include "controller/problem.h"
#include "controller/verify_gate.h"
#include "lib/attest/evidence.h"

enum {
    VERIFY_ITEMS_MAX = 32,
    VERIFY_SECONDS = 30, /* for a whole batch; what is left then is refused */
    VERIFY_NONCE_MAX = 1024,
    CHAINS_KEPT = 4,
};

/* One question, read and found to be one before anybody else is asked. */
struct question {
    struct opinion_wish wish;
    struct evidence evidence;
    struct evidence_binding shown; /* with a link key: what it must answer; borrows that */
    struct policy *own;            /* NULL: the charter's, or none */
};

static void question_done(struct question *q)
{
    record_done(&opinion_wish_record, &q->wish);
    evidence_done(&q->evidence);
    mem_drop(&q->own);
}

/* ---- reading -------------------------------------------------------------------------------- */

/* What was wrong within a member, as wrong in the whole. */
static enum outcome come_out_of(const char *member, enum outcome outcome, const struct error *why,
                                struct error *err)
{
    char where[ERROR_WHERE_SIZE];
    if (outcome == OK)
        return OK;
    snprintf(where, sizeof where, "/%s%.80s", member, why->where);
    return fail_at(err, outcome, why->code, where, "%s: %s", member, why->text);
}

static enum outcome read_evidence(const json_t *item, struct question *out, struct error *err)
{
    json_t *evidence;
    struct error why = {0};
    TRY(json_get_object(item, "", "evidence", &evidence, err));
    OWNED(mem_drop) char *text = json_print(evidence);
    bytes_add(&out->wish.evidence, span_of_text(text));
    enum outcome outcome = evidence_parse(bytes_span(&out->wish.evidence), &out->evidence, &why);
    return come_out_of("evidence", outcome, &why, err);
}

static enum outcome read_policy(const json_t *item, struct question *out, struct error *err)
{
    const json_t *policy = json_object_get(item, "policy");
    const char *name;
    if (policy == NULL)
        return OK;
    if (json_is_object(policy)) {
        out->own = NEW(struct policy);
        out->wish.appraisal = json_incref(json_looked_at(policy));
        return policy_from_json(policy, "/policy", POLICY_WHOLE, out->own, err);
    }
    TRY(json_get_text(item, "", "policy", NAME_SIZE - 1, &name, err));
    if (!text_is_name(name))
        return fail_at(err, ERR_INVALID, "bad-name", "/policy", "not the name of a policy");
    return text_copy(out->wish.policy, sizeof out->wish.policy, name, "/policy", err);
}

static enum outcome read_nonce(const json_t *item, struct question *out, struct error *err)
{
    const char *hex;
    TRY(json_get_text(item, "", "nonce", 2 * VERIFY_NONCE_MAX, &hex, err));
    if (hex[0] == '\0' || hex_decode(hex, &out->wish.nonce, NULL) != OK)
        return fail_at(err, ERR_INVALID, "wrong-value", "/nonce", "/nonce: not hex");
    return OK;
}

/* What a guest's agent made: over the nonce and its link key, not over the nonce itself. */
static enum outcome read_shown_members(const json_t *shown, struct question *out, struct error *err)
{
    static const char *const members[] = {"nonce", "link_key", NULL};
    TRY(json_only(shown, "", members, err));
    TRY(read_nonce(shown, out, err));
    TRY(json_get_base64(shown, "", "link_key", SHOWN_KEY_MAX, &out->wish.link_key, err));
    return evidence_shown(out->evidence.kind, bytes_span(&out->wish.nonce),
                          bytes_span(&out->wish.link_key), &out->shown, err);
}

static enum outcome read_shown(const json_t *item, struct question *out, struct error *err)
{
    json_t *shown;
    struct error why = {0};
    TRY(json_get_object(item, "", "shown", &shown, err));
    if (json_object_get(item, "nonce") != NULL)
        return fail_at(err, ERR_INVALID, "wrong-value", "/nonce", "/nonce: stands in /shown");
    enum outcome outcome = read_shown_members(shown, out, &why);
    return come_out_of("shown", outcome, &why, err);
}

static enum outcome read_question(const json_t *item, struct question *out, struct error *err)
{
    static const char *const members[] = {"evidence", "policy", "nonce", "shown", "crl", NULL};
    TRY(json_only(item, "", members, err));
    TRY(read_policy(item, out, err));
    if (json_object_get(item, "crl") != NULL)
        TRY(json_get_base64(item, "", "crl", CRL_DER_MAX, &out->wish.crl, err));
    TRY(read_evidence(item, out, err));
    if (json_object_get(item, "shown") != NULL)
        return read_shown(item, out, err);
    return json_object_get(item, "nonce") != NULL ? read_nonce(item, out, err) : OK;
}

/* ---- answering ------------------------------------------------------------------------------ */

/* Under the makers' own roots only: a simulator's are the keeper's to know. */
static json_t *judge_here(const struct question *q)
{
    OWNED(snp_cache_drop) struct snp_cache *chains = snp_cache_new(snp_roots_amd(), CHAINS_KEPT);
    OWNED(verdict_done) struct verdict verdict = {0};
    struct evidence_terms terms = {
        .chains = chains,
        .nitro_roots = &nitro_roots_aws,
        .binding = q->wish.link_key.len > 0 ? &q->shown : NULL,
        .given = bytes_span(&q->wish.nonce),
        .policy = q->own,
        .at = clock_now(),
    };
    evidence_terms_add_crl(&terms, bytes_span(&q->wish.crl));
    evidence_judge(&q->evidence, &terms, &verdict);
    return verdict_to_json(&verdict);
}

/* A policy by name is one that the keeper obeys; nobody else can say what it means. */
static enum outcome answer_question(struct request *r, const struct question *q, json_t **out,
                                    struct error *err)
{
    struct opinion_reply reply = {0};
    struct error why = {0};
    enum outcome outcome = r->api->service.opinion(r->api->service.service, &q->wish, &reply, &why);
    if (outcome != OK && strcmp(why.code, "no-keeper") == 0 && q->wish.policy[0] == '\0') {
        *out = judge_here(q);
        return OK;
    }
    if (outcome != OK)
        return fail_at(err, outcome, why.code, why.where, "%s", why.text);
    const bool whole = json_is_object(reply.verdict) && reply.token != NULL;
    if (whole) {
        *out = json_incref(reply.verdict);
        json_put_text(*out, "token", reply.token);
    }
    record_done(&opinion_reply_record, &reply);
    return whole ? OK : fail_code(err, ERR_UNREACHABLE, "no-answer", "the keeper's makes no sense");
}

static enum outcome answer_item(struct request *r, const json_t *item, json_t **out,
                                struct error *err)
{
    OWNED(question_done) struct question q = {0};
    TRY(read_question(item, &q, err));
    return answer_question(r, &q, out, err);
}

static json_t *problem_of(const struct error *err)
{
    const struct error outward = problem_outward(err);
    json_t *out = json_object();
    json_t *problem = json_object();
    json_put_text(problem, "code", outward.code);
    problem_put_text(problem, "where", outward.where);
    problem_put_text(problem, "detail", outward.text);
    json_put_new(out, "problem", problem);
    return out;
}

/* Each on its own: a bad one takes nothing from its neighbours. */
static json_t *answer_all(struct request *r, const json_t *items)
{
    json_t *out = json_array();
    const struct moment until = moment_add_seconds(clock_now(), VERIFY_SECONDS);
    size_t i;
    json_t *item;
    json_array_foreach (json_looked_at(items), i, item) {
        struct error err = {0};
        json_t *answer = NULL;
        enum outcome outcome =
            clock_now().us < until.us
                ? answer_item(r, item, &answer, &err)
                : fail_code(&err, ERR_THROTTLED, "verify-busy", "the batch took too long");
        json_add_new(out, outcome == OK ? answer : problem_of(&err));
    }
    return out;
}

static enum outcome answer_batch(struct request *r, json_t **out, struct error *err)
{
    static const char *const members[] = {"items", NULL};
    json_t *items;
    TRY(json_only(r->body, "", members, err));
    TRY(json_get_array(r->body, "", "items", VERIFY_ITEMS_MAX, &items, err));
    *out = json_object();
    json_put_new(*out, "items", answer_all(r, items));
    return OK;
}

enum outcome verify_any(struct request *r, struct error *err)
{
    json_t *answer = NULL;
    TRY(verify_gate_enter(r->api->verify_gate, err));
    enum outcome outcome = json_object_get(r->body, "items") != NULL
                               ? answer_batch(r, &answer, err)
                               : answer_item(r, r->body, &answer, err);
    verify_gate_leave(r->api->verify_gate);
    TRY(outcome);
    request_answer(r, 200, answer);
    return OK;
}
