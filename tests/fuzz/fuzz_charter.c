#include "lib/model/charter.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(charter_drop) struct charter *charter = NULL;
    OWNED(charter_signers_done) struct charter_signers signers = {0};
    error_ignore(charter_parse(SPAN(data, size), &charter, NULL));
    error_ignore(charter_signers_parse(SPAN(data, size), &signers, NULL));
    return 0;
}
