#include "tests/support/far_ec2.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/test.h"

int far_ec2_open(void **state)
{
    struct error err = {0};
    struct far_ec2 *w = NEW(struct far_ec2);
    w->ec2 = fake_http_start();
    w->account = (struct account){
        .name = "bad", .driver = DRIVER_AWS, .region = "us-east-2", .owner = "tests"};
    snprintf(w->account.endpoint, sizeof w->account.endpoint, "%s", fake_http_url(w->ec2));
    setenv("AWS_ACCESS_KEY_ID", "AKIATEST", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    unsetenv("AWS_SESSION_TOKEN");
    assert_ok(aws_driver.open(&w->account, &w->cloud, &err));
    *state = w;
    return 0;
}

int far_ec2_close(void **state)
{
    struct far_ec2 *w = *state;
    aws_driver.close(w->cloud);
    fake_http_stop(w->ec2);
    free(w);
    return 0;
}
