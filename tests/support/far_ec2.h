/* The AWS driver before an EC2 that says what a test wants. */
#ifndef MUSTER_TESTS_FAR_EC2_H
#define MUSTER_TESTS_FAR_EC2_H

#include "drivers/driver.h"
#include "tests/support/fake_http.h"

struct far_ec2 {
    struct fake_http *ec2;
    struct account account;
    struct cloud *cloud;
};

/* For cmocka: *state is a struct far_ec2. */
int far_ec2_open(void **state);
int far_ec2_close(void **state);

#endif
