/* Credentials: the secret stays in locked memory and is never logged. */
#ifndef MUSTER_DRIVERS_AWS_CREDENTIALS_H
#define MUSTER_DRIVERS_AWS_CREDENTIALS_H

#include "lib/base/clock.h"
#include "lib/crypto/locked.h"

struct credentials {
    char access_key_id[129];
    struct locked secret;
    struct locked session_token; /* NUL-terminated; empty when there is none */
    struct moment expires;       /* none: they do not end */
};

/* Copies; the texts stay the caller's to wipe. NULL or empty: no session token, no end. `from` says
 * where they were found. ERR_DENIED "no-credentials" for what cannot be any. */
enum outcome credentials_set(const char *from, const char *id, const char *secret,
                             const char *session_token, const char *expires,
                             struct credentials *out, struct error *err);
void credentials_done(struct credentials *credentials);
const char *credentials_session_token(const struct credentials *credentials); /* NULL: none */

#endif
