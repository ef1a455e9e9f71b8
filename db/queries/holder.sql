-- In the order of ids, as every batch locks; of an instance that is gone nothing is written.
-- name: holder_put
INSERT INTO holders AS h (instance, controller) SELECT i.id, $2 FROM instances i WHERE i.id = ANY($1) ORDER BY i.id
ON CONFLICT (instance) DO UPDATE SET controller = excluded.controller, asked = NULL, since = clock_timestamp()
WHERE h.controller <> excluded.controller;

-- name: holder_leave
DELETE FROM holders WHERE instance = ANY($1) AND controller = $2;

-- name: holder_leave_all
DELETE FROM holders WHERE controller = $1;

-- name: holder_ask
UPDATE holders h SET asked = $3 FROM controllers c
WHERE h.instance = $1 AND h.controller <> $2
  AND c.name = h.controller AND c.last_seen > clock_timestamp() - interval '30 seconds';

-- name: holder_asked
SELECT instance, controller, asked, since FROM holders WHERE controller = $1 AND asked IS NOT NULL
ORDER BY instance LIMIT $2;

-- name: holder_told
UPDATE holders SET asked = NULL WHERE instance = ANY($1) AND controller = $2;
