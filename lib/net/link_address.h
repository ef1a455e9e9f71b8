/* What each address costs us: connections, and bytes a minute from peers that proved nothing yet.
 * IPv6 counts by /64, for a stranger has as many addresses as it wants inside one. Not locked. */
#ifndef MUSTER_NET_LINK_ADDRESS_H
#define MUSTER_NET_LINK_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct address {
    uint8_t at[16]; /* IPv4 as ::ffff:a.b.c.d */
};

struct address_costs;

struct address_costs *address_costs_new(void);
void address_costs_free(struct address_costs *costs);

/* One connection more, unless there are `most` already; with address_drop() one less. */
bool address_take(struct address_costs *costs, const struct address *who, int64_t most);
void address_drop(struct address_costs *costs, const struct address *who);

/* Of an address that has a connection: false when its minute's `most` bytes are spent. */
bool address_spend(struct address_costs *costs, const struct address *who, int64_t bytes,
                   int64_t most, int64_t now_ms);

size_t address_count(const struct address_costs *costs); /* rows held, for tests */

/* Forget those without a connection whose minute is over. */
void address_sweep(struct address_costs *costs, int64_t now_ms);

#endif
