/* What every `verify` takes, whatever the kind: other roots, a time, conditions. */
#ifndef MUSTER_CLI_VERIFY_COMMON_H
#define MUSTER_CLI_VERIFY_COMMON_H

#include "cli/arguments.h"
#include "lib/base/clock.h"
#include "lib/model/policy.h"
#include "lib/model/verdict.h"

enum { VERIFY_FILE_MAX = 1 << 20, EXIT_TRUSTED = 0, EXIT_REJECTED = 3 };

/* As named on the command line; COMMON_ARGUMENTS(&paths) are the rows of the table. */
struct common_paths {
    struct argument_list root;
    const char *at;
    const char *expect;
    const char *policy;
};

/* clang-format off */
#define COMMON_ARGUMENTS(paths)                                                                    \
    {"--root", .list = &(paths)->root}, {"--at", .text = &(paths)->at},                            \
    {"--expect", .text = &(paths)->expect}, {"--policy", .text = &(paths)->policy}
/* clang-format on */

struct file_list {
    size_t count;
    struct bytes at[ARGUMENT_LIST_MAX];
};

void file_list_done(struct file_list *list);
/* Adds every file; a failure is ERR_INVALID, as for all that cannot be read. */
enum outcome file_list_read(const struct argument_list *paths, struct file_list *out,
                            struct error *err);

/* As read. */
struct common_files {
    struct file_list root;
    struct policy *policy; /* NULL: authenticity only */
    struct moment at;
};

void common_files_done(struct common_files *f); /* also for OWNED; fine on zeroes */
enum outcome common_files_read(const struct common_paths *paths, struct common_files *out,
                               struct error *err);

/* One JSON object; the exit code says the same. */
enum outcome print_verdict(const struct verdict *v, int *exit_code, struct error *err);

#endif
