#include "emulator/mischief.h"

#include <string.h>

static const char *const fault_words[] = {
    "none",       "throttle",     "capacity",    "unsupported",  "late-capacity", "quota",
    "auth",       "server-error", "bad-gateway", "lost-request", "lost-answer",   "garbled",
    "late-error", "delay",        "doubled",     "hidden",       "partial",       "left-behind",
};
_Static_assert(countof(fault_words) == FAULT_COUNT);
const struct names fault_names = NAMES("fault", fault_words);

enum outcome mischief_add(struct mischief *mischief, const json_t *wish, struct error *err)
{
    static const char *const members[] = {"action",   "fault",      "times",
                                          "delay_ms", "permission", NULL};
    struct prank made = {0};
    const char *action, *word, *permission;
    int fault;
    TRY(json_only(wish, "", members, err));
    TRY(json_get_text(wish, "", "action", sizeof made.action - 1, &action, err));
    TRY(json_get_text(wish, "", "fault", 32, &word, err));
    TRY(name_parse(&fault_names, word, &fault, err));
    TRY(json_get_int_or(wish, "", "times", 1, 1000000, 1, &made.times, err));
    TRY(json_get_int_or(wish, "", "delay_ms", 0, 600000, 0, &made.delay_ms, err));
    TRY(json_get_text_or(wish, "", "permission", sizeof made.permission - 1, "", &permission, err));
    if (mischief->count == PRANKS_MAX)
        return fail(err, ERR_CONFLICT, "no more than %d pranks at a time", PRANKS_MAX);
    memcpy(made.action, action, strlen(action) + 1);
    memcpy(made.permission, permission, strlen(permission) + 1);
    made.fault = (enum fault)fault;
    mischief->pranks[mischief->count++] = made;
    return OK;
}

static enum outcome read_chance(const json_t *wish, const char *path, struct chance *out,
                                struct error *err)
{
    static const char *const members[] = {"action", "fault", "per_thousand", "delay_ms", NULL};
    const char *action, *word;
    int fault;
    TRY(json_only(wish, path, members, err));
    TRY(json_get_text(wish, path, "action", sizeof out->action - 1, &action, err));
    TRY(json_get_text(wish, path, "fault", 32, &word, err));
    TRY(name_parse(&fault_names, word, &fault, err));
    TRY(json_get_int(wish, path, "per_thousand", 0, 1000, &out->per_thousand, err));
    TRY(json_get_int_or(wish, path, "delay_ms", 0, 600000, 0, &out->delay_ms, err));
    memcpy(out->action, action, strlen(action) + 1);
    out->fault = (enum fault)fault;
    return OK;
}

enum outcome mischief_mix(struct mischief *mischief, const json_t *wish, struct error *err)
{
    static const char *const members[] = {"seed", "chances", NULL};
    struct mischief made = *mischief;
    int64_t seed;
    json_t *list;
    TRY(json_only(wish, "", members, err));
    TRY(json_get_int(wish, "", "seed", 0, INT64_MAX, &seed, err));
    TRY(json_get_array(wish, "", "chances", PRANKS_MAX, &list, err));
    made.random = (uint64_t)seed;
    made.chance_count = json_array_size(list);
    for (size_t i = 0; i < made.chance_count; i++)
        TRY(read_chance(json_array_get(list, i), "/chances", &made.chances[i], err));
    *mischief = made;
    return OK;
}

/* splitmix64: the same seed gives the same calls the same luck. */
static uint64_t draw(struct mischief *mischief)
{
    uint64_t z = mischief->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static struct prank leave_to_chance(struct mischief *mischief, const char *action)
{
    int64_t drawn = mischief->chance_count > 0 ? (int64_t)(draw(mischief) % 1000) : 0;
    for (size_t i = 0; i < mischief->chance_count; i++) {
        const struct chance *chance = &mischief->chances[i];
        if (strcmp(chance->action, action) != 0 && strcmp(chance->action, "*") != 0)
            continue;
        if (drawn < chance->per_thousand)
            return (struct prank){.fault = chance->fault, .delay_ms = chance->delay_ms};
        drawn -= chance->per_thousand;
    }
    return (struct prank){.fault = FAULT_NONE};
}

json_t *mischief_to_json(const struct mischief *mischief)
{
    json_t *out = json_array();
    for (size_t i = 0; i < mischief->count; i++) {
        const struct prank *prank = &mischief->pranks[i];
        json_t *row = json_object();
        json_put_text(row, "action", prank->action);
        json_put_text(row, "fault", name_of(&fault_names, (int)prank->fault));
        json_put_int(row, "times", prank->times);
        json_put_int(row, "delay_ms", prank->delay_ms);
        if (prank->permission[0] != '\0')
            json_put_text(row, "permission", prank->permission);
        json_add_new(out, row);
    }
    return out;
}

struct prank mischief_take(struct mischief *mischief, const char *action)
{
    for (size_t i = 0; i < mischief->count; i++) {
        struct prank *prank = &mischief->pranks[i];
        if (strcmp(prank->action, action) != 0 && strcmp(prank->action, "*") != 0)
            continue;
        const struct prank found = *prank;
        if (--prank->times == 0) {
            mischief->count--;
            memmove(prank, prank + 1, (mischief->count - i) * sizeof *prank);
        }
        return found;
    }
    return leave_to_chance(mischief, action);
}
