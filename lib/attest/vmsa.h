/* The state a vCPU starts in, as the page (VMSA) that the launch digest covers: AMD APM volume 2,
 * table B-4, with the values of each hypervisor (facts from sev-snp-measure's tests and from
 * genuine reports). */
#ifndef MUSTER_ATTEST_VMSA_H
#define MUSTER_ATTEST_VMSA_H

#include "lib/base/bytes.h"
#include "lib/base/names.h"

enum vmm { VMM_QEMU, VMM_EC2, VMM_GCE, VMM_COUNT };
extern const struct names vmm_names; /* "qemu", "ec2", "gce" */

enum { VMSA_SIZE = 4096, VMSA_BSP_EIP = 0xfffffff0 };
enum { VMSA_EC2_RDX = 0x600 }; /* since May 2026; 0 before */

struct vmsa {
    enum vmm vmm;
    bool svsm;             /* starts in 32-bit protected mode, at an SVSM's entry point */
    uint32_t eip;          /* VMSA_BSP_EIP for the first vCPU under OVMF */
    uint64_t sev_features; /* 0x1: SNP; 0x21: with debug swap */
    uint32_t cpuid;        /* CPUID Fn0000_0001 EAX; used under QEMU */
    uint64_t ec2_rdx;      /* used under EC2 */
};

void vmsa_fill(const struct vmsa *state, uint8_t out[static VMSA_SIZE]);

/* CPUID Fn0000_0001 EAX of a QEMU CPU model ("EPYC-Milan", with or without "-v2"). */
enum outcome vmsa_cpuid_of(const char *model, uint32_t *out, struct error *err);

#endif
