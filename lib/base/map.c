#include "lib/base/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/base.h"

/* Open addressing with linear probing; taking moves later entries back, so there are no graves. */
struct map {
    size_t key_size;
    size_t room; /* a power of two */
    size_t count;
    unsigned char *keys;
    void **values; /* NULL: free */
};

struct map *map_new(size_t key_size)
{
    struct map *map = NEW(struct map);
    map->key_size = key_size;
    map->room = 16;
    map->keys = mem_new(map->room, key_size);
    map->values = mem_new(map->room, sizeof *map->values);
    return map;
}

void map_free(struct map *map)
{
    if (map == NULL)
        return;
    free(map->keys);
    free(map->values);
    free(map);
}

/* FNV-1a, 64 bits. */
static size_t slot_of(const struct map *map, const void *key)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    const unsigned char *at = key;
    for (size_t i = 0; i < map->key_size; i++)
        hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    return (size_t)(hash ^ hash >> 32) & (map->room - 1);
}

/* Where the key is, or where it would go. */
static size_t find(const struct map *map, const void *key)
{
    size_t slot = slot_of(map, key);
    while (map->values[slot] != NULL &&
           memcmp(map->keys + slot * map->key_size, key, map->key_size) != 0)
        slot = (slot + 1) & (map->room - 1);
    return slot;
}

static void grow(struct map *map)
{
    struct map old = *map;
    map->room *= 2;
    map->keys = mem_new(map->room, map->key_size);
    map->values = mem_new(map->room, sizeof *map->values);
    for (size_t i = 0; i < old.room; i++) {
        if (old.values[i] == NULL)
            continue;
        size_t slot = find(map, old.keys + i * old.key_size);
        memcpy(map->keys + slot * map->key_size, old.keys + i * old.key_size, map->key_size);
        map->values[slot] = old.values[i];
    }
    free(old.keys);
    free(old.values);
}

void *map_get(const struct map *map, const void *key)
{
    return map->values[find(map, key)];
}

void *map_put(struct map *map, const void *key, void *value)
{
    if (2 * (map->count + 1) > map->room)
        grow(map);
    size_t slot = find(map, key);
    void *before = map->values[slot];
    if (before == NULL)
        map->count++;
    memcpy(map->keys + slot * map->key_size, key, map->key_size);
    map->values[slot] = value;
    return before;
}

void *map_take(struct map *map, const void *key)
{
    size_t hole = find(map, key);
    void *taken = map->values[hole];
    if (taken == NULL)
        return NULL;
    map->values[hole] = NULL;
    map->count--;
    size_t mask = map->room - 1;
    for (size_t i = (hole + 1) & mask; map->values[i] != NULL; i = (i + 1) & mask) {
        size_t home = slot_of(map, map->keys + i * map->key_size);
        if (((i - home) & mask) < ((i - hole) & mask))
            continue; /* it is reached without the hole */
        memcpy(map->keys + hole * map->key_size, map->keys + i * map->key_size, map->key_size);
        map->values[hole] = map->values[i];
        map->values[i] = NULL;
        hole = i;
    }
    return taken;
}

size_t map_count(const struct map *map)
{
    return map->count;
}

void *map_next(const struct map *map, size_t *at)
{
    while (*at < map->room) {
        void *value = map->values[(*at)++];
        if (value != NULL)
            return value;
    }
    return NULL;
}
