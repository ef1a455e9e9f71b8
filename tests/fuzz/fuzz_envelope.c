/* The shape of envelopes and of stored signed data, before any key is touched. */
#include "lib/crypto/seal_shape.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct key *point, *rsa;
    if ((point == NULL && key_generate(KEY_P256, &point, NULL) != OK) ||
        (rsa == NULL && key_generate(KEY_RSA, &rsa, NULL) != OK))
        return 0;
    error_ignore(seal_check_outer(SPAN(data, size), point, NULL));
    error_ignore(seal_check_outer(SPAN(data, size), rsa, NULL));
    error_ignore(seal_check_signed(SPAN(data, size), NULL));
    return 0;
}
