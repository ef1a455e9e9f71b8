/* `muster status [FLEET] [--watch] [--every SECONDS]`: what the fleets are, in one table. */
#ifndef MUSTER_CLI_STATUS_H
#define MUSTER_CLI_STATUS_H

/* argv[0] is "status"; gives the exit code. */
int status_main(int argc, char **argv);

#endif
