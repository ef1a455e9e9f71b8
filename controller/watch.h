/* Compares what clouds have with what rows say, and time with what is only true for a while. One
 * list call an account and round, whatever the number of machines. */
#ifndef MUSTER_CONTROLLER_WATCH_H
#define MUSTER_CONTROLLER_WATCH_H

#include "controller/crew.h"

/* Verdicts that ran out, agents that went silent, alarms that began or ended. */
enum outcome watch_time(struct worker *worker, struct error *err);

struct watch_counts {
    int64_t machines; /* seen, not gone */
    int64_t vanished; /* rows whose machine is no more */
    int64_t adopted;  /* machines given to the row that launched them */
    int64_t ended;    /* machines of ours that no row stands for any more */
    int64_t orphans;  /* with our tag and no row at all: shown, left alone */
    int64_t told;     /* of these, the new and the changed ones: only they are logged */
    int64_t moving;   /* rows that wait for what a cloud is doing */
};

/* Every account of every project once. An account that does not answer is logged and skipped. */
enum outcome watch_clouds(struct worker *worker, struct watch_counts *out, struct error *err);

#endif
