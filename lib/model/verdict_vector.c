#include "lib/model/verdict_vector.h"

#include <string.h>

/* clang-format off */
static const char *const claim_words[] = {
    [TRUST_INSTANCE_IDENTITY] = "instance-identity",
    [TRUST_CONFIGURATION]     = "configuration",
    [TRUST_EXECUTABLES]       = "executables",
    [TRUST_FILE_SYSTEM]       = "file-system",
    [TRUST_HARDWARE]          = "hardware",
    [TRUST_RUNTIME_OPAQUE]    = "runtime-opaque",
    [TRUST_STORAGE_OPAQUE]    = "storage-opaque",
    [TRUST_SOURCED_DATA]      = "sourced-data",
};
_Static_assert(countof(claim_words) == TRUST_CLAIM_COUNT);
const struct names trust_claim_names = NAMES("trust claim", claim_words);

#define IDENTITY      (1u << TRUST_INSTANCE_IDENTITY)
#define CONFIGURATION (1u << TRUST_CONFIGURATION)
#define EXECUTABLES   (1u << TRUST_EXECUTABLES)
#define HARDWARE      (1u << TRUST_HARDWARE)
#define OPAQUE        (1u << TRUST_RUNTIME_OPAQUE)

/* What each reason speaks against. */
static const unsigned against[] = {
    [REASON_OK]                    = 0,
    [REASON_UNSUPPORTED_EVIDENCE]  = HARDWARE,
    [REASON_WRONG_REALM]           = HARDWARE,
    [REASON_UNSUPPORTED_VERSION]   = HARDWARE,
    [REASON_UNSUPPORTED_ALGORITHM] = HARDWARE,
    [REASON_MALFORMED]             = HARDWARE,
    [REASON_CERT_MISSING]          = HARDWARE,
    [REASON_SIGNING_KEY_MISMATCH]  = HARDWARE,
    [REASON_CHAIN_UNTRUSTED]       = HARDWARE,
    [REASON_CERT_NOT_YET_VALID]    = HARDWARE,
    [REASON_CERT_EXPIRED]          = HARDWARE,
    [REASON_CRL_MISSING]           = HARDWARE,
    [REASON_CRL_UNTRUSTED]         = HARDWARE,
    [REASON_CRL_EXPIRED]           = HARDWARE,
    [REASON_REVOKED]               = HARDWARE,
    [REASON_PRODUCT_MISMATCH]      = HARDWARE,
    [REASON_CHIP_ID_MISMATCH]      = HARDWARE,
    [REASON_TCB_MISMATCH]          = HARDWARE,
    [REASON_BAD_SIGNATURE]         = HARDWARE,
    [REASON_UNSUPPORTED_REPORT_TYPE] = HARDWARE,
    [REASON_RUNTIME_DATA_MISMATCH] = IDENTITY,
    [REASON_AK_UNTRUSTED]          = IDENTITY,
    [REASON_QUOTE_BAD_SIGNATURE]   = IDENTITY,
    [REASON_NONCE_MISMATCH]        = IDENTITY,
    [REASON_PCR_MISMATCH]          = EXECUTABLES,
    [REASON_EVENT_DIGEST_MISMATCH] = EXECUTABLES,
    [REASON_POLICY_DEBUG]          = CONFIGURATION | OPAQUE,
    [REASON_POLICY_MIGRATION]      = CONFIGURATION | OPAQUE,
    [REASON_POLICY_SMT]            = CONFIGURATION,
    [REASON_POLICY_VMPL]           = CONFIGURATION,
    [REASON_POLICY_SIGNING_KEY]    = HARDWARE,
    [REASON_POLICY_CSP]            = IDENTITY,
    [REASON_POLICY_TCB]            = HARDWARE,
    [REASON_POLICY_PLATFORM_INFO]  = CONFIGURATION,
    [REASON_POLICY_MEASUREMENT]    = EXECUTABLES,
    [REASON_POLICY_REPORT_DATA]    = IDENTITY,
    [REASON_POLICY_HOST_DATA]      = IDENTITY,
    [REASON_POLICY_ID_KEY]         = IDENTITY,
    [REASON_POLICY_GUEST_POLICY]   = CONFIGURATION,
    [REASON_POLICY_MIT_VECTOR]     = HARDWARE,
    [REASON_POLICY_COMMITTED_TCB]  = HARDWARE,
    [REASON_POLICY_GUEST_SVN]      = EXECUTABLES,
    [REASON_POLICY_CHIP_ID]        = IDENTITY,
    [REASON_POLICY_AGE]            = IDENTITY,
    [REASON_POLICY_PCR]            = EXECUTABLES,
    [REASON_POLICY_NONCE]          = IDENTITY,
    [REASON_POLICY_VTPM_ROOT]      = EXECUTABLES,
    [REASON_POLICY_SECURE_BOOT]    = CONFIGURATION,
    [REASON_POLICY_BOOT_COMPONENT] = EXECUTABLES,
    [REASON_IDENTITY_FORMAT]       = IDENTITY,
    [REASON_IDENTITY_SIGNER]       = IDENTITY,
    [REASON_IDENTITY_SIGNATURE]    = IDENTITY,
    [REASON_IDENTITY_TIME]         = IDENTITY,
    [REASON_IDENTITY_NONCE]        = IDENTITY,
    [REASON_IDENTITY_CONFIDENTIAL] = IDENTITY,
    [REASON_IDENTITY_ACCOUNT]      = IDENTITY,
    [REASON_IDENTITY_INSTANCE]     = IDENTITY,
    [REASON_IDENTITY_REGION]       = IDENTITY,
};
_Static_assert(countof(against) == REASON_COUNT);
/* clang-format on */

