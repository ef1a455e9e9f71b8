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
    FIELD(orphan_row, owner,        FIELD_TEXT),
    FIELD(orphan_row, instance,     FIELD_UUID),
    FIELD(orphan_row, client_token, FIELD_TEXT),
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

enum outcome orphan_store_seen(struct db *db, struct orphan_row *orphan, struct error *err)
{
    struct orphan_row now = {0};
    OWNED(transaction_end) struct transaction tx = {0};
    orphan->id = uuid_new();
    TRY(transaction_begin(db, &tx, err));
    TRY(db_one(db, SQL_ORPHAN_SEEN,
               PARAMS(p(orphan, "id"), p(orphan, "project"), p(orphan, "account"),
                      p(orphan, "kind"), p(orphan, "ref"), p(orphan, "owner"),
                      p(orphan, "instance"), p(orphan, "client_token"), p(orphan, "zone"),
                      p(orphan, "state")),
               &orphan_record, &now, "orphan", err));
    TRY(transaction_commit(&tx, err));
    *orphan = now;
    return OK;
}

enum outcome orphan_store_sweep(struct db *db, const char *project, const char *account,
                                struct moment began, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_ORPHAN_SWEEP, PARAMS(p_text(project), p_text(account), p_moment(began)),
               NULL, err));
    return transaction_commit(&tx, err);
}

enum outcome orphan_store_list(struct db *db, const char *project, int64_t limit,
                               struct orphan_row_list *out, struct error *err)
{
    return orphan_row_list_of(db, SQL_ORPHAN_LIST, PARAMS(p_text(project), p_int(limit)), out, err);
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
    out->removal = REMOVAL_ASKED;
    TRY(db_run(db, SQL_ORPHAN_ASK, PARAMS(p_uuid(id), p_text(actor)), NULL, err));
    TRY(tell(db, out, "orphan.removal-asked", NULL, actor, err));
    TRY(db_wake(db, err));
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
