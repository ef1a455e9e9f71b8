#include "agent/userdata.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(userdata_done) struct userdata userdata = {0};
    error_ignore(userdata_parse(SPAN(data, size), &userdata, NULL));
    return 0;
}
