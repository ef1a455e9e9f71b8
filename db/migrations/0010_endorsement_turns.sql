-- The service counts the requests of all controllers together, so they take turns: from one bucket,
-- empty while `full_at` is far ahead (db/endorsement_store.h).

CREATE TABLE endorsement_turns (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    full_at timestamptz NOT NULL
);
INSERT INTO endorsement_turns (full_at) VALUES ('epoch');

-- How often in a row it was missed: the first time it may be the service that was wrong.
ALTER TABLE endorsement_misses ADD COLUMN times bigint NOT NULL DEFAULT 1 CHECK (times > 0);
