-- name: instance_add_many
INSERT INTO instances (id, project, fleet, account, image, size, policy, region, zone, launch_ticket_hash)
SELECT n.id, $1, $2, $3, $4, $5, $6, $7, $8, n.ticket
FROM unnest($9::uuid[], $10::bytea[]) AS n (id, ticket);

-- One audit entry and one history row for each new instance.
-- name: instance_add_many_history
WITH entry AS (
    INSERT INTO audit (project, actor, verb, object, detail)
    SELECT $1, $2, 'instance.requested', 'instance:' || id, jsonb_build_object('fleet', $3::text)
    FROM unnest($4::uuid[]) AS n (id)
    RETURNING id, object
)
INSERT INTO instance_history (instance, machine, to_state, reason, epoch, audit)
SELECT substr(object, 10)::uuid, 'phase', 'requested', 'made', 1, id FROM entry;

-- name: instance_find
SELECT * FROM instances WHERE id = $1;

-- Not FOR UPDATE: rows that refer to it may be added meanwhile.
-- name: instance_lock
SELECT * FROM instances WHERE id = $1 FOR NO KEY UPDATE;

-- name: instance_find_by_link_key
SELECT * FROM instances WHERE link_key = $1 AND phase <> 'terminated';

-- What ran out is stale, whether it was written down already or not.
-- name: instance_list
SELECT i.* FROM instances i
WHERE i.project = $1
  AND ($2::text IS NULL OR i.fleet = $2)
  AND ($3::text IS NULL OR i.account = $3)
  AND ($4::text IS NULL OR i.region = $4)
  AND ($5::text IS NULL OR i.phase = $5)
  AND ($6::text IS NULL OR $6 = CASE WHEN i.trust = 'trusted' AND i.valid_until <= clock_timestamp()
                                     THEN 'stale' ELSE i.trust END)
  AND ($7::text IS NULL OR i.reason = $7 OR $7 = CASE WHEN i.trust = 'trusted' AND i.valid_until <= clock_timestamp()
                                                      THEN 'verdict-expired' ELSE i.trust_reason END)
  AND ($8::text IS NULL OR EXISTS (SELECT FROM accounts a
       WHERE a.project = i.project AND a.name = i.account AND a.driver = $8))
  AND ($9::boolean OR i.phase <> 'terminated')
  AND ($10::uuid IS NULL OR i.id > $10)
ORDER BY i.id LIMIT $11;

-- name: instance_count_running
SELECT count(*) FROM instances WHERE phase = 'running' AND phase <> 'terminated';

-- name: instance_history
SELECT id, at, machine, from_state, to_state, reason, epoch, audit
FROM instance_history WHERE instance = $1 ORDER BY id;

-- A failed one waits for the planner, not for its worker. What is due is so at the statement's time: no index
-- ends a walk at a clock that moves on, and each look would pass by the whole fleet.
-- name: instance_claim
UPDATE instances SET lease_holder = $1, lease_until = clock_timestamp() + make_interval(secs => $2::bigint)
WHERE id IN (
    SELECT id FROM instances
    WHERE phase <> 'terminated' AND next_due <= statement_timestamp()
      AND (phase <> 'failed' OR wanted = 'gone')
      AND (lease_until IS NULL OR lease_until <= clock_timestamp())
    ORDER BY next_due, id LIMIT $3 FOR UPDATE SKIP LOCKED)
RETURNING *;

-- What became unwanted while it was worked on is due at once, or nobody would hear of it for long.
-- A lease is enough against other workers, and a step that anybody else takes ends it; the epoch would
-- also see changes of trust, which are no business of the phase.
-- name: instance_advance
UPDATE instances SET
    phase = $5, reason = $6, intent = $7,
    cloud_ref = coalesce($8, cloud_ref), machine_id = coalesce($18, machine_id),
    image_ref = coalesce($19, image_ref), region = coalesce($9, region),
    zone = coalesce($10, zone), address = coalesce($11, address),
    attempt = $12, client_token = coalesce($13, client_token),
    next_due = CASE WHEN wanted = 'gone' AND $5 <> 'terminating' THEN clock_timestamp()
               ELSE clock_timestamp() + make_interval(secs => $14::bigint) END,
    lease_holder = CASE WHEN $15::boolean THEN lease_holder END,
    lease_until = CASE WHEN $15 THEN clock_timestamp() + make_interval(secs => $16::bigint) END,
    failures = 0, epoch = epoch + 1,
    phase_since = clock_timestamp(), updated = clock_timestamp(),
    launched_at = CASE WHEN $8 IS NULL THEN launched_at ELSE clock_timestamp() END,
    settled_at = CASE WHEN $5 = 'launching' THEN NULL WHEN $20::boolean THEN clock_timestamp() ELSE settled_at END,
    spoiled_at = CASE WHEN $5 = 'failed' AND NOT $17::boolean THEN clock_timestamp() ELSE spoiled_at END,
    terminated_at = CASE WHEN $5 = 'terminated' THEN clock_timestamp() END
WHERE id = $1 AND phase = $2
  AND CASE WHEN $4::text IS NULL THEN epoch = $3 ELSE lease_holder = $4 END
RETURNING *;

-- name: instance_history_add
INSERT INTO instance_history (instance, machine, from_state, to_state, reason, epoch, audit)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: instance_defer
UPDATE instances SET
    next_due = CASE WHEN wanted = 'gone' AND phase <> 'terminating' AND $5::text IS NULL
               THEN clock_timestamp() ELSE clock_timestamp() + make_interval(secs => $4::bigint) END,
    failures = CASE WHEN $5::text IS NULL THEN 0 ELSE failures + 1 END,
    reason = coalesce($5, reason),
    lease_holder = NULL, lease_until = NULL, updated = clock_timestamp()
