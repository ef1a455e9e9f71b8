#include "db/instance_store.h"

#include <stdio.h>
#include <string.h>

#include "db/audit_store.h"
#include "db/delivery_store.h"
#include "db/instance_history.h"

RECORD_LIST_BODY(instance, &instance_record)

/* ---- making and reading ---- */

static struct param tickets(const struct instance_order *order)
{
    return order->ticket_hashes != NULL
               ? p_hexes(order->ticket_hashes[0], order->count, SHA256_SIZE)
               : p_ints(NULL, 0); /* unnest() fills up with NULL */
}

enum outcome instance_store_add_many(struct db *db, const struct instance_order *order,
                                     const char *actor, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_INSTANCE_ADD_MANY,
               PARAMS(p_text(order->project), p_text(order->fleet), p_text(order->account),
                      p_text(order->image), p_text(order->size), p_text(order->policy),
                      p_text(order->region), p_text(order->zone), p_uuids(order->ids, order->count),
                      tickets(order)),
               NULL, err));
    TRY(db_run(db, SQL_INSTANCE_ADD_MANY_HISTORY,
               PARAMS(p_text(order->project), p_text(actor), p_text(order->fleet),
                      p_uuids(order->ids, order->count)),
               NULL, err));
    TRY(db_wake(db, err));
    return transaction_commit(&tx, err);
}

enum outcome instance_store_find(struct db *db, const struct uuid *id, struct instance *out,
                                 struct error *err)
{
    return db_one(db, SQL_INSTANCE_FIND, PARAMS(p_uuid(id)), &instance_record, out, "instance",
                  err);
}

enum outcome instance_store_lock(struct db *db, const struct uuid *id, struct instance *out,
                                 struct error *err)
{
    return db_one(db, SQL_INSTANCE_LOCK, PARAMS(p_uuid(id)), &instance_record, out, "instance",
                  err);
}

enum outcome instance_store_find_by_link_key(struct db *db, const uint8_t key[static SHA256_SIZE],
                                             struct instance *out, struct error *err)
{
    return db_one(db, SQL_INSTANCE_FIND_BY_LINK_KEY, PARAMS(p_hex(key, SHA256_SIZE)),
                  &instance_record, out, "instance", err);
}

/* The cursor is the last id of the page, in a form that nobody is tempted to build. */
static void cursor_print(const struct uuid *id, char out[static CURSOR_SIZE])
{
    OWNED(mem_drop) char *text = base64url_of(uuid_span(id));
    snprintf(out, CURSOR_SIZE, "i%s", text);
}

static enum outcome cursor_parse(const char *cursor, struct uuid *out, struct error *err)
{
    if (cursor == NULL || cursor[0] == '\0')
        return OK;
    OWNED(bytes_done) struct bytes raw = {0};
    if (cursor[0] != 'i' || base64url_decode(span_of_text(cursor + 1), &raw, NULL) != OK ||
        raw.len != sizeof out->at)
        return fail_at(err, ERR_INVALID, "bad-cursor", "?cursor", "not a cursor of this list");
    memcpy(out->at, raw.at, raw.len);
    return OK;
}

enum outcome instance_store_list(struct db *db, const struct instance_filter *filter,
                                 struct instance_list *out, char out_cursor[static CURSOR_SIZE],
                                 struct error *err)
{
    struct uuid after = {0};
    TRY(cursor_parse(filter->cursor, &after, err));
    int64_t limit = filter->limit < 1 ? 100 : filter->limit > 1000 ? 1000 : filter->limit;
    bool with_terminated = filter->with_terminated ||
                           (filter->phase != NULL &&
                            strcmp(filter->phase, name_of(&phase_names, PHASE_TERMINATED)) == 0);
    TRY(instance_list_of(db, SQL_INSTANCE_LIST,
                         PARAMS(p_text(filter->project), p_text(filter->fleet),
                                p_text(filter->account), p_text(filter->region),
                                p_text(filter->phase), p_text(filter->trust),
                                p_text(filter->reason), p_text(filter->driver),
                                p_bool(with_terminated), p_uuid(&after), p_int(limit)),
                         out, err));
    out_cursor[0] = '\0';
    if ((int64_t)out->count == limit)
        cursor_print(&out->at[out->count - 1].id, out_cursor);
    return OK;
}

enum outcome instance_store_count_running(struct db *db, int64_t *out, struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_INSTANCE_COUNT_RUNNING, NO_PARAMS, &rows, err));
    *out = rows_int(rows, 0, 0);
    return OK;
}

/* ---- the queue ---- */

enum outcome instance_store_claim(struct db *db, const char *holder, int64_t lease_seconds,
                                  int64_t limit, struct instance_list *out, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(instance_list_done) struct instance_list list = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(instance_list_of(db, SQL_INSTANCE_CLAIM,
                         PARAMS(p_text(holder), p_int(lease_seconds), p_int(limit)), &list, err));
    TRY(transaction_commit(&tx, err));
    *out = list;
    list = (struct instance_list){0};
    return OK;
}

