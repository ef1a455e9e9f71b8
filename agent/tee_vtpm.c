#include "agent/tee_vtpm.h"

#include <stdlib.h>
#include <string.h>

#include "agent/boot_log.h"
#include "agent/tee.h"
#include "lib/crypto/der.h"
#include "lib/crypto/x509.h"

static enum outcome ask_report(const struct vtpm *vtpm, const struct evidence_binding *asked,
                               struct evidence *out, struct error *err)
{
    const struct tsm_wish wish = {
        .report_data = asked->digest, .privlevel = vtpm->privlevel, .svsm_vtpm = vtpm->svsm};
    return tsm_report(vtpm->files, vtpm->tsm_path, &wish, out, err);
}

/* An index may be larger than what was written to it. */
static enum outcome read_key_cert(const struct vtpm *vtpm, struct tpm *tpm, struct bytes *out,
                                  struct error *err)
{
    OWNED(bytes_done) struct bytes raw = {0};
    if (vtpm->key_cert == 0)
        return OK;
    TRY(tpm_nv_read(tpm, vtpm->key_cert, X509_DER_MAX, &raw, err));
    struct reader in = reader_of(bytes_span(&raw));
    der_next(&in, DER_SEQUENCE);
    if (in.ran_short)
        return fail_code(err, ERR_INVALID, "tpm-no-certificate", "index 0x%08x holds none",
                         vtpm->key_cert);
    *out = bytes_copy(span_part(bytes_span(&raw), 0, in.at));
    return OK;
}

static enum outcome make_quote(const struct vtpm *vtpm, const struct evidence_binding *asked,
                               struct evidence *out, struct error *err)
{
    uint8_t parts[BINDING_SIZE + SHA256_SIZE];
    uint8_t extra_data[SHA256_SIZE];
    OWNED(tpm_drop) struct tpm *tpm = NULL;
    memcpy(parts, asked->digest, BINDING_SIZE);
    digest(DIGEST_SHA256, bytes_span(&out->report), parts + BINDING_SIZE);
    digest(DIGEST_SHA256, SPAN_OF(parts), extra_data);
    TRY(tpm_open(vtpm->tpm, &tpm, err));
    TRY(tpm_use_key(tpm, &vtpm->key, &out->ak, err));
    TRY(read_key_cert(vtpm, tpm, &out->ak_cert, err));
    return tpm_attest(tpm, SPAN_OF(extra_data), out, err);
}

static enum outcome ask_document(const struct vtpm *vtpm, const struct evidence_binding *asked,
                                 struct evidence *out, struct error *err)
{
    OWNED(tpm_drop) struct tpm *tpm = NULL;
    TRY(tpm_open(vtpm->document_tpm, &tpm, err));
    return tpm_document(tpm, asked, &out->document, err);
}

enum outcome vtpm_prove(const struct vtpm *vtpm, const struct evidence_binding *asked,
                        struct evidence *out, struct error *err)
{
    TRY(ask_report(vtpm, asked, out, err));
    TRY(vtpm->document_tpm[0] != '\0' ? ask_document(vtpm, asked, out, err)
                                      : make_quote(vtpm, asked, out, err));
    boot_log_add(vtpm->event_log, out);
    return OK;
}

/* ---- the driver ------------------------------------------------------------------------------ */

static void driver_close(void *self)
{
    struct vtpm *vtpm = self;
    free(vtpm->tsm_path);
    free(vtpm->tpm);
    free(vtpm->document_tpm);
    free(vtpm->event_log);
    free(vtpm);
}
DROP(vtpm_drop, struct vtpm, driver_close)

static enum outcome driver_prove(void *self, const struct evidence_binding *asked,
                                 struct evidence *out, struct error *err)
{
    return vtpm_prove(self, asked, out, err);
}

/* Opening makes all of it right away, so that a machine that cannot says so at start. */
static enum outcome driver_open(const struct tee_places *places, void **out, struct error *err)
{
    OWNED(evidence_done) struct evidence first = {0};
    OWNED(vtpm_drop) struct vtpm *vtpm = NEW(struct vtpm);
    const struct evidence_binding nothing = {0};
    TRY(tpm_key_choice_parse(places->tpm_key, &vtpm->key, err));
    TRY(tpm_index_parse(places->tpm_key_cert, &vtpm->key_cert, err));
    vtpm->files = &tsm_kernel_files;
    vtpm->tsm_path = mem_text(places->tsm_path);
    vtpm->tpm = mem_text(places->tpm);
    vtpm->document_tpm = mem_text(places->tpm_document);
    vtpm->event_log = mem_text(places->event_log);
    vtpm->privlevel = places->privlevel;
    vtpm->svsm = places->svsm;
    TRY(vtpm_prove(vtpm, &nothing, &first, err));
    *out = TAKE(vtpm);
    return OK;
}

const struct tee_driver tee_vtpm_driver = {
    .name = "vtpm",
    .kind = EVIDENCE_SNP_VTPM,
    .open = driver_open,
    .close = driver_close,
    .report_size = TEE_REPORT_SIZE,
    .prove = driver_prove,
};
