#include <stdlib.h>

#include "lib/crypto/jwks.h"
#include "tests/fuzz/fuzz.h"

/* A set of keys that anybody hands over, under a root that certified none of them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct key *root_key;
    static struct cert *root;
    const struct moment now = clock_at_seconds(1795435200);
    OWNED(jwks_done) struct jwks signed_set = {0}, set = {0};
    OWNED(json_drop) json_t *json = NULL;
    if (root == NULL && (key_generate(KEY_P384, &root_key, NULL) != OK ||
                         cert_make_root(root_key, REALM_SIMULATION, now, &root, NULL) != OK))
        abort();
    if (jwks_open(SPAN(data, size), &root, 1, now, &signed_set, NULL) == OK)
        abort();
    if (json_parse(SPAN(data, size), 1 << 20, &json, NULL) == OK &&
        jwks_read(json, &root, 1, now, &set, NULL) == OK && set.count > 0)
        abort();
    return 0;
}