/* Reasons come from clouds and people: cut to what the column takes. */
static void cut_reason(const char *reason, char out[static WHY_SIZE])
{
    snprintf(out, WHY_SIZE, "%s", reason);
}

static enum outcome write_step(struct db *db, const struct instance *was,
                               const struct instance_step *step, const struct step *walk,
                               const char *holder, const char *actor, struct instance *out,
                               struct error *err)
{
    char reason[WHY_SIZE], token[CLIENT_TOKEN_SIZE] = "";
    cut_reason(step->reason != NULL ? step->reason : walk->because, reason);
    int64_t attempt = was->attempt;
    if (walk->to == PHASE_LAUNCHING)
        instance_client_token(&was->id, ++attempt, token);
    enum outcome outcome =
        db_one(db, SQL_INSTANCE_ADVANCE,
               PARAMS(p_uuid(&was->id), p_name(&phase_names, walk->from), p_int(was->epoch),
                      p_text(holder), p_name(&phase_names, walk->to), p_text(reason),
                      p_name(&intent_names, step->intent), p_text(step->cloud_ref),
                      p_text(step->region), p_text(step->zone), p_text(step->address),
                      p_int(attempt), p_text(token), p_int(step->due_in_seconds),
                      p_bool(step->keep_lease), p_int(step->lease_seconds), p_bool(step->no_fault),
                      p_text(step->machine_id), p_text(step->image_ref), p_bool(step->shown)),
               &instance_record, out, "instance", err);
    if (outcome == ERR_NOT_FOUND)
        return fail_code(err, ERR_CONFLICT, "lost", "instance %s is in other hands",
                         uuid_text(&was->id).at);
    TRY(outcome);
    if (walk->to == PHASE_TERMINATING || walk->to == PHASE_TERMINATED)
        TRY(delivery_store_call_off(db, &was->id, actor, err));
    return instance_history_write(db, out, &phase_machine, walk->from, walk->to, reason, actor,
                                  err);
}

enum outcome instance_store_advance(struct db *db, const struct instance *claimed,
                                    const struct instance_step *step, const char *actor,
                                    struct instance *out, struct error *err)
{
    const struct step *walk;
    TRY(machine_step(&phase_machine, claimed->phase, step->event, &walk, err));
    struct instance now;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(write_step(db, claimed, step, walk, claimed->lease_holder, actor, &now, err));
    TRY(transaction_commit(&tx, err));
    if (out != NULL)
        *out = now;
    return OK;
}

/* A change of the claimed row that touches nothing but its lease and its times. */
static enum outcome change_claimed(struct db *db, enum sql statement, struct params params,
                                   const struct instance *claimed, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    int64_t changed = 0;
    TRY(transaction_begin(db, &tx, err));
    TRY(db_change(db, statement, params, &changed, err));
    if (changed != 1)
        return fail_code(err, ERR_CONFLICT, "lost", "instance %s is in other hands",
                         uuid_text(&claimed->id).at);
    return transaction_commit(&tx, err);
}

enum outcome instance_store_defer(struct db *db, const struct instance *claimed,
                                  int64_t due_in_seconds, const char *why, struct error *err)
{
    char reason[WHY_SIZE] = "";
    if (why != NULL)
        cut_reason(why, reason);
    return change_claimed(db, SQL_INSTANCE_DEFER,
                          PARAMS(p_uuid(&claimed->id), p_int(claimed->epoch),
                                 p_text(claimed->lease_holder), p_int(due_in_seconds),
                                 p_text(reason)),
                          claimed, err);
}

enum outcome instance_store_hold(struct db *db, const struct instance *claimed,
                                 int64_t lease_seconds, struct error *err)
{
    return change_claimed(db, SQL_INSTANCE_HOLD,
                          PARAMS(p_uuid(&claimed->id), p_int(claimed->epoch),
                                 p_text(claimed->lease_holder), p_int(lease_seconds)),
                          claimed, err);
}

/* ---- without a lease ---- */

/* Is the row already where the event leads from anywhere? Then it was noted before. */
static bool is_there_already(const struct instance *row, enum phase_event event)
{
    for (size_t i = 0; i < phase_machine.count; i++)
        if (phase_machine.steps[i].on == (int)event && phase_machine.steps[i].to == (int)row->phase)
            return machine_find(&phase_machine, row->phase, event) == NULL;
    return false;
}

enum outcome instance_store_note(struct db *db, const struct uuid *id,
                                 const struct instance_step *step, const char *actor,
                                 struct instance *out, struct error *err)
{
    struct instance row, now;
    const struct step *walk;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(instance_store_lock(db, id, &row, err));
    if (is_there_already(&row, step->event)) {
        now = row;
    } else {
        TRY(machine_step(&phase_machine, row.phase, step->event, &walk, err));
        TRY(write_step(db, &row, step, walk, NULL, actor, &now, err));
        TRY(db_wake(db, err));
    }
    TRY(transaction_commit(&tx, err));
    if (out != NULL)
        *out = now;
    return OK;
}

