-- name: fleet_add
INSERT INTO fleets (id, project, name, desired, account, image, size, policy, secrets, paused, surge, rejected_hold_seconds,
    objective, places, zone_most, features, enclaves)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9::jsonb, '[]'), $10, $11, $12, $13, coalesce($14::jsonb, '[]'), $15,
    coalesce($16::jsonb, '["snp"]'), $17);

-- The accounts of a spec, as they are referred to.
-- name: fleet_put_place
INSERT INTO fleet_places (fleet, project, account) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: fleet_drop_places
DELETE FROM fleet_places WHERE fleet = $1;

-- name: fleet_find
SELECT id, project, name, desired, account, places, zone_most, image, size, policy, secrets, paused,
    objective, surge, rejected_hold_seconds, features, enclaves, epoch, created, updated
FROM fleets WHERE project = $1 AND name = $2 AND NOT doomed;

-- name: fleet_lock
SELECT id, project, name, desired, account, places, zone_most, image, size, policy, secrets, paused,
    objective, surge, rejected_hold_seconds, features, enclaves, epoch, created, updated
FROM fleets WHERE project = $1 AND name = $2 AND NOT doomed FOR NO KEY UPDATE;

-- name: fleet_list
SELECT id, project, name, desired, account, places, zone_most, image, size, policy, secrets, paused,
    objective, surge, rejected_hold_seconds, features, enclaves, epoch, created, updated
FROM fleets WHERE project = $1 AND NOT doomed AND ($2::text IS NULL OR name > $2)
ORDER BY name LIMIT $3;

-- name: fleet_update
UPDATE fleets SET desired = $4, account = $5, image = $6, size = $7, policy = $8,
    secrets = coalesce($9::jsonb, '[]'), paused = $10, surge = $11, rejected_hold_seconds = $12,
    objective = $13, places = coalesce($14::jsonb, '[]'), zone_most = $15,
    features = coalesce($16::jsonb, '["snp"]'), enclaves = $17,
    objective_missed_since = CASE WHEN objective IS NOT DISTINCT FROM $13 THEN objective_missed_since END,
    epoch = epoch + 1, updated = clock_timestamp(), next_due = clock_timestamp()
WHERE project = $1 AND name = $2 AND NOT doomed AND ($3::bigint = 0 OR epoch = $3)
RETURNING id, project, name, desired, account, places, zone_most, image, size, policy, secrets, paused,
    objective, surge, rejected_hold_seconds, features, enclaves, epoch, created, updated;

-- name: fleet_doom
UPDATE fleets SET doomed = true, desired = 0, paused = false, epoch = epoch + 1,
    updated = clock_timestamp(), next_due = clock_timestamp()
WHERE project = $1 AND name = $2 AND NOT doomed AND ($3::bigint = 0 OR epoch = $3);

-- name: fleet_bury
DELETE FROM fleets f WHERE doomed AND next_due <= clock_timestamp() AND NOT EXISTS (
    SELECT FROM instances i WHERE i.project = f.project AND i.fleet = f.name AND i.phase <> 'terminated');

