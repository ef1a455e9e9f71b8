#include "lib/attest/launch_digest.h"

#include <string.h>

#include "lib/attest/firmware.h"

/* ---- one page at a time ------------------------------------------------------------------- */

enum page_kind {
    PAGE_NORMAL = 1,
    PAGE_VMSA = 2,
    PAGE_ZERO = 3,
    PAGE_UNMEASURED = 4,
    PAGE_SECRETS = 5,
    PAGE_CPUID = 6,
};

enum { PAGE = FIRMWARE_PAGE_SIZE, PAGE_INFO_SIZE = 0x70 };

static const uint64_t four_gib = UINT64_C(1) << 32;
static const uint64_t vmsa_gpa = UINT64_C(0xfffffffff000);

/* PAGE_INFO: digest so far, digest of the content, length, kind, permissions, address. */
static void extend(uint8_t ld[static LAUNCH_DIGEST_SIZE], enum page_kind kind, uint64_t gpa,
                   const uint8_t *content)
{
    uint8_t info[PAGE_INFO_SIZE] = {0};
    memcpy(info, ld, LAUNCH_DIGEST_SIZE);
    if (content != NULL)
        memcpy(info + 0x30, content, LAUNCH_DIGEST_SIZE);
    info[0x60] = PAGE_INFO_SIZE;
    info[0x62] = (uint8_t)kind;
    for (size_t i = 0; i < sizeof gpa; i++)
        info[0x68 + i] = (uint8_t)(gpa >> 8 * i);
    digest(DIGEST_SHA384, SPAN_OF(info), ld);
}

static void extend_content(uint8_t *ld, enum page_kind kind, uint64_t gpa, struct span page)
{
    uint8_t content[SHA384_SIZE];
    digest(DIGEST_SHA384, page, content);
    extend(ld, kind, gpa, content);
}

static void extend_image(uint8_t *ld, const struct firmware *firmware)
{
    for (size_t at = 0; at < firmware->image.len; at += PAGE)
        extend_content(ld, PAGE_NORMAL, firmware->gpa + at, span_part(firmware->image, at, PAGE));
}

static void extend_empty(uint8_t *ld, enum page_kind kind, const struct firmware_section *section)
{
    for (uint64_t at = 0; at < section->size; at += PAGE)
        extend(ld, kind, section->gpa + at, NULL);
}

/* ---- the hashes of kernel, initrd and command line ----------------------------------------- */

void kernel_hashes_of(struct span kernel, struct span initrd, const char *command,
                      struct kernel_hashes *out)
{
    const char *line = command != NULL ? command : "";
    digest(DIGEST_SHA256, kernel, out->kernel);
    digest(DIGEST_SHA256, initrd, out->initrd);
    digest(DIGEST_SHA256, SPAN(line, strlen(line) + 1), out->command);
}

enum { TABLE_SIZE = 168, TABLE_PADDED = 176, TABLE_ENTRY = 50, GUID_BYTES = 16 };

/* clang-format off */
static const uint8_t table_guid[GUID_BYTES] = /* 9438d606-4f22-4cc9-b479-a793d411fd21 */
    {0x06, 0xd6, 0x38, 0x94, 0x22, 0x4f, 0xc9, 0x4c, 0xb4, 0x79, 0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21};
static const uint8_t command_guid[GUID_BYTES] = /* 97d02dd8-bd20-4c94-aa78-e7714d36ab2a */
    {0xd8, 0x2d, 0xd0, 0x97, 0x20, 0xbd, 0x94, 0x4c, 0xaa, 0x78, 0xe7, 0x71, 0x4d, 0x36, 0xab, 0x2a};
static const uint8_t initrd_guid[GUID_BYTES] = /* 44baf731-3a2f-4bd7-9af1-41e29169781d */
    {0x31, 0xf7, 0xba, 0x44, 0x2f, 0x3a, 0xd7, 0x4b, 0x9a, 0xf1, 0x41, 0xe2, 0x91, 0x69, 0x78, 0x1d};
static const uint8_t kernel_guid[GUID_BYTES] = /* 4de79437-abd2-427f-b835-d5b172d2045b */
    {0x37, 0x94, 0xe7, 0x4d, 0xd2, 0xab, 0x7f, 0x42, 0xb8, 0x35, 0xd5, 0xb1, 0x72, 0xd2, 0x04, 0x5b};
/* clang-format on */

static void put_head(uint8_t **at, const uint8_t *guid, uint16_t size)
{
    memcpy(*at, guid, GUID_BYTES);
    (*at)[GUID_BYTES] = (uint8_t)size;
    (*at)[GUID_BYTES + 1] = (uint8_t)(size >> 8);
    *at += GUID_BYTES + 2;
}

static void put_hash(uint8_t **at, const uint8_t *guid, const uint8_t *hash)
{
    put_head(at, guid, TABLE_ENTRY);
    memcpy(*at, hash, SHA256_SIZE);
    *at += SHA256_SIZE;
}

static enum outcome extend_hashes(uint8_t *ld, const struct firmware *firmware,
                                  const struct firmware_section *section,
                                  const struct kernel_hashes *hashes, struct error *err)
{
    uint8_t page[PAGE] = {0};
    const size_t offset = firmware->hash_table_gpa % PAGE;
    if (!firmware->has_hash_table || section->size != PAGE || offset + TABLE_PADDED > PAGE)
        return fail_code(err, ERR_DENIED, "malformed", "no place for the hashes of a kernel");
    uint8_t *at = page + offset;
    put_head(&at, table_guid, TABLE_SIZE);
    put_hash(&at, command_guid, hashes->command);
    put_hash(&at, initrd_guid, hashes->initrd);
    put_hash(&at, kernel_guid, hashes->kernel);
    extend_content(ld, PAGE_NORMAL, section->gpa, SPAN_OF(page));
    return OK;
}

