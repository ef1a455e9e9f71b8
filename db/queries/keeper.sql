-- name: keeper_seen
INSERT INTO keepers AS k (boot_id, name, realm, certificate, charter_serial) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (boot_id) DO UPDATE SET last_seen = clock_timestamp(), charter_serial = excluded.charter_serial
RETURNING (xmax = 0);

-- name: keeper_list
SELECT * FROM keepers ORDER BY last_seen DESC LIMIT 100;
