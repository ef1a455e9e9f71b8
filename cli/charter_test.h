/* `muster charter test`: unit tests of policies and grants, kept beside the charter. */
#ifndef MUSTER_CLI_CHARTER_TEST_H
#define MUSTER_CLI_CHARTER_TEST_H

#include "lib/base/error.h"

enum outcome charter_test(int argc, char **argv, int *exit_code, struct error *err);

#endif
