#include "agent/passports.h"

#include <stdlib.h>
#include <string.h>

#include "lib/crypto/random.h"
#include "lib/crypto/token.h"

void passport_result_done(struct passport_result *result)
{
    locked_done(&result->token);
    free(result->proof);
    *result = (struct passport_result){0};
}

enum outcome passports_ask(struct passports *p, uint64_t ticket,
                           const struct local_request *request, int64_t wait_ms,
                           struct passport_pending **out, struct bytes *out_body, struct error *err)
{
    struct passport_pending *free_one = NULL;
    struct passport_ask ask = {0};
    for (size_t i = 0; i < PASSPORTS_MAX && free_one == NULL; i++)
        if (!p->at[i].open)
            free_one = &p->at[i];
    if (free_one == NULL)
        return fail_code(err, ERR_THROTTLED, "busy", "%d passports are on their way",
                         PASSPORTS_MAX);
    TRY(key_to_spki(p->guest->link_key, &ask.link_key, err));
    *free_one = (struct passport_pending){.open = true,
                                          .ticket = ticket,
                                          .request = *request,
                                          .until_ms = clock_monotonic_ms() + wait_ms};
    random_fill(&free_one->id, sizeof free_one->id);
    random_fill(free_one->nonce, sizeof free_one->nonce);
    memcpy(ask.relying_party, request->relying_party, sizeof ask.relying_party);
    memcpy(ask.nonce, free_one->nonce, sizeof ask.nonce);
    message_print(VERB_PASSPORT, &passport_ask_record, &ask, out_body);
    record_done(&passport_ask_record, &ask);
    *out = free_one;
    return OK;
}

struct passport_pending *passports_find(struct passports *p, uint64_t id)
{
    for (size_t i = 0; i < PASSPORTS_MAX; i++)
        if (p->at[i].open && p->at[i].id == id)
            return &p->at[i];
    return NULL;
}

struct passport_pending *passports_late(struct passports *p, int64_t now_ms)
{
    for (size_t i = 0; i < PASSPORTS_MAX; i++)
        if (p->at[i].open && p->at[i].until_ms <= now_ms)
            return &p->at[i];
    return NULL;
}

int64_t passports_due_ms(const struct passports *p, int64_t otherwise_ms)
{
    int64_t due_ms = otherwise_ms;
    for (size_t i = 0; i < PASSPORTS_MAX; i++)
        if (p->at[i].open && p->at[i].until_ms < due_ms)
            due_ms = p->at[i].until_ms;
    return due_ms;
}

/* An old envelope shown again has another nonce. */
static enum outcome check_header(const struct passport_pending *pending,
                                 const struct seal_header *header, struct error *err)
{
    if (memcmp(header->salt, pending->nonce, sizeof pending->nonce) != 0 ||
        strcmp(header->name, pending->request.relying_party) != 0)
        return fail_code(err, ERR_DENIED, "passport-mismatch",
                         "the answer to another request for a passport");
    return OK;
}

/* That whoever shows this passport holds the link key: over the relying party's challenge and the
 * passport (as RFC 9449 has it). Its time is this guest's, whose clock belongs to its host. */
static enum outcome prove_possession(const struct passports *p, const char *challenge,
                                     const struct locked *token, char **out, struct error *err)
{
    uint8_t hash[SHA256_SIZE];
    OWNED(json_drop) json_t *claims = json_object();
    digest(DIGEST_SHA256, locked_span(token), hash);
    OWNED(mem_drop) char *encoded = base64url_of(SPAN_OF(hash));
    json_put_text(claims, "ath", encoded);
    json_put_text(claims, "nonce", challenge);
    json_put_int(claims, "iat", moment_seconds(clock_now()));
    return token_sign(p->guest->link_key, PROOF_TYP, claims, out, err);
}

static enum outcome open_answer(const struct passports *p, const struct passport_pending *pending,
                                struct key *const keys[static SEALING_KEYS_MAX],
                                struct span envelope, struct locked *out, struct error *err)
{
    struct seal_header header = {0};
    const struct seal_expected expected = {
        .purpose = SEAL_PURPOSE_PASSPORT,
        .instance = p->guest->instance,
        .roots = p->guest->roots,
        .root_count = p->guest->root_count,
        .at = clock_now(),
    };
    TRY(envelope_open(envelope, keys, &expected, &header, out, err));
    return check_header(pending, &header, err);
}

enum outcome passports_open(const struct passports *p, const struct passport_pending *pending,
                            struct key *const keys[static SEALING_KEYS_MAX], struct span reply,
                            struct passport_result *out, struct error *err)
{
    struct passport_answer answer = {0};
    OWNED(locked_done) struct locked token = {0};
    TRY(message_parse_reply(reply, &passport_answer_record, &answer, err));
    enum outcome outcome = open_answer(p, pending, keys, bytes_span(&answer.envelope), &token, err);
    record_done(&passport_answer_record, &answer);
    TRY(outcome);
    if (pending->request.challenge[0] != '\0')
        TRY(prove_possession(p, pending->request.challenge, &token, &out->proof, err));
    out->token = token;
    token = (struct locked){0};
    return OK;
}
