#include <stdlib.h>

#include "lib/attest/evidence.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(evidence_done) struct evidence evidence = {0};
    if (evidence_parse(SPAN(data, size), &evidence, NULL) != OK)
        return 0;
    OWNED(mem_drop) char *text = evidence_print(&evidence);
    OWNED(evidence_done) struct evidence again = {0};
    if (evidence_parse(span_of_text(text), &again, NULL) != OK)
        abort();
    OWNED(snp_cache_drop) struct snp_cache *cache = snp_cache_new(snp_roots_amd(), 2);
    struct judge_input input = {.at = clock_at_seconds(1795478400), .simulation_realm = true};
    OWNED(verdict_done) struct verdict verdict = {0};
    evidence_judge(&evidence, cache, (struct span){0}, &input, &verdict);
    if (verdict.trusted)
        abort(); /* no seed stands under AMD's roots */
    return 0;
}
