/* A vTPM beside the chip's own report (kind snp-vtpm): the report is over the binding, the quote
 * over binding and report, so that neither can be another machine's (trust.md section 4). */
#ifndef MUSTER_AGENT_TEE_VTPM_H
#define MUSTER_AGENT_TEE_VTPM_H

#include "agent/tpm.h"
#include "agent/tsm.h"

struct vtpm {
    const struct tsm_files *files;
    char *tsm_path; /* owned, like the other three */
    char *tpm;
    char *document_tpm; /* "": a quote vouches for the registers, else a NitroTPM's document */
    char *event_log;
    int64_t privlevel;
    bool svsm; /* the vTPM is an SVSM's: its manifest stands in the report */
    struct tpm_key_choice key;
    uint32_t key_cert; /* index of the key's certificate; 0: there is none */
};

/* What a failure leaves in `out` is for the caller to drop, as in agent/tee.c. */
enum outcome vtpm_prove(const struct vtpm *vtpm, const struct evidence_binding *asked,
                        struct evidence *out, struct error *err);

#endif
