#include "lib/crypto/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crypto/jwk.h"

enum { SET_SIZE_MAX = 1 << 20 };

/* The three parts of a compact token, still in base64url. */
struct parts {
    struct span header;
    struct span payload;
    struct span signature;
    struct span signed_part; /* header '.' payload */
};

static enum outcome malformed(struct error *err, const char *what)
{
    return fail_code(err, ERR_INVALID, "token-malformed", "token: %s", what);
}

/* What people sign names their key as Muster does; a token, which others read, as JOSE does. */
enum form { FORM_COMPACT, FORM_SET };

struct kid {
    char at[2 * SHA256_SIZE + 1];
};

/* Empty for a key that signs no token: no header says that. */
static struct kid kid_of(const struct key *key, enum form form)
{
    struct kid kid = {0};
    uint8_t fingerprint[SHA256_SIZE];
    if (form == FORM_COMPACT) {
        error_ignore(jwk_thumbprint(key, kid.at, NULL));
        return kid;
    }
    key_fingerprint(key, fingerprint);
    hex_encode(SPAN_OF(fingerprint), kid.at);
    return kid;
}

/* Printed by hand, for every token has one; none of its words needs an escape. */
static void add_header(struct text *out, const struct key *key, enum form form, const char *typ)
{
    const char *alg = jwk_algorithm(key);
    OWNED(text_done) struct text header = {0};
    text_addf(&header, "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"%s\"}", alg != NULL ? alg : "none",
              kid_of(key, form).at, typ);
    text_add_base64url(out, text_span(&header));
}

static enum outcome sign(const struct key *key, struct span message, struct text *out,
                         struct error *err)
{
    OWNED(bytes_done) struct bytes signature = {0};
    TRY(key_sign(key, message, &signature, err));
    text_add_base64url(out, bytes_span(&signature));
    return OK;
}

enum outcome token_seal(const struct key *key, const char *typ, struct span payload, size_t limit,
                        char **out, struct error *err)
{
    OWNED(text_done) struct text token = {0};
    OWNED(text_done) struct text signature = {0};
    if (jwk_algorithm(key) == NULL || !key_is_private(key))
        return fail(err, ERR_INVALID, "a token is signed with a private P-256 or P-384 key");
    add_header(&token, key, FORM_COMPACT, typ);
    text_add(&token, ".");
    text_add_base64url(&token, payload);
    TRY(sign(key, text_span(&token), &signature, err));
    text_add(&token, ".");
    text_add(&token, text_str(&signature));
    if (token.len > limit)
        return fail(err, ERR_INVALID, "a token of %zu bytes", token.len);
    *out = text_take(&token);
    return OK;
}

enum outcome token_sign(const struct key *key, const char *typ, const json_t *claims, char **out,
                        struct error *err)
{
    OWNED(mem_drop) char *printed = json_print(claims);
    return token_seal(key, typ, span_of_text(printed), TOKEN_SIZE_MAX, out, err);
}

enum outcome token_sign_members(const struct key *key, const char *typ,
                                const struct members *claims, char **out, struct error *err)
{
    OWNED(text_done) struct text printed = {0};
    members_print(claims, &printed);
    return token_seal(key, typ, text_span(&printed), TOKEN_SIZE_MAX, out, err);
}

static struct span until_dot(struct span *rest)
{
    const uint8_t *dot = rest->len > 0 ? memchr(rest->at, '.', rest->len) : NULL;
    size_t len = dot != NULL ? (size_t)(dot - rest->at) : rest->len;
    struct span part = span_part(*rest, 0, len);
    *rest = span_part(*rest, dot != NULL ? len + 1 : len, rest->len);
    return part;
}

static enum outcome split(struct span token, size_t limit, struct parts *out, struct error *err)
{
    if (token.len == 0 || token.len > limit)
        return malformed(err, "empty or too long");
    struct span rest = token;
    out->header = until_dot(&rest);
    out->payload = until_dot(&rest);
    out->signature = until_dot(&rest);
    if (rest.len > 0 || out->header.len == 0 || out->payload.len == 0 || out->signature.len == 0 ||
        out->header.len + out->payload.len + out->signature.len + 2 != token.len)
        return malformed(err, "not three parts");
    out->signed_part = span_part(token, 0, out->header.len + 1 + out->payload.len);
    return OK;
}

