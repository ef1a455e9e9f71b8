/* Controllers probe keepers too, through the whole way that real questions take: is the one that
 * answers awake, and not one that says yes to everything? What a keeper's judges are worth its own
 * probes tell (doc/keeper.md). The desk's thread only. */
#ifndef MUSTER_CONTROLLER_KEEPER_PROBES_H
#define MUSTER_CONTROLLER_KEEPER_PROBES_H

#include "controller/desk.h"

/* Probe whose turn it is; at every tick. */
void keeper_probes_run(struct desk *desk);
/* It said hello: did this start of it say yes before, to any controller? */
void keeper_probes_recall(struct desk *desk, struct keeper_seat *seat);
/* It says how it is: what its own probes found since the last time, for the metrics. */
void keeper_probes_count(struct keeper_seat *seat, const struct keeper_status *now);
/* And for the rows. */
void keeper_probes_note(struct desk *desk, struct keeper_seat *seat);

#endif
