#include "lib/attest/firmware.h"

#include <string.h>

/* The last 32 bytes are the reset vector's; the table ends before them. */
enum { BEHIND_TABLE = 32, GUID_BYTES = 16, ENTRY_HEAD = 2 + GUID_BYTES, METADATA_HEAD = 16 };
enum { SECTION_ENTRY = 12, METADATA_VERSION = 1 };

/* GUIDs are mixed-endian here: these are the bytes as they stand in the file. */
/* clang-format off */
static const uint8_t footer_guid[GUID_BYTES] = /* 96b582de-1fb2-45f7-baea-a366c55a082d */
    {0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45, 0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d};

enum known { KNOWN_HASH_TABLE, KNOWN_RESET_BLOCK, KNOWN_METADATA, KNOWN_SVSM_INFO, KNOWN_COUNT };

static const struct {
    const char *name;
    size_t least; /* bytes of data that must be there */
    uint8_t guid[GUID_BYTES];
} known[KNOWN_COUNT] = {
    [KNOWN_HASH_TABLE] = {"hash table", 8, /* 7255371f-3a3b-4b04-927b-1da6efa8d454 */
        {0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b, 0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54}},
    [KNOWN_RESET_BLOCK] = {"reset block", 4, /* 00f771de-1a7e-4fcb-890e-68c77e2fb44e */
        {0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f, 0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e}},
    [KNOWN_METADATA] = {"SEV metadata", 4, /* dc886566-984a-4798-a75e-5585a7bf67cc */
        {0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98, 0x98, 0x47, 0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc}},
    [KNOWN_SVSM_INFO] = {"SVSM info", 4, /* a789a612-0597-4c4b-a49f-cbb1fe9d1ddd */
        {0x12, 0xa6, 0x89, 0xa7, 0x97, 0x05, 0x4b, 0x4c, 0xa4, 0x9f, 0xcb, 0xb1, 0xfe, 0x9d, 0x1d, 0xdd}},
};
/* clang-format on */

#define malformed(err, ...) fail_code((err), ERR_DENIED, "malformed", __VA_ARGS__)

/* ---- the table of structures, read backwards ---------------------------------------------- */

/* {data, u16 size, guid} where size counts all three. */
struct entry {
    struct span data;
    const uint8_t *guid;
    size_t size;
};

static enum outcome last_entry(struct span table, struct entry *out, struct error *err)
{
    if (table.len < ENTRY_HEAD)
        return malformed(err, "%zu bytes are left in the table of structures", table.len);
    const uint8_t *head = table.at + table.len - ENTRY_HEAD;
    const size_t size = (size_t)(head[0] | head[1] << 8);
    if (size < ENTRY_HEAD || size > table.len)
        return malformed(err, "a structure of %zu bytes in a table of %zu", size, table.len);
    *out = (struct entry){.guid = head + 2, .size = size};
    out->data = SPAN(table.at + table.len - size, size - ENTRY_HEAD);
    return OK;
}

/* All structures between the footer and the start that the footer names. */
static enum outcome find_table(struct span image, struct span *out, struct error *err)
{
    struct entry footer;
    TRY(last_entry(span_part(image, 0, image.len - BEHIND_TABLE), &footer, err));
    if (memcmp(footer.guid, footer_guid, GUID_BYTES) != 0)
        return malformed(err, "no table of structures at the end of the firmware");
    *out = span_part(footer.data, 0, footer.size - ENTRY_HEAD);
    return OK;
}

static enum outcome take_known(const struct entry *entry, struct span found[static KNOWN_COUNT],
                               struct error *err)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        if (memcmp(entry->guid, known[i].guid, GUID_BYTES) != 0)
            continue;
        if (found[i].at != NULL)
            return malformed(err, "the %s twice", known[i].name);
        if (entry->data.len < known[i].least)
            return malformed(err, "a %s of %zu bytes", known[i].name, entry->data.len);
        found[i] = entry->data;
    }
    return OK;
}

static enum outcome read_table(struct span image, struct span found[static KNOWN_COUNT],
                               struct error *err)
{
    struct span table;
    TRY(find_table(image, &table, err));
    while (table.len > 0) {
        struct entry entry;
        TRY(last_entry(table, &entry, err));
        TRY(take_known(&entry, found, err));
        table = span_part(table, 0, table.len - entry.size);
    }
    return OK;
}

