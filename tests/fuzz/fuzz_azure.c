#include <stdlib.h>

#include "lib/attest/azure_judge.h"
#include "tests/fuzz/fuzz.h"

/* The first two bytes say how long the blob is; behind it comes the quote. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct snp_bundle none = {0};
    static const uint8_t signature[256] = {1};
    if (size < 2)
        return 0;
    const struct span all = SPAN(data + 2, size - 2);
    const size_t split = (size_t)(data[0] | data[1] << 8);
    OWNED(snp_endorsements_drop) struct snp_endorsements *e = snp_endorse(&none, snp_roots_amd());
    const struct azure_input input = {
        .hcl = span_part(all, 0, split),
        .has_quote = true,
        .quote = span_part(all, split, size),
        .signature = SPAN_OF(signature),
        .endorsements = e,
        .at = clock_at_seconds(1795478400),
    };
    OWNED(verdict_done) struct verdict v = {0};
    azure_judge(&input, &v);
    OWNED(json_drop) json_t *object = verdict_to_json(&v);
    OWNED(mem_drop) char *text = json_print(object);
    if (v.trusted)
        abort();
    return 0;
}
