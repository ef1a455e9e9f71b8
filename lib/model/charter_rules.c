/* What a charter means: is it in force, what does it say of an image, what does a grant allow. */
#include "lib/model/charter.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/fault.h"

const struct charter_policy *charter_find_policy(const struct charter *charter, const char *name)
{
    for (size_t i = 0; i < charter->policy_count; i++)
        if (strcmp(charter->policies[i].name, name) == 0)
            return &charter->policies[i];
    return NULL;
}

const struct charter_grant *charter_find_grant(const struct charter *charter, const char *name)
{
    for (size_t i = 0; i < charter->grant_count; i++)
        if (strcmp(charter->grants[i].name, name) == 0)
            return &charter->grants[i];
    return NULL;
}

const struct charter_party *charter_find_party(const struct charter *charter, const char *name)
{
    for (size_t i = 0; i < charter->party_count; i++)
        if (strcmp(charter->parties[i].name, name) == 0)
            return &charter->parties[i];
    return NULL;
}

enum outcome charter_check(const struct charter *charter, enum realm realm, struct moment now,
                           struct error *err)
{
    if (charter->realm != realm)
        return fail_code(err, ERR_DENIED, "charter-realm", "a charter of the %s realm",
                         name_of(&realm_names, (int)charter->realm));
    /* A keeper's clock may be a little behind that of the one who signed. */
    if (moment_seconds_between(now, charter->issued) > 300)
        return fail_code(err, ERR_DENIED, "charter-not-yet-valid", "issued %s",
                         moment_text(charter->issued).at);
    if (now.us >= charter->expires.us)
        return fail_code(err, ERR_DENIED, "charter-expired", "expired %s",
                         moment_text(charter->expires).at);
    return OK;
}

static bool speaks_of(const struct charter_reference *r, enum evidence_kind kind)
{
    const bool has_vtpm = kind == EVIDENCE_SNP_AZURE || kind == EVIDENCE_SNP_VTPM;
    return (r->facts.anchor == ANCHOR_VTPM) == has_vtpm;
}

static bool is_over(struct moment end, struct moment at)
{
    return !moment_is_none(end) && end.us <= at.us;
}

static bool speaks_for(const struct charter_reference *r, enum evidence_kind kind,
                       struct span measurement, struct moment at)
{
    return !r->retired && !is_over(r->expires, at) && speaks_of(r, kind) &&
           charter_values_have(&r->measurement, measurement);
}

bool charter_image_facts(const struct charter *charter, const struct charter_policy *policy,
                         enum evidence_kind kind, struct span measurement, struct moment at,
                         struct image_facts *out)
{
    struct image_facts facts = {.measured_boot = true, .provider_execution_off = true};
    size_t found = 0;
    for (size_t i = 0; i < policy->reference_count; i++) {
        const struct charter_reference *r = &charter->references[policy->references[i]];
        if (!speaks_for(r, kind, measurement, at))
            continue;
        facts.measured_boot = facts.measured_boot && r->facts.measured_boot;
        facts.provider_execution_off =
            facts.provider_execution_off && r->facts.provider_execution_off;
        bool agrees = found == 0 || facts.anchor == r->facts.anchor;
        facts.anchor = agrees ? r->facts.anchor : ANCHOR_NONE;
        found++;
    }
    *out = found > 0 ? facts : (struct image_facts){0};
    return found > 0;
}

struct moment charter_image_until(const struct charter *charter,
                                  const struct charter_policy *policy, enum evidence_kind kind,
                                  struct span measurement, struct moment at)
{
    struct moment until = {0};
    for (size_t i = 0; i < policy->reference_count; i++) {
        const struct charter_reference *r = &charter->references[policy->references[i]];
        if (!speaks_for(r, kind, measurement, at))
            continue;
        if (moment_is_none(r->expires))
            return (struct moment){0};
        if (r->expires.us > until.us)
            until = r->expires;
    }
    return until;
}

