/* The keys with which keepers sign for others, as a JSON Web Key Set (RFC 7517) that the deployment
 * root signed (OpenID Federation 1.0): opinions and passports, never verdicts, which are nobody's
 * but the keeper's. What a key is for its certificate says, which comes along. */
#ifndef MUSTER_CRYPTO_JWKS_H
#define MUSTER_CRYPTO_JWKS_H

#include "lib/base/json.h"
#include "lib/crypto/cert.h"

#define JWKS_TYP "jwk-set+jwt"

/* Of all keepers; and what one of them says of itself, which fits its hello: about ten keys. */
enum { JWKS_KEYS_MAX = 64, JWKS_SIZE_MAX = 12 * 1024 };

struct jwks {
    size_t count;
    struct cert *certs[JWKS_KEYS_MAX];
};
void jwks_done(struct jwks *set);

/* keeper-opinion and keeper-passport. */
bool jwks_takes(enum cert_role role);

/* Keys whose certificate is over at `now` leave the set, and are not taken in; of two certificates
 * of one key the later one stays. ERR_CONFLICT "jwks-full". */
enum outcome jwks_add(struct jwks *set, struct cert *cert, struct moment now, struct error *err);

/* Which of them has this `kid`; NULL: none. */
struct cert *jwks_find(const struct jwks *set, const char *kid);

/* One key: kty, crv, x, y, kid (its thumbprint), use, alg, x5c, and muster_role. */
enum outcome jwks_key_to_json(const struct cert *cert, json_t **out, struct error *err);

enum outcome jwks_sign(const struct jwks *set, const struct key *root_key, struct moment now,
                       char **out, struct error *err);

/* Signed by one of the roots (current and next), every key certified by one of them for its role
 * and shown as it is certified; keys that are over are left out. ERR_INVALID "jwks-malformed";
 * ERR_DENIED "wrong-root", "wrong-role" and the other codes of cert_check_role() and
 * token_verify(). */
enum outcome jwks_open(struct span jwt, struct cert *const *roots, size_t root_count,
                       struct moment now, struct jwks *out, struct error *err);
/* The same of the keys alone, which nobody need have signed: {"keys": [...]}. */
enum outcome jwks_read(const json_t *document, struct cert *const *roots, size_t root_count,
                       struct moment now, struct jwks *out, struct error *err);

#endif
