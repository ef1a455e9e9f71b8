#include "lib/attest/cert_table.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cert_table table;
    if (cert_table_read(SPAN(data, size), &table, NULL) != OK)
        return 0;
    OWNED(json_drop) json_t *entries = cert_table_to_json(&table);
    /* What was read can be written and reads the same again. */
    OWNED(bytes_done) struct bytes again = {0};
    struct cert_table second;
    cert_table_add(&again, &table);
    if (again.len <= CERT_TABLE_SIZE_MAX &&
        (cert_table_read(bytes_span(&again), &second, NULL) != OK || second.count != table.count))
        __builtin_trap();
    return 0;
}
