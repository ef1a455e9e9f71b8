#include "db/charter_store.h"

#include <stdio.h>

#include "db/audit_store.h"

/* clang-format off */
static const struct field fields[] = {
    FIELD(charter_row, id,      FIELD_UUID),
    FIELD(charter_row, project, FIELD_TEXT),
    FIELD(charter_row, serial,  FIELD_INT),
    FIELD(charter_row, realm,   FIELD_NAME, .names = &realm_names),
    FIELD(charter_row, issued,  FIELD_MOMENT),
    FIELD(charter_row, expires, FIELD_MOMENT),
    FIELD(charter_row, jws,     FIELD_STRING),
    FIELD(charter_row, active,  FIELD_BOOL),
    FIELD(charter_row, created, FIELD_MOMENT),
};
/* clang-format on */
const struct record charter_row_record = RECORD(charter_row, fields);

void charter_row_done(struct charter_row *row)
{
    record_done(&charter_row_record, row);
}

static enum outcome check_serial(struct db *db, const struct charter_row *row, struct error *err)
{
    OWNED(charter_row_done) struct charter_row active = {0};
    enum outcome outcome = charter_store_active(db, row->project, &active, err);
    if (outcome == ERR_NOT_FOUND)
        return OK;
    TRY(outcome);
    if (row->serial < active.serial)
        return fail_code(err, ERR_CONFLICT, "serial-not-higher",
                         "serial %lld is active, this is %lld", (long long)active.serial,
                         (long long)row->serial);
    return OK;
}

enum outcome charter_store_add(struct db *db, const struct charter_row *row, const char *actor,
                               struct error *err)
{
    char object[AUDIT_OBJECT_SIZE];
    OWNED(json_drop) json_t *detail = json_object();
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(check_serial(db, row, err));
    TRY(db_run(db, SQL_CHARTER_REST, PARAMS(p_text(row->project)), NULL, err));
    TRY(db_run(db, SQL_CHARTER_ADD,
               PARAMS(p_uuid(&row->id), p_text(row->project), p_int(row->serial),
                      p_name(&realm_names, (int)row->realm), p_moment(row->issued),
                      p_moment(row->expires), p_text(row->jws)),
               NULL, err));
    json_put_int(detail, "serial", row->serial);
    json_put_moment(detail, "expires", row->expires);
    snprintf(object, sizeof object, "charter:%lld", (long long)row->serial);
    TRY(audit_store_add(db, row->project, actor, "charter.accepted", object, detail, NULL, err));
    TRY(db_wake(db, err));
    return transaction_commit(&tx, err);
}

enum outcome charter_store_active(struct db *db, const char *project, struct charter_row *out,
                                  struct error *err)
{
    return db_one(db, SQL_CHARTER_ACTIVE, PARAMS(p_text(project)), &charter_row_record, out,
                  "charter", err);
}

enum outcome charter_store_find(struct db *db, const char *project, int64_t serial,
                                struct charter_row *out, struct error *err)
{
    return db_one(db, SQL_CHARTER_FIND, PARAMS(p_text(project), p_int(serial)), &charter_row_record,
                  out, "charter of that serial", err);
}
