/* Challenges, and evidence to a signed verdict (trust.md sections 2 and 4). */
#include <string.h>

#include "keeper/inside.h"
#include "lib/attest/deny.h"
#include "lib/crypto/random.h"

static enum outcome check_kind(const struct keeper *k, enum evidence_kind kind, struct error *err)
{
    if (kind == EVIDENCE_SIMULATED && k->realm != REALM_SIMULATION)
        return fail_code(err, ERR_DENIED, "wrong-realm", "simulated evidence counts nowhere else");
    if (kind == EVIDENCE_NONE)
        return fail_code(err, ERR_INVALID, "unsupported-evidence", "evidence of kind %s",
                         name_of(&evidence_kind_names, (int)kind));
    return OK;
}

enum outcome keeper_challenge(struct keeper *k, const struct challenge_wish *wish,
                              struct challenge *out, struct error *err)
{
    const struct charter *charter;
    OWNED(key_drop) struct key *sealing = NULL;
    struct nonce_entry entry = {.kind = wish->kind, .instance = wish->instance};
    TRY(keeper_charter(k, &charter, err));
    TRY(check_kind(k, wish->kind, err));
    TRY(sealing_key_read(bytes_span(&wish->sealing_key), &sealing, err));
    if (key_kind_of(sealing) != evidence_sealing_kind(wish->kind) || uuid_is_zero(&wish->instance))
        return fail_code(err, ERR_INVALID, "unsupported-key",
                         "a sealing key is a P-256 one, an enclave's an RSA one");
    memcpy(entry.link_key, wish->link_key, sizeof entry.link_key);
    memcpy(entry.sealing_spki, wish->sealing_key.at, wish->sealing_key.len);
    entry.sealing_spki_len = wish->sealing_key.len;
    TRY(nonces_issue(k->nonces, &entry, err));
    memcpy(out->nonce, entry.nonce, sizeof out->nonce);
    memcpy(out->root_key, k->deployment, sizeof out->root_key);
    out->expires_seconds = NONCE_SECONDS;
    return OK;
}

/* From the keeper's own table and root; of the evidence only `rest`, which is hashed as sent. */
static struct evidence_binding recompute_binding(const struct keeper *k,
                                                 const struct nonce_entry *nonce,
                                                 const struct evidence *evidence)
{
    struct evidence_binding made;
    struct binding binding = {
        .kind = nonce->kind,
        .instance = nonce->instance,
        .rest = bytes_span(&evidence->rest),
    };
    memcpy(binding.nonce, nonce->nonce, sizeof binding.nonce);
    memcpy(binding.link_key, nonce->link_key, sizeof binding.link_key);
    digest(DIGEST_SHA256, SPAN(nonce->sealing_spki, nonce->sealing_spki_len), binding.sealing_key);
    memcpy(binding.root_key, k->deployment, sizeof binding.root_key);
    binding_digest(&binding, made.digest);
    memcpy(made.nonce, nonce->nonce, sizeof made.nonce);
    made.sealing_key = SPAN(nonce->sealing_spki, nonce->sealing_spki_len);
    return made;
}

/* Does a simulator sign what imitates this kind? In its realm it stands for every maker that it
 * can play, and nothing it signs is ever shown without saying so. */
static bool is_simulated(const struct keeper *k, enum evidence_kind kind)
{
    switch (kind) {
    case EVIDENCE_SIMULATED:
        return true;
    case EVIDENCE_SNP_AZURE:
        return k->simulator != NULL;
    case EVIDENCE_NITRO:
        return k->nitro.custom;
    case EVIDENCE_SNP_VTPM: /* AWS's part is simulated where its root is */
        return k->simulator != NULL || k->nitro.custom;
    case EVIDENCE_NONE:
    case EVIDENCE_SNP:
    case EVIDENCE_KIND_COUNT:
        break;
    }
    return false;
}

/* A simulator counts only while the charter names all of its roots. */
static enum outcome check_simulator(const struct keeper *k, const struct charter *charter,
                                    enum evidence_kind kind, struct error *err)
{
    bool chartered = kind == EVIDENCE_NITRO || k->simulator != NULL;
    for (size_t at = 0; chartered && at < k->simulator_hashes.len; at += SHA256_SIZE)
        chartered = charter_values_have(&charter->simulator_roots,
                                        SPAN(k->simulator_hashes.at + at, SHA256_SIZE));
    if (!chartered)
        return fail_code(err, ERR_DENIED, "simulator-not-chartered",
                         "the charter does not name the simulator's roots");
    return OK;
}

