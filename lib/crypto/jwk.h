/* Keys in the words of JOSE, for those who know no Muster: JSON Web Keys (RFC 7517) of the two
 * curves that tokens are signed on, and their thumbprints (RFC 7638). */
#ifndef MUSTER_CRYPTO_JWK_H
#define MUSTER_CRYPTO_JWK_H

#include "lib/base/json.h"
#include "lib/crypto/sign.h"

enum { JWK_THUMBPRINT_SIZE = 44 }; /* base64url of a SHA-256, and its end */

/* "ES256" for P-256, "ES384" for P-384; NULL for what signs no token. */
const char *jwk_algorithm(const struct key *key);
/* Exactly the members that the thumbprint is of: crv, kty, x, y. ERR_INVALID "unsupported-key". */
enum outcome jwk_of(const struct key *key, json_t **out, struct error *err);
enum outcome jwk_thumbprint(const struct key *key, char out[static JWK_THUMBPRINT_SIZE],
                            struct error *err);

#endif
