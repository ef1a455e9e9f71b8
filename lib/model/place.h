/* The places that a fleet's spec names: accounts with weights, each with the zones that may be used
 * there and what its cloud calls the size. */
#ifndef MUSTER_MODEL_PLACE_H
#define MUSTER_MODEL_PLACE_H

#include "lib/base/json.h"
#include "lib/base/text.h"
#include "lib/model/message.h"

enum {
    PLACES_MAX = 32,
    PLACE_ZONES_MAX = 16,
    PLACE_WEIGHT_MAX = 1000,
};

struct place {
    char account[NAME_SIZE];
    char size[NAME_SIZE]; /* empty: the fleet's */
    int64_t weight;
    char zones[PLACE_ZONES_MAX][NAME_SIZE];
    size_t zone_count;      /* 0: the cloud chooses */
    char region[NAME_SIZE]; /* the account's; not of the spec */
};

struct place_list {
    struct place *at;
    size_t count;
};
void place_list_done(struct place_list *list);

/* [{"account", "weight"?, "zones"?, "size"?}]; strict. An account stands there once, or with other
 * zones each time. */
enum outcome places_from_json(const json_t *value, struct place_list *out, struct error *err);

#endif
