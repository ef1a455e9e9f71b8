#include "lib/attest/vmsa.h"

#include <string.h>

static const char *const vmm_words[] = {"qemu", "ec2", "gce"};
_Static_assert(countof(vmm_words) == VMM_COUNT);
const struct names vmm_names = NAMES("hypervisor", vmm_words);

/* ---- segments ----------------------------------------------------------------------------- */

struct segment {
    uint16_t selector, attributes;
    uint32_t limit, base;
};

enum {
    AT_ES = 0x000,
    AT_CS = 0x010,
    AT_SS = 0x020,
    AT_DS = 0x030,
    AT_FS = 0x040,
    AT_GS = 0x050,
    AT_GDTR = 0x060,
    AT_LDTR = 0x070,
    AT_IDTR = 0x080,
    AT_TR = 0x090,
};

struct segment_row {
    size_t at;
    struct segment value;
};

/* Real mode, and what 32-bit protected mode has otherwise. CS is the caller's. */
/* clang-format off */
static const struct segment_row real_mode[] = {
    {AT_ES, {0, 0x93, 0xffff, 0}}, {AT_SS, {0, 0x93, 0xffff, 0}}, {AT_DS, {0, 0x93, 0xffff, 0}},
    {AT_FS, {0, 0x93, 0xffff, 0}}, {AT_GS, {0, 0x93, 0xffff, 0}}, {AT_GDTR, {0, 0, 0xffff, 0}},
    {AT_IDTR, {0, 0, 0xffff, 0}}, {AT_LDTR, {0, 0x82, 0xffff, 0}}, {AT_TR, {0, 0x8b, 0xffff, 0}},
};
static const struct segment_row protected_mode[] = {
    {AT_ES, {16, 0xc93, 0xffffffff, 0}}, {AT_SS, {16, 0xc93, 0xffffffff, 0}},
    {AT_DS, {16, 0xc93, 0xffffffff, 0}}, {AT_FS, {16, 0xc93, 0xffffffff, 0}},
};
/* clang-format on */

static void put_le(uint8_t *page, size_t at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        page[at + i] = (uint8_t)(value >> 8 * i);
}

static void put_segment(uint8_t *page, size_t at, struct segment segment)
{
    put_le(page, at, segment.selector, 2);
    put_le(page, at + 2, segment.attributes, 2);
    put_le(page, at + 4, segment.limit, 4);
    put_le(page, at + 8, segment.base, 8);
}

static void put_segments(uint8_t *page, const struct segment_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_segment(page, rows[i].at, rows[i].value);
}

/* ---- what the hypervisors do differently --------------------------------------------------- */

/* clang-format off */
static const struct hypervisor {
    uint16_t cs_first, cs_other, ss, tr; /* attributes */
    uint64_t g_pat;
    uint32_t mxcsr;
    uint16_t fcw;
} hypervisors[VMM_COUNT] = {
    [VMM_QEMU] = {0x9b, 0x9b, 0x93, 0x8b, UINT64_C(0x0007040600070406), 0x1f80, 0x37f},
    [VMM_EC2]  = {0x9a, 0x9b, 0x92, 0x83, UINT64_C(0x0007040600070406), 0, 0},
    [VMM_GCE]  = {0x9b, 0x9b, 0x93, 0x8b, UINT64_C(0x00070106), 0, 0},
};
/* clang-format on */

enum { GCE_RDX = 0x600, REAL_CS = 0xf000, PROTECTED_CS = 8, CR0_REAL = 0x10, CR0_PROTECTED = 0x11 };

static uint64_t rdx_of(const struct vmsa *state)
{
    switch (state->vmm) {
    case VMM_QEMU:
        return state->cpuid;
    case VMM_EC2:
        return state->ec2_rdx;
    case VMM_GCE:
        return GCE_RDX;
    case VMM_COUNT:
        break;
    }
    return 0;
}

static void put_mode(const struct vmsa *state, const struct hypervisor *h, uint8_t *page)
{
    const uint32_t eip = state->eip;
    put_segments(page, real_mode, countof(real_mode));
    if (state->svsm) {
        put_segments(page, protected_mode, countof(protected_mode));
        put_segment(page, AT_CS, (struct segment){PROTECTED_CS, 0xc9b, 0xffffffff, 0});
    } else {
        const uint16_t cs = eip == VMSA_BSP_EIP ? h->cs_first : h->cs_other;
        put_segment(page, AT_CS, (struct segment){REAL_CS, cs, 0xffff, eip & 0xffff0000});
        put_le(page, AT_SS + 2, h->ss, 2);
        put_le(page, AT_TR + 2, h->tr, 2);
    }
    put_le(page, 0x158, state->svsm ? CR0_PROTECTED : CR0_REAL, 8);
    put_le(page, 0x178, state->svsm ? eip : eip & 0xffff, 8); /* RIP */
}

void vmsa_fill(const struct vmsa *state, uint8_t out[static VMSA_SIZE])
{
    const struct hypervisor *h = &hypervisors[state->vmm];
    memset(out, 0, VMSA_SIZE);
    put_mode(state, h, out);
    put_le(out, 0x0d0, 0x1000, 8);     /* EFER: SVME */
    put_le(out, 0x148, 0x40, 8);       /* CR4: MCE */
    put_le(out, 0x160, 0x400, 8);      /* DR7 */
    put_le(out, 0x168, 0xffff0ff0, 8); /* DR6 */
    put_le(out, 0x170, 0x2, 8);        /* RFLAGS */
    put_le(out, 0x268, h->g_pat, 8);
    put_le(out, 0x310, rdx_of(state), 8);
    put_le(out, 0x3b0, state->sev_features, 8);
    put_le(out, 0x3e8, 0x1, 8); /* XCR0 */
    put_le(out, 0x408, h->mxcsr, 4);
    put_le(out, 0x410, state->svsm ? 0 : h->fcw, 2); /* so real launches under an SVSM show */
}

/* ---- CPU models --------------------------------------------------------------------------- */

/* QEMU's names; their versions differ in features, not in the signature. */
/* clang-format off */
static const struct {
    const char *name;
    uint32_t cpuid;
} models[] = {
    {"EPYC", 0x800f12}, {"EPYC-Rome", 0x830f10}, {"EPYC-Milan", 0xa00f11},
    {"EPYC-Genoa", 0xa10f10}, {"EPYC-Turin", 0xb00f00},
};
/* clang-format on */

/* "-v" and a number, or "-IBPB", or nothing. */
static bool is_version(const char *tail)
{
    if (tail[0] == '\0' || strcmp(tail, "-IBPB") == 0)
        return true;
    return strncmp(tail, "-v", 2) == 0 && tail[2] >= '1' && tail[2] <= '9' && tail[3] == '\0';
}

enum outcome vmsa_cpuid_of(const char *model, uint32_t *out, struct error *err)
{
    for (size_t i = 0; i < countof(models); i++) {
        const size_t len = strlen(models[i].name);
        if (strncmp(model, models[i].name, len) == 0 && is_version(model + len)) {
            *out = models[i].cpuid;
            return OK;
        }
    }
    return fail(err, ERR_INVALID, "no signature is known of a vCPU '%.40s'; give --vcpu-sig",
                model);
}
