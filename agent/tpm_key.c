#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_mu.h>

#include "agent/tpm_inside.h"

/* ---- which ----------------------------------------------------------------------------------- */

/* Of that kind (TPM2_HT_...), in eight digits. */
static bool read_handle(const char *text, uint32_t kind, uint32_t *out)
{
    char *end;
    if (strncmp(text, "0x", 2) != 0 || strspn(text + 2, "0123456789abcdefABCDEF") != 8)
        return false;
    *out = (uint32_t)strtoul(text + 2, &end, 16);
    return *end == '\0' && *out >> TPM2_HR_SHIFT == kind;
}

enum outcome tpm_index_parse(const char *text, uint32_t *out, struct error *err)
{
    *out = 0;
    if (text[0] != '\0' && !read_handle(text, TPM2_HT_NV_INDEX, out))
        return fail_code(err, ERR_INVALID, "bad-setting", "'%.40s' is no index (0x01......)", text);
    return OK;
}

enum outcome tpm_key_choice_parse(const char *text, struct tpm_key_choice *out, struct error *err)
{
    static const char template[] = "template ";
    *out = (struct tpm_key_choice){.from = TPM_KEY_MADE};
    if (strcmp(text, "make") == 0)
        return OK;
    if (strncmp(text, template, strlen(template)) == 0) {
        out->from = TPM_KEY_TEMPLATE;
        text += strlen(template);
    } else {
        out->from = TPM_KEY_PERSISTENT;
    }
    const uint32_t kind = out->from == TPM_KEY_TEMPLATE ? TPM2_HT_NV_INDEX : TPM2_HT_PERSISTENT;
    if (!read_handle(text, kind, &out->at))
        return fail_code(err, ERR_INVALID, "bad-setting",
                         "'%.40s' is neither 'make', a persistent handle (0x81......), nor "
                         "'template' with an index (0x01......)",
                         text);
    return OK;
}

/* ---- making one ------------------------------------------------------------------------------ */

/* Signs what the TPM itself says and nothing else, and never leaves it. */
static const TPMT_PUBLIC own_template = {
    .type = TPM2_ALG_ECC,
    .nameAlg = TPM2_ALG_SHA256,
    .objectAttributes = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_FIXEDTPM |
                        TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |
                        TPMA_OBJECT_USERWITHAUTH,
    .parameters.eccDetail = {
        .symmetric.algorithm = TPM2_ALG_NULL,
        .scheme = {.scheme = TPM2_ALG_ECDSA, .details.ecdsa.hashAlg = TPM2_ALG_SHA256},
        .curveID = TPM2_ECC_NIST_P256,
        .kdf.scheme = TPM2_ALG_NULL,
    }};

static enum outcome read_template(struct tpm *tpm, uint32_t index, TPMT_PUBLIC *out,
                                  struct error *err)
{
    OWNED(bytes_done) struct bytes raw = {0};
    size_t at = 0;
    TRY(tpm_nv_read(tpm, index, sizeof(TPMT_PUBLIC), &raw, err));
    return tpm_said(Tss2_MU_TPMT_PUBLIC_Unmarshal(raw.at, raw.len, &at, out), "reading a template",
                    err);
}

static enum outcome make(struct tpm *tpm, const TPMT_PUBLIC *template, struct error *err)
{
    const TPM2B_SENSITIVE_CREATE no_password = {0};
    const TPM2B_DATA nothing = {0};
    const TPML_PCR_SELECTION no_registers = {0};
    const TPM2B_PUBLIC wanted = {.publicArea = *template};
    OWNED(tpm_drop_answer) TPM2B_PUBLIC *public = NULL;
    OWNED(tpm_drop_answer) TPM2B_CREATION_DATA *data = NULL;
    OWNED(tpm_drop_answer) TPM2B_DIGEST *hash = NULL;
    OWNED(tpm_drop_answer) TPMT_TK_CREATION *ticket = NULL;
    TRY(tpm_said(Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_ENDORSEMENT, TPM_PASSWORD, &no_password,
                                    &wanted, &nothing, &no_registers, &tpm->key, &public, &data,
                                    &hash, &ticket),
                 "making a key", err));
    tpm->key_is_made = true;
    return OK;
}

/* ---- using it -------------------------------------------------------------------------------- */

static enum outcome get_key(struct tpm *tpm, const struct tpm_key_choice *choice, struct error *err)
{
    TPMT_PUBLIC template;
    switch (choice->from) {
    case TPM_KEY_PERSISTENT:
        return tpm_find(tpm, choice->at, &tpm->key, err);
    case TPM_KEY_TEMPLATE:
        TRY(read_template(tpm, choice->at, &template, err));
        return make(tpm, &template, err);
    case TPM_KEY_MADE:
        break;
    }
    return make(tpm, &own_template, err);
}

enum outcome tpm_use_key(struct tpm *tpm, const struct tpm_key_choice *choice,
                         struct bytes *out_public, struct error *err)
{
    OWNED(tpm_drop_answer) TPM2B_PUBLIC *public = NULL;
    OWNED(tpm_drop_answer) TPM2B_NAME *name = NULL;
    OWNED(tpm_drop_answer) TPM2B_NAME *qualified = NULL;
    uint8_t raw[sizeof(TPMT_PUBLIC)];
    size_t len = 0;
    TRY(get_key(tpm, choice, err));
    TRY(tpm_said(Esys_ReadPublic(tpm->esys, tpm->key, TPM_NO_SESSION, &public, &name, &qualified),
                 "reading a key", err));
    TRY(tpm_said(Tss2_MU_TPMT_PUBLIC_Marshal(&public->publicArea, raw, sizeof raw, &len),
                 "writing a key", err));
    bytes_done(out_public);
    *out_public = bytes_copy(SPAN(raw, len));
    return OK;
}
