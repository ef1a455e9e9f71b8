/* A key that must outlive the machine it stands on, wrapped to several offline certificates: CMS
 * AuthEnvelopedData, AES-256 in GCM, one key agreement (SHA-256) a certificate. Any one of their
 * keys opens it, with this or with `openssl cms -decrypt`. */
#ifndef MUSTER_CRYPTO_RECOVERY_H
#define MUSTER_CRYPTO_RECOVERY_H

#include "lib/crypto/cert.h"

enum { RECOVERY_KEYS_LEAST = 2, RECOVERY_KEYS_MOST = 16, RECOVERY_SIZE_MAX = 64 * 1024 };

/* At least two, of different P-256 or P-384 keys? ERR_INVALID "recovery-keys". */
enum outcome recovery_check(struct cert *const *certs, size_t count, struct error *err);
/* Checks them first. */
enum outcome recovery_wrap(struct span plain, struct cert *const *certs, size_t count,
                           struct bytes *out, struct error *err);

/* ERR_INVALID "recovery-malformed"; ERR_DENIED "recovery-not-ours": wrapped to other keys, or
 * changed. */
enum outcome recovery_open(struct span wrapped, const struct key *key, struct locked *out,
                           struct error *err);

#endif
