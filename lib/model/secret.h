/* A secret, its versions and their machine. Here is ciphertext only: what opens it is the keeper's
 * (trust.md section 5). */
#ifndef MUSTER_MODEL_SECRET_H
#define MUSTER_MODEL_SECRET_H

#include "lib/model/charter.h"
#include "lib/model/instance.h"

enum secret_origin { ORIGIN_GENERATE, ORIGIN_IMPORT, ORIGIN_COUNT };

enum version_state {
    VERSION_GENERATING,
    VERSION_STAGED,
    VERSION_DISTRIBUTING,
    VERSION_ACTIVE,
    VERSION_RETIRING,
    VERSION_RETIRED,
    VERSION_DESTROYED,
    VERSION_HALTED,
    VERSION_STATE_COUNT
};

enum version_event {
    VERSION_STORED,     /* the keeper gave its ciphertext */
    VERSION_RELEASED,   /* the first delivery became due */
    VERSION_TAKEN_UP,   /* every consumer confirmed loaded */
    VERSION_SUPERSEDED, /* a newer one is active */
    VERSION_FENCED,     /* acknowledged by all, or by deadline policy */
    VERSION_WIPED,      /* the keeper refuses it from now on */
    VERSION_STOPPED,    /* too many failures, or a person said so */
    VERSION_RESUMED,
    VERSION_EVENT_COUNT
};

extern const struct names secret_origin_names, version_state_names, version_event_names;
extern const struct machine version_machine;

struct secret {
    struct uuid id;
    char project[PROJECT_SIZE];
    char name[NAME_SIZE];
    enum secret_kind kind;
    enum secret_scope scope;
    enum secret_origin origin;
    char grant_name[NAME_SIZE]; /* the charter's grant; "grant" is a word of SQL's */
    int64_t newest;             /* the highest version; 0 before the first */
    int64_t epoch;
    struct moment created;
    struct moment updated;
};

/* One version: of the whole fleet, or of one instance when the scope says so. */
struct secret_version {
    struct uuid id;
    struct uuid secret;
    int64_t version;
    struct uuid instance;        /* zero for scope fleet */
    uint8_t anchor[SHA256_SIZE]; /* zero for scope fleet */
    enum version_state state;
    struct moment state_since;
    struct bytes record;               /* ciphertext; only the keeper opens it */
    uint8_t check_digest[SHA256_SIZE]; /* salted, of the value: what a guest must confirm */
    char *public_part;                 /* such as an SSH public key */
    struct moment created;
};

extern const struct record secret_record;
extern const struct record secret_version_record; /* its JSON has no ciphertext */

void secret_version_done(struct secret_version *version);

enum outcome secret_from_json(const json_t *value, struct secret *out, struct error *err);

#endif
