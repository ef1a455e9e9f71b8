#include "controller/bundles.h"

#include "db/audit_store.h"
#include "db/charter_store.h"
#include "db/instance_history.h"

static enum outcome gather_charter(struct db *db, const struct verdict_row *row, struct bundle *out,
                                   struct error *err)
{
    OWNED(charter_row_done) struct charter_row charter = {0};
    enum outcome outcome = charter_store_find(db, row->project, row->charter_serial, &charter, err);
    if (outcome == ERR_NOT_FOUND)
        return fail_code(err, ERR_CONFLICT, "charter-not-kept",
                         "the charter with serial %lld never came through this controller",
                         (long long)row->charter_serial);
    TRY(outcome);
    bytes_add(&out->charter, span_of_text(charter.jws));
    return OK;
}

static enum outcome gather_evidence(struct db *db, const struct verdict_row *row,
                                    struct bundle *out, struct error *err)
{
    char kind[32];
    TRY(evidence_store_find(db, row->evidence_digest, &out->evidence, kind, err));
    if (span_is_zero(SPAN_OF(row->crl_digest)))
        return OK;
    return evidence_store_find(db, row->crl_digest, &out->crl, kind, err);
}

static enum outcome gather_audit(struct db *db, const struct verdict_row *row, struct bundle *out,
                                 struct error *err)
{
    OWNED(audit_entry_list_done) struct audit_entry_list list = {0};
    TRY(audit_store_verdict(db, row->project, instance_object(&row->instance).at, row->audit_id,
                            &row->id, &list, err));
    out->audit = json_array();
    for (size_t i = 0; i < list.count && i < BUNDLE_AUDIT_MAX && list.at[i].number > 0; i++)
        json_add_new(out->audit, record_to_json(&audit_record, &list.at[i]));
    if (json_array_size(out->audit) == 0)
        return fail_code(err, ERR_CONFLICT, "audit-unsealed",
                         "the verdict's entry is not in the chain of the audit trail yet");
    return OK;
}

static enum outcome gather(struct db *db, const struct verdict_row *row, struct bundle *out,
                           struct error *err)
{
    if (row->testimony == NULL)
        return fail_code(err, ERR_CONFLICT, "no-testimony",
                         "the keeper left no testimony for the books with this verdict");
    TRY(gather_evidence(db, row, out, err));
    TRY(gather_charter(db, row, out, err));
    TRY(gather_audit(db, row, out, err));
    out->testimony = mem_text(row->testimony);
    out->testimony_cert = bytes_copy(bytes_span(&row->testimony_cert));
    out->claims = json_incref(row->claims);
    out->checks = json_incref(row->checks);
    return text_copy(out->version, sizeof out->version, PACKAGE_VERSION, "/version", err);
}

enum outcome bundle_gather(struct db *db, const struct verdict_row *row, struct bundle *out,
                           struct error *err)
{
    enum outcome outcome = gather(db, row, out, err);
    if (outcome != OK)
        bundle_done(out);
    return outcome;
}
