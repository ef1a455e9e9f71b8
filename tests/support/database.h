/* A real PostgreSQL, one a run, and in it a fresh copy of the migrated tables for each test file.
 */
#ifndef MUSTER_TESTS_DATABASE_H
#define MUSTER_TESTS_DATABASE_H

#include "db/db.h"

/* A database of this process's own, made at the first call; every call is another connection to
 * it. Fails the test when PostgreSQL cannot be started. */
struct db *database_open(void);
const char *database_url(void);

/* An empty one, not migrated. */
struct db *database_open_empty(void);
const char *database_empty_url(void);

#endif
