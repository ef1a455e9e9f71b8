/* Tells of alarms as they begin and end, in log and metrics. What it remembers is only what it has
 * told; what stands is in the rows (db/alarm_store.h). */
#ifndef MUSTER_CONTROLLER_ALARMS_H
#define MUSTER_CONTROLLER_ALARMS_H

#include "db/alarm_store.h"

struct alarm_watch {
    struct alarm_list told;
    int64_t next_ms;
};

/* Every few seconds, once it is written down which fleets miss their objective; in between it does
 * nothing. */
enum outcome alarms_look(struct alarm_watch *watch, struct db *db, const char *actor,
                         struct error *err);
void alarms_done(struct alarm_watch *watch);

#endif
