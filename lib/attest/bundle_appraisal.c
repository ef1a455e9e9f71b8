/* The evidence of a bundle judged again, and whether verdict, claims and trail say the same. */
#include <stdio.h>
#include <string.h>

#include "lib/attest/bundle_inside.h"
#include "lib/attest/deny.h"
#include "lib/model/audit.h"
#include "lib/model/verdict_vector.h"

/* ---- judging --------------------------------------------------------------------------------- */

/* As for the keeper: only in its own realm, and whatever it signs is called simulated. */
static bool is_simulated(const struct inquiry *q)
{
    const bool realm = q->told->realm == REALM_SIMULATION;
    const bool chips = realm && q->terms->simulator != NULL;
    const bool enclaves = realm && q->terms->enclaves != NULL;
    switch (q->evidence.kind) {
    case EVIDENCE_SIMULATED:
        return true;
    case EVIDENCE_SNP_AZURE:
        return chips;
    case EVIDENCE_NITRO:
        return enclaves;
    case EVIDENCE_SNP_VTPM:
        return chips || enclaves;
    case EVIDENCE_NONE:
    case EVIDENCE_SNP:
    case EVIDENCE_KIND_COUNT:
        break;
    }
    return false;
}

static enum outcome check_simulator(const struct inquiry *q, struct error *err)
{
    const struct span hashes = q->terms->simulator_hashes;
    bool chartered = q->evidence.kind == EVIDENCE_NITRO || q->terms->simulator != NULL;
    for (size_t at = 0; chartered && at < hashes.len; at += SHA256_SIZE)
        chartered =
            charter_values_have(&q->charter->simulator_roots, span_part(hashes, at, SHA256_SIZE));
    if (!chartered)
        return fail_code(
            err, ERR_DENIED, "bundle-appraisal",
            "simulated evidence: give --amd-root of a simulator that the charter names");
    return OK;
}

/* From the keeper's word and nothing that the evidence offers but `rest`, which is hashed. */
static void recompute_binding(const struct inquiry *q, struct evidence_binding *out)
{
    struct binding binding = {.kind = q->told->kind,
                              .instance = q->told->instance,
                              .rest = bytes_span(&q->evidence.rest)};
    memcpy(binding.nonce, q->told->nonce, sizeof binding.nonce);
    memcpy(binding.link_key, q->told->link_key, sizeof binding.link_key);
    memcpy(binding.root_key, q->told->deployment, sizeof binding.root_key);
    digest(DIGEST_SHA256, bytes_span(&q->told->sealing_key), binding.sealing_key);
    binding_digest(&binding, out->digest);
    memcpy(out->nonce, q->told->nonce, sizeof out->nonce);
    out->sealing_key = bytes_span(&q->told->sealing_key);
}

enum outcome bundle_check_appraisal(struct inquiry *q, struct error *err)
{
    const bool simulated = is_simulated(q);
    const bool realm = q->told->realm == REALM_SIMULATION;
    const bool chips = simulated && q->terms->simulator != NULL;
    struct evidence_binding binding;
    struct cloud_declared declared;
    if (simulated)
        TRY(check_simulator(q, err));
    OWNED(snp_cache_drop)
    struct snp_cache *chains = snp_cache_new(chips ? q->terms->simulator : snp_roots_amd(), 1);
    recompute_binding(q, &binding);
    memcpy(declared.region, q->told->declared_region, sizeof declared.region);
    memcpy(declared.machine, q->told->declared_machine, sizeof declared.machine);
    evidence_facts(&q->evidence, &q->facts);
    struct evidence_terms terms = {
        .chains = chains,
        .nitro_roots = realm && q->terms->enclaves != NULL ? q->terms->enclaves : &nitro_roots_aws,
        .simulation_realm = realm,
        .simulated = simulated,
        .policy = q->policy->policy,
        .binding = &binding,
        .at = q->told->judged,
        .asked_at = q->told->asked,
        .standing = {.custody_outside = q->charter->custody_outside},
        .clouds = &q->charter->clouds,
        .declared = &declared,
    };
    (void)charter_image_facts(q->charter, q->policy, q->evidence.kind,
                              SPAN_OF(q->facts.measurement), q->told->judged, &terms.image);
    evidence_terms_add_crl(&terms, bytes_span(&q->bundle.crl));
    evidence_judge(&q->evidence, &terms, &q->out->verdict);
    q->out->judged = true;
    return OK;
}

