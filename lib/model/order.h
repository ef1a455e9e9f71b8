/* Orders to one keeper, which pinned keys sign like a charter but never one for the other: each
 * kind has a typ of its own (reset_order.h, destroy_order.h). Here what all kinds have alike. */
#ifndef MUSTER_MODEL_ORDER_H
#define MUSTER_MODEL_ORDER_H

#include "lib/model/charter.h"

enum { ORDER_SIZE_MAX = 32 * 1024, ORDER_DAYS_MAX = 7 };

/* Whom an order is for, and when. */
struct order_scope {
    enum realm realm;
    const uint8_t *keeper; /* SHA256_SIZE: keeper-sign's key */
    struct moment issued;
    struct moment expires;
};

/* Signed as `typ` by as many different pinned keys as a charter needs, and by `people` at least.
 * ERR_DENIED "too-few-signers" where fewer are pinned, "too-few-signatures", "bad-signature",
 * "token-type", "token-algorithm". */
enum outcome order_open(struct span jws, const char *typ, const struct charter_signers *signers,
                        size_t people, struct bytes *out_payload, struct error *err);

/* ERR_INVALID "bad-order": not for 1 to 7 days. */
enum outcome order_check_life(const struct order_scope *scope, struct error *err);

/* Is it for this keeper, and for now? ERR_DENIED "order-realm", "order-keeper",
 * "order-not-yet-valid", "order-expired". */
enum outcome order_check(const struct order_scope *scope, enum realm realm,
                         const uint8_t keeper[static SHA256_SIZE], struct moment now,
                         struct error *err);

#endif
