/* Carries out the plan of a fleet: new rows, rows that shall go, failed ones that try again. */
#ifndef MUSTER_CONTROLLER_FLEET_STEPS_H
#define MUSTER_CONTROLLER_FLEET_STEPS_H

#include "controller/crew.h"

/* Claim one due fleet, plan it, carry the plan out in one transaction. */
enum outcome fleets_work(struct worker *worker, bool *out_did, struct error *err);

#endif
