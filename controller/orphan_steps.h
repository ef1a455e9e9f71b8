/* What becomes of an orphan that a look found: it is listed, and removed when a person asked for it
 * or when the account's policy says that it was listed long enough. */
#ifndef MUSTER_CONTROLLER_ORPHAN_STEPS_H
#define MUSTER_CONTROLLER_ORPHAN_STEPS_H

#include "controller/crew.h"
#include "db/orphan_store.h"

/* The look said so just now and no row stands for it. From a `partial` look nothing is removed. */
enum outcome orphan_found(struct worker *worker, struct open_cloud *open, struct orphan_row *orphan,
                          bool partial, struct error *err);

#endif
