/* What clouds say that they will do to the hosts of our machines: each look at an account brings
 * it, and it is written down as it is said. To act on it is somebody else's business. */
#ifndef MUSTER_CONTROLLER_NOTICES_H
#define MUSTER_CONTROLLER_NOTICES_H

#include "controller/crew.h"
#include "db/account_store.h"

enum { NOTICES_MOST = 100 * 1000 }; /* of one look; what is beyond is not heard */

/* With what the account's list call brought. From a list that is partial, or whose notices could
 * not be had, nothing ends. */
enum outcome notices_look(struct worker *worker, const struct account_place *place,
                          const struct sighting_list *seen, struct error *err);

/* Of all accounts, by every controller's looks; into the metrics. */
enum outcome notices_count(struct worker *worker, struct error *err);

#endif
