/* The files that `verify` and `bench` take: report, certificates, lists, roots, policy, time. */
#ifndef MUSTER_CLI_EVIDENCE_FILES_H
#define MUSTER_CLI_EVIDENCE_FILES_H

#include "cli/verify_common.h"
#include "lib/attest/judge.h"

/* As named on the command line. */
struct evidence_paths {
    struct argument_list report; /* bench takes several */
    const char *ek;
    struct argument_list ca;
    const char *cert_table;
    struct argument_list crl;
    struct common_paths common;
};

/* As read; the bundle borrows from the files. */
struct evidence_files {
    struct file_list report;
    struct file_list ca;
    struct file_list crl;
    struct bytes ek;
    struct bytes cert_table;
    struct snp_roots *custom;
    struct common_files common;
    struct snp_bundle bundle;
};

void evidence_files_done(struct evidence_files *f); /* also for OWNED; fine on zeroes */

/* Every failure is ERR_INVALID: what cannot be read is a wrong argument. */
enum outcome evidence_files_read(const struct evidence_paths *paths, struct evidence_files *out,
                                 struct error *err);
const struct snp_roots *evidence_files_roots(const struct evidence_files *f);

#endif