static enum outcome audit_instance(struct db *db, const struct instance *row, const char *verb,
                                   const char *key, const char *value, const char *reason,
                                   const char *actor, struct error *err)
{
    OWNED(json_drop) json_t *detail = json_object();
    json_put_text(detail, "fleet", row->fleet);
    json_put_text(detail, key, value);
    if (reason != NULL)
        json_put_text(detail, "reason", reason);
    return audit_store_add(db, row->project, actor, verb, instance_object(&row->id).at, detail,
                           NULL, err);
}

enum outcome instance_store_want(struct db *db, const struct uuid *id, enum wanted wanted,
                                 const char *reason, const char *actor, struct error *err)
{
    struct instance row;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(instance_store_lock(db, id, &row, err));
    if (row.wanted == wanted)
        return transaction_commit(&tx, err);
    if (row.wanted == WANTED_GONE)
        return fail_code(err, ERR_CONFLICT, "on-its-way", "instance %s is being terminated",
                         uuid_text(id).at);
    char why[WHY_SIZE] = "";
    if (reason != NULL)
        cut_reason(reason, why);
    TRY(db_run(db, SQL_INSTANCE_WANT,
               PARAMS(p_uuid(id), p_name(&wanted_names, wanted), p_text(why)), NULL, err));
    TRY(audit_instance(db, &row, "instance.wish-changed", "wanted", name_of(&wanted_names, wanted),
                       reason, actor, err));
    TRY(db_wake(db, err));
    return transaction_commit(&tx, err);
}

enum outcome instance_store_settle(struct db *db, const struct instance *claimed, struct error *err)
{
    return change_claimed(db, SQL_INSTANCE_SETTLE,
                          PARAMS(p_uuid(&claimed->id), p_text(claimed->lease_holder)), claimed,
                          err);
}

enum outcome instance_store_unsettle(struct db *db, const struct instance *claimed,
                                     struct error *err)
{
    return change_claimed(db, SQL_INSTANCE_UNSETTLE,
                          PARAMS(p_uuid(&claimed->id), p_text(claimed->lease_holder)), claimed,
                          err);
}

enum outcome instance_store_settle_shown(struct db *db, const struct uuid *ids,
                                         const struct moment *launched, size_t count,
                                         struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_INSTANCE_SETTLE_SHOWN,
               PARAMS(p_uuids(ids, count), p_moments(launched, count)), NULL, err));
    return transaction_commit(&tx, err);
}

enum outcome instance_store_refit(struct db *db, const struct uuid *id, const struct fleet *fleet,
                                  const struct instance_place *place, const char *actor,
                                  struct error *err)
{
    struct instance row;
    int64_t changed = 0;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(instance_store_lock(db, id, &row, err));
    TRY(db_change(db, SQL_INSTANCE_REFIT,
                  PARAMS(p_uuid(id), p_text(place->account), p_text(fleet->image),
                         p_text(place->size), p_text(fleet->policy), p_text(place->region),
                         p_text(place->zone)),
                  &changed, err));
    if (changed > 0)
        TRY(audit_instance(db, &row, "instance.refitted", "size", place->size, place->account,
                           actor, err));
    return transaction_commit(&tx, err);
}

enum outcome instance_store_adopt(struct db *db, const struct uuid *id, const char *cloud_ref,
                                  const char *machine_id, const char *actor, struct error *err)
{
    struct instance row;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(instance_store_lock(db, id, &row, err));
    if (strcmp(row.cloud_ref, cloud_ref) == 0)
        return transaction_commit(&tx, err);
    if (row.cloud_ref[0] != '\0')
        return fail_code(err, ERR_CONFLICT, "other-machine", "instance %s has machine %s, not %s",
                         uuid_text(id).at, row.cloud_ref, cloud_ref);
    TRY(db_run(db, SQL_INSTANCE_ADOPT, PARAMS(p_uuid(id), p_text(cloud_ref), p_text(machine_id)),
               NULL, err));
    TRY(audit_instance(db, &row, "instance.machine-adopted", "cloud_ref", cloud_ref, NULL, actor,
                       err));
    return transaction_commit(&tx, err);
}

enum outcome instance_store_doubt(struct db *db, const struct instance *row, const char *machine_id,
                                  enum doubt doubt, const char *actor, struct error *err)
{
    int64_t changed = 0;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_change(db, SQL_INSTANCE_DOUBT,
                  PARAMS(p_uuid(&row->id), p_text(machine_id), p_name(&doubt_names, (int)doubt)),
                  &changed, err));
    if (changed > 0)
        TRY(audit_instance(db, row, "instance.doubted", "doubt", name_of(&doubt_names, (int)doubt),
                           machine_id, actor, err));
    return transaction_commit(&tx, err);
}
