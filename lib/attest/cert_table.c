#include "lib/attest/cert_table.h"

#include <stdio.h>
#include <string.h>

#include "lib/crypto/x509.h"

/* The GUIDs stand in the table as their plain hex bytes, not mixed-endian. */
/* clang-format off */
static const struct {
    enum cert_table_kind kind;
    uint8_t guid[GUID_SIZE];
} known[] = {
    {TABLE_VCEK, {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
                  0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd}},
    {TABLE_VLEK, {0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e,
                  0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1}},
    {TABLE_ASK,  {0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4,
                  0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82}},
    {TABLE_ARK,  {0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52,
                  0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae}},
};
/* clang-format on */

enum { ENTRY_SIZE = 24 };

static enum cert_table_kind kind_of(const uint8_t guid[static GUID_SIZE])
{
    for (size_t i = 0; i < countof(known); i++)
        if (memcmp(known[i].guid, guid, GUID_SIZE) == 0)
            return known[i].kind;
    return TABLE_OTHER;
}

static bool has_guid(const struct cert_table *table, const uint8_t guid[static GUID_SIZE])
{
    for (size_t i = 0; i < table->count; i++)
        if (memcmp(table->entries[i].guid, guid, GUID_SIZE) == 0)
            return true;
    return false;
}

static enum outcome read_entry(struct reader *in, struct cert_table *out, bool *last,
                               struct error *err)
{
    struct cert_table_entry entry = {0};
    read_into(in, entry.guid, GUID_SIZE);
    entry.offset = read_u32le(in);
    const uint32_t length = read_u32le(in);
    if (in->ran_short)
        return fail_code(err, ERR_INVALID, "malformed", "the certificate table has no terminator");
    *last = span_is_zero(SPAN_OF(entry.guid));
    if (*last)
        return OK;
    if (has_guid(out, entry.guid))
        return fail_code(err, ERR_INVALID, "malformed", "the certificate table has an entry twice");
    if (out->count == CERT_TABLE_ENTRIES_MAX)
        return fail_code(err, ERR_INVALID, "malformed", "more than %d entries in the table",
                         CERT_TABLE_ENTRIES_MAX);
    entry.kind = kind_of(entry.guid);
    entry.blob = SPAN(NULL, length);
    out->entries[out->count++] = entry;
    return OK;
}

/* Offsets count from the start of the table; a blob lies behind the header and inside the table. */
static enum outcome place_blob(struct span in, size_t header, struct cert_table_entry *entry,
                               struct error *err)
{
    const uint64_t end = (uint64_t)entry->offset + entry->blob.len;
    if (entry->blob.len == 0 || entry->offset < header || end > in.len)
        return fail_code(err, ERR_INVALID, "malformed",
                         "a blob of the certificate table lies at %u, %zu bytes of %zu",
                         entry->offset, entry->blob.len, in.len);
    entry->blob.at = in.at + entry->offset;
    return OK;
}

enum outcome cert_table_read(struct span in, struct cert_table *out, struct error *err)
{
    if (in.len > CERT_TABLE_SIZE_MAX)
        return fail_code(err, ERR_INVALID, "malformed", "a certificate table of %zu bytes", in.len);
    struct cert_table made = {0};
    struct reader reader = reader_of(in);
    for (bool last = false; !last;)
        TRY(read_entry(&reader, &made, &last, err));
    for (size_t i = 0; i < made.count; i++)
        TRY(place_blob(in, reader.at, &made.entries[i], err));
    *out = made;
    return OK;
}

struct span cert_table_find(const struct cert_table *table, enum cert_table_kind kind)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->entries[i].kind == kind)
            return table->entries[i].blob;
    return (struct span){0};
}

static json_t *entry_to_json(const struct cert_table_entry *entry)
{
    const uint8_t *g = entry->guid;
    char guid[40];
    snprintf(guid, sizeof guid,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", g[0], g[1],
             g[2], g[3], g[4], g[5], g[6], g[7], g[8], g[9], g[10], g[11], g[12], g[13], g[14],
             g[15]);
    uint8_t hash[SHA256_SIZE];
    digest(DIGEST_SHA256, entry->blob, hash);
    json_t *out = json_object();
    json_put_text(out, "guid", guid);
    json_put_int(out, "offset", entry->offset);
    json_put_int(out, "length", (int64_t)entry->blob.len);
    json_put_text(out, "encoding", pem_is(entry->blob) ? "PEM" : "DER");
    json_put_hex(out, "sha256", SPAN_OF(hash));
    return out;
}

json_t *cert_table_to_json(const struct cert_table *table)
{
    json_t *list = json_array();
    for (size_t i = 0; i < table->count; i++)
        json_add_new(list, entry_to_json(&table->entries[i]));
    return list;
}

static void add_guid(struct bytes *out, const struct cert_table_entry *entry)
{
    for (size_t i = 0; i < countof(known); i++)
        if (known[i].kind == entry->kind) {
            bytes_add(out, SPAN_OF(known[i].guid));
            return;
        }
    bytes_add(out, SPAN_OF(entry->guid));
}

void cert_table_add(struct bytes *out, const struct cert_table *table)
{
    size_t offset = (table->count + 1) * ENTRY_SIZE;
    for (size_t i = 0; i < table->count; i++) {
        add_guid(out, &table->entries[i]);
        bytes_add_u32le(out, (uint32_t)offset);
        bytes_add_u32le(out, (uint32_t)table->entries[i].blob.len);
        offset += table->entries[i].blob.len;
    }
    bytes_add_room(out, ENTRY_SIZE);
    for (size_t i = 0; i < table->count; i++)
        bytes_add(out, table->entries[i].blob);
}
