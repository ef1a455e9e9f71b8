/* What a statement costs in rows that PostgreSQL looks at, which no clock and no other load
 * changes. */
#ifndef MUSTER_TESTS_ROWS_READ_H
#define MUSTER_TESTS_ROWS_READ_H

#include <stdint.h>

#include "db/db.h"

/* From here on, in one transaction: rows of machines and of notices. */
void rows_read_begin(struct db *db);
void assert_rows_read(struct db *db, int64_t most);

#endif
