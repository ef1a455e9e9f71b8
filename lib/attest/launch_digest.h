/* The launch digest that a guest's reports will show, worked out from what is put into its memory
 * (SEV-SNP firmware ABI, AMD 56860, SNP_LAUNCH_UPDATE): so that a reference value need not be
 * taken from anybody. Pure; the cost is one SHA-384 of every page of firmware and one of 112 bytes
 * for every other page and vCPU. */
#ifndef MUSTER_ATTEST_LAUNCH_DIGEST_H
#define MUSTER_ATTEST_LAUNCH_DIGEST_H

#include "lib/attest/vmsa.h"
#include "lib/crypto/digest.h"

enum { LAUNCH_DIGEST_SIZE = SHA384_SIZE, LAUNCH_VCPUS_MAX = 1024 };

/* SHA-256 of what direct boot loads. */
struct kernel_hashes {
    uint8_t kernel[SHA256_SIZE];
    uint8_t initrd[SHA256_SIZE];  /* of nothing where there is none */
    uint8_t command[SHA256_SIZE]; /* of the command line with its NUL; of one NUL without */
};

struct launch {
    struct span ovmf;
    struct span svsm;        /* empty: none */
    uint64_t ovmf_vars_size; /* with an SVSM: what lies between it and the OVMF */
    enum vmm vmm;
    int vcpus;      /* 1 to LAUNCH_VCPUS_MAX */
    uint32_t cpuid; /* vmsa.h */
    uint64_t guest_features;
    uint64_t ec2_rdx;
    const struct kernel_hashes *kernel; /* NULL: no direct boot */
    const uint8_t *ovmf_digest; /* LAUNCH_DIGEST_SIZE: instead of hashing the OVMF's pages */
};

struct launch_result {
    uint8_t digest[LAUNCH_DIGEST_SIZE];
    uint8_t ovmf_digest[LAUNCH_DIGEST_SIZE]; /* after the OVMF's pages alone */
};

/* ERR_DENIED: "malformed" (firmware or SVSM), "no-kernel-hashes-section" (direct boot with a
 * firmware that measures no kernel). */
enum outcome launch_digest(const struct launch *launch, struct launch_result *out,
                           struct error *err);

/* `command` is NULL where there is none. */
void kernel_hashes_of(struct span kernel, struct span initrd, const char *command,
                      struct kernel_hashes *out);

#endif
