#include "lib/model/testimony.h"

#include <string.h>

#include "lib/crypto/token.h"

#define AUDIENCE "muster-testimony"

/* In the order of their names, which is that of printing: then nothing is left to sort. */
/* clang-format off */
static const struct field fields[] = {
    FIELD(testimony, asked, FIELD_MOMENT),
    FIELD(testimony, charter_digest, FIELD_HEX),
    FIELD(testimony, charter_serial, FIELD_INT, .least = 1, .most = INT64_MAX),
    FIELD(testimony, checks_digest, FIELD_HEX),
    FIELD(testimony, claims_digest, FIELD_HEX),
    FIELD(testimony, crl_digest, FIELD_HEX, .flags = FIELD_OPTIONAL),
    FIELD(testimony, declared_machine, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(testimony, declared_region, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(testimony, deployment, FIELD_HEX),
    FIELD(testimony, evidence_digest, FIELD_HEX),
    FIELD(testimony, instance, FIELD_UUID),
    FIELD(testimony, judged, FIELD_MOMENT),
    FIELD(testimony, kind, FIELD_NAME, .names = &evidence_kind_names),
    FIELD(testimony, link_key, FIELD_HEX),
    FIELD(testimony, nonce, FIELD_HEX),
    FIELD(testimony, policy, FIELD_TEXT),
    FIELD(testimony, policy_digest, FIELD_HEX),
    FIELD(testimony, realm, FIELD_NAME, .names = &realm_names),
    FIELD(testimony, reason, FIELD_TEXT),
    FIELD(testimony, sealing_key, FIELD_BYTES),
    FIELD(testimony, simulated, FIELD_BOOL),
    FIELD(testimony, verdict, FIELD_TEXT),
    FIELD(testimony, verdict_id, FIELD_UUID),
};
static const struct record testimony_record = RECORD(testimony, fields);
/* clang-format on */

void testimony_done(struct testimony *testimony)
{
    record_done(&testimony_record, testimony);
}

void testimony_digest(const json_t *value, uint8_t out[static SHA256_SIZE])
{
    OWNED(mem_drop) char *printed = json_print(value);
    testimony_digest_printed(printed, out);
}

void testimony_digest_printed(const char *json, uint8_t out[static SHA256_SIZE])
{
    digest(DIGEST_SHA256, span_of_text(json), out);
}

static const char *typ_of(bool simulated)
{
    return simulated ? SIMULATED_TESTIMONY_TYP : TESTIMONY_TYP;
}

static const char *issuer_of(bool simulated)
{
    return simulated ? "muster-keeper-simulation" : "muster-keeper";
}

enum outcome testimony_print(const struct key *signer, const struct testimony *testimony,
                             char **out, struct error *err)
{
    OWNED(members_done) struct members all = {0};
    OWNED(members_done) struct members said = {0};
    members_record(&said, &testimony_record, testimony);
    members_text(&all, "iss", issuer_of(testimony->simulated));
    members_text(&all, "aud", AUDIENCE);
    members_int(&all, "iat", moment_seconds(testimony->judged));
    members_object(&all, "muster", &said);
    return token_sign_members(signer, typ_of(testimony->simulated), &all, out, err);
}

static enum outcome malformed(struct error *err)
{
    return fail_code(err, ERR_INVALID, "testimony-malformed", "not a keeper's testimony");
}

static enum outcome check_envelope(const json_t *json, const struct testimony *t, struct error *err)
{
    static const char *const members[] = {"iss", "aud", "iat", "muster", NULL};
    const char *issuer;
    const char *audience;
    int64_t issued;
    if (json_only(json, "", members, NULL) != OK ||
        json_get_text(json, "", "iss", 64, &issuer, NULL) != OK ||
        json_get_text(json, "", "aud", 64, &audience, NULL) != OK ||
        json_get_int(json, "", "iat", 0, INT32_MAX * INT64_C(4), &issued, NULL) != OK)
        return malformed(err);
    if (strcmp(issuer, issuer_of(t->simulated)) != 0 || strcmp(audience, AUDIENCE) != 0)
        return fail_code(err, ERR_DENIED, "testimony-audience", "given by or for somebody else");
    if (issued != moment_seconds(t->judged))
        return malformed(err);
    return OK;
}

enum outcome testimony_read(struct span text, const struct key *signer, struct testimony *out,
                            struct error *err)
{
    char typ[TOKEN_TYP_SIZE];
    OWNED(json_drop) json_t *json = NULL;
    OWNED(testimony_done) struct testimony read = {0};
    if (token_claimed_typ(text, typ, NULL) != OK)
        return malformed(err);
    const bool simulated = strcmp(typ, SIMULATED_TESTIMONY_TYP) == 0;
    TRY(token_verify(text, typ_of(simulated), signer, &json, err));
    if (record_from_json(&testimony_record, json_object_get(json, "muster"), "/muster", &read,
                         NULL) != OK ||
        read.simulated != simulated)
        return malformed(err);
    TRY(check_envelope(json, &read, err));
    *out = read;
    read = (struct testimony){0};
    return OK;
}