/* ---- what it must have been bound to --------------------------------------------------------- */

static bool has_passed(const struct inquiry *q, const char *name)
{
    const struct check *check = verdict_check(&q->out->verdict, name);
    return check != NULL && check->result == CHECK_PASS;
}

enum outcome bundle_check_binding(struct inquiry *q, struct error *err)
{
    bool bound = false;
    switch (q->evidence.kind) {
    case EVIDENCE_SNP:
    case EVIDENCE_SIMULATED:
        bound = has_passed(q, "policy-report-data");
        break;
    case EVIDENCE_SNP_AZURE:
        bound = has_passed(q, "nonce");
        break;
    case EVIDENCE_NITRO:
        bound = has_passed(q, "bound-nonce") && has_passed(q, "bound-key") &&
                has_passed(q, "bound-data");
        break;
    case EVIDENCE_SNP_VTPM: /* the quote or, where a document stands for it, the report */
        bound = has_passed(q, "nonce") || has_passed(q, "policy-report-data");
        break;
    case EVIDENCE_NONE:
    case EVIDENCE_KIND_COUNT:
        break;
    }
    if (bound)
        return OK;
    if (strcmp(q->told->verdict, "trusted") == 0)
        return fail_code(err, ERR_DENIED, "bundle-binding",
                         "the evidence does not answer this nonce for these keys and instance");
    q->skipped = "the evidence does not answer the challenge, and was rejected";
    return OK;
}

/* ---- the verdict ----------------------------------------------------------------------------- */

/* What the deny lists of the charter say of evidence that passed; "" when nothing. */
static void find_denial(const struct inquiry *q, char out[static ERROR_CODE_SIZE])
{
    struct error why = {0};
    struct charter_case c = deny_case(&q->facts, &q->out->verdict);
    memcpy(c.link_key, q->told->link_key, sizeof c.link_key);
    if (q->out->verdict.trusted && charter_check_denied(q->charter, &c, &why) != OK)
        snprintf(out, ERROR_CODE_SIZE, "%s", why.code);
}

enum outcome bundle_check_verdict(struct inquiry *q, struct error *err)
{
    static const char destroyed[] = "anchor-destroyed";
    const struct verdict *v = &q->out->verdict;
    find_denial(q, q->denied);
    /* The keeper's own memory, which no bundle shows; it only ever takes away. */
    if (strcmp(q->told->reason, destroyed) == 0 && strcmp(q->told->verdict, "rejected") == 0 &&
        v->trusted) {
        snprintf(q->denied, sizeof q->denied, "%s", destroyed);
        q->skipped = "the keeper says that this machine was destroyed; nothing here shows it";
        return OK;
    }
    const bool trusted = v->trusted && q->denied[0] == '\0';
    const char *reason = q->denied[0] != '\0' ? q->denied : name_of(&reason_names, (int)v->reason);
    if (strcmp(q->told->verdict, trusted ? "trusted" : "rejected") != 0 ||
        strcmp(q->told->reason, reason) != 0 || q->told->simulated != v->simulated)
        return fail_code(err, ERR_DENIED, "bundle-verdict",
                         "told %s (%s), but judged again it is %s (%s)", q->told->verdict,
                         q->told->reason, trusted ? "trusted" : "rejected", reason);
    return OK;
}

/* ---- claims and checks ----------------------------------------------------------------------- */

static void put_hash(json_t *out, const char *name, struct span hash)
{
    if (!span_is_zero(hash))
        json_put_hex(out, name, hash);
}

