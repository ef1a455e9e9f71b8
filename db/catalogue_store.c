#include "db/catalogue_store.h"

#include <stdio.h>

#include "db/audit_store.h"

/* clang-format off */
static const struct field edition_fields[] = {
    FIELD(catalogue_edition, edition, FIELD_TEXT),
    FIELD(catalogue_edition, version, FIELD_INT),
    FIELD(catalogue_edition, issued,  FIELD_MOMENT),
    FIELD(catalogue_edition, jws,     FIELD_STRING, .flags = FIELD_HIDDEN),
    FIELD(catalogue_edition, actor,   FIELD_STRING),
    FIELD(catalogue_edition, loaded,  FIELD_MOMENT),
};
static const struct field waiver_fields[] = {
    FIELD(catalogue_waiver, rule,    FIELD_TEXT),
    FIELD(catalogue_waiver, reason,  FIELD_TEXT),
    FIELD(catalogue_waiver, ends,    FIELD_MOMENT),
    FIELD(catalogue_waiver, actor,   FIELD_STRING),
    FIELD(catalogue_waiver, created, FIELD_MOMENT),
};
static const struct field look_fields[] = {
    FIELD(catalogue_look, account,       FIELD_TEXT),
    FIELD(catalogue_look, due,           FIELD_MOMENT),
    FIELD(catalogue_look, looked,        FIELD_MOMENT),
    FIELD(catalogue_look, edition,       FIELD_TEXT),
    FIELD(catalogue_look, version,       FIELD_INT),
    FIELD(catalogue_look, failure,       FIELD_TEXT),
    FIELD(catalogue_look, drift,         FIELD_JSON),
    FIELD(catalogue_look, drifted_since, FIELD_MOMENT),
};
/* clang-format on */
const struct record catalogue_edition_record = RECORD(catalogue_edition, edition_fields);
const struct record catalogue_waiver_record = RECORD(catalogue_waiver, waiver_fields);
const struct record catalogue_look_record = RECORD(catalogue_look, look_fields);
RECORD_LIST_BODY(catalogue_edition, &catalogue_edition_record)
RECORD_LIST_BODY(catalogue_waiver, &catalogue_waiver_record)
RECORD_LIST_BODY(catalogue_look, &catalogue_look_record)

void catalogue_edition_done(struct catalogue_edition *edition)
{
    record_done(&catalogue_edition_record, edition);
}

/* ---- editions ------------------------------------------------------------------------------- */

static enum outcome tell(struct db *db, const char *project, const char *actor, const char *verb,
                         const char *edition, const json_t *detail, struct error *err)
{
    char object[AUDIT_OBJECT_SIZE];
    snprintf(object, sizeof object, "catalogue:%.80s", edition);
    return audit_store_add(db, project, actor, verb, object, detail, NULL, err);
}

enum outcome catalogue_store_load(struct db *db, const char *project,
                                  const struct catalogue_edition *edition, const char *actor,
                                  struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(rows_drop) struct rows *rows = NULL;
    OWNED(json_drop) json_t *detail = json_object();
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_CATALOGUE_EDITION_PUT,
               PARAMS(p_text(edition->edition), p_int(edition->version), p_moment(edition->issued),
                      p_text(edition->jws), p_text(actor)),
               &rows, err));
    if (rows_count(rows) == 0)
        return fail_code(err, ERR_CONFLICT, "edition-not-newer", "%s is there as new or newer",
                         edition->edition);
    TRY(db_run(db, SQL_CATALOGUE_LOOK_AGAIN, PARAMS(p_null()), NULL, err));
    json_put_int(detail, "version", edition->version);
    json_put_moment(detail, "issued", edition->issued);
    TRY(tell(db, project, actor, "catalogue.loaded", edition->edition, detail, err));
    return transaction_commit(&tx, err);
}

enum outcome catalogue_store_edition(struct db *db, const char *name, struct catalogue_edition *out,
                                     struct error *err)
{
    return db_one(db, SQL_CATALOGUE_EDITION_FIND, PARAMS(p_text(name)), &catalogue_edition_record,
                  out, "edition of that name", err);
}

enum outcome catalogue_store_editions(struct db *db, struct catalogue_edition_list *out,
                                      struct error *err)
{
    return catalogue_edition_list_of(db, SQL_CATALOGUE_EDITION_LIST,
                                     PARAMS(p_int(CATALOGUE_EDITIONS_MOST)), out, err);
}

