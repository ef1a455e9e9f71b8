/* Who signs for an account, over time. Credentials are found in the order that AWS's own tools
 * follow, kept, and renewed before they end: environment variables; a web identity; the shared
 * files; the container's; the machine's own (IMDSv2). */
#ifndef MUSTER_DRIVERS_AWS_SIGN_IN_H
#define MUSTER_DRIVERS_AWS_SIGN_IN_H

#include "drivers/aws/signed.h"
#include "lib/model/account.h"

enum {
    RENEW_TRY_SECONDS = 15 * 60,  /* so long before their end new ones are asked for ... */
    RENEW_MUST_SECONDS = 10 * 60, /* ... and so long before it the old ones are not used any more */
    RENEW_PAUSE_SECONDS = 60,     /* between two tries, while the old ones are good */
};

struct sign_in {
    struct service sts; /* what roles are asked for */
    char profile[128];  /* of the shared files; empty: AWS_PROFILE, or "default" */
    bool profile_only;  /* the account names it */
    struct credentials credentials;
    bool refused;           /* what we have was refused as ended */
    struct moment next_try; /* to renew early */
    int64_t found;          /* how often credentials were found: others may be of anybody */
};

/* `sts` is borrowed with all it points to. Does not look for credentials yet. */
void sign_in_start(struct sign_in *sign_in, const struct account *account,
                   const struct service *sts);
void sign_in_done(struct sign_in *sign_in);

/* Credentials that are good for a while; a loan until the next call. ERR_DENIED "no-credentials"
 * when there are none. */
enum outcome sign_in_get(struct sign_in *sign_in, const struct credentials **out,
                         struct error *err);
/* AWS says that they ended. False: others would not help, they never end. */
bool sign_in_renew(struct sign_in *sign_in);

/* ---- the sources, for sign_in.c ------------------------------------------------------------- */

/* ERR_NOT_FOUND: not set up here, so the next one is tried; any other failure ends the search. */
typedef enum outcome source_fn(struct sign_in *sign_in, struct credentials *out, struct error *err);
source_fn sign_in_from_variables;
source_fn sign_in_from_web_identity; /* its file is read anew each time */
source_fn sign_in_from_profile;
source_fn sign_in_from_container;
source_fn sign_in_from_machine;

/* With other credentials, or with another issuer's token. */
enum outcome sign_in_as_role(struct sign_in *sign_in, const struct credentials *by,
                             const struct form *form, struct credentials *out, struct error *err);
enum outcome sign_in_by_token(struct sign_in *sign_in, const char *role_arn, const char *session,
                              const char *token_file, struct credentials *out, struct error *err);

#endif