/* What the keeper's word says of itself. */
static void put_told(json_t *out, const struct testimony *t)
{
    json_put_uuid(out, "id", &t->verdict_id);
    json_put_hex(out, "deployment", SPAN_OF(t->deployment));
    json_put_text(out, "realm", name_of(&realm_names, (int)t->realm));
    json_put_uuid(out, "instance", &t->instance);
    json_put_text(out, "kind", name_of(&evidence_kind_names, (int)t->kind));
    json_put_text(out, "verdict", t->verdict);
    json_put_text(out, "reason", t->reason);
    json_put_text(out, "policy", t->policy);
    json_put_hex(out, "policy_digest", SPAN_OF(t->policy_digest));
    json_put_int(out, "charter_serial", t->charter_serial);
    json_put_hex(out, "link_key", SPAN_OF(t->link_key));
    json_put_base64(out, "sealing_key", bytes_span(&t->sealing_key));
    json_put_bool(out, "simulated", t->simulated);
}

/* What the evidence proves, judged again: of what is denied nothing. */
static void put_proven(json_t *out, const struct inquiry *q)
{
    const struct verdict *v = &q->out->verdict;
    const struct trust_vector vector = verdict_vector(v);
    const bool denied = q->denied[0] != '\0';
    const char *none = name_of(&source_names, SOURCE_NONE);
    json_put_text(out, "hardware", denied ? none : name_of(&source_names, (int)v->hardware));
    json_put_text(out, "software", denied ? none : name_of(&source_names, (int)v->software));
    json_put_text(out, "identity", denied ? none : name_of(&source_names, (int)v->identity));
    json_put_text(out, "level", name_of(&level_names, denied ? LEVEL_0 : (int)v->level));
    json_put_new(out, "missing", name_set_to_json(&missing_names, v->missing));
    json_put_new(out, "residuals", name_set_to_json(&residual_names, v->residuals));
    put_hash(out, "anchor", SPAN_OF(v->anchor_hash));
    put_hash(out, "report_id", SPAN_OF(q->facts.boot));
    put_hash(out, "measurement", SPAN_OF(q->facts.measurement));
    put_hash(out, "chip", SPAN_OF(q->facts.chip));
    json_put_new(out, "evidence", json_incref(verdict_claims(&q->out->verdict)));
    if (!denied)
        json_put_new(out, "trust_vector", trust_vector_to_json(&vector));
}

static enum outcome compare_claims(const struct inquiry *q, struct error *err)
{
    OWNED(json_drop) json_t *expected = json_object();
    const char *name;
    json_t *value;
    put_told(expected, q->told);
    put_proven(expected, q);
    json_object_foreach (expected, name, value)
        if (!json_equal(value, json_object_get(q->bundle.claims, name)))
            return fail_code(err, ERR_DENIED, "bundle-claims",
                             "judged again the claim %.40s is another", name);
    return OK;
}

/* Name, result and reason; the words about them are for people. */
static bool is_same_check(const json_t *check, const json_t *other)
{
    static const char *const members[] = {"check", "result", "reason"};
    for (size_t i = 0; i < countof(members); i++) {
        const json_t *a = json_object_get(check, members[i]);
        const json_t *b = json_object_get(other, members[i]);
        if ((a == NULL) != (b == NULL) || (a != NULL && !json_equal(a, b)))
            return false;
    }
    return true;
}

static enum outcome compare_checks(const struct inquiry *q, struct error *err)
{
    OWNED(json_drop) json_t *full = verdict_to_json(&q->out->verdict);
    const json_t *again = json_object_get(full, "checks");
    bool same = json_array_size(again) == json_array_size(q->bundle.checks);
    for (size_t i = 0; same && i < json_array_size(again); i++)
        same = is_same_check(json_array_get(again, i), json_array_get(q->bundle.checks, i));
    if (!same)
        return fail_code(err, ERR_DENIED, "bundle-claims", "judged again the checks are others");
    return OK;
}

enum outcome bundle_check_claims(struct inquiry *q, struct error *err)
{
    uint8_t claims[SHA256_SIZE];
    uint8_t checks[SHA256_SIZE];
    testimony_digest(q->bundle.claims, claims);
    testimony_digest(q->bundle.checks, checks);
    if (memcmp(claims, q->told->claims_digest, sizeof claims) != 0 ||
        memcmp(checks, q->told->checks_digest, sizeof checks) != 0)
        return fail_code(err, ERR_DENIED, "bundle-claims",
                         "not the claims and checks that the keeper told");
    TRY(compare_claims(q, err));
    return compare_checks(q, err);
}

