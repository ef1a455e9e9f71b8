/* The order by which two people give a keeper that lost its memory a new one (trust.md section 5).
 * Signed like a charter, by keys that the keeper pins, but never one for the other: another typ. */
#ifndef MUSTER_MODEL_RESET_ORDER_H
#define MUSTER_MODEL_RESET_ORDER_H

#include "lib/base/record.h"
#include "lib/model/order.h"

#define RESET_ORDER_TYP "muster-state-reset+json"

enum { RESET_ORDER_PEOPLE = 2 }; /* or as many as a charter needs, where that is more */

struct reset_order {
    int64_t state_reset; /* the format: 1 */
    enum realm realm;
    uint8_t keeper[SHA256_SIZE]; /* keeper-sign's key: whose memory it is */
    int64_t least_serial;        /* no charter below it from now on */
    struct moment issued;
    struct moment expires;
};
extern const struct record reset_order_record;

/* ERR_INVALID "bad-order" or the parser's own codes. */
enum outcome reset_order_parse(struct span json, struct reset_order *out, struct error *err);

/* Signed by enough different pinned keys, then parsed. ERR_DENIED "too-few-signers" where fewer
 * than two are pinned, "too-few-signatures", "bad-signature", "token-type", "token-algorithm". */
enum outcome reset_order_open(struct span jws, const struct charter_signers *signers,
                              struct reset_order *out, struct error *err);

/* Is it for this keeper, and for now? ERR_DENIED "order-realm", "order-keeper",
 * "order-not-yet-valid", "order-expired". */
enum outcome reset_order_check(const struct reset_order *order, enum realm realm,
                               const uint8_t keeper[static SHA256_SIZE], struct moment now,
                               struct error *err);

#endif
