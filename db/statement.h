/* Every statement there is, by name; the table is made by tools/sql2c from db/queries. */
#ifndef MUSTER_DB_STATEMENT_H
#define MUSTER_DB_STATEMENT_H

#include <stdbool.h>

#include "db/statements.h"

struct statement {
    const char *name;
    int parameters;
    bool reads; /* changes nothing: may be run again after a reconnect */
    const char *text;
};

extern const struct statement statements[SQL_COUNT];

#endif
