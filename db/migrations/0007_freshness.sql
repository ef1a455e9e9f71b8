-- A keeper is asked how it is at an interval; one that did not answer for two of them is silent.
ALTER TABLE keepers
    ADD COLUMN interval_seconds bigint NOT NULL DEFAULT 30 CHECK (interval_seconds BETWEEN 1 AND 3600),
    ADD COLUMN appraisals bigint NOT NULL DEFAULT 0, -- since this start of it, as it says
    ADD COLUMN releases bigint NOT NULL DEFAULT 0,
    ADD COLUMN refusals bigint NOT NULL DEFAULT 0;
CREATE INDEX keepers_newest ON keepers (certificate, last_seen);

-- Each start of a controller, so that they know how many share the keepers.
CREATE TABLE controllers (
    name      text PRIMARY KEY CHECK (name <> ''),
    started   timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- When the agent was told to prove itself anew; of the verdict that the instance stands on.
ALTER TABLE instances ADD COLUMN renew_at timestamptz;

-- So much of the fleet verified within so long, and since when it is not: written by the clock of every
-- controller, so that an alarm outlives each of them.
ALTER TABLE fleets
    ADD COLUMN objective jsonb,
    ADD COLUMN objective_missed_since timestamptz,
    ADD CONSTRAINT fleets_objective_whole CHECK (objective IS NULL
        OR (objective ->> 'verified_percent')::numeric BETWEEN 0 AND 100
       AND (objective ->> 'within_seconds')::bigint BETWEEN 60 AND 604800),
    ADD CONSTRAINT fleets_objective_missed CHECK (objective_missed_since IS NULL OR objective IS NOT NULL);
CREATE INDEX fleets_missing ON fleets (objective_missed_since) WHERE objective_missed_since IS NOT NULL;
CREATE INDEX fleets_with_objective ON fleets (id) WHERE objective IS NOT NULL;
