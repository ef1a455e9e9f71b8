#include "db/delivery_store.h"

#include <stdio.h>

#include "db/audit_store.h"
#include "db/instance_store.h"

RECORD_LIST_BODY(delivery, &delivery_record)

/* clang-format off */
static const struct field material_fields[] = {
    FIELD(delivery_material, record,       FIELD_BYTES),
    FIELD(delivery_material, check_digest, FIELD_HEX),
    FIELD(delivery_material, token,        FIELD_STRING),
    FIELD(delivery_material, fleet,        FIELD_TEXT),
    FIELD(delivery_material, verdict_id,   FIELD_UUID),
    FIELD(delivery_material, sealing_key,  FIELD_HEX),
    FIELD(delivery_material, report_id,    FIELD_HEX),
    FIELD(delivery_material, sequence,     FIELD_INT),
};
/* clang-format on */
const struct record delivery_material_record = RECORD(delivery_material, material_fields);

void delivery_material_done(struct delivery_material *material)
{
    record_done(&delivery_material_record, material);
}

enum outcome delivery_store_plan(struct db *db, const struct uuid *instance, const char *actor,
                                 struct error *err)
{
    struct instance now;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    if (instance != NULL) /* or it would be passed over while somebody writes its row */
        TRY(instance_store_lock(db, instance, &now, err));
    TRY(db_run(db, SQL_DELIVERY_PLAN,
               PARAMS(instance != NULL ? p_uuid(instance) : p_null(), p_text(actor)), NULL, err));
    return transaction_commit(&tx, err);
}

enum outcome delivery_store_renew(struct db *db, const struct uuid *instance, const char *actor,
                                  struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_DELIVERY_RENEW, PARAMS(p_uuid(instance), p_text(actor)), NULL, err));
    return transaction_commit(&tx, err);
}

/* In the caller's transaction. */
static enum outcome take_up_versions(struct db *db, const struct uuid *instance, const char *actor,
                                     struct error *err)
{
    OWNED(rows_drop) struct rows *held = NULL;
    TRY(db_run(db, SQL_VERSIONS_HOLD, PARAMS(p_uuid(instance)), &held, err));
    return db_run(db, SQL_VERSIONS_TAKEN_UP, PARAMS(p_uuid(instance), p_text(actor)), NULL, err);
}

enum outcome delivery_store_call_off(struct db *db, const struct uuid *instance, const char *actor,
                                     struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_DELIVERY_CALL_OFF, PARAMS(p_uuid(instance), p_text(actor)), NULL, err));
    /* It may have been the one that the others waited for. */
    TRY(take_up_versions(db, instance, actor, err));
    return transaction_commit(&tx, err);
}

enum outcome delivery_store_claim(struct db *db, const char *holder, int64_t lease_seconds,
                                  const struct uuid *instance, int64_t limit,
                                  struct delivery_list *out, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(delivery_list_done) struct delivery_list list = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(delivery_list_of(db, SQL_DELIVERY_CLAIM,
                         PARAMS(p_text(holder), p_int(lease_seconds),
                                instance != NULL ? p_uuid(instance) : p_null(), p_int(limit)),
                         &list, err));
    TRY(transaction_commit(&tx, err));
    *out = list;
    list = (struct delivery_list){0};
    return OK;
}

enum outcome delivery_store_material(struct db *db, const struct uuid *delivery,
                                     struct delivery_material *out, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err)); /* it draws a sequence number */
    TRY(db_one(db, SQL_DELIVERY_MATERIAL, PARAMS(p_uuid(delivery)), &delivery_material_record, out,
               "trusted instance behind the delivery", err));
    return transaction_commit(&tx, err);
}

static enum outcome tell(struct db *db, const struct delivery *now, const char *actor,
                         struct error *err)
{
    char object[AUDIT_OBJECT_SIZE];
    char verb[AUDIT_VERB_SIZE];
    OWNED(json_drop) json_t *detail = json_object();
    snprintf(object, sizeof object, "instance:%s", uuid_text(&now->instance).at);
    snprintf(verb, sizeof verb, "delivery.%s", name_of(&delivery_state_names, (int)now->state));
    json_put_uuid(detail, "delivery", &now->id);
    json_put_text(detail, "secret", now->name);
    json_put_int(detail, "version", now->version);
    json_put_text(detail, "reason", now->reason);
    if (!uuid_is_zero(&now->verdict_id))
        json_put_uuid(detail, "verdict", &now->verdict_id);
    return audit_store_add(db, now->project, actor, verb, object, detail, NULL, err);
}

