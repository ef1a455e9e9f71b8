/* EC2 and STS as a client sees them: signatures, actions, answers and errors of the Query protocol.
 */
#ifndef MUSTER_EMULATOR_AWS_API_H
#define MUSTER_EMULATOR_AWS_API_H

#include "emulator/form.h"
#include "emulator/http_face.h"
#include "emulator/images.h"
#include "emulator/world.h"

#define EC2_NAMESPACE "http://ec2.amazonaws.com/doc/2016-11-15/"
#define STS_NAMESPACE "https://sts.amazonaws.com/doc/2011-06-15/"
#define SIM_ACCOUNT "000000000000"

enum { AWS_SESSION_SIZE = 48 };

struct aws_api {
    struct world *world;
    const struct images *images;
    const char *regions; /* split at blanks; each has machines of its own */
    const char *access_key_id;
    const char *secret_access_key;
    int64_t page_most;           /* never more on a page, whatever MaxResults says */
    const char *_Atomic account; /* that its key is of; machines stay with whose launched them */
    _Atomic int64_t turns;       /* sessions of before the last are over */
};

/* Why a call was refused, in AWS's words. */
struct refusal {
    int status;
    char code[64];
    char message[256];
};

/* Fills it and gives false, so that `return refuse(...)` reads well. */
PRINTF(4, 5)
bool refuse(struct refusal *out, int status, const char *code, const char *format, ...);

/* One call. `out` gets what stands between the root element's tags. */
struct aws_call {
    const struct aws_api *api;
    const struct form_in *form;
    const char *region;
    bool hide_fresh; /* a describe shall not see what was launched just now */
    bool leaves;     /* what comes with a machine stays when it ends */
    struct text *out;
};

struct action {
    const char *name;
    const char *service;                                     /* "ec2", "sts" */
    bool (*run)(struct aws_call *call, struct refusal *out); /* the world is locked */
};
extern const struct action aws_actions[];
extern const size_t aws_action_count;

/* The token of a session that begins now. */
void aws_session(const struct aws_api *api, char out[static AWS_SESSION_SIZE]);

void aws_api_answer(const struct aws_api *api, const struct face_request *request,
                    struct face_answer *out);

/* What a request was signed for. */
struct aws_scope {
    char region[64];
    char service[16]; /* "ec2", "sts" */
};

/* Is the request signed by our key, for a region of ours, now? */
bool aws_auth_check(const struct aws_api *api, const struct face_request *request,
                    struct aws_scope *out_scope, struct refusal *out);

#endif
