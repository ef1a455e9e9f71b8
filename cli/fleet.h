/* `muster fleet check`, which needs no controller. */
#ifndef MUSTER_CLI_FLEET_H
#define MUSTER_CLI_FLEET_H

int fleet_main(int argc, char **argv);

#endif
