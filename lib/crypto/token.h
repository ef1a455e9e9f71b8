/* Signed JSON (JWS, RFC 7515) with ES256, by the root with ES384, and nothing else. Compact form
 * for tokens; the general JSON form, which carries several signatures, for the charter and for
 * orders. A token's `kid` is its key's thumbprint (RFC 7638), a set's Muster's name of the key.
 *
 * Strict on the way in: the header is exactly {"alg":...,"kid":...,"typ":...}, so there is no
 * `crit`, no `jwk`, and the algorithm is the key's; base64url is canonical; no member comes twice.
 */
#ifndef MUSTER_CRYPTO_TOKEN_H
#define MUSTER_CRYPTO_TOKEN_H

#include "lib/base/members.h"
#include "lib/crypto/sign.h"

enum {
    TOKEN_SIZE_MAX = 64 * 1024,
    TOKEN_SIGNATURES_MAX = 16,
    TOKEN_TYP_SIZE = 64,
    TOKEN_KID_SIZE = 65
};

/* `typ` says which kind of token it is; `key` is a private P-256 key, or the root's P-384 one. The
 * caller frees `out`. */
enum outcome token_sign(const struct key *key, const char *typ, const json_t *claims, char **out,
                        struct error *err);
enum outcome token_sign_members(const struct key *key, const char *typ,
                                const struct members *claims, char **out, struct error *err);

/* ERR_INVALID "token-malformed", ERR_DENIED "token-algorithm", "token-type" (another typ),
 * "token-key" (signed by another key), "bad-signature". The claims are an object. Times, issuer
 * and audience are the caller's to judge. */
enum outcome token_verify(struct span token, const char *typ, const struct key *key,
                          json_t **out_claims, struct error *err);

/* The same for what is larger and known by its bytes: any payload, at most `limit` bytes in all,
 * and one way only to write it. token_open() verifies nothing: the payload may name the key.
 * Whoever changes a byte, writes the header otherwise or turns the signature's s over is refused.
 */
enum outcome token_seal(const struct key *key, const char *typ, struct span payload, size_t limit,
                        char **out, struct error *err);
enum outcome token_open(struct span token, size_t limit, struct bytes *out_payload,
                        struct error *err);
enum outcome token_check_seal(struct span token, const char *typ, const struct key *key,
                              size_t limit, struct error *err);

/* What kind of token it claims to be, before anything is verified. For messages and routing. */
enum outcome token_claimed_typ(struct span token, char out[static TOKEN_TYP_SIZE],
                               struct error *err);
/* The same, and which key it claims. */
enum outcome token_claimed(struct span token, char out_typ[static TOKEN_TYP_SIZE],
                           char out_kid[static TOKEN_KID_SIZE], struct error *err);

/* General form: {"payload": ..., "signatures": [{"protected", "signature"}, ...]}.
 * token_set_make() starts with no signature, token_set_sign() adds one (ERR_CONFLICT
 * "already-signed" when this key has). The payload is signed as the bytes it is. */
void token_set_make(struct span payload, char **out);
enum outcome token_set_sign(struct span set, const char *typ, const struct key *key, char **out,
                            struct error *err);

/* At least `threshold` different keys of `keys` have signed. A signature that names one of them
 * and does not verify refuses the whole ("bad-signature"); those of other keys do not count
 * (ERR_DENIED "too-few-signatures"). `limit` bounds the set's size. */
enum outcome token_set_verify(struct span set, const char *typ, struct key *const *keys,
                              size_t key_count, size_t threshold, size_t limit,
                              struct bytes *out_payload, struct error *err);

/* The payload and how many signatures, nothing verified: for `muster charter show`. */
enum outcome token_set_look(struct span set, size_t limit, struct bytes *out_payload,
                            size_t *out_signatures, struct error *err);

#endif
