-- All lock in the order of ids. Who is no longer the row's holder takes nothing from whoever is.
-- name: holder_put
INSERT INTO holders AS h (instance, controller)
SELECT i.id, $3 FROM instances i JOIN (SELECT DISTINCT * FROM unnest($1::uuid[], $2::bytea[])) AS p (id, link_key)
    ON p.id = i.id AND p.link_key = i.link_key
ORDER BY i.id
ON CONFLICT (instance) DO UPDATE SET controller = excluded.controller, asked = NULL, since = clock_timestamp()
WHERE h.controller <> excluded.controller;

-- name: holder_leave
DELETE FROM holders WHERE instance IN (
    SELECT instance FROM holders WHERE instance = ANY($1) AND controller = $2 ORDER BY instance FOR UPDATE);

-- name: holder_leave_all
DELETE FROM holders WHERE instance IN (
    SELECT instance FROM holders WHERE controller = $1 ORDER BY instance FOR UPDATE);

-- name: holder_ask
UPDATE holders h SET asked = $3 FROM controllers c
WHERE h.instance = $1 AND h.controller <> $2
  AND c.name = h.controller AND c.last_seen > clock_timestamp() - interval '30 seconds';

-- name: holder_asked
SELECT instance, asked AS why FROM holders WHERE controller = $1 AND asked IS NOT NULL
ORDER BY instance LIMIT $2;

-- name: holder_told
UPDATE holders SET asked = NULL WHERE instance IN (
    SELECT instance FROM holders WHERE instance = ANY($1) AND controller = $2 ORDER BY instance FOR NO KEY UPDATE);