static enum outcome parse_part(struct span part, json_t **out, struct error *err)
{
    OWNED(bytes_done) struct bytes raw = {0};
    if (base64url_decode(part, &raw, NULL) != OK ||
        json_parse(bytes_span(&raw), TOKEN_SIZE_MAX, out, NULL) != OK)
        return malformed(err, "a part is not canonical base64url of strict JSON");
    if (!json_is_object(*out)) {
        json_decref(TAKE(*out));
        return malformed(err, "a part is not an object");
    }
    return OK;
}

/* A header that passed: its words borrow from `json`. */
struct header {
    const char *alg;
    const char *typ;
    const char *kid;
};

static enum outcome check_header(const json_t *json, struct header *out, struct error *err)
{
    static const char *const members[] = {"alg", "kid", "typ", NULL};
    if (json_get_text(json, "", "alg", 32, &out->alg, NULL) != OK)
        return malformed(err, "no algorithm");
    if (strcmp(out->alg, "ES256") != 0 && strcmp(out->alg, "ES384") != 0)
        return fail_code(err, ERR_DENIED, "token-algorithm", "token: only ECDSA is taken");
    if (json_only(json, "", members, NULL) != OK ||
        json_get_text(json, "", "kid", 2 * SHA256_SIZE, &out->kid, NULL) != OK ||
        json_get_text(json, "", "typ", TOKEN_TYP_SIZE - 1, &out->typ, NULL) != OK)
        return malformed(err, "the header is not exactly alg, kid and typ");
    return OK;
}

static enum outcome check_typ(const struct header *header, const char *typ, struct error *err)
{
    if (strcmp(header->typ, typ) != 0)
        return fail_code(err, ERR_DENIED, "token-type", "a %s token, not a %s", header->typ, typ);
    return OK;
}

static bool signed_by(const struct header *header, enum form form, const struct key *key)
{
    const struct kid kid = kid_of(key, form);
    return kid.at[0] != '\0' && strcmp(kid.at, header->kid) == 0;
}

/* The key's own algorithm, and of a set ES256 alone: nothing is chosen by who signs. */
static enum outcome check_algorithm(const struct header *header, enum form form,
                                    const struct key *key, struct error *err)
{
    const char *alg = jwk_algorithm(key);
    if (alg == NULL || strcmp(alg, header->alg) != 0 ||
        (form == FORM_SET && key_kind_of(key) != KEY_P256))
        return fail_code(err, ERR_DENIED, "token-algorithm", "token: not the key's algorithm");
    return OK;
}

static enum outcome check_signature(const struct key *key, struct span message, struct span encoded,
                                    struct error *err)
{
    OWNED(bytes_done) struct bytes signature = {0};
    if (base64url_decode(encoded, &signature, NULL) != OK)
        return malformed(err, "the signature is not canonical base64url");
    return key_verify(key, message, bytes_span(&signature), err);
}

enum outcome token_verify(struct span token, const char *typ, const struct key *key,
                          json_t **out_claims, struct error *err)
{
    struct parts parts;
    struct header header;
    OWNED(json_drop) json_t *json = NULL;
    OWNED(json_drop) json_t *claims = NULL;
    TRY(split(token, TOKEN_SIZE_MAX, &parts, err));
    TRY(parse_part(parts.header, &json, err));
    TRY(check_header(json, &header, err));
    TRY(check_typ(&header, typ, err));
    TRY(check_algorithm(&header, FORM_COMPACT, key, err));
    if (!signed_by(&header, FORM_COMPACT, key))
        return fail_code(err, ERR_DENIED, "token-key", "token: signed by another key");
    TRY(check_signature(key, parts.signed_part, parts.signature, err));
    TRY(parse_part(parts.payload, &claims, err));
    *out_claims = TAKE(claims);
    return OK;
}

enum outcome token_open(struct span token, size_t limit, struct bytes *out_payload,
                        struct error *err)
{
    struct parts parts;
    TRY(split(token, limit, &parts, err));
    if (base64url_decode(parts.payload, out_payload, NULL) != OK)
        return malformed(err, "the payload is not canonical base64url");
    return OK;
}

