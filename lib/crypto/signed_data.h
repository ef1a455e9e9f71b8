/* Signed data (CMS, once PKCS #7) as clouds make it over what they say of an instance: one signer,
 * RSA with SHA-256, the content inside or beside it. Who may sign is the caller's to say: pinned
 * certificates themselves, or whoever they certified under a name. Muster's own envelopes are
 * lib/crypto/seal. */
#ifndef MUSTER_CRYPTO_SIGNED_DATA_H
#define MUSTER_CRYPTO_SIGNED_DATA_H

#include "lib/crypto/x509.h"

enum { SIGNED_DATA_MAX = 24 * 1024 };

struct signed_data;

/* DER or BER, nothing after it. ERR_INVALID "malformed"; "unsupported-algorithm": another digest
 * or another kind of key. */
enum outcome signed_data_read(struct span der, struct signed_data **out, struct error *err);
void signed_data_free(struct signed_data *data);
DROP(signed_data_drop, struct signed_data, signed_data_free)

struct span signed_data_content(const struct signed_data *data); /* empty: it stands beside it */

/* Which of these certificates it says signed it; NULL: none of them. Proves nothing yet. */
struct x509 *signed_data_signer(const struct signed_data *data, const struct x509_list *pins);

/* Whoever brought a certificate along signed it, under one of these names (or a name below it),
 * certified at `at` by way of what came along up to one of the anchors. ERR_DENIED
 * "chain-untrusted". `out_signer` is the caller's to free. */
struct signed_data_rule {
    const struct x509_list *anchors;
    const char *const *names;
    size_t name_count;
    struct moment at;
};
enum outcome signed_data_certified(const struct signed_data *data,
                                   const struct signed_data_rule *rule, struct x509 **out_signer,
                                   struct error *err);

/* Did this certificate's key sign it, over `beside` where the content is not inside? ERR_DENIED
 * "bad-signature". */
enum outcome signed_data_verify(const struct signed_data *data, const struct x509 *signer,
                                struct span beside, struct error *err);

#endif
