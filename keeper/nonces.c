#include "keeper/nonces.h"

#include <stdlib.h>
#include <string.h>

#include "lib/crypto/random.h"

/* Entries stand in the order of issue, which is that of expiry, in a ring; buckets find them. */
struct slot {
    struct nonce_entry entry;
    bool live;
    size_t next; /* in its bucket; NONE at the end */
};

#define NONE SIZE_MAX

struct nonces {
    uint8_t boot_id[KEEPER_BOOT_ID_SIZE];
    size_t room;
    size_t oldest;
    size_t count; /* slots in use, live or not */
    struct slot *slots;
    size_t bucket_count; /* a power of two */
    size_t *buckets;
};

struct nonces *nonces_new(size_t most)
{
    struct nonces *n = NEW(struct nonces);
    random_fill(n->boot_id, sizeof n->boot_id);
    n->room = most;
    n->slots = mem_new(most, sizeof *n->slots);
    n->bucket_count = 64;
    while (n->bucket_count < most)
        n->bucket_count *= 2;
    n->buckets = mem_new(n->bucket_count, sizeof *n->buckets);
    for (size_t i = 0; i < n->bucket_count; i++)
        n->buckets[i] = NONE;
    return n;
}

void nonces_free(struct nonces *n)
{
    if (n == NULL)
        return;
    free(n->slots);
    free(n->buckets);
    free(n);
}

const uint8_t *nonces_boot_id(const struct nonces *n)
{
    return n->boot_id;
}

/* The random part is ours, so any of its bytes spread well. */
static size_t *bucket_of(const struct nonces *n, const uint8_t nonce[static NONCE_SIZE])
{
    uint64_t word;
    memcpy(&word, nonce + KEEPER_BOOT_ID_SIZE, sizeof word);
    return &n->buckets[word & (n->bucket_count - 1)];
}

static bool is_expired(const struct nonce_entry *entry)
{
    return clock_monotonic_ms() - entry->issued_ms >= INT64_C(1000) * NONCE_SECONDS;
}

static void forget(struct nonces *n, size_t index)
{
    struct slot *slot = &n->slots[index];
    size_t *at = bucket_of(n, slot->entry.nonce);
    while (*at != index)
        at = &n->slots[*at].next;
    *at = slot->next;
    slot->live = false;
}

/* Let go of what is used or expired, from the oldest on. */
static void sweep(struct nonces *n)
{
    while (n->count > 0) {
        struct slot *slot = &n->slots[n->oldest];
        if (slot->live && !is_expired(&slot->entry))
            return;
        if (slot->live)
            forget(n, n->oldest);
        n->oldest = (n->oldest + 1) % n->room;
        n->count--;
    }
}

enum outcome nonces_issue(struct nonces *n, struct nonce_entry *entry, struct error *err)
{
    sweep(n);
    if (n->count == n->room)
        return fail_code(err, ERR_THROTTLED, "too-many-challenges", "%zu challenges are open",
                         n->count);
    memcpy(entry->nonce, n->boot_id, sizeof n->boot_id);
    random_fill(entry->nonce + KEEPER_BOOT_ID_SIZE, NONCE_SIZE - KEEPER_BOOT_ID_SIZE);
    entry->issued = clock_now();
    entry->issued_ms = clock_monotonic_ms();
    size_t index = (n->oldest + n->count++) % n->room;
    size_t *bucket = bucket_of(n, entry->nonce);
    n->slots[index] = (struct slot){.entry = *entry, .live = true, .next = *bucket};
    *bucket = index;
    return OK;
}

static size_t find(const struct nonces *n, const uint8_t nonce[static NONCE_SIZE])
{
    size_t at = *bucket_of(n, nonce);
    while (at != NONE && memcmp(n->slots[at].entry.nonce, nonce, NONCE_SIZE) != 0)
        at = n->slots[at].next;
    return at;
}

enum outcome nonces_redeem(struct nonces *n, const uint8_t nonce[static NONCE_SIZE],
                           const struct uuid *instance, struct nonce_entry *out, struct error *err)
{
    size_t index = find(n, nonce);
    if (index == NONE || is_expired(&n->slots[index].entry))
        return fail_code(err, ERR_CONFLICT, "challenge-again", "the nonce is %s",
                         index == NONE ? "not one of this keeper's, or used" : "expired");
    forget(n, index);
    const struct nonce_entry *entry = &n->slots[index].entry;
    if (!uuid_equal(&entry->instance, instance))
        return fail_code(err, ERR_DENIED, "challenge-instance",
                         "the nonce was issued for another instance");
    *out = *entry;
    return OK;
}
