/* The files that `verify` and `bench` take: report, certificates, lists, roots, policy, time. */
#ifndef MUSTER_CLI_EVIDENCE_FILES_H
#define MUSTER_CLI_EVIDENCE_FILES_H

#include "cli/arguments.h"
#include "lib/attest/judge.h"

/* As named on the command line. */
struct evidence_paths {
    struct argument_list report; /* bench takes several */
    const char *ek;
    struct argument_list ca;
    const char *cert_table;
    struct argument_list crl;
    struct argument_list root;
    const char *at;
    const char *expect;
    const char *policy;
};

struct file_list {
    size_t count;
    struct bytes at[ARGUMENT_LIST_MAX];
};

/* As read; the bundle borrows from the files. */
struct evidence_files {
    struct file_list report;
    struct file_list ca;
    struct file_list crl;
    struct file_list root;
    struct bytes ek;
    struct bytes cert_table;
    struct snp_roots *custom;
    struct policy *policy; /* NULL: authenticity only */
    struct moment at;
    struct snp_bundle bundle;
};

void evidence_files_done(struct evidence_files *f); /* also for OWNED; fine on zeroes */

/* Every failure is ERR_INVALID: what cannot be read is a wrong argument. */
enum outcome evidence_files_read(const struct evidence_paths *paths, struct evidence_files *out,
                                 struct error *err);
const struct snp_roots *evidence_files_roots(const struct evidence_files *f);

#endif