static struct span next_block(struct span *rest)
{
    static const char end[] = "-----END CERTIFICATE-----";
    const uint8_t *at = rest->len > 0 ? memmem(rest->at, rest->len, end, sizeof end - 1) : NULL;
    if (at == NULL)
        return (struct span){0};
    struct span block = SPAN(rest->at, (size_t)(at - rest->at) + sizeof end - 1);
    *rest = span_part(*rest, block.len, rest->len);
    return block;
}

enum outcome charter_root_hashes(struct span pem, struct bytes *out, struct error *err)
{
    struct span block;
    while ((block = next_block(&pem)).len > 0) {
        OWNED(cert_drop) struct cert *cert = NULL;
        OWNED(bytes_done) struct bytes der = {0};
        TRY(cert_from_pem(block, &cert, err));
        TRY(cert_to_der(cert, &der, err));
        digest(DIGEST_SHA256, bytes_span(&der), bytes_add_room(out, SHA256_SIZE));
    }
    return out->len > 0 ? OK : fail(err, ERR_INVALID, "no certificate in the file");
}

/* ---- who signs ---------------------------------------------------------------------------- */

void charter_signers_done(struct charter_signers *signers)
{
    for (size_t i = 0; i < signers->count; i++)
        key_free(signers->keys[i]);
    *signers = (struct charter_signers){0};
}

static enum outcome read_signers(const json_t *json, struct charter_signers *out, struct error *err)
{
    static const char *const members[] = {"threshold", "keys", NULL};
    json_t *keys;
    int64_t threshold;
    TRY(json_only(json, "", members, err));
    TRY(json_get_array(json, "", "keys", TOKEN_SIGNATURES_MAX, &keys, err));
    TRY(json_get_int(json, "", "threshold", 1, (int64_t)json_array_size(keys), &threshold, err));
    size_t i;
    json_t *item;
    json_array_foreach (keys, i, item) {
        const char *pem = json_is_string(item) ? json_string_value(item) : "";
        struct key *key = NULL;
        TRY(key_from_public_pem(span_of_text(pem), &key, err));
        out->keys[out->count++] = key;
        if (key_kind_of(key) != KEY_P256)
            return fail_at(err, ERR_INVALID, "bad-signers", "/keys", "not a P-256 key");
        for (size_t j = 0; j < i; j++)
            if (key_equal(out->keys[j], key))
                return fail_at(err, ERR_INVALID, "bad-signers", "/keys", "the same key twice");
    }
    out->threshold = (size_t)threshold;
    return OK;
}

enum outcome charter_signers_parse(struct span text, struct charter_signers *out, struct error *err)
{
    OWNED(json_drop) json_t *json = NULL;
    OWNED(charter_signers_done) struct charter_signers made = {0};
    TRY(json_parse(text, 64 * 1024, &json, err));
    TRY(read_signers(json, &made, err));
    *out = made;
    made = (struct charter_signers){0};
    return OK;
}

enum outcome charter_open(struct span jws, const struct charter_signers *signers,
                          struct charter **out, struct error *err)
{
    OWNED(bytes_done) struct bytes payload = {0};
    TRY(token_set_verify(jws, CHARTER_TYP, signers->keys, signers->count, signers->threshold,
                         CHARTER_SIZE_MAX, &payload, err));
    return charter_parse(bytes_span(&payload), out, err);
}

/* ---- grants and relying parties ----------------------------------------------------------- */

#define REFUSE(code, ...) return fail_code(err, ERR_DENIED, (code), __VA_ARGS__)

static bool is_denied(const struct charter_values *list, struct span value)
{
    return !span_is_zero(value) && charter_values_have(list, value);
}

static bool is_denied_region(const struct charter *charter, const struct charter_case *c)
{
    char region[REGION_SIZE];
    snp_csp_region(c->made.csp_id, region);
    const char *const said[] = {c->made.csp_id, region, c->region};
    for (size_t i = 0; i < countof(said); i++)
        for (size_t j = 0; said[i][0] != '\0' && j < charter->denied_region_count; j++)
            if (strcmp(charter->denied_regions[j], said[i]) == 0)
                return true;
    return false;
}

static bool is_denied_chip(const struct charter *charter, const struct charter_case *c)
{
    return is_denied(&charter->denied_chips, SPAN_OF(c->chip));
}

