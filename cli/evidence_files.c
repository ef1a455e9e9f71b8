#include "cli/evidence_files.h"

void evidence_files_done(struct evidence_files *f)
{
    file_list_done(&f->report);
    file_list_done(&f->ca);
    file_list_done(&f->crl);
    bytes_done(&f->ek);
    bytes_done(&f->cert_table);
    snp_roots_free(f->custom);
    common_files_done(&f->common);
    *f = (struct evidence_files){0};
}

static enum outcome read_roots(struct evidence_files *f, struct error *err)
{
    struct span blobs[ARGUMENT_LIST_MAX];
    for (size_t i = 0; i < f->common.root.count; i++)
        blobs[i] = bytes_span(&f->common.root.at[i]);
    if (f->common.root.count == 0)
        return OK;
    if (snp_roots_custom(blobs, f->common.root.count, &f->custom, err) != OK)
        return error_context(err, "--root");
    return OK;
}

/* Which key a report names decides which certificate a table is asked for. */
static enum snp_signer wanted_signer(const struct evidence_files *f)
{
    struct snp_report report;
    if (f->report.count > 0 && snp_report_read(bytes_span(&f->report.at[0]), &report, NULL) == OK &&
        report.signing_key == SIGNER_VLEK)
        return SIGNER_VLEK;
    return SIGNER_VCEK;
}

static enum outcome fill_bundle(struct evidence_files *f, struct error *err)
{
    if (f->ca.count > SNP_BLOBS_MAX || f->crl.count > SNP_CRLS_MAX)
        return fail(err, ERR_INVALID, "too many certificates or lists: at most %d and %d",
                    SNP_BLOBS_MAX, SNP_CRLS_MAX);
    f->bundle = (struct snp_bundle){.ek = bytes_span(&f->ek),
                                    .cert_table = bytes_span(&f->cert_table),
                                    .wanted = wanted_signer(f)};
    for (size_t i = 0; i < f->ca.count; i++)
        f->bundle.ca[f->bundle.ca_count++] = bytes_span(&f->ca.at[i]);
    for (size_t i = 0; i < f->crl.count; i++)
        f->bundle.crl[f->bundle.crl_count++] = bytes_span(&f->crl.at[i]);
    return OK;
}

enum outcome evidence_files_read(const struct evidence_paths *paths, struct evidence_files *out,
                                 struct error *err)
{
    TRY(common_files_read(&paths->common, &out->common, err));
    TRY(file_list_read(&paths->report, &out->report, err));
    TRY(file_list_read(&paths->ca, &out->ca, err));
    TRY(file_list_read(&paths->crl, &out->crl, err));
    TRY(argument_file(paths->ek, VERIFY_FILE_MAX, &out->ek, err));
    TRY(argument_file(paths->cert_table, VERIFY_FILE_MAX, &out->cert_table, err));
    TRY(read_roots(out, err));
    return fill_bundle(out, err);
}

const struct snp_roots *evidence_files_roots(const struct evidence_files *f)
{
    return f->custom != NULL ? f->custom : snp_roots_amd();
}
