/* A certification path as AWS makes it for enclaves: P-384 keys and ECDSA with SHA-384 throughout,
 * from a root that the caller has compared with its pins down to a leaf that signs documents.
 * OpenSSL builds and checks the path; dates are compared elsewhere. */
#ifndef MUSTER_CRYPTO_X509_PATH_H
#define MUSTER_CRYPTO_X509_PATH_H

#include "lib/crypto/x509.h"

/* path[0] is the root, path[count - 1] the leaf, each signed by the one before it. ERR_DENIED
 * "chain-untrusted" with what is wrong. */
enum outcome x509_path_check(struct x509 *const *path, size_t count, struct error *err);

#endif
