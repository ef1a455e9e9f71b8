#include "drivers/gcp/gcp_errors.h"

#include <string.h>

/* clang-format off */
static const struct {
    const char *reason;
    enum cloud_error kind;
} reasons[] = {
    {"rateLimitExceeded",                         CLOUD_THROTTLE},
    {"userRateLimitExceeded",                     CLOUD_THROTTLE},
    {"concurrentLimitExceeded",                   CLOUD_THROTTLE},
    {"RATE_LIMIT_EXCEEDED",                       CLOUD_THROTTLE},
    {"RESOURCE_EXHAUSTED",                        CLOUD_THROTTLE},
    {"resourcePoolExhausted",                     CLOUD_CAPACITY},
    {"ZONE_RESOURCE_POOL_EXHAUSTED",              CLOUD_CAPACITY},
    {"ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", CLOUD_CAPACITY},
    {"STOCKOUT",                                  CLOUD_CAPACITY},
    {"quotaExceeded",                             CLOUD_QUOTA},
    {"limitExceeded",                             CLOUD_QUOTA},
    {"QUOTA_EXCEEDED",                            CLOUD_QUOTA},
    {"LIMIT_EXCEEDED",                            CLOUD_QUOTA},
    {"forbidden",                                 CLOUD_AUTH},
    {"accessNotConfigured",                       CLOUD_AUTH},
    {"authError",                                 CLOUD_AUTH},
    {"expired",                                   CLOUD_AUTH},
    {"insufficientPermissions",                   CLOUD_AUTH},
    {"PERMISSIONS_ERROR",                         CLOUD_AUTH},
    {"PERMISSION_DENIED",                         CLOUD_AUTH},
    {"invalid_grant",                             CLOUD_AUTH},
    {"invalid_client",                            CLOUD_AUTH},
    {"invalid_token",                             CLOUD_AUTH},
    {"unauthorized_client",                       CLOUD_AUTH},
    {"access_denied",                             CLOUD_AUTH},
    {"notFound",                                  CLOUD_NOT_FOUND},
    {"NOT_FOUND",                                 CLOUD_NOT_FOUND},
    {"RESOURCE_NOT_FOUND",                        CLOUD_NOT_FOUND},
    {"alreadyExists",                             CLOUD_EXISTS},
    {"duplicate",                                 CLOUD_EXISTS},
    {"RESOURCE_ALREADY_EXISTS",                   CLOUD_EXISTS},
    {"UNSUPPORTED_OPERATION",                     CLOUD_UNSUPPORTED},
    {"notImplemented",                            CLOUD_UNSUPPORTED},
    {"invalid",                                   CLOUD_INVALID},
    {"invalidParameter",                          CLOUD_INVALID},
    {"badRequest",                                CLOUD_INVALID},
    {"parseError",                                CLOUD_INVALID},
    {"INVALID_FIELD_VALUE",                       CLOUD_INVALID},
    {"INVALID_USAGE",                             CLOUD_INVALID},
    {"resourceNotReady",                          CLOUD_STATE_CONFLICT},
    {"resourceInUseByAnotherResource",            CLOUD_STATE_CONFLICT},
    {"conditionNotMet",                           CLOUD_STATE_CONFLICT},
    {"fingerprint",                               CLOUD_STATE_CONFLICT},
    {"RESOURCE_NOT_READY",                        CLOUD_STATE_CONFLICT},
    {"RESOURCE_IN_USE_BY_ANOTHER_RESOURCE",       CLOUD_STATE_CONFLICT},
    {"CONDITION_NOT_MET",                         CLOUD_STATE_CONFLICT},
    {"backendError",                              CLOUD_SERVER_ERROR},
    {"internalError",                             CLOUD_SERVER_ERROR},
    {"INTERNAL_ERROR",                            CLOUD_SERVER_ERROR},
};

static const struct {
    int status;
    enum cloud_error kind;
} statuses[] = {
    {401, CLOUD_AUTH},
    {403, CLOUD_AUTH},
    {404, CLOUD_NOT_FOUND},
    {408, CLOUD_SERVER_ERROR}, /* of a gateway: what became of it is not known */
    {409, CLOUD_EXISTS},
    {412, CLOUD_STATE_CONFLICT},
    {429, CLOUD_THROTTLE},
};
/* clang-format on */

enum cloud_error gcp_error_kind(const char *reason, int status)
{
    for (size_t i = 0; i < countof(reasons); i++)
        if (strcmp(reasons[i].reason, reason) == 0)
            return reasons[i].kind;
    for (size_t i = 0; i < countof(statuses); i++)
        if (statuses[i].status == status)
            return statuses[i].kind;
    return status >= 400 && status < 500 ? CLOUD_INVALID : CLOUD_SERVER_ERROR;
}
