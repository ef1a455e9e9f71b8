/* A new memory in the place of a lost one, by the order of two people (trust.md section 5). */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "keeper/inside.h"
#include "lib/base/log.h"
#include "lib/model/reset_order.h"

/* What was in force before the loss may be older than what these people know of. */
static enum outcome drop_charter_below(const struct keeper *k, int64_t least, struct error *err)
{
    if (k->charter == NULL || k->charter->serial >= least)
        return OK;
    if (unlink(k->charter_path) != 0)
        return fail(err, ERR_INTERNAL, "removing %s: %s", k->charter_path, strerror(errno));
    return OK;
}

/* The charter first: a crash in between leaves no memory, and the order can be given again. */
enum outcome keeper_reset(struct keeper *k, struct span jws, int64_t *out_least, struct error *err)
{
    struct reset_order order;
    if (k->state != NULL)
        return fail_code(err, ERR_CONFLICT, "state-there",
                         "the keeper has its memory, and nobody may make it forget");
    TRY(reset_order_open(jws, &k->signers, &order, err));
    TRY(reset_order_check(&order, k->realm, k->signer_key, clock_now(), err));
    TRY(drop_charter_below(k, order.least_serial, err));
    TRY(keeper_state_create(k->state_path, k->kek, order.least_serial, err));
    LOG(WARN, "state.reset", INT("least_serial", order.least_serial));
    *out_least = order.least_serial;
    return OK;
}