-- name: fleet_claim
UPDATE fleets SET lease_holder = $1, lease_until = clock_timestamp() + make_interval(secs => $2::bigint)
WHERE id = (
    SELECT id FROM fleets
    WHERE next_due <= clock_timestamp() AND (lease_until IS NULL OR lease_until <= clock_timestamp())
    ORDER BY next_due, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, project, name, desired, account, places, zone_most, image, size, policy, secrets, paused,
    objective, surge, rejected_hold_seconds, features, enclaves, epoch, created, updated;

-- name: fleet_hold
SELECT id FROM fleets
WHERE id = $1 AND epoch = $2 AND lease_holder = $3 AND lease_until > clock_timestamp()
FOR UPDATE;

-- Due at once when the spec changed meanwhile.
-- name: fleet_defer
UPDATE fleets SET lease_holder = NULL, lease_until = NULL,
    next_due = CASE WHEN epoch = $2 THEN clock_timestamp() + make_interval(secs => $4::bigint)
               ELSE clock_timestamp() END
WHERE id = $1 AND lease_holder = $3;

-- name: fleet_touch
UPDATE fleets SET next_due = clock_timestamp() WHERE project = $1 AND name = $2;

-- name: fleet_observe
SELECT id, phase, trust, wanted, (cloud_ref IS NOT NULL OR intent <> 'none') AS has_machine,
    created, phase_since, trust_since, next_due, account, coalesce(zone, '') AS zone
FROM instances WHERE project = $1 AND fleet = $2 AND phase <> 'terminated' ORDER BY id;

-- How many went bad since the last one was proven, and when the last of them did.
-- name: fleet_past
SELECT coalesce(sum(greatest(attempt, 1)), 0)::bigint, max(spoiled_at) FROM instances
WHERE project = $1 AND fleet = $2
  AND spoiled_at > coalesce((SELECT max(proven_at) FROM instances WHERE project = $1 AND fleet = $2), '-infinity');

-- What ran out is stale, whether it was written down already or not. What is over is not counted:
-- it only ever grows in number.
-- name: fleet_counts
SELECT phase, CASE WHEN trust = 'trusted' AND valid_until <= clock_timestamp() THEN 'stale' ELSE trust END,
    level, simulated, count(*) FROM instances
WHERE project = $1 AND fleet = $2 AND phase <> 'terminated' GROUP BY 1, 2, 3, 4;

-- name: fleet_count_deliveries
SELECT d.state, count(*) FROM deliveries d JOIN instances i ON i.id = d.instance
WHERE i.project = $1 AND i.fleet = $2 AND i.phase <> 'terminated' GROUP BY 1;

-- name: fleet_reasons
SELECT jsonb_build_object(
    'phase', coalesce((SELECT jsonb_object_agg(reason, n) FROM (
        SELECT coalesce(reason, 'unknown') AS reason, count(*) AS n FROM instances
        WHERE project = $1 AND fleet = $2 AND (phase = 'failed' OR failures > 0) AND phase <> 'terminated'
        GROUP BY 1) r), '{}'),
    'trust', coalesce((SELECT jsonb_object_agg(reason, n) FROM (
        SELECT CASE WHEN trust = 'trusted' THEN 'verdict-expired' ELSE coalesce(trust_reason, 'unknown') END AS reason,
            count(*) AS n FROM instances
        WHERE project = $1 AND fleet = $2 AND phase <> 'terminated' AND (trust IN ('rejected', 'quarantined', 'stale')
            OR trust = 'trusted' AND valid_until <= clock_timestamp())
        GROUP BY 1) r), '{}'),
    'identity', coalesce((SELECT jsonb_object_agg(reason, n) FROM (
        SELECT coalesce(v.claims ->> 'suspect_reason', 'unknown') AS reason, count(*) AS n
        FROM verdicts v JOIN instances i ON i.verdict_id = v.id
        WHERE v.claims ->> 'documents' = 'suspect' AND i.project = $1 AND i.fleet = $2 AND i.phase <> 'terminated'
        GROUP BY 1) r), '{}'));

-- How much of what runs stands on a verdict, and how old they are. $3: verified within so long.
-- name: fleet_freshness
SELECT count(*) FILTER (WHERE i.phase IN ('running', 'draining')),
    count(*) FILTER (WHERE i.phase IN ('running', 'draining') AND i.trust = 'trusted' AND i.valid_until > clock_timestamp()
        AND i.verified_at >= clock_timestamp() - make_interval(secs => $3::bigint)),
    count(*) FILTER (WHERE i.verdict_id IS NULL),
    count(*) FILTER (WHERE i.trust = 'trusted' AND i.renew_at <= clock_timestamp()),
    min(i.verified_at) FILTER (WHERE i.trust = 'trusted' AND i.valid_until > clock_timestamp())
FROM instances i
WHERE i.project = $1 AND i.fleet = $2 AND i.phase <> 'terminated';

-- name: fleet_missed_since
SELECT objective_missed_since FROM fleets WHERE project = $1 AND name = $2 AND NOT doomed;

-- name: fleet_within
SELECT (objective ->> 'within_seconds')::bigint FROM fleets
WHERE project = $1 AND name = $2 AND objective IS NOT NULL;

-- The clock: which fleets begin to miss their objective, and which meet it again.
-- name: fleet_objectives
WITH counted AS (
    SELECT f.id, count(i.id) AS these, count(*) FILTER (WHERE i.trust = 'trusted' AND i.valid_until > clock_timestamp()
        AND i.verified_at >= clock_timestamp() - make_interval(secs => (f.objective ->> 'within_seconds')::bigint)) AS verified
    FROM fleets f
    LEFT JOIN instances i ON i.project = f.project AND i.fleet = f.name AND i.phase IN ('running', 'draining')
    WHERE f.objective IS NOT NULL AND NOT f.doomed GROUP BY f.id
), changed AS (
    UPDATE fleets f
    SET objective_missed_since = CASE WHEN objective_missed_since IS NULL THEN clock_timestamp() END
    FROM counted c
    WHERE c.id = f.id AND f.objective IS NOT NULL AND (f.objective_missed_since IS NULL)
          = (c.verified * 100 < c.these * (f.objective ->> 'verified_percent')::numeric)
    RETURNING f.project, f.name, f.objective_missed_since IS NOT NULL AS missed, c.these, c.verified
), entry AS (
    INSERT INTO audit (project, actor, verb, object, detail)
    SELECT project, $1, CASE WHEN missed THEN 'fleet.objective-missed' ELSE 'fleet.objective-met' END,
        'fleet:' || name, jsonb_build_object('verified', verified, 'of', these) FROM changed
    RETURNING 1
)
SELECT count(*) FROM entry;
