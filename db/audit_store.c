#include "db/audit_store.h"

#include <string.h>

#include "lib/base/metrics.h"

RECORD_LIST_BODY(audit_entry, &audit_record)

enum outcome audit_store_add(struct db *db, const char *project, const char *actor,
                             const char *verb, const char *object, const json_t *detail,
                             int64_t *out_id, struct error *err)
{
    OWNED(json_drop) json_t *nothing = json_object();
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_AUDIT_ADD,
               PARAMS(p_text(project), p_text(actor), p_text(verb), p_text(object),
                      p_json(detail != NULL ? detail : nothing)),
               &rows, err));
    if (out_id != NULL)
        *out_id = rows_int(rows, 0, 0);
    return OK;
}

/* The last entry of the chain; number 0 when there is none. */
static enum outcome find_head(struct db *db, struct audit_entry *out, struct error *err)
{
    enum outcome outcome =
        db_one(db, SQL_AUDIT_HEAD, NO_PARAMS, &audit_record, out, "audit entry", err);
    return outcome == ERR_NOT_FOUND ? OK : outcome;
}

static enum outcome seal_batch(struct db *db, struct audit_entry_list *batch, struct error *err)
{
    OWNED(audit_entry_done) struct audit_entry first = {0};
    TRY(find_head(db, &first, err));
    const struct audit_entry *head = first.number > 0 ? &first : NULL;
    int64_t ids[AUDIT_SEAL_BATCH], numbers[AUDIT_SEAL_BATCH];
    uint8_t links[AUDIT_SEAL_BATCH][SHA256_SIZE], hashes[AUDIT_SEAL_BATCH][SHA256_SIZE];
    for (size_t i = 0; i < batch->count; i++) {
        struct audit_entry *entry = &batch->at[i];
        audit_chain(entry, head);
        ids[i] = entry->id;
        numbers[i] = entry->number;
        memcpy(links[i], entry->prev_hash, SHA256_SIZE);
        memcpy(hashes[i], entry->hash, SHA256_SIZE);
        head = entry;
    }
    int64_t changed = 0;
    TRY(db_change(db, SQL_AUDIT_SEAL,
                  PARAMS(p_ints(ids, batch->count), p_ints(numbers, batch->count),
                         p_hexes(links[0], batch->count, SHA256_SIZE),
                         p_hexes(hashes[0], batch->count, SHA256_SIZE)),
                  &changed, err));
    if (changed != (int64_t)batch->count)
        return fail(err, ERR_INTERNAL, "sealed %lld entries of %zu", (long long)changed,
                    batch->count);
    return OK;
}

enum outcome audit_store_seal(struct db *db, int64_t *out_sealed, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(audit_entry_list_done) struct audit_entry_list batch = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_AUDIT_LOCK, NO_PARAMS, NULL, err));
    TRY(audit_entry_list_of(db, SQL_AUDIT_UNSEALED, PARAMS(p_int(AUDIT_SEAL_BATCH)), &batch, err));
    if (batch.count > 0)
        TRY(seal_batch(db, &batch, err));
    TRY(transaction_commit(&tx, err));
    metric_set(METRIC_AUDIT_UNSEALED, batch.count == AUDIT_SEAL_BATCH ? AUDIT_SEAL_BATCH : 0);
    *out_sealed = (int64_t)batch.count;
    return OK;
}

enum outcome audit_store_list(struct db *db, const char *project, int64_t after, int64_t limit,
                              struct audit_entry_list *out, struct error *err)
{
    return audit_entry_list_of(db, SQL_AUDIT_LIST,
                               PARAMS(p_text(project), p_int(after), p_int(limit)), out, err);
}

enum outcome audit_store_trace(struct db *db, const char *object, int64_t limit,
                               struct audit_entry_list *out, struct error *err)
{
    return audit_entry_list_of(db, SQL_AUDIT_TRACE, PARAMS(p_text(object), p_int(limit)), out, err);
}

enum outcome audit_store_verdict(struct db *db, const char *project, const char *object,
                                 int64_t first, const struct uuid *verdict,
                                 struct audit_entry_list *out, struct error *err)
{
    return audit_entry_list_of(
        db, SQL_AUDIT_VERDICT,
        PARAMS(p_text(object), p_int(first), p_text(project), p_text(uuid_text(verdict).at)), out,
        err);
}

/* One page of the chain after `head`, which moves on to the page's last entry. */
static enum outcome verify_page(struct db *db, struct audit_entry *head, size_t *out_count,
                                struct error *err)
{
    OWNED(audit_entry_list_done) struct audit_entry_list page = {0};
    TRY(audit_entry_list_of(db, SQL_AUDIT_CHAIN,
                            PARAMS(p_int(head->number), p_int(AUDIT_SEAL_BATCH)), &page, err));
    for (size_t i = 0; i < page.count; i++) {
        TRY(audit_check(&page.at[i], head->number > 0 ? head : NULL, err));
        audit_entry_done(head);
        *head = page.at[i];
        page.at[i] = (struct audit_entry){0};
    }
    *out_count = page.count;
    return OK;
}

enum outcome audit_store_verify(struct db *db, int64_t *out_checked, struct error *err)
{
    OWNED(audit_entry_done) struct audit_entry head = {0};
    for (size_t count = AUDIT_SEAL_BATCH; count == AUDIT_SEAL_BATCH;)
        TRY(verify_page(db, &head, &count, err));
    *out_checked = head.number;
    return OK;
}
