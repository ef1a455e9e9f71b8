-- name: ticket_set
UPDATE instances SET launch_ticket_hash = $4, ticket_used = NULL, updated = clock_timestamp()
WHERE id = $1 AND epoch = $2 AND lease_holder = $3;
