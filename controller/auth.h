/* Who is asking: local tokens in Authorization: Bearer. A good token always gets in at once; bad
 * ones cost their address a budget, and only those within it are told apart, counted and audited,
 * so that guessing neither floods the audit trail nor learns anything. */
#ifndef MUSTER_CONTROLLER_AUTH_H
#define MUSTER_CONTROLLER_AUTH_H

#include "db/db.h"
#include "lib/model/caller.h"

enum { AUTH_BAD_TOKENS_AT_ONCE = 10, AUTH_BAD_TOKEN_EVERY_MS = 6000 };

struct auth_guard; /* remembers how many bad tokens came from where */
struct auth_guard *auth_guard_new(void);
void auth_guard_free(struct auth_guard *guard);

/* `header` is Authorization's value or NULL, `address` the client's. ERR_DENIED "unauthenticated",
 * ERR_THROTTLED "too-many-attempts". */
enum outcome auth_caller(struct auth_guard *guard, struct db *db, const char *project,
                         const char *header, const char *address, struct caller *out,
                         struct error *err);

/* `may` is a set of 1 << enum caller_role. ERR_DENIED "role-missing". */
enum outcome auth_require(const struct caller *caller, unsigned may, struct error *err);

#endif
