/* Releasing again after a halt, by the order of two people (trust.md section 10). */
#include "keeper/inside.h"
#include "lib/base/log.h"
#include "lib/model/resume_order.h"

/* What a crash interrupts is done by giving the order again. Whoever lets a keeper go on that is as
 * it was will see it halt again at its next probe. */
enum outcome keeper_resume(struct keeper *k, struct span jws, int64_t *out_halt, struct error *err)
{
    struct resume_order order;
    TRY(keeper_need_state(k, err));
    if (!keeper_state_is_halted(k->state))
        return fail_code(err, ERR_CONFLICT, "not-halted", "no probe has halted this keeper");
    const int64_t halt = keeper_state_halts(k->state);
    TRY(resume_order_open(jws, &k->signers, &order, err));
    TRY(resume_order_check(&order, k->realm, k->signer_key, halt, clock_now(), err));
    TRY(keeper_state_resume(k->state, err));
    LOG(WARN, "releases.resumed", INT("halt", halt));
    *out_halt = halt;
    return OK;
}
