/* `muster verify KIND ...`: appraise evidence from files, offline. */
#ifndef MUSTER_CLI_VERIFY_H
#define MUSTER_CLI_VERIFY_H

/* argv[0] is "verify"; gives the exit code: 0 trusted, 3 rejected, 2 used wrongly. */
int verify_main(int argc, char **argv);

#endif