static bool is_denied_measurement(const struct charter *charter, const struct charter_case *c)
{
    return is_denied(&charter->denied_measurements, SPAN_OF(c->measurement));
}

static bool is_denied_anchor(const struct charter *charter, const struct charter_case *c)
{
    bool denied = is_denied(&charter->denied_anchors, SPAN_OF(c->anchor));
    for (size_t i = 0; i < VERDICT_NAMED; i++)
        denied = denied || is_denied(&charter->denied_anchors, SPAN_OF(c->named[i]));
    return denied;
}

static bool is_denied_guest_key(const struct charter *charter, const struct charter_case *c)
{
    return is_denied(&charter->denied_guest_keys, SPAN_OF(c->link_key));
}

static bool is_denied_product(const struct charter *charter, const struct charter_case *c)
{
    return c->made.has_line && charter->denied_lines[c->made.line];
}

static bool is_denied_signer(const struct charter *charter, const struct charter_case *c)
{
    for (size_t i = 0; i < VERDICT_SIGNERS; i++)
        if (is_denied(&charter->denied_signers, SPAN_OF(c->made.signers[i])))
            return true;
    return false;
}

/* clang-format off */
static const struct {
    const char *code;
    bool (*applies)(const struct charter *charter, const struct charter_case *c);
    const char *text;
} denials[] = {
    {"denied-chip",        is_denied_chip,        "the charter denies this chip"},
    {"denied-measurement", is_denied_measurement, "the charter denies this measurement"},
    {"denied-anchor",      is_denied_anchor,      "the charter denies this machine"},
    {"denied-guest-key",   is_denied_guest_key,   "the charter denies this guest key"},
    {"denied-product",     is_denied_product,     "the charter denies this generation of chips"},
    {"denied-region",      is_denied_region,      "the charter denies this region"},
    {"denied-signer",      is_denied_signer,      "the charter denies who signed this image"},
};
/* clang-format on */

enum outcome charter_check_denied(const struct charter *charter, const struct charter_case *c,
                                  struct error *err)
{
    for (size_t i = 0; i < countof(denials); i++)
        if (denials[i].applies(charter, c) && !fault_blinds(denials[i].code))
            REFUSE(denials[i].code, "%s", denials[i].text);
    return OK;
}

/* What a grant and a relying party ask for alike. */
struct demand {
    const char *who; /* "grant ssh", for messages */
    const struct charter_names *policies;
    enum level least_level;
    int64_t max_verdict_age_seconds;
    bool allow_unproven_software;
    const char *policy_code, *level_code;
};

/* The verdict: good, of a policy that is named, judged by what the policy says today. */
static enum outcome check_verdict(const struct charter *charter, const struct demand *d,
                                  const struct charter_case *c, struct error *err)
{
    if (!c->trusted)
        REFUSE("verdict-rejected", "the verdict is a rejection");
    if (!charter_names_have(d->policies, c->policy))
        REFUSE(d->policy_code, "%s does not name policy %s", d->who, c->policy);
    const struct charter_policy *policy = charter_find_policy(charter, c->policy);
    if (policy == NULL || memcmp(policy->digest, c->policy_digest, SHA256_SIZE) != 0)
        REFUSE("policy-changed", "policy %s is not what it was at the verdict", c->policy);
    if (c->age_seconds < 0 || c->age_seconds > d->max_verdict_age_seconds)
        REFUSE("verdict-too-old", "the verdict is %lld s old, %s takes %lld",
               (long long)c->age_seconds, d->who, (long long)d->max_verdict_age_seconds);
    return OK;
}

/* What the evidence proves, against what is asked for. */
static enum outcome check_proof(const struct demand *d, const struct charter_case *c,
                                struct error *err)
{
    if (c->software == SOURCE_NONE && !d->allow_unproven_software)
        REFUSE("software-unproven", "nothing proves which software runs, and %s asks for it",
               d->who);
    if (c->suspect && d->least_level >= LEVEL_2)
        REFUSE("identity-suspect",
               "a cloud's document speaks against this machine, and %s asks for %s", d->who,
               name_of(&level_names, (int)d->least_level));
    if (c->level < d->least_level)
        REFUSE(d->level_code, "level %s, %s asks for %s", name_of(&level_names, (int)c->level),
               d->who, name_of(&level_names, (int)d->least_level));
    return OK;
}

