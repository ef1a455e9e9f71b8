/* The emulator's clouds inside the test: a world of its own, no agents, and an account that points
 * at one of them. What is different from cloud to cloud stands in a row. */
#ifndef MUSTER_TESTS_SIM_CLOUD_H
#define MUSTER_TESTS_SIM_CLOUD_H

#include "drivers/driver.h"
#include "emulator/arm_api.h"
#include "emulator/aws_api.h"
#include "emulator/gce_api.h"
#include "emulator/guest.h"
#include "emulator/whose.h"
#include "tests/support/test.h"

/* One cloud, as its driver and its emulator see it. */
struct sim_row {
    enum account_driver cloud;
    const char *region;
    const char *image;
    const char *missing_image;
    const char *size;
    const char *other_size;
    const char *plain_size; /* without SEV-SNP, and the word of its refusal */
    const char *plain_word;
    const char *missing_ref; /* nobody has it */
    const char *secret;      /* the variable of the environment that holds it, or says where */
    bool failed_is_listed;   /* a launch that failed leaves a machine to look at */
    const char *next_region; /* another one that is there; are its machines listed apart? */
    bool regions_apart;
    const char *far_region; /* one that is not there, and the word of a launch there */
    const char *far_word;
    /* To stop and to start, as a refusal names them. */
    const char *permissions[2];
    struct { /* what mischief calls its calls */
        const char *launch, *find, *list, *stop, *start, *terminate, *offers;
    } call;
    const char *leftovers[LEFTOVER_KIND_COUNT]; /* the same, of the lists of each kind */
};
extern const struct sim_row sim_rows[];
extern const size_t sim_row_count;

struct sim_cloud {
    const struct sim_row *row;
    char *folder;
    struct world world;
    struct images images;
    struct processor *processor;
    struct guest_settings guest;
    struct guests guests;
    struct aws_api aws;
    struct arm_api arm;
    struct gce_api gce;
    struct whose whose;
    struct face *face;
    struct account account; /* signs in from the environment, which is set */
    pthread_t clockwork;
    bool ending;
};

/* For cmocka's set-up and tear-down: *state is a row, or NULL for AWS, and becomes a struct
 * sim_cloud. */
int sim_cloud_open(void **state);
int sim_cloud_close(void **state);
/* Instead of it: fails the test when the driver made a call whose permission no table names. */
int sim_cloud_close_known(void **state);

/* What the account signs in with, from the next open on. */
enum sim_secret { SECRET_RIGHT, SECRET_WRONG, SECRET_ABSENT, SECRET_UNCLEAN };
void sim_cloud_secret(struct sim_cloud *sim, enum sim_secret which);
/* The account is of another region. */
void sim_cloud_move(struct sim_cloud *sim, const char *region);

/* The same again on what is on disk, as after a restart of muster-sim. */
void sim_cloud_reopen(struct sim_cloud *sim);

void sim_cloud_prank(struct sim_cloud *sim, const char *action, const char *fault);
/* All such calls are refused for want of the permission, until they are forgiven. */
void sim_cloud_deny(struct sim_cloud *sim, const char *action, const char *permission);
void sim_cloud_forgive(struct sim_cloud *sim);
void sim_cloud_page(struct sim_cloud *sim, int64_t most);
/* Lines of the ledger with this event. */
size_t sim_cloud_count(struct sim_cloud *sim, const char *event);

/* Runs each of the tests against each of the clouds, under names "azure: ...". */
int sim_cloud_run(const char *name, const struct CMUnitTest *tests, size_t count);

#endif
