/* The controllers that run over this database: each start is one. They share what keepers can do.
 */
#ifndef MUSTER_DB_CONTROLLER_STORE_H
#define MUSTER_DB_CONTROLLER_STORE_H

#include "db/db_row.h"

/* `name` is here; and how many are, this one included. To be called every few seconds. */
enum outcome controller_store_seen(struct db *db, const char *name, int64_t *out_count,
                                   struct error *err);

#endif
