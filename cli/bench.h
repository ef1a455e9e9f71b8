/* `muster bench WHAT ...`: how fast this machine does it. */
#ifndef MUSTER_CLI_BENCH_H
#define MUSTER_CLI_BENCH_H

/* argv[0] is "bench"; gives the exit code. */
int bench_main(int argc, char **argv);

#endif
