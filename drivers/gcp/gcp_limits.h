/* How often Google documents that Compute Engine may be called. */
#ifndef MUSTER_DRIVERS_GCP_GCP_LIMITS_H
#define MUSTER_DRIVERS_GCP_GCP_LIMITS_H

#include "drivers/gcp/gcp_requests.h"
#include "drivers/manners.h"

extern const struct call_limits gcp_limits;

/* Google counts by kind of call: "writes", "lists", "reads", "operations". */
const char *gcp_call_kind(const struct gcp_call *call);

#endif
