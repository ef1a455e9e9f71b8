/* What the controller wants of keepers outside an appraisal: new secrets, and obedience to the
 * newest charter. */
#ifndef MUSTER_CONTROLLER_KEEPER_TASKS_H
#define MUSTER_CONTROLLER_KEEPER_TASKS_H

#include "controller/desk.h"

/* A keeper that obeys an older charter than the stored one is offered that. The desk's thread. */
void charter_offer_stored(struct desk *desk, struct keeper_seat *seat);

/* Any other thread; they wait for the answer. */
enum outcome keeper_task_generate(struct desk *desk, const struct generate_wish *wish,
                                  struct generate_reply *out, struct error *err);
enum outcome keeper_task_opinion(struct desk *desk, const struct opinion_wish *wish,
                                 struct opinion_reply *out, struct error *err);
enum outcome keeper_task_charter(struct desk *desk, const char *jws, int64_t *out_serial,
                                 struct error *err);
enum outcome keeper_task_attest(struct desk *desk, const struct uuid *instance, const char *why,
                                struct error *err);

#endif
