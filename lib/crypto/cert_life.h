/* The life of a role certificate (trust.md section 3: 90 days at most, overlapping): how near its
 * end is, and what its successor takes over from it. */
#ifndef MUSTER_CRYPTO_CERT_LIFE_H
#define MUSTER_CRYPTO_CERT_LIFE_H

#include "lib/crypto/cert.h"

enum { CERT_NAMES_MAX = 16, CERT_NAME_SIZE = 254, CERT_WARN_DAYS = 14 };

/* When one of our own certificates ends, and whether that was said today. */
struct cert_term {
    const char *role;
    struct moment until;
    struct moment told;
};
struct cert_term cert_term_of(const struct cert *cert);

/* True from 14 days before the end on, once a day: say so then. */
bool cert_term_is_due(struct cert_term *term, struct moment now);
int64_t cert_term_days_left(const struct cert_term *term, struct moment now); /* 0: it is over */

/* The host names and addresses that it certifies. ERR_INVALID "cert-invalid": over 16, or ones that
 * no role certificate of ours has. */
struct cert_names {
    size_t count;
    char at[CERT_NAMES_MAX][CERT_NAME_SIZE];
};
enum outcome cert_names_of(const struct cert *cert, struct cert_names *out, struct error *err);

/* The one for `key` in a file that may hold two: while a key is replaced its file holds the old
 * key's certificate and the new one's. Where none is for it, the first. */
enum outcome cert_of_key(struct span pem, const struct key *key, struct cert **out,
                         struct error *err);

#endif
