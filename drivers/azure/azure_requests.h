/* What is asked of Azure Resource Manager. Pure: an order in, a request out. */
#ifndef MUSTER_DRIVERS_AZURE_AZURE_REQUESTS_H
#define MUSTER_DRIVERS_AZURE_AZURE_REQUESTS_H

#include "drivers/rest.h"

#define ARM_COMPUTE_VERSION "2024-11-01"
#define ARM_DISKS_VERSION "2023-04-02"
#define ARM_NETWORK_VERSION "2022-11-01"
#define ARM_SUBSCRIPTION_VERSION "2022-12-01"
#define ARM_SKUS_VERSION "2021-07-01"
#define TAG_ORDER                                                                                  \
    "muster:order" /* a hash of the order, to tell whether another one is the same                 \
                    */

enum { ARM_TAGS_MAX = 50, ARM_NAME_MAX = 64, ARM_ORDER_SIZE = 33, ARM_ACTIONS_MAX = 12 };

enum arm_call {
    ARM_SUBSCRIPTION,
    ARM_CREATE,
    ARM_GET,
    ARM_LIST,
    ARM_LIST_STATUS,
    ARM_DEALLOCATE,
    ARM_START,
    ARM_REDEPLOY,
    ARM_MAINTAIN,
    ARM_DELETE,
    ARM_FOLLOW,
    ARM_SKUS,
    ARM_LIST_DISKS,
    ARM_LIST_ADDRESSES,
    ARM_LIST_INTERFACES,
    ARM_DELETE_DISK,
    ARM_DELETE_ADDRESS,
    ARM_DELETE_INTERFACE,
    ARM_CALL_COUNT
};

/* What each call is, and which permissions it takes: doc/clouds/azure-role.json has just these. */
struct arm_call_facts {
    const char *operation; /* as Azure's documents name it */
    const char *method;
    const char *verb; /* the end of the path of what is a POST */
    const char *actions[ARM_ACTIONS_MAX];
};
extern const struct arm_call_facts arm_calls[ARM_CALL_COUNT];

struct arm_request {
    enum arm_call call;
    struct text path; /* after "https://host/", with the query */
    struct text body; /* JSON; may be empty */
};
void arm_request_done(struct arm_request *request);

/* One confidential machine under the name that its client token is, with disk and interface that
 * end with it. Refuses what Azure would refuse. */
enum outcome arm_create(const struct account *account, const struct launch_order *order,
                        struct arm_request *out, struct error *err);
/* What TAG_ORDER says of an order. */
void arm_order_hash(const struct account *account, const struct launch_order *order,
                    char out[static ARM_ORDER_SIZE]);

/* With its instance view, which has the power state. */
void arm_get(const struct account *account, const char *ref, struct arm_request *out);
/* Of the resource group: with tags, without power states. */
void arm_list(const struct account *account, struct arm_request *out);
/* Of the subscription: power states, without tags. */
void arm_list_status(const struct account *account, struct arm_request *out);
/* ARM_DEALLOCATE, ARM_START, ARM_REDEPLOY, ARM_MAINTAIN, ARM_DELETE */
void arm_act(const struct account *account, enum arm_call call, const char *ref,
             struct arm_request *out);
void arm_subscription(const struct account *account, struct arm_request *out);

/* What sizes the account's region has. */
void arm_skus(const struct account *account, struct arm_request *out);

/* May it be a machine's name? What goes into a path or comes from an answer must be. */
bool arm_name_is_valid(const char *name);

#endif
