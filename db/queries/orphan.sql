-- name: orphan_seen
INSERT INTO orphans AS o (id, project, account, kind, ref, owner, instance, client_token, zone, state)
VALUES ($1, $2, $3, $4, $5, coalesce($6, ''), $7, coalesce($8, ''), coalesce($9, ''), coalesce($10, ''))
ON CONFLICT (project, account, kind, ref) DO UPDATE SET last_seen = clock_timestamp(), state = excluded.state
RETURNING o.*;

-- What a whole look at its account did not show again is no orphan any more.
-- name: orphan_sweep
DELETE FROM orphans WHERE project = $1 AND account = $2 AND kind = 'machine' AND last_seen < $3;

-- name: orphan_list
SELECT * FROM orphans WHERE project = $1 ORDER BY first_seen, id LIMIT $2;

-- name: orphan_find
SELECT * FROM orphans WHERE id = $1 AND project = $2;

-- name: orphan_ask
UPDATE orphans SET removal = 'asked', removal_by = $2, reason = NULL WHERE id = $1;

-- name: orphan_begun
UPDATE orphans SET removal = 'begun', removal_by = coalesce(removal_by, $2), reason = $3 WHERE id = $1;
