#include "agent/local_request.h"
#include "tests/fuzz/fuzz.h"

/* What a program on the guest's machine says, and what it hears. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct local_request request = {0};
    OWNED(mem_drop) char *token = NULL;
    OWNED(mem_drop) char *proof = NULL;
    error_ignore(local_request_parse(SPAN(data, size), &request, NULL));
    error_ignore(local_answer_parse(SPAN(data, size), &token, &proof, NULL));
    return 0;
}
