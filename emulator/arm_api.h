/* Azure Resource Manager and its token service as a client sees them. */
#ifndef MUSTER_EMULATOR_ARM_API_H
#define MUSTER_EMULATOR_ARM_API_H

#include "emulator/http_face.h"
#include "emulator/images.h"
#include "emulator/world.h"
#include "lib/crypto/rsa_signer.h"

enum { ARM_PARTS_MAX = 4, ARM_TOKEN_SECONDS = 3600 };

struct arm_api {
    struct world *world;
    const struct images *images;
    const char *_Atomic subscription;
    const char *_Atomic home; /* the tenant that it is of */
    _Atomic int64_t turns;    /* tokens of before the last are none */
    const char *tenant;       /* whose token service this is */
    const char *client_id;
    const char *client_secret;
    const char *federated_token; /* that another issuer would have made; empty: none is taken */
    const char *locations;       /* split at blanks */
    struct rsa_signer *signer;   /* of the application's certificate; NULL: none is taken */
    int64_t page_most;
    int64_t poll_seconds;           /* what Retry-After of an operation says; 0: nothing */
    uint8_t token_key[SHA256_SIZE]; /* random; tokens of another run are none */
};

/* One call, with the world locked. */
struct arm_call {
    const struct arm_api *api;
    const struct face_request *request;
    const char *parts[ARM_PARTS_MAX]; /* what stands for the `*` of the route */
    const char *location;             /* "https://localhost:1234": how the client reaches us */
    struct prank prank;
    json_t *body; /* NULL: none */
    struct face_answer *out;
};

bool arm_is_for(const struct face_request *request);
void arm_api_answer(const struct arm_api *api, const struct face_request *request,
                    struct face_answer *out);

/* Fills the answer and gives false, so that `return arm_refuse(...)` reads well. */
PRINTF(4, 5)
bool arm_refuse(struct arm_call *call, int status, const char *code, const char *format, ...);
void arm_say(struct arm_call *call, int status, const json_t *value);

/* arm_token.c */
void arm_token_make(const struct arm_api *api, struct text *out);
bool arm_token_give(struct arm_call *call);
bool arm_token_describe(struct arm_call *call);
bool arm_token_check(struct arm_call *call);

/* arm_machines.c */
bool arm_machine_put(struct arm_call *call);
bool arm_machine_patch(struct arm_call *call);
bool arm_machine_delete(struct arm_call *call);
bool arm_machine_act(struct arm_call *call);
/* Retry-After, and from now on we know who does not heed it. */
void arm_ask_later(struct arm_call *call, struct operation *operation);

/* arm_remnants.c */
bool arm_remnant_list(struct arm_call *call);
bool arm_remnant_delete(struct arm_call *call);

/* arm_show.c */
bool arm_machine_get(struct arm_call *call);
bool arm_machine_view(struct arm_call *call);
bool arm_machine_list(struct arm_call *call);
bool arm_operation_get(struct arm_call *call);
bool arm_sizes_list(struct arm_call *call);
bool arm_subscription_get(struct arm_call *call);
bool arm_subscription_list(struct arm_call *call);
json_t *arm_machine_json(const struct arm_call *call, const struct machine *machine, bool view);
/* The machine that the path names; NULL when there is none, or it does not show yet. */
struct machine *arm_machine_find(const struct arm_call *call);
bool arm_machine_missing(struct arm_call *call); /* refuses */

#endif
