-- What stands of a fleet, and where. What failed or leaves counts no more: its share is free again.
-- name: place_standing
SELECT account, coalesce(zone, ''), count(*) FROM instances
WHERE project = $1 AND fleet = $2 AND phase NOT IN ('terminated', 'terminating', 'failed') AND wanted <> 'gone'
GROUP BY 1, 2;

-- name: place_closed
SELECT account, zone, size, code, text, until FROM place_closures
WHERE project = $1 AND account IN (SELECT account FROM fleet_places WHERE fleet = $2) AND (fleet IS NULL OR fleet = $2)
  AND until > clock_timestamp();

-- name: place_regions
SELECT a.name, a.spec ->> 'region' FROM accounts a JOIN fleet_places p ON p.project = a.project AND p.account = a.name
WHERE p.fleet = $1;

-- name: place_closed_for
SELECT code, text, until FROM place_closures
WHERE project = $1 AND account = $2 AND zone IN ('', $3) AND size = $4 AND until > statement_timestamp()
  AND (fleet IS NULL OR fleet = (SELECT id FROM fleets WHERE project = $1 AND name = $5))
ORDER BY until DESC LIMIT 1;

-- Does its fleet name the zone, or did the cloud choose it?
-- name: place_names_zone
SELECT EXISTS (SELECT FROM fleets f, jsonb_array_elements(f.places) AS p
               WHERE f.project = $1 AND f.name = $2 AND p ->> 'account' = $3 AND p -> 'zones' ? $4);

-- Is it still closed, and has it taken any since it was?
-- name: place_failures
SELECT failures, until > clock_timestamp(), since >= until FROM place_closures
WHERE project = $1 AND account = $2 AND zone = $3 AND size = $4
  AND fleet IS NOT DISTINCT FROM (SELECT id FROM fleets WHERE project = $1 AND name = $5) FOR UPDATE;

-- Many launches come back from a place that is full: only the first of them closes it. No fleet has an empty name: it
-- is closed for all.
-- name: place_close
INSERT INTO place_closures AS c (project, account, zone, size, code, text, failures, until, fleet)
VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + make_interval(secs => $8::bigint),
    (SELECT id FROM fleets WHERE project = $1 AND name = $9))
ON CONFLICT (project, account, zone, size, fleet) DO UPDATE
SET code = excluded.code, text = excluded.text, failures = excluded.failures, since = clock_timestamp(),
    until = excluded.until
WHERE c.until <= clock_timestamp();

-- It took an order again after its time, and may yet take the machine back.
-- name: place_take
UPDATE place_closures SET since = clock_timestamp()
WHERE project = $1 AND account = $2 AND zone IN ('', $3) AND size = $4 AND until <= clock_timestamp() AND since < until
  AND (fleet IS NULL OR fleet = (SELECT id FROM fleets WHERE project = $1 AND name = $5));

-- It made one again after its time: what was held against it is forgotten.
-- name: place_open
DELETE FROM place_closures
WHERE project = $1 AND account = $2 AND zone IN ('', $3) AND size = $4 AND until <= clock_timestamp()
  AND (fleet IS NULL OR fleet = (SELECT id FROM fleets WHERE project = $1 AND name = $5));

-- name: place_open_account
DELETE FROM place_closures WHERE project = $1 AND account = $2;

-- What its clouds did not support may have been what the fleet asks for no more.
-- name: place_open_fleet
DELETE FROM place_closures c USING fleets f
WHERE f.project = $1 AND f.name = $2 AND c.fleet = f.id
  AND (f.image, f.features, f.enclaves)
      IS DISTINCT FROM ($3::text, coalesce($4::jsonb, '["snp"]'), $5::jsonb);

-- name: place_moved
UPDATE instances SET place_reason = $2 WHERE id = $1;
