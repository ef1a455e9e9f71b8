/* One connection to PostgreSQL: named statements, typed parameters, transactions that nest. One
 * per thread. The only door to libpq, with db_row.
 *
 * Codes: "try-again" (ERR_CONFLICT: serialization or deadlock; repeat the transaction), "exists"
 * (ERR_CONFLICT: a unique key; `where` is the constraint), "in-use" (ERR_CONFLICT: still referred
 * to), "no-such-reference", "bad-value" (ERR_INVALID), "database-unreachable" (ERR_UNREACHABLE),
 * "database-newer" (ERR_UNREACHABLE: a later release took away what a statement names),
 * "commit-unknown" (ERR_AMBIGUOUS: the connection broke inside COMMIT), "database-busy"
 * (ERR_THROTTLED). */
#ifndef MUSTER_DB_DB_H
#define MUSTER_DB_DB_H

#include "db/statements.h"
#include "lib/base/json.h"
#include "lib/base/names.h"

struct db;
struct rows; /* db_row.h reads them */

/* `url`: "postgresql://host/name" or "host=/run/... dbname=...", as libpq takes it. */
enum outcome db_open(const char *url, struct db **out, struct error *err);
void db_close(struct db *db);
DROP(db_drop, struct db, db_close)

/* A parameter. What it points to is borrowed until db_run() returns. Zero uuids and moments, empty
 * spans of none, NULL text and NULL JSON are SQL NULL. */
enum param_kind {
    PARAM_NULL,
    PARAM_TEXT,
    PARAM_INT,
    PARAM_BOOL,
    PARAM_UUID,
    PARAM_MOMENT,
    PARAM_BYTES,
    PARAM_JSON,
    PARAM_UUIDS, /* arrays, for unnest() and = ANY() */
    PARAM_INTS,
    PARAM_MOMENTS,
    PARAM_HEXES, /* bytea[] of equal widths */
    PARAM_NAMES, /* text[] of words */
};

struct param {
    enum param_kind kind;
    const void *at;
    size_t count; /* bytes of text and bytes; items of an array */
    size_t width; /* PARAM_HEXES */
    const struct names *names;
    int64_t number;
};

struct params {
    const struct param *at;
    size_t count;
};

#define PARAMS(...)                                                                                \
    ((struct params){(const struct param[]){__VA_ARGS__},                                          \
                     sizeof((const struct param[]){__VA_ARGS__}) / sizeof(struct param)})
#define NO_PARAMS ((struct params){NULL, 0})

struct param p_null(void);
struct param p_text(const char *text); /* NULL and "" are SQL NULL */
struct param p_int(int64_t number);
struct param p_bool(bool value);
struct param p_name(const struct names *names, int value);
struct param p_uuid(const struct uuid *id);
struct param p_moment(struct moment moment);
struct param p_bytes(struct span bytes);             /* at == NULL is SQL NULL */
struct param p_hex(const uint8_t *at, size_t width); /* all zero is SQL NULL */
struct param p_json(const json_t *value);
struct param p_uuids(const struct uuid *at, size_t count);
struct param p_ints(const int64_t *at, size_t count);
struct param p_moments(const struct moment *at, size_t count);
struct param p_hexes(const uint8_t *at, size_t count, size_t width);
struct param p_names(const struct names *names, const int *at, size_t count);

/* Run a statement; `out_rows` may be NULL. Outside a transaction only statements that read. A
 * reading statement outside a transaction is run once more when the connection turns out broken. */
enum outcome db_run(struct db *db, enum sql statement, struct params params, struct rows **out_rows,
                    struct error *err);
/* As db_run; gives the number of rows that were changed. */
enum outcome db_change(struct db *db, enum sql statement, struct params params, int64_t *out_count,
                       struct error *err);

/* A transaction. Inside another it joins: only the outermost one commits, and when an inner one
 * ends without commit the outer one can only end. Typical:
 *
 *   OWNED(transaction_end) struct transaction tx = {0};
 *   TRY(transaction_begin(db, &tx, err));
 *   ...
 *   return transaction_commit(&tx, err);
 */
struct transaction {
    struct db *db;
};
enum outcome transaction_begin(struct db *db, struct transaction *out, struct error *err);
enum outcome transaction_commit(struct transaction *tx, struct error *err);
void transaction_end(struct transaction *tx); /* rolls back unless committed */
bool db_in_transaction(const struct db *db);

/* Did it fail only because another transaction was in the way? Then repeat it from its begin. */
bool db_try_again(const struct error *err);

/* Waking. A hint only: whoever waits also polls. */
enum outcome db_listen(struct db *db, struct error *err);
/* Wait for db_wake() of any connection, at most `wait_ms`; fine when nothing came. */
enum outcome db_wait(struct db *db, int64_t wait_ms, bool *out_woken, struct error *err);
/* Inside a transaction: takes effect when it commits. */
enum outcome db_wake(struct db *db, struct error *err);

/* Take every named statement to the server now; for the test that prepares each. */
enum outcome db_prepare(struct db *db, enum sql statement, struct error *err);

/* Many statements in one text, without parameters: for migrations and tests only. */
enum outcome db_script(struct db *db, const char *text, struct error *err);

/* The server's view of this connection; for tests that break it. */
int db_backend_pid(const struct db *db);

#endif
