#include "keeper/token_alterations.h"

#include <string.h>

#include "lib/crypto/random.h"

/* What the keeper itself signs nowhere else, and lets nobody see. */
static char *print(const struct keeper *k, const struct verdict_token *token)
{
    char *text = NULL;
    error_ignore(verdict_token_print(k->signer, token, &text, NULL));
    return text;
}

static char *as_opinion(const struct keeper *k, const struct verdict_token *genuine,
                        struct uuid *instance)
{
    const struct opinion_claims claims = {.realm = k->realm,
                                          .verdict = "trusted",
                                          .kind = genuine->claims.kind,
                                          .simulated = genuine->claims.simulated};
    char *text = NULL;
    (void)instance;
    error_ignore(
        opinion_token_print(k->signer, &claims, &genuine->vector, clock_now(), &text, NULL));
    return text;
}

static char *as_passport(const struct keeper *k, const struct verdict_token *genuine,
                         struct uuid *instance)
{
    const struct passport_token passport = {.id = genuine->id,
                                            .audience = "probe",
                                            .issued = genuine->issued,
                                            .expires = genuine->expires,
                                            .link_key = k->signer,
                                            .claims = {.simulated = genuine->claims.simulated}};
    char *text = NULL;
    (void)instance;
    error_ignore(passport_token_print(k->signer, &passport, &text, NULL));
    return text;
}

static char *as_expired(const struct keeper *k, const struct verdict_token *genuine,
                        struct uuid *instance)
{
    struct verdict_token token = *genuine;
    (void)instance;
    token.expires = moment_add_seconds(clock_now(), -1);
    return print(k, &token);
}

static char *as_of_another_deployment(const struct keeper *k, const struct verdict_token *genuine,
                                      struct uuid *instance)
{
    struct verdict_token token = *genuine;
    (void)instance;
    token.claims.deployment[0] ^= 1;
    return print(k, &token);
}

static char *as_of_another_instance(const struct keeper *k, const struct verdict_token *genuine,
                                    struct uuid *instance)
{
    *instance = uuid_new();
    return print(k, genuine);
}

static char *as_simulated(const struct keeper *k, const struct verdict_token *genuine,
                          struct uuid *instance)
{
    struct verdict_token token = *genuine;
    (void)instance;
    token.claims.simulated = true;
    return k->realm == REALM_PRODUCTION ? print(k, &token) : NULL;
}

static char *as_older(const struct keeper *k, const struct verdict_token *genuine,
                      struct uuid *instance)
{
    struct verdict_token token = *genuine;
    (void)instance;
    token.id = uuid_new();
    return print(k, &token);
}

/* One digit within the claims. */
static char *as_changed(const struct keeper *k, const struct verdict_token *genuine,
                        struct uuid *instance)
{
    char *text = print(k, genuine);
    const size_t at = text != NULL ? strcspn(text, ".") + 40 : 0;
    (void)instance;
    if (text != NULL && at < strlen(text))
        text[at] = text[at] == 'A' ? 'B' : 'A';
    return text;
}

/* clang-format off */
const struct token_alteration token_alterations[] = {
    {"token-opinion",    as_opinion,               "opinion-not-verdict"},
    {"token-passport",   as_passport,              "passport-not-verdict"},
    {"token-expired",    as_expired,               "verdict-expired"},
    {"token-deployment", as_of_another_deployment, "verdict-deployment"},
    {"token-instance",   as_of_another_instance,   "verdict-instance"},
    {"token-simulated",  as_simulated,             "verdict-simulated"},
    {"token-older",      as_older,                 "verdict-superseded"},
    {"token-changed",    as_changed,               "bad-signature"},
};
/* clang-format on */
const size_t token_alteration_count = countof(token_alterations);
