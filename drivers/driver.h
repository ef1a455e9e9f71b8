/* What a cloud must do for us: a small table of blocking, idempotent calls. They never retry on
 * their own, know nothing of the controller, and say in one stable word what went wrong. One
 * `struct cloud` serves one thread. */
#ifndef MUSTER_DRIVERS_DRIVER_H
#define MUSTER_DRIVERS_DRIVER_H

#include "drivers/manners.h"
#include "lib/base/clock.h"
#include "lib/base/names.h"
#include "lib/base/record.h"
#include "lib/base/uuid.h"
#include "lib/model/account.h"
#include "lib/model/catalogue_drift.h"
#include "lib/net/http.h"

/* Why a cloud did not do it. The word stands in `struct error.code`; only throttle and server-error
 * may be repeated blindly. After `ambiguous` look by client token before launching again;
 * `capacity` is for placement (another zone, size, region), never for a retry loop. */
enum cloud_error {
    CLOUD_THROTTLE,
    CLOUD_CAPACITY,
    CLOUD_QUOTA,
    CLOUD_AUTH,
    CLOUD_NOT_FOUND,
    CLOUD_EXISTS,
    CLOUD_INVALID,
    CLOUD_UNSUPPORTED,
    CLOUD_STATE_CONFLICT,
    CLOUD_IDEMPOTENCY_MISMATCH,
    CLOUD_SERVER_ERROR,
    CLOUD_AMBIGUOUS,
    CLOUD_SPOT_RECLAIM,
    CLOUD_ERROR_COUNT
};
extern const struct names cloud_error_names; /* "throttle", "capacity", ... */
enum outcome cloud_error_outcome(enum cloud_error kind);
bool cloud_error_is_repeatable(enum cloud_error kind);

/* The neutral states of a machine. A word we do not know stays `unknown` and is read again; it
 * never counts as gone. */
enum machine_state {
    MACHINE_UNKNOWN,
    MACHINE_CREATING,
    MACHINE_RUNNING,
    MACHINE_STOPPING,
    MACHINE_STOPPED,
    MACHINE_STOPPED_ON_HOST, /* still billed, still on its host (Azure) */
    MACHINE_REPAIRING,
    MACHINE_DELETING,
    MACHINE_GONE,
    MACHINE_FAILED,
    MACHINE_STATE_COUNT
};
extern const struct names machine_state_names; /* "unknown", "creating", ... */

/* The tags that say whose a machine is. */
#define TAG_OWNER "muster:owner"
#define TAG_INSTANCE "muster:instance"
#define TAG_GENERATION "muster:generation"
#define TAG_FLEET "muster:fleet"
#define TAG_TOKEN "muster:token"

enum {
    LAUNCH_TOKEN_SIZE = 65, /* every cloud takes 64 characters of ASCII */
    USER_DATA_MAX = 16 * 1024,
    MACHINE_REF_SIZE = 256,
};

struct cloud_tag {
    const char *key;
    const char *value;
};

/* What to launch. Texts are loans; NULL leaves the account's or the cloud's default. */
struct launch_order {
    struct uuid instance;
    int64_t generation;
    const char *fleet;
    const char *client_token; /* launch_token(); the same order again gives the same machine */
    const char *image;
    const char *size;
    const char *zone;
    const char *subnet;
    struct span user_data;   /* at most USER_DATA_MAX, before base64 */
    const char *root_device; /* with it the root disk is encrypted and sized */
    int64_t root_gib;
    bool spot;
    bool no_snp;   /* a machine without SEV-SNP; what it parents proves itself otherwise */
    bool enclaves; /* a parent of Nitro Enclaves (AWS); only together with no_snp */
    const struct cloud_tag *tags; /* more than our own */
    size_t tag_count;
};

/* What a cloud says about one machine. Nothing here is proof: evidence is. */
struct sighting {
    char ref[MACHINE_REF_SIZE]; /* the cloud's own name, "i-0123..." */
    char machine_id[64];        /* its number, where a name may come to mean another machine */
    enum machine_state state;
    char state_word[32];  /* as the cloud spelled it */
    char reason[64];      /* why it is in that state, the cloud's code; may be empty */
    char failure[32];     /* MACHINE_FAILED: the word of a cloud_error, else empty */
    bool is_over;         /* MACHINE_FAILED: and nothing of it runs or can run again */
    struct uuid instance; /* from our tags; zero when there is none */
    int64_t generation;
    char fleet[64];
    char client_token[LAUNCH_TOKEN_SIZE];
    char image[256];
    char size[64];
    char zone[64];
    char private_address[48];
    struct moment launched;
    bool snp_enabled; /* the cloud says it asked for SEV-SNP */
    bool is_copy;     /* bears our token as a tag, and was not launched by it: its tags were copied
                         from another machine, or it was given another name */
};

