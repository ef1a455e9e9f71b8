/* The emulator's clouds for tests that also know the controller, whose names for things are others;
 * and what comes to the hosts of their machines. */
#ifndef MUSTER_TESTS_SIM_HOST_H
#define MUSTER_TESTS_SIM_HOST_H

#include "drivers/driver.h"

struct sim_cloud;

struct sim_cloud *sim_host_open(enum account_driver cloud);
int sim_host_close(struct sim_cloud *sim);
struct account *sim_host_account(struct sim_cloud *sim);

/* One machine of this instance, as its driver launches it. */
struct sighting sim_host_launch(struct sim_cloud *sim, const struct uuid *instance);
/* From now on each of its machines is told of maintenance in a week, or of none. */
void sim_host_announce(struct sim_cloud *sim, bool coming);
/* What it is told of comes so much later. */
void sim_host_put_off(struct sim_cloud *sim, int64_t seconds);
/* The next call of that name goes wrong so; NULL: the next list of machines. */
void sim_host_prank(struct sim_cloud *sim, const char *call, const char *fault);

#endif
