/* The emulator's EC2 inside the test: a world of its own, no agents, an account that points at it.
 */
#ifndef MUSTER_TESTS_SIM_CLOUD_H
#define MUSTER_TESTS_SIM_CLOUD_H

#include "drivers/driver.h"
#include "emulator/aws_api.h"
#include "emulator/guest.h"

#define SIM_IMAGE "ami-0ec20000000000001"

struct sim_cloud {
    char *folder;
    struct world world;
    struct images images;
    struct processor *processor;
    struct guest_settings guest;
    struct guests guests;
    struct aws_api api;
    struct face *face;
    struct account account; /* signs in from the environment, which is set */
    pthread_t clockwork;
    bool ending;
};

/* For cmocka's set-up and tear-down; *state is a struct sim_cloud. */
int sim_cloud_open(void **state);
int sim_cloud_close(void **state);

/* The same again on what is on disk, as after a restart of muster-sim. */
void sim_cloud_reopen(struct sim_cloud *sim);

void sim_cloud_prank(struct sim_cloud *sim, const char *action, const char *fault);
/* Lines of the ledger with this event. */
size_t sim_cloud_count(struct sim_cloud *sim, const char *event);

#endif
