/* AWS's error codes in the words of driver.h: one table. */
#ifndef MUSTER_DRIVERS_AWS_EC2_ERRORS_H
#define MUSTER_DRIVERS_AWS_EC2_ERRORS_H

#include "drivers/driver.h"

/* A code the table does not know goes by its ending, then by the status. */
enum cloud_error ec2_error_kind(const char *code, int status);
/* A stateReason of a machine that ended: "Server.InsufficientInstanceCapacity", ... */
enum cloud_error ec2_reason_kind(const char *reason);

#endif
