#include "lib/attest/svsm_manifest.h"

#define malformed(err, ...) fail_code((err), ERR_INVALID, "malformed", __VA_ARGS__)

/* GUIDs as they lie in memory: the first three parts are little-endian. */
enum { GUID_SIZE = 16, ENTRY_SIZE = GUID_SIZE + 8 };

/* 63849ebb-3d92-4670-a1ff-58f9c94b87bb */
static const uint8_t table_guid[GUID_SIZE] = {0xbb, 0x9e, 0x84, 0x63, 0x92, 0x3d, 0x70, 0x46,
                                              0xa1, 0xff, 0x58, 0xf9, 0xc9, 0x4b, 0x87, 0xbb};
/* c476f1eb-0123-45a5-9641-b4e7dde5bfe3 */
static const uint8_t vtpm_guid[GUID_SIZE] = {0xeb, 0xf1, 0x76, 0xc4, 0x23, 0x01, 0xa5, 0x45,
                                             0x96, 0x41, 0xb4, 0xe7, 0xdd, 0xe5, 0xbf, 0xe3};

static bool is_table(struct span in)
{
    return span_equal(span_part(in, 0, GUID_SIZE), SPAN_OF(table_guid));
}

/* {guid, u32 offset, u32 size}, the offset from the start of the table. */
static enum outcome take_entry(struct reader *head, struct span whole, size_t heads,
                               struct span *vtpm, struct error *err)
{
    const struct span guid = read_span(head, GUID_SIZE);
    const uint32_t offset = read_u32le(head);
    const uint32_t size = read_u32le(head);
    if (head->ran_short || offset < heads || offset > whole.len || size > whole.len - offset)
        return malformed(err, "a service beyond the manifest");
    if (!span_equal(guid, SPAN_OF(vtpm_guid)))
        return OK;
    if (vtpm->at != NULL)
        return malformed(err, "two vTPM services");
    *vtpm = span_part(whole, offset, size);
    return OK;
}

/* {guid, u32 size of all, u32 count, entries}, then what they point at. */
static enum outcome find_vtpm(struct span in, struct span *out, struct error *err)
{
    struct reader head = reader_of(in);
    (void)read_span(&head, GUID_SIZE);
    const uint32_t size = read_u32le(&head);
    const uint32_t count = read_u32le(&head);
    *out = (struct span){0};
    if (head.ran_short || size != in.len || count > SVSM_SERVICES_MAX)
        return malformed(err, "a table of %u bytes and %u services in %zu bytes", size, count,
                         in.len);
    for (uint32_t i = 0; i < count; i++)
        TRY(take_entry(&head, in, (size_t)ENTRY_SIZE * (1 + count), out, err));
    return out->at != NULL ? OK : malformed(err, "no vTPM service");
}

enum outcome svsm_manifest_read(struct span in, struct svsm_manifest *out, struct error *err)
{
    *out = (struct svsm_manifest){.table = is_table(in)};
    if (in.len > SVSM_MANIFEST_MAX)
        return malformed(err, "a manifest of %zu bytes", in.len);
    if (out->table)
        TRY(find_vtpm(in, &in, err));
    while (in.len > 0) {
        if (out->key_count == SVSM_KEYS_MAX)
            return malformed(err, "more than %d keys", SVSM_KEYS_MAX);
        TRY(tpm_public_next(&in, &out->keys[out->key_count++], err));
    }
    return out->key_count > 0 ? OK : malformed(err, "a manifest that names no key");
}

bool svsm_manifest_names(const struct svsm_manifest *manifest, struct span key)
{
    for (size_t i = 0; i < manifest->key_count; i++)
        if (tpm_public_attests(&manifest->keys[i]) && span_equal(manifest->keys[i].whole, key))
            return true;
    return false;
}

bool svsm_manifest_only_decrypts(const struct svsm_manifest *manifest)
{
    for (size_t i = 0; i < manifest->key_count; i++)
        if (!tpm_public_decrypts(&manifest->keys[i]))
            return false;
    return true;
}
