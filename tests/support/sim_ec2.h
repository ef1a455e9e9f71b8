/* The emulator's EC2 for tests that also know the controller, whose names for things are others. */
#ifndef MUSTER_TESTS_SIM_EC2_H
#define MUSTER_TESTS_SIM_EC2_H

#include "drivers/driver.h"

#define SIM_EC2_IMAGE "ami-0ec20000000000001"

struct sim_cloud;

struct sim_cloud *sim_ec2_open(void);
int sim_ec2_close(struct sim_cloud *sim);
struct account *sim_ec2_account(struct sim_cloud *sim);
void sim_ec2_page(struct sim_cloud *sim, int64_t most); /* machines on one */
size_t sim_ec2_count(struct sim_cloud *sim, const char *event);

#endif
