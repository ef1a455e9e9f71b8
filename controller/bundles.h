/* An evidence bundle, gathered from the books (lib/model/bundle.h). */
#ifndef MUSTER_CONTROLLER_BUNDLES_H
#define MUSTER_CONTROLLER_BUNDLES_H

#include "db/verdict_store.h"
#include "lib/model/bundle.h"

/* Everything but who exports it, with a fixed number of statements. Nothing of it is of another
 * project or a secret, and the verdict's token is not in it. ERR_CONFLICT "no-testimony",
 * "charter-not-kept", "audit-unsealed" (it will be in a moment). `out` must be zero. */
enum outcome bundle_gather(struct db *db, const struct verdict_row *row, struct bundle *out,
                           struct error *err);

#endif
