#include "keeper/claims.h"

#include <string.h>

#include "lib/crypto/jwk.h"
#include "lib/crypto/random.h"

#define AUDIENCE "muster-keeper"

enum token_kind { TOKEN_VERDICT, TOKEN_OPINION, TOKEN_PASSPORT, TOKEN_KIND_COUNT };

/* clang-format off */
static const struct token_words {
    const char *typ, *simulated_typ, *issuer, *simulated_issuer, *profile;
} words[] = {
    [TOKEN_VERDICT]  = {VERDICT_TYP,  SIMULATED_VERDICT_TYP,  "muster-keeper",   "muster-keeper-simulation",   "tag:muster,2026:verdict-1"},
    [TOKEN_OPINION]  = {OPINION_TYP,  SIMULATED_OPINION_TYP,  "muster-keeper",   "muster-keeper-simulation",   "tag:muster,2026:opinion-1"},
    [TOKEN_PASSPORT] = {PASSPORT_TYP, SIMULATED_PASSPORT_TYP, "muster-passport", "muster-passport-simulation", "tag:muster,2026:passport-1"},
};
_Static_assert(countof(words) == TOKEN_KIND_COUNT);
/* clang-format on */

/* In the order of their names, which is that of printing: then nothing is left to sort. */
/* clang-format off */
static const struct field claims_fields[] = {
    FIELD(verdict_claims, account, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(verdict_claims, anchor, FIELD_HEX, .flags = FIELD_OPTIONAL),
    FIELD(verdict_claims, author_key, FIELD_HEX, .flags = FIELD_OPTIONAL),
    FIELD(verdict_claims, charter_serial, FIELD_INT, .least = 1, .most = INT64_MAX),
    FIELD(verdict_claims, chip, FIELD_HEX, .flags = FIELD_OPTIONAL),
    FIELD(verdict_claims, cloud, FIELD_NAME, .names = &cloud_kind_names, .flags = FIELD_OPTIONAL),
    FIELD(verdict_claims, csp_id, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(verdict_claims, deployment, FIELD_HEX),
    FIELD(verdict_claims, documents, FIELD_NAME, .names = &document_state_names, .flags = FIELD_OPTIONAL),
    FIELD(verdict_claims, hardware, FIELD_NAME, .names = &source_names),
    FIELD(verdict_claims, id_key, FIELD_HEX, .flags = FIELD_OPTIONAL),
    FIELD(verdict_claims, identity, FIELD_NAME, .names = &source_names),
    FIELD(verdict_claims, instance, FIELD_UUID),
    FIELD(verdict_claims, kind, FIELD_NAME, .names = &evidence_kind_names),
    FIELD(verdict_claims, level, FIELD_NAME, .names = &level_names),
    FIELD(verdict_claims, link_key, FIELD_HEX),
    FIELD(verdict_claims, measurement, FIELD_HEX, .flags = FIELD_OPTIONAL),
    FIELD(verdict_claims, missing, FIELD_JSON),
    FIELD(verdict_claims, named, FIELD_HEX, .flags = FIELD_OPTIONAL),
    FIELD(verdict_claims, policy, FIELD_TEXT),
    FIELD(verdict_claims, policy_digest, FIELD_HEX),
    FIELD(verdict_claims, product, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(verdict_claims, realm, FIELD_NAME, .names = &realm_names),
    FIELD(verdict_claims, reason, FIELD_TEXT),
    FIELD(verdict_claims, region, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(verdict_claims, report_id, FIELD_HEX, .flags = FIELD_OPTIONAL),
    FIELD(verdict_claims, residuals, FIELD_JSON),
    FIELD(verdict_claims, sealing_key, FIELD_BYTES),
    FIELD(verdict_claims, simulated, FIELD_BOOL),
    FIELD(verdict_claims, software, FIELD_NAME, .names = &source_names),
    FIELD(verdict_claims, suspect_reason, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(verdict_claims, verdict, FIELD_TEXT),
};
const struct record verdict_claims_record = RECORD(verdict_claims, claims_fields);
_Static_assert(countof(claims_fields) + 3 <= MEMBERS_MAX); /* with id, vector and evidence */

static const char *const nonce_source_words[] = {"none", "asker", "shown"};
const struct names nonce_source_names = NAMES("nonce source", nonce_source_words);
_Static_assert(countof(nonce_source_words) == NONCE_SOURCE_COUNT);

static const struct field opinion_fields[] = {
    FIELD(opinion_claims, deployment, FIELD_HEX),
    FIELD(opinion_claims, realm, FIELD_NAME, .names = &realm_names),
    FIELD(opinion_claims, kind, FIELD_NAME, .names = &evidence_kind_names),
    FIELD(opinion_claims, evidence, FIELD_HEX),
    FIELD(opinion_claims, verdict, FIELD_TEXT),
    FIELD(opinion_claims, reason, FIELD_TEXT),
    FIELD(opinion_claims, policy, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(opinion_claims, policy_digest, FIELD_HEX),
    FIELD(opinion_claims, charter_serial, FIELD_INT, .least = 1, .most = INT64_MAX),
    FIELD(opinion_claims, nonce_source, FIELD_NAME, .names = &nonce_source_names),
    FIELD(opinion_claims, nonce, FIELD_BYTES, .flags = FIELD_OPTIONAL),
    FIELD(opinion_claims, link_key, FIELD_HEX, .flags = FIELD_OPTIONAL),
    FIELD(opinion_claims, hardware, FIELD_NAME, .names = &source_names),
    FIELD(opinion_claims, software, FIELD_NAME, .names = &source_names),
    FIELD(opinion_claims, identity, FIELD_NAME, .names = &source_names),
    FIELD(opinion_claims, level, FIELD_NAME, .names = &level_names),
    FIELD(opinion_claims, missing, FIELD_JSON),
    FIELD(opinion_claims, residuals, FIELD_JSON),
    FIELD(opinion_claims, measurement, FIELD_HEX, .flags = FIELD_OPTIONAL),
    FIELD(opinion_claims, simulated, FIELD_BOOL),
};
const struct record opinion_claims_record = RECORD(opinion_claims, opinion_fields);

static const struct field passport_fields[] = {
    FIELD(passport_claims, deployment, FIELD_HEX),
    FIELD(passport_claims, realm, FIELD_NAME, .names = &realm_names),
    FIELD(passport_claims, relying_party, FIELD_TEXT),
    FIELD(passport_claims, instance, FIELD_UUID),
    FIELD(passport_claims, kind, FIELD_NAME, .names = &evidence_kind_names),
    FIELD(passport_claims, verdict, FIELD_UUID),
    FIELD(passport_claims, verdict_issued, FIELD_MOMENT),
    FIELD(passport_claims, verdict_expires, FIELD_MOMENT),
    FIELD(passport_claims, policy, FIELD_TEXT),
    FIELD(passport_claims, policy_digest, FIELD_HEX),
    FIELD(passport_claims, charter_serial, FIELD_INT, .least = 1, .most = INT64_MAX),
    FIELD(passport_claims, hardware, FIELD_NAME, .names = &source_names),
    FIELD(passport_claims, software, FIELD_NAME, .names = &source_names),
    FIELD(passport_claims, identity, FIELD_NAME, .names = &source_names),
    FIELD(passport_claims, level, FIELD_NAME, .names = &level_names),
    FIELD(passport_claims, missing, FIELD_JSON),
    FIELD(passport_claims, residuals, FIELD_JSON),
    FIELD(passport_claims, anchor, FIELD_HEX, .flags = FIELD_OPTIONAL),
    FIELD(passport_claims, measurement, FIELD_HEX, .flags = FIELD_OPTIONAL),
    FIELD(passport_claims, region, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(passport_claims, simulated, FIELD_BOOL),
};
const struct record passport_claims_record = RECORD(passport_claims, passport_fields);
/* clang-format on */

void verdict_token_done(struct verdict_token *token)
{
    record_done(&verdict_claims_record, &token->claims);
    *token = (struct verdict_token){0};
}

void passport_token_done(struct passport_token *token)
{
    record_done(&passport_claims_record, &token->claims);
    *token = (struct passport_token){0};
}

/* ---- printing ------------------------------------------------------------------------------- */

static const char *issuer_of(enum token_kind kind, bool simulated)
{
    return simulated ? words[kind].simulated_issuer : words[kind].issuer;
}

/* No better than the worst claim of the vector (EAR). Simulated evidence affirms nothing, whatever
 * it passed. */
static const char *ear_status(const char *verdict, bool simulated,
                              const struct trust_vector *vector)
{
    if (strcmp(verdict, "trusted") != 0)
        return trust_tier_word(TIER_CONTRAINDICATED);
    if (simulated)
        return trust_tier_word(TIER_NONE);
    return trust_tier_word(trust_vector_worst(vector));
}

struct ear {
    enum token_kind kind;
    const struct uuid *id;
    const char *audience, *verdict;
    bool simulated;
    const struct trust_vector *vector;
    struct moment issued, expires;
};

/* What an EAR has whoever reads it. */
static void put_ear(const struct ear *ear, struct members *out)
{
    OWNED(members_done) struct members submods = {0};
    OWNED(members_done) struct members muster = {0};
    members_text(out, "iss", issuer_of(ear->kind, ear->simulated));
    members_text(out, "aud", ear->audience);
    members_uuid(out, "jti", ear->id);
    members_int(out, "iat", moment_seconds(ear->issued));
    members_int(out, "exp", moment_seconds(ear->expires));
    members_text(out, "eat_profile", words[ear->kind].profile);
    members_text(&muster, "ear.status", ear_status(ear->verdict, ear->simulated, ear->vector));
    trust_vector_put(ear->vector, "ear.trustworthiness-vector", &muster);
    members_object(&submods, "muster", &muster);
    members_object(out, "submods", &submods);
}

static enum outcome sign_ear(const struct key *signer, const struct ear *ear, struct members *all,
                             const struct members *said, char **out, struct error *err)
{
    const struct token_words *w = &words[ear->kind];
    members_object(all, "muster", said);
    return token_sign_members(signer, ear->simulated ? w->simulated_typ : w->typ, all, out, err);
}

enum outcome verdict_token_print(const struct key *signer, const struct verdict_token *token,
                                 char **out, struct error *err)
{
    OWNED(members_done) struct members said = {0};
    members_record(&said, &verdict_claims_record, &token->claims);
    return verdict_token_sign(signer, token, &said, out, err);
}

enum outcome verdict_token_sign(const struct key *signer, const struct verdict_token *token,
                                const struct members *said, char **out, struct error *err)
{
    const struct verdict_claims *claims = &token->claims;
    const struct ear ear = {.kind = TOKEN_VERDICT,
                            .id = &token->id,
                            .audience = AUDIENCE,
                            .verdict = claims->verdict,
                            .simulated = claims->simulated,
                            .vector = &token->vector,
                            .issued = token->issued,
                            .expires = token->expires};
    OWNED(members_done) struct members all = {0};
    put_ear(&ear, &all);
    return sign_ear(signer, &ear, &all, said, out, err);
}

enum outcome opinion_token_print(const struct key *signer, const struct opinion_claims *claims,
                                 const struct trust_vector *vector, struct moment now, char **out,
                                 struct error *err)
{
    const struct uuid id = uuid_new();
    const struct ear ear = {.kind = TOKEN_OPINION,
                            .id = &id,
                            .audience = OPINION_AUDIENCE,
                            .verdict = claims->verdict,
                            .simulated = claims->simulated,
                            .vector = vector,
                            .issued = now,
                            .expires = moment_add_seconds(now, OPINION_SECONDS)};
    OWNED(members_done) struct members all = {0};
    OWNED(members_done) struct members said = {0};
    put_ear(&ear, &all);
    members_record(&said, &opinion_claims_record, claims);
    return sign_ear(signer, &ear, &all, &said, out, err);
}

/* Whoever shows it must hold this key (RFC 7800): whole, and by its name (RFC 9449). */
static enum outcome put_confirmation(struct members *out, const struct key *key, struct error *err)
{
    char thumbprint[JWK_THUMBPRINT_SIZE];
    OWNED(json_drop) json_t *jwk = NULL;
    OWNED(members_done) struct members cnf = {0};
    TRY(jwk_of(key, &jwk, err));
    members_json(&cnf, "jwk", jwk);
    TRY(jwk_thumbprint(key, thumbprint, err));
    members_text(&cnf, "jkt", thumbprint);
    members_object(out, "cnf", &cnf);
    return OK;
}

enum outcome passport_token_print(const struct key *signer, const struct passport_token *token,
                                  char **out, struct error *err)
{
    const struct passport_claims *claims = &token->claims;
    const struct ear ear = {.kind = TOKEN_PASSPORT,
                            .id = &token->id,
                            .audience = token->audience,
                            .verdict = "trusted",
                            .simulated = claims->simulated,
                            .vector = &token->vector,
                            .issued = token->issued,
                            .expires = token->expires};
    OWNED(members_done) struct members all = {0};
    OWNED(members_done) struct members said = {0};
    put_ear(&ear, &all);
    members_record(&said, &passport_claims_record, claims);
    members_uuid(&all, "sub", &claims->instance);
    members_int(&all, "nbf", moment_seconds(token->issued));
    TRY(put_confirmation(&all, token->link_key, err));
    return sign_ear(signer, &ear, &all, &said, out, err);
}

/* ---- reading -------------------------------------------------------------------------------- */

static enum outcome malformed(struct error *err)
{
    return fail_code(err, ERR_INVALID, "verdict-malformed", "not a verdict token");
}

static enum outcome check_typ(struct span text, enum realm realm, bool *simulated,
                              struct error *err)
{
    char typ[TOKEN_TYP_SIZE];
    if (token_claimed_typ(text, typ, NULL) != OK)
        return malformed(err);
    if (strcmp(typ, OPINION_TYP) == 0 || strcmp(typ, SIMULATED_OPINION_TYP) == 0)
        return fail_code(err, ERR_DENIED, "opinion-not-verdict",
                         "an opinion says what somebody asked, not what a guest proved");
    if (strcmp(typ, PASSPORT_TYP) == 0 || strcmp(typ, SIMULATED_PASSPORT_TYP) == 0)
        return fail_code(err, ERR_DENIED, "passport-not-verdict",
                         "a passport is for a relying party, and opens nothing here");
    *simulated = strcmp(typ, SIMULATED_VERDICT_TYP) == 0;
    if (*simulated && realm != REALM_SIMULATION)
        return fail_code(err, ERR_DENIED, "verdict-simulated", "simulated, in production");
    if (!*simulated && strcmp(typ, VERDICT_TYP) != 0)
        return fail_code(err, ERR_DENIED, "verdict-type", "a token of another type");
    return OK;
}

static enum outcome check_signature(struct span text, const struct key *signer, bool simulated,
                                    json_t **out, struct error *err)
{
    enum outcome outcome =
        token_verify(text, simulated ? SIMULATED_VERDICT_TYP : VERDICT_TYP, signer, out, err);
    if (outcome == ERR_DENIED && err != NULL && strcmp(err->code, "token-key") == 0)
        return fail_code(err, ERR_DENIED, "verdict-key", "not signed by this keeper");
    if (outcome == ERR_INVALID)
        return malformed(err);
    return outcome;
}

static enum outcome read_vector(const json_t *json, struct trust_vector *out)
{
    const json_t *ours = json_object_get(json_object_get(json, "submods"), "muster");
    return trust_vector_from_json(json_object_get(ours, "ear.trustworthiness-vector"), out, NULL);
}

static enum outcome read_claims(const json_t *json, bool simulated, struct verdict_token *out,
                                struct error *err)
{
    const char *issuer;
    const char *audience;
    int64_t issued;
    int64_t expires;
    if (json_get_text(json, "", "iss", 64, &issuer, NULL) != OK ||
        json_get_text(json, "", "aud", 64, &audience, NULL) != OK ||
        json_get_int(json, "", "iat", 0, INT32_MAX * INT64_C(4), &issued, NULL) != OK ||
        json_get_int(json, "", "exp", 0, INT32_MAX * INT64_C(4), &expires, NULL) != OK ||
        json_get_uuid(json, "", "jti", &out->id, NULL) != OK ||
        record_from_json(&verdict_claims_record, json_object_get(json, "muster"), "/muster",
                         &out->claims, NULL) != OK ||
        read_vector(json, &out->vector) != OK)
        return malformed(err);
    if (strcmp(issuer, issuer_of(TOKEN_VERDICT, simulated)) != 0 ||
        strcmp(audience, AUDIENCE) != 0 || out->claims.simulated != simulated)
        return fail_code(err, ERR_DENIED, "verdict-audience", "issued by or for somebody else");
    out->issued = clock_at_seconds(issued);
    out->expires = clock_at_seconds(expires);
    return OK;
}

enum outcome verdict_token_read(struct span text, const struct key *signer, enum realm realm,
                                struct moment now, struct verdict_token *out, struct error *err)
{
    OWNED(json_drop) json_t *json = NULL;
    OWNED(verdict_token_done) struct verdict_token token = {0};
    bool simulated;
    TRY(check_typ(text, realm, &simulated, err));
    TRY(check_signature(text, signer, simulated, &json, err));
    TRY(read_claims(json, simulated, &token, err));
    if (now.us >= token.expires.us)
        return fail_code(err, ERR_DENIED, "verdict-expired", "expired %s",
                         moment_text(token.expires).at);
    *out = token;
    token = (struct verdict_token){0};
    return OK;
}
