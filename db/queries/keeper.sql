-- name: keeper_seen
INSERT INTO keepers AS k (boot_id, name, realm, certificate, charter_serial, version)
VALUES ($1, $2, $3, $4, $5, coalesce($6, ''))
ON CONFLICT (boot_id) DO UPDATE SET last_seen = clock_timestamp(), charter_serial = excluded.charter_serial
RETURNING (xmax = 0);

-- The newest start of each, whoever was seen last first.
-- name: keeper_list
SELECT boot_id, name, realm, certificate, charter_serial, version, first_seen, last_seen,
    last_seen < clock_timestamp() - make_interval(secs => $1::bigint) AS silent
FROM (SELECT DISTINCT ON (certificate) * FROM keepers ORDER BY certificate, last_seen DESC) k
ORDER BY last_seen DESC, boot_id LIMIT 100;
