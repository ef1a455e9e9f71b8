#include "emulator/psp_report.h"

#include <string.h>

enum { MEASUREMENT_AT = 0x90, VERSION_FIRMWARE_MAJOR = 1, VERSION_FIRMWARE_MINOR = 55 };

/* clang-format off */
static const struct {
    uint8_t family, model, stepping;
} cpuids[] = {
    [PRODUCT_UNKNOWN] = {0, 0, 0},
    [PRODUCT_MILAN]   = {0x19, 0x01, 1},
    [PRODUCT_GENOA]   = {0x19, 0x11, 1},
    [PRODUCT_SIENA]   = {0x19, 0xa0, 2},
    [PRODUCT_TURIN]   = {0x1a, 0x02, 1},
};
/* clang-format on */
_Static_assert(countof(cpuids) == PRODUCT_COUNT);

struct psp_wish psp_wish(enum psp_flavour flavour)
{
    return (struct psp_wish){
        .flavour = flavour,
        .product = PRODUCT_MILAN,
        .version = 3,
        .policy = SNP_POLICY_SMT | SNP_POLICY_MUST_BE_ONE,
        .platform_info = 0x25, /* threads, ECC, alias check complete, as on real Milan hosts */
        .tcb = {.part = {[TCB_BL] = 4, [TCB_SNP] = 27, [TCB_UCODE] = 222}},
    };
}

enum snp_signer psp_signer(const struct psp_wish *wish)
{
    return wish->flavour == PSP_FIRMWARE_ONLY ? SIGNER_VLEK : SIGNER_VCEK;
}

uint64_t psp_tcb(const struct psp_wish *wish)
{
    struct snp_tcb tcb = wish->tcb;
    if (wish->tamper == PSP_OLD_TCB && tcb.part[TCB_SNP] > 0)
        tcb.part[TCB_SNP]--;
    return snp_tcb_join(&tcb, snp_product_line(wish->product));
}

static uint64_t tcb_above(const struct psp_wish *wish, int versions)
{
    const enum snp_line line = snp_product_line(wish->product);
    struct snp_tcb tcb = snp_tcb_split(psp_tcb(wish), line);
    tcb.part[TCB_SNP] = (uint8_t)(tcb.part[TCB_SNP] + versions);
    return snp_tcb_join(&tcb, line);
}

void psp_chip_id(const struct psp_wish *wish, uint8_t out[static SNP_CHIP_ID_SIZE])
{
    memset(out, 0, SNP_CHIP_ID_SIZE);
    if (wish->flavour == PSP_DIRECT_BOOT)
        memcpy(out, wish->chip_id, wish->product == PRODUCT_TURIN ? 8 : SNP_CHIP_ID_SIZE);
}

static void add_u64le(struct bytes *out, uint64_t v)
{
    bytes_add_u32le(out, (uint32_t)v);
    bytes_add_u32le(out, (uint32_t)(v >> 32));
}

static void add_head(const struct psp_wish *wish, struct bytes *out)
{
    const bool debug = wish->tamper == PSP_DEBUG_POLICY;
    bytes_add_u32le(out, wish->version);
    bytes_add_u32le(out, wish->guest_svn);
    add_u64le(out, wish->policy | (debug ? SNP_POLICY_DEBUG : 0));
    bytes_add_room(out, 32); /* family and image id */
    bytes_add_u32le(out, wish->vmpl);
    bytes_add_u32le(out, SNP_ALGORITHM_ECDSA_P384);
    add_u64le(out, tcb_above(wish, wish->coming + wish->provisional)); /* current */
    add_u64le(out, wish->platform_info);
    bytes_add_u32le(out, (uint32_t)psp_signer(wish) << 2);
    bytes_add_room(out, 4);
    bytes_add(out, SPAN_OF(wish->report_data));
}

static void add_identity(const struct psp_wish *wish, struct bytes *out)
{
    uint8_t measurement[SNP_MEASUREMENT_SIZE];
    uint8_t no_agent[32];
    memcpy(measurement, wish->measurement, sizeof measurement);
    memset(no_agent, 0xff, sizeof no_agent);
    if (wish->tamper == PSP_WRONG_MEASUREMENT)
        measurement[0] ^= 0xff;
    bytes_add(out, SPAN_OF(measurement));
    if (wish->flavour == PSP_DIRECT_BOOT)
        bytes_add(out, SPAN_OF(wish->host_data));
    else
        bytes_add_room(out, SNP_HOST_DATA_SIZE);
    bytes_add(out, SPAN_OF(wish->id_key_digest));
    bytes_add_room(out, 48); /* author key digest */
    bytes_add(out, SPAN_OF(wish->report_id));
    bytes_add(out, SPAN_OF(no_agent));
}

static void add_cpuid(const struct psp_wish *wish, struct bytes *out)
{
    const bool told = wish->version >= 3;
    bytes_add_u8(out, told ? cpuids[wish->product].family : 0);
    bytes_add_u8(out, told ? cpuids[wish->product].model : 0);
    bytes_add_u8(out, told ? cpuids[wish->product].stepping : 0);
    bytes_add_room(out, 21);
}

static void add_firmware(struct bytes *out)
{
    bytes_add_u8(out, 29);
    bytes_add_u8(out, VERSION_FIRMWARE_MINOR);
    bytes_add_u8(out, VERSION_FIRMWARE_MAJOR);
    bytes_add_u8(out, 0);
}

void psp_report_body(const struct psp_wish *wish, struct bytes *out)
{
    uint8_t chip_id[SNP_CHIP_ID_SIZE];
    psp_chip_id(wish, chip_id);
    add_head(wish, out);
    add_identity(wish, out);
    add_u64le(out, psp_tcb(wish)); /* reported */
    add_cpuid(wish, out);
    bytes_add(out, SPAN_OF(chip_id));
    add_u64le(out, tcb_above(wish, wish->coming)); /* committed */
    add_firmware(out);
    add_firmware(out);
    add_u64le(out, psp_tcb(wish)); /* at launch */
    add_u64le(out, wish->launch_mit_vector);
    add_u64le(out, wish->current_mit_vector);
    bytes_add_room(out, SNP_SIGNED_SIZE - out->len);
}

static void add_number(struct span big_endian, struct bytes *out)
{
    for (size_t i = big_endian.len; i > 0; i--)
        bytes_add_u8(out, big_endian.at[i - 1]);
    bytes_add_room(out, 72 - big_endian.len);
}

void psp_report_finish(const struct psp_wish *wish, struct span signature, struct bytes *out)
{
    add_number(span_part(signature, 0, 48), out);
    add_number(span_part(signature, 48, 48), out);
    bytes_add_room(out, SNP_REPORT_SIZE - out->len);
    if (wish->tamper == PSP_ALTER_MEASUREMENT)
        out->at[MEASUREMENT_AT] ^= 1;
}
