-- name: ticket_set
UPDATE instances SET launch_ticket_hash = $4, ticket_used = NULL, ticket_key = NULL,
    ticket_until = NULL, updated = clock_timestamp()
WHERE id = $1 AND epoch = $2 AND lease_holder = $3;

-- Free, or held by the same key, or no longer held by anybody.
-- name: ticket_take
UPDATE instances SET ticket_key = $2, ticket_until = clock_timestamp() + make_interval(secs => $3::bigint)
WHERE id = $1 AND ticket_used IS NULL
  AND (ticket_key IS NULL OR ticket_key = $2 OR ticket_until <= clock_timestamp())
RETURNING ticket_until;

-- Who held it stays written down: a verdict may still be on its way.
-- name: ticket_let_go
UPDATE instances SET ticket_until = clock_timestamp()
WHERE id = $1 AND ticket_key = $2 AND ticket_until = $3 AND ticket_used IS NULL;

-- name: ticket_use
UPDATE instances SET ticket_used = clock_timestamp(), updated = clock_timestamp() WHERE id = $1;
