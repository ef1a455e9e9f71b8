/* What machines left behind in an account: disks, addresses, interfaces that bear our tag and that
 * nothing has. Asked for seldom, and listed as orphans are. */
#ifndef MUSTER_CONTROLLER_LEFTOVERS_H
#define MUSTER_CONTROLLER_LEFTOVERS_H

#include "controller/crew.h"
#include "db/account_store.h"

/* Once in settings.leftover_seconds for each account, whichever controller comes first; in between
 * it does nothing. That a cloud does not answer is written down, and nothing is gone because of it.
 */
enum outcome leftovers_look(struct worker *worker, const struct account_place *place,
                            struct open_cloud *open, struct error *err);

#endif
