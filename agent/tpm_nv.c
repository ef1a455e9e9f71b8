#include <string.h>

#include "agent/tpm_inside.h"

/* What one command may carry: the TPM's word, within what tpm2-tss holds. */
static enum outcome chunk_size(struct tpm *tpm, size_t *out, struct error *err)
{
    OWNED(tpm_drop_answer) TPMS_CAPABILITY_DATA *data = NULL;
    TPMI_YES_NO more;
    TRY(tpm_said(Esys_GetCapability(tpm->esys, TPM_NO_SESSION, TPM2_CAP_TPM_PROPERTIES,
                                    TPM2_PT_NV_BUFFER_MAX, 1, &more, &data),
                 "asking for its limits", err));
    const TPML_TAGGED_TPM_PROPERTY *list = &data->data.tpmProperties;
    const bool said = list->count > 0 && list->tpmProperty[0].property == TPM2_PT_NV_BUFFER_MAX;
    const size_t most = said ? list->tpmProperty[0].value : 0;
    if (most == 0)
        return fail_code(err, ERR_INTERNAL, "tpm-failed", "TPM: it says no limit of a command");
    *out = most < TPM2_MAX_NV_BUFFER_SIZE ? most : TPM2_MAX_NV_BUFFER_SIZE;
    return OK;
}

static enum outcome size_of(struct tpm *tpm, ESYS_TR index, size_t *out, struct error *err)
{
    OWNED(tpm_drop_answer) TPM2B_NV_PUBLIC *public = NULL;
    OWNED(tpm_drop_answer) TPM2B_NAME *name = NULL;
    TRY(tpm_said(Esys_NV_ReadPublic(tpm->esys, index, TPM_NO_SESSION, &public, &name),
                 "asking for an index's size", err));
    *out = public->nvPublic.dataSize;
    return OK;
}

static enum outcome read_chunk(struct tpm *tpm, ESYS_TR by, ESYS_TR index, size_t at, size_t size,
                               struct bytes *out, struct error *err)
{
    OWNED(tpm_drop_answer) TPM2B_MAX_NV_BUFFER *data = NULL;
    TRY(tpm_said(Esys_NV_Read(tpm->esys, by, index, TPM_PASSWORD, (UINT16)size, (UINT16)at, &data),
                 "reading an index", err));
    if (data->size != size)
        return fail_code(err, ERR_INTERNAL, "tpm-failed", "TPM: %u bytes for %zu", data->size,
                         size);
    bytes_add(out, SPAN(data->buffer, size));
    return OK;
}

enum outcome tpm_read_index(struct tpm *tpm, ESYS_TR by, ESYS_TR index, size_t size,
                            struct bytes *out, struct error *err)
{
    size_t chunk;
    TRY(chunk_size(tpm, &chunk, err));
    for (size_t at = 0; at < size; at += chunk)
        TRY(read_chunk(tpm, by, index, at, size - at < chunk ? size - at : chunk, out, err));
    return OK;
}

static enum outcome read_all(struct tpm *tpm, ESYS_TR index, size_t most, struct bytes *out,
                             struct error *err)
{
    size_t size;
    TRY(size_of(tpm, index, &size, err));
    if (size > most)
        return fail_code(err, ERR_INVALID, "tpm-too-large", "an index of %zu bytes, not %zu", size,
                         most);
    return tpm_read_index(tpm, ESYS_TR_RH_OWNER, index, size, out, err);
}

enum outcome tpm_nv_read(struct tpm *tpm, uint32_t index, size_t most, struct bytes *out,
                         struct error *err)
{
    OWNED(bytes_done) struct bytes made = {0};
    ESYS_TR found;
    TRY(tpm_find(tpm, index, &found, err));
    enum outcome outcome = read_all(tpm, found, most, &made, err);
    Esys_TR_Close(tpm->esys, &found);
    TRY(outcome);
    bytes_done(out);
    *out = bytes_take(&made);
    return OK;
}

static enum outcome define(struct tpm *tpm, uint32_t index, size_t size, ESYS_TR *out,
                           struct error *err)
{
    const TPM2B_AUTH no_password = {0};
    const TPM2B_NV_PUBLIC wanted = {.nvPublic = {
                                        .nvIndex = index,
                                        .nameAlg = TPM2_ALG_SHA256,
                                        .attributes = TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD,
                                        .dataSize = (UINT16)size,
                                    }};
    return tpm_said(
        Esys_NV_DefineSpace(tpm->esys, ESYS_TR_RH_OWNER, TPM_PASSWORD, &no_password, &wanted, out),
        "defining an index", err);
}

enum outcome tpm_nv_write(struct tpm *tpm, uint32_t index, struct span content, struct error *err)
{
    ESYS_TR found;
    TPM2B_MAX_NV_BUFFER data = {.size = (UINT16)content.len};
    if (content.len > sizeof data.buffer)
        return fail(err, ERR_INVALID, "no room for %zu bytes", content.len);
    memcpy(data.buffer, content.at, content.len);
    enum outcome outcome = tpm_find(tpm, index, &found, err);
    if (outcome == ERR_NOT_FOUND)
        outcome = define(tpm, index, content.len, &found, err);
    TRY(outcome);
    outcome = tpm_said(Esys_NV_Write(tpm->esys, ESYS_TR_RH_OWNER, found, TPM_PASSWORD, &data, 0),
                       "writing an index", err);
    Esys_TR_Close(tpm->esys, &found);
    return outcome;
}
