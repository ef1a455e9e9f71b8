/* Whether a guest stands where its verdict token says: what a release and a passport ask alike. */
#include <string.h>

#include "keeper/inside.h"

/* The token is this instance's and the latest one. */
static enum outcome check_token(const struct keeper *k, const struct uuid *instance,
                                const struct verdict_token *token, struct error *err)
{
    if (!uuid_equal(&token->claims.instance, instance))
        return fail_code(err, ERR_DENIED, "verdict-instance", "the verdict is another instance's");
    if (token->claims.realm != k->realm ||
        memcmp(token->claims.deployment, k->deployment, SHA256_SIZE) != 0)
        return fail_code(err, ERR_DENIED, "verdict-deployment", "of another deployment");
    const struct known_instance *known = map_get(k->instances, instance);
    if (known == NULL)
        return OK; /* judged before this keeper started: the token says all there is to know */
    bool rejected = strcmp(token->claims.verdict, "trusted") != 0; /* which is said below */
    if (!rejected && !uuid_is_zero(&known->verdict) && !uuid_equal(&known->verdict, &token->id))
        return fail_code(err, ERR_DENIED, "verdict-superseded", "the instance has a newer verdict");
    return OK;
}

static enum outcome check_destroyed(const struct keeper *k, const struct verdict_claims *claims,
                                    struct error *err)
{
    bool destroyed =
        keeper_is_destroyed(k, claims->anchor) || keeper_is_destroyed(k, claims->link_key);
    for (size_t at = 0; at < sizeof claims->named; at += SHA256_SIZE)
        destroyed = destroyed || keeper_is_destroyed(k, claims->named + at);
    if (destroyed)
        return fail_code(err, ERR_DENIED, "anchor-destroyed",
                         "this machine or key was declared destroyed");
    return OK;
}

enum outcome keeper_read_verdict(const struct keeper *k, const struct uuid *instance,
                                 const char *text, struct verdict_token *out, struct error *err)
{
    OWNED(verdict_token_done) struct verdict_token token = {0};
    TRY(verdict_token_read(span_of_text(text), k->signer, k->realm, clock_now(), &token, err));
    TRY(check_token(k, instance, &token, err));
    TRY(check_destroyed(k, &token.claims, err));
    *out = token;
    token = (struct verdict_token){0};
    return OK;
}

static struct provenance provenance_of(const struct verdict_claims *claims)
{
    struct provenance made = {0};
    int line;
    made.has_line = name_parse(&snp_line_names, claims->product, &line, NULL) == OK;
    if (made.has_line)
        made.line = (enum snp_line)line;
    memcpy(made.csp_id, claims->csp_id, sizeof made.csp_id);
    memcpy(made.signers[0], claims->id_key, sizeof made.signers[0]);
    memcpy(made.signers[1], claims->author_key, sizeof made.signers[1]);
    return made;
}

struct charter_case keeper_case_of(const struct verdict_token *token)
{
    const struct verdict_claims *claims = &token->claims;
    struct charter_case c = {
        .trusted = strcmp(claims->verdict, "trusted") == 0,
        .policy = claims->policy,
        .software = claims->software,
        .identity = claims->identity,
        .level = claims->level,
        .age_seconds = moment_seconds_between(token->issued, clock_now()),
        .region = claims->region,
        .account = claims->account,
        .suspect = claims->documents == DOCUMENTS_SUSPECT,
        .fleet = "",
    };
    memcpy(c.policy_digest, claims->policy_digest, sizeof c.policy_digest);
    memcpy(c.anchor, claims->anchor, sizeof c.anchor);
    memcpy(c.named, claims->named, sizeof c.named);
    memcpy(c.link_key, claims->link_key, sizeof c.link_key);
    memcpy(c.measurement, claims->measurement, sizeof c.measurement);
    memcpy(c.chip, claims->chip, sizeof c.chip);
    c.made = provenance_of(claims);
    return c;
}
