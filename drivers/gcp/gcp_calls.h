/* Calls of Compute Engine: with a token that is renewed when it must be, in the manners that its
 * limits ask for. For drivers/gcp/gcp.c. */
#ifndef MUSTER_DRIVERS_GCP_CALLS_H
#define MUSTER_DRIVERS_GCP_CALLS_H

#include "drivers/gcp/gcp_requests.h"
#include "drivers/gcp/gcp_token.h"
#include "drivers/manners.h"
#include "drivers/rest.h"

struct cloud {
    struct account account; /* its texts only: the JSON members stay with the caller */
    struct gcp_credentials credentials;
    struct gcp_token token;
    struct http *http;
    struct manners *manners;
    int64_t retry_ms; /* of the last answer, when it throttled us */
    struct endpoint endpoint;
    struct listing all; /* our machines, as far as they were listed */
    bool is_known;      /* the token was seen to be of our project */
};

/* Whatever its status; `out` must be zero. */
enum outcome gcp_send(struct cloud *cloud, const struct gcp_call *call, struct http_answer *out,
                      struct error *err);
/* The same, and an answer of 2xx. */
enum outcome gcp_compute(struct cloud *cloud, const struct gcp_call *call, struct http_answer *out,
                         struct error *err);
/* Who was throttled is told when to come back. Returns `outcome`. */
enum outcome gcp_tell_when(const struct cloud *cloud, enum outcome outcome, struct error *err);

enum outcome gcp_identify(struct cloud *cloud, struct cloud_identity *out, struct error *err);
enum outcome gcp_turn(struct cloud *cloud, struct error *err);

#endif