enum outcome keeper_terms(const struct keeper *k, const struct charter *charter,
                          enum evidence_kind kind, struct evidence_terms *out, struct error *err)
{
    const bool simulated = is_simulated(k, kind);
    if (simulated)
        TRY(check_simulator(k, charter, kind, err));
    *out = (struct evidence_terms){
        .chains = simulated ? k->simulator : k->amd,
        .nitro_roots = &k->nitro,
        .simulation_realm = k->realm == REALM_SIMULATION,
        .simulated = simulated,
        .at = clock_now(),
        .standing = {.custody_outside = charter->custody_outside},
    };
    return OK;
}

/* The chip's key first: other providers' regions are not proven by one, but by their documents. */
static void fill_whereabouts(const struct verdict *verdict, struct verdict_claims *out)
{
    const struct whereabouts *where = &verdict->where;
    snp_csp_region(verdict->made.csp_id, out->region);
    if (out->region[0] == '\0')
        memcpy(out->region, where->region, sizeof out->region);
    memcpy(out->account, where->account, sizeof out->account);
    out->cloud = where->cloud;
    out->documents = where->documents;
    if (where->documents == DOCUMENTS_SUSPECT)
        error_ignore(text_copy(out->suspect_reason, sizeof out->suspect_reason,
                               name_of(&reason_names, (int)where->reason), "", NULL));
}

static void fill_provenance(const struct provenance *made, struct verdict_claims *out)
{
    if (made->has_line)
        error_ignore(text_copy(out->product, sizeof out->product,
                               name_of(&snp_line_names, (int)made->line), "", NULL));
    memcpy(out->csp_id, made->csp_id, sizeof out->csp_id);
    memcpy(out->id_key, made->signers[0], sizeof out->id_key);
    memcpy(out->author_key, made->signers[1], sizeof out->author_key);
}

static void fill_claims(const struct keeper *k, const struct question *q,
                        const struct evidence_facts *facts, const struct verdict *verdict,
                        const struct conclusion *said, struct verdict_claims *out)
{
    const struct nonce_entry *nonce = q->nonce;
    memcpy(out->deployment, k->deployment, sizeof out->deployment);
    out->realm = k->realm;
    out->instance = nonce->instance;
    out->kind = nonce->kind;
    memcpy(out->verdict, said->verdict, sizeof out->verdict);
    memcpy(out->reason, said->reason, sizeof out->reason);
    error_ignore(text_copy(out->policy, sizeof out->policy, q->policy->name, "", NULL));
    memcpy(out->policy_digest, q->policy->digest, sizeof out->policy_digest);
    out->charter_serial = q->charter->serial;
    memcpy(out->link_key, nonce->link_key, sizeof out->link_key);
    bytes_add(&out->sealing_key, SPAN(nonce->sealing_spki, nonce->sealing_spki_len));
    out->hardware = said->hardware;
    out->software = said->software;
    out->identity = said->identity;
    out->level = said->level;
    out->missing = name_set_to_json(&missing_names, verdict->missing);
    out->residuals = name_set_to_json(&residual_names, verdict->residuals);
    memcpy(out->anchor, verdict->anchor_hash, sizeof out->anchor);
    memcpy(out->named, verdict->named, sizeof out->named);
    out->simulated = verdict->simulated;
    memcpy(out->report_id, facts->boot, sizeof out->report_id);
    memcpy(out->measurement, facts->measurement, sizeof out->measurement);
    memcpy(out->chip, facts->chip, sizeof out->chip);
    fill_whereabouts(verdict, out);
    fill_provenance(&verdict->made, out);
}

static enum trust_claim claim_denied(const char *code)
{
    static const struct {
        const char *code;
        enum trust_claim claim;
    } against[] = {
        {"denied-chip", TRUST_HARDWARE},
        {"denied-product", TRUST_HARDWARE},
        {"denied-measurement", TRUST_EXECUTABLES},
        {"denied-signer", TRUST_EXECUTABLES},
    };
    for (size_t i = 0; i < countof(against); i++)
        if (strcmp(code, against[i].code) == 0)
            return against[i].claim;
    return TRUST_INSTANCE_IDENTITY;
}

