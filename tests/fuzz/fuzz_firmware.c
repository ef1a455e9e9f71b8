#include <string.h>

#include "lib/attest/launch_digest.h"
#include "tests/fuzz/fuzz.h"

/* The first byte says what the launch is; the rest is the firmware, and the SVSM too. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct launch_result result;
    struct kernel_hashes hashes = {0};
    if (size < 1)
        return 0;
    const struct span image = SPAN(data + 1, size - 1);
    const struct launch launch = {
        .ovmf = image,
        .svsm = (data[0] & 8) != 0 ? image : SPAN(NULL, 0),
        .vmm = (enum vmm)(data[0] % VMM_COUNT),
        .vcpus = 1 + data[0] % 3,
        .kernel = (data[0] & 4) != 0 ? &hashes : NULL,
        .ovmf_digest = result.ovmf_digest, /* the pages tell a fuzzer nothing */
    };
    memset(result.ovmf_digest, 0, sizeof result.ovmf_digest);
    error_ignore(launch_digest(&launch, &result, NULL));
    return 0;
}
