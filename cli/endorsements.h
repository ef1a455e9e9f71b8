/* `muster endorsements import|export DIR`: the chip maker's certificates and lists by way of a
 * folder, for networks that do not reach its service. */
#ifndef MUSTER_CLI_ENDORSEMENTS_H
#define MUSTER_CLI_ENDORSEMENTS_H

int endorsements_main(int argc, char **argv);

#endif
