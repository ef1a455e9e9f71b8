/* `muster explain CODE`: what a code of an answer, a verdict or a log means, and what to do. */
#ifndef MUSTER_CLI_EXPLAIN_H
#define MUSTER_CLI_EXPLAIN_H

#include <stddef.h>

struct explanation {
    const char *code;
    const char *meaning;
    const char *advice; /* NULL: nothing to do */
};

/* What verdicts say stands in lib/model/verdict.c; here is the rest. */
extern const struct explanation explanations[];
extern const size_t explanation_count;

/* argv[0] is "explain"; gives the exit code. */
int explain_main(int argc, char **argv);

#endif
