/* Enclaves of AWS: the module's document carries nonce, sealing key and binding, each in a field of
 * its own (trust.md section 4). */
#include <stdlib.h>

#include "agent/nsm.h"
#include "agent/tee.h"

/* Opening asks for a document right away, so that what is no enclave says so at start. */
static enum outcome nitro_open(const struct tee_places *places, void **out, struct error *err)
{
    OWNED(bytes_done) struct bytes first = {0};
    const struct evidence_binding nothing = {0};
    TRY(nsm_attest(&nsm_kernel_calls, places->nsm_path, &nothing, &first, err));
    *out = mem_text(places->nsm_path);
    return OK;
}

static enum outcome nitro_prove(void *self, const struct evidence_binding *asked,
                                struct evidence *out, struct error *err)
{
    return nsm_attest(&nsm_kernel_calls, self, asked, &out->document, err);
}

const struct tee_driver tee_nitro_driver = {
    .name = "nitro",
    .kind = EVIDENCE_NITRO,
    .open = nitro_open,
    .close = free,
    .prove = nitro_prove,
};
