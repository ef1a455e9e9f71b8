-- Why accounts are held. There are at most three an account.

-- name: hold_add
INSERT INTO account_holds AS h (project, account, kind, text) VALUES ($1, $2, $3, $4)
ON CONFLICT (project, account, kind) DO UPDATE SET text = excluded.text, looks = h.looks + 1
RETURNING kind, since, text, looks, believed_by,
    extract(epoch FROM clock_timestamp() - since)::bigint AS held_seconds;

-- name: hold_end
DELETE FROM account_holds WHERE project = $1 AND account = $2 AND kind = $3;

-- name: hold_believe
UPDATE account_holds SET believed_by = $3
WHERE project = $1 AND account = $2 AND kind = 'many-vanished' AND believed_by IS NULL
RETURNING text;

-- name: hold_list
SELECT kind, since, text, looks, believed_by,
    extract(epoch FROM clock_timestamp() - since)::bigint AS held_seconds
FROM account_holds WHERE project = $1 AND account = $2 ORDER BY kind;
