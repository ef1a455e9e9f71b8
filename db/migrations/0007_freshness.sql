-- How often a keeper is heard of; one that was not for two such times is silent.
ALTER TABLE keepers ADD COLUMN interval_seconds bigint NOT NULL DEFAULT 30
    CHECK (interval_seconds BETWEEN 1 AND 3600);
CREATE INDEX keepers_newest ON keepers (certificate, last_seen);
