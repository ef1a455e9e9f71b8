#include "emulator/mischief.h"

#include <string.h>

static const char *const fault_words[] = {
    "none",         "throttle",    "capacity",     "late-capacity", "quota",   "auth",
    "server-error", "bad-gateway", "lost-request", "lost-answer",   "garbled", "late-error",
    "delay",        "doubled",     "hidden",       "partial",
};
_Static_assert(countof(fault_words) == FAULT_COUNT);
const struct names fault_names = NAMES("fault", fault_words);

enum outcome mischief_add(struct mischief *mischief, const json_t *wish, struct error *err)
{
    static const char *const members[] = {"action", "fault", "times", "delay_ms", NULL};
    struct prank made = {0};
    const char *action, *word;
    int fault;
    TRY(json_only(wish, "", members, err));
    TRY(json_get_text(wish, "", "action", sizeof made.action - 1, &action, err));
    TRY(json_get_text(wish, "", "fault", 32, &word, err));
    TRY(name_parse(&fault_names, word, &fault, err));
    TRY(json_get_int_or(wish, "", "times", 1, 1000000, 1, &made.times, err));
    TRY(json_get_int_or(wish, "", "delay_ms", 0, 600000, 0, &made.delay_ms, err));
    if (mischief->count == PRANKS_MAX)
        return fail(err, ERR_CONFLICT, "no more than %d pranks at a time", PRANKS_MAX);
    memcpy(made.action, action, strlen(action) + 1);
    made.fault = (enum fault)fault;
    mischief->pranks[mischief->count++] = made;
    return OK;
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
    return (struct prank){.fault = FAULT_NONE};
}
