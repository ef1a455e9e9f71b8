/* Azure: the paravisor keeps its report in an index of the vTPM and vouches in it for the vTPM's
 * key, which signs the answer to the challenge (Azure, "Guest attestation"). */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "agent/boot_log.h"
#include "agent/tee.h"
#include "agent/thim_source.h"
#include "agent/tpm.h"
#include "lib/attest/hcl_report.h"
#include "lib/attest/tpm_quote.h"
#include "lib/base/clock.h"

#define NV_REPORT 0x01400001u
#define NV_USER_DATA 0x01400002u /* written to, the paravisor makes a new report over it */
#define KEY_HANDLE 0x81000003u

enum { NEW_REPORT_MS = 10000, NEW_REPORT_LOOK_MS = 100, TPM_ALG_RSASSA = 0x0014 };

struct azure {
    char *tpm;
    char *event_log;
    bool report_now;
    char *thim_program;
    char *thim_url;
    struct thim_source thim; /* borrows the two */
};

static void azure_close(void *self)
{
    struct azure *azure = self;
    free(azure->tpm);
    free(azure->event_log);
    free(azure->thim_program);
    free(azure->thim_url);
    thim_source_done(&azure->thim);
    free(azure);
}
DROP(azure_drop, struct azure, azure_close)

/* ---- the report ------------------------------------------------------------------------------ */

static bool is_over(struct span hcl, const struct evidence_binding *asked)
{
    struct hcl_report report;
    OWNED(hcl_claims_done) struct hcl_claims claims = {.vm_id = ""};
    uint8_t said[BINDING_SIZE];
    return hcl_report_read(hcl, &report, NULL) == OK &&
           hcl_claims_read(report.claims, &claims, NULL) == OK &&
           json_get_hex(claims.json, "", "user-data", said, sizeof said, NULL) == OK &&
           memcmp(said, asked->digest, sizeof said) == 0;
}

/* The one of the boot, or one made now, which shows where the machine runs today. */
static enum outcome read_report(const struct azure *azure, struct tpm *tpm,
                                const struct evidence_binding *asked, struct bytes *out,
                                struct error *err)
{
    if (!azure->report_now)
        return tpm_nv_read(tpm, NV_REPORT, HCL_REPORT_MAX, out, err);
    const int64_t deadline = clock_monotonic_ms() + NEW_REPORT_MS;
    TRY(tpm_nv_write(tpm, NV_USER_DATA, SPAN_OF(asked->digest), err));
    for (;;) {
        TRY(tpm_nv_read(tpm, NV_REPORT, HCL_REPORT_MAX, out, err));
        if (is_over(bytes_span(out), asked))
            return OK;
        if (clock_monotonic_ms() > deadline)
            return fail_code(err, ERR_UNREACHABLE, "no-new-report",
                             "the paravisor made no new report in %d s", NEW_REPORT_MS / 1000);
        poll(NULL, 0, NEW_REPORT_LOOK_MS);
    }
}

/* ---- the quote ------------------------------------------------------------------------------- */

/* The envelope has the bare number of PKCS #1, not the TPM's wrapper around it. */
static enum outcome unwrap_signature(struct bytes *signature, struct error *err)
{
    struct reader in = reader_of(bytes_span(signature));
    const uint16_t scheme = read_u16be(&in);
    const uint16_t hash = read_u16be(&in);
    const struct span number = read_span(&in, read_u16be(&in));
    if (scheme != TPM_ALG_RSASSA || hash != TPM_ALG_SHA256 || reader_end(&in, NULL) != OK)
        return fail_code(err, ERR_INVALID, "tpm-wrong-key",
                         "the TPM's key signs by scheme 0x%04x and hash 0x%04x", scheme, hash);
    struct bytes bare = bytes_copy(number);
    bytes_done(signature);
    *signature = bare;
    return OK;
}

static enum outcome make_quote(struct tpm *tpm, const struct evidence_binding *asked,
                               struct evidence *out, struct error *err)
{
    static const struct tpm_key_choice key = {TPM_KEY_PERSISTENT, KEY_HANDLE};
    OWNED(bytes_done) struct bytes public = {0};
    uint8_t extra_data[SHA256_SIZE];
    digest(DIGEST_SHA256, SPAN_OF(asked->digest), extra_data);
    TRY(tpm_use_key(tpm, &key, &public, err));
    TRY(tpm_attest(tpm, SPAN_OF(extra_data), out, err));
    return unwrap_signature(&out->signature, err);
}

static enum outcome azure_prove(void *self, const struct evidence_binding *asked,
                                struct evidence *out, struct error *err)
{
    struct azure *azure = self;
    OWNED(tpm_drop) struct tpm *tpm = NULL;
    TRY(tpm_open(azure->tpm, &tpm, err));
    TRY(read_report(azure, tpm, asked, &out->hcl, err));
    TRY(make_quote(tpm, asked, out, err));
    boot_log_add(azure->event_log, out);
    thim_source_add(&azure->thim, out);
    return OK;
}

static enum outcome read_when(const char *word, bool *out_now, struct error *err)
{
    *out_now = strcmp(word, "now") == 0;
    if (!*out_now && strcmp(word, "boot") != 0)
        return fail_code(err, ERR_INVALID, "bad-setting", "report-from is boot or now, not '%.20s'",
                         word);
    return OK;
}

/* Opening quotes right away, so that what is no such machine says so at start; the host is not
 * asked for certificates yet. */
static enum outcome azure_open(const struct tee_places *places, void **out, struct error *err)
{
    OWNED(evidence_done) struct evidence first = {.kind = EVIDENCE_SNP_AZURE};
    OWNED(azure_drop) struct azure *azure = NEW(struct azure);
    const struct evidence_binding nothing = {0};
    bool now;
    TRY(read_when(places->report_from, &now, err));
    azure->tpm = mem_text(places->tpm);
    azure->event_log = mem_text(places->event_log);
    azure->thim_program = mem_text(places->thim_program);
    azure->thim_url = mem_text(places->thim_url);
    azure->thim.url = "";
    TRY(azure_prove(azure, &nothing, &first, err));
    azure->report_now = now;
    azure->thim = (struct thim_source){.program = azure->thim_program,
                                       .url = azure->thim_url,
                                       .most_seconds = places->thim_seconds};
    *out = TAKE(azure);
    return OK;
}

const struct tee_driver tee_azure_driver = {
    .name = "azure",
    .kind = EVIDENCE_SNP_AZURE,
    .open = azure_open,
    .close = azure_close,
    .prove = azure_prove,
};
