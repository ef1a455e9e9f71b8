/* Brings a database to the tables of this build: compiled-in migrations, forward only, each in its
 * transaction, under one advisory lock, recorded with their checksum. */
#ifndef MUSTER_DB_MIGRATE_H
#define MUSTER_DB_MIGRATE_H

#include "db/db.h"

struct migration {
    const char *name; /* "0001_first_tables" */
    const char *text;
};

extern const struct migration migrations[];
extern const size_t migration_count;

/* Any number of controllers may start at once. ERR_CONFLICT "migration-changed" when one that was
 * applied has another text now, "database-newer" when the database knows more than this build. */
enum outcome migrate(struct db *db, struct error *err);

#endif
