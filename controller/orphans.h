/* Machines that no row knows, as the watch saw them in the rounds before: each is told of once, and
 * again only when it changed. One thread's. */
#ifndef MUSTER_CONTROLLER_ORPHANS_H
#define MUSTER_CONTROLLER_ORPHANS_H

#include "drivers/driver.h"

enum { ORPHAN_ACCOUNT_SIZE = 2 * 64 }; /* "project/name" */

struct orphans {
    struct map *known;
    int64_t round;
};

void orphans_done(struct orphans *orphans);
void orphans_begin(struct orphans *orphans); /* a round */

/* True: not seen before, or not like this. */
bool orphans_note(struct orphans *orphans, const char *account, const struct sighting *seen);
/* The account was not looked at in this round, so what is known of it still stands. */
void orphans_keep(struct orphans *orphans, const char *account);
/* Forgets what was neither seen nor kept; gives how many there are. */
int64_t orphans_end(struct orphans *orphans);

#endif
