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
