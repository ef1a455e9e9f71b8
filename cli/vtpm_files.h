/* The files of a machine with a vTPM, as `verify` names them. */
#ifndef MUSTER_CLI_VTPM_FILES_H
#define MUSTER_CLI_VTPM_FILES_H

#include "cli/evidence_files.h"
#include "lib/attest/vtpm_judge.h"

/* As named; NULL: none. */
struct vtpm_paths {
    struct evidence_paths snp;
    const char *quote, *signature, *pcrs, *log, *ak, *ak_cert, *manifest, *document;
    struct argument_list document_root;
};

/* As read. */
struct vtpm_files {
    struct evidence_files snp;
    struct bytes quote, signature, log, ak, ak_cert, manifest, document;
    json_t *pcrs;
    struct nitro_roots roots;
    struct snp_endorsements *endorsements;
};

void vtpm_files_done(struct vtpm_files *f); /* also for OWNED; fine on zeroes */
enum outcome vtpm_files_read(const struct vtpm_paths *paths, struct vtpm_files *out,
                             struct error *err);
/* Evidence, endorsements, policy and time; what it must answer is the caller's to say. */
struct vtpm_input vtpm_files_input(const struct vtpm_files *f);

/* A list of registers, as a file; a NULL path reads nothing. */
enum outcome pcr_list_read(const char *path, json_t **out, struct error *err);
/* Roots of AWS's documents: those that are named, else AWS's own. */
enum outcome nitro_roots_read(const struct file_list *files, struct nitro_roots *out,
                              struct error *err);

#endif
