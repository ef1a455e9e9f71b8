-- A launch ticket is held by one link key at a time until the first pass uses it up
-- (doc/decisions/0007).

ALTER TABLE instances
    ADD COLUMN ticket_key   bytea CHECK (octet_length(ticket_key) = 32), -- who showed it last
    ADD COLUMN ticket_until timestamptz,                                 -- holds it until then
    ADD CONSTRAINT instances_ticket_held CHECK ((ticket_key IS NULL) = (ticket_until IS NULL));
UPDATE instances SET ticket_used = coalesce(proven_at, updated)
WHERE link_key IS NOT NULL AND launch_ticket_hash IS NOT NULL AND ticket_used IS NULL;

ALTER TABLE keepers ADD COLUMN version text NOT NULL DEFAULT '';

-- What is long over loses its details (db/retention.h). A verdict goes only when nothing rests on it,
-- and each deletion asks these tables.
ALTER TABLE instances ADD COLUMN forgotten_at timestamptz;
CREATE INDEX instances_over ON instances (terminated_at) WHERE phase = 'terminated' AND forgotten_at IS NULL;
CREATE INDEX instances_standing_on ON instances (verdict_id) WHERE verdict_id IS NOT NULL;
CREATE INDEX deliveries_verdict ON deliveries (verdict_id) WHERE verdict_id IS NOT NULL;
CREATE INDEX exposures_verdict ON exposures (verdict_id);
