/* Tokens in both forms. The key is a new one, so that what lies behind a good signature is not
 * reached by this: claims are read by fuzz_messages. */
#include "lib/crypto/token.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct key *key;
    struct span in = SPAN(data, size);
    char typ[TOKEN_TYP_SIZE];
    size_t count;
    OWNED(json_drop) json_t *claims = NULL;
    OWNED(bytes_done) struct bytes payload = {0};
    OWNED(bytes_done) struct bytes verified = {0};
    OWNED(mem_drop) char *more = NULL;
    if (key == NULL && key_generate(KEY_P256, &key, NULL) != OK)
        return 0;
    error_ignore(token_claimed_typ(in, typ, NULL));
    error_ignore(token_verify(in, "muster-verdict+jwt", key, &claims, NULL));
    error_ignore(token_set_look(in, size, &payload, &count, NULL));
    error_ignore(token_set_verify(in, "muster-charter+json", &key, 1, 1, size, &verified, NULL));
    error_ignore(token_set_sign(in, "muster-charter+json", key, &more, NULL));
    return 0;
}
