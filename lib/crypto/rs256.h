/* Tokens of others, signed with RS256 (RFC 7515, 7518): Google's identity tokens. Muster signs none
 * (lib/crypto/token). The key is the caller's to choose, by its id. */
#ifndef MUSTER_CRYPTO_RS256_H
#define MUSTER_CRYPTO_RS256_H

#include "lib/base/json.h"
#include "lib/crypto/rsa_key.h"

enum { RS256_TOKEN_MAX = 8 * 1024, RS256_KID_SIZE = 65 };

struct rs256_token {
    char kid[RS256_KID_SIZE];
    struct span signed_part; /* of what was read: a loan */
    struct bytes signature;
    json_t *claims;
};
void rs256_token_done(struct rs256_token *token);

/* Three parts, canonical base64url, a header of "alg", "kid" and "typ" only, strict JSON. Verifies
 * nothing. ERR_INVALID "malformed", "unsupported-algorithm". `out` must be zero. */
enum outcome rs256_token_read(struct span text, struct rs256_token *out, struct error *err);

/* A public key of a JSON Web Key Set, RSA-2048 with exponent 65537. */
struct rs256_key {
    char kid[RS256_KID_SIZE];
    uint8_t modulus[RSA_KEY_SIZE];
};
/* ERR_INVALID with the place below `path`. */
enum outcome rs256_key_read(const json_t *jwk, const char *path, struct rs256_key *out,
                            struct error *err);

enum outcome rs256_token_verify(const struct rs256_token *token, const struct rs256_key *key,
                                struct error *err); /* ERR_DENIED "bad-signature" */

#endif