static enum outcome write_step(struct db *db, const struct delivery *was, enum delivery_state to,
                               const struct delivery_step *step, struct delivery *out,
                               struct error *err)
{
    const struct delivery_material *m = step->sealed;
    enum outcome outcome = db_one(
        db, SQL_DELIVERY_STEP,
        PARAMS(p_uuid(&was->id), p_name(&delivery_state_names, (int)was->state), p_int(was->epoch),
               p_text(was->lease_holder), p_name(&delivery_state_names, (int)to),
               p_text(step->reason), m != NULL ? p_uuid(&m->verdict_id) : p_null(),
               m != NULL ? p_hex(m->sealing_key, sizeof m->sealing_key) : p_null(),
               m != NULL ? p_hex(m->report_id, sizeof m->report_id) : p_null(),
               p_bytes(step->envelope), p_int(m != NULL ? m->sequence : 0),
               step->loaded_check != NULL ? p_hex(step->loaded_check, SHA256_SIZE) : p_null(),
               p_int(step->due_in_seconds), p_bool(step->keep_lease)),
        &delivery_record, out, "delivery", err);
    if (outcome == ERR_NOT_FOUND)
        return fail_code(err, ERR_CONFLICT, "lost", "delivery %s is in other hands",
                         uuid_text(&was->id).at);
    return outcome;
}

static enum outcome follow_up(struct db *db, const struct delivery *now, const char *actor,
                              struct error *err)
{
    if (now->state == DELIVERY_SEALED) /* from here on the guest may have it */
        return db_run(db, SQL_EXPOSURE_ADD,
                      PARAMS(p_uuid(&now->instance), p_uuid(&now->secret),
                             p_uuid(&now->secret_version), p_uuid(&now->verdict_id)),
                      NULL, err);
    if (now->state == DELIVERY_LOADED)
        return take_up_versions(db, &now->instance, actor, err);
    return OK;
}

enum outcome delivery_store_step(struct db *db, struct delivery *delivery,
                                 const struct delivery_step *step, const char *actor,
                                 struct error *err)
{
    const struct step *walk;
    OWNED(delivery_done) struct delivery now = {0};
    TRY(machine_step(&delivery_machine, (int)delivery->state, (int)step->event, &walk, err));
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(write_step(db, delivery, (enum delivery_state)walk->to, step, &now, err));
    TRY(tell(db, &now, actor, err));
    TRY(follow_up(db, &now, actor, err));
    TRY(transaction_commit(&tx, err));
    delivery_done(delivery);
    *delivery = now;
    now = (struct delivery){0};
    return OK;
}

enum outcome delivery_store_defer(struct db *db, const struct delivery *delivery,
                                  int64_t due_in_seconds, const char *why, struct error *err)
{
    int64_t changed = 0;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_change(db, SQL_DELIVERY_DEFER,
                  PARAMS(p_uuid(&delivery->id), p_int(delivery->epoch),
                         p_text(delivery->lease_holder), p_int(due_in_seconds), p_text(why)),
                  &changed, err));
    if (changed == 0)
        return fail_code(err, ERR_CONFLICT, "lost", "delivery %s is in other hands",
                         uuid_text(&delivery->id).at);
    return transaction_commit(&tx, err);
}

enum outcome delivery_store_of_instance(struct db *db, const struct uuid *instance,
                                        struct delivery_list *out, struct error *err)
{
    return delivery_list_of(db, SQL_DELIVERY_LIST_OF_INSTANCE, PARAMS(p_uuid(instance)), out, err);
}

enum outcome delivery_store_counts(struct db *db, const char *project, const char *fleet,
                                   int64_t out[static DELIVERY_STATE_COUNT], struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_DELIVERY_COUNTS, PARAMS(p_text(project), p_text(fleet)), &rows, err));
    for (int state = 0; state < DELIVERY_STATE_COUNT; state++)
        out[state] = 0;
    for (size_t i = 0; i < rows_count(rows); i++) {
        OWNED(mem_drop) char *word = rows_text(rows, i, 0);
        int state;
        TRY(name_parse(&delivery_state_names, word, &state, err));
        out[state] = rows_int(rows, i, 1);
    }
    return OK;
}
