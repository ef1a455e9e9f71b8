/* Launch tickets: another controller than the one that made the row goes on with its launch. */
#ifndef MUSTER_DB_TICKET_STORE_H
#define MUSTER_DB_TICKET_STORE_H

#include "db/instance_store.h"

/* Under the lease of `claimed`; committed before the cloud is told. ERR_CONFLICT "lost". */
enum outcome ticket_store_set(struct db *db, const struct instance *claimed,
                              const uint8_t hash[static SHA256_SIZE], struct error *err);

#endif
