/* AWS Signature Version 4, for signing what we send (drivers, KMS) and for checking what the
 * emulator is sent. Pure: bytes in, text out. Proven by AWS's own test suite. */
#ifndef MUSTER_CRYPTO_SIGV4_H
#define MUSTER_CRYPTO_SIGV4_H

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/crypto/digest.h"

enum { SIGV4_DATE_SIZE = 17, SIGV4_SIGNATURE_SIZE = 65 };

struct sigv4_header {
    const char *name;
    const char *value; /* may be folded over several lines */
};

/* Every header given is signed, so leave out what a proxy may change. Path and query as on the
 * request line; the query without its '?'. */
struct sigv4_request {
    const char *method;
    const char *path;
    const char *query;
    const struct sigv4_header *headers; /* with host and x-amz-date */
    size_t header_count;
    const uint8_t *body_sha256; /* SHA256_SIZE bytes */
    bool keep_path;             /* do not squash "//", "." and ".." */
};

struct sigv4_scope {
    const char *date; /* x-amz-date, "20150830T123600Z" */
    const char *region;
    const char *service;
};

void sigv4_date(struct moment at, char out[static SIGV4_DATE_SIZE]);

/* The three stages of the documentation, in turn. */
void sigv4_canonical_request(const struct sigv4_request *request, struct text *out);
void sigv4_signed_headers(const struct sigv4_request *request, struct text *out);
void sigv4_string_to_sign(const struct sigv4_scope *scope, struct span canonical_request,
                          struct text *out);
void sigv4_signature(const struct sigv4_scope *scope, struct span secret, struct span to_sign,
                     char out[static SIGV4_SIGNATURE_SIZE]);

/* All of it: the value of the Authorization header. */
void sigv4_authorization(const struct sigv4_request *request, const struct sigv4_scope *scope,
                         const char *access_key_id, struct span secret, struct text *out);

#endif
