/* Keepers are asked how they are, once an interval each, and what is written down is when they last
 * answered: a connection alone proves nothing of who should be at its other end. The desk's thread
 * only. */
#ifndef MUSTER_CONTROLLER_KEEPER_STATUS_H
#define MUSTER_CONTROLLER_KEEPER_STATUS_H

#include "controller/desk.h"

/* Ask whose turn it is; at every tick. */
void keeper_status_ask(struct desk *desk);
/* It said hello or answered. */
void keeper_status_note(struct desk *desk, struct keeper_seat *seat);
/* For other threads: how many answer, and the highest charter among them. */
void keeper_status_show(struct desk *desk);

#endif
