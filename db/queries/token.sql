-- name: token_add
INSERT INTO tokens (id, project, hash, role, label, expires) VALUES ($1, $2, $3, $4, $5, $6);

-- name: token_find
SELECT * FROM tokens
WHERE hash = $1 AND revoked IS NULL AND (expires IS NULL OR expires > clock_timestamp());

-- Every token of that label: whoever takes one back does not know which of them got out.
-- name: token_revoke
WITH gone AS (
    UPDATE tokens SET revoked = clock_timestamp()
    WHERE project = $1 AND label = $2 AND revoked IS NULL RETURNING id, project
)
INSERT INTO audit (project, actor, verb, object, detail)
SELECT project, $3, 'token.revoked', 'token:' || id, jsonb_build_object('label', $2::text) FROM gone;

-- name: idempotency_begin
INSERT INTO idempotency_keys AS k (project, actor, key, request) VALUES ($1, $2, $3, $4)
ON CONFLICT (project, actor, key) DO UPDATE
SET request = excluded.request, status = NULL, answer = NULL, created = clock_timestamp()
WHERE k.created < clock_timestamp() - make_interval(hours => 24)
   OR (k.status IS NULL AND k.request = excluded.request
       AND k.created < clock_timestamp() - make_interval(secs => 120));

-- name: idempotency_find
SELECT request, status, answer FROM idempotency_keys WHERE project = $1 AND actor = $2 AND key = $3;

-- name: idempotency_end
UPDATE idempotency_keys SET status = $4, answer = $5 WHERE project = $1 AND actor = $2 AND key = $3;

-- name: idempotency_forget
DELETE FROM idempotency_keys WHERE project = $1 AND actor = $2 AND key = $3 AND status IS NULL;

-- name: idempotency_sweep
DELETE FROM idempotency_keys WHERE created < clock_timestamp() - make_interval(hours => 24);
