#include "db/db.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/db_row.h"
#include "db/statement.h"
#include "lib/base/fault.h"

enum { PARAMETERS_MAX = 48 };

struct db {
    char *url;
    PGconn *connection;
    bool prepared[SQL_COUNT];
    bool listening;
    int depth;   /* of transactions; 0: none */
    bool doomed; /* an inner one ended without commit */
    bool lost;   /* a call failed for want of a server; libpq may not have noticed */
};

/* What every connection of ours agrees on. A worker never holds a transaction while it talks to a
 * cloud, so the time-outs are short. */
static const char session[] = "SET TimeZone = 'UTC'; SET client_min_messages = warning;"
                              "SET statement_timeout = '30s'; SET lock_timeout = '15s';"
                              "SET idle_in_transaction_session_timeout = '60s'; SET jit = off";

DROP(result_drop, PGresult, PQclear)

/* The server's words without its line breaks; never its DETAIL, which may hold values. */
static void first_line(const char *message, char out[static 160])
{
    size_t len = strcspn(message, "\n");
    snprintf(out, 160, "%.*s", (int)(len < 159 ? len : 159), message);
}

struct meaning {
    const char *state; /* the beginning of an SQLSTATE */
    enum outcome outcome;
    const char *code;
};

/* clang-format off */
static const struct meaning meanings[] = {
    {"40001", ERR_CONFLICT,    "try-again"},
    {"40P01", ERR_CONFLICT,    "try-again"},
    {"55P03", ERR_CONFLICT,    "try-again"},
    {"23505", ERR_CONFLICT,    "exists"},
    {"23503", ERR_INVALID,     "no-such-reference"},
    {"23",    ERR_INVALID,     "bad-value"},
    {"22",    ERR_INVALID,     "bad-value"},
    {"57014", ERR_THROTTLED,   "database-busy"},
    {"57P",   ERR_UNREACHABLE, "database-unreachable"},
    {"53",    ERR_THROTTLED,   "database-busy"},
    {"08",    ERR_UNREACHABLE, "database-unreachable"},
    {"25006", ERR_UNREACHABLE, "database-unreachable"}, /* read-only: a standby, in a failover */
    {"42P01", ERR_UNREACHABLE, "database-newer"}, /* it took a table away, or the next, a column */
    {"42703", ERR_UNREACHABLE, "database-newer"},
    {"0A000", ERR_CONFLICT,    "try-again"}, /* a newer musterd gave a table another shape */
};
/* clang-format on */

static enum outcome describe(const struct db *db, const PGresult *result, const char *what,
                             struct error *err)
{
    char text[160];
    const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *constraint =
        result != NULL ? PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME) : NULL;
    const char *primary =
        result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    first_line(primary != NULL ? primary : PQerrorMessage(db->connection), text);
    if (PQstatus(db->connection) != CONNECTION_OK || state == NULL)
        return fail_code(err, ERR_UNREACHABLE, "database-unreachable", "%s: %s", what, text);
    if (strcmp(state, "23503") == 0 && strncmp(what, "DELETE", 6) == 0)
        return fail_at(err, ERR_CONFLICT, "in-use", constraint, "%s: still referred to", what);
    for (size_t i = 0; i < countof(meanings); i++)
        if (strncmp(state, meanings[i].state, strlen(meanings[i].state)) == 0)
            return fail_at(err, meanings[i].outcome, meanings[i].code,
                           constraint != NULL ? constraint : "", "%s: %s", what, text);
    return fail_code(err, ERR_INTERNAL, "database", "%s: %s (%s)", what, text, state);
}

/* Its tables changed since it was prepared, and those of the other statements perhaps too. */
static bool is_outdated(const PGresult *result)
{
    const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    return state != NULL && strcmp(state, "0A000") == 0;
}

/* After a write that failed libpq may go on calling the connection good, and one to a server that
 * became a standby is of no use either: the next transaction begins on another. */
