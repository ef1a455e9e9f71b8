/* One answer of Azure, read by itself: for `muster account explain`. */
#ifndef MUSTER_DRIVERS_AZURE_AZURE_READ_H
#define MUSTER_DRIVERS_AZURE_AZURE_READ_H

#include "drivers/driver.h"

enum outcome azure_read(const char *operation, const struct http_answer *answer,
                        struct reading *out, struct error *err);

#endif
