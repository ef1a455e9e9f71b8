#include "db/distrust_store.h"

#include <stdio.h>
#include <stdlib.h>

#include "db/audit_store.h"
#include "lib/crypto/random.h"

/* clang-format off */
static const struct field fields[] = {
    FIELD(distrust, id,          FIELD_UUID),
    FIELD(distrust, project,     FIELD_TEXT, .flags = FIELD_HIDDEN),
    FIELD(distrust, what,        FIELD_NAME, .names = &distrust_kind_names),
    FIELD(distrust, value,       FIELD_TEXT),
    FIELD(distrust, serial,      FIELD_INT),
    FIELD(distrust, plan,        FIELD_HEX),
    FIELD(distrust, exposed,     FIELD_JSON),
    FIELD(distrust, actor,       FIELD_TEXT),
    FIELD(distrust, created,     FIELD_MOMENT),
    FIELD(distrust, in_force_at, FIELD_MOMENT),
    FIELD(distrust, lifted_at,   FIELD_MOMENT),
    FIELD(distrust, instances,   FIELD_INT),
    FIELD(distrust, asked,       FIELD_INT),
    FIELD(distrust, trusted,     FIELD_INT),
    FIELD(distrust, there,       FIELD_INT),
};
static const struct field due_fields[] = {
    FIELD(due_instance, instance, FIELD_UUID),
};
/* clang-format on */
const struct record distrust_record = RECORD(distrust, fields);
static const struct record due_instance_record = RECORD(due_instance, due_fields);
RECORD_LIST_BODY(distrust, &distrust_record)
RECORD_LIST_BODY(due_instance, &due_instance_record)

static enum outcome tell(struct db *db, const struct distrust *d, const char *verb,
                         struct error *err)
{
    OWNED(json_drop) json_t *detail = json_object();
    char object[AUDIT_OBJECT_SIZE];
    snprintf(object, sizeof object, "distrust:%s", uuid_text(&d->id).at);
    json_put_text(detail, "what", name_of(&distrust_kind_names, (int)d->what));
    json_put_text(detail, "value", d->value);
    json_put_int(detail, "serial", d->serial);
    return audit_store_add(db, d->project, d->actor, verb, object, detail, NULL, err);
}

enum outcome distrust_store_add(struct db *db, struct distrust *d, const struct uuid *instances,
                                size_t count, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(transaction_begin(db, &tx, err));
    d->id = uuid_new();
    TRY(db_run(db, SQL_DISTRUST_ADD,
               PARAMS(p_uuid(&d->id), p_text(d->project),
                      p_name(&distrust_kind_names, (int)d->what), p_text(d->value),
                      p_int(d->serial), p_bytes(SPAN_OF(d->plan)), p_json(d->exposed),
                      p_text(d->actor)),
               &rows, err));
    if (rows_count(rows) == 0)
        return fail_code(err, ERR_CONFLICT, "distrusted-already", "it is in force");
    d->id = rows_uuid(rows, 0, 0);
    TRY(db_run(db, SQL_DISTRUST_FORGET_INSTANCES, PARAMS(p_uuid(&d->id)), NULL, err));
    TRY(db_run(db, SQL_DISTRUST_ADD_INSTANCES, PARAMS(p_uuid(&d->id), p_uuids(instances, count)),
               NULL, err));
    TRY(tell(db, d, "distrust.proposed", err));
    return transaction_commit(&tx, err);
}

enum outcome distrust_store_list(struct db *db, const char *project, const struct uuid *id,
                                 int64_t limit, struct distrust_list *out, struct error *err)
{
    return distrust_list_of(
        db, SQL_DISTRUST_LIST,
        PARAMS(p_text(project), id != NULL ? p_uuid(id) : p_null(), p_int(limit)), out, err);
}

enum outcome distrust_store_settle(struct db *db, const char *project, const json_t *charter,
                                   const char *actor, struct error *err)
{
    OWNED(distrust_list_done) struct distrust_list list = {0};
    TRY(distrust_list_of(db, SQL_DISTRUST_STANDING, PARAMS(p_text(project)), &list, err));
    if (list.count == 0)
        return OK;
    struct uuid *named = mem_new(list.count, sizeof *named);
    size_t count = 0;
    for (size_t i = 0; i < list.count; i++)
        if (distrust_stands(charter, list.at[i].what, list.at[i].value))
            named[count++] = list.at[i].id;
    enum outcome outcome =
        db_run(db, SQL_DISTRUST_SETTLE,
               PARAMS(p_text(project), p_uuids(named, count), p_text(actor)), NULL, err);
    free(named);
    return outcome;
}

enum outcome distrust_store_due(struct db *db, const struct uuid *after, int64_t limit,
                                struct due_instance_list *out, struct error *err)
{
    return due_instance_list_of(db, SQL_DISTRUST_DUE,
                                PARAMS(after != NULL ? p_uuid(after) : p_null(), p_int(limit)), out,
                                err);
}

enum outcome distrust_store_asked(struct db *db, const struct uuid *instances, size_t count,
                                  struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_DISTRUST_ASKED, PARAMS(p_uuids(instances, count)), NULL, err));
    return transaction_commit(&tx, err);
}

void blast_done(struct blast *blast)
{
    json_decref(blast->versions);
    json_decref(blast->by_instance);
    json_decref(blast->deliveries);
    *blast = (struct blast){0};
}

static enum outcome array_of(struct db *db, enum sql statement, struct params params, json_t **out,
                             struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, statement, params, &rows, err));
    *out = rows_json(rows, 0, 0);
    return OK;
}

enum outcome distrust_store_blast(struct db *db, const char *project, const struct uuid *instances,
                                  size_t count, const json_t *claims, struct blast *out,
                                  struct error *err)
{
    const struct param ids = p_uuids(instances, count);
    TRY(array_of(db, SQL_DISTRUST_EXPOSED, PARAMS(p_text(project), ids, p_json(claims)),
                 &out->versions, err));
    TRY(array_of(db, SQL_DISTRUST_EXPOSED_BY_INSTANCE, PARAMS(p_text(project), ids),
                 &out->by_instance, err));
    return array_of(db, SQL_DISTRUST_DELIVERIES, PARAMS(p_text(project), ids), &out->deliveries,
                    err);
}

enum outcome distrust_store_not_reached(struct db *db, const char *project, const char *region,
                                        const struct uuid *instances, size_t count, int64_t *out,
                                        struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_DISTRUST_NOT_REACHED,
               PARAMS(p_text(project), p_text(region), p_uuids(instances, count)), &rows, err));
    *out = rows_int(rows, 0, 0);
    return OK;
}
