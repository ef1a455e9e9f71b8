#include "db/orphan_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/audit_store.h"
#include "lib/crypto/random.h"

static const char *const kind_words[] = {"machine", "disk", "address", "interface", "vanished"};
_Static_assert(countof(kind_words) == ORPHAN_KIND_COUNT);
const struct names orphan_kind_names = NAMES("kind of orphan", kind_words);

static const char *const removal_words[] = {"none", "asked", "begun"};
_Static_assert(countof(removal_words) == REMOVAL_COUNT);
const struct names removal_names = NAMES("removal", removal_words);

/* clang-format off */
static const struct field fields[] = {
    FIELD(orphan_row, id,           FIELD_UUID),
    FIELD(orphan_row, project,      FIELD_TEXT, .flags = FIELD_HIDDEN),
    FIELD(orphan_row, account,      FIELD_TEXT),
    FIELD(orphan_row, kind,         FIELD_NAME, .names = &orphan_kind_names),
    FIELD(orphan_row, ref,          FIELD_TEXT),
    FIELD(orphan_row, machine_id,   FIELD_TEXT),
    FIELD(orphan_row, copied,       FIELD_BOOL),
    FIELD(orphan_row, owner,        FIELD_TEXT),
    FIELD(orphan_row, instance,     FIELD_UUID),
    FIELD(orphan_row, client_token, FIELD_TEXT),
    FIELD(orphan_row, fleet,        FIELD_TEXT),
    FIELD(orphan_row, cloud,        FIELD_TEXT),
    FIELD(orphan_row, region,       FIELD_TEXT),
    FIELD(orphan_row, zone,         FIELD_TEXT),
    FIELD(orphan_row, state,        FIELD_TEXT),
    FIELD(orphan_row, first_seen,   FIELD_MOMENT),
    FIELD(orphan_row, last_seen,    FIELD_MOMENT),
    FIELD(orphan_row, removal,      FIELD_NAME, .names = &removal_names),
    FIELD(orphan_row, removal_by,   FIELD_TEXT),
    FIELD(orphan_row, reason,       FIELD_TEXT),
};
/* clang-format on */
const struct record orphan_record = RECORD(orphan_row, fields);
RECORD_LIST_BODY(orphan_row, &orphan_record)

static struct param p(const struct orphan_row *orphan, const char *field)
{
    return p_field(&orphan_record, orphan, field);
}

static enum outcome tell(struct db *db, const struct orphan_row *orphan, const char *verb,
                         const char *reason, const char *actor, struct error *err)
{
    char object[AUDIT_OBJECT_SIZE];
    OWNED(json_drop) json_t *detail = record_to_json(&orphan_record, orphan);
    if (reason != NULL)
        json_put_text(detail, "reason", reason);
    snprintf(object, sizeof object, "orphan:%s", uuid_text(&orphan->id).at);
    return audit_store_add(db, orphan->project, actor, verb, object, detail, NULL, err);
}

static enum outcome tell_gone(struct db *db, const struct orphan_row_list *gone, const char *actor,
                              struct error *err)
{
    for (size_t i = 0; i < gone->count; i++)
        if (gone->at[i].removal != REMOVAL_NONE)
            TRY(tell(db, &gone->at[i], "orphan.gone", NULL, actor, err));
    return OK;
}

/* Nobody asked to remove this one, and it is not as old. */
static enum outcome forget_other(struct db *db, const struct orphan_row *orphan, const char *actor,
                                 struct error *err)
{
    OWNED(orphan_row_list_done) struct orphan_row_list gone = {0};
    TRY(orphan_row_list_of(db, SQL_ORPHAN_RENAMED,
                           PARAMS(p(orphan, "project"), p(orphan, "account"), p(orphan, "kind"),
                                  p(orphan, "ref"), p(orphan, "machine_id")),
                           &gone, err));
    return tell_gone(db, &gone, actor, err);
}

enum outcome orphan_store_seen(struct db *db, struct orphan_row *orphan, const char *actor,
                               struct error *err)
{
    struct orphan_row now = {0};
    OWNED(transaction_end) struct transaction tx = {0};
    orphan->id = uuid_new();
    TRY(transaction_begin(db, &tx, err));
    TRY(forget_other(db, orphan, actor, err));
    TRY(db_one(db, SQL_ORPHAN_SEEN,
               PARAMS(p(orphan, "id"), p(orphan, "project"), p(orphan, "account"),
                      p(orphan, "kind"), p(orphan, "ref"), p(orphan, "owner"),
                      p(orphan, "instance"), p(orphan, "client_token"), p(orphan, "zone"),
                      p(orphan, "state"), p(orphan, "fleet"), p(orphan, "machine_id"),
                      p(orphan, "copied")),
               &orphan_record, &now, "orphan", err));
    TRY(transaction_commit(&tx, err));
    *orphan = now;
    return OK;
}

enum outcome orphan_store_list(struct db *db, const char *project, int64_t limit,
                               struct orphan_row_list *out, struct error *err)
{
    return orphan_row_list_of(db, SQL_ORPHAN_LIST, PARAMS(p_text(project), p_int(limit)), out, err);
}