const char *trust_tier_word(enum trust_tier tier)
{
    switch (tier) {
    case TIER_NONE:
        return "none";
    case TIER_AFFIRMING:
        return "affirming";
    case TIER_WARNING:
        return "warning";
    case TIER_CONTRAINDICATED:
        return "contraindicated";
    }
    return "?";
}

static bool lacks(const struct verdict *v, enum missing what)
{
    return (v->missing >> what & 1) != 0;
}

static bool keeps(const struct verdict *v, enum residual what)
{
    return (v->residuals >> what & 1) != 0;
}

/* A rejection that names nothing still speaks against the machine. */
static struct trust_vector of_rejection(const struct verdict *v)
{
    struct trust_vector out = {0};
    unsigned claims = against[v->reason];
    for (size_t i = 0; i < v->check_count; i++)
        if (v->checks[i].result == CHECK_FAIL)
            claims |= against[v->checks[i].reason];
    if (claims == 0)
        claims = HARDWARE;
    for (size_t i = 0; i < TRUST_CLAIM_COUNT; i++)
        out.at[i] = (claims >> i & 1) != 0 ? TIER_CONTRAINDICATED : TIER_NONE;
    return out;
}

/* The provider's word holds against others, not against the provider. */
static enum trust_tier of_source(enum source source)
{
    switch (source) {
    case SOURCE_HARDWARE:
        return TIER_AFFIRMING;
    case SOURCE_PROVIDER:
        return TIER_WARNING;
    case SOURCE_NONE:
    case SOURCE_COUNT:
        break;
    }
    return TIER_NONE;
}

static enum trust_tier warn_if(enum trust_tier tier, bool doubtful)
{
    return tier == TIER_AFFIRMING && doubtful ? TIER_WARNING : tier;
}

/* Somebody's word stands against another's, whoever proves the rest. */
static enum trust_tier of_identity(const struct verdict *v)
{
    return lacks(v, MISSING_CLEAR_IDENTITY) ? TIER_WARNING : of_source(v->identity);
}

static enum trust_tier of_hardware(const struct verdict *v)
{
    return warn_if(of_source(v->hardware), keeps(v, RESIDUAL_MILAN_ROOT_SEED) ||
                                               keeps(v, RESIDUAL_NO_TCB_FLOOR) ||
                                               keeps(v, RESIDUAL_NO_REVOCATION));
}

static enum trust_tier of_executables(const struct verdict *v)
{
    return warn_if(of_source(v->software),
                   lacks(v, MISSING_PINNED_MEASUREMENT) || lacks(v, MISSING_PROVIDER_EXECUTION));
}

