#include <stdio.h>
#include <stdlib.h>
#include <tss2/tss2_tctildr.h>

#include "agent/tpm_inside.h"

enum { TCTI_MAX = 256, WHAT_MAX = 48 };

/* ---- what it says ---------------------------------------------------------------------------- */

/* TPM 2.0 Library, part 2, section 6.6, and the layers of tpm2-tss. */
static const struct {
    TSS2_RC answer;
    enum outcome outcome;
    const char *code;
    const char *text;
} meanings[] = {
    {TSS2_TCTI_RC_IO_ERROR, ERR_UNREACHABLE, "tpm-gone", "the connection broke"},
    {TSS2_TCTI_RC_NO_CONNECTION, ERR_UNREACHABLE, "tpm-gone", "there is no connection"},
    {TPM2_RC_HANDLE, ERR_NOT_FOUND, "tpm-lacks", "the TPM has no such thing"},
    {TPM2_RC_REFERENCE_H0, ERR_NOT_FOUND, "tpm-lacks", "the TPM has no such thing"},
    {TPM2_RC_COMMAND_CODE, ERR_NOT_FOUND, "tpm-lacks", "the TPM knows no such command"},
    {TPM2_RC_NV_DEFINED, ERR_CONFLICT, "tpm-index-taken", "the index is there already"},
    {TPM2_RC_NV_UNINITIALIZED, ERR_NOT_FOUND, "tpm-lacks", "nothing was ever written there"},
    {TPM2_RC_LOCKOUT, ERR_THROTTLED, "tpm-lockout", "locked out after wrong passwords"},
    {TPM2_RC_RETRY, ERR_THROTTLED, "tpm-busy", "the TPM is busy"},
    {TPM2_RC_YIELDED, ERR_THROTTLED, "tpm-busy", "the TPM is busy"},
    {TPM2_RC_TESTING, ERR_THROTTLED, "tpm-busy", "the TPM tests itself"},
    {TPM2_RC_NV_RATE, ERR_THROTTLED, "tpm-busy", "the TPM spares its memory"},
    {TPM2_RC_NV_UNAVAILABLE, ERR_THROTTLED, "tpm-busy", "the TPM's memory is not at hand"},
    {TPM2_RC_AUTH_FAIL, ERR_DENIED, "tpm-denied", "the password is not empty"},
    {TPM2_RC_BAD_AUTH, ERR_DENIED, "tpm-denied", "the password is not empty"},
    {TPM2_RC_NV_AUTHORIZATION, ERR_DENIED, "tpm-denied", "not for the owner"},
    {TPM2_RC_NV_LOCKED, ERR_DENIED, "tpm-denied", "locked"},
    {TPM2_RC_FAILURE, ERR_INTERNAL, "tpm-failed", "the TPM is broken until its next start"},
};

/* Without the number of the handle, session or parameter that it is about. */
static TSS2_RC kind_of(TSS2_RC answer)
{
    const bool from_tpm = (answer & TSS2_RC_LAYER_MASK) == TSS2_TPM_RC_LAYER;
    return from_tpm && (answer & TPM2_RC_FMT1) != 0 ? answer & (TPM2_RC_FMT1 | 0x3f) : answer;
}

enum outcome tpm_said(TSS2_RC answer, const char *what, struct error *err)
{
    if (answer == TSS2_RC_SUCCESS)
        return OK;
    for (size_t i = 0; i < countof(meanings); i++)
        if (meanings[i].answer == kind_of(answer))
            return fail_code(err, meanings[i].outcome, meanings[i].code, "TPM, %s: %s", what,
                             meanings[i].text);
    return fail_code(err, ERR_INTERNAL, "tpm-failed", "TPM, %s: code 0x%x", what, answer);
}

void tpm_drop_answer(void *answer)
{
    void **p = answer;
    Esys_Free(*p);
    *p = NULL;
}

/* ---- the connection -------------------------------------------------------------------------- */

enum outcome tpm_open(const char *tcti, struct tpm **out, struct error *err)
{
    OWNED(tpm_drop) struct tpm *tpm = NEW(struct tpm);
    setenv("TSS2_LOG", "all+NONE", 0); /* it would write to our log in its own way */
    tpm->key = ESYS_TR_NONE;
    TSS2_RC answer = Tss2_TctiLdr_Initialize(tcti, &tpm->tcti);
    if (answer == TSS2_RC_SUCCESS)
        answer = Esys_Initialize(&tpm->esys, tpm->tcti, NULL);
    if (answer != TSS2_RC_SUCCESS)
        return fail_code(err, ERR_NOT_FOUND, "tpm-missing", "no TPM at %.*s: code 0x%x", TCTI_MAX,
                         tcti, answer);
    *out = TAKE(tpm);
    return OK;
}

void tpm_close(struct tpm *tpm)
{
    if (tpm->esys != NULL && tpm->key != ESYS_TR_NONE && tpm->key_is_made)
        Esys_FlushContext(tpm->esys, tpm->key); /* the TPM forgets it by itself when it is gone */
    Esys_Finalize(&tpm->esys);
    Tss2_TctiLdr_Finalize(&tpm->tcti);
    free(tpm);
}

enum outcome tpm_find(struct tpm *tpm, uint32_t handle, ESYS_TR *out, struct error *err)
{
    char what[WHAT_MAX];
    snprintf(what, sizeof what, "looking for 0x%08x", handle);
    return tpm_said(Esys_TR_FromTPMPublic(tpm->esys, handle, TPM_NO_SESSION, out), what, err);
}
