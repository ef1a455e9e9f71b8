/* `muster explain CODE`: what a code of an answer, a verdict or a log means, and what to do. */
#ifndef MUSTER_CLI_EXPLAIN_H
#define MUSTER_CLI_EXPLAIN_H

/* argv[0] is "explain"; gives the exit code. */
int explain_main(int argc, char **argv);

#endif
