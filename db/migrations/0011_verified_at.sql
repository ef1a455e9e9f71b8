-- When the challenge of the verdict that it stands on was given: every controller counts by it every few
-- seconds, and cannot walk over all verdicts for that.
ALTER TABLE instances ADD COLUMN verified_at timestamptz;
UPDATE instances i SET verified_at = v.nonce_issued FROM verdicts v WHERE v.id = i.verdict_id;

-- Of an act in force whoever was not asked yet; those of a mere proposal nobody looks for.
CREATE INDEX distrust_instances_unasked ON distrust_instances (distrust, instance) WHERE asked_at IS NULL;
