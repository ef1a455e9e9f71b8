/* What the parts of agent/tpm.h share. */
#ifndef MUSTER_AGENT_TPM_INSIDE_H
#define MUSTER_AGENT_TPM_INSIDE_H

#include <tss2/tss2_esys.h>

#include "agent/tpm.h"

struct tpm {
    TSS2_TCTI_CONTEXT *tcti;
    ESYS_CONTEXT *esys;
    ESYS_TR key; /* ESYS_TR_NONE: none is used yet */
    bool key_is_made;
};

/* No sessions but the empty password's. */
#define TPM_NO_SESSION ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE
#define TPM_PASSWORD ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE

/* OK for TPM2_RC_SUCCESS. */
enum outcome tpm_said(TSS2_RC answer, const char *what, struct error *err);

/* A persistent object or an index; closed with Esys_TR_Close. */
enum outcome tpm_find(struct tpm *tpm, uint32_t handle, ESYS_TR *out, struct error *err);

/* So many bytes from its beginning; `by`: the owner, or the index itself. */
enum outcome tpm_read_index(struct tpm *tpm, ESYS_TR by, ESYS_TR index, size_t size,
                            struct bytes *out, struct error *err);

void tpm_drop_answer(void *answer); /* for OWNED: what ESYS gave */

#endif
