#include "controller/brake.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"

static void take_over(const struct worker *w, const struct account_hold *hold,
                      struct vanishing *seen)
{
    seen->looks = hold->looks;
    seen->held_seconds = hold->held_seconds;
    seen->hold_seconds = w->crew->settings->vanish_hold_seconds;
    seen->believed = hold->believed_by[0] != '\0';
}

enum outcome brake_look(struct worker *w, const struct account_place *place, struct vanishing *seen,
                        bool *out_held, struct error *err)
{
    struct account_hold hold;
    char text[ERROR_TEXT_SIZE];
    *out_held = false;
    if (!vanishing_is_mass(seen))
        return hold_store_end(w->db, place, HOLD_MANY_VANISHED, w->holder, err);
    snprintf(text, sizeof text, "its list lacks %lld of %lld machines that were there",
             (long long)seen->missing, (long long)seen->settled);
    TRY(hold_store_add(w->db, place, HOLD_MANY_VANISHED, text, w->holder, &hold, err));
    take_over(w, &hold, seen);
    *out_held = vanishing_is_held(seen);
    LOG(ERROR, *out_held ? "account.vanishing-held" : "account.vanishing-believed",
        TEXT("project", place->project), TEXT("account", place->name),
        INT("missing", seen->missing), INT("settled", seen->settled), INT("looks", seen->looks));
    return OK;
}

enum outcome brake_looked(struct worker *w, const struct account_place *place,
                          const struct vanishing *seen, struct error *err)
{
    if (!vanishing_is_mass(seen) || vanishing_is_held(seen))
        return OK;
    return hold_store_end(w->db, place, HOLD_MANY_VANISHED, w->holder, err);
}

enum outcome brake_is_on(struct worker *w, const struct account_place *place, bool *out,
                         struct error *err)
{
    OWNED(account_hold_list_done) struct account_hold_list holds = {0};
    struct vanishing seen = {0};
    TRY(hold_store_list(w->db, place, &holds, err));
    *out = false;
    for (size_t i = 0; i < holds.count; i++) {
        take_over(w, &holds.at[i], &seen);
        *out |= holds.at[i].kind == HOLD_MANY_VANISHED && !vanishing_is_believed(&seen);
    }
    return OK;
}

/* An account of somebody else was seen, and is not unseen. */
enum outcome brake_whose(struct worker *w, const struct account_place *place,
                         const struct error *why, struct error *err)
{
    struct account_hold hold;
    char text[ERROR_TEXT_SIZE];
    if (why->outcome == OK) {
        TRY(hold_store_end(w->db, place, HOLD_WRONG_ACCOUNT, w->holder, err));
        return hold_store_end(w->db, place, HOLD_UNSEEN, w->holder, err);
    }
    if (strcmp(why->code, WRONG_CLOUD_ACCOUNT) == 0) {
        TRY(hold_store_end(w->db, place, HOLD_UNSEEN, w->holder, err));
        clouds_forget(&w->clouds, place->project, place->name);
        return hold_store_add(w->db, place, HOLD_WRONG_ACCOUNT, why->text, w->holder, &hold, err);
    }
    snprintf(text, sizeof text, "%.63s: %.250s", why->code, why->text);
    return hold_store_add(w->db, place, HOLD_UNSEEN, text, w->holder, &hold, err);
}
