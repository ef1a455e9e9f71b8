-- Instances that are over stay as rows, and grow in number for ever; what looks at a fleet every few
-- seconds must not walk over them.

CREATE INDEX instances_live ON instances (project, fleet, id) WHERE phase <> 'terminated';
CREATE INDEX instances_live_account ON instances (project, account, id) WHERE phase <> 'terminated';
CREATE INDEX instances_proven ON instances (project, fleet, proven_at) WHERE proven_at IS NOT NULL;
CREATE INDEX instances_spoiled ON instances (project, fleet, spoiled_at) WHERE spoiled_at IS NOT NULL;

-- The verdicts of one instance, newest first, a page at a time.
CREATE INDEX verdicts_newest ON verdicts (instance, created, id);
DROP INDEX verdicts_instance;
