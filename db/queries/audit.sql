-- name: audit_add
INSERT INTO audit (project, actor, verb, object, detail)
VALUES (coalesce($1, 'default'), $2, $3, coalesce($4, ''), $5)
RETURNING id;

-- name: audit_lock
SELECT pg_advisory_xact_lock(1836413812, 3);

-- name: audit_head
SELECT id, number, at, project, actor, verb, object, detail, prev_hash, hash
FROM audit WHERE number IS NOT NULL ORDER BY number DESC LIMIT 1;

-- name: audit_unsealed
SELECT id, at, project, actor, verb, object, detail
FROM audit WHERE number IS NULL ORDER BY id LIMIT $1;

-- name: audit_seal
UPDATE audit SET number = s.number, prev_hash = s.prev_hash, hash = s.hash
FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[]) AS s (id, number, prev_hash, hash)
WHERE audit.id = s.id AND audit.number IS NULL;

-- name: audit_list
SELECT id, number, at, project, actor, verb, object, detail, prev_hash, hash
FROM audit WHERE project = $1 AND number > $2 ORDER BY number LIMIT $3;

-- name: audit_chain
SELECT id, number, at, project, actor, verb, object, detail, prev_hash, hash
FROM audit WHERE number > $1 ORDER BY number LIMIT $2;

-- name: audit_trace
SELECT id, number, at, project, actor, verb, object, detail, prev_hash, hash
FROM audit WHERE object = $1 ORDER BY id LIMIT $2;

-- What the trail says of one verdict, sealed or not: its own entry and, of the few that follow it
-- about the same object, those that name it.
-- name: audit_verdict
SELECT id, number, at, project, actor, verb, object, detail, prev_hash, hash
FROM (SELECT * FROM audit WHERE object = $1 AND id >= $2 ORDER BY id LIMIT 16) AS near
WHERE project = $3 AND detail ->> 'verdict_id' = $4 ORDER BY id;
