/* Where the next machine of a fleet goes: over accounts by weight, inside an account over its
 * zones, and not where its cloud has no room just now. A pure function of what stands and the
 * clock; the planner's worker is the only one who asks for a fleet, so two never take the same
 * share. */
#ifndef MUSTER_MODEL_PLACEMENT_H
#define MUSTER_MODEL_PLACEMENT_H

#include "lib/base/clock.h"
#include "lib/model/place.h"

/* One zone of one place. */
struct spot {
    size_t place;         /* the one it belongs to */
    char zone[NAME_SIZE]; /* empty: the cloud chooses */
    int64_t standing;
    /* The cloud had no room, would give no more or lacks it: until then nothing goes there. */
    struct moment closed_until;
    char closed_code[48];
    char closed_text[ERROR_TEXT_SIZE];
};

struct placement {
    struct place_list places;
    struct spot *spots;
    size_t spot_count;
    int64_t zone_most; /* of the fleet in one zone; 0: any number */
};
void placement_done(struct placement *placement);

/* The spots of `places`, with nothing standing. Takes over the list. */
void placement_begin(struct place_list *places, int64_t zone_most, struct placement *out);

/* The spot that a machine there counts to; NULL: to none, as when the fleet was elsewhere once. */
struct spot *placement_spot(const struct placement *placement, const char *account,
                            const char *zone);

/* May anything go there now? */
bool spot_is_open(const struct placement *placement, const struct spot *spot, struct moment now);

/* Where the next one goes, counted as standing; NULL: nowhere has room. The place is the one that
 * its weight owes most: as long as the same places are open, each has its share of what went to
 * them, to within one machine. In it, the zone with the fewest. */
const struct spot *placement_next(struct placement *placement, struct moment now);

/* What closes a place, by the code of its cloud's refusal. */
struct refusal {
    const char *code;
    bool of_order;                       /* as this fleet asks for it; else everybody's */
    bool of_account;                     /* in all of its zones */
    int64_t first_seconds, most_seconds; /* each in a row closes for twice as long */
};
const struct refusal *refusal_of(const char *code); /* NULL: no fault of the place */
/* For how long the last of so many in a row closes it. */
int64_t refusal_seconds(const struct refusal *refusal, int64_t failures);

/* For status: [{"account", "zone"?, "size"?, "weight", "standing", "closed_until"?, "reason"?,
 * "text"?}] */
json_t *placement_to_json(const struct placement *placement, struct moment now);

#endif
