/* Public areas, signatures by them and manifests of them. */
#include <stdlib.h>

#include "lib/attest/svsm_manifest.h"
#include "tests/fuzz/fuzz.h"

/* The first key is the input's own; what follows it is taken for its signature. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = SPAN(data, size);
    struct tpm_public key;
    struct svsm_manifest manifest;
    OWNED(bytes_done) struct bytes spki = {0};
    if (svsm_manifest_read(in, &manifest, NULL) == OK &&
        svsm_manifest_names(&manifest, manifest.keys[0].whole) &&
        svsm_manifest_only_decrypts(&manifest))
        abort(); /* a key that attests and does not */
    if (tpm_public_next(&in, &key, NULL) != OK)
        return 0;
    if (key.whole.len + in.len != size || (tpm_public_attests(&key) && tpm_public_decrypts(&key)))
        abort();
    error_ignore(tpm_public_spki(&key, &spki, NULL));
    error_ignore(tpm_public_verify(&key, key.whole, in, NULL));
    return 0;
}
