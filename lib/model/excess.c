#include "lib/model/excess.h"

#include <string.h>

enum { NOBODY = -1 };

/* Those of one spot, in the order of the list. */
struct row {
    int64_t head; /* in the list; NOBODY: all went */
    int64_t left;
};

struct spread {
    const struct plan_instance *const *list;
    const struct placement *where;
    int64_t *after;               /* of each in the list: the next of the same spot */
    struct row *rows;             /* of each spot; the last is of whoever is nowhere */
    int64_t standing[PLACES_MAX]; /* of each place */
};

static int worth(const struct plan_instance *i)
{
    if (i->phase == PHASE_REQUESTED)
        return 0;
    return i->trust == TRUST_TRUSTED ? 3 : i->trust == TRUST_STALE ? 2 : 1;
}

int excess_by_worth(const void *a, const void *b)
{
    const struct plan_instance *x = *(const struct plan_instance *const *)a;
    const struct plan_instance *y = *(const struct plan_instance *const *)b;
    if (worth(x) != worth(y))
        return worth(x) - worth(y);
    if (x->created.us != y->created.us)
        return x->created.us > y->created.us ? -1 : 1;
    return -memcmp(x->id.at, y->id.at, sizeof x->id.at);
}

static size_t spot_of(const struct placement *where, const struct plan_instance *i)
{
    const struct spot *spot = placement_spot(where, i->account, i->zone);
    return spot == NULL ? where->spot_count : (size_t)(spot - where->spots);
}

static void line_up(struct spread *s, size_t count)
{
    const struct placement *where = s->where;
    for (size_t i = 0; i <= where->spot_count; i++)
        s->rows[i].head = NOBODY;
    for (size_t i = count; i-- > 0;) {
        const size_t spot = spot_of(where, s->list[i]);
        s->after[i] = s->rows[spot].head;
        s->rows[spot].head = (int64_t)i;
        s->rows[spot].left++;
        if (spot < where->spot_count)
            s->standing[where->spots[spot].place]++;
    }
}

/* Does the first of spot `a` go before the first of spot `b`? */
static bool goes_first(const struct spread *s, size_t a, size_t b)
{
    const struct placement *where = s->where;
    const struct row *x = &s->rows[a], *y = &s->rows[b];
    const int difference = worth(s->list[x->head]) - worth(s->list[y->head]);
    if (difference != 0)
        return difference < 0;
    if (a == where->spot_count || b == where->spot_count)
        return a == where->spot_count;
    const size_t p = where->spots[a].place, q = where->spots[b].place;
    const int64_t more = s->standing[p] * where->places.at[q].weight,
                  less = s->standing[q] * where->places.at[p].weight;
    if (more != less)
        return more > less;
    if (p == q && x->left != y->left)
        return x->left > y->left;
    return x->head < y->head;
}

static const struct plan_instance *take(struct spread *s)
{
    const size_t spots = s->where->spot_count;
    size_t best = spots + 1;
    for (size_t i = 0; i <= spots; i++)
        if (s->rows[i].head != NOBODY && (best > spots || goes_first(s, i, best)))
            best = i;
    struct row *row = &s->rows[best];
    const struct plan_instance *taken = s->list[row->head];
    row->head = s->after[row->head];
    row->left--;
    if (best < spots)
        s->standing[s->where->spots[best].place]--;
    return taken;
}

void excess_spread(const struct plan_instance **list, size_t count, size_t most,
                   const struct placement *where)
{
    OWNED(mem_drop) int64_t *after = mem_new(count + 1, sizeof *after);
    OWNED(mem_drop) struct row *rows = mem_new(where->spot_count + 1, sizeof *rows);
    OWNED(mem_drop) const struct plan_instance **gone = mem_new(count + 1, sizeof *gone);
    struct spread s = {.list = list, .where = where, .after = after, .rows = rows};
    line_up(&s, count);
    if (most > count)
        most = count;
    for (size_t i = 0; i < most; i++)
        gone[i] = take(&s);
    memcpy(list, gone, most * sizeof *list);
}
