/* A TPM 2.0 over tpm2-tss: indices, a key, a quote over the registers. A connection serves one
 * piece of evidence and is closed again, so that nothing is kept in the TPM and one that went away
 * is found anew the next time. Calls block for as long as the TPM's driver lets a command run.
 *
 * Every call: ERR_NOT_FOUND "tpm-lacks", ERR_THROTTLED "tpm-lockout" and "tpm-busy", ERR_DENIED
 * "tpm-denied", ERR_UNREACHABLE "tpm-gone", ERR_INTERNAL "tpm-failed". */
#ifndef MUSTER_AGENT_TPM_H
#define MUSTER_AGENT_TPM_H

#include "lib/attest/evidence.h"

struct tpm;

/* By tpm2-tss's name for it: "device:/dev/tpmrm0". ERR_NOT_FOUND "tpm-missing". */
enum outcome tpm_open(const char *tcti, struct tpm **out, struct error *err);
void tpm_close(struct tpm *tpm);
DROP(tpm_drop, struct tpm, tpm_close)

/* ---- indices, by the owner's empty password -------------------------------------------------- */

/* ERR_INVALID "tpm-too-large": the index is larger than `most`. */
enum outcome tpm_nv_read(struct tpm *tpm, uint32_t index, size_t most, struct bytes *out,
                         struct error *err);
/* From its beginning; the index is defined, of that size, where there is none. */
enum outcome tpm_nv_write(struct tpm *tpm, uint32_t index, struct span content, struct error *err);

/* ---- the key that signs ---------------------------------------------------------------------- */

/* A persistent one by its handle; one made anew from the template in an index; one made from our
 * own template (P-256). Those that are made are the same each time, for the TPM derives them. */
enum tpm_key_from { TPM_KEY_PERSISTENT, TPM_KEY_TEMPLATE, TPM_KEY_MADE };

struct tpm_key_choice {
    enum tpm_key_from from;
    uint32_t at;
};

/* "0x81000003", "template 0x01c10001", "make". ERR_INVALID "bad-setting". */
enum outcome tpm_key_choice_parse(const char *text, struct tpm_key_choice *out, struct error *err);

/* Of an index, as above; 0 for "". ERR_INVALID "bad-setting". */
enum outcome tpm_index_parse(const char *text, uint32_t *out, struct error *err);

/* Until the connection is closed. `out_public` is its TPMT_PUBLIC. */
enum outcome tpm_use_key(struct tpm *tpm, const struct tpm_key_choice *choice,
                         struct bytes *out_public, struct error *err);

/* ---- the quote ------------------------------------------------------------------------------- */

enum { TPM_ATTEMPTS = 5, TPM_REGISTERS = 24 };

/* Adds quote, signature (TPMT_SIGNATURE) and the SHA-256 registers that the quote's digest is over.
 * ERR_CONFLICT "tpm-disturbed": they changed in between, each of TPM_ATTEMPTS times. */
enum outcome tpm_attest(struct tpm *tpm, struct span extra_data, struct evidence *out,
                        struct error *err);

/* ---- a NitroTPM's document ------------------------------------------------------------------- */

/* Over binding and nonce, by the security module behind the TPMs of AWS. The connection must be to
 * the TPM itself ("device:/dev/tpm0"), for the kernel's sharing of it knows no makers' commands.
 * ERR_NOT_FOUND "tpm-lacks": no NitroTPM. ERR_CONFLICT "tpm-index-taken". Also as nsm_attest(). */
enum outcome tpm_document(struct tpm *tpm, const struct evidence_binding *asked, struct bytes *out,
                          struct error *err);

#endif
