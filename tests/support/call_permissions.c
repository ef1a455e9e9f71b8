#include "tests/support/call_permissions.h"

#include <string.h>

#include "drivers/azure/azure_requests.h"
#include "drivers/gcp/gcp_requests.h"
#include "tests/support/test.h"

static void add_if(struct calls *calls, const char *call, const char *takes, const char *permission)
{
    if (takes == NULL || strcmp(takes, permission) != 0)
        return;
    assert_true(calls->count < CALLS_MAX);
    calls->at[calls->count++] = call;
}

struct calls calls_that_take(enum account_driver cloud, const char *permission)
{
    struct calls out = {0};
    for (size_t i = 0; cloud == DRIVER_AWS && i < aws_driver.permissions->count; i++)
        add_if(&out, aws_driver.permissions->at[i].call, aws_driver.permissions->at[i].permission,
               permission);
    for (size_t i = 0; cloud == DRIVER_AZURE && i < ARM_CALL_COUNT; i++)
        for (size_t k = 0; k < ARM_ACTIONS_MAX; k++)
            add_if(&out, arm_calls[i].operation, arm_calls[i].actions[k], permission);
    for (size_t i = 0; cloud == DRIVER_GCP && i < gcp_permission_count; i++)
        for (size_t k = 0; k < GCP_PERMISSIONS_MAX; k++)
            add_if(&out, gcp_permissions[i].call, gcp_permissions[i].permissions[k], permission);
    return out;
}

/* Signing in takes none of ours: the role and the key say who may. */
static const char *const of_signing_in[] = {"AssumeRole", "AssumeRoleWithWebIdentity", "token"};

bool call_is_known(enum account_driver cloud, const char *call)
{
    bool known = false;
    for (size_t i = 0; i < countof(of_signing_in); i++)
        known |= strcmp(of_signing_in[i], call) == 0;
    for (size_t i = 0; cloud == DRIVER_AWS && i < aws_driver.permissions->count; i++)
        known |= strcmp(aws_driver.permissions->at[i].call, call) == 0;
    for (size_t i = 0; cloud == DRIVER_AZURE && i < ARM_CALL_COUNT; i++)
        known |= strcmp(arm_calls[i].operation, call) == 0;
    for (size_t i = 0; cloud == DRIVER_GCP && i < gcp_permission_count; i++)
        known |= strcmp(gcp_permissions[i].call, call) == 0;
    return known;
}
