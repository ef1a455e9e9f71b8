#include "tests/support/database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/db_row.h"
#include "db/migrate.h"
#include "tests/support/test.h"

static char server[512];
static char own[512];
static char empty[512];

/* Start the run's cluster or find it running; its folder is named after whoever owns the run, and
 * goes with it. */
static void find_server(void)
{
    const char *src = getenv("MUSTER_SRC");
    const char *run = getenv("MUSTER_MAKE_PID");
    char mine[32];
    snprintf(mine, sizeof mine, "%d", (int)getpid());
    if (run == NULL || run[0] == '\0')
        run = mine;
    char command[1024];
    snprintf(command, sizeof command,
             "MUSTER_MAKE_PID=%s '%s/tests/support/postgres' start '/tmp/muster-postgres-%d-%s'",
             run, src != NULL ? src : "..", (int)getuid(), run);
    FILE *answer = popen(command, "r");
    assert_non_null(answer);
    if (fgets(server, sizeof server, answer) == NULL)
        server[0] = '\0';
    pclose(answer);
    server[strcspn(server, "\n")] = '\0';
    if (server[0] == '\0')
        fail_msg("PostgreSQL did not start: %s", command);
}

/* The same server, another database. */
static void url_of(const char *name, char *out, size_t size)
{
    snprintf(out, size, "postgresql:///%s%s", name, strchr(server, '?'));
}

static void create(struct db *root, const char *name, const char *template)
{
    struct error err;
    char text[256];
    snprintf(text, sizeof text, "CREATE DATABASE %s TEMPLATE %s", name, template);
    assert_ok(db_script(root, text, &err));
}

/* Only the first one finds no template; the lock makes the others wait for it. */
static void make_template(struct db *root)
{
    struct error err;
    if (db_script(root, "CREATE DATABASE muster_template", &err) != OK)
        return;
    char url[512];
    url_of("muster_template", url, sizeof url);
    struct db *db = NULL;
    assert_ok(db_open(url, &db, &err));
    assert_ok(migrate(db, &err));
    db_close(db);
}

static void make_databases(void)
{
    struct error err;
    find_server();
    struct db *root = NULL;
    assert_ok(db_open(server, &root, &err));
    assert_ok(db_script(root, "SET statement_timeout = 0; SET lock_timeout = 0", &err));
    assert_ok(db_script(root, "SELECT pg_advisory_lock(1836413812, 2)", &err));
    make_template(root);
    char name[64];
    snprintf(name, sizeof name, "test_%d", (int)getpid());
    url_of(name, own, sizeof own);
    create(root, name, "muster_template");
    snprintf(name, sizeof name, "empty_%d", (int)getpid());
    url_of(name, empty, sizeof empty);
    create(root, name, "template1");
    db_close(root);
}

const char *database_url(void)
{
    if (own[0] == '\0')
        make_databases();
    return own;
}

const char *database_empty_url(void)
{
    database_url();
    return empty;
}

static struct db *open_url(const char *url)
{
    struct error err;
    struct db *db = NULL;
    assert_ok(db_open(url, &db, &err));
    return db;
}

struct db *database_open(void)
{
    return open_url(database_url());
}

struct db *database_open_empty(void)
{
    return open_url(database_empty_url());
}