/* ---- what the metadata asks for ------------------------------------------------------------ */

static enum outcome extend_section(uint8_t *ld, const struct launch *launch,
                                   const struct firmware *firmware,
                                   const struct firmware_section *section, struct error *err)
{
    switch (section->kind) {
    case SECTION_SEC_MEMORY:
        extend_empty(ld, launch->vmm == VMM_GCE ? PAGE_UNMEASURED : PAGE_ZERO, section);
        return OK;
    case SECTION_SVSM_CAA:
        extend_empty(ld, PAGE_ZERO, section);
        return OK;
    case SECTION_SECRETS:
        extend(ld, PAGE_SECRETS, section->gpa, NULL);
        return OK;
    case SECTION_CPUID:
        if (launch->vmm != VMM_EC2) /* there it comes last */
            extend(ld, PAGE_CPUID, section->gpa, NULL);
        return OK;
    case SECTION_KERNEL_HASHES:
        if (launch->kernel != NULL)
            return extend_hashes(ld, firmware, section, launch->kernel, err);
        extend_empty(ld, PAGE_ZERO, section);
        return OK;
    }
    return fail(err, ERR_INTERNAL, "a section of kind %d", (int)section->kind);
}

static enum outcome extend_sections(uint8_t *ld, const struct launch *launch,
                                    const struct firmware *firmware, struct error *err)
{
    for (size_t i = 0; i < firmware->section_count; i++)
        TRY(extend_section(ld, launch, firmware, &firmware->sections[i], err));
    for (size_t i = 0; launch->vmm == VMM_EC2 && i < firmware->section_count; i++)
        if (firmware->sections[i].kind == SECTION_CPUID)
            extend(ld, PAGE_CPUID, firmware->sections[i].gpa, NULL);
    return OK;
}

/* ---- vCPUs -------------------------------------------------------------------------------- */

static void extend_vcpus(uint8_t *ld, const struct launch *launch, bool svsm, uint32_t first,
                         uint32_t other)
{
    uint8_t page[VMSA_SIZE];
    uint8_t content[SHA384_SIZE];
    struct vmsa state = {
        .vmm = launch->vmm,
        .svsm = svsm,
        .eip = first,
        .sev_features = launch->guest_features,
        .cpuid = launch->cpuid,
        .ec2_rdx = launch->ec2_rdx,
    };
    vmsa_fill(&state, page);
    extend_content(ld, PAGE_VMSA, vmsa_gpa, SPAN_OF(page));
    state.eip = other;
    vmsa_fill(&state, page);
    digest(DIGEST_SHA384, SPAN_OF(page), content);
    for (int i = 1; i < launch->vcpus; i++)
        extend(ld, PAGE_VMSA, vmsa_gpa, content);
}

static enum outcome finish_with_ovmf(uint8_t *ld, const struct launch *launch,
                                     const struct firmware *ovmf, struct error *err)
{
    if (launch->kernel != NULL && !firmware_has(ovmf, SECTION_KERNEL_HASHES))
        return fail_code(err, ERR_DENIED, "no-kernel-hashes-section",
                         "the firmware has no section for the hashes of a kernel");
    if (!ovmf->has_reset_block && launch->vcpus > 1)
        return fail_code(err, ERR_DENIED, "malformed",
                         "the firmware does not say where further vCPUs start");
    TRY(extend_sections(ld, launch, ovmf, err));
    extend_vcpus(ld, launch, false, VMSA_BSP_EIP, ovmf->reset_eip);
    return OK;
}

/* An SVSM lies below the OVMF and its variables, and it is the SVSM's metadata that counts. */
static enum outcome finish_with_svsm(uint8_t *ld, const struct launch *launch,
                                     const struct firmware *ovmf, struct error *err)
{
    struct firmware svsm;
    if (launch->ovmf_vars_size > ovmf->gpa || launch->ovmf_vars_size % PAGE != 0)
        return fail_code(err, ERR_DENIED, "malformed", "no room for variables below the firmware");
    if (firmware_parse(launch->svsm, ovmf->gpa - launch->ovmf_vars_size, &svsm, err) != OK)
        return error_context(err, "SVSM");
    if (!svsm.has_svsm_info || svsm.gpa + svsm.svsm_entry > UINT32_MAX)
        return fail_code(err, ERR_DENIED, "malformed", "the SVSM does not say where it starts");
    extend_image(ld, &svsm);
    TRY(extend_sections(ld, launch, &svsm, err));
    const uint32_t entry = (uint32_t)(svsm.gpa + svsm.svsm_entry);
    extend_vcpus(ld, launch, true, entry, entry);
    return OK;
}

enum outcome launch_digest(const struct launch *launch, struct launch_result *out,
                           struct error *err)
{
    struct firmware ovmf;
    uint8_t ld[LAUNCH_DIGEST_SIZE] = {0};
    if (launch->vcpus < 1 || launch->vcpus > LAUNCH_VCPUS_MAX)
        return fail(err, ERR_INVALID, "%d vCPUs", launch->vcpus);
    TRY(firmware_parse(launch->ovmf, four_gib, &ovmf, err));
    if (launch->ovmf_digest != NULL)
        memcpy(ld, launch->ovmf_digest, sizeof ld);
    else
        extend_image(ld, &ovmf);
    memcpy(out->ovmf_digest, ld, sizeof ld);
    TRY(launch->svsm.len > 0 ? finish_with_svsm(ld, launch, &ovmf, err)
                             : finish_with_ovmf(ld, launch, &ovmf, err));
    memcpy(out->digest, ld, sizeof ld);
    return OK;
}
