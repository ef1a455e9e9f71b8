/* `muster machines [NAME] [--dot]`: the state machines, as tables or for Graphviz. */
#ifndef MUSTER_CLI_MACHINES_H
#define MUSTER_CLI_MACHINES_H

/* argv[0] is "machines"; gives the exit code. */
int machines_main(int argc, char **argv);

#endif
