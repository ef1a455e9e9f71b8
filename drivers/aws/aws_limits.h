/* What AWS documents of the calls we make: how often they may be made, and what must be allowed. */
#ifndef MUSTER_DRIVERS_AWS_AWS_LIMITS_H
#define MUSTER_DRIVERS_AWS_AWS_LIMITS_H

#include "drivers/driver.h"

extern const struct call_limits aws_limits;
extern const struct call_permissions aws_permissions;

#endif
