#include "cli/evidence_files.h"

#include <stdlib.h>

enum { SMALL_FILE_MAX = 1 << 20 };

static void list_done(struct file_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        bytes_done(&list->at[i]);
    list->count = 0;
}

void evidence_files_done(struct evidence_files *f)
{
    list_done(&f->report);
    list_done(&f->ca);
    list_done(&f->crl);
    list_done(&f->root);
    bytes_done(&f->ek);
    bytes_done(&f->cert_table);
    snp_roots_free(f->custom);
    free(f->policy);
    *f = (struct evidence_files){0};
}

static enum outcome read_file(const char *path, struct bytes *out, struct error *err)
{
    return argument_file(path, SMALL_FILE_MAX, out, err);
}

static enum outcome read_list(const struct argument_list *paths, struct file_list *out,
                              struct error *err)
{
    for (size_t i = 0; i < paths->count; i++) {
        TRY(read_file(paths->at[i], &out->at[i], err));
        out->count = i + 1;
    }
    return OK;
}

static enum outcome read_roots(struct evidence_files *f, struct error *err)
{
    struct span blobs[ARGUMENT_LIST_MAX];
    for (size_t i = 0; i < f->root.count; i++)
        blobs[i] = bytes_span(&f->root.at[i]);
    if (f->root.count == 0)
        return OK;
    if (snp_roots_custom(blobs, f->root.count, &f->custom, err) != OK)
        return error_context(err, "--root");
    return OK;
}

static enum outcome read_policy(const struct evidence_paths *paths, struct evidence_files *f,
                                struct error *err)
{
    if (paths->expect != NULL && paths->policy != NULL)
        return fail(err, ERR_INVALID, "--expect and --policy exclude each other");
    const char *path = paths->expect != NULL ? paths->expect : paths->policy;
    if (path == NULL)
        return OK;
    OWNED(bytes_done) struct bytes text = {0};
    TRY(read_file(path, &text, err));
    f->policy = NEW(struct policy);
    const enum policy_mode mode = paths->policy != NULL ? POLICY_WHOLE : POLICY_EXPECT;
    if (policy_parse(bytes_span(&text), mode, f->policy, err) != OK)
        return error_context(err, "%.200s", path);
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
    if (paths->report.count == 0)
        return fail(err, ERR_INVALID, "--report FILE is needed");
    out->at = clock_now();
    if (paths->at != NULL && moment_parse(paths->at, &out->at, err) != OK)
        return error_context(err, "--at");
    TRY(read_list(&paths->report, &out->report, err));
    TRY(read_list(&paths->ca, &out->ca, err));
    TRY(read_list(&paths->crl, &out->crl, err));
    TRY(read_list(&paths->root, &out->root, err));
    TRY(read_file(paths->ek, &out->ek, err));
    TRY(read_file(paths->cert_table, &out->cert_table, err));
    TRY(read_roots(out, err));
    TRY(read_policy(paths, out, err));
    return fill_bundle(out, err);
}

const struct snp_roots *evidence_files_roots(const struct evidence_files *f)
{
    return f->custom != NULL ? f->custom : snp_roots_amd();
}
