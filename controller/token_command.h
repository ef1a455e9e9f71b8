/* `musterd token add` and `revoke`: the first token of an installation, any later one, and its end.
 */
#ifndef MUSTER_CONTROLLER_TOKEN_COMMAND_H
#define MUSTER_CONTROLLER_TOKEN_COMMAND_H

#include "lib/base/error.h"

/* argv[0] is "token"; gives the exit code. */
int token_command(int argc, char **argv);

#endif