static uint32_t first_u32(struct span data)
{
    struct reader in = reader_of(data);
    return read_u32le(&in);
}

/* ---- SEV metadata ------------------------------------------------------------------------- */

static bool is_known_kind(uint32_t kind)
{
    switch (kind) {
    case SECTION_SEC_MEMORY:
    case SECTION_SECRETS:
    case SECTION_CPUID:
    case SECTION_SVSM_CAA:
    case SECTION_KERNEL_HASHES:
        return true;
    default:
        return false;
    }
}

static enum outcome read_section(struct reader *in, struct firmware *out, uint64_t *bytes,
                                 struct error *err)
{
    struct firmware_section section = {.gpa = read_u32le(in), .size = read_u32le(in)};
    const uint32_t kind = read_u32le(in);
    if (!is_known_kind(kind))
        return malformed(err, "a metadata section of kind %u", kind);
    *bytes += section.size;
    if (section.gpa % FIRMWARE_PAGE_SIZE != 0 || section.size % FIRMWARE_PAGE_SIZE != 0 ||
        section.size == 0 || (uint64_t)section.gpa + section.size > UINT64_C(1) << 32 ||
        *bytes > FIRMWARE_SECTION_BYTES_MAX)
        return malformed(err, "a metadata section of %u bytes at 0x%x", section.size, section.gpa);
    section.kind = (enum firmware_section_kind)kind;
    out->sections[out->section_count++] = section;
    return OK;
}

/* {"ASEV", u32 length of all, u32 version, u32 count, count x section} */
static enum outcome read_metadata(struct span image, uint32_t from_end, struct firmware *out,
                                  struct error *err)
{
    uint64_t bytes = 0;
    if (from_end > image.len || from_end < METADATA_HEAD)
        return malformed(err, "SEV metadata %u bytes before the end of %zu", from_end, image.len);
    struct reader in = reader_of(span_part(image, image.len - from_end, from_end));
    const struct span signature = read_span(&in, 4);
    const uint32_t len = read_u32le(&in);
    const uint32_t version = read_u32le(&in);
    const uint32_t count = read_u32le(&in);
    if (!span_equal(signature, span_of_text("ASEV")) || version != METADATA_VERSION)
        return malformed(err, "SEV metadata of version %u", version);
    if (count > FIRMWARE_SECTIONS_MAX || len > from_end ||
        len != METADATA_HEAD + count * SECTION_ENTRY)
        return malformed(err, "%u metadata sections in %u bytes", count, len);
    for (uint32_t i = 0; i < count; i++)
        TRY(read_section(&in, out, &bytes, err));
    return OK;
}

enum outcome firmware_parse(struct span image, uint64_t end, struct firmware *out,
                            struct error *err)
{
    struct span found[KNOWN_COUNT] = {0};
    if (image.len == 0 || image.len % FIRMWARE_PAGE_SIZE != 0 || image.len > FIRMWARE_SIZE_MAX ||
        image.len > end)
        return malformed(err, "a firmware of %zu bytes", image.len);
    *out = (struct firmware){.image = image, .gpa = end - image.len};
    TRY(read_table(image, found, err));
    out->has_hash_table = found[KNOWN_HASH_TABLE].at != NULL;
    out->hash_table_gpa = first_u32(found[KNOWN_HASH_TABLE]);
    out->has_reset_block = found[KNOWN_RESET_BLOCK].at != NULL;
    out->reset_eip = first_u32(found[KNOWN_RESET_BLOCK]);
    out->has_svsm_info = found[KNOWN_SVSM_INFO].at != NULL;
    out->svsm_entry = first_u32(found[KNOWN_SVSM_INFO]);
    if (found[KNOWN_METADATA].at == NULL)
        return OK;
    return read_metadata(image, first_u32(found[KNOWN_METADATA]), out, err);
}

bool firmware_has(const struct firmware *firmware, enum firmware_section_kind kind)
{
    for (size_t i = 0; i < firmware->section_count; i++)
        if (firmware->sections[i].kind == kind)
            return true;
    return false;
}