bool keeper_is_destroyed(const struct keeper *k, const uint8_t what[static SHA256_SIZE])
{
    return k->state != NULL && !span_is_zero(SPAN(what, SHA256_SIZE)) &&
           keeper_state_is_destroyed(k->state, what);
}

enum outcome keeper_check_denied(const struct keeper *k, const struct charter *charter,
                                 const struct charter_case *c, struct trust_vector *vector,
                                 struct error *err)
{
    struct error why = {0};
    enum outcome outcome = charter_check_denied(charter, c, &why);
    bool destroyed = keeper_is_destroyed(k, c->anchor);
    for (size_t i = 0; i < VERDICT_NAMED; i++)
        destroyed = destroyed || keeper_is_destroyed(k, c->named[i]);
    if (outcome == OK && destroyed)
        outcome =
            fail_code(&why, ERR_DENIED, "anchor-destroyed", "this machine was declared destroyed");
    if (outcome != OK)
        *vector = trust_vector_against(claim_denied(why.code));
    *err = why;
    return outcome;
}

/* What the charter denies is not trusted, whatever it proves; a rejection proves nothing. */
void keeper_conclude(const struct keeper *k, const struct charter *charter,
                     const struct charter_case *c, const struct verdict *verdict,
                     struct conclusion *out)
{
    struct error err = {0};
    const char *reason = name_of(&reason_names, (int)verdict->reason);
    *out = (struct conclusion){.verdict = "rejected", .vector = verdict_vector(verdict)};
    if (verdict->trusted && keeper_check_denied(k, charter, c, &out->vector, &err) != OK) {
        reason = err.code;
    } else {
        error_ignore(text_copy(out->verdict, sizeof out->verdict,
                               verdict->trusted ? "trusted" : "rejected", "", NULL));
        out->hardware = verdict->hardware;
        out->software = verdict->software;
        out->identity = verdict->identity;
        out->level = verdict->level;
    }
    error_ignore(text_copy(out->reason, sizeof out->reason, reason, "", NULL));
}

static enum outcome judge_it(const struct keeper *k, const struct question *q,
                             const struct evidence_facts *facts, struct verdict *out,
                             struct error *err)
{
    const struct evidence_binding binding = recompute_binding(k, q->nonce, q->evidence);
    struct evidence_terms terms;
    TRY(keeper_terms(k, q->charter, q->nonce->kind, &terms, err));
    evidence_terms_add_crl(&terms, q->crl);
    terms.at = q->at;
    terms.policy = q->policy->policy;
    terms.binding = &binding;
    terms.asked_at = q->nonce->issued;
    terms.clouds = &q->charter->clouds;
    terms.declared = q->declared;
    (void)charter_image_facts(q->charter, q->policy, q->nonce->kind, SPAN_OF(facts->measurement),
                              q->at, &terms.image);
    evidence_judge(q->evidence, &terms, out);
    return OK;
}

enum outcome keeper_judge(const struct keeper *k, const struct question *q, struct verdict *out,
                          struct verdict_token *token, struct error *err)
{
    struct evidence_facts facts;
    struct conclusion said;
    if (q->evidence->kind != q->nonce->kind)
        return fail_code(err, ERR_DENIED, "kind-mismatch", "challenged for %s evidence",
                         name_of(&evidence_kind_names, (int)q->nonce->kind));
    evidence_facts(q->evidence, &facts);
    TRY(judge_it(k, q, &facts, out, err));
    struct charter_case about = deny_case(&facts, out);
    memcpy(about.link_key, q->nonce->link_key, sizeof about.link_key);
    keeper_conclude(k, q->charter, &about, out, &said);
    fill_claims(k, q, &facts, out, &said, &token->claims);
    token->vector = said.vector;
    return OK;
}

/* Only the latest good verdict of an instance counts, by when its nonce was issued: an older one
 * was for keys that may be gone. A claimant that fails takes nothing from the one who passed. */
static void remember_latest(struct keeper *k, const struct verdict_token *token,
                            const struct nonce_entry *nonce)
{
    if (strcmp(token->claims.verdict, "trusted") != 0)
        return;
    struct known_instance *known = keeper_know(k, &token->claims.instance);
    if (!uuid_is_zero(&known->verdict) && known->asked_ms > nonce->issued_ms)
        return;
    known->verdict = token->id;
    known->asked_ms = nonce->issued_ms;
}

