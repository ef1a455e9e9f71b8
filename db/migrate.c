#include "db/migrate.h"

#include <stdlib.h>
#include <string.h>

#include "db/db_row.h"
#include "lib/crypto/digest.h"

static const char ledger[] = "CREATE TABLE IF NOT EXISTS migrations ("
                             "  name text PRIMARY KEY,"
                             "  checksum bytea NOT NULL,"
                             "  applied timestamptz NOT NULL DEFAULT clock_timestamp())";

/* 0x6d757374 is "must": the lock that all controllers agree on. A migration of large tables takes
 * as long as it takes, and so does waiting for another controller's. */
static const char lock[] = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;"
                           "SELECT pg_advisory_xact_lock(1836413812, 1)";

static enum outcome check_known(struct db *db, struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_MIGRATION_LIST, NO_PARAMS, &rows, err));
    for (size_t i = 0; i < rows_count(rows); i++) {
        OWNED(mem_drop) char *name = rows_text(rows, i, 0);
        if (i >= migration_count || strcmp(name, migrations[i].name) != 0)
            return fail_code(err, ERR_CONFLICT, "database-newer",
                             "the database has migration %s, which this build does not know", name);
        uint8_t sum[SHA256_SIZE];
        digest(DIGEST_SHA256, span_of_text(migrations[i].text), sum);
        if (!span_equal(SPAN_OF(sum), rows_bytes(rows, i, 1)))
            return fail_code(err, ERR_CONFLICT, "migration-changed",
                             "migration %s was applied with another text", name);
    }
    return OK;
}

static enum outcome count_applied(struct db *db, size_t *out, struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_MIGRATION_LIST, NO_PARAMS, &rows, err));
    *out = rows_count(rows);
    return OK;
}

static enum outcome apply(struct db *db, const struct migration *it, struct error *err)
{
    if (db_script(db, it->text, err) != OK)
        return error_context(err, "migration %s", it->name);
    uint8_t sum[SHA256_SIZE];
    digest(DIGEST_SHA256, span_of_text(it->text), sum);
    return db_run(db, SQL_MIGRATION_ADD, PARAMS(p_text(it->name), p_bytes(SPAN_OF(sum))), NULL,
                  err);
}

/* One migration, if one is left; the lock goes with the transaction. */
static enum outcome step(struct db *db, bool *out_more, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_script(db, lock, err));
    TRY(db_script(db, ledger, err));
    TRY(check_known(db, err));
    size_t applied = 0;
    TRY(count_applied(db, &applied, err));
    *out_more = applied < migration_count;
    if (*out_more)
        TRY(apply(db, &migrations[applied], err));
    return transaction_commit(&tx, err);
}

enum outcome migrate(struct db *db, struct error *err)
{
    for (bool more = true; more;)
        TRY(step(db, &more, err));
    return OK;
}
