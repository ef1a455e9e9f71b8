/* What every command that talks to a controller takes: where it is, how to know it, who we are, and
 * how to print. Options may stand anywhere on the line; the rest is the command's own. */
#ifndef MUSTER_CLI_OPTIONS_H
#define MUSTER_CLI_OPTIONS_H

#include "lib/base/bytes.h"

enum { WORDS_MAX = 64, TOKEN_MAX = 4096 };

enum output { OUTPUT_TABLE, OUTPUT_JSON };

struct cli_options {
    const char *server;  /* --server or MUSTER_SERVER: https://host:port */
    const char *ca_file; /* --ca or MUSTER_CA: PEM; NULL is the system's */
    struct bytes token;  /* --token-file, MUSTER_TOKEN or MUSTER_TOKEN_FILE; without line end */
    enum output output;  /* -o json|table */
    char *words[WORDS_MAX + 1]; /* what was left, in order; NULL at the end */
    int word_count;
};

void cli_options_done(struct cli_options *o);

/* ERR_INVALID for options without a value or unknown values; unknown options stay among the words.
 */
enum outcome cli_options_parse(int argc, char **argv, struct cli_options *out, struct error *err);

/* One line on standard error, and the exit code. */
int cli_fail(const struct error *err);

#endif