enum outcome orphan_store_clock(struct db *db, struct moment *out, struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_ORPHAN_CLOCK, NO_PARAMS, &rows, err));
    *out = rows_moment(rows, 0, 0);
    return OK;
}

enum outcome orphan_store_sweep(struct db *db, const struct account_place *place,
                                struct moment began, bool machines, const char *actor,
                                struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(orphan_row_list_done) struct orphan_row_list gone = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(orphan_row_list_of(
        db, SQL_ORPHAN_SWEEP,
        PARAMS(p_text(place->project), p_text(place->name), p_moment(began), p_bool(machines)),
        &gone, err));
    TRY(tell_gone(db, &gone, actor, err));
    TRY(db_run(db, SQL_ORPHAN_FORGET, PARAMS(p_text(place->project), p_text(place->name)), NULL,
               err));
    return transaction_commit(&tx, err);
}

enum outcome orphan_store_count(struct db *db, int64_t *out_count, int64_t *out_oldest_seconds,
                                struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_ORPHAN_COUNT, NO_PARAMS, &rows, err));
    *out_count = rows_int(rows, 0, 0);
    *out_oldest_seconds = rows_int(rows, 0, 1);
    return OK;
}

/* Nothing is left of it to remove: that somebody saw it is enough. */
static enum outcome acknowledge(struct db *db, const struct orphan_row *orphan, const char *actor,
                                struct error *err)
{
    TRY(db_run(db, SQL_ORPHAN_DROP, PARAMS(p_uuid(&orphan->id)), NULL, err));
    return tell(db, orphan, "orphan.acknowledged", NULL, actor, err);
}

static enum outcome ask(struct db *db, struct orphan_row *orphan, const char *actor,
                        struct error *err)
{
    orphan->removal = REMOVAL_ASKED;
    TRY(text_copy(orphan->removal_by, sizeof orphan->removal_by, actor, "actor", err));
    TRY(db_run(db, SQL_ORPHAN_ASK, PARAMS(p_uuid(&orphan->id), p_text(actor)), NULL, err));
    TRY(db_run(db, SQL_LEFTOVER_LOOK_AGAIN,
               PARAMS(p_text(orphan->project), p_text(orphan->account)), NULL, err));
    return tell(db, orphan, "orphan.removal-asked", NULL, actor, err);
}

enum outcome orphan_store_ask(struct db *db, const char *project, const struct uuid *id,
                              const char *ref, const char *actor, struct orphan_row *out,
                              struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    *out = (struct orphan_row){0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_one(db, SQL_ORPHAN_FIND, PARAMS(p_uuid(id), p_text(project)), &orphan_record, out,
               "orphan", err));
    if (strcmp(out->ref, ref) != 0)
        return fail_at(err, ERR_CONFLICT, "other-machine", "/ref", "orphan %s is %s, not %.80s",
                       uuid_text(id).at, out->ref, ref);
    TRY(out->kind == ORPHAN_VANISHED ? acknowledge(db, out, actor, err) : ask(db, out, actor, err));
    TRY(db_wake(db, err));
    return transaction_commit(&tx, err);
}

enum outcome orphan_store_due(struct db *db, struct orphan_row *orphan, const char *actor,
                              struct error *err)
{
    int64_t changed = 0;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_change(db, SQL_ORPHAN_DUE, PARAMS(p_uuid(&orphan->id), p_text(actor)), &changed, err));
    if (changed == 0)
        return OK;
    orphan->removal = REMOVAL_ASKED;
    TRY(text_copy(orphan->removal_by, sizeof orphan->removal_by, actor, "actor", err));
    TRY(tell(db, orphan, "orphan.removal-asked", NULL, actor, err));
    return transaction_commit(&tx, err);
}

enum outcome orphan_store_begun(struct db *db, const struct orphan_row *orphan, const char *reason,
                                const char *actor, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_ORPHAN_BEGUN, PARAMS(p_uuid(&orphan->id), p_text(actor), p_text(reason)),
               NULL, err));
    if (orphan->removal == REMOVAL_ASKED)
        TRY(tell(db, orphan, "orphan.removed", reason, actor, err));
    return transaction_commit(&tx, err);
}

enum outcome orphan_store_claim_look(struct db *db, const struct account_place *place,
                                     int64_t every_seconds, bool *out, struct moment *out_began,
                                     struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_LEFTOVER_LOOK_CLAIM,
               PARAMS(p_text(place->project), p_text(place->name), p_int(every_seconds)), &rows,
               err));
    *out = rows_count(rows) > 0;
    if (*out)
        *out_began = rows_moment(rows, 0, 0);
    return transaction_commit(&tx, err);
}

enum outcome orphan_store_looked(struct db *db, const struct account_place *place,
                                 struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_LEFTOVER_LOOK_STORE, PARAMS(p_text(place->project), p_text(place->name)),
               NULL, err));
    return transaction_commit(&tx, err);
}

enum outcome orphan_store_look_failed(struct db *db, const struct account_place *place,
                                      const char *code, int64_t again_seconds, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(
        db, SQL_LEFTOVER_LOOK_FAIL,
        PARAMS(p_text(place->project), p_text(place->name), p_text(code), p_int(again_seconds)),
        NULL, err));
    return transaction_commit(&tx, err);
}
