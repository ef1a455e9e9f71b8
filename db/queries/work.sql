-- name: work_wake
SELECT pg_notify('muster_work', '');

-- name: migration_list
SELECT name, checksum FROM migrations ORDER BY name;

-- name: migration_add
INSERT INTO migrations (name, checksum) VALUES ($1, $2);

-- For the test that compares the words of CHECK constraints with the model's.
-- name: constraint_text
SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = $1::text;

-- name: setting_put
INSERT INTO settings (key, value) VALUES ($1, $2)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated = clock_timestamp();

-- name: setting_find
SELECT value FROM settings WHERE key = $1;

-- For the tests of parameters and results.
-- name: echo
SELECT $1::text, $2::bigint, $3::boolean, $4::uuid, $5::timestamptz, $6::bytea, $7::jsonb;

-- name: echo_arrays
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::bytea[], $5::text[]);
