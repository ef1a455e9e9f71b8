#include "tests/support/rows_read.h"

#include "lib/base/text.h"
#include "tests/support/test.h"

/* Rows of both tables that this transaction has looked at, beside what is not yet counted of others
 * before it. */
#define ROWS_READ                                                                                  \
    "(SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) "                         \
    "FROM pg_stat_xact_user_tables WHERE relname IN ('notices', 'instances'))"

void rows_read_begin(struct db *db)
{
    struct error err = {0};
    assert_ok(db_script(db, "SELECT set_config('test.before', " ROWS_READ "::text, true)", &err));
}

void assert_rows_read(struct db *db, int64_t most)
{
    struct error err = {0};
    OWNED(text_done) struct text script = {0};
    text_addf(&script,
              "DO $$ DECLARE rows bigint := " ROWS_READ
              " - current_setting('test.before')::bigint; "
              "BEGIN ASSERT rows <= %lld, rows || ' rows'; END $$",
              (long long)most);
    assert_ok(db_script(db, text_str(&script), &err));
}
