/* Calls of Azure Resource Manager: with a token that is renewed when it must be, in the manners
 * that its limits ask for, and to nobody else. For drivers/azure/azure.c. */
#ifndef MUSTER_DRIVERS_AZURE_CALLS_H
#define MUSTER_DRIVERS_AZURE_CALLS_H

#include "drivers/azure/azure_requests.h"
#include "drivers/azure/azure_token.h"
#include "drivers/manners.h"
#include "drivers/rest.h"

struct cloud {
    struct account account; /* its texts only: the JSON members stay with the caller */
    struct azure_identity identity;
    struct azure_place place;
    struct http *http;
    struct manners *manners;
    struct listing tagged, powers; /* our machines, as far as they were listed */
    int64_t retry_ms;              /* of the last answer, when it throttled us */
    bool is_known;                 /* the token was seen to be of our subscription and tenant */
};

/* Does the address name Resource Manager itself? Nobody else gets the token. */
bool azure_is_arm(const struct cloud *cloud, const char *url);

/* Whatever its status; `out` must be zero. To an address that it gave us, or as the request says.
 */
enum outcome azure_send_to(struct cloud *cloud, enum arm_call call, const char *url,
                           struct span body, struct http_answer *out, struct error *err);
enum outcome azure_send(struct cloud *cloud, const struct arm_request *request,
                        struct http_answer *out, struct error *err);
/* The same as sending, and an answer of 2xx. */
enum outcome azure_call(struct cloud *cloud, const struct arm_request *request,
                        struct http_answer *out, struct error *err);
enum outcome azure_check(const struct cloud *cloud, const struct http_answer *answer,
                         struct error *err); /* its status */
/* Who was throttled is told when to come back. Returns `outcome`. */
enum outcome azure_tell_when(const struct cloud *cloud, enum outcome outcome, struct error *err);

enum outcome azure_turn(struct cloud *cloud, struct error *err);

#endif
