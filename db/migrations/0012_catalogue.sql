-- What the providers allow (doc/catalogue.md): editions beside those that come with the program, which
-- of them a project goes by, which rules it does not follow, and what clouds said themselves.

-- The deployment's, by name the newest only. Whoever reads one checks its signatures again.
CREATE TABLE catalogue_editions (
    edition text PRIMARY KEY CHECK (edition ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    version bigint NOT NULL CHECK (version > 0),
    issued  timestamptz NOT NULL,
    jws     text NOT NULL CHECK (octet_length(jws) <= 524288),
    actor   text NOT NULL CHECK (actor <> ''),
    loaded  timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- No row: "current".
CREATE TABLE catalogue_choices (
    project text PRIMARY KEY REFERENCES projects,
    edition text NOT NULL,
    actor   text NOT NULL CHECK (actor <> ''),
    chosen  timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE catalogue_waivers (
    project text NOT NULL REFERENCES projects,
    rule    text NOT NULL CHECK (rule <> ''),
    reason  text NOT NULL CHECK (octet_length(reason) BETWEEN 1 AND 500),
    ends    timestamptz, -- NULL: until it is withdrawn
    actor   text NOT NULL CHECK (actor <> ''),
    created timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (project, rule)
);

-- The last comparison of an account's cloud with the edition in force; whoever moves `due` on makes it.
CREATE TABLE catalogue_looks (
    project       text NOT NULL,
    account       text NOT NULL,
    due           timestamptz NOT NULL,
    looked        timestamptz, -- NULL: not yet
    edition       text,
    version       bigint,
    failure       text,  -- why the last one could not be made; what stands is from before
    drift         jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(drift) = 'array'),
    drifted_since timestamptz,
    PRIMARY KEY (project, account),
    FOREIGN KEY (project, account) REFERENCES accounts (project, name) ON DELETE CASCADE,
    CONSTRAINT catalogue_looks_drifted CHECK ((drifted_since IS NULL) = (jsonb_array_length(drift) = 0))
);
CREATE INDEX catalogue_looks_drifting ON catalogue_looks (project) WHERE drifted_since IS NOT NULL;

-- What a fleet's machines are beside their size and place, in the catalogue's words. EC2 has no machine
-- that is both (R1), and no other cloud has enclaves.
ALTER TABLE fleets
    ADD COLUMN features jsonb NOT NULL DEFAULT '["snp"]' CHECK (jsonb_typeof(features) = 'array'),
    ADD CONSTRAINT fleets_snp_without_enclaves CHECK (NOT (features ? 'snp' AND features ? 'enclaves'));
