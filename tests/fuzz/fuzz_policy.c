#include "lib/model/policy.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(mem_drop) struct policy *policy = NEW(struct policy);
    error_ignore(policy_parse(SPAN(data, size), POLICY_EXPECT, policy, NULL));
    error_ignore(policy_parse(SPAN(data, size), POLICY_WHOLE, policy, NULL));
    return 0;
}
