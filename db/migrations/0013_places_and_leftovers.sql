-- A fleet stands in one account, or in the places that its spec names (lib/model/placement).

ALTER TABLE fleets
    ALTER COLUMN account DROP NOT NULL,
    ADD COLUMN places jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(places) = 'array'),
    ADD COLUMN zone_most bigint NOT NULL DEFAULT 0 CHECK (zone_most >= 0),
    ADD CONSTRAINT fleets_somewhere CHECK ((account IS NULL) = (jsonb_array_length(places) > 0));

-- The accounts in them, so that none is removed while a fleet names it.
CREATE TABLE fleet_places (
    fleet   uuid NOT NULL REFERENCES fleets ON DELETE CASCADE,
    project text NOT NULL,
    account text NOT NULL,
    PRIMARY KEY (fleet, account),
    FOREIGN KEY (project, account) REFERENCES accounts (project, name)
);
CREATE INDEX fleet_places_account ON fleet_places (project, account);
INSERT INTO fleet_places (fleet, project, account) SELECT id, project, account FROM fleets;

-- One image, and what each cloud or account calls it: {"azure": "...", "an-account": "..."}.
ALTER TABLE images ADD COLUMN refs jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(refs) = 'object');

-- Where a cloud had no room, or would give no more: nothing is launched there before `until`.
CREATE TABLE place_closures (
    project  text NOT NULL,
    account  text NOT NULL,
    zone     text NOT NULL, -- '': in all of the account
    size     text NOT NULL,
    code     text NOT NULL CONSTRAINT place_closures_code_check CHECK (code IN ('capacity', 'quota')),
    text     text NOT NULL,
    failures bigint NOT NULL CHECK (failures > 0), -- in a row; what fails while it is closed is no more
    since    timestamptz NOT NULL DEFAULT clock_timestamp(),
    until    timestamptz NOT NULL,
    PRIMARY KEY (project, account, zone, size),
    FOREIGN KEY (project, account) REFERENCES accounts (project, name) ON DELETE CASCADE
);

ALTER TABLE instances
    ADD COLUMN place_reason text,        -- why it is not where it was first to go
    ADD COLUMN launched_at timestamptz,  -- when its cloud gave it a machine: for minutes it may not show it
    ADD COLUMN settled_at timestamptz;   -- when its cloud said for certain what became of an order of ours
UPDATE instances SET launched_at = created WHERE cloud_ref IS NOT NULL;

-- What a cloud goes on with after its answer; at most one for an instance, and the row's intent says so.
CREATE TABLE instance_operations (
    instance     uuid PRIMARY KEY REFERENCES instances ON DELETE CASCADE,
    intent       text NOT NULL CONSTRAINT instance_operations_intent_check
        CHECK (intent IN ('none', 'launch', 'stop', 'start', 'terminate')),
    name         text NOT NULL CHECK (name <> ''), -- as its cloud knows it
    poll_seconds bigint NOT NULL DEFAULT 0,
    begun        timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What is paid for and no row answers for, and rows whose machine vanished, as the watch saw them last.
CREATE TABLE orphans (
    id           uuid PRIMARY KEY,
    project      text NOT NULL REFERENCES projects,
    account      text NOT NULL,
    kind         text NOT NULL CONSTRAINT orphans_kind_check
        CHECK (kind IN ('machine', 'disk', 'address', 'interface', 'vanished')),
    ref          text NOT NULL CHECK (ref <> ''),
    owner        text NOT NULL DEFAULT '', -- as its tags say
    instance     uuid,                     -- the same
    client_token text NOT NULL DEFAULT '',
    zone         text NOT NULL DEFAULT '',
    state        text NOT NULL DEFAULT '', -- as its cloud says
    first_seen   timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen    timestamptz NOT NULL DEFAULT clock_timestamp(),
    removal      text NOT NULL DEFAULT 'none' CONSTRAINT orphans_removal_check
        CHECK (removal IN ('none', 'asked', 'begun')),
    removal_by   text,
    reason       text, -- why the last try to remove it failed
    UNIQUE (project, account, kind, ref),
    FOREIGN KEY (project, account) REFERENCES accounts (project, name) ON DELETE CASCADE,
    CONSTRAINT orphans_removal_whole CHECK ((removal = 'none') = (removal_by IS NULL))
);
CREATE INDEX orphans_listed ON orphans (project, first_seen, id);
