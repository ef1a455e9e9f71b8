/* What the host tells a new guest: where the controllers are, which root, who it is. All of it is a
 * hint from a hostile host (trust.md section 4); what counts is bound into the evidence. */
#ifndef MUSTER_AGENT_USERDATA_H
#define MUSTER_AGENT_USERDATA_H

#include "lib/base/json.h"

enum {
    USERDATA_MAX = 32 * 1024,
    CONTROLLERS_MAX = 8,
    CONTROLLER_TEXT_MAX = 256,
    TICKET_SIZE = 64,
};

struct userdata {
    char controllers[CONTROLLERS_MAX][CONTROLLER_TEXT_MAX]; /* "tls+tcp://host:port" */
    size_t controller_count;
    struct bytes root; /* PEM, may be empty where the measured image holds the root */
    struct uuid instance;
    char ticket[TICKET_SIZE]; /* base64url of 32 bytes, or "" */
};

/* Members it does not know are passed over: a newer controller may say more. */
enum outcome userdata_parse(struct span json, struct userdata *out, struct error *err);
void userdata_done(struct userdata *u);

#endif
