#include "lib/attest/event_judge.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(verdict_done) struct verdict v = {0};
    event_judge(SPAN(data, size), NULL, &v);
    OWNED(json_drop) json_t *object = verdict_to_json(&v);
    OWNED(mem_drop) char *text = json_print(object);
    return 0;
}
