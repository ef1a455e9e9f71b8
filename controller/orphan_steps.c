#include "controller/orphan_steps.h"

#include "controller/instance_inside.h"
#include "lib/base/log.h"

#define POLICY "policy:orphans" /* the actor in the audit trail */

static enum outcome tell_cloud(struct open_cloud *open, const struct orphan_row *orphan,
                               struct error *why)
{
    switch (orphan->kind) {
    case ORPHAN_MACHINE:
        return open->driver->terminate(open->cloud, orphan->ref, orphan->machine_id, NULL, why);
    case ORPHAN_DISK:
        return open->driver->discard(open->cloud, LEFTOVER_DISK, orphan->ref, why);
    case ORPHAN_ADDRESS:
        return open->driver->discard(open->cloud, LEFTOVER_ADDRESS, orphan->ref, why);
    case ORPHAN_INTERFACE:
        return open->driver->discard(open->cloud, LEFTOVER_INTERFACE, orphan->ref, why);
    case ORPHAN_VANISHED:
    case ORPHAN_KIND_COUNT:
        break;
    }
    return fail(why, ERR_INTERNAL, "there is nothing to remove");
}

/* That it shall go was written down before; again with each look, until its cloud shows it no more.
 */
static enum outcome remove_it(struct worker *w, struct open_cloud *open,
                              const struct orphan_row *orphan, struct error *err)
{
    struct error why = {0};
    enum outcome outcome = tell_cloud(open, orphan, &why);
    cloud_called(outcome);
    LOG(WARN, "orphan.removed", TEXT("kind", name_of(&orphan_kind_names, (int)orphan->kind)),
        TEXT("ref", orphan->ref), TEXT("by", orphan->removal_by), TEXT("code", why.code));
    return orphan_store_begun(
        w->db, orphan, outcome == OK || outcome == ERR_NOT_FOUND ? NULL : why.code, w->holder, err);
}

/* A machine with copied tags was launched by somebody else, who pays for it: no age makes it ours.
 */
static bool is_due(const struct open_cloud *open, const struct orphan_row *orphan)
{
    const int64_t seconds = account_orphan_seconds(&open->account);
    return seconds > 0 && !orphan->copied && orphan->removal == REMOVAL_NONE &&
           moment_seconds_between(orphan->first_seen, orphan->last_seen) >= seconds;
}

enum outcome orphan_found(struct worker *w, struct open_cloud *open, struct orphan_row *orphan,
                          bool partial, struct error *err)
{
    TRY(orphan_store_seen(w->db, orphan, w->holder, err));
    if (partial)
        return OK;
    if (is_due(open, orphan))
        TRY(orphan_store_due(w->db, orphan, POLICY, err));
    return orphan->removal != REMOVAL_NONE ? remove_it(w, open, orphan, err) : OK;
}
