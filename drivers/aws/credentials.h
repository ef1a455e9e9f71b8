/* Who signs for an account. The secret stays in locked memory and is never logged. */
#ifndef MUSTER_DRIVERS_AWS_CREDENTIALS_H
#define MUSTER_DRIVERS_AWS_CREDENTIALS_H

#include "lib/crypto/locked.h"
#include "lib/model/account.h"

struct credentials {
    char access_key_id[129];
    struct locked secret;
    struct locked session_token; /* NUL-terminated; empty when there is none */
};

/* From where the account says. CREDENTIALS_ENVIRONMENT: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY
 * and, optionally, AWS_SESSION_TOKEN. ERR_DENIED "no-credentials" when they are not there. */
enum outcome credentials_find(const struct account *account, struct credentials *out,
                              struct error *err);
void credentials_done(struct credentials *credentials);
const char *credentials_session_token(const struct credentials *credentials); /* NULL: none */

#endif
