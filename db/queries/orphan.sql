-- name: orphan_seen
INSERT INTO orphans AS o (id, project, account, kind, ref, owner, instance, client_token, zone, state, fleet,
                          machine_id, copied)
VALUES ($1, $2, $3, $4, $5, coalesce($6, ''), $7, coalesce($8, ''), coalesce($9, ''), coalesce($10, ''),
        coalesce($11, ''), coalesce($12, ''), $13)
ON CONFLICT (project, account, kind, ref) DO UPDATE SET last_seen = clock_timestamp(), state = excluded.state,
    machine_id = excluded.machine_id, copied = excluded.copied
RETURNING o.*;

-- What had its name before it.
-- name: orphan_renamed
DELETE FROM orphans
WHERE project = $1 AND account = $2 AND kind = $3 AND ref = $4 AND machine_id <> '' AND machine_id <> $5
RETURNING *;

-- name: orphan_clock
SELECT clock_timestamp();

-- What a whole look at its account did not show again is no orphan any more. A vanished machine is
-- shown by no look.
-- name: orphan_sweep
DELETE FROM orphans
WHERE project = $1 AND account = $2 AND kind <> 'vanished' AND (kind = 'machine') = $4 AND last_seen < $3
RETURNING *;

-- Its row was forgotten, and so is that it lost its machine.
-- name: orphan_forget
DELETE FROM orphans o WHERE project = $1 AND account = $2 AND kind = 'vanished'
    AND NOT EXISTS (SELECT FROM instances i WHERE i.id = o.instance);

-- name: orphan_list
SELECT o.*, a.driver AS cloud, a.spec->>'region' AS region
FROM orphans o JOIN accounts a ON a.project = o.project AND a.name = o.account
WHERE o.project = $1 ORDER BY o.first_seen, o.id LIMIT $2;

-- name: orphan_find
SELECT o.*, a.driver AS cloud, a.spec->>'region' AS region
FROM orphans o JOIN accounts a ON a.project = o.project AND a.name = o.account
WHERE o.id = $1 AND o.project = $2 FOR NO KEY UPDATE OF o;

-- name: orphan_ask
UPDATE orphans SET removal = 'asked', removal_by = $2, reason = NULL WHERE id = $1;

-- name: orphan_due
UPDATE orphans SET removal = 'asked', removal_by = $2, reason = NULL WHERE id = $1 AND removal = 'none';

-- name: orphan_drop
DELETE FROM orphans WHERE id = $1;

-- name: orphan_begun
UPDATE orphans SET removal = 'begun', removal_by = coalesce(removal_by, $2), reason = $3 WHERE id = $1;

-- What is paid for; over all projects.
-- name: orphan_count
SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(first_seen)), 0)::bigint
FROM orphans WHERE kind <> 'vanished';

-- An account is asked by whoever moves its turn on.
-- name: leftover_look_claim
INSERT INTO leftover_looks AS l (project, account, due)
VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3::bigint))
ON CONFLICT (project, account) DO UPDATE SET due = excluded.due WHERE l.due <= clock_timestamp()
RETURNING clock_timestamp();

-- name: leftover_look_store
UPDATE leftover_looks SET looked = clock_timestamp(), failure = NULL WHERE project = $1 AND account = $2;

-- name: leftover_look_fail
UPDATE leftover_looks SET failure = $3, due = least(due, clock_timestamp() + make_interval(secs => $4::bigint))
WHERE project = $1 AND account = $2;

-- name: leftover_look_again
UPDATE leftover_looks SET due = clock_timestamp() WHERE project = $1 AND account = $2;
