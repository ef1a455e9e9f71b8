/* Run a program of the build and look at what it did. */
#ifndef MUSTER_TESTS_RUN_H
#define MUSTER_TESTS_RUN_H

#include "lib/base/bytes.h"

struct ran {
    int exit_code; /* 128 + signal when it was killed */
    struct bytes out;
    struct bytes err;
};

/* argv[0] is a path below the build folder ("cli/muster"); NULL-terminated. Nothing on standard
 * input. Fails the test when it takes longer than a minute. */
struct ran run(const char *const *argv);
void ran_done(struct ran *ran);

#endif
