/* `muster keeper ...` */
#ifndef MUSTER_CLI_KEEPER_H
#define MUSTER_CLI_KEEPER_H

int keeper_main(int argc, char **argv);

#endif
