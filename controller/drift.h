/* Compares the edition of the catalogue in force with what clouds say they offer. */
#ifndef MUSTER_CONTROLLER_DRIFT_H
#define MUSTER_CONTROLLER_DRIFT_H

#include "controller/crew.h"
#include "db/account_store.h"

/* Once in settings.catalogue_seconds for each account, whichever controller comes first; in between
 * it does nothing. A cloud that does not answer is asked again sooner, and what was found stands.
 */
enum outcome drift_look(struct worker *worker, const struct account_place *place,
                        struct open_cloud *open, struct error *err);

#endif
