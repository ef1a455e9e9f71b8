#include "db/ticket_store.h"

#include <string.h>

#include "db/audit_store.h"
#include "db/instance_history.h"

enum outcome ticket_store_set(struct db *db, const struct instance *claimed,
                              const uint8_t hash[static SHA256_SIZE], struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    int64_t changed = 0;
    TRY(transaction_begin(db, &tx, err));
    TRY(db_change(db, SQL_TICKET_SET,
                  PARAMS(p_uuid(&claimed->id), p_int(claimed->epoch), p_text(claimed->lease_holder),
                         p_hex(hash, SHA256_SIZE)),
                  &changed, err));
    if (changed != 1)
        return fail_code(err, ERR_CONFLICT, "lost", "another worker has the instance");
    return transaction_commit(&tx, err);
}

static enum outcome lock_row(struct db *db, const struct uuid *id, struct instance *out,
                             struct error *err)
{
    enum outcome outcome = instance_store_lock(db, id, out, err);
    if (outcome == ERR_NOT_FOUND || (outcome == OK && instance_is_over(out)))
        return fail_code(err, ERR_DENIED, "ticket-unknown", "no such launch ticket");
    return outcome;
}

static enum outcome tell(struct db *db, const struct instance *row, const char *verb,
                         const uint8_t link_key[static SHA256_SIZE], const char *actor,
                         struct error *err)
{
    OWNED(json_drop) json_t *detail = json_object();
    json_put_hex(detail, "link_key", SPAN(link_key, SHA256_SIZE));
    return audit_store_add(db, row->project, actor, verb, instance_object(&row->id).at, detail,
                           NULL, err);
}

static enum outcome fail_used(struct error *err)
{
    return fail_code(err, ERR_DENIED, "ticket-used", "the launch ticket was used before");
}

static enum outcome fail_held(struct error *err)
{
    return fail_code(err, ERR_DENIED, "ticket-held", "another key shows this launch ticket");
}

enum outcome ticket_store_take(struct db *db, const uint8_t hash[static SHA256_SIZE],
                               const char *actor, struct ticket_hold *hold, struct error *err)
{
    struct instance row;
    OWNED(rows_drop) struct rows *rows = NULL;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(lock_row(db, &hold->instance, &row, err));
    if (span_is_zero(SPAN_OF(row.launch_ticket_hash)) ||
        !secret_equal(SPAN(hash, SHA256_SIZE), SPAN_OF(row.launch_ticket_hash)))
        return fail_code(err, ERR_DENIED, "ticket-unknown", "no such launch ticket");
    if (!moment_is_none(row.ticket_used))
        return fail_used(err);
    TRY(db_run(
        db, SQL_TICKET_TAKE,
        PARAMS(p_uuid(&row.id), p_hex(hold->link_key, SHA256_SIZE), p_int(TICKET_HOLD_SECONDS)),
        &rows, err));
    if (rows_count(rows) == 0)
        return fail_held(err);
    if (memcmp(row.ticket_key, hold->link_key, SHA256_SIZE) != 0)
        TRY(tell(db, &row, "instance.ticket-shown", hold->link_key, actor, err));
    TRY(transaction_commit(&tx, err));
    hold->until = rows_moment(rows, 0, 0);
    return OK;
}

enum outcome ticket_store_let_go(struct db *db, const struct ticket_hold *hold, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(
        db, SQL_TICKET_LET_GO,
        PARAMS(p_uuid(&hold->instance), p_hex(hold->link_key, SHA256_SIZE), p_moment(hold->until)),
        NULL, err));
    return transaction_commit(&tx, err);
}

enum outcome ticket_store_use(struct db *db, const struct uuid *instance,
                              const uint8_t link_key[static SHA256_SIZE], const char *actor,
                              struct error *err)
{
    struct instance row;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(lock_row(db, instance, &row, err));
    if (!moment_is_none(row.ticket_used))
        return fail_used(err);
    if (memcmp(row.ticket_key, link_key, SHA256_SIZE) != 0)
        return fail_held(err);
    TRY(db_run(db, SQL_TICKET_USE, PARAMS(p_uuid(&row.id)), NULL, err));
    TRY(tell(db, &row, "instance.ticket-used", link_key, actor, err));
    return transaction_commit(&tx, err);
}
