/* A hash map from keys of one fixed width to pointers. Not for keys that a stranger may choose:
 * the hash is plain. One thread at a time. */
#ifndef MUSTER_BASE_MAP_H
#define MUSTER_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

struct map;

struct map *map_new(size_t key_size);
void map_free(struct map *map); /* what the values point to is the caller's */

void *map_get(const struct map *map, const void *key);
/* Puts or replaces; gives what was there before, or NULL. `value` is not NULL. */
void *map_put(struct map *map, const void *key, void *value);
void *map_take(struct map *map, const void *key); /* removes; gives what was there, or NULL */
size_t map_count(const struct map *map);

/* Walk: `size_t at = 0; while ((value = map_next(map, &at)) != NULL)`. Nothing may be put or taken
 * meanwhile. */
void *map_next(const struct map *map, size_t *at);

#endif
