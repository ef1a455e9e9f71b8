#include "lib/model/placement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void placement_done(struct placement *placement)
{
    place_list_done(&placement->places);
    free(placement->spots);
    *placement = (struct placement){0};
}

static void add_spot(struct placement *p, size_t place, const char *zone)
{
    struct spot *spot = &p->spots[p->spot_count++];
    *spot = (struct spot){.place = place};
    snprintf(spot->zone, sizeof spot->zone, "%s", zone);
}

void placement_begin(struct place_list *places, int64_t zone_most, struct placement *out)
{
    *out = (struct placement){.places = *places, .zone_most = zone_most};
    *places = (struct place_list){0};
    size_t most = 1;
    for (size_t i = 0; i < out->places.count; i++)
        most += out->places.at[i].zone_count + 1;
    out->spots = mem_new(most, sizeof *out->spots);
    for (size_t i = 0; i < out->places.count; i++) {
        const struct place *place = &out->places.at[i];
        for (size_t z = 0; z < place->zone_count; z++)
            add_spot(out, i, place->zones[z]);
        if (place->zone_count == 0)
            add_spot(out, i, "");
    }
}

static const struct place *place_of(const struct placement *p, const struct spot *spot)
{
    return &p->places.at[spot->place];
}

struct spot *placement_spot(const struct placement *placement, const char *account,
                            const char *zone)
{
    for (size_t i = 0; i < placement->spot_count; i++) {
        struct spot *spot = &placement->spots[i];
        if (strcmp(place_of(placement, spot)->account, account) == 0 &&
            (spot->zone[0] == '\0' || strcmp(spot->zone, zone) == 0))
            return spot;
    }
    return NULL;
}

bool spot_is_open(const struct placement *placement, const struct spot *spot, struct moment now)
{
    return now.us >= spot->closed_until.us &&
           (placement->zone_most == 0 || spot->standing < placement->zone_most);
}

/* ---- which place ---- */

/* What of a place counts: its best open spot, and how much stands in all of it. */
struct choice {
    struct spot *spot; /* NULL: nothing of it is open */
    int64_t weight;
    int64_t standing;
};

static bool is_better_spot(const struct spot *a, const struct spot *b)
{
    if (b == NULL || a->standing != b->standing)
        return b == NULL || a->standing < b->standing;
    return strcmp(a->zone, b->zone) < 0;
}

static struct choice choice_in(const struct placement *p, size_t place, struct moment now)
{
    struct choice choice = {.weight = p->places.at[place].weight};
    for (size_t i = 0; i < p->spot_count; i++) {
        struct spot *spot = &p->spots[i];
        if (spot->place != place)
            continue;
        choice.standing += spot->standing;
        if (spot_is_open(p, spot, now) && is_better_spot(spot, choice.spot))
            choice.spot = spot;
    }
    return choice;
}

/* Of equals the first by name, so that the order of the spec does not matter. */
static bool comes_first(const struct placement *p, const struct spot *a, const struct spot *b)
{
    int by_account = strcmp(place_of(p, a)->account, place_of(p, b)->account);
    return by_account != 0 ? by_account < 0 : strcmp(a->zone, b->zone) < 0;
}

/* Less stands for its weight. */
static bool is_owed_more(const struct placement *p, const struct choice *a, const struct choice *b)
{
    int64_t left = a->weight * (b->standing + 1), right = b->weight * (a->standing + 1);
    return left != right ? left > right : comes_first(p, a->spot, b->spot);
}

/* Balinski and Young's quota method over what is open: of those below their share of the next total
 * the one that is owed most. It keeps every share within one, and gives nobody back what it took.
 */
const struct spot *placement_next(struct placement *placement, struct moment now)
{
    struct choice choices[PLACES_MAX], best = {0};
    size_t count = 0;
    int64_t total = 1, weights = 0;
    for (size_t i = 0; i < placement->places.count && i < PLACES_MAX; i++) {
        const struct choice choice = choice_in(placement, i, now);
        if (choice.spot == NULL)
            continue;
        choices[count++] = choice;
        total += choice.standing;
        weights += choice.weight;
    }
    for (size_t i = 0; i < count; i++) {
        bool below = choices[i].standing * weights < total * choices[i].weight;
        if (below && (best.spot == NULL || is_owed_more(placement, &choices[i], &best)))
            best = choices[i];
    }
    if (best.spot != NULL)
        best.spot->standing++;
    return best.spot;
}

/* ---- memory ---- */

/* Room comes back in minutes; what a zone does not offer it may in months, if ever. */
/* clang-format off */
static const struct refusal refusals[] = {
    {"capacity",    .first_seconds = 30,   .most_seconds = 3600},
    {"quota",       .first_seconds = 30,   .most_seconds = 3600, .of_account = true},
    {"unsupported", .first_seconds = 3600, .most_seconds = 86400, .of_order = true},
};
/* clang-format on */

const struct refusal *refusal_of(const char *code)
{
    for (size_t i = 0; i < countof(refusals); i++)
        if (strcmp(refusals[i].code, code) == 0)
            return &refusals[i];
    return NULL;
}

int64_t refusal_seconds(const struct refusal *refusal, int64_t failures)
{
    int64_t seconds = refusal->first_seconds;
    for (int64_t i = 1; i < failures && seconds < refusal->most_seconds; i++)
        seconds *= 2;
    return seconds < refusal->most_seconds ? seconds : refusal->most_seconds;
}

json_t *placement_to_json(const struct placement *placement, struct moment now)
{
    json_t *list = json_array();
    for (size_t i = 0; i < placement->spot_count; i++) {
        const struct spot *spot = &placement->spots[i];
        const struct place *place = place_of(placement, spot);
        json_t *row = json_object();
        json_put_text(row, "account", place->account);
        if (spot->zone[0] != '\0')
            json_put_text(row, "zone", spot->zone);
        if (place->size[0] != '\0')
            json_put_text(row, "size", place->size);
        json_put_int(row, "weight", place->weight);
        json_put_int(row, "standing", spot->standing);
        json_put_bool(row, "open", spot_is_open(placement, spot, now));
        if (now.us < spot->closed_until.us) {
            json_put_moment(row, "closed_until", spot->closed_until);
            json_put_text(row, "reason", spot->closed_code);
            json_put_text(row, "text", spot->closed_text);
        }
        json_add_new(list, row);
    }
    return list;
}
