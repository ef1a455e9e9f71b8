/* Options of a command, read through a table. `--name value` and `--name=value`. */
#ifndef MUSTER_CLI_ARGUMENTS_H
#define MUSTER_CLI_ARGUMENTS_H

#include "lib/base/bytes.h"

enum { ARGUMENT_LIST_MAX = 16 };

struct argument_list {
    size_t count;
    const char *at[ARGUMENT_LIST_MAX];
};

/* One option; exactly one of the targets is set. */
struct argument {
    const char *name; /* "--report" */
    const char **text;
    struct argument_list *list; /* may come again and again */
    bool *flag;                 /* takes no value */
};

/* Reads argv[from..]. ERR_INVALID for what the table does not know, a missing value, an option
 * twice. Targets keep what they held when their option is absent. */
enum outcome arguments_read(int argc, char **argv, int from, const struct argument *table,
                            size_t count, struct error *err);

/* The file an option names, whole; a NULL path reads nothing. What cannot be read is a wrong
 * argument: ERR_INVALID with the reader's own code. */
enum outcome argument_file(const char *path, size_t most, struct bytes *out, struct error *err);

/* Numbers of options; an absent option (NULL) leaves `out` as it was. In hex with or without "0x".
 */
enum outcome argument_number(const char *name, const char *text, int64_t most, int64_t *out,
                             struct error *err);
enum outcome argument_hex_number(const char *name, const char *text, uint64_t most, uint64_t *out,
                                 struct error *err);

/* For every command: one line on standard error, and the exit code of the outcome. A file that is
 * not there or cannot be used is a wrong argument. */
int command_failed(const struct error *err);

/* Prints to standard output; ERR_INTERNAL when it is gone. */
enum outcome print_line(const char *text, struct error *err);

#endif
