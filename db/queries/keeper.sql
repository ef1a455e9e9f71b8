-- name: keeper_seen
INSERT INTO keepers AS k (boot_id, name, realm, certificate, charter_serial, version, interval_seconds,
    appraisals, releases, refusals)
VALUES ($1, $2, $3, $4, $5, coalesce($6, ''), $7, $8, $9, $10)
ON CONFLICT (boot_id) DO UPDATE SET last_seen = clock_timestamp(), charter_serial = excluded.charter_serial,
    interval_seconds = excluded.interval_seconds, appraisals = excluded.appraisals,
    releases = excluded.releases, refusals = excluded.refusals
RETURNING (xmax = 0);

-- The newest start of each, whoever was seen last first.
-- name: keeper_list
SELECT boot_id, name, realm, certificate, charter_serial, version, first_seen, last_seen, interval_seconds,
    last_seen <= clock_timestamp() - make_interval(secs => 2 * interval_seconds) AS silent,
    appraisals, releases, refusals
FROM (SELECT DISTINCT ON (certificate) * FROM keepers ORDER BY certificate, last_seen DESC) k
ORDER BY last_seen DESC, boot_id LIMIT 100;

-- name: keeper_forget
WITH gone AS (DELETE FROM keepers WHERE name = $1 RETURNING certificate)
SELECT count(*) FROM gone;

-- All but those that a charter names.
-- name: keeper_retire
DELETE FROM keepers WHERE certificate <> ALL ($1::bytea[]);
