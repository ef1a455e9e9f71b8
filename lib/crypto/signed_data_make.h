/* What clouds sign identity documents with, for the simulator and for tests: RSA keys, certificates
 * in the manner of TLS, signed data, RS256 tokens. Reading them is lib/crypto/signed_data and
 * lib/crypto/rs256. */
#ifndef MUSTER_CRYPTO_SIGNED_DATA_MAKE_H
#define MUSTER_CRYPTO_SIGNED_DATA_MAKE_H

#include "lib/base/clock.h"
#include "lib/base/json.h"

struct scribe; /* an RSA key */

enum { SCRIBE_BITS = 2048 };

enum outcome scribe_generate(unsigned bits, struct scribe **out, struct error *err);
enum outcome scribe_from_pem(struct span pem, struct scribe **out, struct error *err);
enum outcome scribe_to_pem(const struct scribe *scribe, struct bytes *out, struct error *err);
void scribe_free(struct scribe *scribe);
DROP(scribe_drop, struct scribe, scribe_free)

struct scribe_wish {
    const char *subject; /* common names */
    const char *issuer;
    const char *dns_name; /* of a leaf; NULL: none */
    uint64_t serial;
    struct moment from, to;
    bool ca;
};
/* A certificate for `subject`, signed by `issuer` with SHA-256. DER. */
enum outcome scribe_certify(const struct scribe *issuer, const struct scribe *subject,
                            const struct scribe_wish *wish, struct bytes *out, struct error *err);

struct scribe_data {
    struct span content;
    struct span certificate; /* the signer's, DER */
    struct span beside;      /* another one to send along, DER; empty: none */
    bool detached;
    bool bare; /* no certificate goes along */
    bool sha1; /* an older digest than anybody takes */
};
enum outcome scribe_sign_data(const struct scribe *scribe, const struct scribe_data *data,
                              struct bytes *out, struct error *err);

/* A compact token; `header` and `claims` as they are. The caller frees it. */
enum outcome scribe_sign_token(const struct scribe *scribe, const json_t *header,
                               const json_t *claims, char **out, struct error *err);
/* {"kty", "alg", "use", "kid", "n", "e"} */
json_t *scribe_to_jwk(const struct scribe *scribe, const char *kid);

#endif
