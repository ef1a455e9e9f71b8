/* RSA signatures of ours, where a cloud's token service takes nothing else: JSON Web Tokens that
 * say who we are (RS256, PS256). Nothing of Muster's own is signed with RSA. */
#ifndef MUSTER_CRYPTO_RSA_SIGNER_H
#define MUSTER_CRYPTO_RSA_SIGNER_H

#include "lib/crypto/digest.h"

enum rsa_scheme { RSA_PKCS1_SHA256, RSA_PSS_SHA256 };

struct rsa_signer;

/* A private key of at least 2,048 bits in PEM; a certificate beside it must be of that key.
 * ERR_INVALID "unsupported-key". */
enum outcome rsa_signer_from_pem(struct span pem, struct rsa_signer **out, struct error *err);
/* For tests and pretend clouds, which hand it out: of 2,048 bits, and as PEM. */
enum outcome rsa_signer_generate(struct rsa_signer **out, struct error *err);
enum outcome rsa_signer_to_pem(const struct rsa_signer *signer, struct bytes *out,
                               struct error *err);
void rsa_signer_free(struct rsa_signer *signer);
DROP(rsa_signer_drop, struct rsa_signer, rsa_signer_free)

/* SHA-256 of the certificate that stood beside the key; false when there was none. */
bool rsa_signer_thumbprint(const struct rsa_signer *signer, uint8_t out[static SHA256_SIZE]);

/* "header.claims.signature" of these two, both JSON. The caller frees it. */
enum outcome rsa_signer_token(const struct rsa_signer *signer, enum rsa_scheme scheme,
                              struct span header, struct span claims, char **out,
                              struct error *err);

/* Was it signed with this key? ERR_INVALID "token-malformed", ERR_DENIED "bad-signature". */
enum outcome rsa_signer_check(const struct rsa_signer *signer, enum rsa_scheme scheme,
                              const char *token, struct error *err);

#endif
