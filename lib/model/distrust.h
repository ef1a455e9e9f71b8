/* What may be distrusted, and how a charter says so. Pure: documents in, documents out. */
#ifndef MUSTER_MODEL_DISTRUST_H
#define MUSTER_MODEL_DISTRUST_H

#include "lib/base/json.h"
#include "lib/base/names.h"

enum distrust_kind {
    DISTRUST_CHIP,
    DISTRUST_GENERATION,
    DISTRUST_MEASUREMENT,
    DISTRUST_REGION,
    DISTRUST_SIGNER,
    DISTRUST_IMAGE,
    DISTRUST_ANCHOR,
    DISTRUST_GUEST_KEY,
    DISTRUST_KIND_COUNT
};
extern const struct names distrust_kind_names; /* "chip", "generation", ... */

enum { DISTRUST_VALUE_SIZE = 129 };

/* Does the charter's JSON say so? Hex is compared whatever its case. */
bool distrust_stands(const json_t *charter, enum distrust_kind kind, const char *value);

/* Adds the entry: to a deny list, or of an image "retired" to the reference of that name.
 * ERR_INVALID "wrong-value" at "/value"; ERR_NOT_FOUND "no-such-reference"; ERR_CONFLICT
 * "distrusted-already". */
enum outcome distrust_add(json_t *charter, enum distrust_kind kind, const char *value,
                          struct error *err);

/* What the claims of a verdict show that rests on it, as a list of objects of which one must be
 * contained in them: for the ledger of what was handed out before. `charter`: where an image's
 * measurements stand. */
json_t *distrust_claims(const json_t *charter, enum distrust_kind kind, const char *value);

#endif
