/* Whose the credentials are that a cloud's face takes: of the account that muster-sim began with,
 * until somebody says that they are another's. It is as if a profile, a role or a key file had been
 * changed under whoever signs in with it. */
#ifndef MUSTER_EMULATOR_WHOSE_H
#define MUSTER_EMULATOR_WHOSE_H

#include "emulator/arm_api.h"
#include "emulator/aws_api.h"
#include "emulator/gce_api.h"

enum { WHOSE_WORDS_MAX = 64, WHOSE_WORD_MAX = 63 };

struct whose {
    struct aws_api *aws;
    struct arm_api *arm;
    struct gce_api *gce;
    struct whose_own {
        const char *account;
        const char *tenant; /* that Azure's is of; NULL elsewhere */
    } own[ACCOUNT_DRIVER_COUNT];
    char *words[WHOSE_WORDS_MAX]; /* all that were ever said: a call may still read an older one */
    size_t count;
};

/* The faces are as they are to be until somebody says otherwise; they are loans. */
void whose_init(struct whose *whose, struct aws_api *aws, struct arm_api *arm, struct gce_api *gce);
void whose_done(struct whose *whose);

/* {"cloud": "azure", "account": WORD, "tenant": WORD}; what is left out is its own again. Tokens
 * and sessions of before are none any more, so that whoever has one signs in anew. The world is
 * locked. */
enum outcome whose_turn(struct whose *whose, const json_t *wish, struct error *err);
/* {"aws": {"account"}, "azure": {"account", "tenant"}, "gcp": {"account"}} */
json_t *whose_to_json(const struct whose *whose);

#endif
