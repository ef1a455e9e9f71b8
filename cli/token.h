/* Tokens of keepers as others check them: offline, under the deployment root. */
#ifndef MUSTER_CLI_TOKEN_H
#define MUSTER_CLI_TOKEN_H

/* `muster token verify ...`; argv[0] is "token". Answers the exit code. */
int token_main(int argc, char **argv);

#endif
