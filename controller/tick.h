/* How long the watch rests between two looks at the clouds: shorter while things change, longer
 * while nothing does. Pure. */
#ifndef MUSTER_CONTROLLER_TICK_H
#define MUSTER_CONTROLLER_TICK_H

#include "controller/watch.h"

enum { TICK_QUICKER = 4, TICK_SLOWER = 2, TICK_LEAST_MS = 1000 };

/* After a round that saw `counts`; `usual_ms` is the setting. A quarter of it while rows wait for
 * what a cloud is doing or a round found something; then twice as long each round, up to twice the
 * setting. */
int64_t tick_next_ms(struct tick *tick, const struct watch_counts *counts, int64_t usual_ms);

#endif
