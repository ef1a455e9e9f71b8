#include "drivers/azure/azure_errors.h"

#include <string.h>
#include <strings.h>

/* clang-format off */
static const struct {
    const char *code;
    enum cloud_error kind;
} codes[] = {
    {"TooManyRequests",                     CLOUD_THROTTLE},
    {"SubscriptionRequestsThrottled",       CLOUD_THROTTLE},
    {"TenantRequestsThrottled",             CLOUD_THROTTLE},
    {"ResourceRequestsThrottled",           CLOUD_THROTTLE},
    {"ResourceCollectionRequestsThrottled", CLOUD_THROTTLE},
    {"SkuNotAvailable",                     CLOUD_CAPACITY},
    {"AllocationFailed",                    CLOUD_CAPACITY},
    {"ZonalAllocationFailed",               CLOUD_CAPACITY},
    {"OverconstrainedAllocationRequest",    CLOUD_CAPACITY},
    {"OverconstrainedZonalAllocationRequest", CLOUD_CAPACITY},
    {"QuotaExceeded",                       CLOUD_QUOTA},
    {"ResourceQuotaExceeded",               CLOUD_QUOTA},
    {"AuthorizationFailed",                 CLOUD_AUTH},
    {"LinkedAuthorizationFailed",           CLOUD_AUTH},
    {"AuthenticationFailed",                CLOUD_AUTH},
    {"ExpiredAuthenticationToken",          CLOUD_AUTH},
    {"InvalidAuthenticationToken",          CLOUD_AUTH},
    {"InvalidAuthenticationTokenTenant",    CLOUD_AUTH},
    {"RequestDisallowedByPolicy",           CLOUD_AUTH},
    {"ScopeLocked",                         CLOUD_AUTH},
    {"SubscriptionNotFound",                CLOUD_AUTH},
    {"InvalidSubscriptionId",               CLOUD_AUTH},
    {"MissingSubscriptionRegistration",     CLOUD_AUTH},
    {"ReadOnlyDisabledSubscription",        CLOUD_AUTH},
    {"DisabledSubscription",                CLOUD_AUTH},
    {"invalid_client",                      CLOUD_AUTH},
    {"invalid_grant",                       CLOUD_AUTH},
    {"invalid_request",                     CLOUD_AUTH},
    {"invalid_scope",                       CLOUD_AUTH},
    {"unauthorized_client",                 CLOUD_AUTH},
    {"access_denied",                       CLOUD_AUTH},
    {"unsupported_grant_type",              CLOUD_AUTH},
    {"temporarily_unavailable",             CLOUD_SERVER_ERROR},
    {"server_error",                        CLOUD_SERVER_ERROR},
    {"ResourceNotFound",                    CLOUD_NOT_FOUND},
    {"ResourceGroupNotFound",               CLOUD_NOT_FOUND},
    {"ParentResourceNotFound",              CLOUD_NOT_FOUND},
    {"NotFound",                            CLOUD_NOT_FOUND},
    {"ImageNotFound",                       CLOUD_NOT_FOUND},
    {"PlatformImageNotFound",               CLOUD_NOT_FOUND},
    {"GalleryImageNotFound",                CLOUD_NOT_FOUND},
    {"InvalidResourceReference",            CLOUD_NOT_FOUND},
    {"PreconditionFailed",                  CLOUD_EXISTS},
    {"ResourceAlreadyExists",               CLOUD_EXISTS},
    {"InvalidParameter",                    CLOUD_INVALID},
    {"BadRequest",                          CLOUD_INVALID},
    {"PropertyChangeNotAllowed",            CLOUD_INVALID},
    {"InvalidTemplate",                     CLOUD_INVALID},
    {"InvalidRequestContent",               CLOUD_INVALID},
    {"InvalidRequestFormat",                CLOUD_INVALID},
    {"InvalidResourceName",                 CLOUD_INVALID},
    {"LocationNotAvailableForResourceType", CLOUD_INVALID},
    {"NoRegisteredProviderFound",           CLOUD_INVALID},
    {"NotSupported",                        CLOUD_UNSUPPORTED},
    {"FeatureNotSupported",                 CLOUD_UNSUPPORTED},
    {"Conflict",                            CLOUD_STATE_CONFLICT},
    {"OperationNotAllowed",                 CLOUD_STATE_CONFLICT},
    {"AnotherOperationInProgress",          CLOUD_STATE_CONFLICT},
    {"NicInUse",                            CLOUD_STATE_CONFLICT},
    {"NicReservedForAnotherVm",             CLOUD_STATE_CONFLICT},
    {"PublicIPAddressCannotBeDeleted",      CLOUD_STATE_CONFLICT},
    {"OperationPreempted",                  CLOUD_STATE_CONFLICT},
    {"ResourceGroupBeingDeleted",           CLOUD_STATE_CONFLICT},
    {"OSProvisioningTimedOut",              CLOUD_AMBIGUOUS},
    {"OSProvisioningInternalError",         CLOUD_AMBIGUOUS},
    {"VMStartTimedOut",                     CLOUD_AMBIGUOUS},
    {"OperationTimeout",                    CLOUD_AMBIGUOUS},
    {"InternalServerError",                 CLOUD_SERVER_ERROR},
    {"InternalExecutionError",              CLOUD_SERVER_ERROR},
    {"InternalOperationError",              CLOUD_SERVER_ERROR},
    {"NetworkingInternalOperationError",    CLOUD_SERVER_ERROR},
    {"RetryableError",                      CLOUD_SERVER_ERROR},
    {"ServerTimeout",                       CLOUD_SERVER_ERROR},
    {"ServiceUnavailable",                  CLOUD_SERVER_ERROR},
    {"GatewayTimeout",                      CLOUD_SERVER_ERROR},
};
/* clang-format on */

enum cloud_error arm_code_kind(const char *code, const char *message)
{
    if (strcmp(code, "OperationNotAllowed") == 0 && strcasestr(message, "quota") != NULL)
        return CLOUD_QUOTA;
    for (size_t i = 0; i < countof(codes); i++)
        if (strcmp(codes[i].code, code) == 0)
            return codes[i].kind;
    return CLOUD_ERROR_COUNT;
}

enum cloud_error arm_status_kind(int status)
{
    switch (status) {
    case 401:
    case 403:
        return CLOUD_AUTH;
    case 404:
        return CLOUD_NOT_FOUND;
    case 408: /* of a gateway: what became of it is not known */
        return CLOUD_SERVER_ERROR;
    case 409:
        return CLOUD_STATE_CONFLICT;
    case 412:
        return CLOUD_EXISTS;
    case 429:
        return CLOUD_THROTTLE;
    default:
        return status >= 500 || status < 400 ? CLOUD_SERVER_ERROR : CLOUD_INVALID;
    }
}
