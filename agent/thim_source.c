#include "agent/thim_source.h"

#include "agent/helper.h"
#include "lib/attest/snp_report.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/crypto/x509.h"

enum { SPACING_MS = 60 * 1000, OLD_MS = 3600 * 1000 };

void thim_source_done(struct thim_source *source)
{
    thim_done(&source->kept);
    *source = (struct thim_source){0};
}

/* ---- the certificates ------------------------------------------------------------------------ */

static bool is_due(const struct thim_source *source, uint64_t tcb)
{
    const int64_t age_ms = clock_monotonic_ms() - source->asked_ms;
    if (source->asked_ms == 0)
        return true;
    const bool good = source->kept.ek.len > 0 && source->kept.tcb == tcb;
    return age_ms >= (good ? OLD_MS : SPACING_MS);
}

static enum outcome fetch(struct thim_source *source, struct error *err)
{
    OWNED(bytes_done) struct bytes answer = {0};
    struct thim got = {0};
    const char *const arguments[] = {source->program, source->url, NULL};
    const struct helper helper = {arguments, source->most_seconds, THIM_ANSWER_MAX};
    source->asked_ms = clock_monotonic_ms();
    TRY(helper_run(&helper, &answer, err));
    TRY(thim_parse(bytes_span(&answer), &got, err));
    thim_done(&source->kept);
    source->kept = got;
    return OK;
}

static enum outcome add(const struct thim_source *source, uint64_t tcb, struct evidence *out,
                        struct error *err)
{
    OWNED(x509_list_done) struct x509_list ek = {0};
    OWNED(x509_list_done) struct x509_list ca = {0};
    if (source->kept.ek.len == 0)
        return OK;
    if (source->kept.tcb != tcb)
        return fail_code(err, ERR_CONFLICT, "tcb-mismatch",
                         "the host's certificate is for another TCB than the report's");
    TRY(x509_list_read(&ek, bytes_span(&source->kept.ek), err));
    TRY(x509_list_read(&ca, bytes_span(&source->kept.ca), err));
    if (ek.count != 1 || ca.count > EVIDENCE_CA_MAX)
        return fail_code(err, ERR_INVALID, "malformed", "%zu keys and %zu authorities", ek.count,
                         ca.count);
    out->ek = bytes_copy(x509_der(ek.at[0]));
    for (size_t i = 0; i < ca.count; i++)
        out->ca[out->ca_count++] = bytes_copy(x509_der(ca.at[i]));
    return OK;
}

void thim_source_add(struct thim_source *source, struct evidence *out)
{
    struct error why = {0};
    struct snp_report report;
    if (source->url[0] == '\0' || snp_report_read(evidence_report(out), &report, NULL) != OK)
        return;
    enum outcome outcome = is_due(source, report.reported_tcb) ? fetch(source, &why) : OK;
    if (outcome == OK)
        outcome = add(source, report.reported_tcb, out, &why);
    if (outcome == OK)
        return;
    LOG(WARN, "certificates.left-out", TEXT("code", why.code), TEXT("why", why.text));
    if (why.outcome == ERR_INVALID)
        thim_done(&source->kept); /* no certificates: nothing to keep */
}
