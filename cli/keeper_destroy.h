/* Writing and signing the order that declares machines and keys destroyed: offline, as many people
 * as sign a charter (lib/model/destroy_order.h). */
#ifndef MUSTER_CLI_KEEPER_DESTROY_H
#define MUSTER_CLI_KEEPER_DESTROY_H

#include "lib/base/error.h"

/* `muster keeper destroy-order ...`; argv[1] is the verb. */
enum outcome keeper_destroy_order(int argc, char **argv, struct error *err);

#endif
