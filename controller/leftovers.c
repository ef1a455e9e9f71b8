#include "controller/leftovers.h"

#include <string.h>

#include "controller/instance_inside.h"
#include "controller/orphan_steps.h"
#include "db/orphan_store.h"
#include "lib/base/log.h"

enum { USUAL_SECONDS = 3600, AGAIN_SECONDS = 600 };

static const enum orphan_kind kinds[LEFTOVER_KIND_COUNT] = {
    [LEFTOVER_DISK] = ORPHAN_DISK,
    [LEFTOVER_ADDRESS] = ORPHAN_ADDRESS,
    [LEFTOVER_INTERFACE] = ORPHAN_INTERFACE,
};

/* The row as it is now. One that has the machine it came with, or waits for it, may still want it:
 * what another launch of the row left is nobody's. */
static enum outcome has_row(struct worker *w, const struct leftover *left, bool *out,
                            struct error *err)
{
    struct instance row = {0};
    *out = false;
    enum outcome outcome = instance_store_find(w->db, &left->instance, &row, err);
    if (outcome == ERR_NOT_FOUND)
        return OK;
    TRY(outcome);
    *out = row.phase != PHASE_TERMINATED && strcmp(row.client_token, left->client_token) == 0;
    return OK;
}

static enum outcome show(struct worker *w, const struct account_place *place,
                         struct open_cloud *open, const struct leftover *left, bool partial,
                         struct error *err)
{
    struct orphan_row orphan = {.kind = kinds[left->kind], .instance = left->instance};
    bool is_wanted;
    TRY(has_row(w, left, &is_wanted, err));
    if (is_wanted)
        return OK;
    TRY(text_copy(orphan.project, sizeof orphan.project, place->project, "project", err));
    TRY(text_copy(orphan.account, sizeof orphan.account, place->name, "account", err));
    TRY(text_copy(orphan.ref, sizeof orphan.ref, left->ref, "ref", err));
    TRY(text_copy(orphan.owner, sizeof orphan.owner, open->account.owner, "owner", err));
    TRY(text_copy(orphan.client_token, sizeof orphan.client_token, left->client_token, "token",
                  err));
    TRY(text_copy(orphan.fleet, sizeof orphan.fleet, left->fleet, "fleet", err));
    TRY(text_copy(orphan.zone, sizeof orphan.zone, left->zone, "zone", err));
    text_clip(orphan.state, sizeof orphan.state, left->state_word);
    return orphan_found(w, open, &orphan, partial, err);
}

/* A part of the cloud that did not answer makes nothing go away, and nothing is removed. */
static enum outcome show_all(struct worker *w, const struct account_place *place,
                             struct open_cloud *open, const struct leftover_list *list,
                             struct moment began, struct error *err)
{
    for (size_t i = 0; i < list->count; i++)
        TRY(show(w, place, open, &list->at[i], list->partial, err));
    if (list->partial)
        return orphan_store_look_failed(w->db, place, "partial", AGAIN_SECONDS, err);
    TRY(orphan_store_sweep(w->db, place, began, false, w->holder, err));
    return orphan_store_looked(w->db, place, err);
}

enum outcome leftovers_look(struct worker *w, const struct account_place *place,
                            struct open_cloud *open, struct error *err)
{
    OWNED(leftover_list_done) struct leftover_list list = {0};
    const int64_t every = w->crew->settings->leftover_seconds;
    struct error why = {0};
    struct moment began;
    bool is_due;
    if (open->driver->leftovers == NULL)
        return OK;
    TRY(orphan_store_claim_look(w->db, place, every > 0 ? every : USUAL_SECONDS, &is_due, &began,
                                err));
    if (!is_due)
        return OK;
    enum outcome outcome = open->driver->leftovers(open->cloud, &list, &why);
    cloud_called(outcome);
    if (outcome == OK)
        return show_all(w, place, open, &list, began, err);
    LOG(WARN, "leftovers.not-looked", TEXT("account", place->name), TEXT("project", place->project),
        TEXT("code", why.code), TEXT("text", why.text));
    return orphan_store_look_failed(w->db, place, why.code, AGAIN_SECONDS, err);
}
