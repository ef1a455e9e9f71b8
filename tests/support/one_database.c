#include "tests/support/one_database.h"

struct db *db;

int one_database_open(void **state)
{
    (void)state;
    db = database_open();
    return 0;
}

int one_database_close(void **state)
{
    (void)state;
    db_close(db);
    return 0;
}
