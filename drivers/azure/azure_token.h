/* Whom Azure takes us for: credentials from where the account says, and the token that they are
 * exchanged for, kept in locked memory until shortly before its end. Nothing here is ever logged.
 */
#ifndef MUSTER_DRIVERS_AZURE_AZURE_TOKEN_H
#define MUSTER_DRIVERS_AZURE_AZURE_TOKEN_H

#include "drivers/rest.h"
#include "lib/crypto/locked.h"
#include "lib/crypto/rsa_signer.h"
#include "lib/model/account.h"

#define ARM_SCOPE "https://management.azure.com/.default"

enum { AZURE_TOKEN_MAX = 16 * 1024, AZURE_REFRESH_SECONDS = 300 };

enum azure_way { AZURE_SECRET, AZURE_CERTIFICATE, AZURE_FEDERATED, AZURE_MANAGED };

/* A service of Azure's, by its Resource Manager; tokens for it go to no other host. */
struct azure_place {
    struct endpoint arm;
    struct endpoint login;
    char scope[128];
    char audience[128]; /* the scope's resource, for managed identities */
};

/* The account's endpoint must be Azure's own or loopback: whoever may write accounts does not
 * choose who gets our token. ERR_INVALID "bad-endpoint". */
enum outcome azure_place_find(const struct account *account, struct azure_place *out,
                              struct error *err);

struct azure_identity {
    enum azure_way way;
    char tenant[128];
    char client_id[128];
    char file[64];             /* of a federated token, read anew for each exchange; empty: named by
                                  AZURE_FEDERATED_TOKEN_FILE */
    struct locked secret;      /* with a NUL */
    struct rsa_signer *signer; /* AZURE_CERTIFICATE */
    struct locked token;       /* with a NUL; empty: none yet */
    struct moment token_ends;
    char *claims; /* that the next token must answer, JSON; NULL: none */
};

/* ERR_DENIED "no-credentials". */
enum outcome azure_identity_find(const struct account *account, struct azure_identity *out,
                                 struct error *err);
void azure_identity_done(struct azure_identity *identity);

/* A token that is good for a while: the one we have, or a new one, which `out_new` tells.
 * `server-error` when nobody could be asked; never `ambiguous`, for nothing was done. */
enum outcome azure_token_get(struct azure_identity *identity, const struct azure_place *place,
                             struct http *http, const char **out, bool *out_new, struct error *err);
/* It was refused, perhaps with a demand for more claims (JSON, or ""); the next one is new. */
void azure_token_drop(struct azure_identity *identity, const char *claims);

/* For tests: what is sent and how the answer is read. */
enum outcome azure_token_form(const struct azure_identity *identity,
                              const struct azure_place *place, struct moment now, struct form *out,
                              struct error *err);
enum outcome azure_token_read(struct span body, struct moment now, struct locked *out,
                              struct moment *out_ends, struct error *err);

#endif
