#include "lib/net/link_address.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/base.h"
#include "lib/crypto/random.h"

enum { BUCKETS = 4096, MINUTE_MS = 60000 };

struct row {
    struct row *next;
    struct address who;
    int64_t connections;
    int64_t minute_ms; /* when the running minute began */
    int64_t spent;
};

struct address_costs {
    struct row *buckets[BUCKETS];
    size_t count;
    uint64_t salt; /* nobody outside can pick addresses that fall into one bucket */
};

struct address_costs *address_costs_new(void)
{
    struct address_costs *costs = NEW(struct address_costs);
    random_fill(&costs->salt, sizeof costs->salt);
    return costs;
}

void address_costs_free(struct address_costs *costs)
{
    if (costs == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct row *row = costs->buckets[i]; row != NULL;) {
            struct row *next = row->next;
            free(row);
            row = next;
        }
    free(costs);
}

static struct address counted(const struct address *who)
{
    static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
    struct address as = *who;
    if (memcmp(as.at, v4, sizeof v4) != 0)
        memset(as.at + 8, 0, 8);
    return as;
}

static struct row **place_of(struct address_costs *costs, const struct address *as)
{
    uint64_t hash = costs->salt;
    for (size_t i = 0; i < sizeof as->at; i++)
        hash = (hash ^ as->at[i]) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 29);
    struct row **place = &costs->buckets[(hash >> 32) % BUCKETS];
    while (*place != NULL && memcmp((*place)->who.at, as->at, sizeof as->at) != 0)
        place = &(*place)->next;
    return place;
}

bool address_take(struct address_costs *costs, const struct address *who, int64_t most)
{
    struct address as = counted(who);
    struct row **place = place_of(costs, &as);
    if (*place == NULL) {
        *place = NEW(struct row);
        (*place)->who = as;
        costs->count++;
    }
    if ((*place)->connections >= most)
        return false;
    (*place)->connections++;
    return true;
}

void address_drop(struct address_costs *costs, const struct address *who)
{
    struct address as = counted(who);
    struct row *row = *place_of(costs, &as);
    if (row != NULL && row->connections > 0)
        row->connections--;
}

bool address_spend(struct address_costs *costs, const struct address *who, int64_t bytes,
                   int64_t most, int64_t now_ms)
{
    struct address as = counted(who);
    struct row *row = *place_of(costs, &as);
    if (row == NULL)
        return false;
    if (now_ms - row->minute_ms >= MINUTE_MS) {
        row->minute_ms = now_ms;
        row->spent = 0;
    }
    row->spent += bytes;
    return row->spent <= most;
}

size_t address_count(const struct address_costs *costs)
{
    return costs->count;
}

void address_sweep(struct address_costs *costs, int64_t now_ms)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct row **place = &costs->buckets[i]; *place != NULL;) {
            struct row *row = *place;
            bool over = row->connections == 0 && now_ms - row->minute_ms >= MINUTE_MS;
            if (over) {
                *place = row->next;
                free(row);
                costs->count--;
            } else {
                place = &row->next;
            }
        }
}