WHERE id = $1 AND epoch >= $2 AND lease_holder = $3;

-- name: instance_hold
UPDATE instances SET lease_until = clock_timestamp() + make_interval(secs => $4::bigint)
WHERE id = $1 AND epoch >= $2 AND lease_holder = $3;

-- name: instance_want
UPDATE instances SET wanted = $2, reason = coalesce($3, reason),
    next_due = clock_timestamp(), updated = clock_timestamp()
WHERE id = $1;

-- What waits to be launched, made as its fleet is now.
-- name: instance_refit
UPDATE instances SET account = $2, image = $3, size = $4, policy = $5, region = $6, zone = $7, updated = clock_timestamp()
WHERE id = $1 AND phase = 'requested'
  AND (account, image, size, policy, region, zone) IS DISTINCT FROM ($2, $3, $4, $5, $6, $7);

-- name: instance_adopt
UPDATE instances SET cloud_ref = $2, machine_id = coalesce($3, machine_id),
    launched_at = coalesce(launched_at, clock_timestamp()), settled_at = clock_timestamp(),
    updated = clock_timestamp(), next_due = clock_timestamp()
WHERE id = $1 AND cloud_ref IS NULL;

-- name: instance_doubt
UPDATE instances SET machine_id = coalesce(machine_id, $2), doubt = $3,
    doubt_since = CASE WHEN $3 = 'none' THEN NULL WHEN doubt = $3 THEN doubt_since ELSE clock_timestamp() END
WHERE id = $1 AND phase <> 'terminated' AND (doubt <> $3 OR (machine_id IS NULL AND $2::text IS NOT NULL));

-- name: instance_settle
UPDATE instances SET settled_at = clock_timestamp() WHERE id = $1 AND lease_holder = $2;

-- name: instance_unsettle
UPDATE instances SET settled_at = NULL WHERE id = $1 AND lease_holder = $2;

-- Those of these launches that stand as they were listed. Whoever works on one sees as much.
-- name: instance_settle_shown
UPDATE instances SET settled_at = clock_timestamp() WHERE id IN (
    SELECT i.id FROM instances i JOIN unnest($1::uuid[], $2::timestamptz[]) AS shown (id, launched_at)
        ON i.id = shown.id AND i.launched_at = shown.launched_at
    WHERE i.settled_at IS NULL AND i.phase NOT IN ('launching', 'terminated')
    FOR NO KEY UPDATE OF i SKIP LOCKED);

-- name: instance_end_intent
UPDATE instances SET intent = 'none', settled_at = clock_timestamp()
WHERE id = $1 AND lease_holder = $2 AND phase <> 'terminating';

-- The epoch grows only when the word changes: a renewal takes no worker's row away.
-- name: instance_set_trust
UPDATE instances SET
    trust = $2, trust_reason = $3,
    trust_since = CASE WHEN trust = $2 THEN trust_since ELSE clock_timestamp() END,
    verdict_id = coalesce($4, verdict_id), valid_until = coalesce($5, valid_until),
    verified_at = coalesce((SELECT nonce_issued FROM verdicts WHERE verdicts.id = $4), verified_at),
    renew_at = CASE WHEN $2 = 'trusted' THEN coalesce($12, renew_at) END,
    level = coalesce($6, level), simulated = coalesce($7, simulated),
    link_key = coalesce($8, link_key), sealing_key = coalesce($9, sealing_key),
    anchor = coalesce($10, anchor), report_id = coalesce($11, report_id),
    epoch = CASE WHEN trust = $2 THEN epoch ELSE epoch + 1 END,
    proven_at = CASE WHEN $2 = 'trusted' THEN coalesce(proven_at, clock_timestamp()) ELSE proven_at END,
    spoiled_at = CASE WHEN $2 = 'trusted' THEN NULL WHEN $2 = 'rejected' AND trust <> $2 THEN clock_timestamp() ELSE spoiled_at END,
    updated = clock_timestamp()
WHERE id = $1
RETURNING *;

-- name: instance_expired
SELECT id FROM instances
WHERE trust = 'trusted' AND valid_until <= statement_timestamp()
ORDER BY valid_until LIMIT $1 FOR UPDATE SKIP LOCKED;

-- name: instance_expiring
SELECT * FROM instances
WHERE trust IN ('trusted', 'stale') AND phase = 'running'
  AND valid_until <= statement_timestamp() + make_interval(secs => $1::bigint)
ORDER BY valid_until LIMIT $2;

-- name: beats_put
INSERT INTO heartbeats AS h (instance, last_seen, seq, load)
SELECT b.instance, b.last_seen, b.seq, b.load
FROM unnest($1::uuid[], $2::timestamptz[], $3::bigint[], $4::bigint[]) AS b (instance, last_seen, seq, load)
JOIN instances i ON i.id = b.instance
ORDER BY b.instance
ON CONFLICT (instance) DO UPDATE SET last_seen = excluded.last_seen, seq = excluded.seq, load = excluded.load
WHERE excluded.last_seen > h.last_seen;

-- What is lost with a crash here is heard again.
-- name: beats_need_no_flush
SELECT set_config('synchronous_commit', 'off', true);

-- name: beat_find
SELECT instance, last_seen, seq, load FROM heartbeats WHERE instance = $1;

-- name: instance_silent
SELECT i.* FROM instances i LEFT JOIN heartbeats h ON h.instance = i.id
WHERE i.phase = 'running'
  AND greatest(h.last_seen, i.phase_since) < clock_timestamp() - make_interval(secs => $1::bigint)
ORDER BY i.id LIMIT $2;