enum outcome token_check_seal(struct span token, const char *typ, const struct key *key,
                              size_t limit, struct error *err)
{
    struct parts parts;
    OWNED(text_done) struct text header = {0};
    OWNED(bytes_done) struct bytes signature = {0};
    TRY(split(token, limit, &parts, err));
    if (key_kind_of(key) != KEY_P256)
        return fail_code(err, ERR_DENIED, "token-algorithm", "token: not a P-256 key");
    add_header(&header, key, FORM_COMPACT, typ);
    if (!span_equal(parts.header, text_span(&header)))
        return fail_code(err, ERR_DENIED, "token-type", "token: another header than this key's %s",
                         typ);
    TRY(check_signature(key, parts.signed_part, parts.signature, err));
    TRY(base64url_decode(parts.signature, &signature, err));
    if (!signature_is_low(bytes_span(&signature)))
        return fail_code(err, ERR_DENIED, "bad-signature", "the signature was turned over");
    return OK;
}

enum outcome token_claimed(struct span token, char out_typ[static TOKEN_TYP_SIZE],
                           char out_kid[static TOKEN_KID_SIZE], struct error *err)
{
    struct parts parts;
    struct header header;
    OWNED(json_drop) json_t *json = NULL;
    TRY(split(token, TOKEN_SIZE_MAX, &parts, err));
    TRY(parse_part(parts.header, &json, err));
    TRY(check_header(json, &header, err));
    TRY(text_copy(out_kid, TOKEN_KID_SIZE, header.kid, "/kid", err));
    return text_copy(out_typ, TOKEN_TYP_SIZE, header.typ, "/typ", err);
}

enum outcome token_claimed_typ(struct span token, char out[static TOKEN_TYP_SIZE],
                               struct error *err)
{
    char kid[TOKEN_KID_SIZE];
    return token_claimed(token, out, kid, err);
}

/* ---- general form ------------------------------------------------------------------------- */

static char *print_set(const char *payload, json_t *signatures)
{
    OWNED(json_drop) json_t *set = json_object();
    json_put_text(set, "payload", payload);
    json_put_new(set, "signatures", json_incref(signatures));
    return json_print(set);
}

void token_set_make(struct span payload, char **out)
{
    OWNED(mem_drop) char *encoded = base64url_of(payload);
    OWNED(json_drop) json_t *none = json_array();
    *out = print_set(encoded, none);
}

/* The set's members; borrowed from `out_set`. */
static enum outcome open_set(struct span set, size_t limit, json_t **out_set, const char **payload,
                             json_t **signatures, struct error *err)
{
    static const char *const members[] = {"payload", "signatures", NULL};
    OWNED(json_drop) json_t *json = NULL;
    if (json_parse(set, limit, &json, NULL) != OK || json_only(json, "", members, NULL) != OK ||
        json_get_text(json, "", "payload", limit, payload, NULL) != OK ||
        json_get_array(json, "", "signatures", TOKEN_SIGNATURES_MAX, signatures, NULL) != OK)
        return malformed(err, "not a payload with signatures");
    *out_set = TAKE(json);
    return OK;
}

struct signature {
    const char *protected;
    const char *signature;
    struct header header;
    json_t *json; /* owned: the header borrows from it */
};

static void signature_done(struct signature *s)
{
    json_decref(s->json);
}

static enum outcome open_signature(const json_t *entry, const char *typ, struct signature *out,
                                   struct error *err)
{
    static const char *const members[] = {"protected", "signature", NULL};
    if (!json_is_object(entry) || json_only(entry, "", members, NULL) != OK ||
        json_get_text(entry, "", "protected", 1024, &out->protected, NULL) != OK ||
        json_get_text(entry, "", "signature", 256, &out->signature, NULL) != OK)
        return malformed(err, "a signature is not exactly protected and signature");
    TRY(parse_part(span_of_text(out->protected), &out->json, err));
    TRY(check_header(out->json, &out->header, err));
    return check_typ(&out->header, typ, err);
}

