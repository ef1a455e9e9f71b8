#include "drivers/aws/ec2_errors.h"

#include <string.h>

/* clang-format off */
static const struct {
    const char *code;
    enum cloud_error kind;
} codes[] = {
    {"RequestLimitExceeded",                 CLOUD_THROTTLE},
    {"Throttling",                           CLOUD_THROTTLE},
    {"ThrottlingException",                  CLOUD_THROTTLE},
    {"ThrottledException",                   CLOUD_THROTTLE},
    {"RequestThrottled",                     CLOUD_THROTTLE},
    {"RequestThrottledException",            CLOUD_THROTTLE},
    {"TooManyRequestsException",             CLOUD_THROTTLE},
    {"EC2ThrottledException",                CLOUD_THROTTLE},
    {"SlowDown",                             CLOUD_THROTTLE},
    {"BandwidthLimitExceeded",               CLOUD_THROTTLE},
    {"InsufficientInstanceCapacity",         CLOUD_CAPACITY},
    {"InsufficientHostCapacity",             CLOUD_CAPACITY},
    {"InsufficientCapacity",                 CLOUD_CAPACITY},
    {"InsufficientReservedInstanceCapacity", CLOUD_CAPACITY},
    {"SpotMaxPriceTooLow",                   CLOUD_CAPACITY},
    {"VcpuLimitExceeded",                    CLOUD_QUOTA},
    {"InstanceLimitExceeded",                CLOUD_QUOTA},
    {"MaxSpotInstanceCountExceeded",         CLOUD_QUOTA},
    {"VolumeLimitExceeded",                  CLOUD_QUOTA},
    {"AuthFailure",                          CLOUD_AUTH},
    {"UnauthorizedOperation",                CLOUD_AUTH},
    {"SignatureDoesNotMatch",                CLOUD_AUTH},
    {"IncompleteSignature",                  CLOUD_AUTH},
    {"InvalidClientTokenId",                 CLOUD_AUTH},
    {"MissingAuthenticationToken",           CLOUD_AUTH},
    {"InvalidIdentityToken",                 CLOUD_AUTH},
    {"ExpiredToken",                         CLOUD_AUTH},
    {"ExpiredTokenException",                CLOUD_AUTH},
    {"RequestExpired",                       CLOUD_AUTH},
    {"RequestTimeTooSkewed",                 CLOUD_AUTH},
    {"AccessDenied",                         CLOUD_AUTH},
    {"Blocked",                              CLOUD_AUTH},
    {"PendingVerification",                  CLOUD_AUTH},
    {"OptInRequired",                        CLOUD_AUTH},
    {"Unsupported",                          CLOUD_UNSUPPORTED},
    {"UnsupportedOperation",                 CLOUD_UNSUPPORTED},
    {"UnknownParameter",                     CLOUD_INVALID},
    {"InvalidParameterValue",                CLOUD_INVALID},
    {"InvalidParameterCombination",          CLOUD_INVALID},
    {"MissingParameter",                     CLOUD_INVALID},
    {"IncorrectInstanceState",               CLOUD_STATE_CONFLICT},
    {"IncorrectState",                       CLOUD_STATE_CONFLICT},
    {"OperationNotPermitted",                CLOUD_STATE_CONFLICT},
    {"IdempotentParameterMismatch",          CLOUD_IDEMPOTENCY_MISMATCH},
    {"InternalError",                        CLOUD_SERVER_ERROR},
    {"InternalFailure",                      CLOUD_SERVER_ERROR},
    {"Unavailable",                          CLOUD_SERVER_ERROR},
    {"ServiceUnavailable",                   CLOUD_SERVER_ERROR},
    {"Server.SpotInstanceTermination",       CLOUD_SPOT_RECLAIM},
    {"Server.SpotInstanceShutdown",          CLOUD_SPOT_RECLAIM},
};

static const struct {
    const char *ending;
    enum cloud_error kind;
} endings[] = {
    {".NotFound",       CLOUD_NOT_FOUND},
    {".Malformed",      CLOUD_INVALID},
    {".Duplicate",      CLOUD_EXISTS},
    {".InUse",          CLOUD_STATE_CONFLICT},
    {"VolumeInUse",     CLOUD_STATE_CONFLICT},
    {"AlreadyExists",   CLOUD_EXISTS},
    {"LimitExceeded",   CLOUD_QUOTA},
};
/* clang-format on */

static bool ends_with(const char *text, const char *ending)
{
    size_t len = strlen(text), more = strlen(ending);
    return len >= more && strcmp(text + len - more, ending) == 0;
}

static enum cloud_error by_status(int status)
{
    if (status == 429)
        return CLOUD_THROTTLE;
    if (status == 401 || status == 403)
        return CLOUD_AUTH;
    if (status == 404 || status == 408) /* of something between: EC2 says it by code */
        return CLOUD_SERVER_ERROR;
    return status >= 500 || status < 400 ? CLOUD_SERVER_ERROR : CLOUD_INVALID;
}

enum cloud_error ec2_error_kind(const char *code, int status)
{
    for (size_t i = 0; i < countof(codes); i++)
        if (strcmp(codes[i].code, code) == 0)
            return codes[i].kind;
    for (size_t i = 0; i < countof(endings); i++)
        if (ends_with(code, endings[i].ending))
            return endings[i].kind;
    return by_status(status);
}

enum cloud_error ec2_reason_kind(const char *reason)
{
    enum cloud_error whole = ec2_error_kind(reason, 500);
    if (whole != CLOUD_SERVER_ERROR || strncmp(reason, "Server.", 7) != 0)
        return whole;
    return ec2_error_kind(reason + 7, 500);
}