/* What a cloud says that it will do to a machine's host. */
struct notice {
    char ref[MACHINE_REF_SIZE];
    char event[96];           /* the cloud's id of it; may be empty */
    char kind[48];            /* as the cloud spells it: "instance-stop", "SCHEDULED", ... */
    char status[32];          /* as the cloud spells it; may be empty */
    struct moment not_before; /* zero when it does not say, as the next two */
    struct moment not_after;
    struct moment deadline; /* until then it may be put off or pulled forward */
    bool is_ours_to_time;   /* the cloud lets us choose when, up to the deadline */
    char text[256];
};

struct notice_list {
    struct notice *at;
    size_t count;
    size_t room;
};
struct notice *notice_list_add(struct notice_list *list); /* zeroed; until the next add */
void notice_list_done(struct notice_list *list);

struct sighting_list {
    struct sighting *at;
    size_t count;
    size_t room;
    bool partial; /* a part of the cloud did not answer: what is missing here is not gone */
    struct notice_list notices;   /* of list(): what it says of the hosts of those listed */
    struct error notices_unknown; /* with a code: these could not be had, and are not withdrawn */
};
struct sighting *sighting_list_add(struct sighting_list *list); /* zeroed; until the next add */
void sighting_list_done(struct sighting_list *list);
/* For drivers: those of `notices` that speak of a machine in the list. They are few. */
void sighting_list_keep_notices(struct sighting_list *list, const struct notice_list *notices);

/* What was made with a machine and is paid for by itself. */
enum leftover_kind { LEFTOVER_DISK, LEFTOVER_ADDRESS, LEFTOVER_INTERFACE, LEFTOVER_KIND_COUNT };
extern const struct names leftover_kind_names; /* "disk", "address", "interface" */

/* One of these that bears our owner's tag and that no machine has. */
struct leftover {
    enum leftover_kind kind;
    char ref[MACHINE_REF_SIZE];
    char state_word[32];  /* as the cloud spelled it */
    struct uuid instance; /* from our tags, as the next two; zero when there is none */
    char fleet[64];
    char client_token[LAUNCH_TOKEN_SIZE];
    char zone[64]; /* may be empty */
};

enum { LEFTOVERS_MAX = 100 * 1000 };

struct leftover_list {
    struct leftover *at;
    size_t count;
    size_t room;
    bool partial; /* a part of the cloud did not answer */
};
struct leftover *leftover_list_add(struct leftover_list *list); /* zeroed; until the next add */
void leftover_list_done(struct leftover_list *list);
/* For drivers: one of our tags, by its key. What does not parse is not ours. */
void leftover_tag(struct leftover *leftover, const char *key, const char *value);

/* Work that a cloud goes on with after its answer (Azure, Google). */
enum { OPERATION_SIZE = 1536 };
struct cloud_operation {
    char name[OPERATION_SIZE]; /* how that cloud knows it, opaque; empty: its answer was final */
    int64_t poll_seconds;      /* when it wants to be asked next; 0: it did not say */
};

/* What a driver makes of one answer: for support, and for tests with answers of others. */
struct reading {
    bool refused; /* then `error` holds the class as code, and whether to repeat is its kind's */
    enum cloud_error kind;
    struct error error;
    struct sighting_list sightings;
    struct notice_list notices;
};
void reading_done(struct reading *reading);
/* For drivers: the answer refuses, or cannot be taken for one; why is in `reading->error`. */
void reading_refuse(struct reading *reading, enum cloud_error kind, const struct error *why);

extern const struct record sighting_record;
extern const struct record notice_record;

/* Whom the cloud takes us for. */
struct cloud_identity {
    char account[CLOUD_ACCOUNT_SIZE]; /* AWS: the account's number; Azure: "subscription/tenant";
                                         Google: the project */
    char name[256];
};

/* What a cloud must allow for a call; a call that needs more than one has several rows. */
struct call_permission {
    const char *call;
    const char *permission; /* as the cloud's policies spell it */
};
struct call_permissions {
    const struct call_permission *at;
    size_t count;
};

struct cloud;

/* Before each call a driver asks drivers/manners.h whether it may go out: ERR_THROTTLED "paced"
 * with `retry_ms` from any of these means that nothing was sent. Where the account says whose it is
 * (`cloud_account`), credentials are asked whom they are of before their first use, also after each
 * renewal: ERR_UNREACHABLE WRONG_CLOUD_ACCOUNT from any of these means that nothing else was sent.
 */
