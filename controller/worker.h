/* The threads that make it so: workers claim due instances and fleets and drive clouds, the watch
 * compares what clouds have with what rows say, the sealer chains the audit trail. Any number of
 * controllers run them at once; the database is all they agree on. */
#ifndef MUSTER_CONTROLLER_WORKER_H
#define MUSTER_CONTROLLER_WORKER_H

#include "controller/service.h"
#include "drivers/driver.h"

struct workers;

/* Settings are borrowed until workers_stop(). */
enum outcome workers_start(const struct service_settings *settings, struct workers **out,
                           struct error *err);
/* Look now instead of at the next tick. NULL is fine. */
void workers_wake(struct workers *workers);
/* False: some thread did not end in time and its memory is left behind; the process may exit, for
 * leases run out and the next one goes on. */
bool workers_stop(struct workers *workers, int64_t wait_ms);

/* The same with other drivers, for tests. */
typedef enum outcome driver_finder(const struct account *account, const struct driver **out,
                                   struct error *err);
enum outcome workers_start_with(const struct service_settings *settings, driver_finder *drivers,
                                struct workers **out, struct error *err);

#endif
