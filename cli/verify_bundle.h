#ifndef MUSTER_CLI_VERIFY_BUNDLE_H
#define MUSTER_CLI_VERIFY_BUNDLE_H

#include "lib/base/error.h"

/* `muster verify bundle`: argv[1] is "bundle". */
enum outcome verify_bundle(int argc, char **argv, int *exit_code, struct error *err);

#endif
