/* The exposure ledger, both ways: who was handed which version, under which verdict, when. */
#ifndef MUSTER_DB_EXPOSURE_STORE_H
#define MUSTER_DB_EXPOSURE_STORE_H

#include "db/db_row.h"

/* JSON arrays, oldest first: {"instance","fleet","version","verdict_id","at"} ... */
enum outcome exposure_store_of_secret(struct db *db, const struct uuid *secret, json_t **out,
                                      struct error *err);
/* ... and {"secret","version","verdict_id","at"}. */
enum outcome exposure_store_of_instance(struct db *db, const struct uuid *instance, json_t **out,
                                        struct error *err);

#endif
