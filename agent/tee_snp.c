/* SEV-SNP's own report, over the binding itself. */
#include <stdlib.h>

#include "agent/tsm.h"

/* Opening asks for a report right away, so that a machine that cannot give one says so at start. */
static enum outcome snp_open(const struct tee_places *places, void **out, struct error *err)
{
    OWNED(evidence_done) struct evidence first = {0};
    const uint8_t nothing[BINDING_SIZE] = {0};
    TRY(tsm_report(&tsm_kernel_files, places->tsm_path, nothing, &first, err));
    *out = mem_text(places->tsm_path);
    return OK;
}

static enum outcome snp_prove(void *self, const struct evidence_binding *asked,
                              struct evidence *out, struct error *err)
{
    return tsm_report(&tsm_kernel_files, self, asked->digest, out, err);
}

const struct tee_driver tee_snp_driver = {
    .name = "snp",
    .kind = EVIDENCE_SNP,
    .open = snp_open,
    .close = free,
    .report_size = TEE_REPORT_SIZE,
    .prove = snp_prove,
};