enum outcome token_set_sign(struct span set, const char *typ, const struct key *key, char **out,
                            struct error *err)
{
    OWNED(json_drop) json_t *json = NULL;
    json_t *signatures;
    const char *payload;
    TRY(open_set(set, SET_SIZE_MAX, &json, &payload, &signatures, err));
    for (size_t i = 0; i < json_array_size(signatures); i++) {
        OWNED(signature_done) struct signature s = {0};
        TRY(open_signature(json_array_get(signatures, i), typ, &s, err));
        if (signed_by(&s.header, FORM_SET, key))
            return fail_code(err, ERR_CONFLICT, "already-signed", "this key has signed already");
    }
    if (json_array_size(signatures) >= TOKEN_SIGNATURES_MAX)
        return fail(err, ERR_INVALID, "over %d signatures", TOKEN_SIGNATURES_MAX);
    OWNED(text_done) struct text protected = {0};
    OWNED(text_done) struct text message = {0};
    OWNED(text_done) struct text signature = {0};
    if (key_kind_of(key) != KEY_P256 || !key_is_private(key))
        return fail(err, ERR_INVALID, "a set is signed with private P-256 keys");
    add_header(&protected, key, FORM_SET, typ);
    text_addf(&message, "%s.", text_str(&protected));
    text_add(&message, payload);
    TRY(sign(key, text_span(&message), &signature, err));
    json_t *entry = json_object();
    json_put_text(entry, "protected", text_str(&protected));
    json_put_text(entry, "signature", text_str(&signature));
    json_add_new(signatures, entry);
    *out = print_set(payload, signatures);
    return OK;
}

/* Which pinned key made it, or `count` when none of them. Verified when one did. */
static enum outcome judge_signature(const struct signature *s, const char *payload,
                                    struct key *const *keys, size_t count, size_t *out,
                                    struct error *err)
{
    for (*out = 0; *out < count; (*out)++) {
        if (!signed_by(&s->header, FORM_SET, keys[*out]))
            continue;
        TRY(check_algorithm(&s->header, FORM_SET, keys[*out], err));
        OWNED(text_done) struct text message = {0};
        text_addf(&message, "%s.", s->protected);
        text_add(&message, payload);
        return check_signature(keys[*out], text_span(&message), span_of_text(s->signature), err);
    }
    return OK;
}

static enum outcome count_signatures(const json_t *signatures, const char *payload, const char *typ,
                                     struct key *const *keys, size_t key_count, size_t *out,
                                     struct error *err)
{
    bool has_signed[TOKEN_SIGNATURES_MAX] = {false};
    for (size_t i = 0; i < json_array_size(signatures); i++) {
        OWNED(signature_done) struct signature s = {0};
        size_t who;
        TRY(open_signature(json_array_get(signatures, i), typ, &s, err));
        TRY(judge_signature(&s, payload, keys, key_count, &who, err));
        if (who < key_count)
            has_signed[who] = true;
    }
    *out = 0;
    for (size_t i = 0; i < key_count; i++)
        *out += has_signed[i];
    return OK;
}

enum outcome token_set_verify(struct span set, const char *typ, struct key *const *keys,
                              size_t key_count, size_t threshold, size_t limit,
                              struct bytes *out_payload, struct error *err)
{
    if (threshold < 1 || threshold > key_count || key_count > TOKEN_SIGNATURES_MAX)
        return fail(err, ERR_INVALID, "a threshold of %zu among %zu keys", threshold, key_count);
    OWNED(json_drop) json_t *json = NULL;
    json_t *signatures;
    const char *payload;
    size_t good = 0;
    TRY(open_set(set, limit, &json, &payload, &signatures, err));
    TRY(count_signatures(signatures, payload, typ, keys, key_count, &good, err));
    if (good < threshold)
        return fail_code(err, ERR_DENIED, "too-few-signatures", "%zu of %zu signatures needed",
                         good, threshold);
    if (base64url_decode(span_of_text(payload), out_payload, NULL) != OK)
        return malformed(err, "the payload is not canonical base64url");
    return OK;
}

enum outcome token_set_look(struct span set, size_t limit, struct bytes *out_payload,
                            size_t *out_signatures, struct error *err)
{
    OWNED(json_drop) json_t *json = NULL;
    json_t *signatures;
    const char *payload;
    TRY(open_set(set, limit, &json, &payload, &signatures, err));
    if (base64url_decode(span_of_text(payload), out_payload, NULL) != OK)
        return malformed(err, "the payload is not canonical base64url");
    *out_signatures = json_array_size(signatures);
    return OK;
}
