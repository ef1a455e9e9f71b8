/* The GHCB certificate table of an extended report (configfs-tsm `auxblob`): what the host says the
 * chip maker's certificates are. Untrusted from the first byte to the last. */
#ifndef MUSTER_ATTEST_CERT_TABLE_H
#define MUSTER_ATTEST_CERT_TABLE_H

#include "lib/base/bytes.h"
#include "lib/base/json.h"

enum { CERT_TABLE_SIZE_MAX = 128 * 1024, CERT_TABLE_ENTRIES_MAX = 16, GUID_SIZE = 16 };

enum cert_table_kind { TABLE_VCEK, TABLE_VLEK, TABLE_ASK, TABLE_ARK, TABLE_OTHER };

struct cert_table_entry {
    enum cert_table_kind kind;
    uint8_t guid[GUID_SIZE];
    uint32_t offset;
    struct span blob; /* DER or PEM; borrowed from the table */
};

struct cert_table {
    size_t count;
    struct cert_table_entry entries[CERT_TABLE_ENTRIES_MAX];
};

/* ERR_INVALID "malformed": no terminator, a blob outside the table or inside its header, the same
 * GUID twice, more entries or bytes than any host sends. Unknown GUIDs are kept as TABLE_OTHER. */
enum outcome cert_table_read(struct span in, struct cert_table *out, struct error *err);

struct span cert_table_find(const struct cert_table *table, enum cert_table_kind kind); /* empty */

/* [{"guid","offset","length","encoding","sha256"}] */
json_t *cert_table_to_json(const struct cert_table *table);

/* Build one: header, terminator, blobs one after the other. For the simulator and for tests. */
void cert_table_add(struct bytes *out, const struct cert_table *table);

#endif