/* ---- choice and waivers --------------------------------------------------------------------- */

enum outcome catalogue_store_choice(struct db *db, const char *project, char out[static NAME_SIZE],
                                    struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_CATALOGUE_CHOICE_FIND, PARAMS(p_text(project)), &rows, err));
    out[0] = '\0';
    if (rows_count(rows) == 0)
        return OK;
    OWNED(mem_drop) char *edition = rows_text(rows, 0, 0);
    return text_copy(out, NAME_SIZE, edition, "edition", err);
}

enum outcome catalogue_store_choose(struct db *db, const char *project, const char *edition,
                                    const char *actor, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_CATALOGUE_CHOICE_PUT,
               PARAMS(p_text(project), p_text(edition), p_text(actor)), NULL, err));
    TRY(db_run(db, SQL_CATALOGUE_LOOK_AGAIN, PARAMS(p_text(project)), NULL, err));
    TRY(tell(db, project, actor, "catalogue.chosen", edition, NULL, err));
    return transaction_commit(&tx, err);
}

enum outcome catalogue_store_waivers(struct db *db, const char *project,
                                     struct catalogue_waiver_list *out, struct error *err)
{
    return catalogue_waiver_list_of(db, SQL_CATALOGUE_WAIVER_LIST, PARAMS(p_text(project)), out,
                                    err);
}

enum outcome catalogue_store_waive(struct db *db, const char *project,
                                   const struct catalogue_waiver *waiver, const char *actor,
                                   struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(json_drop) json_t *detail = json_object();
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_CATALOGUE_WAIVER_PUT,
               PARAMS(p_text(project), p_text(waiver->rule), p_text(waiver->reason),
                      p_moment(waiver->ends), p_text(actor)),
               NULL, err));
    json_put_text(detail, "reason", waiver->reason);
    json_put_moment(detail, "ends", waiver->ends);
    TRY(tell(db, project, actor, "catalogue.overridden", waiver->rule, detail, err));
    return transaction_commit(&tx, err);
}

enum outcome catalogue_store_withdraw(struct db *db, const char *project, const char *rule,
                                      const char *actor, struct error *err)
{
    int64_t changed = 0;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_change(db, SQL_CATALOGUE_WAIVER_REMOVE, PARAMS(p_text(project), p_text(rule)), &changed,
                  err));
    if (changed == 0)
        return fail(err, ERR_NOT_FOUND, "nobody overrides that rule");
    TRY(tell(db, project, actor, "catalogue.override-withdrawn", rule, NULL, err));
    return transaction_commit(&tx, err);
}

/* ---- what clouds say ------------------------------------------------------------------------ */

enum outcome catalogue_store_claim_look(struct db *db, const char *project, const char *account,
                                        int64_t every_seconds, bool *out, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_CATALOGUE_LOOK_CLAIM,
               PARAMS(p_text(project), p_text(account), p_int(every_seconds)), &rows, err));
    *out = rows_count(rows) > 0;
    return transaction_commit(&tx, err);
}

enum outcome catalogue_store_looked(struct db *db, const char *project, const char *account,
                                    const struct catalogue *catalogue,
                                    const struct drift_list *drift, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(json_drop) json_t *list = json_array();
    for (size_t i = 0; i < drift->count && i < CATALOGUE_DRIFT_MOST; i++)
        json_add_new(list, record_to_json(&drift_record, &drift->at[i]));
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_CATALOGUE_LOOK_STORE,
               PARAMS(p_text(project), p_text(account), p_text(catalogue->edition),
                      p_int(catalogue->version), p_json(list)),
               NULL, err));
    return transaction_commit(&tx, err);
}

enum outcome catalogue_store_look_failed(struct db *db, const char *project, const char *account,
                                         const char *code, int64_t again_seconds, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_CATALOGUE_LOOK_FAIL,
               PARAMS(p_text(project), p_text(account), p_text(code), p_int(again_seconds)), NULL,
               err));
    return transaction_commit(&tx, err);
}

enum outcome catalogue_store_looks(struct db *db, const char *project, const char *after,
                                   int64_t limit, struct catalogue_look_list *out,
                                   struct error *err)
{
    return catalogue_look_list_of(db, SQL_CATALOGUE_LOOK_LIST,
                                  PARAMS(p_text(project), p_text(after), p_int(limit)), out, err);
}
