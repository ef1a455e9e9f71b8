/* One VM over its whole life: its row, its phase machine and its trust machine. The two are
 * orthogonal: a running instance may be anything from trusted to rejected. */
#ifndef MUSTER_MODEL_INSTANCE_H
#define MUSTER_MODEL_INSTANCE_H

#include "lib/base/record.h"
#include "lib/crypto/digest.h"
#include "lib/model/machine.h"
#include "lib/model/message.h"

enum phase {
    PHASE_REQUESTED,
    PHASE_LAUNCHING,
    PHASE_BOOTING,
    PHASE_RUNNING,
    PHASE_DRAINING,
    PHASE_STOPPING,
    PHASE_STOPPED,
    PHASE_STARTING,
    PHASE_TERMINATING,
    PHASE_TERMINATED,
    PHASE_FAILED,
    PHASE_COUNT
};

enum phase_event {
    EVENT_CLAIMED,
    EVENT_LAUNCHED,
    EVENT_HELLO,
    EVENT_FAILED,
    EVENT_RETRY,
    EVENT_DRAIN,
    EVENT_RESUME,
    EVENT_STOP,
    EVENT_STOPPED,
    EVENT_START,
    EVENT_STARTED,
    EVENT_VANISHED,
    EVENT_TERMINATE,
    EVENT_GONE,
    EVENT_COUNT
};

enum trust {
    TRUST_UNKNOWN,
    TRUST_PENDING,
    TRUST_TRUSTED,
    TRUST_STALE,
    TRUST_REJECTED,
    TRUST_QUARANTINED,
    TRUST_COUNT
};

enum trust_event {
    TRUST_CHALLENGED, /* a nonce went out */
    TRUST_PASSED,     /* a verdict says trusted: the only way to be trusted */
    TRUST_REFUSED,    /* a verdict says rejected */
    TRUST_EXPIRED,    /* time alone: the verdict is too old */
    TRUST_REBOOTED,   /* another report id: nothing said before counts */
    TRUST_SET_APART,  /* quarantine by a person, or a clone was seen */
    TRUST_LET_BACK,   /* quarantine lifted by a person; starts from nothing */
    TRUST_EVENT_COUNT
};

/* What the planner or a person wants of it; the worker takes the row there. */
enum wanted { WANTED_RUN, WANTED_STOP, WANTED_GONE, WANTED_COUNT };

/* The cloud act that was committed before it was done; what a successor repeats or adopts. */
enum intent {
    INTENT_NONE,
    INTENT_LAUNCH,
    INTENT_STOP,
    INTENT_START,
    INTENT_TERMINATE,
    INTENT_COUNT
};

/* What its cloud shows under its name is not what was ordered. */
enum doubt { DOUBT_NONE, DOUBT_OTHER_MACHINE, DOUBT_OTHER_IMAGE, DOUBT_COUNT };

extern const struct names phase_names, phase_event_names, trust_names, trust_event_names,
    wanted_names, intent_names, doubt_names;
extern const struct machine phase_machine, trust_machine;

enum {
    PROJECT_SIZE = NAME_SIZE,
    CLOUD_REF_SIZE = 384, /* an ARM resource id is long */
    MACHINE_ID_SIZE = 64,
    CLIENT_TOKEN_SIZE = 64,
    WHY_SIZE = 96, /* a reason code and a little more */
    HOLDER_SIZE = 96,
};

#define PROJECT_DEFAULT "default"

struct instance {
    struct uuid id;
    char project[PROJECT_SIZE];
    char fleet[NAME_SIZE];
    char account[NAME_SIZE];
    char image[NAME_SIZE];
    char size[NAME_SIZE]; /* the cloud's word for it: "m6a.large" */
    char policy[NAME_SIZE];
    char region[NAME_SIZE];
    char zone[NAME_SIZE];

    enum phase phase;
    struct moment phase_since;
    char reason[WHY_SIZE];       /* of the phase: why it failed, why it ends */
    char place_reason[WHY_SIZE]; /* why it is not where it was first to go */
    enum wanted wanted;

    enum trust trust;
    char trust_reason[WHY_SIZE];
    struct moment trust_since;
    struct uuid verdict_id; /* the last verdict, accepting or not */
    struct moment valid_until;
    struct moment renew_at;    /* when its agent was told to prove itself anew */
    struct moment verified_at; /* when the challenge of that verdict was given */
    int64_t level;             /* 0..3 */
    bool simulated;

    char cloud_ref[CLOUD_REF_SIZE];
    char machine_id[MACHINE_ID_SIZE]; /* what the cloud's documents call it, where that is not the
                                         name: Azure's vmId, Google's number */
    char image_ref[CLOUD_REF_SIZE];   /* what it was ordered to boot */
    enum doubt doubt;
    struct moment doubt_since;
    char client_token[CLIENT_TOKEN_SIZE]; /* "muster-<id>-<attempt>", committed before the cloud
                                             call */
    int64_t attempt;
    enum intent intent;
    char address[NAME_SIZE];
    struct moment launched_at; /* when its cloud gave it a machine */
    struct moment settled_at;  /* when its cloud said for certain what became of an order of ours */

    int64_t epoch; /* grows with every change of phase or trust */
    char lease_holder[HOLDER_SIZE];
    struct moment lease_until;
    struct moment next_due;
    int64_t failures; /* of the present act, in a row */

    uint8_t launch_ticket_hash[SHA256_SIZE];
    struct moment ticket_used;       /* with the first pass */
    uint8_t ticket_key[SHA256_SIZE]; /* until then: the link key that showed it last ... */
    struct moment ticket_until;      /* ... and holds it until then */
    uint8_t link_key[SHA256_SIZE];   /* SHA-256 of the SPKI; set by an accepting verdict */
    uint8_t sealing_key[SHA256_SIZE];
    uint8_t anchor[SHA256_SIZE];
    uint8_t report_id[SHA256_SIZE]; /* of the boot that was last appraised */

    struct moment created;
    struct moment updated;
    struct moment proven_at;  /* first time trusted */
    struct moment spoiled_at; /* last time failed or rejected */
    struct moment terminated_at;
    struct moment forgotten_at; /* then its history and most of its verdicts went */
};

/* Rows and JSON; tokens, tickets and leases are in rows only. */
extern const struct record instance_record;

/* "muster-<id>-<attempt>": Google takes it for a name, which begins with a letter. */
void instance_client_token(const struct uuid *id, int64_t attempt,
                           char out[static CLIENT_TOKEN_SIZE]);

bool phase_has_machine(enum phase phase); /* a paid machine may stand behind it */
bool instance_is_over(const struct instance *instance);
/* As documents of its cloud name it. */
const char *instance_machine(const struct instance *instance);

/* What may be shown of its trust at this moment: whoever looks at clocks may be late, or down (I9).
 */
enum trust instance_trust_at(const struct instance *instance, struct moment now); /* terminated */

#endif
