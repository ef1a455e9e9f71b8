# One line a test, sorted. Each runs on a real PostgreSQL.
