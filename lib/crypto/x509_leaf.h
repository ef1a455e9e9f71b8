/* One certificate under one authority, as cloud providers certify the attestation keys of their
 * vTPMs: RSA or elliptic curves with SHA-2. Which authority counts is the caller's to know. */
#ifndef MUSTER_CRYPTO_X509_LEAF_H
#define MUSTER_CRYPTO_X509_LEAF_H

#include "lib/crypto/x509.h"

/* RSA of 2,048 bits or more, or a curve of 256. */
bool x509_is_strong(const struct x509 *cert);
/* May it certify keys: a CA by its own word, with a key that is strong enough? */
bool x509_is_authority(const struct x509 *cert);
/* Names, key identifiers, usage, signature and critical extensions; not the dates. ERR_DENIED
 * "chain-untrusted" with what is wrong. */
enum outcome x509_leaf_check(const struct x509 *authority, const struct x509 *leaf,
                             struct error *err);
/* The certified key as DER SubjectPublicKeyInfo; empty when there is none that can be read. */
void x509_spki(const struct x509 *cert, struct bytes *out);

#endif
