/* Google Cloud as a client sees it: the token endpoint, the metadata server's token, and Compute
 * Engine's instances, operations, zones and machine types, with its errors in its own words. */
#ifndef MUSTER_EMULATOR_GCE_API_H
#define MUSTER_EMULATOR_GCE_API_H

#include "emulator/http_face.h"
#include "emulator/images.h"
#include "emulator/world.h"
#include "lib/crypto/rsa_signer.h"

#define GCE_PREFIX "/compute/v1/projects/"
#define GCE_METADATA "/computeMetadata/v1/instance/service-accounts/default/token"

#define GCE_EXCHANGE "/v1/token"
#define GCE_IMPERSONATION "/v1/projects/-/serviceAccounts/"

enum { GCE_NAME_SIZE = 64, GCE_SECRET_SIZE = 32, GCE_TOKEN_SIZE = 96, GCE_TOKEN_SECONDS = 3599 };

struct gce_api {
    struct world *world;
    const struct images *images;
    const char *_Atomic project;
    _Atomic int64_t turns; /* tokens of before the last are none */
    const char *regions;   /* split at blanks; each has zones a, b and c */
    int64_t page_most;     /* never more on a page, whatever maxResults says */
    int64_t token_seconds;
    char token_url[96]; /* as the key file says it */
    struct rsa_signer *key;
    char key_id[41];
    char email[128];
    char subject[2 * SHA256_SIZE + 1]; /* another provider's token for us */
    uint8_t secret[GCE_SECRET_SIZE];   /* what access tokens are made with */
};

/* A service account with a key, made when there is none in the folder. */
enum outcome gce_api_open(struct gce_api *api, const char *folder, struct error *err);
/* Writes "<folder>/gcp-key.json" and "<folder>/gcp-federated.json", with each of which any client
 * of Google's signs in; `port` is where the face listens. */
enum outcome gce_api_tell(struct gce_api *api, const char *folder, int64_t port, struct error *err);
void gce_api_close(struct gce_api *api);

bool gce_api_is_for(const struct face_request *request);
void gce_api_answer(const struct gce_api *api, const struct face_request *request,
                    struct face_answer *out);

/* ---- what the files of this face share ------------------------------------------------------ */

/* Why a call was refused, in Google's words. */
struct gce_refusal {
    int status;
    char reason[64];
    char message[256];
};
/* Fills it and gives false, so that `return gce_refuse(...)` reads well. */
PRINTF(4, 5)
bool gce_refuse(struct gce_refusal *out, int status, const char *reason, const char *format, ...);

struct gce_call {
    const struct gce_api *api;
    const struct face_request *request;
    char zone[GCE_NAME_SIZE]; /* of the path; empty where it names none, as the next */
    char name[GCE_NAME_SIZE];
    char verb[32];
    json_t *body;     /* an object; NULL: none */
    bool hide_fresh;  /* a list or a get shall not see what was launched just now */
    bool no_support;  /* a launch fails in its operation, for good */
    bool no_capacity; /* a launch or a start fails in its operation */
    bool take_back;   /* the same, after a while */
    bool hide_zone;   /* a list shall not reach one of its zones */
    bool leaves;      /* what comes with a machine stays when it ends */
    json_t *answer;   /* what is said, when not refused */
    int64_t wait_ms;  /* say it again until the operation is done, so long at most */
};

struct gce_action {
    const char *name; /* "instances.insert" */
    const char *method;
    const char *path; /* below the project, with {zone} and {name} */
    bool (*run)(struct gce_call *call, struct gce_refusal *out); /* the world is locked */
    const char *permission;
};
extern const struct gce_action gce_actions[];
extern const size_t gce_action_count;

void gce_say_refusal(const struct gce_refusal *why, struct face_answer *out);

/* gce_token.c; whose token it is */
enum gce_caller { GCE_ACCOUNT, GCE_FEDERATED };
void gce_token_make(const struct gce_api *api, enum gce_caller caller, int64_t until,
                    char out[static GCE_TOKEN_SIZE]);
bool gce_token_is_good(const struct gce_api *api, enum gce_caller caller, const char *token);
void gce_token_refuse(struct face_answer *out, const char *error, const char *why);
bool gce_token_check(const struct gce_api *api, const struct face_request *request,
                     struct gce_refusal *out);
void gce_token_answer(const struct gce_api *api, const struct face_request *request,
                      struct face_answer *out);
void gce_token_say(const struct gce_api *api, struct face_answer *out);
void gce_metadata_answer(const struct gce_api *api, const struct face_request *request,
                         struct face_answer *out);

/* gce_federated.c */
enum outcome gce_federated_tell(const struct gce_api *api, const char *folder, int64_t port,
                                struct error *err);
void gce_exchange_answer(const struct gce_api *api, const struct face_request *request,
                         struct face_answer *out);
void gce_impersonate_answer(const struct gce_api *api, const struct face_request *request,
                            struct face_answer *out);

/* gce_show.c: machines and operations as JSON. */
json_t *gce_show_machine(const struct gce_api *api, const struct machine *machine);
json_t *gce_show_operation(const struct gce_api *api, const struct operation *operation);
void gce_fingerprint(const struct machine *machine, char out[static 16]); /* of its labels */

/* gce_launch.c */
bool gce_insert(struct gce_call *call, struct gce_refusal *out);
bool gce_read_labels(const json_t *labels, struct machine *machine, struct gce_refusal *out);

/* gce_list.c */
bool gce_get(struct gce_call *call, struct gce_refusal *out);
bool gce_list(struct gce_call *call, struct gce_refusal *out);
bool gce_list_aggregated(struct gce_call *call, struct gce_refusal *out);
/* In the call's zone, by name or number; NULL with the refusal. */
struct machine *gce_find(const struct gce_call *call, struct gce_refusal *out);

/* gce_remnants.c */
bool gce_remnant_list(struct gce_call *call, struct gce_refusal *out);
bool gce_remnant_delete(struct gce_call *call, struct gce_refusal *out);

/* gce_places.c */
bool gce_zone(struct gce_call *call, struct gce_refusal *out);
bool gce_zones(struct gce_call *call, struct gce_refusal *out);
bool gce_region(struct gce_call *call, struct gce_refusal *out);
bool gce_machine_type(struct gce_call *call, struct gce_refusal *out);
bool gce_machine_types(struct gce_call *call, struct gce_refusal *out);
bool gce_zone_is_known(const struct gce_api *api, const char *zone);
/* The n-th zone of all; false when there are not as many. */
bool gce_zone_at(const struct gce_api *api, size_t n, char out[static GCE_NAME_SIZE]);

/* gce_operations.c */
/* What the client's requestId began before; NULL: nothing, or it gave none. */
struct operation *gce_repeated(const struct gce_call *call);
/* A new one on this machine, for the call's requestId. */
struct operation *gce_begin(struct gce_call *call, const struct machine *machine, const char *verb);
void gce_fail(struct operation *operation, int status, const char *code, const char *message);
bool gce_operation_is_done(const struct gce_api *api, const struct operation *operation);

#endif
