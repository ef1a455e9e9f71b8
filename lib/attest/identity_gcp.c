/* Compute Engine's identity token: its audience is our challenge, so it is of now and of the
 * machine that asked for it. */
#include <string.h>

#include "lib/attest/identity_inside.h"

enum { LIFE_SECONDS_MAX = 2 * 3600 };

struct gcp_hearing {
    struct identity_hearing *h;
    struct rs256_token token;
    char issuer[NAME_SIZE];
    char audience[CLOUD_AUDIENCE_SIZE];
    int64_t issued, expires;
    int64_t confidentiality;
};

static void gcp_hearing_done(struct gcp_hearing *g)
{
    rs256_token_done(&g->token);
}

/* "us-central1-a" stands in "us-central1". */
static enum outcome region_of(const char *zone, char out[static REGION_SIZE], struct error *err)
{
    const char *dash = strrchr(zone, '-');
    if (dash == NULL || dash == zone || strlen(dash) != 2)
        return fail_at(err, ERR_INVALID, "wrong-value", "zone", "no zone '%.32s'", zone);
    memcpy(out, zone, (size_t)(dash - zone));
    out[dash - zone] = '\0';
    return OK;
}

static enum outcome read_engine(struct gcp_hearing *g, struct error *err)
{
    json_t *google;
    json_t *engine;
    struct cloud_facts *f = &g->h->facts;
    TRY(json_get_object(g->token.claims, "", "google", &google, err));
    TRY(json_get_object(google, "/google", "compute_engine", &engine, err));
    TRY(identity_get_word(engine, "project_id", f->account, sizeof f->account, err));
    TRY(identity_get_word(engine, "zone", f->zone, sizeof f->zone, err));
    TRY(identity_get_word(engine, "instance_id", f->machine, sizeof f->machine, err));
    TRY(identity_get_word(engine, "instance_name", f->name, sizeof f->name, err));
    TRY(json_get_int_or(engine, "/google/compute_engine", "instance_confidentiality", 0, 255, 0,
                        &g->confidentiality, err));
    return region_of(f->zone, f->region, err);
}

static enum outcome read_all(struct gcp_hearing *g, struct error *err)
{
    const json_t *claims;
    TRY(rs256_token_read(bytes_span(&g->h->documents->parts[GCP_TOKEN]), &g->token, err));
    claims = g->token.claims;
    TRY(identity_get_word(claims, "iss", g->issuer, sizeof g->issuer, err));
    TRY(identity_get_word(claims, "aud", g->audience, sizeof g->audience, err));
    TRY(json_get_int(claims, "", "iat", 0, UINT32_MAX, &g->issued, err));
    TRY(json_get_int(claims, "", "exp", 0, UINT32_MAX, &g->expires, err));
    return read_engine(g, err);
}

static void check_issuer(struct gcp_hearing *g)
{
    if (strcmp(g->issuer, "https://accounts.google.com") != 0)
        identity_refuse(g->h, "issued by somebody else", REASON_IDENTITY_SIGNER);
    else
        identity_pass(g->h, "issued by Google, by a key that the charter names",
                      REASON_IDENTITY_SIGNER);
}

static void check_signature(struct gcp_hearing *g, const struct rs256_key *key)
{
    struct error why = {0};
    identity_check(g->h, rs256_token_verify(&g->token, key, &why), &why, "RS256",
                   REASON_IDENTITY_SIGNATURE);
}

static void check_time(struct gcp_hearing *g)
{
    const int64_t now = moment_seconds(g->h->terms->at);
    if (g->h->terms->then != NULL)
        identity_recall(g->h, g->h->terms->then->bad_time, REASON_IDENTITY_TIME);
    else if (g->issued > now + IDENTITY_SLACK_SECONDS)
        identity_refuse(g->h, "issued in the future", REASON_IDENTITY_TIME);
    else if (now >= g->expires)
        identity_refuse(g->h, "expired", REASON_IDENTITY_TIME);
    else if (g->expires - g->issued > LIFE_SECONDS_MAX)
        identity_refuse(g->h, "lives longer than such tokens do", REASON_IDENTITY_TIME);
    else
        identity_pass(g->h, "issued before now, and not expired", REASON_IDENTITY_TIME);
}

static void check_nonce(struct gcp_hearing *g)
{
    const struct documents_then *then = g->h->terms->then;
    char ours[CLOUD_AUDIENCE_SIZE] = "";
    if (g->h->terms->nonce != NULL)
        cloud_audience(g->h->terms->nonce, ours);
    const bool fresh =
        then != NULL ? !then->bad_nonce : ours[0] != '\0' && strcmp(ours, g->audience) == 0;
    if (then != NULL)
        identity_recall(g->h, then->bad_nonce, REASON_IDENTITY_NONCE);
    else if (fresh)
        identity_pass(g->h, "its audience is our challenge", REASON_IDENTITY_NONCE);
    else
        identity_refuse(g->h, "answers another challenge", REASON_IDENTITY_NONCE);
    g->h->out->fresh = fresh;
}

/* The cloud's own flag proves nothing when it is set; that it is not set is odd. */
static void check_confidential(struct gcp_hearing *g)
{
    if (g->confidentiality != 1)
        identity_refuse(g->h, "of a machine that is not confidential",
                        REASON_IDENTITY_CONFIDENTIAL);
    else
        identity_pass(g->h, "Google calls it confidential too", REASON_IDENTITY_CONFIDENTIAL);
}

void identity_judge_gcp(struct identity_hearing *h)
{
    struct error why = {0};
    OWNED(gcp_hearing_done) struct gcp_hearing g = {.h = h};
    if (h->documents->parts[GCP_TOKEN].len == 0) {
        identity_nothing(h, "no identity token came");
        return;
    }
    h->readable = read_all(&g, &why) == OK;
    const struct rs256_key *key =
        h->readable ? charter_gcp_key(h->terms->clouds, g.token.kid) : NULL;
    if (h->readable && key == NULL) {
        identity_nothing(h, "the charter has no key of this id: Google changes them");
        return;
    }
    identity_check(h, h->readable ? OK : ERR_INVALID, &why, "a token that can be read",
                   REASON_IDENTITY_FORMAT);
    if (!h->readable)
        return;
    check_issuer(&g);
    check_signature(&g, key);
    check_time(&g);
    check_nonce(&g);
    check_confidential(&g);
}
