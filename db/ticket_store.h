/* Launch tickets: shown by one link key at a time, used up by the first pass (doc/decisions/0007).
 */
#ifndef MUSTER_DB_TICKET_STORE_H
#define MUSTER_DB_TICKET_STORE_H

#include "db/instance_store.h"

/* As long as a guest may take to prove itself; then another may show the ticket. */
enum { TICKET_HOLD_SECONDS = 180 };

/* A bearer: who shows the ticket, and until when nobody else may. */
struct ticket_hold {
    struct uuid instance;
    uint8_t link_key[SHA256_SIZE]; /* SHA-256 of its SPKI */
    struct moment until;
};

/* Another controller than the one that made the row goes on with its launch. Under the lease of
 * `claimed`; committed before the cloud is told. ERR_CONFLICT "lost". */
enum outcome ticket_store_set(struct db *db, const struct instance *claimed,
                              const uint8_t hash[static SHA256_SIZE], struct error *err);

/* First enrolment: `hold` says instance and link key, and is told how long. ERR_DENIED
 * "ticket-unknown", "ticket-used", "ticket-held" (another key shows it just now). */
enum outcome ticket_store_take(struct db *db, const uint8_t hash[static SHA256_SIZE],
                               const char *actor, struct ticket_hold *hold, struct error *err);
/* Its bearer is gone. Fine when somebody else holds the ticket meanwhile. */
enum outcome ticket_store_let_go(struct db *db, const struct ticket_hold *hold, struct error *err);
/* The first pass, inside its transaction: only for the key that showed the ticket last. ERR_DENIED
 * "ticket-used", "ticket-held". */
enum outcome ticket_store_use(struct db *db, const struct uuid *instance,
                              const uint8_t link_key[static SHA256_SIZE], const char *actor,
                              struct error *err);

#endif