static enum outcome fail_sql(struct db *db, const PGresult *result, const char *what,
                             struct error *err)
{
    enum outcome outcome = describe(db, result, what, err);
    db->lost |= outcome == ERR_UNREACHABLE || is_outdated(result);
    return outcome;
}

/* A text of ours, no values in it. */
static enum outcome say(struct db *db, const char *text, struct error *err)
{
    OWNED(result_drop) PGresult *result = PQexec(db->connection, text);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        return fail_sql(db, result, "SQL", err);
    return OK;
}

static void be_quiet(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

static enum outcome greet(struct db *db, struct error *err)
{
    memset(db->prepared, 0, sizeof db->prepared);
    db->lost = false;
    if (PQstatus(db->connection) != CONNECTION_OK) {
        char text[160];
        first_line(PQerrorMessage(db->connection), text);
        return fail_code(err, ERR_UNREACHABLE, "database-unreachable", "%s", text);
    }
    PQsetNoticeReceiver(db->connection, be_quiet, NULL);
    TRY(say(db, session, err));
    return db->listening ? say(db, "LISTEN muster_work", err) : OK;
}

enum outcome db_open(const char *url, struct db **out, struct error *err)
{
    static const char *const keys[] = {
        "connect_timeout",  "application_name",     "client_encoding", "keepalives_idle",
        "tcp_user_timeout", "target_session_attrs", "dbname",          NULL,
    };
    const char *const values[] = {"5", "muster", "UTF8", "20", "20000", "read-write", url, NULL};
    OWNED(db_drop) struct db *db = NEW(struct db);
    db->url = mem_text(url);
    db->connection = PQconnectdbParams(keys, values, 1);
    TRY(greet(db, err));
    *out = TAKE(db);
    return OK;
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    PQfinish(db->connection);
    free(db->url);
    free(db);
}

static bool is_broken(const struct db *db)
{
    return db->lost || PQstatus(db->connection) != CONNECTION_OK;
}

static enum outcome reconnect(struct db *db, struct error *err)
{
    PQreset(db->connection);
    return greet(db, err);
}

/* ---- parameters ---- */

struct encoded {
    const char *value;
    int len;
    int format; /* 0 text, 1 binary */
    char small[UUID_TEXT_SIZE];
    struct text text;
    char *printed;
};

static void encoded_done(struct encoded *e)
{
    text_done(&e->text);
    free(e->printed);
}

static void encode_item(const struct param *p, size_t i, struct text *out)
{
    if (p->kind == PARAM_UUIDS)
        text_add(out, uuid_text((const struct uuid *)p->at + i).at);
    else if (p->kind == PARAM_INTS)
        text_addf(out, "%lld", (long long)((const int64_t *)p->at)[i]);
    else if (p->kind == PARAM_NAMES)
        text_addf(out, "\"%s\"", name_of(p->names, ((const int *)p->at)[i]));
    else if (p->kind == PARAM_HEXES) {
        text_add(out, "\"\\\\x");
        text_add_hex(out, SPAN((const uint8_t *)p->at + i * p->width, p->width));
        text_add(out, "\"");
    } else if (moment_is_none(((const struct moment *)p->at)[i]))
        text_add(out, "NULL");
    else
        text_addf(out, "\"%s\"", moment_text(((const struct moment *)p->at)[i]).at);
}

static void encode_array(const struct param *p, struct encoded *out)
{
    text_add(&out->text, "{");
    for (size_t i = 0; i < p->count; i++) {
        if (i > 0)
            text_add(&out->text, ",");
        encode_item(p, i, &out->text);
    }
    text_add(&out->text, "}");
    out->value = text_str(&out->text);
}

static void encode(const struct param *p, struct encoded *out)
{
    switch (p->kind) {
    case PARAM_NULL:
        return;
    case PARAM_TEXT:
        out->value = p->at;
        return;
    case PARAM_INT:
        snprintf(out->small, sizeof out->small, "%lld", (long long)p->number);
        out->value = out->small;
        return;
    case PARAM_BOOL:
        out->value = p->number != 0 ? "t" : "f";
        return;
    case PARAM_UUID:
        uuid_print(p->at, out->small);
        out->value = out->small;
        return;
    case PARAM_MOMENT: {
        struct moment_text when = moment_text((struct moment){p->number});
        snprintf(out->small, sizeof out->small, "%s", when.at);
        out->value = out->small;
        return;
    }
    case PARAM_BYTES:
        out->value = p->at;
        out->len = (int)p->count;
        out->format = 1;
        return;
    case PARAM_JSON:
        out->value = out->printed = json_print(p->at);
        return;
    case PARAM_UUIDS:
    case PARAM_INTS:
    case PARAM_MOMENTS:
    case PARAM_HEXES:
    case PARAM_NAMES:
        encode_array(p, out);
        return;
    }
    abort();
}

static PGresult *execute(struct db *db, const char *name, struct params params)
{
    struct encoded encoded[PARAMETERS_MAX] = {0};
    const char *values[PARAMETERS_MAX] = {0};
    int lengths[PARAMETERS_MAX] = {0}, formats[PARAMETERS_MAX] = {0};
    for (size_t i = 0; i < params.count; i++) {
        encode(&params.at[i], &encoded[i]);
        values[i] = encoded[i].value;
        lengths[i] = encoded[i].len;
        formats[i] = encoded[i].format;
    }
    PGresult *result =
        PQexecPrepared(db->connection, name, (int)params.count, values, lengths, formats, 1);
    for (size_t i = 0; i < params.count; i++)
        encoded_done(&encoded[i]);
    return result;
}

/* ---- statements ---- */

enum outcome db_prepare(struct db *db, enum sql statement, struct error *err)
{
    if (db->prepared[statement])
        return OK;
    const struct statement *it = &statements[statement];
    OWNED(result_drop) PGresult *result = PQprepare(db->connection, it->name, it->text, 0, NULL);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        return fail_sql(db, result, it->name, err);
    db->prepared[statement] = true;
    return OK;
}

static enum outcome run_once(struct db *db, enum sql statement, struct params params,
                             PGresult **out, struct error *err)
{
    const struct statement *it = &statements[statement];
    TRY(db_prepare(db, statement, err));
    OWNED(result_drop) PGresult *result = execute(db, it->name, params);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        return fail_sql(db, result, strncmp(it->text, "DELETE", 6) == 0 ? "DELETE" : it->name, err);
    *out = TAKE(result);
    return OK;
}

static enum outcome run(struct db *db, enum sql statement, struct params params, PGresult **out,
                        struct error *err)
{
    const struct statement *it = &statements[statement];
    if (params.count != (size_t)it->parameters || params.count > PARAMETERS_MAX)
        return fail_code(err, ERR_INTERNAL, "wrong-parameters", "%s takes %d parameters, not %zu",
                         it->name, it->parameters, params.count);
    if (db->depth > 0)
        return run_once(db, statement, params, out, err);
    if (!it->reads)
        return fail_code(err, ERR_INTERNAL, "no-transaction", "%s outside a transaction", it->name);
    if (is_broken(db))
        TRY(reconnect(db, err));
    enum outcome outcome = run_once(db, statement, params, out, err);
    if (outcome != OK && is_broken(db)) {
        TRY(reconnect(db, err));
        outcome = run_once(db, statement, params, out, err);
    }
    return outcome;
}

enum outcome db_run(struct db *db, enum sql statement, struct params params, struct rows **out_rows,
                    struct error *err)
{
    OWNED(result_drop) PGresult *result = NULL;
    TRY(run(db, statement, params, &result, err));
    if (out_rows != NULL)
        *out_rows = rows_wrap(TAKE(result));
    return OK;
}

enum outcome db_change(struct db *db, enum sql statement, struct params params, int64_t *out_count,
                       struct error *err)
{
    OWNED(result_drop) PGresult *result = NULL;
    TRY(run(db, statement, params, &result, err));
    *out_count = strtoll(PQcmdTuples(result), NULL, 10);
    return OK;
}

/* ---- transactions ---- */

bool db_in_transaction(const struct db *db)
{
    return db->depth > 0;
}

enum outcome transaction_begin(struct db *db, struct transaction *out, struct error *err)
{
    if (db->depth == 0) {
        if (is_broken(db))
            TRY(reconnect(db, err));
        enum outcome outcome = say(db, "BEGIN", err);
        if (outcome != OK && is_broken(db)) {
            TRY(reconnect(db, err));
            outcome = say(db, "BEGIN", err);
        }
        TRY(outcome);
        db->doomed = false;
    }
    db->depth++;
    out->db = db;
    return OK;
}

static enum outcome commit_now(struct db *db, struct error *err)
{
    OWNED(result_drop) PGresult *result = PQexec(db->connection, "COMMIT");
    enum outcome outcome =
        PQresultStatus(result) == PGRES_COMMAND_OK ? OK : fail_sql(db, result, "COMMIT", err);
    if (is_broken(db))
        return fail_code(err, ERR_AMBIGUOUS, "commit-unknown", "the connection broke in COMMIT");
    TRY(outcome);
    if (strcmp(PQcmdStatus(result), "COMMIT") != 0)
        return fail_code(err, ERR_CONFLICT, "rolled-back", "a statement of it had failed");
    FAULT("db.after-commit", err);
    return OK;
}

enum outcome transaction_commit(struct transaction *tx, struct error *err)
{
    struct db *db = tx->db;
    if (db->depth > 1) {
        tx->db = NULL;
        db->depth--;
        return OK;
    }
    if (db->doomed)
        return fail_code(err, ERR_CONFLICT, "rolled-back", "an inner transaction gave up");
    FAULT("db.before-commit", err);
    tx->db = NULL;
    db->depth = 0;
    return commit_now(db, err);
}

void transaction_end(struct transaction *tx)
{
    struct db *db = tx->db;
    if (db == NULL)
        return;
    tx->db = NULL;
    db->depth--;
    if (db->depth > 0)
        db->doomed = true;
    else if (!is_broken(db))
        error_ignore(say(db, "ROLLBACK", NULL));
}

bool db_try_again(const struct error *err)
{
    return strcmp(err->code, "try-again") == 0;
}

/* ---- waking ---- */

enum outcome db_listen(struct db *db, struct error *err)
{
    if (is_broken(db))
        TRY(reconnect(db, err));
    TRY(say(db, "LISTEN muster_work", err));
    db->listening = true;
    return OK;
}

static bool take_notices(struct db *db)
{
    bool any = false;
    for (PGnotify *notice; (notice = PQnotifies(db->connection)) != NULL; PQfreemem(notice))
        any = true;
    return any;
}

enum outcome db_wait(struct db *db, int64_t wait_ms, bool *out_woken, struct error *err)
{
    *out_woken = take_notices(db);
    if (*out_woken)
        return OK;
    if (is_broken(db)) {
        TRY(reconnect(db, err));
        *out_woken = true; /* something may have been missed */
        return OK;
    }
    struct pollfd fd = {.fd = PQsocket(db->connection), .events = POLLIN};
    int ready = poll(&fd, 1, (int)wait_ms);
    if (ready < 0 && errno != EINTR)
        return fail(err, ERR_INTERNAL, "poll: %s", strerror(errno));
    if (ready > 0 && PQconsumeInput(db->connection) != 1)
        return fail_code(err, ERR_UNREACHABLE, "database-unreachable", "lost while waiting");
    *out_woken = take_notices(db);
    return OK;
}

enum outcome db_wake(struct db *db, struct error *err)
{
    return db_run(db, SQL_WORK_WAKE, NO_PARAMS, NULL, err);
}

/* ---- for migrations and tests ---- */

enum outcome db_script(struct db *db, const char *text, struct error *err)
{
    if (db->depth == 0 && is_broken(db))
        TRY(reconnect(db, err));
    return say(db, text, err);
}

int db_backend_pid(const struct db *db)
{
    return PQbackendPID(db->connection);
}
