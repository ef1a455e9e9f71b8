/* A stage with accounts of several clouds, and a fleet over several places. */
#ifndef MUSTER_TESTS_PLACES_H
#define MUSTER_TESTS_PLACES_H

#include "db/place_store.h"
#include "tests/support/stage.h"

void stage_account(const char *name, const char *driver);
/* The fleet "web" over these places: a JSON array. */
void stage_spread(const char *places, int64_t desired);
struct placement stage_places(void); /* of "web", as they are now */
void stage_time_passes(void);        /* what a closed place waits for */
bool stage_closed(int64_t seconds);  /* the first place, for longer than that */

#endif
