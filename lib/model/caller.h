/* Who asks over the API: a local token, of which only the hash is stored, and its role. */
#ifndef MUSTER_MODEL_CALLER_H
#define MUSTER_MODEL_CALLER_H

#include "lib/base/record.h"
#include "lib/crypto/digest.h"

enum caller_role {
    CALLER_VIEWER,
    CALLER_OPERATOR,
    CALLER_APPROVER,
    CALLER_SECURITY,
    CALLER_AUDITOR,
    CALLER_ADMIN,
    CALLER_ROLE_COUNT
};
extern const struct names caller_role_names; /* "viewer", "operator", ... */

enum {
    CALLER_LABEL_SIZE = 64,
    CALLER_TOKEN_MAX = 128, /* bytes of a token's text that are looked at at all */
};

struct caller {
    struct uuid id;
    char project[64];
    uint8_t hash[SHA256_SIZE]; /* of the token's text */
    enum caller_role role;
    char label[CALLER_LABEL_SIZE];
    struct moment created;
    struct moment expires; /* none: never */
    struct moment revoked;
};

extern const struct record caller_record; /* its JSON has no hash */

/* A new token's text, "muster_" and 256 random bits, and the caller that goes with it. The text is
 * shown once and kept nowhere. */
enum outcome caller_make(const char *project, enum caller_role role, const char *label,
                         struct caller *out, char out_token[static CALLER_TOKEN_MAX],
                         struct error *err);
void caller_hash(const char *token, uint8_t out[static SHA256_SIZE]);

#endif
