/* `muster account ...` */
#ifndef MUSTER_CLI_ACCOUNT_H
#define MUSTER_CLI_ACCOUNT_H

/* argv[0] is "account"; gives the exit code. */
int account_main(int argc, char **argv);

#endif
