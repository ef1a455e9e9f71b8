/* `muster charter ...` */
#ifndef MUSTER_CLI_CHARTER_H
#define MUSTER_CLI_CHARTER_H

int charter_main(int argc, char **argv);

#endif
