/* Secrets as the guest holds them: an envelope is opened, held against what this guest is and has
 * seen, written to memory-backed storage under its name, and forgotten here. */
#ifndef MUSTER_AGENT_SECRETS_H
#define MUSTER_AGENT_SECRETS_H

#include "agent/envelope.h"
#include "agent/hook.h"
#include "lib/crypto/cert.h"
#include "lib/model/message.h"

enum {
    SECRETS_MAX = 256,
    SECRETS_REMEMBERED = 64, /* deliveries that are answered from memory */
};

struct secrets_places {
    const char *folder;    /* made 0700 when it is not there */
    bool allow_non_tmpfs;  /* for tests */
    const char *hooks_dir; /* a hook has the secret's name */
    int64_t hook_seconds;
};

/* Who this guest is: what an envelope is held against. All borrowed. */
struct secrets_guest {
    struct uuid instance;
    struct cert *const *roots;
    size_t root_count;
};

struct secrets;

/* ERR_DENIED "secrets-dir-not-private", "secrets-dir-not-tmpfs". */
enum outcome secrets_open(const struct secrets_places *places, const struct secrets_guest *guest,
                          struct secrets **out, struct error *err);
void secrets_close(struct secrets *s);
DROP(secrets_drop, struct secrets, secrets_close)

/* One delivery or order being worked on: done at once, unless a hook runs. */
struct secrets_job {
    struct uuid delivery;
    uint8_t envelope[SHA256_SIZE];
    struct secret_loaded loaded;
    struct hook hook;
};

/* Open, check, write, start the hook. `keys` are our sealing keys, any of them may be NULL. Fails
 * with the codes of seal_open() and with ERR_DENIED "wrong-name", "wrong-delivery", "bad-name",
 * "old-version", ERR_THROTTLED "too-many-secrets"; whatever fails there leaves files and floors as
 * they were. */
enum outcome secrets_deliver(struct secrets *s, const struct secret_delivery *delivery,
                             struct key *const keys[static SEALING_KEYS_MAX],
                             struct secrets_job *out, struct error *err);

/* The keeper's order to remove a secret: the same checks, then the file goes. */
enum outcome secrets_forget(struct secrets *s, const struct secret_forget *order,
                            struct key *const keys[static SEALING_KEYS_MAX],
                            struct secrets_job *out, struct error *err);

/* False while the job's hook runs; then *result, and only an OK is remembered. */
bool secrets_job_ended(struct secrets *s, struct secrets_job *job, enum outcome *result,
                       struct error *err);

int64_t secrets_sequence(const struct secrets *s); /* the highest that was obeyed */

#endif
