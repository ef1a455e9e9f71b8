/* How often Azure documents that its calls may be made, by the names of arm_calls. */
#ifndef MUSTER_DRIVERS_AZURE_AZURE_LIMITS_H
#define MUSTER_DRIVERS_AZURE_AZURE_LIMITS_H

#include "drivers/manners.h"

extern const struct call_limits azure_limits;

#endif