/* Whatever asks who a machine is, or where, gets no answer that somebody gainsays. */
static enum outcome check_clear(const struct charter_grant *g, const struct charter_case *c,
                                struct error *err)
{
    const bool asks = !g->regions.any || !g->accounts.any || g->scope == SCOPE_INSTANCE;
    if (asks && c->suspect)
        REFUSE("identity-suspect",
               "a cloud's document speaks against this machine, and grant %s "
               "asks for its identity",
               g->name);
    return OK;
}

static enum outcome check_place(const struct charter_grant *g, const struct charter_case *c,
                                struct error *err)
{
    if (!g->regions.any && (c->region[0] == '\0' || !charter_names_have(&g->regions, c->region)))
        REFUSE("grant-region", "region '%s' is not proven or not granted", c->region);
    if (!g->accounts.any &&
        (c->account[0] == '\0' || !charter_names_have(&g->accounts, c->account)))
        REFUSE("grant-account", "account '%s' is not proven or not granted", c->account);
    if (!charter_names_have(&g->fleets, c->fleet))
        REFUSE("grant-fleet", "grant %s does not name fleet %s", g->name, c->fleet);
    return OK;
}

static enum outcome check_secret(const struct charter_grant *g, const struct charter_case *c,
                                 struct error *err)
{
    if (c->kind != g->kind)
        REFUSE("grant-kind", "grant %s is for kind %s", g->name,
               name_of(&secret_kind_names, (int)g->kind));
    if (c->scope != g->scope)
        REFUSE("grant-scope", "grant %s is for scope %s", g->name,
               name_of(&secret_scope_names, (int)g->scope));
    if (c->scope == SCOPE_FLEET)
        return OK;
    if (span_is_zero(SPAN_OF(c->anchor)) || c->identity == SOURCE_NONE)
        REFUSE("anchor-unproven", "nothing proves which machine this is");
    if (memcmp(c->anchor, c->secret_anchor, SHA256_SIZE) != 0)
        REFUSE("anchor-mismatch", "the secret belongs to another machine");
    return OK;
}

enum outcome charter_grant_allows(const struct charter *charter, const char *grant,
                                  const struct charter_case *c, struct error *err)
{
    const struct charter_grant *g = charter_find_grant(charter, grant);
    if (g == NULL)
        REFUSE("grant-unknown", "the charter has no grant %s", grant);
    char who[sizeof g->name + sizeof "grant "];
    snprintf(who, sizeof who, "grant %s", g->name);
    const struct demand demand = {.who = who,
                                  .policies = &g->policies,
                                  .least_level = g->least_level,
                                  .max_verdict_age_seconds = g->max_verdict_age_seconds,
                                  .allow_unproven_software = g->allow_unproven_software,
                                  .policy_code = "grant-policy",
                                  .level_code = "grant-level"};
    TRY(check_secret(g, c, err));
    TRY(check_verdict(charter, &demand, c, err));
    TRY(check_proof(&demand, c, err));
    TRY(check_clear(g, c, err));
    TRY(check_place(g, c, err));
    return charter_check_denied(charter, c, err);
}

enum outcome charter_party_allows(const struct charter *charter, const char *party,
                                  const struct charter_case *c, struct error *err)
{
    const struct charter_party *p = charter_find_party(charter, party);
    if (p == NULL)
        REFUSE("party-unknown", "the charter has no relying party %s", party);
    char who[sizeof p->name + sizeof "party "];
    snprintf(who, sizeof who, "party %s", p->name);
    const struct demand demand = {.who = who,
                                  .policies = &p->policies,
                                  .least_level = p->least_level,
                                  .max_verdict_age_seconds = p->max_verdict_age_seconds,
                                  .allow_unproven_software = p->allow_unproven_software,
                                  .policy_code = "party-policy",
                                  .level_code = "party-level"};
    TRY(check_verdict(charter, &demand, c, err));
    TRY(check_proof(&demand, c, err));
    return charter_check_denied(charter, c, err);
}
