/* SEV-SNP's own report, over the binding itself. */
#include <stdlib.h>

#include "agent/tee.h"
#include "agent/tsm.h"

struct snp {
    char *tsm_path;
    int64_t privlevel;
};

static void snp_close(void *self)
{
    struct snp *snp = self;
    free(snp->tsm_path);
    free(snp);
}
DROP(snp_drop, struct snp, snp_close)

static enum outcome snp_prove(void *self, const struct evidence_binding *asked,
                              struct evidence *out, struct error *err)
{
    const struct snp *snp = self;
    const struct tsm_wish wish = {.report_data = asked->digest, .privlevel = snp->privlevel};
    return tsm_report(&tsm_kernel_files, snp->tsm_path, &wish, out, err);
}

/* Opening asks for a report right away, so that a machine that cannot give one says so at start. */
static enum outcome snp_open(const struct tee_places *places, void **out, struct error *err)
{
    OWNED(evidence_done) struct evidence first = {0};
    OWNED(snp_drop) struct snp *snp = NEW(struct snp);
    const struct evidence_binding nothing = {0};
    *snp = (struct snp){mem_text(places->tsm_path), places->privlevel};
    TRY(snp_prove(snp, &nothing, &first, err));
    *out = TAKE(snp);
    return OK;
}

const struct tee_driver tee_snp_driver = {
    .name = "snp",
    .kind = EVIDENCE_SNP,
    .open = snp_open,
    .close = snp_close,
    .report_size = TEE_REPORT_SIZE,
    .prove = snp_prove,
};
