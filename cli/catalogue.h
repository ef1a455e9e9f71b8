/* `muster catalogue check` and `sign`, which need no controller. */
#ifndef MUSTER_CLI_CATALOGUE_H
#define MUSTER_CLI_CATALOGUE_H

int catalogue_main(int argc, char **argv);

#endif