/* ---- the trail ------------------------------------------------------------------------------- */

static enum outcome read_entry(const json_t *json, struct audit_entry *out, struct error *err)
{
    static const uint8_t nothing[SHA256_SIZE];
    OWNED(json_drop) json_t *whole = json_deep_copy(json);
    if (json_is_object(whole) && json_object_get(whole, "prev_hash") == NULL)
        json_put_hex(whole, "prev_hash", SPAN_OF(nothing)); /* nothing came before the first */
    return record_from_json(&audit_record, whole, "", out, err);
}

/* In itself, and with the one before where that is its neighbour. */
static enum outcome check_entry(const struct audit_entry *entry, const struct audit_entry *before,
                                struct error *err)
{
    const struct audit_entry unseen = {.number = entry->number - 1};
    struct audit_entry link = unseen;
    memcpy(link.hash, entry->prev_hash, sizeof link.hash);
    if (before != NULL && entry->number <= before->number)
        return fail_code(err, ERR_DENIED, "audit-number", "entry %lld comes after entry %lld",
                         (long long)entry->number, (long long)before->number);
    if (before != NULL && entry->number == before->number + 1)
        return audit_check(entry, before, err);
    return audit_check(entry, entry->number > 1 ? &link : NULL, err);
}

static bool says(const json_t *detail, const char *name, const char *expected)
{
    const char *word = json_string_value(json_object_get(detail, name));
    return word != NULL && strcmp(word, expected) == 0;
}

static bool counts(const json_t *detail, const char *name, int64_t expected)
{
    const json_t *number = json_object_get(detail, name);
    return json_is_integer(number) && json_integer_value(number) == expected;
}

static bool is_about(const struct inquiry *q, const struct audit_entry *entry)
{
    char object[AUDIT_OBJECT_SIZE];
    snprintf(object, sizeof object, "instance:%s", uuid_text(&q->told->instance).at);
    return strcmp(entry->object, object) == 0 &&
           says(entry->detail, "verdict_id", uuid_text(&q->told->verdict_id).at);
}

/* The entry that was written with the verdict: nothing in it that is known otherwise is another. */
static bool tells_of_it(const struct inquiry *q, const struct audit_entry *entry)
{
    const int level = q->denied[0] != '\0' ? LEVEL_0 : (int)q->out->verdict.level;
    char digest_hex[2 * SHA256_SIZE + 1];
    hex_encode(SPAN_OF(q->told->evidence_digest), digest_hex);
    return strcmp(entry->verb, "verdict.given") == 0 &&
           says(entry->detail, "verdict", q->told->verdict) &&
           says(entry->detail, "reason", q->told->reason) &&
           says(entry->detail, "policy", q->told->policy) &&
           says(entry->detail, "evidence_digest", digest_hex) &&
           counts(entry->detail, "level", level) &&
           counts(entry->detail, "charter_serial", q->told->charter_serial) &&
           json_is_true(json_object_get(entry->detail, "simulated")) == q->told->simulated;
}

enum outcome bundle_check_audit(struct inquiry *q, struct error *err)
{
    struct error why = {0};
    OWNED(audit_entry_done) struct audit_entry before = {0};
    bool told = false;
    for (size_t i = 0; i < json_array_size(q->bundle.audit); i++) {
        OWNED(audit_entry_done) struct audit_entry entry = {0};
        if (read_entry(json_array_get(q->bundle.audit, i), &entry, &why) != OK ||
            check_entry(&entry, i > 0 ? &before : NULL, &why) != OK)
            return fail_code(err, ERR_DENIED, "bundle-audit", "%.48s: %.240s", why.code, why.text);
        if (!is_about(q, &entry))
            return fail_code(err, ERR_DENIED, "bundle-audit", "entry %lld is about something else",
                             (long long)entry.number);
        told = told || tells_of_it(q, &entry);
        audit_entry_done(&before);
        before = entry;
        entry = (struct audit_entry){0};
    }
    if (!told)
        return fail_code(err, ERR_DENIED, "bundle-audit", "no entry tells of this verdict");
    return OK;
}
