/* Firmware images for confidential guests, OVMF and SVSM: the table of GUIDed structures that ends
 * 32 bytes before the end of the file (EDK II, ResetVectorVtf0.asm), and the SEV metadata it points
 * to, which says what a hypervisor must put into memory before the launch digest is closed.
 * Nothing in a file is believed: every offset is checked against its length. */
#ifndef MUSTER_ATTEST_FIRMWARE_H
#define MUSTER_ATTEST_FIRMWARE_H

#include "lib/base/bytes.h"

enum {
    FIRMWARE_SIZE_MAX = 64 * 1024 * 1024,
    FIRMWARE_SECTIONS_MAX = 64,
    /* Of all sections; each page costs a hash, and genuine files name a few hundred KiB. */
    FIRMWARE_SECTION_BYTES_MAX = 256 * 1024 * 1024,
    FIRMWARE_PAGE_SIZE = 4096,
};

/* The numbers are the file's own. */
enum firmware_section_kind {
    SECTION_SEC_MEMORY = 1,
    SECTION_SECRETS = 2,
    SECTION_CPUID = 3,
    SECTION_SVSM_CAA = 4,
    SECTION_KERNEL_HASHES = 0x10,
};

struct firmware_section {
    uint32_t gpa; /* guest physical address, of a whole page */
    uint32_t size;
    enum firmware_section_kind kind;
};

struct firmware {
    struct span image; /* borrowed */
    uint64_t gpa;      /* where its first byte lies */
    size_t section_count;
    struct firmware_section sections[FIRMWARE_SECTIONS_MAX]; /* in the file's order */
    bool has_hash_table;
    uint32_t hash_table_gpa; /* where the hashes of kernel, initrd and command line go */
    bool has_reset_block;
    uint32_t reset_eip; /* where every vCPU but the first starts */
    bool has_svsm_info;
    uint32_t svsm_entry; /* offset of an SVSM's entry point from the start of its image */
};

/* `end` is the guest physical address just behind the image: 4 GiB for an OVMF. Refuses what is not
 * whole pages, has no table of structures, or says something twice or beyond itself: ERR_DENIED
 * "malformed". */
enum outcome firmware_parse(struct span image, uint64_t end, struct firmware *out,
                            struct error *err);

bool firmware_has(const struct firmware *firmware, enum firmware_section_kind kind);

#endif
