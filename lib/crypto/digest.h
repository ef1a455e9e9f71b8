/* Hashes and MACs, and the one comparison that is right for secrets. */
#ifndef MUSTER_CRYPTO_DIGEST_H
#define MUSTER_CRYPTO_DIGEST_H

#include "lib/base/bytes.h"

/* SHA-1 is there to replay the boot logs of TPMs, and decides nothing. */
enum digest_kind { DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512, DIGEST_SHA1 };

enum { SHA1_SIZE = 20, SHA256_SIZE = 32, SHA384_SIZE = 48, SHA512_SIZE = 64, DIGEST_SIZE_MAX = 64 };

size_t digest_size(enum digest_kind kind);

/* `out` holds digest_size(kind) bytes. Cannot fail: a broken OpenSSL ends the process. */
void digest(enum digest_kind kind, struct span in, uint8_t *out);
void digest_hmac(enum digest_kind kind, struct span key, struct span in, uint8_t *out);

/* HKDF (RFC 5869) with SHA-256. */
void digest_hkdf(struct span key, struct span salt, struct span info, uint8_t *out, size_t len);

/* Several parts in turn: init, add..., end. */
struct digest_run {
    struct evp_md_ctx_st *context;
    enum digest_kind kind;
};
void digest_start(struct digest_run *run, enum digest_kind kind);
void digest_more(struct digest_run *run, struct span in);
void digest_end(struct digest_run *run, uint8_t *out); /* and releases */

/* Constant time in the content, not in the length. */
bool secret_equal(struct span a, struct span b);

#endif
