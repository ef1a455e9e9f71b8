-- name: operation_put
INSERT INTO instance_operations AS o (instance, intent, name, poll_seconds) VALUES ($1, $2, $3, $4)
ON CONFLICT (instance) DO UPDATE SET intent = excluded.intent, name = excluded.name,
    poll_seconds = excluded.poll_seconds,
    begun = CASE WHEN o.intent = excluded.intent THEN o.begun ELSE clock_timestamp() END;

-- name: operation_find
SELECT intent, name, poll_seconds, begun FROM instance_operations WHERE instance = $1;

-- name: operation_end
DELETE FROM instance_operations WHERE instance = $1;
