/* Google's reasons and operation errors in the words of driver.h: one table. */
#ifndef MUSTER_DRIVERS_GCP_GCP_ERRORS_H
#define MUSTER_DRIVERS_GCP_GCP_ERRORS_H

#include "drivers/driver.h"

/* `reason` is `errors[0].reason` of an answer, or `error.errors[0].code` of an operation; one that
 * the table does not know goes by the status. A 403 may be a throttle: only the reason tells. */
enum cloud_error gcp_error_kind(const char *reason, int status);

#endif
