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
    const struct evidence_binding binding = {.digest = {1}};
    const struct evidence_terms terms = {.chains = cache,
                                         .nitro_roots = &nitro_roots_aws,
                                         .at = clock_at_seconds(1795478400),
                                         .simulation_realm = true,
                                         .binding = size % 2 == 0 ? &binding : NULL};
    OWNED(verdict_done) struct verdict verdict = {0};
    struct evidence_facts facts;
    evidence_facts(&evidence, &facts);
    evidence_judge(&evidence, &terms, &verdict);
    if (verdict.trusted)
        abort(); /* no seed stands under AMD's roots */
    return 0;
}
