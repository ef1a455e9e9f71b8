/* One answer of Compute Engine, of a token endpoint or of the metadata server, read without a call:
 * driver->read of Google Cloud. */
#ifndef MUSTER_DRIVERS_GCP_GCP_READ_H
#define MUSTER_DRIVERS_GCP_GCP_READ_H

#include "drivers/driver.h"

/* `operation` is "instances.insert", "zoneOperations.get", ..., "token" or
 * "mds-maintenance-event". */
enum outcome gcp_read(const char *operation, const struct http_answer *answer, struct reading *out,
                      struct error *err);

#endif
