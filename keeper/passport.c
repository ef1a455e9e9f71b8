/* Passports: what a verdict proved, told to one relying party of the charter, on the guest's own
 * request (trust.md section 6). Whoever asks in a guest's name gets nothing from it: the passport
 * is sealed to the guest, answers the nonce it sent, and is good only for who holds its link key.
 */
#include <string.h>

#include "keeper/inside.h"
#include "lib/crypto/random.h"
#include "lib/crypto/sealing_key.h"

/* At once, and then one each so many milliseconds: six a minute in the long run. */
enum { PASSPORTS_AT_ONCE = 6, PASSPORT_EVERY_MS = 10000 };

static enum outcome check_key(const struct keeper *k, struct error *err)
{
    if (k->passport_signer == NULL)
        return fail_code(err, ERR_DENIED, "no-passport-key",
                         "this keeper has no key for passports");
    return keeper_may_sign(k->passport_cert, err);
}

/* Each passport is an entry of the audit trail, which nobody may flood. */
static enum outcome count_one(struct keeper *k, const struct uuid *instance, struct error *err)
{
    struct known_instance *known = keeper_know(k, instance);
    const int64_t now_ms = clock_monotonic_ms();
    known->passports.room = PASSPORTS_AT_ONCE;
    known->passports.every_ms = PASSPORT_EVERY_MS;
    if (bucket_wait_ms(&known->passports, now_ms) > 0)
        return fail_code(err, ERR_THROTTLED, "passport-too-many",
                         "the instance asked for too many passports");
    bucket_take(&known->passports, now_ms);
    return OK;
}

/* The verdict names the key by its hash; others need the key. */
static enum outcome read_link_key(const struct passport_wish *wish,
                                  const struct verdict_claims *claims, struct key **out,
                                  struct error *err)
{
    uint8_t fingerprint[SHA256_SIZE];
    OWNED(key_drop) struct key *key = NULL;
    TRY(key_from_spki(bytes_span(&wish->link_key), &key, err));
    key_fingerprint(key, fingerprint);
    if (memcmp(fingerprint, claims->link_key, sizeof fingerprint) != 0)
        return fail_code(err, ERR_DENIED, "passport-key", "not the link key of the verdict");
    *out = TAKE(key);
    return OK;
}

/* Neither beyond the verdict nor beyond the certificate of what signs it. */
static struct moment end_of(const struct keeper *k, const struct charter_party *party,
                            const struct verdict_token *verdict, struct moment now)
{
    const struct moment bounds[] = {verdict->expires, cert_not_after(k->passport_cert)};
    struct moment end = moment_add_seconds(now, party->valid_seconds);
    for (size_t i = 0; i < countof(bounds); i++)
        if (bounds[i].us < end.us)
            end = bounds[i];
    return end;
}

static void fill_claims(const struct keeper *k, const struct charter_party *party,
                        const struct verdict_token *verdict, struct passport_claims *out)
{
    const struct verdict_claims *from = &verdict->claims;
    memcpy(out->deployment, k->deployment, sizeof out->deployment);
    out->realm = k->realm;
    memcpy(out->relying_party, party->name, sizeof out->relying_party);
    out->instance = from->instance;
    out->kind = from->kind;
    out->verdict = verdict->id;
    out->verdict_issued = verdict->issued;
    out->verdict_expires = verdict->expires;
    memcpy(out->policy, from->policy, sizeof out->policy);
    memcpy(out->policy_digest, from->policy_digest, sizeof out->policy_digest);
    out->charter_serial = k->charter->serial;
    out->hardware = from->hardware;
    out->software = from->software;
    out->identity = from->identity;
    out->level = from->level;
    out->missing = json_incref(from->missing);
    out->residuals = json_incref(from->residuals);
    memcpy(out->anchor, from->anchor, sizeof out->anchor);
    memcpy(out->measurement, from->measurement, sizeof out->measurement);
    memcpy(out->region, from->region, sizeof out->region);
    out->simulated = from->simulated;
}

/* The envelope's own members about secrets say which passport it is. */
static enum outcome seal_it(const struct keeper *k, const struct passport_wish *wish,
                            const struct verdict_token *verdict, const struct uuid *id,
                            const char *token, struct bytes *out, struct error *err)
{
    OWNED(key_drop) struct key *sealing = NULL;
    struct seal_header header = {
        .purpose = SEAL_PURPOSE_PASSPORT,
        .instance = wish->instance,
        .delivery = *id,
        .secret = *id,
        .kind = "passport",
        .version = 1,
        .verdict = verdict->id,
        .sequence = 1,
    };
    TRY(sealing_key_read(bytes_span(&verdict->claims.sealing_key), &sealing, err));
    memcpy(header.deployment, k->deployment, sizeof header.deployment);
    key_fingerprint(sealing, header.sealing_key);
    memcpy(header.salt, wish->nonce, sizeof header.salt);
    memcpy(header.name, wish->relying_party, sizeof header.name);
    memcpy(header.grant, wish->relying_party, sizeof header.grant);
    return seal_to(sealing, &header, span_of_text(token), k->signer, k->signer_cert, out, err);
}

static enum outcome issue(const struct keeper *k, const struct passport_wish *wish,
                          const struct charter_party *party, const struct verdict_token *verdict,
                          struct passport_reply *out, struct error *err)
{
    OWNED(passport_token_done) struct passport_token passport = {0};
    OWNED(key_drop) struct key *link_key = NULL;
    OWNED(mem_drop) char *token = NULL;
    TRY(read_link_key(wish, &verdict->claims, &link_key, err));
    fill_claims(k, party, verdict, &passport.claims);
    passport.id = uuid_new();
    passport.audience = party->audience;
    passport.issued = clock_at_seconds(moment_seconds(clock_now()));
    passport.expires = end_of(k, party, verdict, passport.issued);
    passport.link_key = link_key;
    passport.vector = verdict->vector;
    TRY(passport_token_print(k->passport_signer, &passport, &token, err));
    TRY(seal_it(k, wish, verdict, &passport.id, token, &out->envelope, err));
    out->id = passport.id;
    out->expires = passport.expires;
    return OK;
}

enum outcome keeper_passport(struct keeper *k, const struct passport_wish *wish,
                             struct passport_reply *out, struct error *err)
{
    const struct charter *charter;
    OWNED(verdict_token_done) struct verdict_token verdict = {0};
    TRY(keeper_need_state(k, err));
    TRY(keeper_check_halt(k, err));
    TRY(keeper_charter(k, &charter, err));
    TRY(check_key(k, err));
    TRY(keeper_read_verdict(k, &wish->instance, wish->token, &verdict, err));
    const struct charter_case c = keeper_case_of(&verdict);
    TRY(charter_party_allows(charter, wish->relying_party, &c, err));
    TRY(count_one(k, &wish->instance, err));
    TRY(issue(k, wish, charter_find_party(charter, wish->relying_party), &verdict, out, err));
    k->passports++;
    return OK;
}