/* Only a policy that was asked says that a launch is as it should be. */
static enum trust_tier of_configuration(const struct verdict *v)
{
    const struct check *debug = verdict_check(v, name_of(&reason_names, REASON_POLICY_DEBUG));
    if (debug == NULL || debug->result != CHECK_PASS)
        return TIER_NONE;
    return warn_if(TIER_AFFIRMING,
                   lacks(v, MISSING_DEBUG_OFF) || keeps(v, RESIDUAL_MIGRATION_AGENT));
}

static enum trust_tier of_memory(const struct verdict *v)
{
    if (lacks(v, MISSING_DEBUG_OFF))
        return TIER_CONTRAINDICATED;
    return warn_if(of_source(v->hardware),
                   keeps(v, RESIDUAL_MIGRATION_AGENT) || keeps(v, RESIDUAL_PARAVISOR));
}

/* A disk opens after a verdict only as well as that verdict tells what asks for its key. */
static enum trust_tier of_storage(const struct verdict *v)
{
    return lacks(v, MISSING_DISK_ENCRYPTION) ? TIER_NONE : of_executables(v);
}

struct trust_vector verdict_vector(const struct verdict *v)
{
    if (!v->trusted)
        return of_rejection(v);
    struct trust_vector out = {.at = {
                                   [TRUST_INSTANCE_IDENTITY] = of_identity(v),
                                   [TRUST_CONFIGURATION] = of_configuration(v),
                                   [TRUST_EXECUTABLES] = of_executables(v),
                                   [TRUST_HARDWARE] = of_hardware(v),
                                   [TRUST_RUNTIME_OPAQUE] = of_memory(v),
                                   [TRUST_STORAGE_OPAQUE] = of_storage(v),
                               }};
    for (size_t i = 0; i < TRUST_CLAIM_COUNT; i++) {
        out.at[i] = warn_if(out.at[i], lacks(v, MISSING_FRESHNESS));
        if ((v->simulated || v->custom_roots) && out.at[i] != TIER_CONTRAINDICATED)
            out.at[i] = TIER_NONE;
    }
    return out;
}

struct trust_vector trust_vector_against(enum trust_claim claim)
{
    struct trust_vector out = {0};
    out.at[claim] = TIER_CONTRAINDICATED;
    return out;
}

enum trust_tier trust_vector_worst(const struct trust_vector *vector)
{
    enum trust_tier worst = TIER_NONE;
    for (size_t i = 0; i < TRUST_CLAIM_COUNT; i++)
        if (vector->at[i] > worst)
            worst = vector->at[i];
    return worst;
}

json_t *trust_vector_to_json(const struct trust_vector *vector)
{
    json_t *out = json_object();
    for (size_t i = 0; i < TRUST_CLAIM_COUNT; i++)
        json_put_int(out, claim_words[i], (int64_t)vector->at[i]);
    return out;
}

void trust_vector_put(const struct trust_vector *vector, const char *name, struct members *out)
{
    OWNED(members_done) struct members all = {0};
    for (size_t i = 0; i < TRUST_CLAIM_COUNT; i++)
        members_int(&all, claim_words[i], (int64_t)vector->at[i]);
    members_object(out, name, &all);
}

enum outcome trust_vector_from_json(const json_t *json, struct trust_vector *out, struct error *err)
{
    if (json_object_size(json) != TRUST_CLAIM_COUNT)
        return fail(err, ERR_INVALID, "not a vector of %d claims", TRUST_CLAIM_COUNT);
    for (size_t i = 0; i < TRUST_CLAIM_COUNT; i++) {
        int64_t tier;
        TRY(json_get_int(json, "", claim_words[i], 0, TIER_CONTRAINDICATED, &tier, err));
        if (tier != TIER_NONE && tier != TIER_AFFIRMING && tier != TIER_WARNING &&
            tier != TIER_CONTRAINDICATED)
            return fail(err, ERR_INVALID, "no tier %lld", (long long)tier);
        out->at[i] = (enum trust_tier)tier;
    }
    return OK;
}
