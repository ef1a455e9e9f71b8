#include <string.h>
#include <tss2/tss2_mu.h>

#include "agent/tpm_inside.h"
#include "lib/attest/tpm_quote.h"

struct registers {
    uint8_t at[TPM_REGISTERS][SHA256_SIZE];
};

/* ---- the registers --------------------------------------------------------------------------- */

static TPML_PCR_SELECTION select_registers(uint32_t wanted)
{
    return (TPML_PCR_SELECTION){
        .count = 1,
        .pcrSelections[0] = {
            .hash = TPM2_ALG_SHA256,
            .sizeofSelect = 3,
            .pcrSelect = {(BYTE)wanted, (BYTE)(wanted >> 8), (BYTE)(wanted >> 16)},
        }};
}

/* A TPM gives as many as it likes at a time, in order, and says which. `left` loses those: one that
 * gives none of them, or others, would be asked for ever. */
static bool take_registers(const TPMS_PCR_SELECTION *which, const TPML_DIGEST *values,
                           uint32_t *left, struct registers *out)
{
    const uint32_t before = *left;
    size_t taken = 0;
    for (unsigned i = 0; i < TPM_REGISTERS; i++) {
        if ((which->pcrSelect[i / 8] >> i % 8 & 1) == 0)
            continue;
        if (taken == values->count || values->digests[taken].size != SHA256_SIZE)
            break;
        memcpy(out->at[i], values->digests[taken++].buffer, SHA256_SIZE);
        *left &= ~(1u << i);
    }
    return *left != before;
}

static enum outcome read_some(struct tpm *tpm, uint32_t *left, struct registers *out,
                              struct error *err)
{
    const TPML_PCR_SELECTION wanted = select_registers(*left);
    OWNED(tpm_drop_answer) TPML_PCR_SELECTION *given = NULL;
    OWNED(tpm_drop_answer) TPML_DIGEST *values = NULL;
    UINT32 counter;
    TRY(tpm_said(Esys_PCR_Read(tpm->esys, TPM_NO_SESSION, &wanted, &counter, &given, &values),
                 "reading the registers", err));
    if (given->count == 0 || !take_registers(&given->pcrSelections[0], values, left, out))
        return fail_code(err, ERR_NOT_FOUND, "tpm-lacks",
                         "the TPM gives no SHA-256 registers 0 to %d", TPM_REGISTERS - 1);
    return OK;
}

static enum outcome read_registers(struct tpm *tpm, struct registers *out, struct error *err)
{
    for (uint32_t left = (1u << TPM_REGISTERS) - 1; left != 0;)
        TRY(read_some(tpm, &left, out, err));
    return OK;
}

static json_t *registers_to_json(const struct registers *registers)
{
    json_t *list = json_array();
    for (size_t i = 0; i < TPM_REGISTERS; i++) {
        OWNED(mem_drop) char *hex = hex_of(SPAN_OF(registers->at[i]));
        json_add_new(list, json_string(hex));
    }
    return list;
}

/* ---- the quote ------------------------------------------------------------------------------- */

static enum outcome quote(struct tpm *tpm, struct span extra_data, struct evidence *out,
                          struct error *err)
{
    const TPML_PCR_SELECTION all = select_registers((1u << TPM_REGISTERS) - 1);
    const TPMT_SIG_SCHEME of_the_key = {.scheme = TPM2_ALG_NULL};
    OWNED(tpm_drop_answer) TPM2B_ATTEST *quoted = NULL;
    OWNED(tpm_drop_answer) TPMT_SIGNATURE *signature = NULL;
    TPM2B_DATA extra = {.size = (UINT16)extra_data.len};
    uint8_t raw[sizeof(TPMT_SIGNATURE)];
    size_t len = 0;
    if (extra_data.len > sizeof extra.buffer)
        return fail(err, ERR_INVALID, "a quote holds no %zu bytes", extra_data.len);
    memcpy(extra.buffer, extra_data.at, extra_data.len);
    TRY(tpm_said(Esys_Quote(tpm->esys, tpm->key, TPM_PASSWORD, &extra, &of_the_key, &all, &quoted,
                            &signature),
                 "making the quote", err));
    TRY(tpm_said(Tss2_MU_TPMT_SIGNATURE_Marshal(signature, raw, sizeof raw, &len),
                 "writing the quote's signature", err));
    out->quote = bytes_copy(SPAN(quoted->attestationData, quoted->size));
    out->signature = bytes_copy(SPAN(raw, len));
    return OK;
}

/* The quote's digest says whether a register was extended between quoting and reading. */
static enum outcome check_same(const struct evidence *made, const struct registers *registers,
                               struct error *err)
{
    struct tpm_quote read;
    uint8_t hash[SHA256_SIZE];
    TRY(tpm_quote_read(bytes_span(&made->quote), &read, err));
    digest(DIGEST_SHA256, SPAN_OF(registers->at), hash);
    if (!span_equal(read.pcr_digest, SPAN_OF(hash)))
        return fail_code(err, ERR_CONFLICT, "tpm-disturbed",
                         "the registers changed while they were quoted");
    return OK;
}

enum outcome tpm_attest(struct tpm *tpm, struct span extra_data, struct evidence *out,
                        struct error *err)
{
    for (int attempt = 1;; attempt++) {
        OWNED(evidence_done) struct evidence made = {0};
        struct registers registers = {0};
        TRY(quote(tpm, extra_data, &made, err));
        TRY(read_registers(tpm, &registers, err));
        enum outcome outcome = check_same(&made, &registers, err);
        if (outcome == ERR_CONFLICT && attempt < TPM_ATTEMPTS)
            continue;
        TRY(outcome);
        out->quote = bytes_take(&made.quote);
        out->signature = bytes_take(&made.signature);
        out->pcrs = registers_to_json(&registers);
        return OK;
    }
}
