/* Evidence made whole from the cache before a keeper sees it, for a keeper has no network
 * (doc/endorsements.md): what the evidence brought itself comes first. */
#ifndef MUSTER_CONTROLLER_ENDORSING_H
#define MUSTER_CONTROLLER_ENDORSING_H

#include "controller/endorser.h"

struct endorsing {
    struct bytes evidence; /* with what the cache had; as it came when nothing was to be added */
    struct bytes crl;      /* empty: the cache has none */
    size_t wanted_count;   /* what was not there */
    struct kds_item wanted[ENDORSER_ITEMS_MAX];
    bool essential; /* of these, what no verdict can do without: the key, or what is above it */
    bool teaches;   /* it brought what the cache has not: endorser_learn(), once it is trusted */
    bool is_coming; /* the key of a TCB that is committed and not yet reported, and not here */
    struct kds_item coming;
};

void endorsing_done(struct endorsing *e); /* also for OWNED; fine on zeroes */

/* Evidence of other kinds, or that cannot be read, goes on as it came: judging is the keeper's.
 * `out` must be zero. */
enum outcome endorsing_complete(struct db *db, const struct snp_roots *roots, struct span evidence,
                                struct endorsing *out, struct error *err);

#endif
