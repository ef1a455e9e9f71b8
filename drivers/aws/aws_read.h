/* One answer of EC2, STS or the metadata service, read without a call: driver->read of AWS. */
#ifndef MUSTER_DRIVERS_AWS_AWS_READ_H
#define MUSTER_DRIVERS_AWS_AWS_READ_H

#include "drivers/driver.h"

/* `operation` is "ec2.RunInstances", "sts.AssumeRole", ... or "imds". */
enum outcome aws_read(const char *operation, const struct http_answer *answer, struct reading *out,
                      struct error *err);

#endif
