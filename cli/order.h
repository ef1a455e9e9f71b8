/* Writing, showing and signing an order to a keeper, whatever kind it is (lib/model/order.h):
 * offline, one person after the other. */
#ifndef MUSTER_CLI_ORDER_H
#define MUSTER_CLI_ORDER_H

#include "cli/arguments.h"
#include "lib/base/record.h"
#include "lib/model/order.h"

/* What every kind of order takes; the rest stands in the kind's own file. */
struct order_wish {
    const char *cert; /* of the keeper that it is for */
    const char *realm;
    const char *days;
    const char *signed_file; /* an order already, for one more signature */
    const char *key;
    const char *out;
};

/* Its rows of a kind's table of arguments. */
/* clang-format off */
#define ORDER_ARGUMENTS(wish)                                                                      \
    {"--cert", .text = &(wish)->cert}, {"--realm", .text = &(wish)->realm},                        \
    {"--days", .text = &(wish)->days}, {"--signed", .text = &(wish)->signed_file},                 \
    {"--key", .text = &(wish)->key}, {"--out", .text = &(wish)->out}
/* clang-format on */

/* Whoever signs what is written already says nothing else. `says_more`: what the kind adds. */
enum outcome order_check_wish(const struct order_wish *wish, bool says_more, struct error *err);

struct order_kind {
    const char *typ;
    const struct record *record;
    enum outcome (*check)(struct span json, struct error *err); /* would a keeper read it? */
};

/* Fills what an order's record has of these. ERR_INVALID "wrong-role": not a keeper-sign
 * certificate. */
enum outcome order_begin(const struct order_wish *wish, enum realm *realm,
                         uint8_t keeper[static SHA256_SIZE], struct moment *issued,
                         struct moment *expires, struct error *err);

/* Shows it, signs it with --key and writes it to --out: `order` as the kind's record has it, or,
 * where there is a --signed, that as it stands. */
enum outcome order_sign(const struct order_wish *wish, const struct order_kind *kind,
                        const void *order, struct error *err);

#endif
