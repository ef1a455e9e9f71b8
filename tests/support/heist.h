/* Attacks on a keeper by its own controller, as rows: a guest is trusted, a secret of the row's
 * grant is there, and then the row acts. */
#ifndef MUSTER_TESTS_HEIST_H
#define MUSTER_TESTS_HEIST_H

#include "tests/support/deployment.h"
#include "tests/support/test.h"

struct attack;

struct heist {
    const struct attack *attack;
    struct deployment *d;
    struct guest g;
    struct guest other; /* of another instance, not attested yet */
    struct stored s;
    char *token; /* that the attack shows in place of the guest's last one */
};

struct attack {
    const char *name;
    enum psp_flavour flavour; /* of both guests; under direct boot each has an anchor of its own */
    const char *grant;
    struct release_wish (*act)(struct heist *h); /* and what is asked for in the end */
    const char *code;                            /* NULL: that is released */
};

struct CMUnitTest heist_test(const struct attack *attack);

struct release_wish heist_ask(struct heist *h); /* as an honest controller would */
/* With this token, which the heist then owns. */
struct release_wish heist_ask_with(struct heist *h, char *token);
/* A second deployment beside the heist's, for deployment_free(). */
struct deployment *heist_elsewhere(void);

#endif
