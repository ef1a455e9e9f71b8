-- Each secret of its fleet, newest version, to each trusted instance that does not have it yet and
-- is not on its way out.
-- name: delivery_plan
WITH made AS (
    INSERT INTO deliveries (id, project, instance, secret, name, version, secret_version)
    SELECT gen_random_uuid(), i.project, i.id, s.id, s.name, v.version, v.id
    FROM instances i
    JOIN fleets f ON f.project = i.project AND f.name = i.fleet
    JOIN LATERAL jsonb_array_elements_text(f.secrets) AS w (name) ON true
    JOIN secrets s ON s.project = i.project AND s.name = w.name
    JOIN secret_versions v ON v.secret = s.id AND v.state IN ('staged', 'distributing', 'active')
     AND CASE s.scope WHEN 'fleet' THEN v.instance IS NULL AND v.version = s.newest
                      ELSE v.instance = i.id END
    WHERE i.trust = 'trusted' AND i.valid_until > clock_timestamp()
      AND i.wanted <> 'gone' AND i.phase NOT IN ('terminating', 'terminated')
      AND ($1::uuid IS NULL OR i.id = $1)
      AND NOT EXISTS (SELECT FROM deliveries d WHERE d.instance = i.id AND d.secret_version = v.id)
    ORDER BY i.id, v.id
    FOR SHARE OF i SKIP LOCKED -- its end withdraws what it finds; who is written just now has its turn at the next plan
    ON CONFLICT (instance, secret_version) DO NOTHING
    RETURNING id, project, instance, name, version, secret_version
), spread AS (
    UPDATE secret_versions SET state = 'distributing', state_since = clock_timestamp()
    WHERE state = 'staged' AND id IN (SELECT secret_version FROM made)
)
INSERT INTO audit (project, actor, verb, object, detail)
SELECT project, $2, 'delivery.due', 'instance:' || instance,
       jsonb_build_object('delivery', id, 'secret', name, 'version', version)
FROM made;

-- A guest that booted anew holds nothing of what it had.
-- name: delivery_renew
WITH renewed AS (
    UPDATE deliveries d SET state = 'due', state_since = clock_timestamp(), reason = 'booted-anew',
        envelope = NULL, lease_holder = NULL, lease_until = NULL, failures = 0,
        next_due = clock_timestamp(), epoch = d.epoch + 1
    FROM instances i
    WHERE i.id = d.instance AND d.instance = $1 AND d.state IN ('sealed', 'sent', 'loaded', 'failed')
      AND i.phase NOT IN ('terminating', 'terminated')
      AND (d.report_id IS DISTINCT FROM i.report_id
           OR (d.state <> 'loaded' AND d.sealing_key IS DISTINCT FROM i.sealing_key))
    RETURNING d.id, d.project, d.instance, d.name, d.version
)
INSERT INTO audit (project, actor, verb, object, detail)
SELECT project, $2, 'delivery.due', 'instance:' || instance,
       jsonb_build_object('delivery', id, 'secret', name, 'version', version, 'reason', 'booted-anew')
FROM renewed;

-- An instance that ends gets nothing more; what it loaded stays written down.
-- name: delivery_call_off
WITH off AS (
    UPDATE deliveries SET state = 'withdrawn', state_since = clock_timestamp(), reason = 'instance-ends',
        envelope = NULL, lease_holder = NULL, lease_until = NULL, epoch = epoch + 1
    WHERE instance = $1 AND state IN ('due', 'sealed', 'sent', 'failed')
    RETURNING id, project, instance, name, version
)
INSERT INTO audit (project, actor, verb, object, detail)
SELECT project, $2, 'delivery.withdrawn', 'instance:' || instance,
       jsonb_build_object('delivery', id, 'secret', name, 'version', version, 'reason', 'instance-ends')
FROM off;

-- name: delivery_claim
UPDATE deliveries SET lease_holder = $1, lease_until = clock_timestamp() + make_interval(secs => $2::bigint)
WHERE id IN (
    SELECT d.id FROM deliveries d JOIN instances i ON i.id = d.instance
    WHERE d.state IN ('due', 'sealed', 'sent')
      AND i.trust = 'trusted' AND i.valid_until > clock_timestamp() AND i.wanted <> 'gone'
      AND (d.lease_until IS NULL OR d.lease_until <= clock_timestamp())
      AND CASE WHEN $3::uuid IS NULL THEN d.next_due <= clock_timestamp() ELSE d.instance = $3 END
    ORDER BY d.next_due, d.id LIMIT $4 FOR UPDATE OF d SKIP LOCKED)
