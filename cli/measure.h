/* `muster measure`: launch digests and ID blocks from files, without a network. */
#ifndef MUSTER_CLI_MEASURE_H
#define MUSTER_CLI_MEASURE_H

int measure_main(int argc, char **argv);

#endif
