#include "db/retention.h"

#include <string.h>

#include "db/db_row.h"
#include "lib/crypto/digest.h"

/* What verdicts that are gone were drawn from, where none is left. */
static enum outcome forget_evidence(struct db *db, const struct rows *rows, struct error *err)
{
    size_t count = 0;
    OWNED(mem_drop) uint8_t *digests = mem_new(rows_count(rows) + 1, SHA256_SIZE);
    for (size_t i = 0; i < rows_count(rows); i++)
        if (!rows_is_null(rows, i, 0))
            memcpy(digests + count++ * SHA256_SIZE, rows_bytes(rows, i, 0).at, SHA256_SIZE);
    return db_run(db, SQL_RETENTION_EVIDENCE, PARAMS(p_hexes(digests, count, SHA256_SIZE)), NULL,
                  err);
}

static enum outcome forget_verdicts(struct db *db, struct param instances, struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_RETENTION_VERDICTS, PARAMS(instances), &rows, err));
    return forget_evidence(db, rows, err);
}

enum outcome retention_forget_verdicts(struct db *db, int64_t days, const char *actor,
                                       struct retention_walk *walk, struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    OWNED(transaction_end) struct transaction tx = {0};
    struct retention_walk next = {.created = walk->created, .id = walk->id};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_RETENTION_OLD_VERDICTS,
               PARAMS(p_int(days), p_int(RETENTION_STEP), p_text(actor), p_moment(walk->created),
                      p_uuid(&walk->id)),
               &rows, err));
    TRY(forget_evidence(db, rows, err));
    TRY(transaction_commit(&tx, err));
    if (rows_count(rows) > 0)
        next = (struct retention_walk){.created = rows_moment(rows, 0, 3),
                                       .id = rows_uuid(rows, 0, 4),
                                       .looked = (size_t)rows_int(rows, 0, 2),
                                       .gone = rows_int(rows, 0, 1)};
    *walk = next;
    return OK;
}

enum outcome retention_forget(struct db *db, int64_t days, const char *actor, int64_t *out_count,
                              struct error *err)
{
    struct uuid ids[RETENTION_BATCH];
    OWNED(rows_drop) struct rows *due = NULL;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_RETENTION_DUE, PARAMS(p_int(days), p_int(RETENTION_BATCH)), &due, err));
    size_t count = rows_count(due);
    for (size_t i = 0; i < count; i++)
        ids[i] = rows_uuid(due, i, 0);
    struct param instances = p_uuids(ids, count);
    if (count > 0) {
        TRY(db_run(db, SQL_RETENTION_HISTORY, PARAMS(instances), NULL, err));
        TRY(db_run(db, SQL_RETENTION_NOTICES, PARAMS(instances), NULL, err));
        TRY(db_run(db, SQL_RETENTION_HEARTBEATS, PARAMS(instances), NULL, err));
        TRY(forget_verdicts(db, instances, err));
        TRY(db_run(db, SQL_RETENTION_DONE, PARAMS(instances, p_text(actor), p_int(days)), NULL,
                   err));
    }
    TRY(transaction_commit(&tx, err));
    *out_count = (int64_t)count;
    return OK;
}
