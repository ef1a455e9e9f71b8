-- name: account_add
INSERT INTO accounts (id, project, name, driver, spec) VALUES ($1, $2, $3, $4, $5);

-- name: account_find
SELECT spec, epoch FROM accounts WHERE project = $1 AND name = $2;

-- name: account_lock
SELECT spec, epoch FROM accounts WHERE project = $1 AND name = $2 FOR NO KEY UPDATE;

-- name: account_has_instances
SELECT EXISTS (SELECT FROM instances WHERE project = $1 AND account = $2 AND phase <> 'terminated');

-- name: account_list
SELECT spec FROM accounts WHERE project = $1 AND ($2::text IS NULL OR name > $2)
ORDER BY name LIMIT $3;

-- Of every project: what workers drive, the watch looks at.
-- name: account_places
SELECT project, name FROM accounts WHERE $1::text IS NULL OR (project, name) > ($1, $2)
ORDER BY project, name LIMIT $3;

-- name: account_update
UPDATE accounts SET spec = $3, epoch = epoch + 1, updated = clock_timestamp()
WHERE project = $1 AND name = $2 RETURNING epoch;

-- What its cloud calls it, once: nobody changed it, so its epoch stays.
-- name: account_learn
UPDATE accounts SET spec = jsonb_set(spec, '{cloud_account}', to_jsonb($3::text))
WHERE project = $1 AND name = $2 AND coalesce(spec ->> 'cloud_account', '') = '';

-- A person says what it is, whatever lives in it.
-- name: account_confirm
UPDATE accounts SET spec = jsonb_set(spec, '{cloud_account}', to_jsonb($3::text)), epoch = epoch + 1,
    updated = clock_timestamp()
WHERE project = $1 AND name = $2 RETURNING epoch;

-- name: account_remove
DELETE FROM accounts a WHERE project = $1 AND name = $2 AND NOT EXISTS (
    SELECT FROM instances i WHERE i.project = a.project AND i.account = a.name AND i.phase <> 'terminated');

-- What is paid for there and was seen of late: where nobody can look any more, nobody need.
-- name: account_has_orphans
SELECT EXISTS (
    SELECT FROM orphans WHERE project = $1 AND account = $2 AND kind <> 'vanished' AND NOT copied
        AND last_seen > clock_timestamp() - interval '1 day');
