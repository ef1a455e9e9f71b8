#include "agent/nsm.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {0};
    struct span document = {0};
    if (nsm_answer_read(SPAN(data, size), &document, &err) != OK)
        return 0;
    if (document.len == 0 || document.at < data || document.at + document.len > data + size)
        __builtin_trap();
    return 0;
}
