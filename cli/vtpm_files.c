#include "cli/vtpm_files.h"

void vtpm_files_done(struct vtpm_files *f)
{
    struct bytes *const blobs[] = {&f->quote,   &f->signature, &f->log,     &f->ak,
                                   &f->ak_cert, &f->manifest,  &f->document};
    for (size_t i = 0; i < countof(blobs); i++)
        bytes_done(blobs[i]);
    snp_endorsements_free(f->endorsements);
    evidence_files_done(&f->snp);
    json_decref(f->pcrs);
}

enum outcome pcr_list_read(const char *path, json_t **out, struct error *err)
{
    OWNED(bytes_done) struct bytes text = {0};
    if (path == NULL)
        return OK;
    TRY(argument_file(path, VERIFY_FILE_MAX, &text, err));
    if (json_parse(bytes_span(&text), VERIFY_FILE_MAX, out, err) != OK)
        return error_context(err, "%.200s", path);
    return OK;
}

enum outcome nitro_roots_read(const struct file_list *files, struct nitro_roots *out,
                              struct error *err)
{
    *out = nitro_roots_aws;
    if (files->count > 0)
        *out = (struct nitro_roots){0};
    for (size_t i = 0; i < files->count; i++)
        TRY(nitro_roots_add(out, bytes_span(&files->at[i]), err));
    return OK;
}

static enum outcome read_document_roots(const struct vtpm_paths *paths, struct vtpm_files *out,
                                        struct error *err)
{
    OWNED(file_list_done) struct file_list roots = {0};
    TRY(file_list_read(&paths->document_root, &roots, err));
    return nitro_roots_read(&roots, &out->roots, err);
}

enum outcome vtpm_files_read(const struct vtpm_paths *paths, struct vtpm_files *out,
                             struct error *err)
{
    TRY(evidence_files_read(&paths->snp, &out->snp, err));
    TRY(argument_file(paths->quote, VERIFY_FILE_MAX, &out->quote, err));
    TRY(argument_file(paths->signature, VERIFY_FILE_MAX, &out->signature, err));
    TRY(argument_file(paths->log, VERIFY_FILE_MAX, &out->log, err));
    TRY(argument_file(paths->ak, VERIFY_FILE_MAX, &out->ak, err));
    TRY(argument_file(paths->ak_cert, VERIFY_FILE_MAX, &out->ak_cert, err));
    TRY(argument_file(paths->manifest, VERIFY_FILE_MAX, &out->manifest, err));
    TRY(argument_file(paths->document, VERIFY_FILE_MAX, &out->document, err));
    TRY(pcr_list_read(paths->pcrs, &out->pcrs, err));
    TRY(read_document_roots(paths, out, err));
    out->endorsements = snp_endorse(&out->snp.bundle, evidence_files_roots(&out->snp));
    return OK;
}

struct vtpm_input vtpm_files_input(const struct vtpm_files *f)
{
    return (struct vtpm_input){
        .report = bytes_span(&f->snp.report.at[0]),
        .quote = bytes_span(&f->quote),
        .signature = bytes_span(&f->signature),
        .pcrs = f->pcrs,
        .log = bytes_span(&f->log),
        .ak = bytes_span(&f->ak),
        .ak_cert = bytes_span(&f->ak_cert),
        .manifest = bytes_span(&f->manifest),
        .document = bytes_span(&f->document),
        .nitro_roots = &f->roots,
        .endorsements = f->endorsements,
        .policy = f->snp.common.policy,
        .at = f->snp.common.at,
    };
}
