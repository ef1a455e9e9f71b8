/* The trust machine's side of instance_store.h, and heartbeats. */
#include "db/instance_store.h"

#include <stdlib.h>
#include <string.h>

#include "db/audit_store.h"
#include "db/instance_history.h"

/* Level and realm follow verdicts; a rejection, a reboot or a quarantine proves nothing. */
static struct param level_of(const struct trust_change *change)
{
    switch (change->event) {
    case TRUST_PASSED:
        return p_int(change->level);
    case TRUST_CHALLENGED:
    case TRUST_EXPIRED:
    case TRUST_EVENT_COUNT:
        return p_null();
    case TRUST_REFUSED:
    case TRUST_REBOOTED:
    case TRUST_SET_APART:
    case TRUST_LET_BACK:
        return p_int(0);
    }
    abort();
}

static struct param key_of(const uint8_t *key)
{
    return key != NULL ? p_hex(key, SHA256_SIZE) : p_null();
}

static bool is_verdict(enum trust_event event)
{
    return event == TRUST_PASSED || event == TRUST_REFUSED;
}

static enum outcome write_trust(struct db *db, const struct trust_change *change,
                                const struct uuid *id, const struct step *walk, const char *reason,
                                struct instance *out, struct error *err)
{
    return db_one(
        db, SQL_INSTANCE_SET_TRUST,
        PARAMS(p_uuid(id), p_name(&trust_names, walk->to), p_text(reason),
               p_uuid(&change->verdict_id), p_moment(change->valid_until), level_of(change),
               is_verdict(change->event) ? p_bool(change->simulated) : p_null(),
               key_of(change->link_key), key_of(change->sealing_key), key_of(change->anchor),
               key_of(change->report_id), p_moment(change->renew_at)),
        &instance_record, out, "instance", err);
}

enum outcome instance_store_set_trust(struct db *db, const struct uuid *id,
                                      const struct trust_change *change, const char *actor,
                                      struct instance *out, struct error *err)
{
    if (is_verdict(change->event) && uuid_is_zero(&change->verdict_id))
        return fail_code(err, ERR_INTERNAL, "no-verdict", "only a verdict makes trusted");
    struct instance row, now;
    const struct step *walk;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_one(db, SQL_INSTANCE_LOCK, PARAMS(p_uuid(id)), &instance_record, &row, "instance", err));
    TRY(machine_step(&trust_machine, row.trust, change->event, &walk, err));
    const char *reason = change->reason != NULL ? change->reason : walk->because;
    TRY(write_trust(db, change, id, walk, reason, &now, err));
    if (walk->from != walk->to)
        TRY(instance_history_write(db, &now, &trust_machine, walk->from, walk->to, reason, actor,
                                   err));
    TRY(transaction_commit(&tx, err));
    if (out != NULL)
        *out = now;
    return OK;
}

enum outcome instance_store_expire(struct db *db, int64_t limit, const char *actor,
                                   int64_t *out_count, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_INSTANCE_EXPIRED, PARAMS(p_int(limit)), &rows, err));
    for (size_t i = 0; i < rows_count(rows); i++) {
        struct uuid id = rows_uuid(rows, i, 0);
        const struct trust_change change = {.event = TRUST_EXPIRED, .reason = "verdict-expired"};
        TRY(instance_store_set_trust(db, &id, &change, actor, NULL, err));
    }
    TRY(transaction_commit(&tx, err));
    *out_count = (int64_t)rows_count(rows);
    return OK;
}

enum outcome instance_store_expiring(struct db *db, int64_t seconds, int64_t limit,
                                     struct instance_list *out, struct error *err)
{
    void *list = NULL;
    size_t count = 0;
    TRY(db_all(db, SQL_INSTANCE_EXPIRING, PARAMS(p_int(seconds), p_int(limit)), &instance_record,
               &list, &count, err));
    *out = (struct instance_list){list, count};
    return OK;
}
