#include "lib/crypto/rs256.h"

#include <string.h>

#include "lib/base/text.h"

static const uint8_t f4[] = {0x01, 0x00, 0x01};

void rs256_token_done(struct rs256_token *token)
{
    bytes_done(&token->signature);
    json_decref(token->claims);
    *token = (struct rs256_token){0};
}

static enum outcome malformed(struct error *err, const char *what)
{
    return fail_code(err, ERR_INVALID, "malformed", "token: %s", what);
}

static struct span until_dot(struct span *left)
{
    const uint8_t *dot = left->len > 0 ? memchr(left->at, '.', left->len) : NULL;
    const size_t len = dot != NULL ? (size_t)(dot - left->at) : left->len;
    const struct span part = span_part(*left, 0, len);
    *left = span_part(*left, len + 1, left->len);
    return part;
}

static enum outcome parse_part(struct span part, json_t **out, struct error *err)
{
    OWNED(bytes_done) struct bytes raw = {0};
    if (part.len == 0 || base64url_decode(part, &raw, NULL) != OK ||
        json_parse(bytes_span(&raw), RS256_TOKEN_MAX, out, NULL) != OK || !json_is_object(*out))
        return malformed(err, "a part is not canonical base64url of a strict JSON object");
    return OK;
}

static enum outcome read_header(struct span part, struct rs256_token *out, struct error *err)
{
    static const char *const members[] = {"alg", "kid", "typ", NULL};
    OWNED(json_drop) json_t *header = NULL;
    const char *alg = NULL;
    const char *kid = NULL;
    TRY(parse_part(part, &header, err));
    if (json_only(header, "", members, NULL) != OK ||
        json_get_text(header, "", "alg", 16, &alg, NULL) != OK ||
        json_get_text(header, "", "kid", sizeof out->kid - 1, &kid, NULL) != OK)
        return malformed(err, "its header is not of alg, kid and typ");
    if (strcmp(alg, "RS256") != 0)
        return fail_code(err, ERR_INVALID, "unsupported-algorithm", "signed by %.16s", alg);
    return text_copy(out->kid, sizeof out->kid, kid, "/kid", err);
}

static enum outcome read_parts(struct span text, struct rs256_token *out, struct error *err)
{
    struct span left = text;
    const struct span header = until_dot(&left);
    const struct span payload = until_dot(&left);
    const struct span signature = left;
    out->signed_part = span_part(text, 0, header.len + 1 + payload.len);
    TRY(read_header(header, out, err));
    TRY(parse_part(payload, &out->claims, err));
    if (signature.len == 0 || base64url_decode(signature, &out->signature, NULL) != OK)
        return malformed(err, "no signature");
    return OK;
}

enum outcome rs256_token_read(struct span text, struct rs256_token *out, struct error *err)
{
    if (text.len == 0 || text.len > RS256_TOKEN_MAX)
        return fail_code(err, ERR_INVALID, "malformed", "a token of %zu bytes", text.len);
    enum outcome outcome = read_parts(text, out, err);
    if (outcome != OK)
        rs256_token_done(out);
    return outcome;
}

static enum outcome get_number(const json_t *jwk, const char *path, const char *name,
                               struct bytes *out, struct error *err)
{
    const char *text;
    TRY(json_get_text(jwk, path, name, 2 * (size_t)RSA_KEY_SIZE, &text, err));
    return base64url_decode(span_of_text(text), out, NULL) == OK
               ? OK
               : fail_at(err, ERR_INVALID, "wrong-value", path, "%s: %s is no number", path, name);
}

enum outcome rs256_key_read(const json_t *jwk, const char *path, struct rs256_key *out,
                            struct error *err)
{
    static const char *const members[] = {"kty", "alg", "use", "kid", "n", "e", NULL};
    OWNED(bytes_done) struct bytes modulus = {0};
    OWNED(bytes_done) struct bytes exponent = {0};
    const char *kty;
    const char *kid;
    TRY(json_only(jwk, path, members, err));
    TRY(json_get_text(jwk, path, "kty", 8, &kty, err));
    TRY(json_get_text(jwk, path, "kid", sizeof out->kid - 1, &kid, err));
    TRY(get_number(jwk, path, "n", &modulus, err));
    TRY(get_number(jwk, path, "e", &exponent, err));
    if (strcmp(kty, "RSA") != 0 || kid[0] == '\0' || modulus.len != RSA_KEY_SIZE ||
        (modulus.at[0] & 0x80) == 0 || !span_equal(bytes_span(&exponent), SPAN_OF(f4)))
        return fail_at(err, ERR_INVALID, "wrong-value", path, "%s: not an RSA-2048 key", path);
    memcpy(out->modulus, modulus.at, sizeof out->modulus);
    return text_copy(out->kid, sizeof out->kid, kid, path, err);
}

enum outcome rs256_token_verify(const struct rs256_token *token, const struct rs256_key *key,
                                struct error *err)
{
    return rsa_key_verify(SPAN_OF(key->modulus), SPAN_OF(f4), token->signed_part,
                          bytes_span(&token->signature), err);
}
