/* Writing and signing the order that gives a keeper a new memory: offline, two people, one after
 * the other (lib/model/reset_order.h). */
#ifndef MUSTER_CLI_KEEPER_RESET_H
#define MUSTER_CLI_KEEPER_RESET_H

#include "lib/base/error.h"

/* `muster keeper reset-order ...`; argv[1] is the verb. */
enum outcome keeper_reset_order(int argc, char **argv, struct error *err);

#endif
