#include <stdlib.h>

#include "lib/attest/nitro_judge.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(verdict_done) struct verdict v = {0};
    const struct nitro_input input = {
        .document = SPAN(data, size),
        .roots = &nitro_roots_aws,
        .at = clock_at_seconds(1795478400),
    };
    nitro_judge(&input, &v);
    OWNED(json_drop) json_t *object = verdict_to_json(&v);
    OWNED(mem_drop) char *text = json_print(object);
    /* No genuine document is valid at that time. */
    if (v.trusted || v.reason == REASON_OK)
        abort();
    return 0;
}