RETURNING *;

-- What the keeper needs to seal it, as it stands now.
-- name: delivery_material
SELECT v.record, v.check_digest, t.token, i.fleet, i.verdict_id, i.sealing_key, i.report_id,
       nextval('envelope_sequence') AS sequence
FROM deliveries d
JOIN secret_versions v ON v.id = d.secret_version
JOIN instances i ON i.id = d.instance
JOIN verdicts t ON t.id = i.verdict_id
WHERE d.id = $1 AND i.trust = 'trusted' AND i.valid_until > clock_timestamp();

-- name: delivery_step
UPDATE deliveries SET state = $5, state_since = clock_timestamp(), reason = $6,
    verdict_id = coalesce($7, verdict_id), sealing_key = coalesce($8, sealing_key),
    report_id = coalesce($9, report_id),
    envelope = CASE WHEN $5 IN ('sealed', 'sent') THEN coalesce($10, envelope) END,
    sequence = CASE WHEN $11 > 0 THEN $11 ELSE sequence END,
    loaded_check = coalesce($12, loaded_check),
    failures = CASE $5 WHEN 'loaded' THEN 0 WHEN 'failed' THEN failures + 1 ELSE failures END,
    next_due = clock_timestamp() + make_interval(secs => $13::bigint),
    lease_holder = CASE WHEN $14::boolean THEN lease_holder END,
    lease_until = CASE WHEN $14 THEN lease_until END,
    sent_at = CASE WHEN $5 = 'sent' THEN clock_timestamp() ELSE sent_at END,
    loaded_at = CASE WHEN $5 = 'loaded' THEN clock_timestamp() ELSE loaded_at END,
    epoch = epoch + 1
WHERE id = $1 AND state = $2 AND epoch = $3 AND lease_holder = $4
  -- What lost its trust meanwhile gets nothing more.
  AND ($5 NOT IN ('sealed', 'sent') OR EXISTS (SELECT FROM instances i
       WHERE i.id = deliveries.instance AND i.trust = 'trusted' AND i.valid_until > clock_timestamp()))
RETURNING *;

-- name: delivery_defer
UPDATE deliveries SET next_due = clock_timestamp() + make_interval(secs => $4::bigint),
    reason = coalesce($5, reason), lease_holder = NULL, lease_until = NULL
WHERE id = $1 AND epoch = $2 AND lease_holder = $3;

-- name: exposure_add
INSERT INTO exposures (instance, secret, secret_version, verdict_id) VALUES ($1, $2, $3, $4);

-- Of two that confirm use at once the second one sees what the first one wrote. New deliveries are made meanwhile.
-- name: versions_hold
SELECT v.id FROM secret_versions v
WHERE v.id IN (SELECT secret_version FROM deliveries WHERE instance = $1) AND v.state = 'distributing'
ORDER BY v.id FOR NO KEY UPDATE;

-- What this instance was to have: every consumer that is left confirmed use.
-- name: versions_taken_up
WITH taken AS (
    UPDATE secret_versions v SET state = 'active', state_since = clock_timestamp()
    FROM secrets s
    WHERE v.id IN (SELECT secret_version FROM deliveries WHERE instance = $1)
      AND v.state = 'distributing' AND s.id = v.secret
      AND EXISTS (SELECT FROM deliveries d WHERE d.secret_version = v.id AND d.state = 'loaded')
      AND NOT EXISTS (SELECT FROM deliveries d
                      WHERE d.secret_version = v.id AND d.state NOT IN ('loaded', 'withdrawn'))
    RETURNING s.project, s.name, v.version
)
INSERT INTO audit (project, actor, verb, object, detail)
SELECT project, $2, 'secret.version-active', 'secret:' || name, jsonb_build_object('version', version)
FROM taken;

-- name: delivery_list_of_instance
SELECT * FROM deliveries WHERE instance = $1 ORDER BY name, version;

-- name: delivery_counts
SELECT d.state, count(*) FROM deliveries d JOIN instances i ON i.id = d.instance
WHERE i.project = $1 AND i.fleet = $2 AND i.phase <> 'terminated' GROUP BY d.state;
