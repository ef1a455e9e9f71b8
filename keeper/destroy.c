/* What people declared destroyed goes into the memory, for ever (trust.md section 5). */
#include "keeper/inside.h"
#include "lib/base/log.h"
#include "lib/model/destroy_order.h"

static enum outcome remember(struct keeper *k, struct span hashes, struct destroyed *out,
                             struct error *err)
{
    for (size_t at = 0; at < hashes.len; at += SHA256_SIZE) {
        if (keeper_state_is_destroyed(k->state, hashes.at + at)) {
            out->before++;
            continue;
        }
        TRY(keeper_state_destroy(k->state, hashes.at + at, err));
        out->now++;
    }
    return OK;
}

static enum outcome obey(struct keeper *k, const struct destroy_order *order, struct destroyed *out,
                         struct error *err)
{
    OWNED(bytes_done) struct bytes hashes = {0};
    TRY(destroy_order_check(order, k->realm, k->signer_key, clock_now(), err));
    TRY(destroy_order_hashes(order, &hashes, err));
    return remember(k, bytes_span(&hashes), out, err);
}

/* Needs neither a charter in force nor a certificate: this must not wait. What a crash interrupts
 * is done by giving the order again. */
enum outcome keeper_destroy(struct keeper *k, struct span jws, struct destroyed *out,
                            struct error *err)
{
    struct destroy_order order = {0};
    *out = (struct destroyed){0};
    TRY(keeper_need_state(k, err));
    TRY(destroy_order_open(jws, &k->signers, &order, err));
    enum outcome outcome = obey(k, &order, out, err);
    record_done(&destroy_order_record, &order);
    if (out->now > 0)
        LOG(WARN, "anchors.destroyed", INT("count", out->now));
    return outcome;
}
