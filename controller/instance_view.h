/* An instance as the API shows it: its row, what its last verdict proves, what it was handed. */
#ifndef MUSTER_CONTROLLER_INSTANCE_VIEW_H
#define MUSTER_CONTROLLER_INSTANCE_VIEW_H

#include "db/instance_store.h"

/* An array, in the order of the list; three statements whatever its length. */
enum outcome instance_view(struct db *db, const struct instance_list *list, json_t **out,
                           struct error *err);

#endif
