#include "lib/attest/launch_reference.h"

#include <string.h>

/* clang-format off */
const struct ec2_size ec2_sizes[] = {
    {"m6a.large", 2}, {"m6a.xlarge", 4}, {"m6a.2xlarge", 8}, {"m6a.4xlarge", 16},
    {"m6a.8xlarge", 32},
    {"c6a.large", 2}, {"c6a.xlarge", 4}, {"c6a.2xlarge", 8}, {"c6a.4xlarge", 16},
    {"c6a.8xlarge", 32}, {"c6a.12xlarge", 48}, {"c6a.16xlarge", 64},
    {"r6a.large", 2}, {"r6a.xlarge", 4}, {"r6a.2xlarge", 8}, {"r6a.4xlarge", 16},
};
_Static_assert(countof(ec2_sizes) == EC2_SIZE_COUNT);
/* clang-format on */

const struct ec2_size *ec2_size_find(const char *name)
{
    for (size_t i = 0; i < EC2_SIZE_COUNT; i++)
        if (strcmp(ec2_sizes[i].name, name) == 0)
            return &ec2_sizes[i];
    return NULL;
}

static bool has(const struct reference_values *values, const uint8_t *digest)
{
    for (size_t i = 0; i < values->count; i++)
        if (memcmp(values->at[i].digest, digest, LAUNCH_DIGEST_SIZE) == 0)
            return true;
    return false;
}

static enum outcome add_one(const struct launch *launch, struct reference_values *out,
                            uint8_t ovmf_digest[static LAUNCH_DIGEST_SIZE], struct error *err)
{
    struct launch_result result;
    TRY(launch_digest(launch, &result, err));
    memcpy(ovmf_digest, result.ovmf_digest, LAUNCH_DIGEST_SIZE);
    if (has(out, result.digest))
        return OK; /* two models of one signature, or a file twice */
    if (out->count == REFERENCE_VALUES_MAX)
        return fail_code(err, ERR_INVALID, "too-many-values",
                         "more than %d values: make references for fewer sizes or hosts",
                         REFERENCE_VALUES_MAX);
    struct reference_value *value = &out->at[out->count++];
    *value = (struct reference_value){.vcpus = launch->vcpus,
                                      .cpuid = launch->cpuid,
                                      .guest_features = launch->guest_features,
                                      .ec2_rdx = launch->ec2_rdx};
    memcpy(value->digest, result.digest, sizeof value->digest);
    return OK;
}

enum outcome reference_values_add(const struct reference_wish *wish, struct reference_values *out,
                                  struct error *err)
{
    static const uint64_t rdx[] = {VMSA_EC2_RDX, 0};
    uint8_t ovmf_digest[LAUNCH_DIGEST_SIZE];
    struct launch launch = wish->launch;
    const size_t cpuids = launch.vmm == VMM_QEMU ? wish->cpuid_count : 1;
    const size_t states = launch.vmm == VMM_EC2 ? countof(rdx) : 1;
    for (size_t i = 0; i < wish->vcpu_count * cpuids * wish->feature_count * states; i++) {
        size_t left = i;
        launch.ec2_rdx = rdx[left % states];
        left /= states;
        launch.guest_features = wish->features[left % wish->feature_count];
        left /= wish->feature_count;
        launch.cpuid = launch.vmm == VMM_QEMU ? wish->cpuids[left % cpuids] : 0;
        left /= cpuids;
        launch.vcpus = wish->vcpus[left];
        TRY(add_one(&launch, out, ovmf_digest, err));
        launch.ovmf_digest = ovmf_digest;
    }
    return OK;
}
