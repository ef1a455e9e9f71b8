/* The pretend machines: what each is, where it is in its life, and what is remembered on disk. All
 * of it is guarded by one lock, which every caller below holds. */
#ifndef MUSTER_EMULATOR_WORLD_H
#define MUSTER_EMULATOR_WORLD_H

#include <pthread.h>

#include "emulator/ledger.h"
#include "emulator/mischief.h"
#include "emulator/operations.h"
#include "emulator/quotas.h"
#include "emulator/remnants.h"
#include "lib/base/json.h"
#include "lib/base/names.h"
#include "lib/base/uuid.h"
#include "lib/crypto/digest.h"
#include "lib/model/account.h"

enum {
    REF_SIZE = 40,
    TAGS_MAX = 50,
    TAG_KEY_SIZE = 129,
    TAG_VALUE_SIZE = 257,
    SIM_USER_DATA_MAX = 16 * 1024,
};

/* In EC2's words. The other faces say them in their own; the last two are never seen on EC2. */
enum vm_state {
    VM_PENDING,
    VM_RUNNING,
    VM_STOPPING,
    VM_STOPPED,
    VM_SHUTTING_DOWN,
    VM_TERMINATED,
    VM_HALTED, /* off, and still on its host */
    VM_FAILED, /* never came to be, and stays listed until somebody deletes it */
    VM_STATE_COUNT
};
extern const struct names vm_state_names;  /* "pending", "running", ... */
bool vm_state_passes(enum vm_state state); /* it ends by itself */

struct tag {
    char key[TAG_KEY_SIZE];
    char value[TAG_VALUE_SIZE];
};

struct machine {
    int64_t ordinal; /* 1, 2, ... in order of launch */
    enum account_driver cloud;
    char ref[REF_SIZE]; /* unique in the world: "i-...", Azure's vmId, Google's number */
    char name[64];      /* by which its owner knows it; empty on EC2, where that is the ref */
    char group[96];     /* resource group or project; on EC2 the account */
    char reservation[REF_SIZE];
    char client_token[65];
    char order_hash[2 * SHA256_SIZE + 1]; /* of the launch's parameters */
    char image[128];
    char size[64];
    char region[64];
    char zone[64];
    char subnet[64];
    bool snp;
    struct tag tags[TAGS_MAX];
    size_t tag_count;
    struct bytes user_data;
    struct bytes shape; /* what the launch said, in the cloud's own JSON; empty on EC2 */
    enum vm_state state;
    bool halts;      /* stopping, and to keep its host */
    bool reboots;    /* stopping, and to boot again */
    char reason[64]; /* stateReason code, may be empty */
    struct moment launched;
    struct moment changed; /* when it came into this state */
    int64_t boots;         /* each start is a new launch of the guest */
    int64_t due_ms;        /* monotonic: when a passing state ends */
    int64_t pid;           /* of its agent; 0: none */
    bool told_to_end;
    bool leaves;     /* what comes with it stays when it ends */
    char tamper[32]; /* a word of psp_tamper_names; empty: as the image says */
    uint8_t report_id[32];
};

struct world_settings {
    char *folder; /* machines/<ref>/ below it */
    int64_t boot_ms;
    int64_t stop_ms;
    int64_t listed_seconds; /* a terminated machine is remembered so long; 0: an hour */
    bool quotas;            /* more calls than the clouds' documents grant are throttled */
    bool fleeting;          /* nothing but the ledger is written, and nobody waits for the disk */
};

struct world {
    pthread_mutex_t lock;
    struct world_settings settings;
    struct machine **machines;
    size_t count;
    int64_t last_ordinal;
    struct moment tidied;
    struct map *by_ref;   /* digests of refs, and of clouds with tokens */
    struct map *by_token; /* the first that was launched with it */
    struct ledger *ledger;
    struct mischief mischief;
    struct quotas quotas;
    struct operations operations;
    struct remnants remnants;
    int wake; /* an eventfd: something is due sooner than thought */
};

/* Reads what an earlier run left: machines that ran are to boot again. */
enum outcome world_open(const struct world_settings *settings, struct world *out,
                        struct error *err);
void world_close(struct world *world);
void world_wake(struct world *world);

/* What befalls a call: one too many is throttled, else as mischief has it. */
struct prank world_prank(struct world *world, enum account_driver cloud, const char *action);

struct machine *world_find(struct world *world, const char *ref); /* NULL: no such machine */
/* By name, which is free again once a machine is terminated. Capitals do not tell names apart. */
struct machine *world_find_named(struct world *world, enum account_driver cloud, const char *group,
                                 const char *name);
struct machine *world_find_token(struct world *world, enum account_driver cloud,
                                 const char *client_token);

/* A new machine in `pending` with the draft's contents (user-data and shape are taken over) under a
 * ref of its own, on disk and in the ledger. NULL when it cannot be. */
struct machine *world_launch(struct world *world, struct machine *draft, struct error *err);
/* On disk before anybody is told: ERR_INTERNAL when it cannot be. */
enum outcome world_save(struct world *world, const struct machine *machine, struct error *err);

/* Into a state, with the ledger's line and the file. */
void world_move(struct world *world, struct machine *machine, enum vm_state to);

/* Forgets what was terminated long ago, folder and all. */
void world_tidy(struct world *world);

/* A line of the ledger about this machine. */
void world_note(struct world *world, const struct machine *machine, const char *event,
                const char *detail);

/* An operation on this machine, for clouds whose answers are not final. */
struct operation *world_begin(struct world *world, const struct machine *machine, const char *verb);
/* What it waits for has ended, one way or another. */
bool world_is_done(struct world *world, const struct operation *operation);

const char *machine_tag(const struct machine *machine, const char *key); /* NULL: none */
/* Muster's and our own tags, "muster:instance", by the names that they have on the machine's cloud.
 */
const char *machine_mark(const struct machine *machine, const char *key); /* NULL: none */
/* False when there are too many or it is too long. */
bool machine_set_tag(struct machine *machine, const char *key, const char *value);
void machine_drop_tag(struct machine *machine, const char *key);
json_t *machine_to_json(const struct machine *machine);

/* "<folder>/machines/<ref>/<name>"; the caller frees it. */
char *machine_path(const struct world *world, const struct machine *machine, const char *name);

#endif