#define WRONG_CLOUD_ACCOUNT "wrong-cloud-account"
struct driver {
    enum account_driver id;
    const struct call_limits *limits;
    const struct call_permissions *permissions;
    enum outcome (*open)(const struct account *, struct cloud **out, struct error *);
    void (*close)(struct cloud *); /* NULL is fine */
    enum outcome (*identify)(struct cloud *, struct cloud_identity *out, struct error *);
    /* Takes the turn of one launch() ahead of time, so that nothing need be written down for one
     * that cannot go out. NULL in a row that has no limits. */
    enum outcome (*turn)(struct cloud *, struct error *);
    /* With an operation the machine may still fail to come: follow() says why. */
    enum outcome (*launch)(struct cloud *, const struct launch_order *, struct sighting *out,
                           struct cloud_operation *operation, struct error *);
    /* How an operation fares. OK with an empty name: done; OK with a name: ask again; an error with
     * an empty name: how it failed, once for all. An error with a name is of the question, or it
     * may be: ask again, unless it is ERR_NOT_FOUND, for then the cloud forgot it (find() tells).
     * NULL in a row whose answers are all final. */
    enum outcome (*follow)(struct cloud *, struct cloud_operation *operation, struct error *);
    /* ERR_NOT_FOUND may mean "not yet" until five minutes after a launch; a machine that ended may
     * still be seen as MACHINE_GONE. `machine_id`: the number of the one that is meant, NULL or ""
     * where it is not known. */
    enum outcome (*find)(struct cloud *, const char *ref, const char *machine_id,
                         struct sighting *out, struct error *);
    /* Everything that was launched with this token: more than one is a doubled machine. */
    enum outcome (*find_token)(struct cloud *, const char *client_token, struct sighting_list *out,
                               struct error *);
    /* Everything with our owner tag, all pages or an error; with the notices that come with the
     * same calls, or with one more for all. */
    enum outcome (*list)(struct cloud *, struct sighting_list *out, struct error *);
    /* These begin it; find() tells when it is done, follow() why it failed; `operation` may be
     * NULL. After `ambiguous` just say it again. stop() gives the host back. */
    enum outcome (*stop)(struct cloud *, const char *ref, struct cloud_operation *operation,
                         struct error *);
    enum outcome (*start)(struct cloud *, const char *ref, struct cloud_operation *operation,
                          struct error *);
    enum outcome (*terminate)(struct cloud *, const char *ref, const char *machine_id,
                              struct cloud_operation *operation, struct error *);
    /* To another host in one call, and: do the maintenance you gave notice of now. NULL where a
     * cloud has no such call. */
    enum outcome (*redeploy)(struct cloud *, const char *ref, struct cloud_operation *operation,
                             struct error *);
    enum outcome (*maintain)(struct cloud *, const char *ref, struct cloud_operation *operation,
                             struct error *);
    /* The same without looking first whether any is due, as maintain() may: for a machine that is
     * there to be tried. A cloud refuses it where there is none. */
    enum outcome (*maintain_anyway)(struct cloud *, const char *ref,
                                    struct cloud_operation *operation, struct error *);
    /* Which sizes with SEV-SNP there are in the account's region: all pages or an error. NULL: this
     * cloud cannot be asked. */
    enum outcome (*offers)(struct cloud *, struct offer_list *out, struct error *);
    /* What machines of our owner left behind: all pages or an error, and nothing that a machine
     * has. discard() removes one of them; a cloud refuses it for what is in use, and not-found is
     * as good as done. NULL: this cloud cannot be asked. */
    enum outcome (*leftovers)(struct cloud *, struct leftover_list *out, struct error *);
    enum outcome (*discard)(struct cloud *, enum leftover_kind kind, const char *ref,
                            struct error *);
    /* One answer to the call that the cloud's documents name `operation`, read without sending
     * anything. ERR_INVALID: no such call of ours. */
    enum outcome (*read)(const char *operation, const struct http_answer *answer,
                         struct reading *out, struct error *);
};

/* The clouds we know; the rows of the table in drivers.c. */
extern const struct driver aws_driver;
extern const struct driver azure_driver;
extern const struct driver gcp_driver;

/* The driver of an account, or ERR_INVALID "unsupported-driver". */
enum outcome driver_of(const struct account *account, const struct driver **out, struct error *err);

/* For drivers: the credentials are refused where the account's own were told whose they are.
 * Makes of `err` that they are not its own. */
enum outcome account_is_not_seen(const struct account *account, struct error *err);
/* For drivers: is this whom the account says? One that does not say is anybody's. */
enum outcome account_is_of(const struct account *account, const struct cloud_identity *seen,
                           struct error *err);

/* For clouds whose machines all have SEV-SNP and parent no enclaves: anything else is refused
 * before any call, with the catalogue's rule of that. */
enum outcome order_is_plain(const struct launch_order *order, const char *rule, struct error *err);

/* The client token of one generation of one instance: repeating an order repeats the token. */
void launch_token(const struct uuid *instance, int64_t generation,
                  char out[static LAUNCH_TOKEN_SIZE]);

/* For drivers: fail with the word of `kind` as code. */
#define cloud_fail(err, kind, ...)                                                                 \
    fail_code((err), cloud_error_outcome(kind), name_of(&cloud_error_names, (kind)), __VA_ARGS__)

#endif
