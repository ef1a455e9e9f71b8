/* The order by which anchors and guest keys are declared destroyed: a keeper never again opens
 * anything for them, whatever a later charter says (trust.md section 5). Signed like a charter, by
 * as many keys, but never one for the other: another typ. */
#ifndef MUSTER_MODEL_DESTROY_ORDER_H
#define MUSTER_MODEL_DESTROY_ORDER_H

#include "lib/base/record.h"
#include "lib/model/order.h"

#define DESTROY_ORDER_TYP "muster-destroy+json"

enum { DESTROY_ORDER_MOST = 256 }; /* anchors and keys in one order */

/* Release with record_done(&destroy_order_record). */
struct destroy_order {
    int64_t destroy; /* the format: 1 */
    enum realm realm;
    uint8_t keeper[SHA256_SIZE]; /* keeper-sign's key: whose memory it goes into */
    json_t *anchors;             /* hashes in hex, as verdicts show them */
    json_t *guest_keys;          /* SHA-256 of a link key's SubjectPublicKeyInfo, in hex */
    struct moment issued;
    struct moment expires; /* until when it may be given; what it did stays */
};
extern const struct record destroy_order_record;

/* ERR_INVALID "bad-order" or the parser's own codes. */
enum outcome destroy_order_parse(struct span json, struct destroy_order *out, struct error *err);

/* Signed by as many different pinned keys as a charter, then parsed. Codes of order_open(). */
enum outcome destroy_order_open(struct span jws, const struct charter_signers *signers,
                                struct destroy_order *out, struct error *err);

/* Is it for this keeper, and for now? Codes of order_check(). */
enum outcome destroy_order_check(const struct destroy_order *order, enum realm realm,
                                 const uint8_t keeper[static SHA256_SIZE], struct moment now,
                                 struct error *err);

/* All that it names, SHA256_SIZE each. ERR_INVALID "bad-order". */
enum outcome destroy_order_hashes(const struct destroy_order *order, struct bytes *out,
                                  struct error *err);

#endif