/* With its reference ends what rests on it: that the image passes, and what it proves. */
static struct moment end_of(const struct question *q, const struct verdict_claims *claims,
                            struct moment issued)
{
    const struct span measurement = SPAN_OF(claims->measurement);
    const struct moment ends[] = {
        value_set_until(&q->policy->policy->snp.measurement, measurement),
        charter_image_until(q->charter, q->policy, claims->kind, measurement, q->at),
    };
    struct moment end = moment_add_seconds(issued, q->policy->valid_seconds);
    for (size_t i = 0; i < countof(ends) && strcmp(claims->verdict, "trusted") == 0; i++)
        if (!moment_is_none(ends[i]) && ends[i].us < end.us)
            end = ends[i];
    return end;
}

/* The token's are there; its id and what the evidence says go beside them. */
static char *print_claims(const struct verdict_token *token, const struct verdict *verdict,
                          struct members *all)
{
    struct text printed = {0};
    OWNED(text_done) struct text said = {0};
    members_uuid(all, "id", &token->id);
    trust_vector_put(&token->vector, "trust_vector", all);
    verdict_print_claims(verdict, &said);
    members_printed(all, "evidence", text_span(&said));
    members_print(all, &printed);
    return text_take(&printed);
}

static char *print_checks(const struct verdict *verdict)
{
    struct text printed = {0};
    verdict_print_checks(verdict, &printed);
    return text_take(&printed);
}

static enum outcome sign_verdict(struct keeper *k, struct verdict_token *token,
                                 const struct question *q, const struct verdict *verdict,
                                 struct appraise_answer *out, struct error *err)
{
    OWNED(members_done) struct members said = {0};
    token->id = uuid_new();
    token->issued = clock_at_seconds(moment_seconds(q->nonce->issued));
    token->expires = end_of(q, &token->claims, token->issued);
    members_record(&said, &verdict_claims_record, &token->claims);
    TRY(verdict_token_sign(k->signer, token, &said, &out->token, err));
    out->claims = print_claims(token, verdict, &said);
    out->checks = print_checks(verdict);
    out->issued = token->issued;
    out->expires = token->expires;
    remember_latest(k, token, q->nonce);
    k->appraisals++;
    return OK;
}

/* For the probes: only what passed, so that nobody fills their set with anything else. */
static void keep_sample(struct keeper *k, struct appraise_wish *wish, const struct question *q,
                        const struct verdict *verdict, const struct verdict_token *token,
                        const char *printed)
{
    if (strcmp(token->claims.verdict, "trusted") != 0)
        return;
    struct probe_sample sample = {
        .evidence = bytes_take(&wish->evidence),
        .crl = bytes_take(&wish->crl),
        .nonce = *q->nonce,
        .made = verdict->made,
        .declared = *q->declared,
        .at = q->at,
        .token = mem_text(printed),
    };
    memcpy(sample.policy, q->policy->name, sizeof sample.policy);
    memcpy(sample.named, verdict->named, sizeof sample.named);
    probes_keep(&k->probes, &sample);
}

enum outcome keeper_appraise(struct keeper *k, struct appraise_wish *wish,
                             struct appraise_answer *out, struct error *err)
{
    struct nonce_entry nonce;
    struct cloud_declared declared;
    struct question q = {
        .nonce = &nonce, .declared = &declared, .crl = bytes_span(&wish->crl), .at = clock_now()};
    OWNED(evidence_done) struct evidence evidence = {0};
    OWNED(verdict_done) struct verdict verdict = {0};
    OWNED(verdict_token_done) struct verdict_token token = {0};
    TRY(keeper_charter(k, &q.charter, err));
    TRY(nonces_redeem(k->nonces, wish->nonce, &wish->instance, &nonce, err));
    q.policy = charter_find_policy(q.charter, wish->policy);
    if (q.policy == NULL)
        return fail_code(err, ERR_DENIED, "policy-unknown", "the charter has no policy %s",
                         wish->policy);
    TRY(evidence_parse(bytes_span(&wish->evidence), &evidence, err));
    q.evidence = &evidence;
    memcpy(declared.region, wish->declared_region, sizeof declared.region);
    memcpy(declared.machine, wish->declared_machine, sizeof declared.machine);
    TRY(keeper_judge(k, &q, &verdict, &token, err));
    TRY(sign_verdict(k, &token, &q, &verdict, out, err));
    keeper_testify(k, &q, bytes_span(&wish->evidence), &token, out);
    keep_sample(k, wish, &q, &verdict, &token, out->token);
    return OK;
}
