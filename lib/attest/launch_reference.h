/* Every launch digest that an image may show: one firmware under every size, host and hypervisor
 * state that it may meet, so that a charter's reference follows from files and from nobody's word.
 * Pure. */
#ifndef MUSTER_ATTEST_LAUNCH_REFERENCE_H
#define MUSTER_ATTEST_LAUNCH_REFERENCE_H

#include "lib/attest/launch_digest.h"

enum {
    REFERENCE_LIST_MAX = 16,
    REFERENCE_VALUES_MAX = 64, /* a policy takes no more */
};

/* The values of each list are combined. */
struct reference_wish {
    struct launch
        launch; /* what is the same in all; its vcpus, cpuid, features and RDX do not count */
    size_t vcpu_count;
    int vcpus[REFERENCE_LIST_MAX];
    size_t cpuid_count; /* of QEMU hosts; others have none */
    uint32_t cpuids[REFERENCE_LIST_MAX];
    size_t feature_count;
    uint64_t features[REFERENCE_LIST_MAX];
};

struct reference_value {
    int vcpus;
    uint32_t cpuid;
    uint64_t guest_features;
    uint64_t ec2_rdx;
    uint8_t digest[LAUNCH_DIGEST_SIZE];
};

struct reference_values {
    size_t count;
    struct reference_value at[REFERENCE_VALUES_MAX];
};

/* Adds to what `out` holds; the firmware's pages are hashed once. On EC2 both states of RDX are
 * taken: hosts from before May 2026 start with another one. ERR_DENIED as launch_digest;
 * ERR_INVALID "too-many-values". */
enum outcome reference_values_add(const struct reference_wish *wish, struct reference_values *out,
                                  struct error *err);

/* The sizes of EC2 that run SEV-SNP (R158). */
struct ec2_size {
    const char *name;
    int vcpus;
};
enum { EC2_SIZE_COUNT = 16 };
extern const struct ec2_size ec2_sizes[EC2_SIZE_COUNT];

const struct ec2_size *ec2_size_find(const char *name); /* NULL: runs no SEV-SNP */

#endif
