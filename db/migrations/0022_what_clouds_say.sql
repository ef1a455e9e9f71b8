-- What a cloud says of a machine beyond its state: which one it is, what it booted, and that its host goes away.

ALTER TABLE instances
    ADD COLUMN machine_id text,         -- what its documents call the machine, where that is not the name
    ADD COLUMN image_ref text,          -- what it was ordered to boot
    ADD COLUMN doubt text NOT NULL DEFAULT 'none' -- is what runs under its name what was ordered
        CONSTRAINT instances_doubt_check CHECK (doubt IN ('none', 'other-machine', 'other-image')),
    ADD COLUMN doubt_since timestamptz,
    ADD CONSTRAINT instances_doubt_whole CHECK ((doubt = 'none') = (doubt_since IS NULL));
CREATE INDEX instances_doubt ON instances (project, fleet)
    WHERE doubt_since IS NOT NULL AND phase <> 'terminated';

-- What parents are to have room for: {"count", "vcpus", "memory_mib", "os"}, for the catalogue's rules.
ALTER TABLE fleets ADD COLUMN enclaves jsonb CHECK (jsonb_typeof(enclaves) = 'object');

-- As the watch heard it; one that its cloud takes back or has done has ended, and is kept with its instance.
CREATE TABLE notices (
    id          uuid PRIMARY KEY,
    project     text NOT NULL REFERENCES projects,
    account     text NOT NULL,
    instance    uuid NOT NULL REFERENCES instances ON DELETE CASCADE,
    event       text NOT NULL DEFAULT '', -- its cloud's id of it
    kind        text NOT NULL,            -- this and `status` as its cloud spells them
    status      text NOT NULL DEFAULT '',
    not_before  timestamptz,
    not_after   timestamptz,
    deadline    timestamptz,              -- until then it may be put off or pulled forward
    is_ours_to_time boolean NOT NULL DEFAULT false,
    text        text NOT NULL DEFAULT '',
    first_seen  timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended       timestamptz,
    UNIQUE (instance, kind, event),
    FOREIGN KEY (project, account) REFERENCES accounts (project, name) ON DELETE CASCADE
);
CREATE INDEX notices_open ON notices (project, account) WHERE ended IS NULL;
CREATE INDEX notices_listed ON notices (project, first_seen, id);
