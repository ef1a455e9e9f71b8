/* A test program with one connection to one database, for all its tests. */
#ifndef MUSTER_TESTS_ONE_DATABASE_H
#define MUSTER_TESTS_ONE_DATABASE_H

#include "tests/support/database.h"

extern struct db *db;

/* For cmocka's set-up and tear-down of a group. */
int one_database_open(void **state);
int one_database_close(void **state);

#endif
