/* The order by which two people let a keeper release again whose own probes found its judges wrong
 * (trust.md section 10). Signed like a charter, by keys that the keeper pins, but never one for the
 * other: another typ. */
#ifndef MUSTER_MODEL_RESUME_ORDER_H
#define MUSTER_MODEL_RESUME_ORDER_H

#include "lib/base/record.h"
#include "lib/model/order.h"

#define RESUME_ORDER_TYP "muster-releases-resume+json"

enum { RESUME_ORDER_PEOPLE = 2 }; /* or as many as a charter needs, where that is more */

struct resume_order {
    int64_t releases_resume; /* the format: 1 */
    enum realm realm;
    uint8_t keeper[SHA256_SIZE]; /* keeper-sign's key: who halted */
    int64_t halt;                /* which of its halts is looked into and over */
    struct moment issued;
    struct moment expires;
};
extern const struct record resume_order_record;

/* ERR_INVALID "bad-order" or the parser's own codes. */
enum outcome resume_order_parse(struct span json, struct resume_order *out, struct error *err);

/* Signed by enough different pinned keys, then parsed. ERR_DENIED "too-few-signers" where fewer
 * than two are pinned, "too-few-signatures", "bad-signature", "token-type", "token-algorithm". */
enum outcome resume_order_open(struct span jws, const struct charter_signers *signers,
                               struct resume_order *out, struct error *err);

/* Is it for this keeper's halt, and for now? ERR_DENIED "order-realm", "order-keeper",
 * "order-not-yet-valid", "order-expired", "order-halt". */
enum outcome resume_order_check(const struct resume_order *order, enum realm realm,
                                const uint8_t keeper[static SHA256_SIZE], int64_t halt,
                                struct moment now, struct error *err);

#endif
