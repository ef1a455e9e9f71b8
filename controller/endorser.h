/* Fetches what evidence lacks from the chip maker's key distribution service into the cache
 * (db/endorsement_store), on a thread and a database connection of its own: a token bucket,
 * back-off with full jitter, Retry-After, one flight a name, what is missing remembered, lists
 * looked at again. Appraisals read the cache; an outage here takes nothing from it.
 *
 * Codes, beside lib/attest/kds's: "endorsement-missing" (ERR_NOT_FOUND: the maker says there is no
 * such thing) and "endorsement-unavailable" (ERR_UNREACHABLE: not now). */
#ifndef MUSTER_CONTROLLER_ENDORSER_H
#define MUSTER_CONTROLLER_ENDORSER_H

#include "db/endorsement_store.h"
#include "lib/attest/kds.h"

#define ENDORSEMENTS_OFF "off"

enum {
    ENDORSER_ITEMS_MAX = 4,
    ENDORSER_WAIT_MS = 8000, /* of a guest, for what its evidence lacks */
};

/* Text is borrowed. */
struct endorser_settings {
    const char *database;
    const char *base_url;   /* ENDORSEMENTS_OFF: nothing is fetched, only what is imported counts */
    const char *ca_file;    /* of the service; "" or NULL is the system's */
    const char *roots_file; /* instead of AMD's, for the simulator; "" or NULL: AMD's */
};

struct endorser;

enum outcome endorser_open(const struct endorser_settings *settings, struct endorser **out,
                           struct error *err);
enum outcome endorser_start(struct endorser *endorser, struct error *err); /* its thread */
void endorser_close(struct endorser *endorser); /* answers what still waits */
DROP(endorser_drop, struct endorser, endorser_close)

const struct snp_roots *endorser_roots(const struct endorser *endorser);

/* Called once, on the endorser's thread or from inside the call that had no room for it. OK: all of
 * it is in the cache now. Else one that is not, and why: "endorsement-missing" only when that is so
 * for each. */
typedef void endorsed_fn(void *context, enum outcome outcome, const struct error *why);

/* See that these come into the cache; `done` within about `wait_ms`. From any thread. */
void endorser_want(struct endorser *endorser, const struct kds_item *items, size_t count,
                   int64_t wait_ms, endorsed_fn *done, void *context);
/* The same for later use: nobody waits, and it goes behind what others wait for. */
void endorser_prefetch(struct endorser *endorser, const struct kds_item *item);

/* Keep the certificates that evidence brought, checked like an answer of the service. For evidence
 * that was trusted; dropped when there is no room. */
void endorser_learn(struct endorser *endorser, struct span evidence);

/* One look at what is to be done, for the thread and for tests: the milliseconds until the next. */
int64_t endorser_step(struct endorser *endorser);

/* Check and keep what came otherwise: an import, or evidence. ERR_CONFLICT
 * "endorsement-chain-missing": the chain above it must come first. */
enum outcome endorsement_take(struct db *db, const struct snp_roots *roots,
                              const struct kds_item *item, struct span content,
                              enum endorsement_source source, struct error *err);

#endif
